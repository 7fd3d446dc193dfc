//! Security groups, volumes, instances and networks.

use terrane_aws::ec2;
use terrane_core::policy::{Fact, Planned};
use terrane_core::value::Number;
use terrane_core::{Output, Policy, Resource, Value};

use crate::check::{require_on, require_set};

/// Every address of the internet.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// Nobody from the internet reaches a port but these.
#[track_caller]
pub fn no_open_ingress(ports: &[u16]) -> Policy {
    let ports = ports.to_vec();
    Policy::new("no ingress from everywhere", move |plan| {
        for group in plan.of::<ec2::SecurityGroup>() {
            let ingress = group.ingress();
            match group.get(&ingress) {
                // Rules of their own leave it to the provider.
                Fact::Unknown if !group.sets("ingress") => {}
                Fact::Unknown => group.undecided_in(&ingress, OPEN),
                Fact::Absent => {}
                Fact::Known(rules) => {
                    for rule in &rules {
                        let sources = ["cidr_blocks", "ipv6_cidr_blocks"];
                        let sources = sources.map(|name| rule.get(name));
                        let range = [rule.get("from_port"), rule.get("to_port")];
                        judge(&group, &ingress, &sources, range, &ports);
                    }
                }
            }
        }
        for rule in plan.of::<ec2::SecurityGroupRule>() {
            if rule.get(&rule.r#type()).is("ingress") {
                ingress_rule(&rule, &["cidr_blocks", "ipv6_cidr_blocks"], &ports);
            }
        }
        for rule in plan.of::<ec2::VpcSecurityGroupIngressRule>() {
            ingress_rule(&rule, &["cidr_ipv4", "cidr_ipv6"], &ports);
        }
    })
    .hint("name the networks or security groups that need it")
}

const OPEN: &str = "everybody on the internet can reach it";

/// Looks at a rule that is a resource of its own.
fn ingress_rule<R: AsRef<Resource>>(rule: &Planned<'_, R>, sources: &[&str], ports: &[u16]) {
    let handle: &Resource = (**rule).as_ref();
    let value = |name: &str| match rule.get(&handle.attribute::<Value>(name)) {
        Fact::Known(value) => value,
        // A source that the program leaves out is no source.
        Fact::Unknown if rule.sets(name) => Value::UNKNOWN,
        Fact::Unknown | Fact::Absent => Value::Null,
    };
    let range = [value("from_port"), value("to_port")];
    for source in sources {
        let found = value(source);
        let attribute = handle.attribute::<Value>(source);
        judge(
            rule,
            &attribute,
            &[Some(&found)],
            range.each_ref().map(Some),
            ports,
        );
    }
}

fn judge<R, V>(
    resource: &Planned<'_, R>,
    attribute: &Output<V>,
    sources: &[Option<&Value>],
    range: [Option<&Value>; 2],
    ports: &[u16],
) {
    let texts = sources.iter().flatten().flat_map(|source| match source {
        one @ Value::String(_) => std::slice::from_ref(*one),
        many => many.elements().unwrap_or_default(),
    });
    let anywhere = |value: &Value| value.as_str().is_some_and(|text| ANYWHERE.contains(&text));
    let is_open = texts.clone().any(anywhere);
    let is_unknown = sources
        .iter()
        .flatten()
        .any(|source| !source.is_wholly_known());
    let allowed = match range.map(|end| end.and_then(port)) {
        [Some(from), Some(to)] => from == to && ports.contains(&from),
        _ => false,
    };
    if is_open && !allowed {
        resource.violates_in(attribute, OPEN);
    } else if is_unknown && !allowed {
        resource.undecided_in(attribute, OPEN);
    }
}

fn port(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => Number::to_string(number).parse().ok(),
        _ => None,
    }
}

/// Each volume is encrypted: by itself, of an instance, or of a launch template.
#[track_caller]
pub fn volumes_are_encrypted() -> Policy {
    const OPEN: &str = "it is not encrypted";
    Policy::new("volumes are encrypted", |plan| {
        for volume in plan.of::<ec2::EbsVolume>() {
            require_on(&volume, "encrypted", OPEN);
        }
        for instance in plan.of::<ec2::Instance>() {
            require_on(
                &instance,
                "root_block_device[0].encrypted",
                "its root volume is not encrypted",
            );
        }
    })
    .hint("set `encrypted` to `true`")
}

/// Instances and launch templates answer for their metadata only to requests with a token (IMDSv2).
#[track_caller]
pub fn instances_require_tokens() -> Policy {
    const OPEN: &str = "a forged request can read its credentials (IMDSv1)";
    const TOKENS: &str = "metadata_options[0].http_tokens";
    let required = |tokens: Option<String>| tokens.as_deref() == Some("required");
    Policy::new("instance metadata needs a token", move |plan| {
        for instance in plan.of::<ec2::Instance>() {
            require_set(&instance, TOKENS, OPEN, required);
        }
        for template in plan.of::<ec2::LaunchTemplate>() {
            require_set(&template, TOKENS, OPEN, required);
        }
    })
    .hint("set `http_tokens` in `metadata_options` to `required`")
}

/// No instance has a public address, and no subnet gives one to everything in it.
#[track_caller]
pub fn no_public_addresses() -> Policy {
    Policy::new("no public addresses", |plan| {
        let off = |on: Option<bool>| on != Some(true);
        for instance in plan.of::<ec2::Instance>() {
            // Left to AWS, the subnet decides.
            if instance.sets("associate_public_ip_address") {
                let public = instance.associate_public_ip_address();
                instance.require(&public, "it has a public address", off);
            }
        }
        for subnet in plan.of::<ec2::Subnet>() {
            let public = subnet.map_public_ip_on_launch();
            subnet.require(&public, "everything in it gets a public address", off);
        }
    })
}

/// The traffic of each network is logged.
#[track_caller]
pub fn networks_have_flow_logs() -> Policy {
    Policy::new("networks have flow logs", |plan| {
        let logs = plan.attached::<ec2::FlowLog>("vpc_id");
        for vpc in plan.of::<ec2::Vpc>() {
            let is_logged = logs.to(&vpc, &[vpc.id()]).next().is_some();
            if !is_logged {
                match logs.is_open() {
                    true => vpc.undecided("its traffic is not logged"),
                    false => vpc.violates("its traffic is not logged"),
                }
            }
        }
    })
    .hint("declare a `FlowLog` with its `vpc_id`")
}

/// Each security group says what it is for.
#[track_caller]
pub fn security_groups_are_described() -> Policy {
    Policy::new("security groups are described", |plan| {
        for group in plan.of::<ec2::SecurityGroup>() {
            let description = group.description();
            group.require(&description, "it does not say what it is for", |text| {
                text.is_some_and(|text| !text.is_empty() && text != "Managed by Terraform")
            });
        }
    })
    .hint("set `description`; a change of it replaces the group")
}
