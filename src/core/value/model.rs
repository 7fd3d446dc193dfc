//! The dynamic value that travels between a program, the engine and a provider.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

use super::{Number, Path, PathStep, Refinements, Type};

/// The members of a map or an object, ordered by name.
pub type Map = BTreeMap<Arc<str>, Value>;

/// A value of the provider protocol's type system (cty's), without its type.
///
/// The type is nearly always known from a schema, so a value does not repeat it: `Null` is a null of any type, `Map` is a map or an
/// object, `List` a list or a tuple. Only where a schema says "dynamic" does the value carry its own type ([`Value::Dynamic`]).
/// Clones are cheap: collections and strings are shared.
///
/// A value carries no marks. Sensitivity lives beside it, as the paths in [`Marked`](crate::Marked).
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// No value, of whatever type the context says.
    #[default]
    Null,
    /// A value that is decided later, with what is already known of it.
    Unknown(Option<Arc<Refinements>>),
    /// `true` or `false`.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// Text in Unicode normalisation form C; [`Value::string`] normalises.
    String(Arc<str>),
    /// A list or a tuple.
    List(Arc<Vec<Self>>),
    /// A set: its elements without duplicates, in cty's order for their type.
    Set(Arc<Vec<Self>>),
    /// A map or an object.
    Map(Arc<Map>),
    /// A non-null, known value at a place whose schema type is dynamic, with its type.
    Dynamic(Arc<(Type, Self)>),
}

impl Value {
    /// An unknown value without refinements.
    pub const UNKNOWN: Self = Self::Unknown(None);

    /// A string, normalised to NFC as cty does on both ends of the wire.
    pub fn string(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
            Self::String(Arc::from(text))
        } else {
            Self::String(text.nfc().collect::<String>().into())
        }
    }

    /// A list or tuple.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(Arc::new(elements))
    }

    /// A map or object from name and value pairs.
    pub fn map<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Arc::new(
            members.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        ))
    }

    /// Whether this is null (unknown is not).
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this value itself is unknown, whatever its members are.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether neither this value nor anything inside it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::List(elements) | Self::Set(elements) => {
                elements.iter().all(Self::is_wholly_known)
            }
            Self::Map(members) => members.values().all(Self::is_wholly_known),
            Self::Dynamic(dynamic) => dynamic.1.is_wholly_known(),
        }
    }

    /// Whether both are wholly known and equal; any unknown makes the answer "not known to be equal".
    pub fn known_equal(&self, other: &Self) -> bool {
        self == other && self.is_wholly_known()
    }

    /// The text, if this is a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The elements of a known list, tuple or set.
    pub fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) | Self::Set(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members of a known map or object.
    pub fn members(&self) -> Option<&Map> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The member of an object or map with that name, if there is one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.get(name)
    }

    /// The value at `path`; `None` where the path leads nowhere. Below an unknown everything is unknown.
    pub fn at<'a>(&'a self, path: &Path) -> Option<&'a Self> {
        let mut value = self;
        for step in path.steps() {
            while let Self::Dynamic(dynamic) = value {
                value = &dynamic.1;
            }
            value = match (value, step) {
                (Self::Unknown(_), _) => return Some(value),
                (Self::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                    members.get(name)?
                }
                (Self::List(elements) | Self::Set(elements), PathStep::Index(index)) => {
                    elements.get(*index)?
                }
                _ => return None,
            };
        }
        Some(value)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Unknown(None) => f.write_str("(unknown)"),
            Self::Unknown(Some(refinements)) => write!(f, "(unknown, {refinements:?})"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(elements) => f.debug_list().entries(elements.iter()).finish(),
            Self::Set(elements) => {
                f.write_str("set")?;
                f.debug_list().entries(elements.iter()).finish()
            }
            Self::Map(members) => f.debug_map().entries(members.iter()).finish(),
            Self::Dynamic(dynamic) => write!(f, "dynamic({:?}: {:?})", dynamic.0, dynamic.1),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_normalised_to_nfc() {
        assert_eq!(Value::string("e\u{301}"), Value::string("\u{e9}"));
    }

    #[test]
    fn a_value_with_an_unknown_inside_is_never_known_equal_to_itself() {
        let value = Value::list(vec![Value::from(1), Value::UNKNOWN]);
        assert_eq!(value, value.clone());
        assert!(!value.known_equal(&value.clone()));
    }

    #[test]
    fn a_path_below_an_unknown_is_unknown_and_a_missing_member_is_nothing() {
        let value = Value::map([("a", Value::UNKNOWN), ("b", Value::list(vec![]))]);
        let inside = Path::root().attribute("a").attribute("x");
        assert_eq!(value.at(&inside), Some(&Value::UNKNOWN));
        assert_eq!(value.at(&Path::root().attribute("b").index(0)), None);
    }
}
