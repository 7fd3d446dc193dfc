//! The staging platform: `staging-stack up`, `preview`, `destroy`, …

use std::process::ExitCode;

use terrane::{Cli, Result, Stack};
use terrane_platform::{Config, Platform, state_backend};

fn main() -> ExitCode {
    Cli::stack("staging")
        .config_file(include_str!("staging.toml"))
        .backend(state_backend("staging"))
        .run(platform)
}

fn platform(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    Platform::declare(stack, &config)?.export(stack);
    Ok(())
}
