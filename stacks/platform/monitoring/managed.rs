//! Prometheus and Grafana as AWS's services, and the role by which a collector in the cluster writes metrics.

use terrane::{Output, Stack};
use terrane_aws::iam::{PolicyDocument, Statement};
use terrane_aws::{grafana, iam, prometheus};

use crate::hardening::Keys;
use crate::{Cluster, Config};

/// The namespace and the service account of the collector.
const COLLECTOR: (&str, &str) = ("monitoring", "collector");

/// The services.
#[derive(Debug, Clone)]
pub struct Managed {
    /// Keeps the metrics.
    pub prometheus: prometheus::Workspace,
    /// Shows them, to users of IAM Identity Center.
    pub grafana: grafana::Workspace,
    /// What a collector with the service account `collector` in the namespace `monitoring` may assume.
    pub collector_role: iam::Role,
}

impl Managed {
    /// Declares both workspaces and their roles.
    pub(super) fn declare(
        stack: &mut Stack,
        config: &Config,
        cluster: &Cluster,
        keys: Option<&Keys>,
    ) -> Self {
        let mut workspace = prometheus::Workspace::builder("main").alias(config.name("metrics"));
        if let Some(keys) = keys {
            workspace = workspace.kms_key_arn(keys.storage_arn());
        }
        let prometheus = workspace.declare(stack);
        let issuer = cluster.cluster.identity().index(0).oidc().index(0).issuer();
        let trust = PolicyDocument::assumed_by_service_account(
            cluster.oidc_provider.arn(),
            &issuer,
            COLLECTOR.0,
            COLLECTOR.1,
        );
        let collector_role = iam::Role::builder("collector")
            .name(config.name("collector-role"))
            .assume_role_policy(trust)
            .declare(stack);
        may(
            stack,
            "collector",
            &collector_role,
            PolicyDocument::new()
                .statement(Statement::allow(["aps:RemoteWrite"]).resources([prometheus.arn()])),
        );
        let grafana_role = iam::Role::builder("grafana")
            .name(config.name("grafana-role"))
            .assume_role_policy(PolicyDocument::assumed_by("grafana.amazonaws.com"))
            .declare(stack);
        may(stack, "grafana", &grafana_role, reading(&prometheus));
        let grafana = grafana::Workspace::builder("main")
            .name(config.name("grafana"))
            .account_access_type("CURRENT_ACCOUNT")
            .authentication_providers(["AWS_SSO"])
            .permission_type("CUSTOMER_MANAGED")
            .data_sources(["PROMETHEUS", "CLOUDWATCH"])
            .role_arn(grafana_role.arn())
            .declare(stack);
        Self {
            prometheus,
            grafana,
            collector_role,
        }
    }

    /// Where a collector writes.
    pub fn remote_write_url(&self) -> Output<String> {
        let endpoint = self.prometheus.prometheus_endpoint();
        endpoint.map(|endpoint| format!("{endpoint}api/v1/remote_write"))
    }

    /// Where people look.
    pub fn grafana_url(&self) -> Output<String> {
        self.grafana
            .endpoint()
            .map(|host| format!("https://{host}"))
    }
}

fn may(stack: &mut Stack, name: &str, role: &iam::Role, policy: PolicyDocument) {
    iam::RolePolicy::builder(name)
        .name("metrics")
        .role(role.name())
        .policy(policy)
        .declare(stack);
}

/// What Grafana asks of both sources. CloudWatch knows no permissions for single metrics.
fn reading(prometheus: &prometheus::Workspace) -> PolicyDocument {
    let query = [
        "aps:DescribeWorkspace",
        "aps:GetLabels",
        "aps:GetMetricMetadata",
        "aps:GetSeries",
        "aps:QueryMetrics",
    ];
    let metrics = [
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
    ];
    PolicyDocument::new()
        .statement(Statement::allow(query).resources([prometheus.arn()]))
        .statement(Statement::allow(["aps:ListWorkspaces"]).resources(["*"]))
        .statement(Statement::allow(metrics).resources(["*"]))
}
