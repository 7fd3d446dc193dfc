//! Secrets of the configuration: a program knows where one is, and never what it is.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use crate::diagnostics::Location;
use crate::ephemeral::{Ephemeral, IntoEphemeralExpr};
use crate::expr::Expr;
use crate::input::Input;
use crate::output::Output;
use crate::typed::{FromValue, IntoValue};
use crate::value::{Number, Value};

/// The name under which a [`Secret`] asks a deserializer for its source; one that knows the name adds the place where it was set.
pub const SECRET_NAME: &str = "$terrane::Secret";

/// A secret of type `T` that the configuration names by its source: `db_password = "aws-ssm:/prod/db"`.
///
/// The value is read when a run needs it, after the whole program was checked. It has no text: neither `Debug` nor serde shows more than
/// the source. Typed setters take it as it is, also those of write-only arguments, which no state holds; elsewhere
/// [`output`](Self::output) gives it as a value that is sensitive wherever it flows.
///
/// ```
/// # use serde::Deserialize;
/// # use terrane_core::{Resource, Secret, Stack};
/// #[derive(Debug, Deserialize)]
/// struct Config {
///     db_password: Secret,
/// }
///
/// fn database(stack: &mut Stack, config: &Config) {
///     Resource::dynamic("acme_database", "main")
///         .set_write_only("password_wo", &config.db_password)
///         .set("password_wo_version", 1)
///         .declare(stack);
/// }
/// ```
///
/// It cannot be published as it is:
///
/// ```compile_fail
/// # use terrane_core::{Secret, Stack};
/// # fn f(stack: &mut Stack, password: Secret) {
/// stack.export("password", password); // does not compile: an export is stored and can be asked for
/// # }
/// ```
pub struct Secret<T = String> {
    expr: Expr,
    marker: PhantomData<fn() -> T>,
}

impl<T> Secret<T> {
    /// The value, sensitive wherever it flows.
    pub fn output(&self) -> Output<T> {
        Output::new(self.expr.clone())
    }

    /// The value for places that store nothing of it.
    pub fn ephemeral(&self) -> Ephemeral<T> {
        Ephemeral::new(self.expr.clone())
    }
}

impl<T: FromValue + IntoValue + 'static> Secret<T> {
    /// A secret that the program names itself, without the configuration.
    #[track_caller]
    pub fn from_source(source: SecretSource) -> Self {
        Self::of(source, SecretPlace::Program(Location::caller()))
    }

    /// A secret whose value is at hand; for tests.
    pub fn known(value: T) -> Self {
        Self {
            expr: Expr::Sensitive(Arc::new(Expr::Literal(value.into_value()))),
            marker: PhantomData,
        }
    }

    fn of(source: SecretSource, place: SecretPlace) -> Self {
        let reference = SecretReference {
            source,
            place,
            read: value_of::<T>,
            value: OnceLock::new(),
        };
        Self {
            expr: Expr::Secret(Arc::new(reference)),
            marker: PhantomData,
        }
    }
}

/// The value that a secret's text is for a type: the text, or what it says as JSON.
fn value_of<T: FromValue + IntoValue>(text: &str) -> Result<Value, String> {
    let whole = match T::from_value(&Value::string(text)) {
        Ok(value) => return Ok(value.into_value()),
        Err(mismatch) => mismatch,
    };
    let Ok(value) = Value::from_json_untyped(text.as_bytes()) else {
        let expected = whole.expected;
        return Err(format!("expected {expected}, found other text"));
    };
    let value = T::from_value(&value).map_err(|mismatch| mismatch.to_string())?;
    Ok(value.into_value())
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self {
            expr: self.expr.clone(),
            marker: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Secret<T> {
    /// Shows where the value comes from, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::Secret(reference) => write!(f, "Secret({})", reference.source),
            _ => f.write_str("Secret((sensitive))"),
        }
    }
}

impl<T> Serialize for Secret<T> {
    /// Writes the source, from which the same secret can be read again; of a value that is at hand only that it is one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.expr {
            Expr::Secret(reference) => serializer.collect_str(&reference.source),
            _ => serializer.serialize_str("(sensitive)"),
        }
    }
}

impl<'de, T: FromValue + IntoValue + 'static> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET_NAME, SourceVisitor(PhantomData))
    }
}

/// Takes the source as text, or with the key and the place where it was set before it.
struct SourceVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: FromValue + IntoValue + 'static> Visitor<'de> for SourceVisitor<T> {
    type Value = Secret<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Secret<T>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret<T>, E> {
        let source = text.parse().map_err(E::custom)?;
        Ok(Secret::of(source, SecretPlace::Nowhere))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Secret<T>, A::Error> {
        let mut next = || {
            parts
                .next_element::<String>()?
                .ok_or_else(|| A::Error::custom("a part is missing"))
        };
        let (key, set_in, text) = (next()?, next()?, next()?);
        let source = text.parse().map_err(A::Error::custom)?;
        Ok(Secret::of(
            source,
            SecretPlace::Configuration { key, set_in },
        ))
    }
}

impl<T> From<Secret<T>> for Input<T> {
    fn from(secret: Secret<T>) -> Self {
        Self::new(secret.expr)
    }
}

impl<T> From<&Secret<T>> for Input<T> {
    fn from(secret: &Secret<T>) -> Self {
        Self::new(secret.expr.clone())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl From<Secret<$number>> for Input<Number> {
            fn from(secret: Secret<$number>) -> Self {
                Self::new(secret.expr)
            }
        }

        impl From<&Secret<$number>> for Input<Number> {
            fn from(secret: &Secret<$number>) -> Self {
                Self::new(secret.expr.clone())
            }
        })*
    };
}
numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl<T> IntoEphemeralExpr for Secret<T> {
    fn into_ephemeral_expr(self) -> Expr {
        self.expr
    }
}

impl<T> IntoEphemeralExpr for &Secret<T> {
    fn into_ephemeral_expr(self) -> Expr {
        self.expr.clone()
    }
}

/// Where a secret is, as the configuration writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SecretSource {
    /// `env:NAME`: a variable of the environment.
    Env(String),
    /// `file:PATH`: a file's text, without the line break at its end.
    File(String),
    /// `aws-secretsmanager:ID` or `…:ID#KEY`: a secret, or one member of a secret that is a JSON object.
    AwsSecretsManager {
        /// Its name or ARN.
        id: String,
        /// The member.
        key: Option<String>,
    },
    /// `aws-ssm:NAME`: a parameter of the Parameter Store, decrypted.
    AwsSsm(String),
    /// `sops:PATH` or `sops:PATH#KEY.KEY`: a file that sops encrypted, or one value in it.
    Sops {
        /// The file.
        path: String,
        /// The keys that lead to the value, with dots between them.
        key: Option<String>,
    },
    /// `age:PATH`: a file that age encrypted.
    Age(String),
}

/// The text is no source of a secret. It repeats nothing of it, for it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the source of a secret, found other text")]
pub struct NoSecretSource;

impl NoSecretSource {
    /// What a person should write instead.
    pub const HINT: &'static str = "write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, \
        `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`";
}

impl FromStr for SecretSource {
    type Err = NoSecretSource;

    fn from_str(text: &str) -> Result<Self, NoSecretSource> {
        let (scheme, rest) = text.split_once(':').ok_or(NoSecretSource)?;
        let keyed = || match rest.rsplit_once('#') {
            Some((place, key)) => (place.to_owned(), Some(key.to_owned())),
            None => (rest.to_owned(), None),
        };
        let source = match scheme {
            "env" => Self::Env(rest.to_owned()),
            "file" => Self::File(rest.to_owned()),
            "aws-secretsmanager" => {
                let (id, key) = keyed();
                Self::AwsSecretsManager { id, key }
            }
            "aws-ssm" => Self::AwsSsm(rest.to_owned()),
            "sops" => {
                let (path, key) = keyed();
                Self::Sops { path, key }
            }
            "age" => Self::Age(rest.to_owned()),
            _ => return Err(NoSecretSource),
        };
        let (place, key) = source.parts();
        match place.is_empty() || key.is_some_and(str::is_empty) {
            true => Err(NoSecretSource),
            false => Ok(source),
        }
    }
}

impl SecretSource {
    fn parts(&self) -> (&str, Option<&str>) {
        match self {
            Self::Env(place) | Self::File(place) | Self::AwsSsm(place) | Self::Age(place) => {
                (place, None)
            }
            Self::AwsSecretsManager { id: place, key } | Self::Sops { path: place, key } => {
                (place, key.as_deref())
            }
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::AwsSecretsManager { .. } => "aws-secretsmanager",
            Self::AwsSsm(_) => "aws-ssm",
            Self::Sops { .. } => "sops",
            Self::Age(_) => "age",
        };
        let (place, key) = self.parts();
        write!(f, "{scheme}:{place}")?;
        key.map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

/// A secret in an expression: where it is, and its value once a run has read it.
pub struct SecretReference {
    source: SecretSource,
    place: SecretPlace,
    read: fn(&str) -> Result<Value, String>,
    value: OnceLock<Value>,
}

/// Where a program or its configuration names a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A key of the configuration.
    Configuration {
        /// The key, with those of the tables around it.
        key: String,
        /// The file and line, variable or flag that sets it.
        set_in: String,
    },
    /// A line of the program.
    Program(Location),
    /// Read by a deserializer that says nothing about places.
    Nowhere,
}

impl SecretReference {
    /// Where the secret is.
    pub fn source(&self) -> &SecretSource {
        &self.source
    }

    /// Where it is named.
    pub fn place(&self) -> &SecretPlace {
        &self.place
    }

    /// The value, once it was read.
    pub fn value(&self) -> Option<&Value> {
        self.value.get()
    }

    /// Takes the text that was found at the source.
    ///
    /// # Errors
    /// When it is not what the program's type holds; without a part of the text.
    pub fn fill(&self, text: &str) -> Result<(), String> {
        let value = (self.read)(text)?;
        // A secret that was read before stays as it was: a run sees one value.
        let _ = self.value.set(value);
        Ok(())
    }
}

impl fmt::Debug for SecretReference {
    /// Shows where the value comes from, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretReference({})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceAddr;
    use crate::expr::Scope;
    use crate::marks::Marked;
    use std::collections::BTreeMap;

    struct Nothing;

    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }

    fn filled<T: FromValue + IntoValue + 'static>(text: &str) -> Result<Marked, String> {
        let secret = Secret::<T>::from_source(SecretSource::Env("X".into()));
        let expr = secret.output().into_expr();
        let before = expr.evaluate(&Nothing).expect("a value");
        assert!(before.is_sensitive() && before.value.is_unknown());
        let Expr::Secret(reference) = &expr else {
            unreachable!("it has a source");
        };
        reference.fill(text)?;
        Ok(expr.evaluate(&Nothing).expect("a value"))
    }

    #[test]
    fn a_source_reads_as_it_is_written_and_anything_else_is_repeated_nowhere() {
        for text in [
            "env:DB",
            "file:/run/secrets/db",
            "aws-secretsmanager:prod/db",
            "aws-secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:db-AbC#password",
            "aws-ssm:/prod/db",
            "sops:secrets.yaml#db.password",
            "age:db.age",
        ] {
            let source: SecretSource = text.parse().expect("a source");
            assert_eq!(source.to_string(), text);
        }
        for text in ["hunter2", "env:", "aws-sm:prod/db", "sops:x#", "ENV:DB", ""] {
            let error = text.parse::<SecretSource>().expect_err("no source");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_secret_is_unknown_until_it_is_read_and_sensitive_before_and_after() {
        let text = filled::<String>("hunter2").expect("text");
        assert!(text.is_sensitive());
        assert_eq!(text.value, Value::from("hunter2"));
        assert_eq!(
            filled::<u16>("5432").expect("a number").value,
            Value::from(5432)
        );
        let map = filled::<BTreeMap<String, String>>(r#"{"user": "app"}"#).expect("a map");
        assert_eq!(map.value, Value::map([("user", Value::from("app"))]));
        let error = filled::<u16>("hunter2").expect_err("no number");
        assert_eq!(error, "expected a number, found other text");
    }

    #[test]
    fn nothing_prints_a_secret() {
        let known = Secret::known("hunter2".to_owned());
        let read: Secret = serde_json::from_str(r#""env:DB""#).expect("a source");
        let shown = format!(
            "{known:?} {read:?} {:?} {:?}",
            known.output(),
            read.ephemeral()
        );
        assert_eq!(
            shown,
            "Secret((sensitive)) Secret(env:DB) Output((literal)) Ephemeral(env:DB)"
        );
        let json = serde_json::to_string(&(known, read)).expect("JSON");
        assert_eq!(json, r#"["(sensitive)","env:DB"]"#);
        let error = serde_json::from_str::<Secret>(r#""hunter2""#).expect_err("no source");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_function_of_a_secret_waits_for_it() {
        let secret = Secret::<String>::from_source(SecretSource::Env("X".into()));
        let longer = secret.output().map(|text| format!("{text}!")).into_expr();
        let mut constants = 0;
        longer.for_each_constant(&mut |_| constants += 1);
        assert_eq!(constants, 0);
        assert!(
            longer
                .evaluate(&Nothing)
                .expect("a value")
                .value
                .is_unknown()
        );
    }
}
