//! A stack whose state may lie in a shared folder.

use std::process::ExitCode;

use terrane::{Cli, Resource, Result, Stack};
use terrane_share::ShareFactory;

fn main() -> ExitCode {
    Cli::stack("share").backends(ShareFactory).run(stack)
}

fn stack(stack: &mut Stack) -> Result<()> {
    for name in ["first", "second"] {
        Resource::dynamic("terraform_data", name)
            .set("input", name)
            .declare(stack);
    }
    Ok(())
}
