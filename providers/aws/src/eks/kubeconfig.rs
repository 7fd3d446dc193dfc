//! The configuration by which `kubectl` reaches a cluster.

use terrane_core::{Output, all};

use super::Cluster;

/// A kubeconfig for the cluster, as YAML. It holds no secret of its own: `kubectl` gets a token from `aws eks get-token`, with
/// whatever AWS credentials the person has. It is sensitive all the same, for it says where the cluster is.
#[track_caller]
pub fn kubeconfig(cluster: &Cluster) -> Output<String> {
    let authority = cluster.certificate_authority().index(0).data();
    all((cluster.arn(), cluster.name(), cluster.endpoint(), authority))
        .try_map(|(arn, name, endpoint, authority)| yaml(&arn, &name, &endpoint, &authority))
        .sensitive()
}

fn yaml(arn: &str, name: &str, endpoint: &str, authority: &str) -> Result<String, String> {
    // arn:aws:eks:REGION:ACCOUNT:cluster/NAME
    let region = arn
        .split(':')
        .nth(3)
        .ok_or_else(|| format!("`{arn}` is not the ARN of a cluster"))?;
    // A string in JSON is one in YAML too, whatever is in it.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let (arn, name, region) = (quoted(arn), quoted(name), quoted(region));
    let (endpoint, authority) = (quoted(endpoint), quoted(authority));
    Ok(format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {arn}
  cluster:
    server: {endpoint}
    certificate-authority-data: {authority}
users:
- name: {arn}
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [--region, {region}, eks, get-token, --cluster-name, {name}, --output, json]
contexts:
- name: {arn}
  context:
    cluster: {arn}
    user: {arn}
current-context: {arn}
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_comes_from_the_clusters_arn() {
        let text = yaml(
            "arn:aws:eks:eu-west-1:1:cluster/c",
            "c",
            "https://e",
            "Q0E=",
        )
        .expect("a text");
        assert!(text.contains(
            r#"args: [--region, "eu-west-1", eks, get-token, --cluster-name, "c", --output, json]"#
        ));
        assert!(
            text.contains("    server: \"https://e\"\n    certificate-authority-data: \"Q0E=\"\n")
        );
        assert!(text.ends_with("current-context: \"arn:aws:eks:eu-west-1:1:cluster/c\"\n"));
        assert!(yaml("c", "c", "", "").is_err());
    }
}
