//! Changes that are planned later in a run: their provider is configured with values that the run makes first.

use insta::assert_snapshot;
use terrane_core::addr::ProviderSource;
use terrane_core::{Lifecycle, Output, ProviderDeclaration, ProviderHandle, Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

/// A provider that acts in the region which an object has.
fn inside(stack: &mut Stack, cluster: &Resource) -> ProviderHandle {
    let region: Output<String> = cluster.attribute("endpoint");
    let provider = ProviderDeclaration::dynamic(ProviderSource::implied_by("test_thing"));
    stack.provider(provider.alias("inner").set("region", region))
}

/// A cluster of that name, an object in it, and another that refers to that one.
fn cluster(name: &'static str) -> impl Fn(&mut Stack) {
    move |stack| drop(cluster_and_provider(stack, name))
}

fn cluster_and_provider(stack: &mut Stack, name: &str) -> ProviderHandle {
    let cluster = new_thing("cluster").set("name", name).declare(stack);
    let inner = inside(stack, &cluster);
    let space = new_thing("space").provider(&inner).declare(stack);
    let parent: Output<String> = space.attribute("id");
    new_thing("user").set("parent", parent).declare(stack);
    inner
}

/// A cluster whose objects vanish with it.
fn mortal(name: &'static str) -> World {
    let provider = FakeProvider::new().regional();
    let cloud = provider.cloud.clone();
    provider.on_delete(name, move |call| {
        if cloud.names().iter().any(|name| name == "space") {
            cloud.remove("space");
        }
        call.proceed()
    });
    World::new(provider)
}

#[test]
fn everything_that_needs_an_unknown_configuration_is_deferred_and_made_in_the_same_run() {
    let mut world = World::new(FakeProvider::new().regional());
    let program = |stack: &mut Stack| {
        let inner = cluster_and_provider(stack, "one");
        let found = Resource::dynamic_data("test_lookup", "found")
            .set("name", "x")
            .provider(&inner)
            .declare(stack);
        let found: Output<String> = found.attribute("found");
        stack.export("found", found);
        new_thing("alone").declare(stack);
    };
    world
        .provider
        .on_read_data("x", |call| call.answering("found", "it"));
    let preview = world.preview(program);
    assert_snapshot!(preview.plan(), @"
    + test_thing.cluster
    + test_thing.alone
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    later test_thing.user: it refers to test_thing.space, which is deferred
    later data.test_lookup.found: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    output found: none -> ?
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
    let run = world.up(program).succeeds();
    assert_snapshot!(run.steps(), @"
    create test_thing.alone: done
    create test_thing.cluster: done
    create test_thing.space: done
    create test_thing.user: done
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    create alone
    create one
    configure region="endpoint-1-of-one-3"
    read data x
    create space
    create user
    "#);
    world.preview(program).changes_nothing();
    world
        .destroy(program)
        .succeeds()
        .ordered(&["delete test_thing.space", "delete test_thing.cluster"]);
}

#[test]
fn objects_in_a_cluster_that_is_replaced_are_kept_and_planned_after() {
    let mut world = mortal("one");
    world.up(cluster("one")).succeeds();
    let preview = world.preview(cluster("two"));
    assert_snapshot!(preview.plan(), @"
    -/+ test_thing.cluster forced by name
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    later test_thing.user: it refers to test_thing.space, which is deferred
    ");
    let run = world.up(cluster("two")).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.cluster: done
    create test_thing.cluster: done
    create test_thing.space: done
    update test_thing.user: done
    ");
    world.preview(cluster("two")).changes_nothing();
}

#[test]
fn a_cluster_that_does_not_answer_can_be_replaced() {
    let mut world = mortal("one");
    world.up(cluster("one")).succeeds();
    world
        .provider
        .on_read("space", |call| call.refuse("connection refused"));
    let run = world.preview(cluster("two"));
    assert_snapshot!(run.plan(), @"
    -/+ test_thing.cluster forced by name
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    later test_thing.user: it refers to test_thing.space, which is deferred
    ");
    world.provider.reset();
    let cloud = world.provider.cloud.clone();
    world.provider.on_delete("one", move |call| {
        cloud.remove("space");
        call.proceed()
    });
    world.up(cluster("two")).succeeds();
    world.preview(cluster("two")).changes_nothing();
}

#[test]
fn an_object_goes_with_the_configuration_that_leads_to_it() {
    let mut world = World::new(FakeProvider::new().regional());
    world.up(cluster("one")).succeeds();
    let without = |stack: &mut Stack| {
        let cluster = new_thing("cluster").set("name", "two").declare(stack);
        inside(stack, &cluster);
    };
    let run = world.up(without).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.user: done
    delete test_thing.space: done
    delete test_thing.cluster: done
    create test_thing.cluster: done
    ");
    assert_eq!(world.provider.cloud.names(), ["two"]);
}

#[test]
fn an_undeclared_object_waits_for_a_provider_that_cannot_be_configured_yet() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let provider = ProviderDeclaration::dynamic(ProviderSource::implied_by("test_thing"));
        let inner = stack.provider(provider.alias("inner").set("region", "east"));
        new_thing("space").provider(&inner).declare(stack);
    };
    world.up(before).succeeds();
    let after = |stack: &mut Stack| {
        let cluster = new_thing("cluster").declare(stack);
        inside(stack, &cluster);
    };
    let run = world.up(after).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.cluster
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.cluster: done
    delete test_thing.space: done
    ");
    world.preview(after).changes_nothing();
}

/// A key that is replaced before the old one goes, and an object in a cluster that refers to it.
fn keyed(key: &'static str, cluster: &'static str) -> impl Fn(&mut Stack) {
    move |stack| {
        let first = Lifecycle::new().create_before_destroy();
        let key = new_thing("key").set("name", key).lifecycle(first);
        let key: Output<String> = key.declare(stack).attribute("id");
        let cluster = new_thing("cluster").set("name", cluster).declare(stack);
        let inner = inside(stack, &cluster);
        new_thing("space")
            .set("parent", key)
            .provider(&inner)
            .declare(stack);
    }
}

#[test]
fn an_old_object_that_a_deferred_one_refers_to_goes_after_it_has_moved_over() {
    let mut world = mortal("one");
    world.up(keyed("k1", "one")).succeeds();
    let run = world.up(keyed("k2", "two")).succeeds();
    // Two replacements, one of them in two plans; the object that vanished with the cluster is made again.
    let done = run.applied.as_ref().expect("an applied plan").done;
    assert_eq!(
        (done.create, done.replace, done.delete),
        (2, 1, 1),
        "{done:?}"
    );
    assert_snapshot!(run.plan(), @"
    +/- test_thing.key forced by name
    -/+ test_thing.cluster forced by name
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    later test_thing.key: test_thing.space still refers to it, and is deferred
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.cluster: done
    create test_thing.key: done
    create test_thing.cluster: done
    create test_thing.space: done
    delete test_thing.key (deposed): done
    ");
    world.preview(keyed("k2", "two")).changes_nothing();
}

#[test]
fn a_deletion_waits_for_the_deferred_objects_that_still_refer_to_it() {
    let mut world = mortal("one");
    world.up(keyed("k1", "one")).succeeds();
    let run = world.up(cluster("two")).succeeds();
    assert_snapshot!(run.plan(), @"
    -/+ test_thing.cluster forced by name
    later test_thing.space: provider test.inner is configured by test_thing.cluster.endpoint, known after apply
    later test_thing.user: it refers to test_thing.space, which is deferred
    later test_thing.key: test_thing.space still refers to it, and is deferred
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.cluster: done
    create test_thing.cluster: done
    create test_thing.space: done
    delete test_thing.key: done
    create test_thing.user: done
    ");
    world.preview(cluster("two")).changes_nothing();
}

#[test]
fn a_replacement_that_was_asked_for_happens_once_and_is_remembered_for_deferred_objects() {
    let mut world = mortal("one");
    world.up(cluster("one")).succeeds();
    let run = world.replace("test_thing.*").up(cluster("one")).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.user: done
    delete test_thing.space: done
    delete test_thing.cluster: done
    create test_thing.cluster: done
    create test_thing.space: done
    create test_thing.user: done
    ");
    world.preview(cluster("one")).changes_nothing();
}

#[test]
fn a_failure_leaves_the_deferred_changes_to_the_next_run() {
    let mut world = World::new(FakeProvider::new().regional());
    world
        .provider
        .on_create("bad", |call| call.refuse("no capacity"));
    let program = |stack: &mut Stack| {
        cluster("one")(stack);
        new_thing("bad").declare(stack);
    };
    let run = world.up(program).fails();
    assert_snapshot!(run.steps(), @"
    create test_thing.bad: failed: no capacity
    create test_thing.cluster: done
    ");
    world.provider.reset();
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.space
    + test_thing.user
    + test_thing.bad
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn a_target_in_the_cluster_brings_the_cluster() {
    let mut world = World::new(FakeProvider::new().regional());
    let run = world
        .target("test_thing.space")
        .up(cluster("one"))
        .succeeds();
    assert_snapshot!(run.steps(), @"
    create test_thing.cluster: done
    create test_thing.space: done
    ");
    let run = world.up(cluster("one")).succeeds();
    assert_snapshot!(run.steps(), @"create test_thing.user: done");
}

#[test]
fn a_plan_that_defers_no_less_than_the_one_before_is_stuck() {
    let mut world = World::new(FakeProvider::new());
    let preview = world.preview(cluster("one"));
    let plan = preview.made_plan();
    assert!(plan.stuck(None).is_none());
    let stuck = plan.stuck(Some(plan)).expect("an error");
    let stuck = terrane_core::Diagnostic {
        location: None,
        ..stuck
    };
    assert_snapshot!(stuck, @"
    error: test_thing.space still cannot be planned: provider test.inner is configured by test_thing.cluster.endpoint, known after apply; another change is deferred, too
      resource   test_thing.space
    hint: nothing in this run makes it known; `--exclude 'test_thing.space'` leaves it out
    ");
}
