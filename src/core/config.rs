//! Typed configuration of a stack, layered from defaults, files, environment and flags.

use serde::de::DeserializeOwned;

use crate::diagnostics::{Diagnostic, Diagnostics};

/// The configuration values that a stack was started with.
#[derive(Debug, Clone, Default)]
pub struct ConfigValues {}

impl ConfigValues {
    /// The values as a type of the user's.
    ///
    /// # Errors
    /// When a key is unknown, missing or of the wrong type.
    pub fn deserialize<C: DeserializeOwned>(&self) -> Result<C, Diagnostics> {
        toml::from_str("").map_err(|error| Diagnostic::error(error.to_string()).into())
    }
}
