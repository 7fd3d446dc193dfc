//! Conversions between Rust's types and dynamic values, for literals and for `map`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use thiserror::Error;

use crate::value::{Number, Type, Value};

/// The value is not of the Rust type that a `map` closure wants.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found}")]
#[non_exhaustive]
pub struct TypeMismatch {
    /// The value type of the Rust type.
    pub expected: &'static str,
    /// The kind of value there is. Never the value itself: it may be a secret.
    pub found: &'static str,
}

/// A Rust type that a known value converts into.
pub trait FromValue: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// When the value is of another kind.
    fn from_value(value: &Value) -> Result<Self, TypeMismatch>;

    /// The type of the values that it is read from; a list stands for a set as well.
    fn value_type() -> Type {
        Type::Dynamic
    }
}

/// A Rust type that converts into a value.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Value;
}

/// The kind of a value in words, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Unknown(_) => "an unknown value",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Set(_) => "a set",
        Value::Map(_) => "a map",
        Value::Dynamic(dynamic) => kind(&dynamic.1),
    }
}

fn mismatch(expected: &'static str, value: &Value) -> TypeMismatch {
    TypeMismatch {
        expected,
        found: kind(value),
    }
}

/// The value under a dynamic wrapper.
pub(crate) fn plain(value: &Value) -> &Value {
    match value {
        Value::Dynamic(dynamic) => plain(&dynamic.1),
        other => other,
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        Ok(value.clone())
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl FromValue for String {
    fn value_type() -> Type {
        Type::String
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        plain(value)
            .as_str()
            .map(Into::into)
            .ok_or_else(|| mismatch("a string", value))
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl FromValue for bool {
    fn value_type() -> Type {
        Type::Bool
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        plain(value)
            .as_bool()
            .ok_or_else(|| mismatch("a bool", value))
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

impl FromValue for Number {
    fn value_type() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        match plain(value) {
            Value::Number(number) => Ok(number.clone()),
            other => Err(mismatch("a number", other)),
        }
    }
}

impl IntoValue for Number {
    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

macro_rules! integers {
    ($($int:ty),*) => {
        $(impl FromValue for $int {
    fn value_type() -> Type {
        Type::Number
    }

            fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
                let number = Number::from_value(value)?;
                number
                    .to_string()
                    .parse()
                    .map_err(|_| mismatch(concat!("a number that fits ", stringify!($int)), value))
            }
        }

        impl IntoValue for $int {
            fn into_value(self) -> Value {
                Value::Number(Number::from(self))
            }
        })*
    };
}
integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl FromValue for f64 {
    fn value_type() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        Ok(Number::from_value(value)?.to_f64())
    }
}

impl IntoValue for f64 {
    /// The decimal that the program wrote: `0.1` is 0.1 and not the binary fraction nearest to it, as it would be in a configuration file.
    /// NaN and infinities, which no provider has a word for, become null.
    fn into_value(self) -> Value {
        self.to_string().parse().map_or(Value::Null, Value::Number)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn value_type() -> Type {
        T::value_type()
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, IntoValue::into_value)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn value_type() -> Type {
        Type::list(T::value_type())
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        let elements = plain(value)
            .elements()
            .ok_or_else(|| mismatch("a list", value))?;
        elements.iter().map(T::from_value).collect()
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::list(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: IntoValue, const N: usize> IntoValue for [T; N] {
    fn into_value(self) -> Value {
        Value::list(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    fn value_type() -> Type {
        Type::map(T::value_type())
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        let members = plain(value)
            .members()
            .ok_or_else(|| mismatch("a map", value))?;
        members
            .iter()
            .map(|(key, value)| Ok((key.to_string(), T::from_value(value)?)))
            .collect()
    }
}

impl<K: Into<Arc<str>>, T: IntoValue> IntoValue for BTreeMap<K, T> {
    fn into_value(self) -> Value {
        Value::map(
            self.into_iter()
                .map(|(key, value)| (key, value.into_value())),
        )
    }
}

impl<K: Into<Arc<str>>, T: IntoValue, S> IntoValue for HashMap<K, T, S> {
    fn into_value(self) -> Value {
        Value::map(
            self.into_iter()
                .map(|(key, value)| (key, value.into_value())),
        )
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),+) $length:literal),* $(,)?) => {
        $(impl<$($name: FromValue),+> FromValue for ($($name,)+) {
    fn value_type() -> Type {
        Type::Tuple([$($name::value_type()),+].into())
    }

            fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
                match plain(value).elements() {
                    Some(elements) if elements.len() == $length => {
                        Ok(($($name::from_value(&elements[$place])?,)+))
                    }
                    _ => Err(mismatch(concat!("a tuple of ", $length), value)),
                }
            }
        })*
    };
}
tuples!(
    (A 0, B 1) 2,
    (A 0, B 1, C 2) 3,
    (A 0, B 1, C 2, D 3) 4,
    (A 0, B 1, C 2, D 3, E 4) 5,
    (A 0, B 1, C 2, D 3, E 4, F 5) 6,
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6) 7,
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7) 8,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_values_survive_the_round_trip() {
        let map = BTreeMap::from([("a".to_owned(), vec![1_i64, 2])]);
        let value = map.clone().into_value();
        assert_eq!(BTreeMap::<String, Vec<i64>>::from_value(&value), Ok(map));
        assert_eq!(Option::<String>::from_value(&Value::Null), Ok(None));
    }

    #[test]
    fn a_float_is_the_decimal_that_was_written() {
        assert_eq!(
            0.1_f64.into_value(),
            Value::Number("0.1".parse().expect("a number"))
        );
        assert_eq!(f64::NAN.into_value(), Value::Null);
        assert_eq!(f64::INFINITY.into_value(), Value::Null);
    }

    #[test]
    fn a_mismatch_names_kinds_and_never_the_value() {
        let error = u8::from_value(&Value::from("hunter2")).expect_err("not a number");
        assert_eq!(error.to_string(), "expected a number, found a string");
        assert!(u8::from_value(&Value::from(256_i64)).is_err());
        assert_eq!(u64::from_value(&u64::MAX.into_value()), Ok(u64::MAX));
    }
}
