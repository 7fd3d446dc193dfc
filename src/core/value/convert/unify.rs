//! Finding one type for several values.

use std::sync::Arc;

use crate::text::nfc;
use crate::value::{Map, Type, Value};

/// The type that a value turns out to have, and the value with no place in it that still says its type.
pub(super) fn concrete(value: &Value) -> (Type, Value) {
    match value {
        Value::Dynamic(dynamic) => (dynamic.0.clone(), dynamic.1.clone()),
        Value::List(elements) => {
            let (types, elements): (Vec<_>, Vec<_>) = elements.iter().map(concrete).unzip();
            (Type::Tuple(types.into()), Value::list(elements))
        }
        Value::Set(elements) => concrete_set(elements),
        Value::Map(members) => {
            let (mut types, mut values) = (Vec::new(), Map::new());
            for (name, member) in members.iter() {
                let name = nfc(name.clone());
                let (ty, member) = concrete(member);
                types.push((name.clone(), ty));
                values.insert(name, member);
            }
            (Type::object(types), Value::Map(Arc::new(values)))
        }
        other => (other.implied_type(), other.clone()),
    }
}

/// The blocks `value`, a list or a map of `ty` with places of any type in it, as a tuple or an object without such places.
pub(crate) fn concrete_type(value: &Value, ty: &Type) -> (Type, Value) {
    match value {
        Value::List(elements) => {
            let each = elements.iter().map(|element| concrete_as(element, ty));
            let (types, elements): (Vec<_>, Vec<_>) = each.unzip();
            (Type::Tuple(types.into()), Value::list(elements))
        }
        Value::Map(members) => {
            let each = members.iter().map(|(key, member)| {
                let (ty, member) = concrete_as(member, ty);
                ((key.clone(), ty), (key.clone(), member))
            });
            let (types, members): (Vec<_>, Vec<_>) = each.unzip();
            (Type::object(types), Value::map(members))
        }
        other => (ty.clone(), other.clone()),
    }
}

/// A value of type `ty` with its places of any type made concrete; null and unknown places stay of any type.
fn concrete_as(value: &Value, ty: &Type) -> (Type, Value) {
    match (value, ty) {
        (Value::Dynamic(dynamic), Type::Dynamic) => (dynamic.0.clone(), dynamic.1.clone()),
        (Value::Map(members), Type::Object(object)) if ty.has_dynamic() => {
            let (mut types, mut values) = (Vec::new(), Map::new());
            for (name, ty) in &object.attributes {
                let (ty, member) = concrete_as(members.get(name).unwrap_or(&Value::Null), ty);
                types.push((name.clone(), ty));
                values.insert(name.clone(), member);
            }
            (Type::object(types), Value::Map(Arc::new(values)))
        }
        (Value::List(elements), Type::Tuple(types)) if ty.has_dynamic() => {
            let each = elements.iter().zip(types.iter());
            let each = each.map(|(element, ty)| concrete_as(element, ty));
            let (types, elements): (Vec<_>, Vec<_>) = each.unzip();
            (Type::Tuple(types.into()), Value::list(elements))
        }
        // Inside a collection the elements have to keep one type, so a place of any type there says its type by itself.
        _ => (ty.clone(), value.clone()),
    }
}

fn concrete_set(elements: &[Value]) -> (Type, Value) {
    let (types, plain): (Vec<_>, Vec<_>) = elements.iter().map(concrete).unzip();
    let unified = unify_all(types.iter()).and_then(|element| {
        let plain = plain.iter().map(|value| value.convert(&element));
        let plain = plain.collect::<Result<Vec<_>, _>>().ok()?;
        Some((Type::set(element.clone()), Value::set(plain, &element)))
    });
    // Elements without a common type stay as they are, each with its own.
    unified.unwrap_or_else(|| {
        let each = types.into_iter().zip(plain);
        let each = each.map(|each| Value::Dynamic(Arc::new(each))).collect();
        (Type::set(Type::Dynamic), Value::set(each, &Type::Dynamic))
    })
}

impl Type {
    /// A type that values of both types convert to; `Dynamic` is the type of nulls and unknowns, which fit anything.
    pub fn unify(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        Some(match (self, other) {
            (Self::Dynamic, other) | (other, Self::Dynamic) => other.clone(),
            (Self::String, Self::Number | Self::Bool)
            | (Self::Number | Self::Bool, Self::String) => Self::String,
            (Self::List(a), Self::List(b)) => Self::list(a.unify(b)?),
            (Self::Set(a), Self::Set(b)) => Self::set(a.unify(b)?),
            (Self::Map(a), Self::Map(b)) => Self::map(a.unify(b)?),
            (Self::List(a) | Self::Set(a), Self::Set(b) | Self::List(b)) => Self::list(a.unify(b)?),
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => Self::Tuple(
                a.iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.unify(b))
                    .collect::<Option<_>>()?,
            ),
            (Self::Tuple(a), Self::Tuple(b)) => Self::list(unify_all(a.iter().chain(b.iter()))?),
            (Self::Tuple(types), Self::List(element))
            | (Self::List(element), Self::Tuple(types)) => {
                Self::list(unify_all(types.iter().chain([&**element]))?)
            }
            (Self::Tuple(types), Self::Set(element)) | (Self::Set(element), Self::Tuple(types)) => {
                Self::set(unify_all(types.iter().chain([&**element]))?)
            }
            (Self::Object(a), Self::Object(b)) if a.attributes.keys().eq(b.attributes.keys()) => {
                let pairs = a.attributes.iter().zip(b.attributes.values());
                let pairs = pairs.map(|((name, a), b)| Some((name.clone(), a.unify(b)?)));
                Self::object(pairs.collect::<Option<Vec<_>>>()?)
            }
            (Self::Object(a), Self::Object(b)) => Self::map(unify_all(
                a.attributes.values().chain(b.attributes.values()),
            )?),
            (Self::Object(object), Self::Map(element))
            | (Self::Map(element), Self::Object(object)) => {
                Self::map(unify_all(object.attributes.values().chain([&**element]))?)
            }
            _ => return None,
        })
    }
}

fn unify_all<'t>(mut types: impl Iterator<Item = &'t Type>) -> Option<Type> {
    types.try_fold(Type::Dynamic, |all, ty| all.unify(ty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(a: &str, b: &str) -> Option<String> {
        let ty = |json: &str| Type::from_json(json.as_bytes()).expect("a type");
        let forth = ty(a).unify(&ty(b));
        assert_eq!(
            forth,
            ty(b).unify(&ty(a)),
            "the order of {a} and {b} matters"
        );
        forth.map(|ty| ty.to_string())
    }

    #[test]
    fn mixed_types_meet_in_the_one_that_both_convert_to() {
        let is = |a, b, expected: &str| assert_eq!(unified(a, b).as_deref(), Some(expected));
        is(r#""number""#, r#""string""#, "string");
        is(r#""dynamic""#, r#""bool""#, "bool");
        is(
            r#"["tuple",["number"]]"#,
            r#"["tuple",["string"]]"#,
            "tuple([string])",
        );
        is(
            r#"["tuple",["number"]]"#,
            r#"["tuple",["string","bool"]]"#,
            "list(string)",
        );
        is(
            r#"["tuple",["number"]]"#,
            r#"["set","number"]"#,
            "set(number)",
        );
        is(
            r#"["object",{"a":"number"}]"#,
            r#"["object",{"a":"string"}]"#,
            "object({a: string})",
        );
        is(
            r#"["object",{"a":"number"}]"#,
            r#"["object",{"b":"string"}]"#,
            "map(string)",
        );
        is(
            r#"["object",{"a":"number"}]"#,
            r#"["map","string"]"#,
            "map(string)",
        );
        is(
            r#"["list","string"]"#,
            r#"["set","string"]"#,
            "list(string)",
        );
    }

    #[test]
    fn types_without_a_common_one_do_not_unify() {
        assert_eq!(unified(r#""number""#, r#""bool""#), None);
        assert_eq!(unified(r#""number""#, r#"["list","number"]"#), None);
        assert_eq!(
            unified(r#"["tuple",["number","bool"]]"#, r#"["tuple",[]]"#),
            None
        );
    }
}
