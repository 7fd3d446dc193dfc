//! Recovery looks for an object through the provider that was asked for it, configured as it was then.

use insta::{allow_duplicates, assert_snapshot};
use terrane_core::{Output, ProviderDeclaration, Resource, Stack};
use terrane_tests::{FakeProvider, TEST, World, new_thing};

use crate::interrupted::{bare, base_alone};

/// `a` in a region, by a provider of that alias.
fn in_region(alias: Option<&'static str>, region: &'static str) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.owner_tags(true);
        let mut provider = ProviderDeclaration::new(&TEST).set("region", region);
        if let Some(alias) = alias {
            provider = provider.alias(alias);
        }
        let provider = stack.provider(provider);
        new_thing("a").provider(&provider).declare(stack);
    }
}

fn interrupted_in_region(made: bool, program: impl Fn(&mut Stack)) -> World {
    let mut world = World::new(FakeProvider::new().regional());
    world.provider.on_create("a", move |call| match made {
        true => call.crash_after(),
        false => call.crash_before(),
    });
    world.up(program).fails();
    world.provider.reset();
    world
}

#[test]
fn an_object_is_looked_up_by_the_provider_that_was_asked() {
    let mut world = interrupted_in_region(true, in_region(Some("west"), "west"));
    // The program has moved it to another alias, and still names the first.
    let run = world.up(|stack| {
        in_region(None, "home")(stack);
        stack.provider(
            ProviderDeclaration::new(&TEST)
                .alias("west")
                .set("region", "west"),
        );
    });
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    // It exists where it was created, so it is not created a second time elsewhere.
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: it cannot be told whether the object still exists: provider["registry.opentofu.org/hashicorp/test"] finds no such object, but the state names provider["registry.opentofu.org/hashicorp/test"].west for it; nothing was changed
      resource   test_thing.a
    hint: declare it with that provider again; to move it, destroy it there first
    hint: if the object is gone, forget it with `state rm 'test_thing.a'`; `--exclude 'test_thing.a'` leaves it out
    "#);
    let without = |stack: &mut Stack| {
        bare(stack);
        let west = ProviderDeclaration::new(&TEST).alias("west");
        stack.provider(west.set("region", "west"));
    };
    world.up(without).succeeds();
    assert!(world.provider.cloud.names().is_empty());
}

#[test]
fn an_absence_proves_nothing_while_the_provider_that_was_asked_is_not_configured() {
    for made in [true, false] {
        let mut world = interrupted_in_region(made, in_region(Some("west"), "west"));
        let run = world.up(in_region(None, "home")).succeeds();
        allow_duplicates! {
            assert_snapshot!(run.recovery(), @r#"test_thing.a: create unresolved: no object was found, but provider["registry.opentofu.org/hashicorp/test"].west was asked, which the program no longer configures"#);
        }
        assert_eq!(run.steps(), "");
        let run = world.up(bare).succeeds();
        allow_duplicates! {
            assert_snapshot!(run.recovery(), @r#"test_thing.a: create unresolved: the program no longer configures provider["registry.opentofu.org/hashicorp/test"].west, which got the request"#);
        }
        // Once it is declared again, everything is recovered.
        let again = |stack: &mut Stack| {
            bare(stack);
            let west = ProviderDeclaration::new(&TEST).alias("west");
            stack.provider(west.set("region", "west"));
        };
        world.up(again).succeeds();
        assert!(world.open_intents.is_empty());
        assert!(world.provider.cloud.names().is_empty() && world.state.is_empty());
    }
}

#[test]
fn an_absence_proves_nothing_while_the_provider_is_configured_differently() {
    let west = in_region(None, "west");
    let mut world = interrupted_in_region(true, west);
    let run = world.up(in_region(None, "east")).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create unresolved: no object was found, but provider["registry.opentofu.org/hashicorp/test"] is configured differently than when it was asked"#);
    assert_eq!(world.provider.cloud.names(), ["a"]);
    let run = world.up(west).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
}

#[test]
fn recovery_reads_the_data_sources_that_configure_the_provider_again() {
    for readable in [true, false] {
        let program = |stack: &mut Stack| {
            stack.owner_tags(true);
            stack.provider(ProviderDeclaration::new(&TEST));
            new_thing("base").declare(stack);
            let lookup = Resource::dynamic_data("test_lookup", "where").set("name", "base");
            let found: Output<String> = lookup.declare(stack).attribute("found");
            let inner = ProviderDeclaration::new(&TEST).alias("inner");
            let inner = stack.provider(inner.set("region", found));
            new_thing("a").provider(&inner).declare(stack);
        };
        let mut world = World::new(FakeProvider::new().regional());
        world.up(base_alone).succeeds();
        let answer = |world: &World, region: &'static str| {
            world
                .provider
                .on_read_data("base", move |call| call.answering("found", region));
        };
        answer(&world, "old");
        world.provider.on_create("a", |call| call.crash_after());
        world.up(program).fails();
        world.provider.reset();
        world.provider.cloud.edit("a", "region", "new");
        if readable {
            answer(&world, "new");
            let run = world.up(program).succeeds();
            assert!(run.recovery().contains("Adopted"), "{}", run.recovery());
        } else {
            world
                .provider
                .on_read_data("base", |call| call.refuse("no route to host"));
            let run = world.destroy(program);
            assert_snapshot!(run.recovery(), @r#"test_thing.a: create unresolved: no object was found, but provider["registry.opentofu.org/hashicorp/test"].inner: it is configured with the stored answer of `data.test_lookup.where`"#);
        }
        assert!(world.provider.cloud.names().contains(&"a".to_owned()));
    }
}
