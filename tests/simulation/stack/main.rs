//! The stack program that dies for real: a few VPCs, and secrets wherever a program can have them.

use std::process::ExitCode;

use serde::Deserialize;
use terrane::{Cli, IntoExpr as _, Result, Stack};
use terrane_aws::{Provider, ec2};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    count: u8,
    network: u8,
    version: u32,
    create_first: bool,
    /// Never shown anywhere.
    secrets: Vec<String>,
}

const CONFIG: &str = "count = 2\nnetwork = 0\nversion = 1\ncreate_first = false\nsecrets = []\n";

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
    for n in 0..config.count {
        let mut tags = vec![
            ("Name".to_owned(), format!("aws_vpc.v{n}")),
            ("version".to_owned(), config.version.to_string()),
        ];
        let secrets = config.secrets.iter().skip(1).enumerate();
        let mine = secrets.filter(|(place, _)| place % usize::from(config.count) == usize::from(n));
        tags.extend(mine.map(|(place, secret)| (format!("secret{place}"), secret.clone())));
        let tags: terrane::Output<std::collections::BTreeMap<String, String>> =
            terrane::Output::new(std::collections::BTreeMap::from_iter(tags).into_expr())
                .sensitive();
        let mut vpc = ec2::Vpc::builder(format!("v{n}"))
            .cidr_block(format!("10.{}.0.0/16", config.network))
            .tags(tags);
        if config.create_first {
            vpc = vpc.lifecycle(terrane::Lifecycle::new().create_before_destroy());
        }
        vpc.declare(stack);
    }
    Ok(())
}
