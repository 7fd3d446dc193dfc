//! Objects that say where they lie: their ids name the place, wherever something is looked up by an id or a tag.

use insta::assert_snapshot;
use terrane_core::{Declaration, ProviderDeclaration, Resource, Stack};
use terrane_tests::{FakeProvider, TEST, World};

use crate::interrupted::{intent, interrupted, known, owned_with};

fn in_west(declaration: Declaration) -> Declaration {
    declaration.set("region", "west")
}

#[test]
fn a_creation_is_found_by_its_name_in_the_region_that_the_program_names() {
    let program = owned_with("test_site", in_west);
    for made in [true, false] {
        let mut world = interrupted(made, program);
        assert_eq!(intent(&world).planned_id.as_deref(), Some("a@west"));
        world.provider.cloud.ledger();
        world.up(program).succeeds();
        let ledger = world.provider.cloud.ledger();
        assert!(ledger.contains("import a@west"), "{ledger}");
        assert!(!ledger.contains("import a\n"), "{ledger}");
        assert_eq!(world.provider.cloud.names(), ["a"]);
        world.preview(program).changes_nothing();
    }
}

#[test]
fn a_creation_is_found_by_its_tag_in_the_region_that_the_program_names() {
    let program = owned_with("test_plot", in_west);
    let mut world = interrupted(true, program);
    let asked = intent(&world);
    assert_eq!(
        (asked.planned_id, asked.place.as_deref()),
        (None, Some("west"))
    );
    world.provider.cloud.ledger();
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_plot.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    let ledger = world.provider.cloud.ledger();
    assert!(ledger.contains("import a-1@west"), "{ledger}");
    assert_eq!(world.provider.cloud.names(), ["a"]);
    // A program that no longer has it still knows where to look.
    let mut world = interrupted(true, program);
    let without = |stack: &mut Stack| drop(stack.provider(ProviderDeclaration::new(&TEST)));
    world.up(without).succeeds();
    assert!(world.provider.cloud.names().is_empty());
}

#[test]
fn a_name_that_is_taken_elsewhere_is_free_here() {
    let mut other = World::new(FakeProvider::new());
    other.up(known("test_site", |site| site)).succeeds();
    other.provider.cloud.disown("a");
    let mut world = World::new(other.provider.clone());
    let program = owned_with("test_site", in_west);
    world.up(program).succeeds();
    assert_eq!(world.provider.cloud.names(), ["a", "a"]);
    world.provider.cloud.disown("a");
    let mut world = World::new(other.provider.clone());
    let taken = world.up(program).fails().diagnostics();
    assert!(taken.contains("`a@west` exists already"), "{taken}");
    assert!(taken.contains("`import 'test_site.a' 'a@west'`"), "{taken}");
}

#[test]
fn a_move_to_another_region_looks_for_the_name_there() {
    let mut world = World::new(FakeProvider::new());
    world.up(owned_with("test_site", in_west)).succeeds();
    world.provider.cloud.ledger();
    world
        .up(owned_with("test_site", |site| site.set("region", "east")))
        .succeeds();
    let ledger = world.provider.cloud.ledger();
    assert!(ledger.contains("import a@east"), "{ledger}");
}

#[test]
fn an_import_looks_in_the_region_of_the_declaration_unless_the_id_names_one() {
    let mut other = World::new(FakeProvider::new());
    other.up(known("test_site", in_west)).succeeds();
    other.provider.cloud.disown("a");
    for id in ["a", "a@west"] {
        let mut world = World::new(other.provider.clone());
        world.provider.cloud.ledger();
        let imported = world.import("test_site.a", id, known("test_site", in_west));
        assert_eq!(imported.expect("imported"), "a-1");
        assert!(world.provider.cloud.ledger().contains("import a@west"));
        let mut world = World::new(other.provider.clone());
        let program = |stack: &mut Stack| {
            stack.provider(ProviderDeclaration::new(&TEST));
            let site = in_west(Resource::dynamic("test_site", "a").set("name", "a"));
            let site = site.declare(stack);
            stack.import(&site, id);
        };
        world.up(program).succeeds();
        assert_eq!(world.provider.cloud.names(), ["a"]);
        world.preview(program).changes_nothing();
    }
}
