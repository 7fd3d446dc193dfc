//! How objects of AWS are found: types that are named by their configuration, and ids from ARNs.

use terrane_core::{ImportPlace, LookupRules, NameLookup, TagLookup, Value};

/// The rules of this provider.
pub(crate) const LOOKUP: LookupRules = LookupRules {
    by_name: NAMED,
    tags: Some("tags"),
    by_tag: Some(TagLookup {
        data_source: "aws_resourcegroupstaggingapi_resources",
        config: tag_filter,
        ids: ids_of_type,
    }),
    contents: crate::contents::CONTENTS,
    place: Some(ImportPlace {
        argument: "region",
        is_place: is_region,
    }),
};

/// Whether a text has the form of a region's name: `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else {
        return false;
    };
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    area.len() == 2
        && letters(area)
        && !middle.is_empty()
        && middle.iter().all(|it| letters(it))
        && is_number
}

/// The ids are those of the "Import" sections of the provider's documentation.
#[rustfmt::skip]
const NAMED: &[NameLookup] = &[
    NameLookup::new("aws_cloudwatch_log_group", &["{name}"]),
    NameLookup::setting("aws_cloudwatch_log_metric_filter", &["{log_group_name}:{name}"]),
    NameLookup::part("aws_cloudwatch_log_stream", &["{log_group_name}:{name}"]),
    NameLookup::setting("aws_cloudwatch_log_subscription_filter", &["{log_group_name}|{name}"]),
    NameLookup::new("aws_dynamodb_table", &["{name}"]),
    NameLookup::setting("aws_ecr_lifecycle_policy", &["{repository}"]),
    NameLookup::new("aws_ecr_repository", &["{name}"]),
    NameLookup::setting("aws_ecr_repository_policy", &["{repository}"]),
    NameLookup::part("aws_eks_addon", &["{cluster_name}:{addon_name}"]).created("created_at"),
    NameLookup::new("aws_eks_cluster", &["{name}"]).created("created_at"),
    NameLookup::part("aws_eks_fargate_profile", &["{cluster_name}:{fargate_profile_name}"]),
    NameLookup::part("aws_eks_node_group", &["{cluster_name}:{node_group_name}"]),
    NameLookup::new("aws_iam_group", &["{name}"]),
    NameLookup::setting("aws_iam_group_policy", &["{group}:{name}"]),
    NameLookup::setting("aws_iam_group_policy_attachment", &["{group}/{policy_arn}"]),
    NameLookup::new("aws_iam_instance_profile", &["{name}"]).created("create_date"),
    NameLookup::new("aws_iam_role", &["{name}"]).created("create_date"),
    NameLookup::setting("aws_iam_role_policy", &["{role}:{name}"]),
    NameLookup::setting("aws_iam_role_policy_attachment", &["{role}/{policy_arn}"]),
    NameLookup::new("aws_iam_user", &["{name}"]),
    NameLookup::setting("aws_iam_user_policy", &["{user}:{name}"]),
    NameLookup::setting("aws_iam_user_policy_attachment", &["{user}/{policy_arn}"]),
    NameLookup::new("aws_key_pair", &["{key_name}"]),
    NameLookup::new("aws_kms_alias", &["{name}"]),
    NameLookup::part("aws_route", &[
        "{route_table_id}_{destination_cidr_block}",
        "{route_table_id}_{destination_ipv6_cidr_block}",
        "{route_table_id}_{destination_prefix_list_id}",
    ]),
    NameLookup::part("aws_route_table_association", &["{subnet_id}/{route_table_id}", "{gateway_id}/{route_table_id}"]),
    NameLookup::new("aws_s3_bucket", &["{bucket}"]),
    NameLookup::setting("aws_s3_bucket_accelerate_configuration", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_cors_configuration", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_lifecycle_configuration", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_logging", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_notification", &["{bucket}"]),
    NameLookup::setting("aws_s3_bucket_ownership_controls", &["{bucket}"]),
    NameLookup::setting("aws_s3_bucket_policy", &["{bucket}"]),
    NameLookup::setting("aws_s3_bucket_public_access_block", &["{bucket}"]),
    NameLookup::setting("aws_s3_bucket_server_side_encryption_configuration", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_versioning", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::setting("aws_s3_bucket_website_configuration", &["{bucket},{expected_bucket_owner}", "{bucket}"]),
    NameLookup::part("aws_security_group_rule", &[
        "{security_group_id}_{type}_{protocol}_{from_port}_{to_port}_{cidr_blocks}",
        "{security_group_id}_{type}_{protocol}_{from_port}_{to_port}_{ipv6_cidr_blocks}",
        "{security_group_id}_{type}_{protocol}_{from_port}_{to_port}_{source_security_group_id}",
        "{security_group_id}_{type}_{protocol}_{from_port}_{to_port}_{self}",
    ]),
];

/// How the part of an ARN behind service, region and account leads to the id that an import takes.
enum Form {
    /// The id is the rest: `vpc/` of `vpc/vpc-1`.
    After(&'static str),
    /// The same, up to the last `/`, its parts joined by `:`; the rest is an id of AWS's own.
    Parts(&'static str),
    /// The id is the whole ARN; it begins like that.
    Whole(&'static str),
}

/// Taggable types with the service of their ARNs. Other types are found by name alone, or not at all.
#[rustfmt::skip]
const ARNS: &[(&str, &str, Form)] = &[
    ("aws_cloudwatch_log_group", "logs", Form::After("log-group:")),
    ("aws_dynamodb_table", "dynamodb", Form::After("table/")),
    ("aws_ebs_volume", "ec2", Form::After("volume/")),
    ("aws_ec2_transit_gateway", "ec2", Form::After("transit-gateway/")),
    ("aws_ecr_repository", "ecr", Form::After("repository/")),
    ("aws_egress_only_internet_gateway", "ec2", Form::After("egress-only-internet-gateway/")),
    ("aws_eip", "ec2", Form::After("elastic-ip/")),
    ("aws_eks_addon", "eks", Form::Parts("addon/")),
    ("aws_eks_cluster", "eks", Form::After("cluster/")),
    ("aws_eks_fargate_profile", "eks", Form::Parts("fargateprofile/")),
    ("aws_eks_node_group", "eks", Form::Parts("nodegroup/")),
    ("aws_iam_instance_profile", "iam", Form::After("instance-profile/")),
    ("aws_iam_openid_connect_provider", "iam", Form::Whole("oidc-provider/")),
    ("aws_iam_policy", "iam", Form::Whole("policy/")),
    ("aws_iam_role", "iam", Form::After("role/")),
    ("aws_instance", "ec2", Form::After("instance/")),
    ("aws_internet_gateway", "ec2", Form::After("internet-gateway/")),
    ("aws_kms_key", "kms", Form::After("key/")),
    ("aws_launch_template", "ec2", Form::After("launch-template/")),
    ("aws_nat_gateway", "ec2", Form::After("natgateway/")),
    ("aws_network_acl", "ec2", Form::After("network-acl/")),
    ("aws_network_interface", "ec2", Form::After("network-interface/")),
    ("aws_route_table", "ec2", Form::After("route-table/")),
    ("aws_s3_bucket", "s3", Form::After("")),
    ("aws_security_group", "ec2", Form::After("security-group/")),
    ("aws_subnet", "ec2", Form::After("subnet/")),
    ("aws_vpc", "ec2", Form::After("vpc/")),
    ("aws_vpc_endpoint", "ec2", Form::After("vpc-endpoint/")),
    ("aws_vpc_peering_connection", "ec2", Form::After("vpc-peering-connection/")),
    ("aws_vpn_gateway", "ec2", Form::After("vpn-gateway/")),
];

/// The configuration that finds everything with one tag.
fn tag_filter(key: &str, value: &str) -> Value {
    let values = Value::list(vec![value.into()]);
    let filter = Value::map([("key", key.into()), ("values", values)]);
    Value::map([("tag_filter", Value::list(vec![filter]))])
}

/// The import ids of the found objects that are of that type.
fn ids_of_type(type_name: &str, found: &Value) -> Vec<String> {
    let mappings = found.get("resource_tag_mapping_list");
    let mappings = mappings.and_then(Value::elements).unwrap_or_default();
    let arns = mappings
        .iter()
        .filter_map(|mapping| mapping.get("resource_arn")?.as_str());
    arns.filter_map(|arn| id_of(type_name, arn)).collect()
}

fn id_of(type_name: &str, arn: &str) -> Option<String> {
    let (_, service, form) = ARNS.iter().find(|(known, ..)| *known == type_name)?;
    let mut parts = arn.splitn(6, ':').skip(2);
    let (of, rest) = (parts.next()?, parts.nth(2)?);
    if of != *service {
        return None;
    }
    match form {
        Form::After(prefix) => {
            let id = rest.strip_prefix(prefix)?;
            // Names in IAM have a path before them.
            let id = if *service == "iam" {
                id.rsplit('/').next()?
            } else {
                id
            };
            Some(id.to_owned())
        }
        Form::Parts(prefix) => {
            let (id, _) = rest.strip_prefix(prefix)?.rsplit_once('/')?;
            Some(id.replace('/', ":"))
        }
        Form::Whole(prefix) => rest.starts_with(prefix).then(|| arn.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_the_ends_of_other_ids() {
        for region in ["eu-west-1", "us-gov-east-1", "ap-southeast-12"] {
            assert!(is_region(region), "{region}");
        }
        for other in [
            "example.com",
            "eu-west",
            "west-1",
            "eu--1",
            "e-west-1",
            "eu-west-123",
            "",
        ] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn arns_lead_to_the_ids_that_imports_take() {
        for (type_name, arn, id) in [
            (
                "aws_vpc",
                "arn:aws:ec2:us-east-1:1:vpc/vpc-1",
                Some("vpc-1"),
            ),
            ("aws_subnet", "arn:aws:ec2:us-east-1:1:vpc/vpc-1", None),
            ("aws_s3_bucket", "arn:aws:s3:::models", Some("models")),
            (
                "aws_eks_node_group",
                "arn:aws:eks:us-east-1:1:nodegroup/prod/nodes/0a-1b",
                Some("prod:nodes"),
            ),
            (
                "aws_eks_cluster",
                "arn:aws:eks:us-east-1:1:nodegroup/prod/nodes/0a-1b",
                None,
            ),
            (
                "aws_cloudwatch_log_group",
                "arn:aws:logs:us-east-1:1:log-group:/aws/eks/x",
                Some("/aws/eks/x"),
            ),
            ("aws_iam_role", "arn:aws:iam::1:role/team/api", Some("api")),
            (
                "aws_iam_policy",
                "arn:aws:iam::1:policy/x",
                Some("arn:aws:iam::1:policy/x"),
            ),
            (
                "aws_ecr_repository",
                "arn:aws:ecr:us-east-1:1:repository/team/api",
                Some("team/api"),
            ),
            (
                "aws_key_pair",
                "arn:aws:ec2:us-east-1:1:key-pair/key-1",
                None,
            ),
            ("aws_vpc", "no arn", None),
        ] {
            assert_eq!(id_of(type_name, arn).as_deref(), id, "{type_name} {arn}");
        }
    }

    #[test]
    fn every_argument_of_an_id_is_one_of_its_type() {
        let facts = terrane_core::schema::Facts::new(crate::PROVIDER.facts);
        for named in NAMED {
            let Some(schema) = facts.resource(named.type_name) else {
                continue;
            };
            let forms = named.ids.iter().flat_map(|form| form.split('{').skip(1));
            let arguments = forms.filter_map(|part| Some(part.split_once('}')?.0));
            for argument in arguments.chain(named.created) {
                assert!(
                    schema.block.attributes.contains_key(argument),
                    "{}: {argument}",
                    named.type_name
                );
            }
        }
    }
}
