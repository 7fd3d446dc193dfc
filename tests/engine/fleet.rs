//! Many stacks of one program: what they know of each other, and whom a failure stops.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrane::Exports;
use terrane_config::ConfigValues;
use terrane_core::{Output, Resource, Result, Stack, StackRef};
use terrane_deploy::{Decision, DeploymentHost};
use terrane_engine::{EventSink, PlanMode, Silent};
use terrane_fleet::{
    Deployments, Fleet, FleetObserver, FleetOptions, FleetResults, FleetStack, StackId, StackResult,
};
use terrane_tests::{FakeProvider, new_thing};

/// A fleet on a fake provider, its states in a folder.
struct Bench {
    provider: FakeProvider,
    host: DeploymentHost,
    folder: tempfile::TempDir,
    begun: Begun,
}

/// Keeps the order in which work on stacks began.
#[derive(Default)]
struct Begun(Mutex<Vec<StackId>>);

impl FleetObserver for Begun {
    fn began(&self, stack: StackId) -> Arc<dyn EventSink> {
        self.0.lock().expect("no panic").push(stack);
        Arc::new(Silent)
    }

    fn ended(&self, _: StackId, _: &StackResult) {}
}

impl Bench {
    fn new() -> Self {
        Self {
            provider: FakeProvider::new(),
            host: DeploymentHost::new().expect("a thread"),
            folder: tempfile::tempdir().expect("a folder"),
            begun: Begun::default(),
        }
    }

    fn fleet(&self, function: impl FnOnce(&mut Fleet) -> Result<()>) -> Deployments {
        let fleet = Fleet::from_fn(function, ConfigValues::new()).expect("a fleet");
        let provider = Arc::new(self.provider.clone());
        let place = |it: terrane_fleet::Placement<'_>| {
            self.folder
                .path()
                .join(format!("{}.tfstate", it.name))
                .into()
        };
        let setup = |deployment: terrane_deploy::Deployment| deployment.providers(provider.clone());
        Deployments::of(fleet, &self.host, place, setup).expect("an order")
    }

    async fn preview(&self, fleet: &Deployments, only: &[&str]) -> FleetResults {
        let options = FleetOptions::default();
        let chosen = chosen(fleet, only);
        fleet
            .preview(&chosen, PlanMode::Normal, &options, &self.begun)
            .await
    }

    async fn up(&self, fleet: &Deployments, only: &[&str]) -> FleetResults {
        let options = FleetOptions::default();
        let approve = Arc::new(|_: StackId, _: &terrane_deploy::Proposal<'_>| Decision::Yes);
        fleet
            .up(&chosen(fleet, only), &options, &self.begun, approve)
            .await
    }

    async fn destroy(&self, fleet: &Deployments, only: &[&str]) -> FleetResults {
        let options = FleetOptions::default();
        let approve = Arc::new(|_: StackId, _: &terrane_deploy::Proposal<'_>| Decision::Yes);
        fleet
            .destroy(&chosen(fleet, only), &options, &self.begun, approve)
            .await
    }
}

fn chosen(fleet: &Deployments, only: &[&str]) -> BTreeSet<StackId> {
    let order = fleet.order();
    match only {
        [] => order.ids().collect(),
        names => names
            .iter()
            .map(|name| order.find(name).expect("a stack"))
            .collect(),
    }
}

/// A line a stack.
fn shown(fleet: &Deployments, results: &FleetResults) -> String {
    let order = fleet.order();
    let lines = results.iter().map(|(&id, result)| {
        let outcome = match result {
            StackResult::Previewed(it) => format!(
                "{} to add, {} to change",
                it.summary().create,
                it.summary().update
            ),
            StackResult::Deployed(it) => {
                let done = it.summary();
                format!(
                    "{} added, {} changed, {} destroyed",
                    done.create, done.update, done.delete
                )
            }
            StackResult::Failed(error) => {
                let all = error.diagnostics();
                let all = all.iter().map(|it| match it.detail.is_empty() {
                    true => it.summary.clone(),
                    false => format!("{} ({})", it.summary, it.detail),
                });
                format!("failed: {}", all.collect::<Vec<_>>().join("; "))
            }
            StackResult::Skipped(cause) => format!("skipped: {} failed", order.name(*cause)),
            StackResult::NotBegun => "not begun".to_owned(),
        };
        format!("{}: {outcome}", order.name(id))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(Exports)]
struct NetworkExports {
    id: Output<String>,
    name: Output<String>,
    token: Output<String>,
}

fn network(stack: &mut Stack, name: &str) -> Result<NetworkExports> {
    let thing = new_thing(name).declare(stack);
    Ok(NetworkExports {
        id: thing.attribute("id"),
        name: thing.attribute("name"),
        token: Output::known("canary-of-the-network").sensitive(),
    })
}

fn cluster(stack: &mut Stack, name: &str, network: &StackRef<NetworkExports>) {
    let network = stack.exports_of(network);
    Resource::dynamic("test_thing", "cluster")
        .set(
            "name",
            network.name.map({
                let name = name.to_owned();
                move |network| format!("{name} in {network}")
            }),
        )
        .set("parent", network.id)
        .declare(stack);
    stack.export("token", network.token);
}

/// Networks of these names, and a cluster in each; one stack beside them.
fn fleet(fleet: &mut Fleet) -> Result<()> {
    for environment in ["prod", "dev"] {
        let name = format!("net-{environment}");
        let network = fleet.stack(FleetStack::new(
            format!("network/{environment}"),
            move |stack| network(stack, &name),
        ));
        fleet.stack(FleetStack::new(
            format!("cluster/{environment}"),
            move |stack| {
                cluster(stack, &format!("cluster-{environment}"), &network);
                Ok(())
            },
        ));
    }
    fleet.stack(FleetStack::new("alone", |stack| {
        new_thing("alone").declare(stack);
        Ok(())
    }));
    Ok(())
}

#[tokio::test]
async fn exports_flow_as_unknowns_in_a_preview_and_as_values_in_the_run() {
    let bench = Bench::new();
    let fleet = bench.fleet(fleet);
    let first = bench.preview(&fleet, &[]).await;
    insta::assert_snapshot!(shown(&fleet, &first), @"
    network/prod: 1 to add, 0 to change
    cluster/prod: 1 to add, 0 to change
    network/dev: 1 to add, 0 to change
    cluster/dev: 1 to add, 0 to change
    alone: 1 to add, 0 to change
    ");
    let id = fleet.order().find("cluster/prod").expect("a stack");
    let StackResult::Previewed(previewed) = &first[&id] else {
        panic!("it was planned");
    };
    let unknown: Vec<_> = previewed
        .program
        .unknown_exports()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        unknown,
        ["network/prod.id"],
        "its name and its token are known already"
    );

    let run = bench.up(&fleet, &[]).await;
    insta::assert_snapshot!(shown(&fleet, &run), @"
    network/prod: 1 added, 0 changed, 0 destroyed
    cluster/prod: 1 added, 0 changed, 0 destroyed
    network/dev: 1 added, 0 changed, 0 destroyed
    cluster/dev: 1 added, 0 changed, 0 destroyed
    alone: 1 added, 0 changed, 0 destroyed
    ");
    // They are configured alike.
    assert_eq!(bench.provider.cloud.most_processes(), 1);
    assert_eq!(bench.provider.cloud.processes(), 0);
    let mut names = bench.provider.cloud.names();
    names.sort();
    assert_eq!(
        names,
        [
            "alone",
            "cluster-dev in net-dev",
            "cluster-prod in net-prod",
            "net-dev",
            "net-prod"
        ]
    );

    let second = bench.preview(&fleet, &[]).await;
    for result in second.values() {
        assert!(matches!(result, StackResult::Previewed(it) if it.is_empty()));
    }
    let outputs = fleet.get(id).deployment.outputs().await.expect("outputs");
    assert!(
        outputs.is_sensitive("token"),
        "a sensitive export stays sensitive"
    );
    // Alone, a consumer reads its producer's state.
    let alone = bench.preview(&fleet, &["cluster/dev"]).await;
    assert!(
        matches!(&alone[&chosen(&fleet, &["cluster/dev"]).pop_first().expect("one")], StackResult::Previewed(it) if it.is_empty())
    );
}

#[tokio::test]
async fn a_failure_stops_only_the_stacks_that_wait_for_it() {
    let bench = Bench::new();
    let fleet = bench.fleet(fleet);
    bench
        .provider
        .on_create("net-prod", |call| call.refuse("no more room"));
    let run = bench.up(&fleet, &[]).await;
    insta::assert_snapshot!(shown(&fleet, &run), @"
    network/prod: failed: no more room
    cluster/prod: skipped: network/prod failed
    network/dev: 1 added, 0 changed, 0 destroyed
    cluster/dev: 1 added, 0 changed, 0 destroyed
    alone: 1 added, 0 changed, 0 destroyed
    ");
    bench.provider.reset();
    let again = bench.up(&fleet, &[]).await;
    insta::assert_snapshot!(shown(&fleet, &again), @"
    network/prod: 1 added, 0 changed, 0 destroyed
    cluster/prod: 1 added, 0 changed, 0 destroyed
    network/dev: 0 added, 0 changed, 0 destroyed
    cluster/dev: 0 added, 0 changed, 0 destroyed
    alone: 0 added, 0 changed, 0 destroyed
    ");
}

#[tokio::test]
async fn a_consumer_whose_producer_was_never_applied_says_what_to_apply_first() {
    let bench = Bench::new();
    let fleet = bench.fleet(fleet);
    let run = bench.up(&fleet, &["cluster/prod", "alone"]).await;
    insta::assert_snapshot!(shown(&fleet, &run), @"
    cluster/prod: failed: network/prod is not applied yet (its exports are used here)
    alone: 1 added, 0 changed, 0 destroyed
    ");
}

#[tokio::test]
async fn a_producer_in_use_is_not_destroyed_and_all_together_go_consumers_first() {
    let bench = Bench::new();
    let fleet = bench.fleet(fleet);
    bench.up(&fleet, &[]).await;
    let refused = fleet.check_unused(&chosen(&fleet, &["network/prod"])).await;
    let refused = refused.expect_err("it is in use").diagnostics();
    let refused = refused.iter().next().expect("an error");
    insta::assert_snapshot!(format!("{}\n{}\n{}", refused.summary, refused.detail, refused.hints.join("\n")), @"
    network/prod is in use
    used by cluster/prod
    destroy them as well: `destroy --only network/prod --only cluster/prod`
    ");
    bench.begun.0.lock().expect("no panic").clear();
    let both = ["network/prod", "cluster/prod"];
    fleet
        .check_unused(&chosen(&fleet, &both))
        .await
        .expect("nobody else uses it");
    let gone = bench.destroy(&fleet, &both).await;
    insta::assert_snapshot!(shown(&fleet, &gone), @"
    network/prod: 0 added, 0 changed, 1 destroyed
    cluster/prod: 0 added, 0 changed, 1 destroyed
    ");
    let begun = bench.begun.0.lock().expect("no panic").clone();
    let names: Vec<_> = begun
        .iter()
        .map(|&id| fleet.order().name(id).to_string())
        .collect();
    assert_eq!(names, ["cluster/prod", "network/prod"]);
    // A consumer that has nothing left uses nothing.
    bench.destroy(&fleet, &["cluster/dev"]).await;
    let unused = fleet.check_unused(&chosen(&fleet, &["network/dev"])).await;
    unused.expect("its consumer is gone");
}

#[tokio::test]
async fn a_stack_whose_program_fails_is_told_and_the_others_go_on() {
    let bench = Bench::new();
    let fleet = bench.fleet(|fleet| {
        fleet.stack(FleetStack::new("broken", |_| -> Result<()> {
            Err(terrane_core::Error::message("no such zone"))
        }));
        fleet.stack(FleetStack::new("whole", |stack| {
            new_thing("whole").declare(stack);
            Ok(())
        }));
        Ok(())
    });
    let run = bench.up(&fleet, &[]).await;
    insta::assert_snapshot!(shown(&fleet, &run), @"
    broken: failed: no such zone
    whole: 1 added, 0 changed, 0 destroyed
    ");
}

#[tokio::test]
async fn only_short_lived_stacks_that_exist_and_were_not_run_for_that_long_have_expired() {
    let bench = Bench::new();
    let fleet = bench.fleet(|fleet| {
        for (name, age) in [
            ("pr-1", Some(0)),
            ("pr-2", Some(3600)),
            ("pr-3", Some(0)),
            ("prod", None),
        ] {
            let mut stack = FleetStack::new(name, move |stack| {
                new_thing(name).declare(stack);
                Ok(())
            });
            if let Some(age) = age {
                stack = stack.expires_after(Duration::from_secs(age));
            }
            fleet.stack(stack);
        }
        Ok(())
    });
    // `pr-3` was never brought up.
    bench.up(&fleet, &["pr-1", "pr-2", "prod"]).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let expired = fleet.expired(&chosen(&fleet, &[])).await.expect("readable");
    let names: Vec<_> = expired
        .iter()
        .map(|&id| fleet.order().name(id).to_string())
        .collect();
    assert_eq!(names, ["pr-1"]);
}

#[tokio::test]
async fn a_cancelled_run_begins_no_other_stack() {
    let bench = Bench::new();
    let fleet = bench.fleet(fleet);
    let options = FleetOptions {
        stacks: std::num::NonZeroUsize::MIN,
        ..FleetOptions::default()
    };
    let cancelled = options.cancellation.clone();
    bench.provider.on_create("net-prod", move |call| {
        cancelled.cancel();
        call.proceed()
    });
    let approve = Arc::new(|_: StackId, _: &terrane_deploy::Proposal<'_>| Decision::Yes);
    let all = chosen(&fleet, &[]);
    let run = fleet.up(&all, &options, &bench.begun, approve).await;
    let not_begun = run
        .values()
        .filter(|it| matches!(it, StackResult::NotBegun));
    assert!(not_begun.count() >= 3, "{}", shown(&fleet, &run));
    assert_eq!(bench.begun.0.lock().expect("no panic").len(), 1);
    // The operation that ran is recorded.
    assert_eq!(bench.provider.cloud.names(), ["net-prod"]);
    let first = chosen(&fleet, &["network/prod"]);
    let first = first.into_iter().next().expect("one");
    let (state, _) = fleet.get(first).deployment.state().await.expect("a state");
    assert_eq!(state.resources.len(), 1);
}
