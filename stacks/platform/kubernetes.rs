//! The Kubernetes provider of what the platform puts into its own cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrane::{Output, Stack};
use terrane_kubernetes::provider;

use crate::{Cluster, Config};

/// Declares the provider: it knows the cluster when that is made, and logs in as whoever runs the stack.
pub(crate) fn declare_provider(stack: &mut Stack, config: &Config, cluster: &Cluster) {
    let login = provider::Exec::builder()
        .api_version(LOGIN_VERSION)
        .command("aws")
        .args(login(config));
    stack.provider(
        terrane_kubernetes::Provider::builder()
            .host(cluster.cluster.endpoint())
            .cluster_ca_certificate(authority(cluster))
            .exec(login),
    );
}

/// Declares Helm's provider for the same cluster, with the same login.
pub(crate) fn declare_helm(stack: &mut Stack, config: &Config, cluster: &Cluster) {
    let login = terrane_helm::provider::KubernetesExec::builder()
        .api_version(LOGIN_VERSION)
        .command("aws")
        .args(login(config));
    stack.provider(
        terrane_helm::Provider::builder().kubernetes(
            terrane_helm::provider::Kubernetes::builder()
                .host(cluster.cluster.endpoint())
                .cluster_ca_certificate(authority(cluster))
                .exec(login),
        ),
    );
}

/// The version of the API by which `aws` hands out the login.
const LOGIN_VERSION: &str = "client.authentication.k8s.io/v1beta1";

/// The arguments of `aws` that make it do so.
fn login(config: &Config) -> Vec<String> {
    let name = config.name("cluster");
    let words = [
        "eks",
        "get-token",
        "--cluster-name",
        &name,
        "--region",
        &config.aws_region,
    ];
    words.map(ToOwned::to_owned).to_vec()
}

/// The certificate of the authority that the API server shows.
fn authority(cluster: &Cluster) -> Output<String> {
    let authority = cluster.cluster.certificate_authority().index(0).data();
    authority.try_map(|data| {
        let decoded = STANDARD.decode(data)?;
        Ok::<_, Box<dyn std::error::Error>>(String::from_utf8(decoded)?)
    })
}
