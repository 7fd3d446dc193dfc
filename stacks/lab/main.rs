//! A network and buckets for notebooks, without a cluster: `lab-stack up`, `preview`, `destroy`, …

use std::process::ExitCode;

use terrane::{Cli, Result, Stack};
use terrane_platform::{Config, Network, Storage, declare_provider, state_backend};

fn main() -> ExitCode {
    Cli::stack("lab")
        .config_file("environment = \"lab\"")
        .backend(state_backend("lab"))
        .run(lab)
}

pub(crate) fn lab(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    config.check()?;
    declare_provider(stack, &config);
    let network = Network::declare(stack, &config)?;
    let storage = Storage::declare(stack, &config, None);
    stack.export("private_subnet_ids", network.private_subnet_ids());
    stack.export("s3_data_bucket_name", storage.data.bucket());
    Ok(())
}
