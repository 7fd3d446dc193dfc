//! Provider configurations: started when needed, configured once, and again when something has become known.

use insta::{allow_duplicates, assert_snapshot};
use terrane_core::addr::ProviderSource;
use terrane_core::{Diagnostic, Output, ProviderDeclaration, ProviderMeta, Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn test_provider() -> ProviderDeclaration {
    ProviderDeclaration::dynamic(ProviderSource::implied_by("test_thing"))
}

/// A provider that is configured with something another one makes.
fn chained(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let a = new_thing("a").set("size", size).declare(stack);
        let region: Output<String> = a.attribute("endpoint");
        let inner = stack.provider(test_provider().alias("inner").set("region", region));
        new_thing("b")
            .set("size", size)
            .provider(&inner)
            .declare(stack);
    }
}

#[test]
fn a_provider_may_be_configured_with_what_this_run_makes() {
    let mut world = World::new(FakeProvider::new());
    world.up(chained(1)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    create a
    configure region="endpoint-1-of-a-1"
    create b
    "#);
    world.preview(chained(1)).changes_nothing();
    let b = world.instance("test_thing.b");
    let attributes = terrane_tests::attributes(b.current.as_ref().expect("an object"));
    assert_snapshot!(terrane_tests::show_value(attributes.get("region").expect("a region")), @"endpoint-1-of-a-1");
    assert_eq!(world.dependencies("test_thing.b"), ["test_thing.a"]);
    world.provider.cloud.ledger();
    world
        .destroy(chained(1))
        .succeeds()
        .ordered(&["delete test_thing.b", "delete test_thing.a"]);
}

#[test]
fn a_configuration_that_changes_in_the_run_reaches_a_new_process() {
    let mut world = World::new(FakeProvider::new());
    world.up(chained(1)).succeeds();
    world.provider.cloud.ledger();
    world.up(chained(2)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    configure region="endpoint-1-of-a-1"
    update a
    configure region="endpoint-1-of-a-1.5"
    update b
    "#);
}

#[test]
fn under_an_emulator_the_program_s_own_configuration_is_validated_and_the_redirected_one_used() {
    let mut world = World::new(FakeProvider::new());
    world.endpoint_url = Some("http://emulator".to_owned());
    world.provider.on_validate_provider(|config| {
        // Validating endpoints that the bindings fill in takes the AWS provider two seconds.
        match config.get("region").and_then(|region| region.as_str()) {
            Some("http://emulator") => Diagnostic::error("nobody wrote that").into(),
            _ => terrane_core::Diagnostics::new(),
        }
    });
    let program = |stack: &mut Stack| {
        stack.provider(ProviderDeclaration::new(&terrane_tests::TEST));
        let far = ProviderDeclaration::new(&terrane_tests::TEST).alias("far");
        let far = stack.provider(far.set("region", "far"));
        let a = new_thing("a").declare(stack);
        new_thing("b").provider(&far).depends_on(&a).declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region="http://emulator"
    configure region="far"
    create a
    create b
    "#);
    world.preview(program).changes_nothing();
}

#[test]
fn a_configuration_that_is_refused_leaves_out_all_it_serves_and_is_reported_once() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_configure(|config| {
        let region = config.get("region").and_then(|region| region.as_str());
        if region == Some("nowhere") {
            Diagnostic::error("there is no such region").into()
        } else {
            terrane_core::Diagnostics::new()
        }
    });
    let run = world.up(|stack| {
        let far = stack.provider(test_provider().alias("far").set("region", "nowhere"));
        new_thing("a").provider(&far).declare(stack);
        new_thing("b").provider(&far).declare(stack);
        new_thing("c").declare(stack);
    });
    assert_snapshot!(run.fails().diagnostics(), @"error: there is no such region");
    assert!(world.provider.cloud.objects().is_empty());
}

/// A provider for each of so many regions, and two objects in each.
fn regions(count: usize) -> impl Fn(&mut Stack) {
    move |stack| {
        for region in (0..count).map(|at| format!("r{at}")) {
            let there = test_provider().alias(&*region).set("region", &*region);
            let there = stack.provider(there);
            for name in ["a", "b"] {
                new_thing(&format!("{name}-{region}"))
                    .provider(&there)
                    .declare(stack);
            }
        }
    }
}

#[test]
fn equal_configurations_share_a_process() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        for alias in ["one", "two", "three"] {
            let region = if alias == "three" { "west" } else { "east" };
            let there = stack.provider(test_provider().alias(alias).set("region", region));
            new_thing(alias).provider(&there).declare(stack);
        }
    };
    world.up(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region="east"
    configure region="west"
    create three
    create two
    create one
    "#);
    assert_eq!(world.provider.cloud.most_processes(), 2);
    world.preview(program).changes_nothing();
    world.destroy(program).succeeds();
}

#[test]
fn twenty_regions_need_no_more_processes_than_they_may_have() {
    let mut world = World::new(FakeProvider::new().regional());
    world.parallelism = 2;
    world.provider_processes = 4;
    world.up(regions(20)).succeeds();
    assert!(world.provider.cloud.most_processes() <= 4);
    assert_eq!(world.provider.cloud.names().len(), 40);
    world.preview(regions(20)).changes_nothing();
    world.destroy(regions(20)).succeeds();
    assert!(world.provider.cloud.most_processes() <= 4);
    // Busy ones may be more: nothing waits for a process.
    let mut world = World::new(FakeProvider::new().regional());
    world.provider_processes = 1;
    world.up(regions(20)).succeeds();
    world.preview(regions(20)).changes_nothing();
}

#[test]
fn a_provider_that_cannot_be_started_is_an_error_of_its_own() {
    let mut world = World::new(FakeProvider::new());
    let run =
        world.up(|stack| drop(terrane_core::Resource::dynamic("other_thing", "a").declare(stack)));
    assert_snapshot!(run.fails().diagnostics(), @"
error: there is no provider registry.opentofu.org/hashicorp/other
  resource   registry.opentofu.org/hashicorp/other
");
}

#[test]
fn objects_of_an_unused_provider_in_the_state_start_no_process() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .succeeds();
    let run = world.up(|_| ()).fails();
    assert_snapshot!(run.diagnostics(), @r#"
error: test_thing.a is in the state, but the program does not use provider["registry.opentofu.org/hashicorp/test"]
  resource   test_thing.a
hint: declare that provider with `stack.provider(…)` until its last object is gone
hint: `state rm 'test_thing.a'` forgets the object, which stays where it is
"#);
    // Declaring the provider is enough.
    world
        .up(|stack| drop(stack.provider(test_provider())))
        .succeeds();
    assert!(world.state.is_empty());
}

#[test]
fn a_provider_that_nothing_needs_is_not_started() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(stack.provider(test_provider())))
        .succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"");
}

#[test]
fn an_object_moves_to_another_configuration_of_its_provider_without_a_change() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").set("size", 1).declare(stack)))
        .succeeds();
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let west = stack.provider(test_provider().alias("west"));
            new_thing("a")
                .set("size", size)
                .provider(&west)
                .declare(stack);
        }
    };
    world.up(program(2)).succeeds();
    assert_snapshot!(world.instance("test_thing.a").provider, @r#"provider["registry.opentofu.org/hashicorp/test"].west"#);
}

#[test]
fn the_move_to_another_configuration_alone_is_recorded() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .succeeds();
    let program = |stack: &mut Stack| {
        let west = stack.provider(test_provider().alias("west"));
        new_thing("a").provider(&west).declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.instance("test_thing.a").provider, @r#"provider["registry.opentofu.org/hashicorp/test"].west"#);
    world.destroy(program).succeeds();
}

#[test]
fn a_state_of_a_newer_provider_is_refused() {
    let newer = FakeProvider::new().schema_version("test_thing", 3);
    let mut world = World::new(newer.clone());
    let program = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    world.up(program).succeeds();
    world.provider = newer.schema_version("test_thing", 2);
    assert_snapshot!(world.up(program).fails().diagnostics(), @"
    error: the state has schema version 3 of test_thing, the provider knows only 2
      resource   test_thing.a
    hint: a newer version of the provider wrote it; use that version or a later one
    ");
}

#[test]
fn an_upgrade_of_the_schema_alone_is_no_change() {
    let provider = FakeProvider::new();
    let mut world = World::new(provider.clone());
    let program = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    world.up(program).succeeds();
    world.provider = provider.schema_version("test_thing", 1);
    world.up(program).changes_nothing();
    assert_eq!(
        world
            .instance("test_thing.a")
            .current
            .as_ref()
            .expect("an object")
            .schema_version,
        1
    );
}

/// A provider that is configured from a data source, and `t` in its region.
fn looked_up(stack: &mut Stack) {
    let found = where_it_is(stack);
    let inner = stack.provider(test_provider().alias("inner").set("region", found));
    new_thing("t").provider(&inner).declare(stack);
}

/// The same without `t`.
fn without_it(stack: &mut Stack) {
    let found = where_it_is(stack);
    stack.provider(test_provider().alias("inner").set("region", found));
}

fn where_it_is(stack: &mut Stack) -> Output<String> {
    new_thing("base").declare(stack);
    let lookup = Resource::dynamic_data("test_lookup", "where").set("name", "base");
    lookup.declare(stack).attribute("found")
}

/// A world in which all of that exists, in the region `old`.
fn converged() -> World {
    let mut world = World::new(FakeProvider::new().regional());
    world
        .up(|stack| drop(new_thing("base").declare(stack)))
        .succeeds();
    answer(&world, "old");
    world.up(looked_up).succeeds();
    world.provider.cloud.ledger();
    world
}

fn answer(world: &World, region: &'static str) {
    world
        .provider
        .on_read_data("base", move |call| call.answering("found", region));
}

/// The region of `t` has another name now; its data source knows.
fn moved() -> World {
    let world = converged();
    world.provider.cloud.edit("t", "region", "new");
    answer(&world, "new");
    world
}

#[test]
fn a_destroy_asks_again_what_configures_the_providers_that_it_needs() {
    let mut world = moved();
    world.destroy(looked_up).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    read data base
    configure region="new"
    delete t
    delete base
    "#);
    assert!(world.state.is_empty(), "{}", world.state());
}

#[test]
fn a_destroy_that_trusts_the_state_asks_again_too() {
    let mut world = moved();
    world.without_refresh().destroy(looked_up).succeeds();
    assert!(world.provider.cloud.names().is_empty());
    assert!(world.state.is_empty(), "{}", world.state());
}

#[test]
fn a_destroy_of_a_part_asks_again_what_configures_its_provider() {
    let mut world = moved();
    world.target("test_thing.t").destroy(looked_up).succeeds();
    assert_eq!(world.provider.cloud.names(), ["base"]);
    // The newest answer is kept for as long as anything may need it.
    assert_snapshot!(world.state(), @"
    test_thing.base  name=base
    data.test_lookup.where  found=new name=base
    ");
    world.destroy(looked_up).succeeds();
    assert!(world.state.is_empty(), "{}", world.state());
}

#[test]
fn an_undeclared_object_is_deleted_by_a_provider_with_fresh_configuration() {
    let mut world = moved();
    let run = world.up(without_it).succeeds();
    assert_snapshot!(run.steps(), @"delete test_thing.t: done");
    assert_eq!(world.provider.cloud.names(), ["base"]);
    // So it does where it is all that the run is about.
    let mut world = moved();
    world.target("test_thing.t").up(without_it).succeeds();
    assert_eq!(world.provider.cloud.names(), ["base"]);
}

#[test]
fn a_destroy_goes_on_with_the_stored_answer_and_says_so() {
    let mut world = converged();
    world
        .provider
        .on_read_data("base", |call| call.refuse("no route to host"));
    let run = world.destroy(looked_up).succeeds();
    assert_snapshot!(run.diagnostics(), @r#"
    warning: the destroy goes on with a stored answer: no route to host: it could not be read; the answer that the state holds may be out of date, and configures provider["registry.opentofu.org/hashicorp/test"].inner
      resource   data.test_lookup.where
    "#);
    assert!(world.provider.cloud.names().is_empty());
    assert!(world.state.is_empty(), "{}", world.state());
}

#[test]
fn a_stored_answer_proves_nothing_gone() {
    for refresh in [true, false] {
        let mut world = moved();
        world
            .provider
            .on_read_data("base", |call| call.refuse("no route to host"));
        if !refresh {
            world.without_refresh();
        }
        let run = world.destroy(looked_up).fails();
        let said = run.diagnostics();
        let (warning, error) = said.split_once("\n\n").expect("two");
        assert!(warning.contains("goes on with a stored answer"), "{said}");
        allow_duplicates! { assert_snapshot!(error, @r#"
        error: it cannot be told whether the object still exists: provider["registry.opentofu.org/hashicorp/test"].inner finds no such object, but it is configured with the stored answer of `data.test_lookup.where`; nothing was changed
          resource   test_thing.t
        hint: run again when what configures that provider can be read
        hint: if the object is gone, forget it with `state rm 'test_thing.t'`; `--exclude 'test_thing.t'` leaves it out
        "#) };
        // The rest can go.
        world.exclude("test_thing.t").destroy(looked_up).succeeds();
        assert_eq!(world.provider.cloud.names(), ["t"]);
        answer(&world, "new");
        world.destroy(looked_up).succeeds();
        assert!(world.state.is_empty(), "{}", world.state());
    }
}

#[test]
fn a_refresh_reads_data_sources_without_a_stored_answer() {
    let mut world = converged();
    // The state of a tool that keeps no answers, or of a program that was configured otherwise.
    let lookup = "data.test_lookup.where".parse().expect("an address");
    world.state.set_instance(&lookup, None);
    let run = world.refresh(looked_up).succeeds();
    assert!(run.made_plan().drift.is_empty());
    world.state.set_instance(&lookup, None);
    world.destroy(looked_up).succeeds();
    assert!(world.provider.cloud.names().is_empty());
}

#[test]
fn a_provider_whose_own_object_is_gone_proves_nothing_gone() {
    let mut world = World::new(FakeProvider::new().regional());
    world.up(chained(1)).succeeds();
    world.provider.cloud.remove("a");
    world.provider.cloud.edit("b", "region", "elsewhere");
    let run = world.destroy(chained(1)).fails();
    assert_snapshot!(run.diagnostics(), @r#"
    error: it cannot be told whether the object still exists: provider["registry.opentofu.org/hashicorp/test"].inner finds no such object, but `test_thing.a` is gone; nothing was changed
      resource   test_thing.b
    hint: run again when what configures that provider can be read
    hint: if the object is gone, forget it with `state rm 'test_thing.b'`; `--exclude 'test_thing.b'` leaves it out
    "#);
    // The stored answer still leads to an object that exists.
    let mut world = World::new(FakeProvider::new().regional());
    world.up(chained(1)).succeeds();
    world.provider.cloud.remove("a");
    world.destroy(chained(1)).succeeds();
    assert!(world.provider.cloud.names().is_empty());
}

#[test]
fn a_provider_whose_configuration_changes_in_the_run_looks_where_its_objects_are() {
    let mut world = World::new(FakeProvider::new().regional());
    world.up(chained(1)).succeeds();
    // The endpoint of `a` is another one after its update, which moves nothing that is behind it.
    let run = world.up(chained(2));
    assert_snapshot!(run.plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? size: 1 -> 2
    ");
    assert_snapshot!(run.diagnostics(), @"
    error: b-3 does not exist
      resource   test_thing.b
    ");
    assert_snapshot!(run.steps(), @"
    update test_thing.a: done
    update test_thing.b: failed: b-3 does not exist
    ");
    assert_eq!(world.provider.cloud.names(), ["a", "b"]);
}

#[test]
fn a_delete_uses_the_provider_configuration_from_before_the_run_changes_it() {
    let mut world = World::new(FakeProvider::new().regional());
    world.up(chained(1)).succeeds();
    let after = |stack: &mut Stack| {
        let a = new_thing("a").set("size", 2).declare(stack);
        let region: Output<String> = a.attribute("endpoint");
        stack.provider(test_provider().alias("inner").set("region", region));
    };
    let run = world.up(after).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.b: done
    update test_thing.a: done
    ");
    assert_eq!(world.provider.cloud.names(), ["a"]);
}

#[test]
fn a_replacement_destroys_with_the_old_configuration_and_creates_with_the_new_one() {
    let mut world = World::new(FakeProvider::new().regional());
    let program = |name: &'static str| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("name", name).declare(stack);
            let region: Output<String> = a.attribute("endpoint");
            let inner = stack.provider(test_provider().alias("inner").set("region", region));
            let id: Output<String> = a.attribute("id");
            new_thing("b")
                .set("name", id)
                .provider(&inner)
                .declare(stack);
        }
    };
    world.up(program("one")).succeeds();
    let run = world.up(program("two")).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.b: done
    delete test_thing.a: done
    create test_thing.a: done
    create test_thing.b: done
    ");
    assert_eq!(world.provider.cloud.objects().len(), 2);
    world.preview(program("two")).changes_nothing();
}

#[test]
fn a_delete_waits_for_the_resources_that_configure_its_provider() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let inner = stack.provider(test_provider().alias("inner").set("region", "east"));
        new_thing("b").provider(&inner).declare(stack);
    };
    world.up(before).succeeds();
    world.provider.cloud.ledger();
    let after = |stack: &mut Stack| {
        let key = new_thing("key").declare(stack);
        let region: Output<String> = key.attribute("endpoint");
        stack.provider(test_provider().alias("inner").set("region", region));
    };
    let run = world.up(after).succeeds();
    assert_snapshot!(run.steps(), @"
    create test_thing.key: done
    delete test_thing.b: done
    ");
    assert!(!world.provider.cloud.ledger().contains("crash"));
}

#[test]
fn an_import_asks_again_what_configures_its_provider() {
    let mut world = converged();
    let t = "test_thing.t".parse().expect("an address");
    world.state.set_instance(&t, None);
    world.provider.cloud.edit("t", "region", "new");
    answer(&world, "new");
    assert!(world.import("test_thing.t", "t", looked_up).is_ok());
}

#[test]
fn a_provider_that_takes_nothing_about_modules_is_named() {
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        let meta = ProviderMeta::for_source(ProviderSource::implied_by("test_thing"));
        meta.set("module", "x").declare(stack);
        new_thing("a").declare(stack);
    });
    let said = run.fails().diagnostics();
    assert!(
        said.contains("hashicorp/test takes no `ProviderMeta`"),
        "{said}"
    );
}
