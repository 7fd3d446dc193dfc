//! Whatever a program wants and whatever a provider does, nothing is lost, and in the end everything is as declared.
//!
//! The world checks after every run that each object of the cloud is in the state or in an open intent, and none twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use terrane_core::{Expr, Lifecycle, Output, Stack, Type};
use terrane_engine::Event;
use terrane_tests::{FakeProvider, Run, World, new_thing};

/// How many resources a program may have.
const MOST: usize = 6;

/// A program: resources by number.
#[derive(Debug, Clone)]
struct Generation {
    resources: BTreeMap<usize, Spec>,
    /// Numbers in the order in which they may refer to each other: to earlier ones only.
    order: Vec<usize>,
    failures: BTreeMap<(Verb, usize), Failure>,
    /// Objects that somebody removes before the run.
    removed: BTreeSet<usize>,
    /// After how many steps the run is interrupted.
    interrupted: Option<usize>,
    parallelism: usize,
}

#[derive(Debug, Clone)]
struct Spec {
    /// Another name is another object.
    name: u8,
    size: u8,
    /// References that the cloud knows about.
    links: BTreeSet<usize>,
    /// Values that are used and leave no trace in the cloud.
    notes: BTreeSet<usize>,
    create_before_destroy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Clone, Copy)]
enum Failure {
    Refuse,
    Halfway,
    CrashBefore,
    CrashAfter,
    Garble,
}

fn numbers() -> impl Strategy<Value = BTreeSet<usize>> {
    proptest::collection::btree_set(0..MOST, 0..3)
}

fn specs() -> impl Strategy<Value = Spec> {
    (0..2_u8, 0..3_u8, numbers(), numbers(), any::<bool>()).prop_map(
        |(name, size, links, notes, create_before_destroy)| Spec {
            name,
            size,
            links,
            notes,
            create_before_destroy,
        },
    )
}

fn failures() -> impl Strategy<Value = BTreeMap<(Verb, usize), Failure>> {
    let verb = prop_oneof![Just(Verb::Create), Just(Verb::Update), Just(Verb::Delete)];
    let failure = prop_oneof![
        4 => Just(Failure::Refuse),
        3 => Just(Failure::Halfway),
        1 => Just(Failure::CrashBefore),
        1 => Just(Failure::CrashAfter),
        1 => Just(Failure::Garble),
    ];
    btree_map((verb, 0..MOST), failure, 0..3)
}

fn generations() -> impl Strategy<Value = Vec<Generation>> {
    let order = Just((0..MOST).collect::<Vec<_>>()).prop_shuffle();
    let interrupted = prop_oneof![4 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    let removed = prop_oneof![4 => Just(BTreeSet::new()), 1 => numbers()];
    let generation = (
        btree_map(0..MOST, specs(), 1..=MOST),
        order,
        failures(),
        removed,
        interrupted,
        1..4_usize,
    );
    let generation = generation.prop_map(
        |(resources, order, failures, removed, interrupted, parallelism)| Generation {
            resources,
            order,
            failures,
            removed,
            interrupted,
            parallelism,
        },
    );
    vec(generation, 1..5)
}

impl Generation {
    fn declare(&self, stack: &mut Stack) {
        let mut ids: BTreeMap<usize, Output<String>> = BTreeMap::new();
        for number in &self.order {
            let Some(spec) = self.resources.get(number) else {
                continue;
            };
            let refer = |to: &BTreeSet<usize>| -> Vec<Expr> {
                let ids = to.iter().filter_map(|number| ids.get(number));
                ids.map(|id| id.clone().into_expr()).collect()
            };
            let mut lifecycle = Lifecycle::new();
            lifecycle.create_before_destroy = spec.create_before_destroy;
            let thing = new_thing(&format!("r{number}"))
                .set("name", format!("r{number}v{}", spec.name))
                .set("size", spec.size)
                .set("links", Expr::list(refer(&spec.links)))
                .set("notes", Expr::list(refer(&spec.notes)))
                .lifecycle(lifecycle)
                .declare(stack);
            ids.insert(*number, thing.attribute("id"));
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .resources
            .iter()
            .map(|(number, spec)| format!("r{number}v{}", spec.name))
            .collect();
        names.sort();
        names
    }

    /// Lets the provider fail as this generation says.
    fn arm(&self, world: &mut World) {
        let of = |verb| -> BTreeMap<String, Failure> {
            let failures = self.failures.iter().filter(move |((v, _), _)| *v == verb);
            failures
                .map(|((_, number), failure)| (format!("r{number}v"), *failure))
                .collect()
        };
        let hook = |failures: BTreeMap<String, Failure>| {
            move |call: terrane_tests::ApplyCall<'_>| {
                let name = call.name().to_owned();
                let failure = failures
                    .iter()
                    .find(|(prefix, _)| name.starts_with(*prefix));
                match failure.map(|(_, failure)| failure) {
                    None => call.proceed(),
                    Some(Failure::Refuse) => call.refuse("refused"),
                    Some(Failure::Halfway) => call.proceed_then_refuse("refused halfway"),
                    Some(Failure::CrashBefore) => call.crash_before(),
                    Some(Failure::CrashAfter) => call.crash_after(),
                    Some(Failure::Garble) => call.garble(),
                }
            }
        };
        world.provider.on_create("*", hook(of(Verb::Create)));
        world.provider.on_update("*", hook(of(Verb::Update)));
        world.provider.on_delete("*", hook(of(Verb::Delete)));
        world.parallelism = self.parallelism;
        if let Some(steps) = self.interrupted {
            let done = AtomicUsize::new(0);
            world.stop_at(move |event| {
                matches!(event, Event::StepDone { .. })
                    && done.fetch_add(1, Ordering::SeqCst) == steps
            });
        }
    }
}

/// No part of a graph grows faster than its operations.
fn graph_is_small(run: &Run, generation: &Generation) {
    let steps = run.made_plan().steps.steps();
    let edges: usize = steps.iter().map(|step| step.dependencies.len()).sum();
    let references: usize = generation
        .resources
        .values()
        .map(|spec| spec.links.len() + spec.notes.len())
        .sum();
    assert!(
        steps.len() <= 20 * MOST && edges <= 40 * MOST * (MOST + references),
        "{} steps, {edges} edges",
        steps.len()
    );
}

#[test]
fn the_step_graph_of_many_instances_is_linear() {
    // Stored dependencies name resources, not instances: each of the children stands on all of the parents.
    let program = |count: usize| {
        move |stack: &mut Stack| {
            for index in 0..count {
                let parent = new_thing("parent").set("name", format!("p{index}"));
                let parent = parent.instance_key(index).declare(stack);
                let id: Output<String> = parent.attribute("id");
                let child = new_thing("child").set("name", format!("c{index}"));
                child.instance_key(index).set("parent", id).declare(stack);
            }
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(program(100)).succeeds();
    let run = world.destroy(program(100)).succeeds();
    let steps = run.made_plan().steps.steps();
    let edges: usize = steps.iter().map(|step| step.dependencies.len()).sum();
    assert!(
        steps.len() <= 1_000 && edges <= 2_000,
        "{} steps, {edges} edges",
        steps.len()
    );
}

fn survive(links: &str, generations: &[Generation]) {
    let fields = terrane_tests::thing()
        .attribute("links", Type::set(Type::String), links)
        .attribute("notes", Type::list(Type::String), "optional");
    let mut world = World::new(FakeProvider::new().resource("test_thing", fields));
    for generation in generations {
        for number in &generation.removed {
            for version in 0..2 {
                let name = format!("r{number}v{version}");
                if world.provider.cloud.names().contains(&name) {
                    world.provider.cloud.remove(&name);
                }
            }
        }
        generation.arm(&mut world);
        world.up(|stack| generation.declare(stack));
        world.resolve_all();
        world.provider.reset();
    }
    let last = generations.last().expect("at least one generation");
    let run = world.up(|stack| last.declare(stack)).succeeds();
    graph_is_small(&run, last);
    world.preview(|stack| last.declare(stack)).changes_nothing();
    assert_eq!(world.provider.cloud.names(), last.names());
    world.destroy(|stack| last.declare(stack)).succeeds();
    assert!(world.provider.cloud.objects().is_empty() && world.state.resources.is_empty());
}

/// More with `PROPTEST_CASES`.
#[expect(
    clippy::disallowed_methods,
    reason = "how many cases are tried is said by the environment"
)]
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Objects that refer to a replaced one are replaced with it.
    #[test]
    fn any_history_ends_as_declared_when_references_cannot_move(generations in generations()) {
        survive("optional reference force_new", &generations);
    }

    /// Objects that refer to a replaced one are updated to the new one, before the old one is deleted.
    #[test]
    fn any_history_ends_as_declared_when_new_objects_come_first(mut generations in generations()) {
        for spec in generations.iter_mut().flat_map(|generation| generation.resources.values_mut()) {
            spec.create_before_destroy = true;
        }
        survive("optional reference", &generations);
    }

    /// No object is ever replaced: a delete comes after the updates of objects that stop referring to it.
    #[test]
    fn any_history_ends_as_declared_when_objects_only_come_change_and_go(mut generations in generations()) {
        for generation in &mut generations {
            for spec in generation.resources.values_mut() {
                spec.name = 0;
            }
            generation.removed.clear();
            for (_, failure) in generation.failures.iter_mut().filter(|((verb, _), _)| *verb == Verb::Create) {
                *failure = Failure::Refuse;
            }
        }
        survive("optional reference", &generations);
    }
}
