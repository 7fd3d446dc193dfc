//! The configuration of a platform: the keys of `<stack>.toml`, `TERRANE_VAR_…` and `--var`.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use terrane::{Error, Result, Secret};

/// The platform's configuration. Every key has a default; unknown keys are refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The AWS region that everything is in.
    pub aws_region: String,
    /// The role to assume in the environment's account; without one the credentials are used as they are.
    pub aws_role_arn: Option<String>,
    /// Part of every name, `mlops-platform-<environment>-…`: lower-case letters, digits and `-`.
    pub environment: String,
    /// The addresses of the VPC, from `/16` to `/20`. Each subnet gets a 256th of them.
    pub vpc_cidr: Ipv4Net,
    /// The Kubernetes version of control plane, add-ons and nodes. A cluster goes up one minor version at a time.
    pub eks_cluster_version: String,
    /// EKS's own add-ons (network, proxy, DNS, metrics) in the version that fits the control plane's.
    pub eks_addons: bool,
    /// The instance types of the nodes. Changing them replaces the node group.
    pub eks_node_instance_types: Vec<String>,
    /// Nodes on spare capacity, which costs about a third and can be taken away in two minutes. Changing it replaces the node group.
    pub eks_node_spot: bool,
    /// How many nodes to start with, between the two below.
    pub eks_node_desired_size: u32,
    /// The fewest nodes that autoscaling leaves.
    pub eks_node_min_size: u32,
    /// The most nodes that autoscaling starts.
    pub eks_node_max_size: u32,
    /// One NAT gateway for all zones, which is cheaper, instead of one a zone, which survives the loss of a zone.
    pub single_nat_gateway: bool,
    /// How long the control plane's logs are kept, in days.
    pub log_retention_days: u32,
    /// A web application firewall for the load balancers of ingresses.
    pub waf: bool,
    /// How many requests one address may send the firewall in five minutes.
    pub waf_rate_limit: u32,
    /// Log who talked to whom in the network.
    pub flow_logs: bool,
    /// GuardDuty's findings about the account, the cluster and the buckets. An account has one detector in a region.
    pub guardduty: bool,
    /// AWS Config's record of every change, with a starter set of rules. An account has one recorder in a region.
    pub aws_config: bool,
    /// Daily restore points of the buckets, and of MLflow's database where there is one.
    pub backups: bool,
    /// How long restore points are kept, in days: every moment of them can be gone back to, of at most 35.
    pub backup_retention_days: u32,
    /// Keys of one's own in KMS for the cluster's secrets, buckets and backups, instead of AWS's. The cluster takes it once: it is
    /// replaced when its key is taken away. What is encrypted would be lost with its key, so taking it away needs `force_destroy`.
    pub kms: bool,
    /// The churn prediction API in the cluster. `false` takes it away again; without the key the Kubernetes provider is not asked for.
    pub deploy_application: Option<bool>,
    /// Which image of the repository the API runs: a tag, or a digest (`sha256:…`).
    pub application_image: String,
    /// The fewest pods of the API.
    pub application_min_replicas: u32,
    /// The most pods of the API, when it is busy.
    pub application_max_replicas: u32,
    /// The repository of GitHub (`ORGANISATION/NAME`) whose workflows get two roles, one for previews and one that deploys; empty for none.
    pub github_repository: String,
    /// The branch that deploys.
    pub github_branch: String,
    /// The environment of GitHub whose rules guard deployments, instead of the branch alone.
    pub github_environment: String,
    /// Make GitHub's OpenID Connect provider, of which an account has one; `false` where it exists.
    pub github_oidc_provider: bool,
    /// A secret of the application in Secrets Manager, which its service account alone may read. Needs AWS's provider 5.88 or later.
    pub secrets_manager: bool,
    /// Where the secret's value is, as in `env:APPLICATION_SECRET` or `aws-ssm:/app/secret`; without it, Secrets Manager makes one up.
    #[serde(skip_serializing)]
    pub application_secret: Option<Secret>,
    /// Counted up, the secret gets its value once more: what `application_secret` says by then, or another one that is made up.
    pub application_secret_version: u32,
    /// Alarms that tell a topic, a dashboard, and Managed Prometheus with Managed Grafana, whose users IAM Identity Center knows.
    pub monitoring: bool,
    /// Prometheus and Grafana in the cluster, by the chart `kube-prometheus-stack`, in place of AWS's services. `false` takes it away
    /// again; without the key the Helm provider is not asked for. Needs AWS's provider 5.88 or later.
    pub monitoring_in_cluster: Option<bool>,
    /// Who gets the alarms by mail, once they have confirmed it; empty for nobody.
    pub alarm_email: String,
    /// MLflow's tracking server in the cluster, with a PostgreSQL of its own. `false` takes both away again; without the key the
    /// Kubernetes provider is not asked for. Needs AWS's provider 5.88 or later.
    pub mlflow: Option<bool>,
    /// The image of the tracking server, which must have the drivers of PostgreSQL and S3.
    pub mlflow_image: String,
    /// The instance class of MLflow's database.
    pub mlflow_database_class: String,
    /// Counted up, MLflow's database gets another password.
    pub mlflow_password_version: u32,
    /// Let buckets be deleted with everything in them, secrets without a time in which they can be brought back, and databases without
    /// a last snapshot.
    pub force_destroy: bool,
    /// Let the image repository be deleted with all its images.
    pub force_delete: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aws_region: "us-east-1".to_owned(),
            aws_role_arn: None,
            environment: "prod".to_owned(),
            vpc_cidr: Ipv4Net::new_assert([10, 0, 0, 0].into(), 16),
            eks_cluster_version: "1.28".to_owned(),
            eks_addons: false,
            eks_node_instance_types: vec!["t3.medium".to_owned()],
            eks_node_spot: false,
            eks_node_desired_size: 3,
            eks_node_min_size: 2,
            eks_node_max_size: 6,
            single_nat_gateway: true,
            log_retention_days: 30,
            waf: false,
            waf_rate_limit: 2_000,
            flow_logs: false,
            guardduty: false,
            aws_config: false,
            backups: false,
            backup_retention_days: 35,
            kms: false,
            deploy_application: None,
            application_image: "latest".to_owned(),
            application_min_replicas: 2,
            application_max_replicas: 10,
            github_repository: String::new(),
            github_branch: "main".to_owned(),
            github_environment: String::new(),
            github_oidc_provider: true,
            secrets_manager: false,
            application_secret: None,
            application_secret_version: 1,
            monitoring: false,
            monitoring_in_cluster: None,
            alarm_email: String::new(),
            mlflow: None,
            mlflow_image: "burakince/mlflow:2.22.0".to_owned(),
            mlflow_database_class: "db.t4g.micro".to_owned(),
            mlflow_password_version: 1,
            force_destroy: false,
            force_delete: false,
        }
    }
}

impl Config {
    /// The name of one of the platform's things: `mlops-platform-prod-models`.
    pub fn name(&self, thing: &str) -> String {
        format!("mlops-platform-{}-{thing}", self.environment)
    }

    /// Whether a key names something in the cluster, be it on or off again.
    pub(crate) fn puts_into_cluster(&self) -> bool {
        let keys = [
            self.deploy_application,
            self.monitoring_in_cluster,
            self.mlflow,
        ];
        keys.iter().any(Option::is_some)
    }

    /// Whether roles beside that of the cluster's creator reach into the cluster.
    pub(crate) fn reaches_cluster_by_access_entries(&self) -> bool {
        !self.github_repository.is_empty() && self.puts_into_cluster()
    }

    /// Finds values that would fail in the middle of an `up`.
    ///
    /// # Errors
    /// When values contradict each other.
    pub fn check(&self) -> Result<()> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.environment.is_empty() || !self.environment.chars().all(allowed) {
            return Err(Error::message(format!(
                "environment `{}` cannot be part of a bucket name; use lower-case letters, digits and `-`",
                self.environment
            )));
        }
        if !(16..=20).contains(&self.vpc_cidr.prefix_len()) {
            return Err(Error::message(format!(
                "vpc_cidr {} must be from /16 to /20, for its subnets to be from /24 to /28",
                self.vpc_cidr
            )));
        }
        let (min, desired, max) = (
            self.eks_node_min_size,
            self.eks_node_desired_size,
            self.eks_node_max_size,
        );
        if !(min <= desired && desired <= max) {
            return Err(Error::message(format!(
                "eks_node_desired_size {desired} is not between eks_node_min_size {min} and eks_node_max_size {max}"
            )));
        }
        if self.eks_node_instance_types.is_empty() {
            return Err(Error::message("eks_node_instance_types is empty"));
        }
        if !(10..=2_000_000_000).contains(&self.waf_rate_limit) {
            return Err(Error::message(format!(
                "waf_rate_limit {} is not from 10 to 2,000,000,000",
                self.waf_rate_limit
            )));
        }
        if !(1..=35).contains(&self.backup_retention_days) {
            return Err(Error::message(format!(
                "backup_retention_days {} is not from 1 to 35, which is as long as every moment can be gone back to",
                self.backup_retention_days
            )));
        }
        let (min, max) = (self.application_min_replicas, self.application_max_replicas);
        if min == 0 || min > max {
            return Err(Error::message(format!(
                "application_min_replicas {min} is not between 1 and application_max_replicas {max}"
            )));
        }
        if !self.github_repository.is_empty() && !is_repository(&self.github_repository) {
            return Err(Error::message(format!(
                "github_repository `{}` is no ORGANISATION/NAME",
                self.github_repository
            )));
        }
        for (key, text) in [
            ("github_branch", &self.github_branch),
            ("github_environment", &self.github_environment),
        ] {
            // A role would trust more branches than one.
            if text.contains(['*', '?', ':']) || (key == "github_branch" && text.is_empty()) {
                return Err(Error::message(format!("{key} `{text}` does not name one")));
            }
        }
        if !is_tag_or_digest(&self.application_image) {
            return Err(Error::message(format!(
                "application_image `{}` is neither a tag nor a digest; a digest is `sha256:` and 64 digits",
                self.application_image
            )));
        }
        if !self.alarm_email.is_empty() && !self.alarm_email.contains('@') {
            return Err(Error::message(format!(
                "alarm_email `{}` is no address",
                self.alarm_email
            )));
        }
        if self.application_secret.is_some() && !self.secrets_manager {
            return Err(Error::message(
                "application_secret is set, and secrets_manager is not: there is no secret that would get it",
            ));
        }
        Ok(())
    }
}

/// Whether a text names one repository of GitHub.
fn is_repository(text: &str) -> bool {
    let is_name = |name: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        !name.is_empty() && name.chars().all(allowed)
    };
    text.split_once('/')
        .is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}

/// Whether a text says which image of a repository.
fn is_tag_or_digest(text: &str) -> bool {
    if let Some(digest) = text.strip_prefix("sha256:") {
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        return digest.len() == 64 && digest.chars().all(is_digit);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with(['.', '-'])
}
