//! A program of several stacks, on the built-in provider alone.

use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use terrane::{Error, Exports, Fleet, FleetCli, FleetStack, Output, Resource, Result, Stack};

/// The fleet's configuration.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// What the networks are made with.
    size: i64,
    /// The environment whose network a policy refuses.
    refused: String,
    /// Pull requests that have a network of their own.
    pr: Vec<u32>,
    /// The stack of `dev` that declares an object which may live in either.
    home: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            size: 1,
            refused: String::new(),
            pr: Vec::new(),
            home: String::new(),
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
    let Config {
        size,
        refused,
        pr,
        home,
    } = fleet.config()?;
    for environment in ["prod", "dev"] {
        let is_refused = refused == environment;
        let is_home = |stack: &str| environment == "dev" && home == stack;
        let (in_network, in_cluster) = (is_home("network"), is_home("cluster"));
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
                if in_network {
                    guest(stack);
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
                if in_cluster {
                    guest(stack);
                }
                Resource::dynamic("terraform_data", "main")
                    .set("input", network.size)
                    .set("triggers_replace", network.id)
                    .declare(stack);
                Ok(())
            },
        );
        fleet.stack(cluster);
    }
    for number in pr {
        fleet.stack(of_pull_request(&format!("pr-{number}")));
    }
    fleet.family("pr-", |name| match name.ends_with("-broken") {
        true => Err(Error::message("there is no such pull request")),
        false => Ok(of_pull_request(name)),
    });
    Ok(())
}

/// The object that may live in either stack of an environment.
fn guest(stack: &mut Stack) {
    Resource::dynamic("terraform_data", "guest")
        .set("input", "at home")
        .declare(stack);
}

/// A network that has expired as soon as it was made.
fn of_pull_request(name: &str) -> FleetStack<()> {
    let stack = FleetStack::new(name, |stack: &mut Stack| {
        Resource::dynamic("terraform_data", "main").declare(stack);
        Ok(())
    });
    stack.expires_after(Duration::ZERO)
}
