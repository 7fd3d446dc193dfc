//! Programs on several providers, for the tests of the sandbox: each stands on objects of the others.

mod eks;
mod regions;

use std::process::ExitCode;

use terrane::{Cli, Result, Stack, interpolate};
use terrane_acme::net;
use terrane_acme::net::gateway::{Route, RouteHop};
use terrane_aws::s3::Bucket;
use terrane_helm::Release;
use terrane_kubernetes::apps::{Deployment, deployment};
use terrane_kubernetes::core::{ConfigMap, Namespace, Service, config_map, namespace, service};
use terrane_random::{Bytes, Password, Pet};

const CLUSTER: &str = "https://cluster.example";

fn main() -> ExitCode {
    Cli::stack("clouds").run(program)
}

/// The program that `--var program=…` names.
fn program(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    match config.program {
        None => clouds(stack, &config),
        Some(Named::Shop) => eks::shop(stack),
        Some(Named::Regions) => {
            regions::regions(stack);
            Ok(())
        }
    }
}

#[derive(serde::Deserialize)]
struct Config {
    #[serde(default)]
    program: Option<Named>,
    /// How many copies run.
    #[serde(default)]
    replicas: Option<u8>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Shop,
    Regions,
}

fn clouds(stack: &mut Stack, config: &Config) -> Result<()> {
    stack.provider(terrane_aws::Provider::builder().region("eu-west-1"));
    stack.provider(terrane_kubernetes::Provider::builder().host(CLUSTER));
    stack.provider(
        terrane_helm::Provider::builder()
            .kubernetes(terrane_helm::provider::Kubernetes::builder().host(CLUSTER)),
    );

    let pet = Pet::builder("name").prefix("team").declare(stack);
    let password = Password::builder("admin").length(20).declare(stack);
    let salt = Bytes::builder("salt").length(8).declare(stack);
    let models = Bucket::builder("models")
        .bucket(interpolate!("models-{}", pet.id()))
        .declare(stack);

    let space = Namespace::builder("app")
        .metadata(namespace::Metadata::builder().name(pet.id()))
        .declare(stack);
    let in_space = space.metadata().index(0).name();
    ConfigMap::builder("settings")
        .metadata(
            config_map::Metadata::builder()
                .name("settings")
                .namespace(&in_space),
        )
        .data([("bucket", models.bucket()), ("salt", salt.hex())])
        .declare(stack);
    let labels = [("app", "api")];
    Deployment::builder("api")
        .metadata(
            deployment::Metadata::builder()
                .name("api")
                .namespace(&in_space),
        )
        .spec(
            deployment::Spec::builder()
                .replicas(config.replicas.unwrap_or(1).to_string())
                .selector(deployment::SpecSelector::builder().match_labels(labels))
                .template(
                    deployment::SpecTemplate::builder()
                        .metadata(deployment::SpecTemplateMetadata::builder().labels(labels))
                        .spec(
                            deployment::SpecTemplateSpec::builder().container(
                                deployment::SpecTemplateSpecContainer::builder()
                                    .name("api")
                                    .image("registry.example/api:1"),
                            ),
                        ),
                ),
        )
        .declare(stack);
    let service = Service::builder("api")
        .metadata(
            service::Metadata::builder()
                .name("api")
                .namespace(&in_space),
        )
        .spec(
            service::Spec::builder()
                .selector(labels)
                .r#type("LoadBalancer")
                .port(service::SpecPort::builder().port(80)),
        )
        .declare(stack);
    let release = Release::builder("metrics")
        .name("metrics")
        .chart("metrics-server")
        .namespace(&in_space)
        .declare(stack);

    let gateway = net::Gateway::builder("edge")
        .name(
            service
                .status()
                .index(0)
                .load_balancer()
                .index(0)
                .ingress()
                .index(0)
                .hostname(),
        )
        .route(
            Route::builder()
                .target("10.0.0.1")
                .hop(RouteHop::builder().name("a")),
        )
        .token("t0ken")
        .declare(stack);

    stack.export("bucket", models.bucket());
    stack.export("password", password.result());
    stack.export("chart", release.metadata().version());
    stack.export("gateway", gateway.arn());
    Ok(())
}
