//! What AWS refuses, in its words.

use ipnet::Ipv4Net;
use terrane_core::Value;
use terrane_core::value::Map;

use super::text;
use crate::cloud::Cloud;

/// Whether an object may be made or changed so.
///
/// # Errors
/// AWS's refusal.
pub(crate) fn may_exist(
    type_name: &str,
    object: &Map,
    prior: Option<&Map>,
    cloud: &Cloud,
) -> Result<(), String> {
    let creating = prior.is_none();
    let taken = |argument: &str| {
        let name = text(object, argument);
        let same = |other: &Value| other.get(argument).and_then(Value::as_str) == Some(&name);
        creating && !name.is_empty() && cloud.all(type_name).any(same)
    };
    let named = |argument: &str| text(object, argument);
    match type_name {
        "aws_vpc" => block(object).map(|_| ()),
        "aws_subnet" if creating => subnet(object, cloud),
        "aws_s3_bucket" if taken("bucket") => Err(format!(
            "creating S3 Bucket ({}): BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it.",
            named("bucket")
        )),
        "aws_iam_role" if taken("name") => Err(format!(
            "creating IAM Role ({0}): EntityAlreadyExists: Role with name {0} already exists.",
            named("name")
        )),
        "aws_iam_policy" if taken("name") => Err(format!(
            "creating IAM Policy ({0}): EntityAlreadyExists: A policy called {0} already exists. Duplicate names are not allowed.",
            named("name")
        )),
        "aws_ecr_repository" if taken("name") => Err(format!(
            "creating ECR Repository ({0}): RepositoryAlreadyExistsException: The repository with name '{0}' already exists in the registry",
            named("name")
        )),
        "aws_cloudwatch_log_group" if taken("name") => Err(format!(
            "creating CloudWatch Logs Log Group ({}): ResourceAlreadyExistsException: The specified log group already exists",
            named("name")
        )),
        "aws_eks_cluster" if taken("name") => Err(format!(
            "creating EKS Cluster ({0}): ResourceInUseException: Cluster already exists with name: {0}",
            named("name")
        )),
        _ => exists(object, cloud),
    }
}

/// References by id lead to something.
fn exists(object: &Map, cloud: &Cloud) -> Result<(), String> {
    for (argument, type_name, code) in [
        ("vpc_id", "aws_vpc", "InvalidVpcID.NotFound: The vpc ID"),
        (
            "subnet_id",
            "aws_subnet",
            "InvalidSubnetID.NotFound: The subnet ID",
        ),
        (
            "route_table_id",
            "aws_route_table",
            "InvalidRouteTableID.NotFound: The routeTable ID",
        ),
        (
            "security_group_id",
            "aws_security_group",
            "InvalidGroup.NotFound: The security group",
        ),
    ] {
        let id = text(object, argument);
        if !id.is_empty() && cloud.get(type_name, &id).is_none() {
            return Err(format!("{code} '{id}' does not exist"));
        }
    }
    Ok(())
}

fn block(object: &Map) -> Result<Ipv4Net, String> {
    let written = text(object, "cidr_block");
    written.parse().map_err(|_| {
        format!("InvalidParameterValue: Value ({written}) for parameter cidrBlock is invalid. This is not a valid CIDR block.")
    })
}

fn subnet(object: &Map, cloud: &Cloud) -> Result<(), String> {
    exists(object, cloud)?;
    let own = block(object)?;
    let vpc_id = text(object, "vpc_id");
    let vpc = cloud.get("aws_vpc", &vpc_id).and_then(Value::members);
    let invalid = || format!("InvalidSubnet.Range: The CIDR '{own}' is invalid.");
    if !(16..=28).contains(&own.prefix_len()) {
        return Err(format!("creating EC2 Subnet: {}", invalid()));
    }
    if let Some(vpc) = vpc
        && !block(vpc)?.contains(&own)
    {
        return Err(format!("creating EC2 Subnet: {}", invalid()));
    }
    for other in cloud.all("aws_subnet").filter_map(Value::members) {
        if text(other, "vpc_id") == vpc_id
            && let Ok(theirs) = block(other)
            && (theirs.contains(&own) || own.contains(&theirs))
        {
            return Err(format!(
                "creating EC2 Subnet: InvalidSubnet.Conflict: The CIDR '{own}' conflicts with another subnet"
            ));
        }
    }
    Ok(())
}

/// Whether an object may go.
///
/// # Errors
/// AWS's refusal.
pub(crate) fn may_be_deleted(type_name: &str, object: &Value, cloud: &Cloud) -> Result<(), String> {
    let own = |name: &str| {
        object
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let id = own("id");
    let used_by = |users: &[(&str, &str)], value: &str| {
        users.iter().any(|(type_name, argument)| {
            let refers = |user: &Value| user.get(argument).is_some_and(|found| holds(found, value));
            cloud.all(type_name).any(refers)
        })
    };
    let violation = |what: &str| {
        Err(format!(
            "deleting {what} ({id}): DependencyViolation: {what} '{id}' has dependencies and cannot be deleted."
        ))
    };
    match type_name {
        "aws_vpc" => {
            let inside = [
                ("aws_subnet", "vpc_id"),
                ("aws_internet_gateway", "vpc_id"),
                ("aws_security_group", "vpc_id"),
                ("aws_route_table", "vpc_id"),
            ];
            if used_by(&inside, &id) {
                violation("vpc")
            } else {
                Ok(())
            }
        }
        "aws_subnet" => {
            let inside = [
                ("aws_nat_gateway", "subnet_id"),
                ("aws_eks_node_group", "subnet_ids"),
            ];
            if used_by(&inside, &id) {
                violation("subnet")
            } else {
                Ok(())
            }
        }
        "aws_security_group" => {
            let users = [("aws_security_group_rule", "source_security_group_id")];
            if used_by(&users, &id) {
                violation("security group")
            } else {
                Ok(())
            }
        }
        "aws_route_table" => {
            let users = [("aws_route_table_association", "route_table_id")];
            if used_by(&users, &id) {
                violation("routeTable")
            } else {
                Ok(())
            }
        }
        "aws_eip" if used_by(&[("aws_nat_gateway", "allocation_id")], &id) => Err(format!(
            "disassociating EC2 EIP ({id}): AuthFailure: You do not have permission to access the specified resource."
        )),
        "aws_iam_role" => {
            let users = [
                ("aws_iam_role_policy_attachment", "role"),
                ("aws_iam_role_policy", "role"),
            ];
            if used_by(&users, &own("name")) {
                return Err(format!(
                    "deleting IAM Role ({id}): DeleteConflict: Cannot delete entity, must detach all policies first."
                ));
            }
            Ok(())
        }
        "aws_iam_policy" if used_by(&[("aws_iam_role_policy_attachment", "policy_arn")], &id) => {
            Err(format!(
                "deleting IAM Policy ({id}): DeleteConflict: Cannot delete a policy attached to entities."
            ))
        }
        "aws_eks_cluster" if used_by(&[("aws_eks_node_group", "cluster_name")], &own("name")) => {
            Err(format!(
                "deleting EKS Cluster ({id}): ResourceInUseException: Cluster has nodegroups attached"
            ))
        }
        _ => Ok(()),
    }
}

/// Whether a value is that text or a collection with it.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => &**found == text,
        Value::List(elements) | Value::Set(elements) => {
            elements.iter().any(|element| holds(element, text))
        }
        _ => false,
    }
}
