//! The values that a stack was started with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use terrane_core::configuration::{Configuration, Read};
use terrane_core::{Diagnostic, Diagnostics, Value};

use crate::{document, layers};

/// The start of the environment variables that set a configuration key: `TERRANE_VAR_AWS_REGION` sets `aws_region`.
pub const VARIABLE_PREFIX: &str = "TERRANE_VAR_";

/// The configuration values that a stack was started with, in layers: a later layer wins, key by key.
///
/// Values of environment variables and flags are text, and become values of the requested type: text, a number, a bool, or for a list or
/// a table what the text says as JSON. Add in the order: `<stack>.toml`, environment, files, flags.
#[derive(Clone, Default)]
pub struct ConfigValues {
    pub(super) entries: Vec<Entry>,
    fate: Arc<Fate>,
}

/// How reading went; clones share it.
#[derive(Default)]
struct Fate {
    read: AtomicBool,
    refused: AtomicBool,
    chosen: Mutex<BTreeMap<String, Value>>,
}

/// One key of one layer.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where it was set, for messages: `prod.toml:3`, `TERRANE_VAR_X`, `--var`.
    pub(super) source: String,
    pub(super) given: Given,
    pub(super) case: KeyCase,
}

/// A value as it was given.
#[derive(Clone)]
pub(super) enum Given {
    /// By a document, with a type.
    Value(Value),
    /// As text, whose meaning depends on the type.
    Text(String),
}

/// Environment variables are in capitals, whatever the key is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyCase {
    Exact,
    Any,
}

impl Given {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Text(text) if text.trim_start().starts_with(['[', '{']) => {
                Value::from_json_untyped(text.as_bytes()).unwrap_or_else(|_| Value::string(text))
            }
            Self::Text(text) => Value::string(text),
        }
    }
}

impl ConfigValues {
    /// No values: every key has its default, or is missing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the keys of a TOML document; `source` names it in messages, for example `prod.toml`.
    ///
    /// # Errors
    /// When it is not TOML, or a key is in it twice; with file and line.
    pub fn add_toml(&mut self, source: &str, text: &str) -> Result<(), Diagnostics> {
        self.entries.extend(document::toml(source, text)?);
        Ok(())
    }

    /// Adds the keys of a JSON object; `source` names it in messages.
    ///
    /// # Errors
    /// When it is not a JSON object; with file and line.
    pub fn add_json(&mut self, source: &str, text: &str) -> Result<(), Diagnostics> {
        self.entries.extend(document::json(source, text)?);
        Ok(())
    }

    /// Adds a file of `--var-file`: JSON if its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    /// When it is neither; with file and line.
    pub fn add_file(&mut self, name: &str, text: &str) -> Result<(), Diagnostics> {
        if name.to_ascii_lowercase().ends_with(".json") {
            self.add_json(name, text)
        } else {
            self.add_toml(name, text)
        }
    }

    /// Adds the variables of an environment whose names start with [`VARIABLE_PREFIX`]. The rest of the name is the key, in capitals
    /// or not.
    pub fn add_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        let variables = variables.into_iter();
        self.entries.extend(variables.filter_map(|(name, text)| {
            let key = name
                .strip_prefix(VARIABLE_PREFIX)
                .filter(|key| !key.is_empty())?;
            let key = key.to_owned();
            Some(Entry {
                key,
                source: name,
                given: Given::Text(text),
                case: KeyCase::Any,
            })
        }));
    }

    /// Adds the argument of `--var`: `NAME=VALUE`.
    ///
    /// # Errors
    /// When there is no `=` or no name.
    pub fn add_flag(&mut self, argument: &str) -> Result<(), Diagnostics> {
        let parts = argument
            .split_once('=')
            .map(|(key, text)| (key.trim(), text));
        let Some((key, text)) = parts.filter(|(key, _)| !key.is_empty()) else {
            return Err(Diagnostic::error("`--var` needs a name and a value")
                .hint("write it as `--var NAME=VALUE`")
                .into());
        };
        let (key, source, given) = (
            key.to_owned(),
            "--var".to_owned(),
            Given::Text(text.to_owned()),
        );
        self.entries.push(Entry {
            key,
            source,
            given,
            case: KeyCase::Exact,
        });
        Ok(())
    }

    /// The values as a type of the user's.
    ///
    /// Keys that the type does not know are refused, at every depth, whether or not it says `deny_unknown_fields`. A key that was not
    /// set has the type's default (`#[serde(default)]`) or is missing; an `Option` may be missing, and `null` as text is none.
    ///
    /// # Errors
    /// Every unknown key, every value that does not fit, and the first key that is missing; each with its name, the place where it was
    /// set, the kind of value that was expected, and the keys there are. No value is repeated, for it may be a secret.
    pub fn deserialize<C: DeserializeOwned>(&self) -> Result<C, Diagnostics> {
        (self as &dyn Configuration).deserialize()
    }

    /// Whether nothing was configured at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a type was asked for. Values that are never read are as wrong as an unknown key.
    pub fn was_read(&self) -> bool {
        self.fate.read.load(Ordering::Relaxed)
    }

    /// Whether the values did not fit the type that was asked for: the mistake is in the configuration, not in the program.
    pub fn was_refused(&self) -> bool {
        self.fate.refused.load(Ordering::Relaxed)
    }

    /// Every key that was set, with the place where.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.source.as_str()))
    }
}

impl Configuration for ConfigValues {
    fn read(&self, read: &mut Read<'_>) -> Result<(), Diagnostics> {
        self.fate.read.store(true, Ordering::Relaxed);
        match layers::read(self, read) {
            Ok(chosen) => {
                let kept = self.fate.chosen.lock();
                *kept.unwrap_or_else(PoisonError::into_inner) = chosen;
                Ok(())
            }
            Err(diagnostics) => {
                self.fate.refused.store(true, Ordering::Relaxed);
                Err(diagnostics)
            }
        }
    }

    fn chosen(&self) -> BTreeMap<String, Value> {
        let chosen = self.fate.chosen.lock();
        chosen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for ConfigValues {
    /// Keys and where they come from, never values: there may be secrets among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sources()).finish()
    }
}
