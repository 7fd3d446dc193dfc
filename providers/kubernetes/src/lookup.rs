//! How objects of Kubernetes are found: everything is named by its configuration, and its import id is made of that name.

use terrane_core::{LookupRules, NameLookup};

/// The rules of this provider. Labels are no tags: nothing finds objects of all kinds by one.
pub(crate) const LOOKUP: LookupRules = LookupRules {
    by_name: NAMED,
    tags: None,
    by_tag: None,
    contents: &[],
    place: None,
};

const ALONE: &[&str] = &["{metadata.name}"];
const IN_NAMESPACE: &[&str] = &["{metadata.namespace}/{metadata.name}"];

/// The ids are those of the "Import" sections of the provider's documentation.
#[rustfmt::skip]
const NAMED: &[NameLookup] = &[
    NameLookup::new("kubernetes_api_service_v1", ALONE),
    NameLookup::new("kubernetes_cluster_role_binding_v1", ALONE),
    NameLookup::new("kubernetes_cluster_role_v1", ALONE),
    NameLookup::new("kubernetes_config_map_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_cron_job_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_csi_driver_v1", ALONE),
    NameLookup::new("kubernetes_daemon_set_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_deployment_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_horizontal_pod_autoscaler_v2", IN_NAMESPACE),
    NameLookup::new("kubernetes_ingress_class_v1", ALONE),
    NameLookup::new("kubernetes_ingress_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_job_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_limit_range_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_mutating_webhook_configuration_v1", ALONE),
    NameLookup::new("kubernetes_namespace_v1", ALONE),
    NameLookup::new("kubernetes_network_policy_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_persistent_volume_claim_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_persistent_volume_v1", ALONE),
    NameLookup::new("kubernetes_pod_disruption_budget_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_pod_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_priority_class_v1", ALONE),
    NameLookup::new("kubernetes_resource_quota_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_role_binding_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_role_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_runtime_class_v1", ALONE),
    NameLookup::new("kubernetes_secret_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_service_account_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_service_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_stateful_set_v1", IN_NAMESPACE),
    NameLookup::new("kubernetes_storage_class_v1", ALONE),
    NameLookup::new("kubernetes_validating_webhook_configuration_v1", ALONE),
];
