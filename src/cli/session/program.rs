//! The program: configuration in its layers, then the stack's function.

use std::path::Path;
use std::sync::Arc;

use terrane_core::{ConfigValues, Diagnostic, Diagnostics, Program};

use super::Session;
use crate::error::CommandError;
use crate::exit_code::Exit;

/// The variable that points everything at an emulator.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";

impl Session<'_> {
    /// Runs the stack's function and checks what it declared.
    pub(crate) fn program(&self) -> Result<Program, CommandError> {
        let config = Arc::new(self.config().map_err(|diagnostics| CommandError {
            exit: Exit::USAGE,
            diagnostics,
        })?);
        let program = Program::from_fn(|stack| (self.function)(stack), config.clone());
        let mut program = program.map_err(|diagnostics| CommandError {
            exit: if config.was_refused() {
                Exit::USAGE
            } else {
                Exit::FAILED
            },
            diagnostics,
        })?;
        if !config.was_read()
            && let Some((key, source)) = config.sources().next()
        {
            let unread =
                Diagnostic::error(format!("`{key}` is no configuration key of this stack")).detail(
                    format!("it is set by {source}, and the program reads no configuration"),
                );
            return Err(CommandError::usage(unread));
        }
        if let Some(url) = self.environment.get(ENDPOINT_VARIABLE)
            && !self.common.sandbox
        {
            program.redirect(url);
        }
        Ok(program)
    }

    /// Default < `<stack>.toml` < `TERRANE_VAR_<NAME>` < `--var-file` < `--var`.
    fn config(&self) -> Result<ConfigValues, Diagnostics> {
        let mut values = ConfigValues::new();
        if let Some(text) = self.config {
            values.add_toml(&format!("{}.toml", self.stack), text)?;
        }
        values.add_environment(self.environment.vars.clone());
        for file in &self.common.var_files {
            values.add_file(&file.display().to_string(), &read(file)?)?;
        }
        for variable in &self.common.vars {
            values.add_flag(&format!("{}={}", variable.name, variable.value))?;
        }
        Ok(values)
    }
}

fn read(file: &Path) -> Result<String, Diagnostics> {
    std::fs::read_to_string(file).map_err(|error| {
        Diagnostic::error(format!("cannot read {}", file.display()))
            .detail(error.to_string())
            .into()
    })
}
