//! MLflow: a tracking server in the cluster, its runs in PostgreSQL, and the files of runs in the artifacts bucket.

mod database;
mod server;

use terrane::{Output, Stack, interpolate};
use terrane_aws::iam;
use terrane_aws::iam::{PolicyDocument, Statement};

pub use database::Database;
pub use server::Server;

use crate::hardening::Keys;
use crate::{Cluster, Config, Network, Storage};

/// The namespace and the service account of the server.
const NAMESPACE: &str = "mlflow";
const SERVICE_ACCOUNT: &str = "mlflow";
/// Where in the bucket the files are.
const PREFIX: &str = "mlflow";

/// The tracking server with what it stands on.
#[derive(Debug, Clone)]
pub struct Mlflow {
    /// Experiments, runs, metrics and models.
    pub database: Database,
    /// What the server may do in AWS (IRSA).
    pub role: iam::Role,
    /// The server in the cluster.
    pub server: Server,
    artifact_uri: Output<String>,
}

impl Mlflow {
    /// Declares database, role and server.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        network: &Network,
        cluster: &Cluster,
        storage: &Storage,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("mlflow", |stack| {
            let database = Database::declare(stack, config, network, cluster, keys);
            let role = role(stack, config, cluster, storage, keys);
            let artifact_uri = interpolate!("s3://{}/{PREFIX}", storage.artifacts.bucket());
            let server = Server::declare(stack, config, &database, &role, &artifact_uri);
            Self {
                database,
                role,
                server,
                artifact_uri,
            }
        })
    }

    /// Where jobs in the cluster reach the server: their `MLFLOW_TRACKING_URI`. The server passes files on, so a job needs no
    /// permission for the bucket.
    pub fn tracking_uri(&self) -> Output<String> {
        let name = self.server.service.metadata().index(0).name();
        interpolate!("http://{}.{NAMESPACE}.svc.cluster.local", name)
    }

    /// Where the files of runs are, for a job that reads them past the server.
    pub fn artifact_uri(&self) -> Output<String> {
        self.artifact_uri.clone()
    }
}

/// The role: files below the prefix, and nothing else of the bucket.
fn role(
    stack: &mut Stack,
    config: &Config,
    cluster: &Cluster,
    storage: &Storage,
    keys: Option<&Keys>,
) -> iam::Role {
    let issuer = cluster.cluster.identity().index(0).oidc().index(0).issuer();
    let trust = PolicyDocument::assumed_by_service_account(
        cluster.oidc_provider.arn(),
        &issuer,
        NAMESPACE,
        SERVICE_ACCOUNT,
    );
    let role = iam::Role::builder("server")
        .name(config.name("mlflow-role"))
        .assume_role_policy(trust)
        .declare(stack);
    let bucket = storage.artifacts.arn();
    let files = bucket.map(|arn| format!("{arn}/{PREFIX}/*"));
    let mut policy = PolicyDocument::new()
        .statement(Statement::allow(["s3:ListBucket"]).resources([bucket]))
        .statement(
            Statement::allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
                .resources([files]),
        );
    if let Some(keys) = keys {
        let use_key = ["kms:Decrypt", "kms:GenerateDataKey"];
        policy = policy.statement(Statement::allow(use_key).resources([keys.storage_arn()]));
    }
    iam::RolePolicy::builder("server")
        .name("artifacts")
        .role(role.name())
        .policy(policy)
        .declare(stack);
    role
}
