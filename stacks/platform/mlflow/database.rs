//! MLflow's database: PostgreSQL in the private subnets, with a password that Secrets Manager alone keeps.

use terrane::{Ephemeral, Stack};
use terrane_aws::{ec2, rds, secretsmanager};

use crate::hardening::{Keys, Vault, made_up};
use crate::{Cluster, Config, Network};

/// The database, and the user that owns it.
pub(super) const NAME: &str = "mlflow";
/// The port of PostgreSQL.
pub(super) const PORT: u32 = 5432;
/// The major version of PostgreSQL; RDS chooses the minor one, and raises it.
const VERSION: &str = "16";
/// Its storage in GB, to begin with and at most.
const STORAGE: (u32, u32) = (20, 100);
/// For how many days it can be restored to any moment, where no backups are asked for.
const RESTORABLE: u32 = 7;

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// The instance.
    pub instance: rds::DbInstance,
    /// Where its password is.
    pub secret: secretsmanager::Secret,
    pub(super) password: Ephemeral<String>,
}

impl Database {
    /// Declares the database; only what runs on the cluster's nodes reaches it.
    pub(super) fn declare(
        stack: &mut Stack,
        config: &Config,
        network: &Network,
        cluster: &Cluster,
        keys: Option<&Keys>,
    ) -> Self {
        let made_up = made_up(stack, "password");
        let version = config.mlflow_password_version;
        let vault = Vault::declare(stack, config, keys, "mlflow-database", &made_up, version);
        // Read back from where it is kept, so that every run sends the same one. Its version must have been made before.
        let password = secretsmanager::ephemeral::SecretVersion::builder("password")
            .secret_id(vault.version.arn())
            .declare(stack)
            .secret_string();
        let subnets = rds::DbSubnetGroup::builder("main")
            .name(config.name("mlflow"))
            .subnet_ids(network.private_subnet_ids())
            .declare(stack);
        let group = reachable(stack, config, network, cluster);
        let mut instance = rds::DbInstance::builder("main")
            .identifier(config.name("mlflow"))
            .engine("postgres")
            .engine_version(VERSION)
            .instance_class(&config.mlflow_database_class)
            .allocated_storage(STORAGE.0)
            .max_allocated_storage(STORAGE.1)
            .storage_type("gp3")
            .storage_encrypted(true)
            .db_name(NAME)
            .username(NAME)
            .password_wo(&password)
            .password_wo_version(version)
            .port(PORT)
            .db_subnet_group_name(subnets.name())
            .vpc_security_group_ids([group.id()])
            .publicly_accessible(false)
            .backup_retention_period(match config.backups {
                true => config.backup_retention_days,
                false => RESTORABLE,
            })
            .copy_tags_to_snapshot(true)
            .apply_immediately(true)
            .skip_final_snapshot(config.force_destroy)
            .final_snapshot_identifier(config.name("mlflow-final"));
        if let Some(keys) = keys {
            instance = instance.kms_key_id(keys.storage_arn());
        }
        Self {
            instance: instance.declare(stack),
            secret: vault.secret,
            password,
        }
    }
}

/// The group of the database, which lets in the group that EKS gives the nodes.
fn reachable(
    stack: &mut Stack,
    config: &Config,
    network: &Network,
    cluster: &Cluster,
) -> ec2::SecurityGroup {
    let name = config.name("mlflow-database-sg");
    let group = ec2::SecurityGroup::builder("database")
        .name(&name)
        .description("MLflow's database")
        .vpc_id(network.vpc.id())
        .tags([("Name", name.clone())])
        .declare(stack);
    let nodes = cluster
        .cluster
        .vpc_config()
        .index(0)
        .cluster_security_group_id();
    ec2::SecurityGroupRule::builder("nodes_to_database")
        .r#type("ingress")
        .security_group_id(group.id())
        .source_security_group_id(nodes)
        .protocol("tcp")
        .from_port(PORT)
        .to_port(PORT)
        .declare(stack);
    group
}
