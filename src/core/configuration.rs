//! The configuration of a program, as the language sees it: something that a type can be read from.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::value::Value;

/// Reads a type from a deserializer; called again after each fault, so that all of them are found.
pub type Read<'r> =
    dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error> + 'r;

/// The source of [`Stack::config`](crate::Stack::config): `terrane_config::ConfigValues`.
///
/// A trait, so that bindings, which stand on this crate, build without the formats of configuration.
pub trait Configuration: fmt::Debug + Send + Sync {
    /// Lets `read` read a type.
    ///
    /// # Errors
    /// Everything that does not fit the type.
    fn read(&self, read: &mut Read<'_>) -> Result<(), Diagnostics>;

    /// Every key that was read, with the value that won; a value given as text is text, unless it is a list or a table as JSON.
    fn chosen(&self) -> BTreeMap<String, Value>;
}

impl dyn Configuration + '_ {
    /// The configuration as a type.
    ///
    /// # Errors
    /// Everything that does not fit the type.
    pub fn deserialize<C: DeserializeOwned>(&self) -> Result<C, Diagnostics> {
        let mut config = None;
        self.read(&mut |source| {
            config = Some(erased_serde::deserialize(source)?);
            Ok(())
        })?;
        Ok(config.expect("invariant: a configuration that refuses a type says why"))
    }
}

/// No configuration, for programs that read none.
#[derive(Debug, Clone, Copy)]
pub struct NoConfig;

impl Configuration for NoConfig {
    fn read(&self, _: &mut Read<'_>) -> Result<(), Diagnostics> {
        Err(Diagnostic::error("this program is made without a configuration").into())
    }

    fn chosen(&self) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }
}
