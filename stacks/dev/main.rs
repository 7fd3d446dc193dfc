//! The development platform: `dev-stack up`, `preview`, `destroy`, …

use std::process::ExitCode;

use terrane::{Cli, Result, Stack};
use terrane_platform::{Config, Platform, state_backend};

fn main() -> ExitCode {
    Cli::stack("dev")
        .config_file(include_str!("dev.toml"))
        .backend(state_backend("dev"))
        .run(platform)
}

fn platform(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    Platform::declare(stack, &config)?.export(stack);
    Ok(())
}
