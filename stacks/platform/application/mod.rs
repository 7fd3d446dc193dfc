//! The application in the cluster: the churn prediction API with its namespace, identity, configuration, address and autoscaler.

mod policies;
mod workload;

use std::collections::BTreeMap;

use terrane::{Output, Stack, interpolate};
use terrane_kubernetes::apps::Deployment;
use terrane_kubernetes::autoscaling::HorizontalPodAutoscaler;
use terrane_kubernetes::core::{
    ConfigMap, Namespace, Service, ServiceAccount, config_map, namespace, service, service_account,
};

pub(crate) use policies::containers_are_confined;

use crate::identity::{NAMESPACE, SERVICE_ACCOUNT};
use crate::{ApplicationSecret, Config, Identity, Registry, Storage};

/// The name of the deployment and of what belongs to it.
const NAME: &str = "churn-prediction-api";
/// The port that the container listens on.
const PORT: u32 = 8080;

/// The objects of the application.
#[derive(Debug, Clone)]
pub struct Application {
    /// Where all of it is.
    pub namespace: Namespace,
    /// Its identity, with the role in AWS.
    pub service_account: ServiceAccount,
    /// Names of the buckets and the region, which pods see as environment.
    pub config_map: ConfigMap,
    /// The pods.
    pub deployment: Deployment,
    /// Their address in the cluster.
    pub service: Service,
    /// Starts and stops pods by their load.
    pub autoscaler: HorizontalPodAutoscaler,
}

impl Application {
    /// Declares the application. Its image is the one of the platform's repository with the configured tag or digest.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        storage: &Storage,
        registry: &Registry,
        identity: &Identity,
        secret: Option<&ApplicationSecret>,
    ) -> Self {
        stack.module("application", |stack| {
            let namespace = Namespace::builder("main")
                .metadata(namespace::Metadata::builder().name(NAMESPACE))
                .declare(stack);
            let in_namespace = namespace.metadata().index(0).name();
            let service_account = ServiceAccount::builder("api")
                .metadata(
                    service_account::Metadata::builder()
                        .name(SERVICE_ACCOUNT)
                        .namespace(&in_namespace)
                        .annotations([("eks.amazonaws.com/role-arn", identity.role.arn())]),
                )
                .declare(stack);
            let environment = environment(config, storage, secret);
            let config_map = ConfigMap::builder("api")
                .metadata(
                    config_map::Metadata::builder()
                        .name(NAME)
                        .namespace(&in_namespace)
                        .labels(labels()),
                )
                .data(environment.clone())
                .declare(stack);
            let version = config.application_image.clone();
            let repository = registry.api.repository_url();
            let image = repository.map(move |repository| image(&repository, &version));
            let account = service_account.metadata().index(0).name();
            let pods = workload::Pods {
                in_namespace: &in_namespace,
                account: &account,
                config_map: &config_map.metadata().index(0).name(),
                environment: &environment,
                image,
            };
            let deployment = pods.declare(stack);
            let service = service(stack, &in_namespace);
            let autoscaler = workload::autoscaler(stack, config, &in_namespace, &deployment);
            Self {
                namespace,
                service_account,
                config_map,
                deployment,
                service,
                autoscaler,
            }
        })
    }

    /// Where other pods of the cluster reach the API.
    pub fn url(&self) -> Output<String> {
        let name = self.service.metadata().index(0).name();
        interpolate!("http://{}.{NAMESPACE}.svc.cluster.local", name)
    }
}

/// What the pods see of the platform.
fn environment(
    config: &Config,
    storage: &Storage,
    secret: Option<&ApplicationSecret>,
) -> BTreeMap<String, Output<String>> {
    let mut variables = vec![
        ("AWS_REGION", Output::known(config.aws_region.clone())),
        ("S3_MODELS_BUCKET", storage.models.bucket()),
        ("S3_DATA_BUCKET", storage.data.bucket()),
        ("S3_ARTIFACTS_BUCKET", storage.artifacts.bucket()),
    ];
    // Pods read the secret itself by the role of their service account.
    variables.extend(secret.map(|secret| ("APPLICATION_SECRET_ARN", secret.secret.arn())));
    let named = variables.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The image of a repository with that tag or digest.
fn image(repository: &str, version: &str) -> String {
    match version.contains(':') {
        true => format!("{repository}@{version}"),
        false => format!("{repository}:{version}"),
    }
}

/// By these labels the service and the autoscaler know the pods.
fn labels() -> [(&'static str, &'static str); 2] {
    [
        ("app.kubernetes.io/name", NAME),
        ("app.kubernetes.io/part-of", "mlops-platform"),
    ]
}

fn service(stack: &mut Stack, in_namespace: &Output<String>) -> Service {
    let port = service::SpecPort::builder()
        .name("http")
        .port(80)
        .target_port("http");
    Service::builder("api")
        .metadata(
            service::Metadata::builder()
                .name(NAME)
                .namespace(in_namespace)
                .labels(labels()),
        )
        .spec(
            service::Spec::builder()
                .r#type("ClusterIP")
                .selector(labels())
                .port(port),
        )
        .declare(stack)
}

#[cfg(test)]
mod tests {
    use super::image;

    #[test]
    fn an_image_is_named_by_a_tag_or_by_a_digest() {
        assert_eq!(image("host/api", "v1.2.0"), "host/api:v1.2.0");
        assert_eq!(image("host/api", "sha256:0a"), "host/api@sha256:0a");
    }
}
