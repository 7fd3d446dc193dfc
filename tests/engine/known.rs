//! Values of the cloud that decide what a program declares, and are known when the plan is made.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use insta::assert_snapshot;
use terrane_core::{Lifecycle, ProviderDeclaration, Resource, Result, Stack};
use terrane_tests::{FakeProvider, TEST, World, new_thing};

fn world() -> World {
    let mut world = World::new(FakeProvider::new());
    world.up(|stack| drop(network(stack, 2))).succeeds();
    world
}

/// Something that exists before the rest.
fn network(stack: &mut Stack, size: i64) -> Resource {
    let network = new_thing("network").set("size", size);
    network.declare(stack)
}

/// What a data source finds of it.
fn found(stack: &mut Stack) -> Resource {
    let lookup = Resource::dynamic_data("test_lookup", "network").set("name", "network");
    lookup.declare(stack)
}

/// As many subnets as the data source says.
fn subnets(stack: &mut Stack) -> Result<()> {
    network(stack, 2);
    let found = found(stack);
    for number in 0..stack.known(&found.attribute::<i64>("size"))? {
        Resource::dynamic("test_thing", "subnet")
            .instance_key(u32::try_from(number)?)
            .set("name", format!("subnet{number}"))
            .set("parent", found.attribute::<String>("found"))
            .declare(stack);
    }
    stack.export("network", found.attribute::<String>("found"));
    Ok(())
}

#[test]
fn a_loop_over_what_a_data_source_reads_is_planned_at_once() {
    let mut world = world();
    let run = world.up_again(subnets).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.subnet[0]
    + test_thing.subnet[1]
    output network: none -> network-1
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=network size=2
    test_thing.subnet[0]  name=subnet0 parent=network-1
    test_thing.subnet[1]  name=subnet1 parent=network-1
    data.test_lookup.network  found=network-1 name=network size=2
    output network = "network-1"
    "#);
    world.preview_again(subnets).changes_nothing();
    world.destroy_again(subnets).succeeds();
    assert_snapshot!(world.state(), @"");
}

#[test]
fn an_argument_that_the_program_gives_is_known() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let network = network(stack, 2);
        let (name, size) = (
            network.attribute::<String>("name"),
            network.attribute::<i64>("size"),
        );
        let both = terrane_core::all((name, size)).map(|(name, size)| format!("{name}{size}"));
        let key = stack.known(&both)?;
        let subnet = Resource::dynamic("test_thing", "subnet").instance_key(key);
        subnet.set("name", "subnet").declare(stack);
        Ok(())
    };
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.plan(), @r#"
    + test_thing.network
    + test_thing.subnet["network2"]
    "#);
    world.preview_again(program).changes_nothing();
}

#[test]
fn a_value_that_is_known_only_after_apply_is_refused_at_its_line() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let network = network(stack, 2);
        let id = stack.known(&network.attribute::<String>("id"))?;
        new_thing("subnet").set("parent", id).declare(stack);
        Ok(())
    };
    let refused = world.up_again(program).fails();
    assert_snapshot!(refused.diagnostics(), @"error: test_thing.network.id is known only after apply");
    assert_snapshot!(world.state(), @"");
}

#[test]
fn the_error_counts_whatever_a_function_makes_of_it() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        network(stack, 2);
        let found = found(stack);
        let size = stack.known(&found.attribute::<i64>("size")).unwrap_or(7);
        new_thing("subnet").set("size", size).declare(stack);
        Ok(())
    };
    world.up_again(program).succeeds();
    assert_snapshot!(world.state(), @"
    test_thing.network  name=network size=2
    test_thing.subnet  name=subnet size=2
    data.test_lookup.network  found=network-1 name=network size=2
    ");
}

#[test]
fn one_value_may_lead_to_the_next() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        network(stack, 2);
        let first = found(stack);
        let name = stack.known(&first.attribute::<String>("name"))?;
        let second = Resource::dynamic_data("test_lookup", "again").set("name", name);
        let second = second.declare(stack);
        if stack.known(&second.attribute::<i64>("size"))? == 2 {
            new_thing("both").declare(stack);
        }
        Ok(())
    };
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.plan(), @"+ test_thing.both");
    world.preview_again(program).changes_nothing();
}

#[test]
fn nothing_is_destroyed_that_comes_after_the_line() {
    let mut world = world();
    world.up_again(subnets).succeeds();
    // The data source is read only after the network has changed, as everywhere.
    let program = |stack: &mut Stack| {
        let network = network(stack, 3);
        let lookup = Resource::dynamic_data("test_lookup", "network").set("name", "network");
        let found = lookup.depends_on(&network).declare(stack);
        for number in 0..stack.known(&found.attribute::<i64>("size"))? {
            let subnet = Resource::dynamic("test_thing", "subnet");
            subnet.instance_key(u32::try_from(number)?).declare(stack);
        }
        Ok(())
    };
    let refused = world.up_again(program).fails();
    assert!(
        refused
            .diagnostics()
            .contains("data.test_lookup.network.size is known only after apply"),
        "{}",
        refused.diagnostics()
    );
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=network size=2
    test_thing.subnet[0]  name=subnet0 parent=network-1
    test_thing.subnet[1]  name=subnet1 parent=network-1
    data.test_lookup.network  found=network-1 name=network size=2
    output network = "network-1"
    "#);
}

#[test]
fn what_is_protected_after_the_line_stays_protected() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        network(stack, 2);
        let found = found(stack);
        stack.known(&found.attribute::<i64>("size"))?;
        let kept = new_thing("kept").lifecycle(Lifecycle::new().prevent_destroy());
        kept.declare(stack);
        Ok(())
    };
    world.up_again(program).succeeds();
    let refused = world.destroy_again(program).fails();
    assert!(
        refused.diagnostics().contains("prevent_destroy"),
        "{}",
        refused.diagnostics()
    );
}

#[test]
fn a_destroy_takes_all_there_is_when_the_value_is_gone() {
    let mut world = world();
    world.up_again(subnets).succeeds();
    world.provider.cloud.remove("network");
    let run = world.destroy_again(subnets).succeeds();
    assert_snapshot!(run.diagnostics(), @"warning: what the program did not declare is destroyed as the state has it: a value that decides what is declared is not known, so no `prevent_destroy` after that line counts");
    assert_snapshot!(world.state(), @"");
}

#[test]
fn a_value_that_changes_while_the_plan_is_made_stops_it() {
    let mut world = world();
    let reads = AtomicI64::new(0);
    world.provider.on_read_data("network", move |call| {
        call.answering("size", reads.fetch_add(1, Relaxed))
    });
    let refused = world.up_again(subnets).fails();
    assert_snapshot!(refused.diagnostics(), @"
    error: a value of data.test_lookup.network decides what is declared, and changed while the plan was made
      resource   data.test_lookup.network
    hint: run the command again: it plans with the new value
    ");
}

#[test]
fn a_target_leaves_what_decides_readable() {
    let mut world = world();
    world.options.targets = vec!["test_thing.subnet[1]".parse().expect("a pattern")];
    let run = world.up_again(subnets).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.subnet[1]
    output network: none -> network-1
    ");
}

#[test]
fn a_provider_has_to_be_there_before_the_value() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        network(stack, 2);
        let found = found(stack);
        stack.known(&found.attribute::<i64>("size"))?;
        Resource::dynamic("other_thing", "late").declare(stack);
        Ok(())
    };
    let refused = world.up_again(program).fails();
    assert_snapshot!(refused.diagnostics(), @"
    error: registry.opentofu.org/hashicorp/other is used, or gets a variable of the environment, only after a value was looked at: providers are installed before the first value is known
    hint: say `stack.require_provider(…)` at the start of the program, or configure it there
    ");
}

#[test]
fn a_provider_that_is_required_may_be_configured_after_the_value() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        stack.require_provider(&TEST);
        let lookup = Resource::dynamic_data("test_lookup", "network").set("name", "network");
        let found = lookup.declare(stack);
        stack.known(&found.attribute::<i64>("size"))?;
        stack.provider(ProviderDeclaration::new(&TEST));
        network(stack, 2);
        new_thing("late").declare(stack);
        Ok(())
    };
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.plan(), @"+ test_thing.late");
}
