//! The pods of the application, and how many of them there are.

use std::collections::BTreeMap;

use terrane::{Lifecycle, Output, Stack, all};
use terrane_kubernetes::apps::{Deployment, deployment};
use terrane_kubernetes::autoscaling::{HorizontalPodAutoscaler, horizontal_pod_autoscaler};

use super::{NAME, PORT, labels};
use crate::Config;

/// How busy pods are, in percent of the processor that they ask for, before there are more of them.
const BUSY: u32 = 70;
/// The user that the container runs as. It is not root, whoever the image names.
const USER: &str = "10001";

/// What the pods are made of.
pub(super) struct Pods<'a> {
    pub(super) in_namespace: &'a Output<String>,
    pub(super) account: &'a Output<String>,
    pub(super) config_map: &'a Output<String>,
    pub(super) environment: &'a BTreeMap<String, Output<String>>,
    pub(super) image: Output<String>,
}

impl Pods<'_> {
    /// Declares their deployment.
    pub(super) fn declare(self, stack: &mut Stack) -> Deployment {
        // Pods read the environment once, so another environment has to make other pods.
        let values: Vec<Output<String>> = self.environment.values().cloned().collect();
        let seen = all(values).map(|values| values.join(" "));
        let container = self.container();
        let pod = deployment::SpecTemplate::builder()
            .metadata(
                deployment::SpecTemplateMetadata::builder()
                    .labels(labels())
                    .annotations([("mlops-platform/environment", seen)]),
            )
            .spec(
                deployment::SpecTemplateSpec::builder()
                    .service_account_name(self.account)
                    .container(container)
                    .volume(
                        deployment::SpecTemplateSpecVolume::builder()
                            .name("tmp")
                            .empty_dir(deployment::SpecTemplateSpecVolumeEmptyDir::builder()),
                    ),
            );
        Deployment::builder("api")
            .metadata(
                deployment::Metadata::builder()
                    .name(NAME)
                    .namespace(self.in_namespace)
                    .labels(labels()),
            )
            .spec(
                deployment::Spec::builder()
                    .selector(deployment::SpecSelector::builder().match_labels(labels()))
                    .template(pod),
            )
            // The autoscaler decides.
            .lifecycle(Lifecycle::new().ignore_changes(["spec[0].replicas"]))
            .declare(stack)
    }

    fn container(&self) -> deployment::SpecTemplateSpecContainerBuilder<terrane::bindings::Set> {
        let alive = deployment::SpecTemplateSpecContainerLivenessProbe::builder()
            .http_get(health())
            .initial_delay_seconds(10)
            .period_seconds(10);
        let ready = deployment::SpecTemplateSpecContainerReadinessProbe::builder()
            .http_get(health())
            .period_seconds(5);
        let nothing = deployment::SpecTemplateSpecContainerSecurityContextCapabilities::builder();
        let security = deployment::SpecTemplateSpecContainerSecurityContext::builder()
            .allow_privilege_escalation(false)
            .read_only_root_filesystem(true)
            .run_as_non_root(true)
            .run_as_user(USER)
            .capabilities(nothing.drop(["ALL"]));
        deployment::SpecTemplateSpecContainer::builder()
            .name("api")
            .image(self.image.clone())
            .port(
                deployment::SpecTemplateSpecContainerPort::builder()
                    .name("http")
                    .container_port(PORT),
            )
            .env_from(
                deployment::SpecTemplateSpecContainerEnvFrom::builder().config_map_ref(
                    deployment::SpecTemplateSpecContainerEnvFromConfigMapRef::builder()
                        .name(self.config_map),
                ),
            )
            .resources(
                deployment::SpecTemplateSpecContainerResources::builder()
                    .requests([("cpu", "250m"), ("memory", "256Mi")])
                    .limits([("cpu", "1"), ("memory", "512Mi")]),
            )
            .security_context(security)
            .volume_mount(
                deployment::SpecTemplateSpecContainerVolumeMount::builder()
                    .name("tmp")
                    .mount_path("/tmp"),
            )
            .liveness_probe(alive)
            .readiness_probe(ready)
    }
}

fn health() -> deployment::SpecTemplateSpecContainerLivenessProbeHttpGetBuilder {
    deployment::SpecTemplateSpecContainerLivenessProbeHttpGet::builder()
        .path("/health")
        .port("http")
}

/// Declares the autoscaler of that deployment. It goes by the metrics server of the cluster.
pub(super) fn autoscaler(
    stack: &mut Stack,
    config: &Config,
    in_namespace: &Output<String>,
    deployment: &Deployment,
) -> HorizontalPodAutoscaler {
    let target = horizontal_pod_autoscaler::SpecMetricResourceTarget::builder()
        .r#type("Utilization")
        .average_utilization(BUSY);
    HorizontalPodAutoscaler::builder("api")
        .metadata(
            horizontal_pod_autoscaler::Metadata::builder()
                .name(NAME)
                .namespace(in_namespace),
        )
        .spec(
            horizontal_pod_autoscaler::Spec::builder()
                .min_replicas(config.application_min_replicas)
                .max_replicas(config.application_max_replicas)
                .scale_target_ref(
                    horizontal_pod_autoscaler::SpecScaleTargetRef::builder()
                        .api_version("apps/v1")
                        .kind("Deployment")
                        .name(deployment.metadata().index(0).name()),
                )
                .metric(
                    horizontal_pod_autoscaler::SpecMetric::builder()
                        .r#type("Resource")
                        .resource(
                            horizontal_pod_autoscaler::SpecMetricResource::builder()
                                .name("cpu")
                                .target(target),
                        ),
                ),
        )
        .declare(stack)
}
