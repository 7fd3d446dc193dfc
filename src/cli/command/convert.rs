//! `convert`: what the tool `terrane-convert` does, where it is installed. A stack needs no HCL, and carries none of it.

use std::io::ErrorKind;
use std::process::Command;

use terrane_core::Diagnostic;

use crate::args::Convert;
use crate::error::CommandError;
use crate::exit_code::Exit;

const TOOL: &str = "terrane-convert";

pub(super) fn run(arguments: &Convert) -> Result<Exit, CommandError> {
    let ended = Command::new(TOOL).args(&arguments.arguments).status();
    let ended = ended.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let missing = Diagnostic::error(format!("`{TOOL}` is not installed"));
            missing.hint(format!("install it with `cargo install {TOOL}`"))
        }
        _ => Diagnostic::error(format!("cannot start `{TOOL}`")).detail(error.to_string()),
    })?;
    Ok(match ended.code() {
        Some(0) => Exit::DONE,
        // The program's plan differs from Terraform's, or would change what exists.
        Some(2) => Exit::CHANGES,
        _ => Exit::FAILED,
    })
}
