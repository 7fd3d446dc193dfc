//! The MLOps platform: a network, a Kubernetes cluster, storage, identities and an image registry, as components.
//!
//! ```no_run
//! use terrane::{Result, Stack};
//! use terrane_platform::{Config, Platform};
//!
//! fn platform(stack: &mut Stack) -> Result<()> {
//!     let config: Config = stack.config()?;
//!     Platform::declare(stack, &config)?.export(stack);
//!     Ok(())
//! }
//! ```
//!
//! | module | declares |
//! |---|---|
//! | `config` | nothing: the keys of `<stack>.toml` |
//! | `network` | VPC, subnets in two zones, internet and NAT gateways, routes |
//! | `cluster` | EKS, its nodes, security groups, roles, logs, OpenID Connect provider |
//! | `addons` | EKS's own add-ons, switched on by a key |
//! | `storage` | buckets for models, data and artifacts |
//! | `registry` | the repository of the API's images |
//! | `identity` | the role of the API's service account |
//! | `application` | the API in the cluster, switched on by a key |
//! | `kubernetes` | the provider of what is put into the cluster |
//! | `delivery` | the roles of GitHub's workflows, switched on by a key |
//! | `hardening` | what a key each switches on: firewall, flow logs, GuardDuty, AWS Config, backups, own keys, the application's secret |
//! | `monitoring` | alarms, a dashboard, Prometheus and Grafana, switched on by a key |
//! | `mlflow` | the tracking server with its database, switched on by a key |
//! | `policies` | nothing: the security checklist that every plan is checked by |
//! | `state` | nothing: where the states are kept |
//!
//! Why not one function: each component is a plain struct of handles, so another platform can take the network and leave the rest.

// The programs below `stacks` name this crate so; its tests include one of them.
#[cfg(test)]
extern crate self as terrane_platform;

mod addons;
mod application;
#[cfg(test)]
mod checklist;
mod cluster;
mod config;
mod delivery;
#[cfg(test)]
mod guide;
mod hardening;
mod identity;
mod kubernetes;
mod mlflow;
mod monitoring;
mod network;
mod platform;
mod policies;
mod registry;
mod state;
mod storage;
#[cfg(test)]
mod tests;

pub use application::Application;
pub use cluster::Cluster;
pub use config::Config;
pub use delivery::Delivery;
pub use hardening::{ApplicationSecret, Backups, FlowLogs, Guard, Hardening, Keys, Recorder, Waf};
pub use identity::Identity;
pub use mlflow::{Database, Mlflow, Server};
pub use monitoring::{Chart, Managed, Monitoring};
pub use network::Network;
pub use platform::{Platform, declare_provider};
pub use policies::checklist;
pub use registry::Registry;
pub use state::state_backend;
pub use storage::Storage;
