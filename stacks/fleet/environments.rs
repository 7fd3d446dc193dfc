//! The environments as a list: sizes, regions, accounts, and one for each pull request that is tried out.

use std::time::Duration;

use ipnet::Ipv4Net;
use serde::Deserialize;
use terrane::{Error, Result};
use terrane_platform::Config;

/// What the command line may say: `--var pr=123`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The number of a pull request that gets an environment of its own, or several: `--var 'pr=[123,124]'`.
    pub(crate) pr: PullRequests,
    /// How long after its last run the environment of a pull request is removed by `destroy --expired`.
    pub(crate) pr_age: String,
    /// The accounts of AWS, by the role that is assumed in each. Without a role the credentials are used as they are.
    pub(crate) prod_role: Option<String>,
    /// The same for staging.
    pub(crate) staging_role: Option<String>,
    /// The same for dev and for pull requests.
    pub(crate) dev_role: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pr: PullRequests::Several(Vec::new()),
            pr_age: "3days".to_owned(),
            prod_role: None,
            staging_role: None,
            dev_role: None,
        }
    }
}

/// One or several pull requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum PullRequests {
    /// `pr=123`
    One(u32),
    /// `pr=[123,124]`
    Several(Vec<u32>),
}

/// One environment.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// The name of its stack.
    pub(crate) name: String,
    /// Its platform.
    pub(crate) config: Config,
    /// How long after its last run it may be removed, if it may.
    pub(crate) expires_after: Option<Duration>,
}

/// What tells environments apart.
struct Size {
    name: &'static str,
    /// The second number of its addresses.
    network: u8,
    region: &'static str,
    instances: &'static str,
    /// The nodes to start with, at least, at most.
    nodes: [u32; 3],
    log_days: u32,
    /// Whether buckets and images go with it.
    is_disposable: bool,
}

const SIZES: [Size; 3] = [
    Size {
        name: "prod",
        network: 0,
        region: "us-east-1",
        instances: "t3.medium",
        nodes: [3, 2, 6],
        log_days: 30,
        is_disposable: false,
    },
    Size {
        name: "staging",
        network: 1,
        region: "us-east-1",
        instances: "t3.medium",
        nodes: [2, 1, 4],
        log_days: 14,
        is_disposable: false,
    },
    DEV,
];

const DEV: Size = Size {
    name: "dev",
    network: 2,
    region: "us-east-1",
    instances: "t3.small",
    nodes: [1, 1, 2],
    log_days: 3,
    is_disposable: true,
};

/// All environments of this invocation.
///
/// # Errors
/// When the settings contradict themselves.
pub(crate) fn all(settings: &Settings) -> Result<Vec<Environment>> {
    let roles = [
        &settings.prod_role,
        &settings.staging_role,
        &settings.dev_role,
    ];
    let standing = SIZES.iter().zip(roles);
    let standing = standing.map(|(size, role)| {
        Ok(Environment {
            name: size.name.to_owned(),
            config: config(size, size.name, size.network, role.as_ref())?,
            expires_after: None,
        })
    });
    let mut environments = standing.collect::<Result<Vec<_>>>()?;
    age(settings)?;
    let numbers = match &settings.pr {
        PullRequests::One(number) => std::slice::from_ref(number),
        PullRequests::Several(numbers) => numbers,
    };
    for number in numbers {
        environments.push(of_pull_request(*number, settings)?);
    }
    Ok(environments)
}

/// How the name of a pull request's environment begins; its number follows.
pub(crate) const PULL_REQUEST: &str = "pr-";

/// The environment of that name.
///
/// # Errors
/// When it is none of a pull request.
pub(crate) fn named(name: &str, settings: &Settings) -> Result<Environment> {
    let number = name.strip_prefix(PULL_REQUEST).unwrap_or(name);
    let number = number.parse::<u32>().map_err(|error| {
        Error::message(format!(
            "`{number}` is no number of a pull request: {error}"
        ))
    })?;
    of_pull_request(number, settings)
}

fn age(settings: &Settings) -> Result<Duration> {
    humantime::parse_duration(&settings.pr_age).map_err(|error| {
        Error::message(format!(
            "pr_age `{}`: {error}; write 3days",
            settings.pr_age
        ))
    })
}

fn of_pull_request(number: u32, settings: &Settings) -> Result<Environment> {
    let name = format!("{PULL_REQUEST}{number}");
    // Networks of pull requests are not connected to others, so two may have the same.
    let network = 16 + u8::try_from(number % 240).unwrap_or(0);
    Ok(Environment {
        config: config(&DEV, &name, network, settings.dev_role.as_ref())?,
        name,
        expires_after: Some(age(settings)?),
    })
}

fn config(size: &Size, name: &str, network: u8, role: Option<&String>) -> Result<Config> {
    let [desired, min, max] = size.nodes;
    Ok(Config {
        aws_region: size.region.to_owned(),
        aws_role_arn: role.cloned(),
        environment: name.to_owned(),
        vpc_cidr: Ipv4Net::new([10, network, 0, 0].into(), 16)?,
        eks_node_instance_types: vec![size.instances.to_owned()],
        eks_node_desired_size: desired,
        eks_node_min_size: min,
        eks_node_max_size: max,
        log_retention_days: size.log_days,
        force_destroy: size.is_disposable,
        force_delete: size.is_disposable,
        ..Config::default()
    })
}
