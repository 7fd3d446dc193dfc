//! The tracking server in the cluster: one pod that passes files on to the bucket.

use std::collections::BTreeMap;

use terrane::{Output, Stack, interpolate};
use terrane_aws::iam;
use terrane_kubernetes::apps::{Deployment, deployment};
use terrane_kubernetes::core::{
    Namespace, Secret, Service, ServiceAccount, namespace, secret, service, service_account,
};

use super::database::{self, Database};
use super::{NAMESPACE, SERVICE_ACCOUNT};
use crate::Config;

/// The name of the deployment and of what belongs to it.
const NAME: &str = "mlflow";
/// The port that the container listens on.
const PORT: u32 = 5000;
/// The user that the container runs as. It is not root, whoever the image names.
const USER: &str = "10001";

/// The objects of the server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where all of it is.
    pub namespace: Namespace,
    /// The pod.
    pub deployment: Deployment,
    /// Its address in the cluster.
    pub service: Service,
}

impl Server {
    /// Declares the server.
    pub(super) fn declare(
        stack: &mut Stack,
        config: &Config,
        database: &Database,
        role: &iam::Role,
        artifact_uri: &Output<String>,
    ) -> Self {
        let namespace = Namespace::builder("main")
            .metadata(namespace::Metadata::builder().name(NAMESPACE))
            .declare(stack);
        let in_namespace = namespace.metadata().index(0).name();
        let account = ServiceAccount::builder("server")
            .metadata(
                service_account::Metadata::builder()
                    .name(SERVICE_ACCOUNT)
                    .namespace(&in_namespace)
                    .annotations([("eks.amazonaws.com/role-arn", role.arn())]),
            )
            .declare(stack);
        let version = config.mlflow_password_version;
        let password = &database.password;
        let secret = Secret::builder("database")
            .metadata(
                secret::Metadata::builder()
                    .name("mlflow-database")
                    .namespace(&in_namespace),
            )
            .data_wo(password.map(|text: String| BTreeMap::from([("password".to_owned(), text)])))
            .data_wo_revision(version)
            .declare(stack);
        let pod = deployment::SpecTemplate::builder()
            .metadata(
                deployment::SpecTemplateMetadata::builder()
                    .labels(labels())
                    // Pods read the password once, so another one has to make another pod.
                    .annotations([("mlops-platform/password-version", version.to_string())]),
            )
            .spec(
                deployment::SpecTemplateSpec::builder()
                    .service_account_name(account.metadata().index(0).name())
                    .container(container(
                        config,
                        database,
                        artifact_uri,
                        secret.metadata().index(0).name(),
                    ))
                    .volume(
                        deployment::SpecTemplateSpecVolume::builder()
                            .name("tmp")
                            .empty_dir(deployment::SpecTemplateSpecVolumeEmptyDir::builder()),
                    ),
            );
        let deployment = Deployment::builder("server")
            .metadata(
                deployment::Metadata::builder()
                    .name(NAME)
                    .namespace(&in_namespace)
                    .labels(labels()),
            )
            .spec(
                deployment::Spec::builder()
                    .replicas("1")
                    .selector(deployment::SpecSelector::builder().match_labels(labels()))
                    .template(pod),
            )
            .declare(stack);
        let service = Service::builder("server")
            .metadata(
                service::Metadata::builder()
                    .name(NAME)
                    .namespace(&in_namespace)
                    .labels(labels()),
            )
            .spec(
                service::Spec::builder()
                    .r#type("ClusterIP")
                    .selector(labels())
                    .port(
                        service::SpecPort::builder()
                            .name("http")
                            .port(80)
                            .target_port("http"),
                    ),
            )
            .declare(stack);
        Self {
            namespace,
            deployment,
            service,
        }
    }
}

fn container(
    config: &Config,
    database: &Database,
    artifact_uri: &Output<String>,
    secret: Output<String>,
) -> deployment::SpecTemplateSpecContainerBuilder<terrane::bindings::Set> {
    let password = deployment::SpecTemplateSpecContainerEnvValueFrom::builder().secret_key_ref(
        deployment::SpecTemplateSpecContainerEnvValueFromSecretKeyRef::builder()
            .name(secret)
            .key("password"),
    );
    // Kubernetes puts the password in, which is set before.
    let store = interpolate!(
        "postgresql://{0}:$(DATABASE_PASSWORD)@{1}:{2}/{0}",
        database::NAME,
        database.instance.address(),
        database::PORT
    );
    let nothing = deployment::SpecTemplateSpecContainerSecurityContextCapabilities::builder();
    deployment::SpecTemplateSpecContainer::builder()
        .name("mlflow")
        .image(&config.mlflow_image)
        .command(["mlflow", "server"])
        .args([
            Output::known("--host=0.0.0.0".to_owned()),
            Output::known(format!("--port={PORT}")),
            Output::known("--serve-artifacts".to_owned()),
            interpolate!("--artifacts-destination={}", artifact_uri),
        ])
        .port(
            deployment::SpecTemplateSpecContainerPort::builder()
                .name("http")
                .container_port(PORT),
        )
        .env(
            deployment::SpecTemplateSpecContainerEnv::builder()
                .name("DATABASE_PASSWORD")
                .value_from(password),
        )
        .env(
            deployment::SpecTemplateSpecContainerEnv::builder()
                .name("MLFLOW_BACKEND_STORE_URI")
                .value(store),
        )
        .env(
            deployment::SpecTemplateSpecContainerEnv::builder()
                .name("AWS_REGION")
                .value(&config.aws_region),
        )
        .resources(
            deployment::SpecTemplateSpecContainerResources::builder()
                .requests([("cpu", "250m"), ("memory", "512Mi")])
                .limits([("cpu", "1"), ("memory", "1Gi")]),
        )
        .security_context(
            deployment::SpecTemplateSpecContainerSecurityContext::builder()
                .allow_privilege_escalation(false)
                .read_only_root_filesystem(true)
                .run_as_non_root(true)
                .run_as_user(USER)
                .capabilities(nothing.drop(["ALL"])),
        )
        .volume_mount(
            deployment::SpecTemplateSpecContainerVolumeMount::builder()
                .name("tmp")
                .mount_path("/tmp"),
        )
        .readiness_probe(
            deployment::SpecTemplateSpecContainerReadinessProbe::builder()
                .http_get(
                    deployment::SpecTemplateSpecContainerReadinessProbeHttpGet::builder()
                        .path("/health")
                        .port("http"),
                )
                .period_seconds(10),
        )
}

/// By these labels the service knows the pod.
fn labels() -> [(&'static str, &'static str); 2] {
    [
        ("app.kubernetes.io/name", NAME),
        ("app.kubernetes.io/part-of", "mlops-platform"),
    ]
}
