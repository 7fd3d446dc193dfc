//! The error of a configuration type whose value does not fit. It repeats no value, but for a name that should be a variant's.

use std::fmt;

use serde::de::{self, Unexpected};

/// Why a value did not become the type that asked for it.
#[derive(Debug, Clone)]
pub(super) struct Mismatch {
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A key without a default was not set; the path leads to the table that lacks it.
    Missing(&'static str),
    /// Another kind of value was expected.
    Expected {
        expected: String,
        found: &'static str,
    },
    /// Text for a list or a table that is not JSON.
    NotJson { expected: String },
    /// Something else in place of the source of a secret; perhaps the secret.
    NoSecretSource(&'static str),
    /// A name that is none of those.
    Unknown {
        name: String,
        known: &'static [&'static str],
    },
    /// The type's own words.
    Message(String),
}

impl Mismatch {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    pub(super) fn expected(expected: impl Into<String>, found: &'static str) -> Self {
        Self::new(Kind::Expected {
            expected: expected.into(),
            found,
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Missing(name) => write!(f, "`{name}` is missing"),
            Kind::Expected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Kind::NotJson { expected } => {
                write!(f, "expected {expected}, found text that is not JSON")
            }
            Kind::NoSecretSource(found) => {
                write!(f, "expected the source of a secret, found {found}")
            }
            Kind::Unknown { name, known } => {
                write!(f, "`{name}` is none of ")?;
                for (place, known) in known.iter().enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(f, "{separator}`{known}`")?;
                }
                Ok(())
            }
            Kind::Message(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Message(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::expected(in_words(&expected.to_string()), kind(found))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => "another number",
            Unexpected::Str(_) | Unexpected::Char(_) => "another text",
            other => kind(other),
        };
        Self::expected(in_words(&expected.to_string()), found)
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        Self::expected(
            in_words(&expected.to_string()),
            "another number of elements",
        )
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown {
            name: variant.to_owned(),
            known: expected,
        })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown {
            name: field.to_owned(),
            known: expected,
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a bool",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "another kind of value",
    }
}

/// The name of a Rust type in a configuration file.
pub(super) fn in_words(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "u128" | "usize" => "a whole number, not negative".into(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a sequence" => "a list".into(),
        "a map" => "a table".into(),
        other if other.starts_with("struct ") => "a table".into(),
        other => other.into(),
    }
}
