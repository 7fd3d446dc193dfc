//! A stack program with policies, on the built-in provider alone.

#[path = "fleet_program.rs"]
mod fleet_program;

use std::process::ExitCode;

use serde::Deserialize;
use terrane::{Cli, Output, Policy, Resource, Result, ReviewedPlan, Stack, Value};

/// The configuration, for `--var`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The number that the policy `small` limits to 2.
    size: i64,
    /// Whether that policy only advises.
    advisory: bool,
}

const CONFIG: &str = "size = 1\nadvisory = false\n";

fn main() -> ExitCode {
    // One program for both, for each costs the tests a link.
    if std::env::var_os("TEST_FLEET").is_some() {
        return fleet_program::main();
    }
    Cli::stack("guarded").config_file(CONFIG).run(stack)
}

fn stack(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    let small = Policy::new("small", small)
        .hint("pass `--var size=2`")
        .except("terraform_data.big", "it was here before the policy");
    stack.policies([if config.advisory {
        small.advisory()
    } else {
        small
    }]);
    stack.policy("named", |plan| {
        for data in plan.of_type("terraform_data") {
            let id = data.attribute::<String>("id");
            data.require(&id, "it has no id", |id| id.is_some());
        }
    });
    // The environment stands for anything that changes between a plan and its apply, such as the date.
    stack.policy("fresh", |plan| {
        if std::env::var_os("TEST_FORBID").is_some() {
            for data in plan.of_type("terraform_data") {
                let secret = data.attribute::<Value>("triggers_replace");
                if let Some(secret) = data.get(&secret).known() {
                    data.violates_in(&secret_of(&data), format!("{secret:?} is too old"));
                }
            }
        }
    });
    stack.policy("kept", |plan| {
        for data in plan.changes().filter(|data| data.action().destroys()) {
            if data.address().to_string() == "terraform_data.big" {
                data.violates("it holds data");
            }
        }
    });
    let one = Resource::dynamic("terraform_data", "one")
        .set("input", config.size)
        .set("triggers_replace", Output::known("hunter2").sensitive())
        .declare(stack);
    let big = Resource::dynamic("terraform_data", "big")
        .set("input", 100)
        .declare(stack);
    stack.export("one", one.attribute::<Value>("output"));
    stack.export("big", big.attribute::<Value>("output"));
    Ok(())
}

fn small(plan: &ReviewedPlan<'_>) {
    for data in plan.of_type("terraform_data") {
        let size = data.attribute::<i64>("input");
        data.require(&size, "more than 2", |size| {
            size.is_none_or(|size| size <= 2)
        });
    }
}

fn secret_of(data: &Resource) -> Output<Value> {
    data.attribute("triggers_replace")
}
