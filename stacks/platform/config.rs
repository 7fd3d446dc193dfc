//! The configuration of a platform: the keys of `<stack>.toml`, `TERRANE_VAR_…` and `--var`.

use ipnet::Ipv4Net;
use serde::Deserialize;
use terrane::{Error, Result};

/// The platform's configuration. Every key has a default; unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The AWS region that everything is in.
    pub aws_region: String,
    /// Part of every name, `mlops-platform-<environment>-…`: lower-case letters, digits and `-`.
    pub environment: String,
    /// The addresses of the VPC, from `/16` to `/20`. Each subnet gets a 256th of them.
    pub vpc_cidr: Ipv4Net,
    /// The Kubernetes version of the control plane.
    pub eks_cluster_version: String,
    /// The instance types of the nodes. Changing them replaces the node group.
    pub eks_node_instance_types: Vec<String>,
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
    /// Daily restore points of the buckets.
    pub backups: bool,
    /// How long restore points are kept, in days: every moment of them can be gone back to, of at most 35.
    pub backup_retention_days: u32,
    /// Keys of one's own in KMS for the cluster's secrets, buckets and backups, instead of AWS's. The cluster takes it once: it is
    /// replaced when its key is taken away.
    pub kms: bool,
    /// Let buckets be deleted with everything in them.
    pub force_destroy: bool,
    /// Let the image repository be deleted with all its images.
    pub force_delete: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aws_region: "us-east-1".to_owned(),
            environment: "prod".to_owned(),
            vpc_cidr: Ipv4Net::new_assert([10, 0, 0, 0].into(), 16),
            eks_cluster_version: "1.28".to_owned(),
            eks_node_instance_types: vec!["t3.medium".to_owned()],
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
        Ok(())
    }
}
