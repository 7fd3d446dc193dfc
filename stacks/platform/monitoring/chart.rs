//! Prometheus and Grafana in the cluster itself: the chart `kube-prometheus-stack`.

use std::collections::BTreeMap;

use serde_json::json;
use terrane::Stack;
use terrane_helm::Release;
use terrane_kubernetes::core::{Namespace, Secret, namespace, secret};

use crate::Config;
use crate::hardening::made_up;

/// The namespace of all of it.
const NAMESPACE: &str = "monitoring";
/// The version of the chart.
const VERSION: &str = "65.8.1";
/// The secret with Grafana's administrator; without it, the chart's password is one that everybody knows.
const ADMINISTRATOR: &str = "grafana-administrator";

/// The chart and what it needs.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Where it is.
    pub namespace: Namespace,
    /// The chart.
    pub release: Release,
}

impl Chart {
    /// Declares the chart, with a password for Grafana that is in the cluster alone.
    pub fn declare(stack: &mut Stack, config: &Config) -> Self {
        stack.module("prometheus", |stack| {
            let namespace = Namespace::builder("main")
                .metadata(namespace::Metadata::builder().name(NAMESPACE))
                .declare(stack);
            let in_namespace = namespace.metadata().index(0).name();
            let password = made_up(stack, "grafana");
            let login = password.map(|password| {
                BTreeMap::from([
                    ("admin-user".to_owned(), "admin".to_owned()),
                    ("admin-password".to_owned(), password),
                ])
            });
            let administrator = Secret::builder("grafana")
                .metadata(
                    secret::Metadata::builder()
                        .name(ADMINISTRATOR)
                        .namespace(&in_namespace),
                )
                .data_wo(login)
                .data_wo_revision(1)
                .declare(stack);
            let values = json!({
                "grafana": { "admin": { "existingSecret": ADMINISTRATOR } },
                "prometheus": { "prometheusSpec": { "retention": format!("{}d", config.log_retention_days) } },
            });
            let release = Release::builder("main")
                .name("kube-prometheus-stack")
                .repository("https://prometheus-community.github.io/helm-charts")
                .chart("kube-prometheus-stack")
                .version(VERSION)
                .namespace(&in_namespace)
                .values([values.to_string()])
                .depends_on(&administrator)
                .declare(stack);
            Self { namespace, release }
        })
    }
}
