//! The platform in every environment, from one program: `fleet-stack preview`, `up`, `destroy --only dev`, `matrix --json`, …

mod environments;
mod releases;

use std::process::ExitCode;

use terrane::{Exports, Fleet, FleetCli, FleetStack, Output, Result, Stack, StackRef};
use terrane_aws::iam;
use terrane_aws::iam::{PolicyDocument, Statement};
use terrane_platform::{Platform, state_backend};

use crate::environments::{Environment, Settings};
use crate::releases::Releases;

fn main() -> ExitCode {
    FleetCli::new("mlops").run(fleet)
}

fn fleet(fleet: &mut Fleet) -> Result<()> {
    let settings: Settings = fleet.config()?;
    let releases = fleet
        .stack(FleetStack::new("releases", releases::declare).backend(state_backend("releases")));
    for environment in environments::all(&settings)? {
        fleet.stack(stack_of(environment, releases.clone()));
    }
    // Those of earlier pull requests are found by their states.
    fleet.family(environments::PULL_REQUEST, move |name| {
        let environment = environments::named(name, &settings)?;
        Ok(stack_of(environment, releases.clone()))
    });
    Ok(())
}

fn stack_of(
    environment: Environment,
    releases: StackRef<Releases>,
) -> FleetStack<EnvironmentExports> {
    let (name, age) = (environment.name.clone(), environment.expires_after);
    let declare = move |stack: &mut Stack| {
        let releases = stack.exports_of(&releases);
        platform(stack, &environment, &releases)
    };
    let stack = FleetStack::new(&*name, declare).backend(state_backend(&name));
    match age {
        Some(age) => stack.expires_after(age),
        None => stack,
    }
}

/// The values of an environment that others may use.
#[derive(Exports)]
struct EnvironmentExports {
    vpc_id: Output<String>,
    private_subnet_ids: Output<Vec<String>>,
    eks_cluster_name: Output<String>,
    eks_cluster_endpoint: Output<String>,
    ecr_repository_url: Output<String>,
    service_account_role_arn: Output<String>,
}

/// The platform of one environment, whose API may read what was released.
fn platform(
    stack: &mut Stack,
    environment: &Environment,
    releases: &Releases,
) -> Result<EnvironmentExports> {
    let platform = Platform::declare(stack, &environment.config)?;
    let objects = releases.bucket_arn.map(|arn| format!("{arn}/*"));
    let read = PolicyDocument::new()
        .statement(Statement::allow(["s3:ListBucket"]).resources([releases.bucket_arn.clone()]))
        .statement(Statement::allow(["s3:GetObject"]).resources([objects]));
    iam::RolePolicy::builder("releases")
        .name("releases")
        .role(platform.identity.role.name())
        .policy(read)
        .declare(stack);
    Ok(EnvironmentExports {
        vpc_id: platform.network.vpc.id(),
        private_subnet_ids: terrane::all(platform.network.private_subnet_ids()),
        eks_cluster_name: platform.cluster.cluster.name(),
        eks_cluster_endpoint: platform.cluster.cluster.endpoint(),
        ecr_repository_url: platform.registry.api.repository_url(),
        service_account_role_arn: platform.identity.role.arn(),
    })
}
