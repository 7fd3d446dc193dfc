//! Provider configurations: started when needed, configured once, and again when something has become known.

use insta::assert_snapshot;
use terrane_core::addr::ProviderSource;
use terrane_core::{Diagnostic, Output, ProviderDeclaration, Stack};
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
    configure region=(unknown)
    create a
    configure region="endpoint-1-of-a-4"
    create b
    "#);
    world.preview(chained(1)).changes_nothing();
    let b = world.instance("test_thing.b");
    let attributes = terrane_tests::attributes(b.current.as_ref().expect("an object"));
    assert_snapshot!(terrane_tests::show_value(attributes.get("region").expect("a region")), @"endpoint-1-of-a-4");
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
    configure region=(unknown)
    update a
    configure region="endpoint-1-of-a-4.12"
    update b
    "#);
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

#[test]
fn a_provider_that_cannot_be_started_is_an_error_of_its_own() {
    let mut world = World::new(FakeProvider::new());
    let run =
        world.up(|stack| drop(terrane_core::Resource::dynamic("other_thing", "a").declare(stack)));
    assert_snapshot!(run.fails().diagnostics(), @"
error: there is no provider registry.terraform.io/hashicorp/other
  resource   registry.terraform.io/hashicorp/other
");
}

#[test]
fn what_the_state_has_of_a_provider_the_program_does_not_use_starts_nothing() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .succeeds();
    let run = world.up(|_| ()).fails();
    assert_snapshot!(run.diagnostics(), @r#"
error: test_thing.a is in the state, but the program does not use provider["registry.terraform.io/hashicorp/test"]
  resource   test_thing.a
hint: declare that provider with `stack.provider(…)` until its last object is gone
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
    assert_snapshot!(world.instance("test_thing.a").provider, @r#"provider["registry.terraform.io/hashicorp/test"].west"#);
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
    assert_snapshot!(world.instance("test_thing.a").provider, @r#"provider["registry.terraform.io/hashicorp/test"].west"#);
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
