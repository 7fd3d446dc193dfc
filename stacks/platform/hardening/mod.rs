//! Hardening: what a platform in production adds, each part switched on by a key of its own.

mod backups;
mod flow_logs;
mod guard;
mod keys;
mod recorder;
mod secret;
mod waf;

use terrane::Stack;

pub use backups::Backups;
pub use flow_logs::FlowLogs;
pub use guard::Guard;
pub use keys::Keys;
pub use recorder::Recorder;
pub use secret::ApplicationSecret;
pub(crate) use secret::{Vault, made_up};
pub use waf::Waf;

use crate::{Config, Identity, Mlflow, Network, Storage};

/// The parts that are on. The keys of [`Keys`] are made before the cluster and the buckets that are encrypted with them.
#[derive(Debug, Clone)]
pub struct Hardening {
    /// `waf`: a web ACL for the load balancers of ingresses.
    pub waf: Option<Waf>,
    /// `flow_logs`: who talked to whom in the network.
    pub flow_logs: Option<FlowLogs>,
    /// `guardduty`: findings about the account, the cluster and the buckets.
    pub guard: Option<Guard>,
    /// `aws_config`: every change of a resource, and rules about them.
    pub recorder: Option<Recorder>,
    /// `secrets_manager`: a secret of the application.
    pub secret: Option<ApplicationSecret>,
    /// `backups`: restore points of what holds data.
    pub backups: Option<Backups>,
}

impl Hardening {
    /// Declares what the configuration switches on.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        network: &Network,
        storage: &Storage,
        identity: &Identity,
        mlflow: Option<&Mlflow>,
        keys: Option<&Keys>,
    ) -> Self {
        let database = mlflow.map(|mlflow| &mlflow.database.instance);
        Self {
            waf: config.waf.then(|| Waf::declare(stack, config)),
            flow_logs: (config.flow_logs).then(|| FlowLogs::declare(stack, config, network)),
            guard: config.guardduty.then(|| Guard::declare(stack)),
            recorder: (config.aws_config).then(|| Recorder::declare(stack, config, keys)),
            secret: (config.secrets_manager)
                .then(|| ApplicationSecret::declare(stack, config, identity, keys)),
            backups: (config.backups)
                .then(|| Backups::declare(stack, config, storage, database, keys)),
        }
    }
}
