//! The production stack, as the tests of the sandbox run it.

use std::process::ExitCode;

use terrane::{Cli, Result, Stack};
use terrane_platform::{Config, Platform};

fn main() -> ExitCode {
    Cli::stack("prod").run(platform)
}

fn platform(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    Platform::declare(stack, &config)?.export(stack);
    Ok(())
}
