//! The dynamic value that travels between a program, the engine and a provider.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Number, Path, PathStep, Refinements, Type};
use crate::text::{by_name, nfc};

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
    /// A value that is decided later, with its refinements.
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
    /// A map or an object, its names in normal form C; [`Value::map`] normalises.
    Map(Arc<Map>),
    /// A non-null, known value at a place whose schema type is dynamic, with its type.
    Dynamic(Arc<(Type, Self)>),
}

impl Value {
    /// An unknown value without refinements.
    pub const UNKNOWN: Self = Self::Unknown(None);

    /// A string, normalised to NFC as cty does on both ends of the wire.
    pub fn string(text: impl AsRef<str>) -> Self {
        Self::String(nfc(text.as_ref()))
    }

    /// A list or tuple.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(Arc::new(elements))
    }

    /// A map or object from name and value pairs; names are normalised as texts are.
    pub fn map<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        let members = members.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Self::Map(Arc::new(by_name(members)))
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

    /// The first place where two names of a map or object are one in normal form: no provider and no file can tell them apart.
    pub fn repeated_key(&self) -> Option<Path> {
        fn find(value: &Value, path: &mut Path) -> bool {
            match value {
                Value::List(elements) | Value::Set(elements) => (elements.iter().enumerate())
                    .any(|(index, element)| inside(element, PathStep::Index(index), path)),
                Value::Map(members) => members.iter().any(|(name, member)| {
                    let normal = nfc(name.clone());
                    if normal != *name && members.contains_key(&normal) {
                        path.push(PathStep::Key(normal));
                        return true;
                    }
                    inside(member, PathStep::Key(normal), path)
                }),
                Value::Dynamic(dynamic) => find(&dynamic.1, path),
                _ => false,
            }
        }
        fn inside(value: &Value, step: PathStep, path: &mut Path) -> bool {
            path.push(step);
            let found = find(value, path);
            if !found {
                path.pop();
            }
            found
        }
        let mut path = Path::root();
        find(self, &mut path).then_some(path)
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
    fn strings_and_names_are_normalised_to_nfc() {
        assert_eq!(Value::string("e\u{301}"), Value::string("\u{e9}"));
        let map = Value::map([("e\u{301}", Value::Null)]);
        assert_eq!(map.get("\u{e9}"), Some(&Value::Null));
        assert_eq!(map.repeated_key(), None);
    }

    #[test]
    fn two_names_that_are_one_in_normal_form_are_found_and_none_is_lost() {
        for names in [
            ["e\u{301}", "\u{e9}"],
            ["\u{e9}", "e\u{301}"],
            ["\u{1e69}", "s\u{307}\u{323}"],
        ] {
            let map = Value::map(names.map(|name| (name, Value::from(name))));
            assert_eq!(map.members().map(|members| members.len()), Some(2));
            let value = Value::map([("a", Value::list(vec![Value::Null, map]))]);
            let path = value.repeated_key().expect("repeated");
            assert_eq!(path, Path::root().key("a").index(1).key(names[0]));
        }
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
