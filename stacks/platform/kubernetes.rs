//! The Kubernetes provider of what the platform puts into its own cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrane::Stack;
use terrane_kubernetes::provider;

use crate::{Cluster, Config};

/// Declares the provider: it knows the cluster when that is made, and logs in as whoever runs the stack.
pub(crate) fn declare_provider(stack: &mut Stack, config: &Config, cluster: &Cluster) {
    let authority = cluster.cluster.certificate_authority().index(0).data();
    let login = provider::Exec::builder()
        .api_version("client.authentication.k8s.io/v1beta1")
        .command("aws")
        .args([
            "eks",
            "get-token",
            "--cluster-name",
            &config.name("cluster"),
            "--region",
            &config.aws_region,
        ]);
    stack.provider(
        terrane_kubernetes::Provider::builder()
            .host(cluster.cluster.endpoint())
            .cluster_ca_certificate(authority.try_map(|data| {
                let decoded = STANDARD.decode(data)?;
                Ok::<_, Box<dyn std::error::Error>>(String::from_utf8(decoded)?)
            }))
            .exec(login),
    );
}
