//! Converting a value to a type, as configuration languages on cty do it.
//!
//! A value carries no type of its own, so a list may have been a tuple and a map an object: every conversion that one of the two has is
//! done. Errors never hold the value, which may be a secret.

mod unify;

use std::sync::Arc;

use thiserror::Error;

use super::{Map, ObjectType, Path, PathStep, Refinements, Type, Value};
use crate::text::nfc;
use unify::concrete;
pub(crate) use unify::concrete_type;

/// A value cannot be converted to a type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}{}", at(path))]
#[non_exhaustive]
pub struct ConvertError {
    /// The part that does not fit.
    pub path: Path,
    /// Why.
    pub reason: String,
}

/// Why a key is refused that [`Value::repeated_key`] finds.
pub const REPEATED_KEY: &str =
    "this key occurs twice, because keys are compared in Unicode normal form C";

fn at(path: &Path) -> String {
    if path.is_root() {
        String::new()
    } else {
        format!(" at `{path}`")
    }
}

/// Members that the object type does not have, or that the value lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members {
    /// As cty converts: members that the type lacks are dropped, members that the value lacks are refused unless optional.
    AsTyped,
    /// As blocks are written: members that the type lacks are refused, members that the value lacks are null.
    AsWritten,
}

impl Value {
    /// This value as one of type `ty`.
    ///
    /// Text becomes numbers and bools where it says one, and both become text; lists become sets and tuples, sets become lists; maps
    /// become objects. Null stays null and unknown stays unknown, with its refinements where those still mean something.
    ///
    /// # Errors
    /// When a part of it has no conversion, with the path of that part.
    pub fn convert(&self, ty: &Type) -> Result<Self, ConvertError> {
        self.convert_members(ty, Members::AsTyped, Path::root())
    }

    /// This value with a type of its own, for an argument or an export that takes any type: `Value::list(vec![]).typed(&Type::list(Type::String))`
    /// is an empty list of strings, where an empty list alone would be a tuple without elements. Null and unknown stay as they are; with `any` in the type the value says
    /// itself what it is.
    ///
    /// # Errors
    /// When a part of it has no conversion, with the path of that part.
    pub fn typed(&self, ty: &Type) -> Result<Self, ConvertError> {
        let value = self.convert(ty)?;
        if value.is_null() || value.is_unknown() {
            return Ok(value);
        }
        if ty.has_dynamic() {
            return value.convert(&Type::Dynamic);
        }
        Ok(Self::Dynamic(Arc::new((ty.without_optional(), value))))
    }

    /// [`Value::convert`] with a choice about members, for a value that is found at `path`.
    pub(crate) fn convert_members(
        &self,
        ty: &Type,
        members: Members,
        path: Path,
    ) -> Result<Self, ConvertError> {
        Converter { path, members }.value(self, ty)
    }

    /// The kind of this value in words, for messages: `a string`, `null`, `a list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown(_) => "an unknown value",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Dynamic(dynamic) => dynamic.1.kind(),
        }
    }
}

struct Converter {
    path: Path,
    members: Members,
}

type Converted = Result<Value, ConvertError>;

impl Converter {
    fn value(&mut self, value: &Value, ty: &Type) -> Converted {
        match (value, ty) {
            (Value::Null, _) => Ok(Value::Null),
            (Value::Unknown(refinements), ty) => Ok(Value::Unknown(
                refinements.as_deref().and_then(|known| carried(known, ty)),
            )),
            (Value::Dynamic(_), Type::Dynamic) => Ok(value.clone()),
            (value, Type::Dynamic) => {
                if let Some(path) = value.repeated_key() {
                    self.path = std::mem::take(&mut self.path).join(&path);
                    return self.refuse(REPEATED_KEY);
                }
                let (ty, value) = concrete(value);
                Ok(Value::Dynamic(Arc::new((ty, value))))
            }
            (Value::Dynamic(dynamic), ty) => self.value(&dynamic.1, ty),
            (Value::Bool(_), Type::Bool)
            | (Value::Number(_), Type::Number)
            | (Value::String(_), Type::String) => Ok(value.clone()),
            (Value::Bool(flag), Type::String) => Ok(if *flag { "true" } else { "false" }.into()),
            (Value::Number(number), Type::String) if !number.is_infinite() => {
                Ok(Value::string(number.to_string()))
            }
            (Value::String(text), Type::Number) => match text.parse() {
                Ok(number) => Ok(Value::Number(number)),
                Err(_) => self.refuse("expected a number, found a string that is none"),
            },
            (Value::String(text), Type::Bool) => match &**text {
                "true" | "1" => Ok(true.into()),
                "false" | "0" => Ok(false.into()),
                _ => self
                    .refuse("expected a bool, found a string that is neither `true` nor `false`"),
            },
            (Value::Set(elements), Type::List(_) | Type::Tuple(_))
                if elements.len() > 1 && !value.is_wholly_known() =>
            {
                // Two elements may turn out to be equal, so their number is not known yet.
                Ok(Value::UNKNOWN)
            }
            (Value::List(elements) | Value::Set(elements), Type::List(element)) => {
                Ok(Value::list(self.elements(elements, element)?))
            }
            (Value::List(elements) | Value::Set(elements), Type::Set(element)) => {
                let elements = self.elements(elements, element)?;
                Ok(Value::set(elements, element))
            }
            (Value::List(elements), Type::Tuple(types)) => self.tuple(elements, types),
            (Value::Map(members), Type::Map(element)) => self.map(members, element),
            (Value::Map(members), Type::Object(object)) => self.object(members, object),
            (value, ty) => {
                self.refuse(format!("expected {}, found {}", expected(ty), value.kind()))
            }
        }
    }

    fn inside(&mut self, step: PathStep, value: &Value, ty: &Type) -> Converted {
        self.path.push(step);
        let converted = self.value(value, ty)?;
        self.path.pop();
        Ok(converted)
    }

    fn elements(&mut self, elements: &[Value], ty: &Type) -> Result<Vec<Value>, ConvertError> {
        let unified = self.unified(elements.iter(), ty)?;
        let mut converted = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let element = self.inside(
                PathStep::Index(index),
                element,
                unified.as_ref().unwrap_or(ty),
            )?;
            converted.push(wrapped(element, unified.as_ref()));
        }
        Ok(converted)
    }

    fn map(&mut self, members: &Map, ty: &Type) -> Converted {
        let unified = self.unified(members.values(), ty)?;
        let mut converted = Map::new();
        for (key, member) in members {
            let key = nfc(key.clone());
            let step = PathStep::Key(key.clone());
            if converted.contains_key(&key) {
                self.path.push(step);
                return self.refuse(REPEATED_KEY);
            }
            let member = self.inside(step, member, unified.as_ref().unwrap_or(ty))?;
            converted.insert(key, wrapped(member, unified.as_ref()));
        }
        Ok(Value::Map(Arc::new(converted)))
    }

    /// In a collection of any type the elements still have one type; which one is found out here.
    fn unified<'v>(
        &mut self,
        mut values: impl Iterator<Item = &'v Value>,
        ty: &Type,
    ) -> Result<Option<Type>, ConvertError> {
        if *ty != Type::Dynamic {
            return Ok(None);
        }
        let first = values
            .next()
            .map_or(Type::Dynamic, |value| concrete(value).0);
        let mut all = first;
        for value in values {
            let Some(both) = all.unify(&concrete(value).0) else {
                self.refuse("the elements have types that do not fit together")?;
                return Ok(None);
            };
            all = both;
        }
        Ok(Some(all))
    }

    fn tuple(&mut self, elements: &[Value], types: &[Type]) -> Converted {
        let (found, expected) = (elements.len(), types.len());
        if found != expected {
            return self.refuse(format!("expected {expected} elements, found {found}"));
        }
        let mut converted = Vec::with_capacity(found);
        for (index, (element, ty)) in elements.iter().zip(types).enumerate() {
            converted.push(self.inside(PathStep::Index(index), element, ty)?);
        }
        Ok(Value::list(converted))
    }

    fn object(&mut self, members: &Map, object: &ObjectType) -> Converted {
        // Bindings write every member. One that is not set says nothing, so a provider of another version need not know it.
        let unknown = |(name, member): &(&Arc<str>, &Value)| {
            !object.attributes.contains_key(*name) && **member != Value::Null
        };
        if self.members == Members::AsWritten
            && let Some((name, _)) = members.iter().find(unknown)
        {
            self.path.push(PathStep::Attribute(name.clone()));
            return self.refuse(format!("there is no argument `{name}`"));
        }
        let mut converted = Map::new();
        for (name, ty) in &object.attributes {
            let member = match members.get(name) {
                Some(member) => self.inside(PathStep::Attribute(name.clone()), member, ty)?,
                None if self.members == Members::AsWritten || object.optional.contains(name) => {
                    Value::Null
                }
                None => return self.refuse(format!("attribute `{name}` is required")),
            };
            converted.insert(name.clone(), member);
        }
        Ok(Value::Map(Arc::new(converted)))
    }

    fn refuse(&mut self, reason: impl Into<String>) -> Converted {
        Err(ConvertError {
            path: std::mem::take(&mut self.path),
            reason: reason.into(),
        })
    }
}

/// An element of a collection of any type says which type it turned out to have.
fn wrapped(value: Value, ty: Option<&Type>) -> Value {
    match (value, ty) {
        (value @ (Value::Null | Value::Unknown(_) | Value::Dynamic(_)), _) | (value, None) => value,
        (value, Some(ty)) => Value::Dynamic(Arc::new((ty.clone(), value))),
    }
}

/// The refinements that still mean something for a value of type `ty`.
fn carried(known: &Refinements, ty: &Type) -> Option<Arc<Refinements>> {
    let collection = matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(_));
    let number = *ty == Type::Number;
    let carried = Refinements {
        null: known.null.filter(|_| *ty != Type::Dynamic),
        prefix: known.prefix.clone().filter(|_| *ty == Type::String),
        lower: known.lower.clone().filter(|_| number),
        upper: known.upper.clone().filter(|_| number),
        // A set may lose elements that are equal, but not its last one.
        min_length: known
            .min_length
            .filter(|_| collection)
            .map(|least| match ty {
                Type::Set(_) => least.min(1),
                _ => least,
            }),
        max_length: known.max_length.filter(|_| collection),
    };
    (!carried.is_empty()).then(|| Arc::new(carried))
}

/// A type in words, for messages; deep types are written as types.
fn expected(ty: &Type) -> String {
    match ty {
        Type::String => "a string".into(),
        Type::Number => "a number".into(),
        Type::Bool => "a bool".into(),
        Type::Object(_) => "an object".into(),
        Type::Map(element) if **element == Type::String => "a map of strings".into(),
        Type::List(element) if **element == Type::String => "a list of strings".into(),
        Type::Set(element) if **element == Type::String => "a set of strings".into(),
        Type::Map(_) => "a map".into(),
        Type::List(_) => "a list".into(),
        Type::Set(_) => "a set".into(),
        Type::Tuple(_) => "a tuple".into(),
        Type::Dynamic => "a value".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{typed, types};
    use super::*;

    fn converted(json: &str, ty: &str) -> Result<String, String> {
        let ty = Type::from_json(ty.as_bytes()).expect("a type");
        let value = Value::from_json_untyped(json.as_bytes()).expect("a value");
        let value = value.convert(&ty).map_err(|error| error.to_string())?;
        Ok(format!("{value:?}"))
    }

    #[test]
    fn primitives_convert_to_and_from_text_and_not_among_each_other() {
        let ok = |json, ty| converted(json, ty).expect("a conversion");
        assert_eq!(ok("1e3", r#""string""#), r#""1000""#);
        assert_eq!(ok("true", r#""string""#), r#""true""#);
        assert_eq!(ok(r#""1.50e1""#, r#""number""#), "15");
        assert_eq!(ok(r#""0""#, r#""bool""#), "false");
        assert_eq!(ok("null", r#""bool""#), "null");
        let refused = |json, ty| converted(json, ty).expect_err("no conversion");
        assert_eq!(refused("1", r#""bool""#), "expected a bool, found a number");
        assert_eq!(
            refused("true", r#""number""#),
            "expected a number, found a bool"
        );
        assert_eq!(
            refused("[1]", r#""string""#),
            "expected a string, found a list"
        );
    }

    #[test]
    fn an_error_never_holds_the_value() {
        for ty in [r#""number""#, r#""bool""#, r#"["list","string"]"#] {
            let error = converted(r#""hunter2""#, ty).expect_err("no conversion");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn sequences_become_lists_sets_and_tuples() {
        let ok = |json, ty| converted(json, ty).expect("a conversion");
        assert_eq!(
            ok(r#"["b","a",1,"b"]"#, r#"["set","string"]"#),
            r#"set["1", "a", "b"]"#
        );
        assert_eq!(ok(r#"["b","a"]"#, r#"["list","string"]"#), r#"["b", "a"]"#);
        assert_eq!(
            ok(r#"[1,"a"]"#, r#"["tuple",["string","string"]]"#),
            r#"["1", "a"]"#
        );
        assert_eq!(
            converted("[[1],[\"x\"]]", r#"["list",["list","number"]]"#),
            Err("expected a number, found a string that is none at `[1][0]`".into())
        );
        let set = Value::set(vec!["b".into(), "a".into()], &Type::String);
        let list = set
            .convert(&Type::list(Type::String))
            .expect("a conversion");
        assert_eq!(format!("{list:?}"), r#"["a", "b"]"#);
    }

    #[test]
    fn a_set_whose_length_is_open_becomes_an_unknown_list() {
        let list = Type::list(Type::String);
        let set = |elements| Value::set(elements, &Type::String);
        let open = set(vec!["a".into(), Value::UNKNOWN]);
        assert_eq!(open.convert(&list), Ok(Value::UNKNOWN));
        let one = set(vec![Value::UNKNOWN]);
        assert_eq!(one.convert(&list), Ok(Value::list(vec![Value::UNKNOWN])));
    }

    #[test]
    fn maps_become_objects_when_their_keys_fit() {
        let ty = r#"["object",{"a":"number","b":"string"},["b"]]"#;
        let ok = |json, ty| converted(json, ty).expect("a conversion");
        assert_eq!(ok(r#"{"a":"1","x":2}"#, ty), r#"{"a": 1, "b": null}"#);
        assert_eq!(
            converted(r#"{"b":"1"}"#, ty),
            Err("attribute `a` is required".into())
        );
        assert_eq!(
            ok(r#"{"a":1,"b":true}"#, r#"["map","string"]"#),
            r#"{"a": "1", "b": "true"}"#
        );
    }

    #[test]
    fn arguments_written_as_blocks_are_filled_with_null_and_typos_refused() {
        let ty = Type::object([("a", Type::String), ("b", Type::String)]);
        let written = |value: Value| {
            let path = Path::root().attribute("rule").index(0);
            value
                .convert_members(&ty, Members::AsWritten, path)
                .map_err(|error| error.to_string())
        };
        let a = Value::map([("a", "x")].map(|(k, v)| (k, Value::from(v))));
        let filled = Value::map([("a", "x".into()), ("b", Value::Null)]);
        assert_eq!(written(a), Ok(filled));
        let typo = Value::map([("bb", Value::from("x"))]);
        assert_eq!(
            written(typo),
            Err("there is no argument `bb` at `rule[0].bb`".into())
        );
        // Of a newer version's bindings, and not set.
        let newer = Value::map([("a", "x".into()), ("c", Value::Null)]);
        let filled = Value::map([("a", "x".into()), ("b", Value::Null)]);
        assert_eq!(written(newer), Ok(filled));
    }

    #[test]
    fn an_empty_list_keeps_the_type_that_it_was_given() {
        let empty = Value::list(vec![]);
        let typed = empty.typed(&Type::list(Type::String)).expect("a list");
        assert_eq!(format!("{typed:?}"), "dynamic(list(string): [])");
        assert_eq!(typed.convert(&Type::Dynamic), Ok(typed.clone()));
        assert_eq!(typed.convert(&Type::list(Type::String)), Ok(empty));
        let any = Value::list(vec![Value::from("a")]).typed(&Type::list(Type::Dynamic));
        assert_eq!(
            format!("{:?}", any.expect("a list")),
            "dynamic(tuple([string]): [\"a\"])"
        );
        assert!(Value::from("a").typed(&Type::Number).is_err());
    }

    #[test]
    fn a_place_of_any_type_learns_the_type_of_its_value() {
        let ok = |json, ty| converted(json, ty).expect("a conversion");
        assert_eq!(
            ok(r#"["a",1]"#, r#""dynamic""#),
            r#"dynamic(tuple([string, number]): ["a", 1])"#
        );
        assert_eq!(
            ok(r#"["a",1,null]"#, r#"["list","dynamic"]"#),
            r#"[dynamic(string: "a"), dynamic(string: "1"), null]"#
        );
        assert!(converted(r#"[1,[]]"#, r#"["list","dynamic"]"#).is_err());
        let wrapped = Value::from("5")
            .convert(&Type::Dynamic)
            .expect("a conversion");
        assert_eq!(wrapped.convert(&Type::Number), Ok(Value::from(5)));
        let list = Value::list(vec![wrapped])
            .convert(&Type::Dynamic)
            .expect("a conversion");
        assert_eq!(format!("{list:?}"), r#"dynamic(tuple([string]): ["5"])"#);
    }

    #[test]
    fn what_is_known_of_an_unknown_is_carried_where_it_means_something() {
        let known = Refinements {
            null: Some(false),
            prefix: Some("arn:".into()),
            min_length: Some(3),
            ..Refinements::default()
        };
        let unknown = Value::Unknown(Some(Arc::new(known.clone())));
        let to = |ty: &Type| unknown.convert(ty).expect("a conversion");
        let only = |known| Value::Unknown(Some(Arc::new(known)));
        let not_null = || Refinements {
            null: Some(false),
            ..Refinements::default()
        };
        assert_eq!(
            to(&Type::String),
            only(Refinements {
                prefix: known.prefix,
                ..not_null()
            })
        );
        assert_eq!(to(&Type::Number), only(not_null()));
        let set = only(Refinements {
            min_length: Some(1),
            ..not_null()
        });
        assert_eq!(to(&Type::set(Type::String)), set);
        assert_eq!(to(&Type::Dynamic), Value::UNKNOWN);
    }

    proptest! {
        #[test]
        fn a_value_of_a_type_converts_to_itself((ty, value) in typed()) {
            // Random elements of any type have different types; converting makes them one.
            prop_assume!(!ty.has_dynamic());
            prop_assert_eq!(value.convert(&ty), Ok(value));
        }

        #[test]
        fn a_converted_value_has_a_json_form_of_the_type((_, value) in typed(), ty in types()) {
            if let Ok(converted) = value.convert(&ty) {
                prop_assert!(converted.to_json(&ty).is_ok());
            }
        }
    }
}
