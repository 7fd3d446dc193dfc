//! The production platform: `prod-stack up`, `preview`, `destroy`, …

use std::process::ExitCode;

use terrane::{Cli, Result, Stack};
use terrane_platform::{Config, Platform, state_backend};

fn main() -> ExitCode {
    Cli::stack("prod")
        .config_file(include_str!("prod.toml"))
        .backend(state_backend("prod"))
        .run(platform)
}

fn platform(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    Platform::declare(stack, &config)?.export(stack);
    Ok(())
}
