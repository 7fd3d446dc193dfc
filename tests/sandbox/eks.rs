//! A cluster of EKS and the workload in it, in one program: the provider of the workload is configured by the cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrane::{Result, Stack};
use terrane_aws::{ec2, eks, iam};
use terrane_kubernetes::apps::{Deployment, deployment};
use terrane_kubernetes::core::{Namespace, ServiceAccount, namespace, service_account};
use terrane_kubernetes::provider;

/// Where the API runs.
const NAMESPACE: &str = "shop";
/// Its service account there.
const ACCOUNT: &str = "api";
const LABELS: [(&str, &str); 1] = [("app", "api")];

/// The whole stack.
pub(crate) fn shop(stack: &mut Stack) -> Result<()> {
    stack.provider(terrane_aws::Provider::builder().region("eu-west-1"));
    let cluster = cluster(stack);
    let role = role(stack, &cluster);

    let authority = cluster.certificate_authority().index(0).data();
    let login = provider::Exec::builder()
        .api_version("client.authentication.k8s.io/v1beta1")
        .command("aws")
        .args(["eks", "get-token", "--cluster-name", "shop"]);
    stack.provider(
        terrane_kubernetes::Provider::builder()
            .host(cluster.endpoint())
            .cluster_ca_certificate(authority.try_map(|data| {
                let decoded = STANDARD.decode(data)?;
                Ok::<_, Box<dyn std::error::Error>>(String::from_utf8(decoded)?)
            }))
            .exec(login),
    );
    workload(stack, &role);
    stack.export("endpoint", cluster.endpoint());
    Ok(())
}

fn cluster(stack: &mut Stack) -> eks::Cluster {
    let vpc = ec2::Vpc::builder("main")
        .cidr_block("10.0.0.0/16")
        .declare(stack);
    let subnets = [("a", "10.0.1.0/24"), ("b", "10.0.2.0/24")].map(|(zone, block)| {
        ec2::Subnet::builder("main")
            .instance_key(zone)
            .vpc_id(vpc.id())
            .cidr_block(block)
            .availability_zone(format!("eu-west-1{zone}"))
            .declare(stack)
            .id()
    });
    let role = iam::Role::builder("cluster")
        .name("shop-cluster")
        .assume_role_policy(iam::PolicyDocument::assumed_by("eks.amazonaws.com"))
        .declare(stack);
    eks::Cluster::builder("main")
        .name("shop")
        .role_arn(role.arn())
        .vpc_config(eks::cluster::VpcConfig::builder().subnet_ids(subnets))
        .declare(stack)
}

/// The role of the service account in AWS (IRSA).
fn role(stack: &mut Stack, cluster: &eks::Cluster) -> iam::Role {
    let issuer = cluster.identity().index(0).oidc().index(0).issuer();
    let oidc = iam::OpenIdConnectProvider::builder("cluster")
        .url(&issuer)
        .client_id_list(["sts.amazonaws.com"])
        .declare(stack);
    iam::Role::builder("api")
        .name("shop-api")
        .assume_role_policy(iam::PolicyDocument::assumed_by_service_account(
            oidc.arn(),
            &issuer,
            NAMESPACE,
            ACCOUNT,
        ))
        .declare(stack)
}

/// The objects in the cluster.
fn workload(stack: &mut Stack, role: &iam::Role) {
    let space = Namespace::builder("shop")
        .metadata(namespace::Metadata::builder().name(NAMESPACE))
        .declare(stack);
    let in_space = space.metadata().index(0).name();
    let account = ServiceAccount::builder("api")
        .metadata(
            service_account::Metadata::builder()
                .name(ACCOUNT)
                .namespace(&in_space)
                .annotations([("eks.amazonaws.com/role-arn", role.arn())]),
        )
        .declare(stack);
    let container = deployment::SpecTemplateSpecContainer::builder()
        .name("api")
        .image("registry.example/shop/api:1");
    let pod = deployment::SpecTemplate::builder()
        .metadata(deployment::SpecTemplateMetadata::builder().labels(LABELS))
        .spec(
            deployment::SpecTemplateSpec::builder()
                .service_account_name(account.metadata().index(0).name())
                .container(container),
        );
    Deployment::builder("api")
        .metadata(
            deployment::Metadata::builder()
                .name("api")
                .namespace(&in_space),
        )
        .spec(
            deployment::Spec::builder()
                .replicas("2")
                .selector(deployment::SpecSelector::builder().match_labels(LABELS))
                .template(pod),
        )
        .declare(stack);
}
