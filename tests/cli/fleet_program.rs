//! A program of several stacks, on the built-in provider alone.

use std::process::ExitCode;

use serde::Deserialize;
use terrane::{Exports, Fleet, FleetCli, FleetStack, Output, Resource, Result, Stack};

/// The fleet's configuration.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// What the networks are made with.
    size: i64,
    /// The environment whose network a policy refuses.
    refused: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            size: 1,
            refused: String::new(),
        }
    }
}

#[derive(Exports)]
struct NetworkExports {
    id: Output<String>,
    size: Output<i64>,
}

pub(crate) fn main() -> ExitCode {
    FleetCli::new("test").run(fleet)
}

fn fleet(fleet: &mut Fleet) -> Result<()> {
    let Config { size, refused } = fleet.config()?;
    for environment in ["prod", "dev"] {
        let is_refused = refused == environment;
        let network = FleetStack::new(
            format!("network/{environment}"),
            move |stack: &mut Stack| {
                if is_refused {
                    stack.policy("open", |plan| {
                        for data in plan.changes() {
                            data.violates("no change on a Friday");
                        }
                    });
                }
                let data = Resource::dynamic("terraform_data", "main").set("input", size);
                let data = data.declare(stack);
                Ok(NetworkExports {
                    id: data.attribute("id"),
                    size: data.attribute("output"),
                })
            },
        );
        let network = fleet.stack(network);
        let cluster = FleetStack::new(
            format!("cluster/{environment}"),
            move |stack: &mut Stack| {
                let network = stack.exports_of(&network);
                Resource::dynamic("terraform_data", "main")
                    .set("input", network.size)
                    .set("triggers_replace", network.id)
                    .declare(stack);
                Ok(())
            },
        );
        fleet.stack(cluster);
    }
    Ok(())
}
