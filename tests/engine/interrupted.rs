//! Programs of a run that was interrupted, for the scenarios of recovery.

use terrane_core::{Declaration, Expr, Output, ProviderDeclaration, Resource, Stack};
use terrane_state::Intent;
use terrane_tests::{FakeProvider, TEST, World, new_thing};

pub(crate) fn alone(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| drop(new_thing("a").set("size", size).declare(stack))
}

/// `a`, `b` that stands on it, and `c` that stands alone.
pub(crate) fn three(stack: &mut Stack) {
    let a = new_thing("a").declare(stack);
    let id: Output<String> = a.attribute("id");
    new_thing("b").set("parent", id).declare(stack);
    new_thing("c").declare(stack);
}

/// A stack with owner tags and a provider that bindings know, with one object of that type.
pub(crate) fn owned(type_name: &'static str) -> impl Fn(&mut Stack) + Copy {
    owned_with(type_name, |declaration| declaration)
}

pub(crate) fn owned_with(
    type_name: &'static str,
    with: impl Fn(Declaration) -> Declaration + Copy,
) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.owner_tags(true);
        known(type_name, with)(stack);
    }
}

/// The same without owner tags.
pub(crate) fn known(
    type_name: &'static str,
    with: impl Fn(Declaration) -> Declaration + Copy,
) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.provider(ProviderDeclaration::new(&TEST));
        with(Resource::dynamic(type_name, "a").set("name", "a")).declare(stack);
    }
}

/// A world in which the provider died during the creation of `a`: after the object existed, or before.
pub(crate) fn interrupted(made: bool, program: impl Fn(&mut Stack)) -> World {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", move |call| match made {
        true => call.crash_after(),
        false => call.crash_before(),
    });
    world.up(program).fails();
    assert_eq!(world.open_intents.len(), 1);
    world.provider.reset();
    world
}

pub(crate) fn intent(world: &World) -> Intent {
    world.open_intents[0].intent.clone()
}

/// `base`, and `a` on it with a secret note, which carry owner tags.
pub(crate) fn standing(stack: &mut Stack) {
    bare(stack);
    let base = new_thing("base").declare(stack);
    let note = Output::<String>::new(Expr::Literal("canary".into())).sensitive();
    new_thing("a")
        .set("parent", base.attribute::<String>("id"))
        .set("note", note)
        .declare(stack);
}

/// The same without `a`.
pub(crate) fn base_alone(stack: &mut Stack) {
    bare(stack);
    new_thing("base").declare(stack);
}

/// The same without resources.
pub(crate) fn bare(stack: &mut Stack) {
    stack.owner_tags(true);
    stack.provider(ProviderDeclaration::new(&TEST));
}
