//! Plan files: as they are, and with a first line that fits the changed rest.

use terrane_core::{NoConfig, Program};
use terrane_engine::{Engine, Host, PlanOptions, SavedPlan, Silent};
use terrane_state::{Sha256, State};
use terrane_tests::{FakeClock, FakeProvider, FakeRandom, new_thing, origin};

use crate::drive::{Target, run};
use crate::mutate::Numbers;

pub(crate) struct PlanFiles;

/// A plan that makes two things, one from the other.
fn plan() -> Vec<u8> {
    let program = Program::from_fn(
        |stack| {
            let first = new_thing("a").set("size", 3).declare(stack);
            let second = new_thing("b").set("note", first.attribute::<String>("id"));
            second.declare(stack);
            stack.export("id", first.attribute::<String>("id"));
            Ok(())
        },
        NoConfig,
    );
    let program = program.expect("a program");
    let provider = FakeProvider::new();
    let (clock, random) = (FakeClock::default(), FakeRandom::default());
    let world = Host {
        providers: &provider,
        events: &Silent,
        clock: &clock,
        random: &random,
    };
    let engine = Engine::new(world, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let prior = State::new("l".into());
    let options = PlanOptions::default();
    let planned = engine.plan(&program, &prior, &options);
    let plan = runtime
        .expect("a runtime")
        .block_on(planned)
        .expect("a plan");
    SavedPlan::write(&plan, origin(&program)).expect("a file")
}

impl Target for PlanFiles {
    fn name(&self) -> &'static str {
        "plan"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![plan()]
    }

    fn dress(&self, input: Vec<u8>, numbers: &mut Numbers) -> Vec<u8> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let Some(end) = end.filter(|_| numbers.below(8) > 0) else {
            return input;
        };
        let body = &input[end + 1..];
        let mut dressed = format!("terrane-plan 1 {}\n", Sha256::of(body)).into_bytes();
        dressed.extend(body);
        dressed
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        SavedPlan::is_one(input);
        match SavedPlan::read(input) {
            Ok(saved) => drop(saved.prior().clone()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn plan_files() {
    SavedPlan::read(&plan()).expect("the seed is a plan");
    run(&PlanFiles);
}
