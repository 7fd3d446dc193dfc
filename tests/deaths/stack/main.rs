//! The stack program that dies for real: a few VPCs, or objects of many types with owner tags; and secrets wherever a program can have them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Deserialize;
use terrane::{Cli, IntoExpr as _, Lifecycle, Output, Result, Stack};
use terrane_aws::{Provider, ec2, iam, s3};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    count: u8,
    network: u8,
    version: u32,
    create_first: bool,
    /// Objects that carry owner tags.
    objects: Vec<Object>,
    /// Never shown anywhere.
    secrets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    kind: Kind,
    label: String,
    /// Another number is another object: it is part of the arguments that cannot change in place.
    number: u8,
    /// Part of the arguments that may change in place.
    version: u32,
    /// The label of the VPC that it is in.
    #[serde(default)]
    on: String,
    create_first: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Vpc,
    Subnet,
    Group,
    Bucket,
    Role,
}

const CONFIG: &str =
    "count = 2\nnetwork = 0\nversion = 1\ncreate_first = false\nobjects = []\nsecrets = []\n";

fn main() -> ExitCode {
    Cli::stack("mortal").config_file(CONFIG).run(mortal)
}

fn mortal(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    let mut provider = Provider::builder().region("us-east-1");
    if let Some(secret) = config.secrets.first() {
        provider = provider.secret_key(secret.clone());
    }
    stack.provider(provider);
    if !config.objects.is_empty() {
        return objects(stack, &config);
    }
    for n in 0..config.count {
        let mut tags = vec![
            ("Name".to_owned(), format!("aws_vpc.v{n}")),
            ("version".to_owned(), config.version.to_string()),
        ];
        let secrets = config.secrets.iter().skip(1).enumerate();
        let mine = secrets.filter(|(place, _)| place % usize::from(config.count) == usize::from(n));
        tags.extend(mine.map(|(place, secret)| (format!("secret{place}"), secret.clone())));
        let tags = secret(tags);
        let mut vpc = ec2::Vpc::builder(format!("v{n}"))
            .cidr_block(format!("10.{}.0.0/16", config.network))
            .tags(tags);
        if config.create_first {
            vpc = vpc.lifecycle(Lifecycle::new().create_before_destroy());
        }
        vpc.declare(stack);
    }
    Ok(())
}

/// Secret tags.
fn secret(tags: impl IntoIterator<Item = (String, String)>) -> Output<BTreeMap<String, String>> {
    Output::new(BTreeMap::from_iter(tags).into_expr()).sensitive()
}

fn objects(stack: &mut Stack, config: &Config) -> Result<()> {
    stack.owner_tags(true);
    let network = |label: &str| {
        let mut vpcs = config.objects.iter();
        vpcs.find(|object| object.label == label)
            .map_or(0, |vpc| vpc.number)
    };
    let mut vpcs = BTreeMap::new();
    for (place, object) in config.objects.iter().enumerate() {
        let Object {
            kind,
            label,
            number,
            ..
        } = object;
        let kind_name = match kind {
            Kind::Vpc => "aws_vpc",
            Kind::Subnet => "aws_subnet",
            Kind::Group => "aws_security_group",
            Kind::Bucket => "aws_s3_bucket",
            Kind::Role => "aws_iam_role",
        };
        let mut tags = vec![
            ("Name".to_owned(), format!("{kind_name}.{label}")),
            ("version".to_owned(), object.version.to_string()),
        ];
        let secrets = config.secrets.iter().skip(1).cycle();
        tags.extend(
            secrets
                .skip(place)
                .take(2)
                .enumerate()
                .map(|(n, secret)| (format!("secret{n}"), secret.clone())),
        );
        let tags = secret(tags);
        let vpc_id = |vpcs: &BTreeMap<&str, Output<String>>| vpcs[&*object.on].clone();
        match kind {
            Kind::Vpc => {
                let mut vpc = ec2::Vpc::builder(label)
                    .cidr_block(format!("10.{number}.0.0/16"))
                    .tags(tags);
                if object.create_first {
                    vpc = vpc.lifecycle(Lifecycle::new().create_before_destroy());
                }
                let vpc = vpc.declare(stack);
                vpcs.insert(&**label, vpc.id());
            }
            Kind::Subnet => {
                let network = network(&object.on);
                ec2::Subnet::builder(label)
                    .vpc_id(vpc_id(&vpcs))
                    .cidr_block(format!("10.{network}.{number}.0/24"))
                    .tags(tags)
                    .declare(stack);
            }
            Kind::Group => {
                ec2::SecurityGroup::builder(label)
                    .vpc_id(vpc_id(&vpcs))
                    .name(format!("{label}-{number}"))
                    .tags(tags)
                    .declare(stack);
            }
            Kind::Bucket => {
                s3::Bucket::builder(label)
                    .bucket(format!("{label}-{number}"))
                    .tags(tags)
                    .declare(stack);
            }
            Kind::Role => {
                let anyone = r#"{"Version":"2012-10-17","Statement":[]}"#;
                iam::Role::builder(label)
                    .assume_role_policy(anyone)
                    .name(format!("{label}-{number}"))
                    .tags(tags)
                    .declare(stack);
            }
        }
    }
    Ok(())
}
