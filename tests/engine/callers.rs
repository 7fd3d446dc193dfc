//! In whose name providers act: asked of those that can say it, and only of those that a plan needs.

use terrane_core::{NoConfig, Program, Resource};
use terrane_engine::{CallerIdentity, Engine, PlanOptions, Silent};
use terrane_state::State;
use terrane_tests::{FakeClock, FakeProvider, FakeRandom, Fields, thing};

/// The answers of that program's providers to a plan of it.
fn callers(provider: &FakeProvider, program: &Program) -> Vec<CallerIdentity> {
    let (clock, random) = (FakeClock::default(), FakeRandom::default());
    let world = terrane_engine::Host {
        providers: provider,
        events: &Silent,
        clock: &clock,
        random: &random,
    };
    let engine = Engine::new(world, 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let state = State::new("lineage".into());
        let plan = engine.plan(program, &state, &PlanOptions::default()).await;
        let asked = engine.callers(program, &plan.expect("a plan")).await;
        engine.close().await;
        asked.expect("answers")
    })
}

fn aws() -> FakeProvider {
    let provider = FakeProvider::new()
        .resource("aws_thing", thing())
        .data_source(
            "aws_caller_identity",
            Fields::new().string("account_id", "computed"),
        )
        .data_source("aws_region", Fields::new().string("id", "computed"));
    provider.on_read_data("*", |call| match call.request.type_name {
        "aws_region" => call.answering("id", "eu-west-1"),
        _ => call.answering("account_id", "123456789012"),
    });
    provider
}

fn program(types: &'static [&'static str]) -> Program {
    let program = Program::from_fn(
        |stack| {
            for type_name in types {
                Resource::dynamic(type_name, "a")
                    .set("name", "a")
                    .declare(stack);
            }
            Ok(())
        },
        NoConfig,
    );
    program.expect("a program")
}

#[test]
fn the_aws_provider_says_account_and_region() {
    let said = callers(&aws(), &program(&["aws_thing", "test_thing"]));
    let aws = CallerIdentity {
        provider: "provider[\"registry.opentofu.org/hashicorp/aws\"]".into(),
        account: Some("123456789012".into()),
        region: Some("eu-west-1".into()),
    };
    assert_eq!(said, [aws]);
}

#[test]
fn a_plan_reads_no_data_source_that_it_does_not_need() {
    assert_eq!(callers(&aws(), &program(&["test_thing"])), []);
}
