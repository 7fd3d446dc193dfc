//! Writing a value as JSON, byte for byte as Terraform and OpenTofu store it.

use std::fmt::Write as _;

use super::JsonError;
use crate::go_json::push_string;
use crate::value::{ObjectType, Path, PathStep, Type, Value};

impl Value {
    /// The JSON form of this value, which is of type `ty`: numbers with all their digits, members sorted by name, and where the type
    /// is dynamic an object of `value` and `type`.
    ///
    /// # Errors
    /// When a part is unknown or infinite, which JSON cannot say, or is not of the type.
    pub fn to_json(&self, ty: &Type) -> Result<String, JsonError> {
        let mut json = String::new();
        self.write_json(ty, &mut json)?;
        Ok(json)
    }

    /// Appends the JSON form to `json`; see [`Value::to_json`].
    ///
    /// # Errors
    /// As [`Value::to_json`]; `json` then ends somewhere inside the value.
    pub fn write_json(&self, ty: &Type, json: &mut String) -> Result<(), JsonError> {
        Writer {
            json,
            path: Path::root(),
        }
        .value(self, ty)
    }
}

struct Writer<'a> {
    json: &'a mut String,
    path: Path,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), JsonError> {
        match (value, ty) {
            (Value::Null, _) => self.json.push_str("null"),
            (Value::Unknown(_), _) => return Err(self.error("an unknown value cannot be stored")),
            (Value::Dynamic(dynamic), Type::Dynamic) => {
                return self.dynamic(&dynamic.1, &dynamic.0);
            }
            // Where the type is that of the value itself (an export), there is nothing to say about it.
            (Value::Dynamic(dynamic), ty) => return self.value(&dynamic.1, ty),
            (value, Type::Dynamic) => return self.dynamic(value, &value.implied_type()),
            (Value::Bool(flag), Type::Bool) => {
                self.json.push_str(if *flag { "true" } else { "false" });
            }
            (Value::Number(number), Type::Number) => {
                if number.is_infinite() {
                    return Err(self.error("an infinite number cannot be stored"));
                }
                write!(self.json, "{number}").expect("invariant: writing to a string never fails");
            }
            (Value::String(text), Type::String) => push_string(text, self.json),
            (Value::List(elements), Type::List(element))
            | (Value::Set(elements), Type::Set(element)) => {
                return self.elements(elements.iter().map(|value| (value, &**element)));
            }
            (Value::List(elements), Type::Tuple(types)) if elements.len() == types.len() => {
                return self.elements(elements.iter().zip(types.iter()));
            }
            (Value::Map(members), Type::Map(element)) => {
                self.json.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    self.member(place, key, value, element, PathStep::Key(key.clone()))?;
                }
                self.json.push('}');
            }
            (Value::Map(members), Type::Object(object)) => {
                return self.object(members, object);
            }
            (_, ty) => return Err(self.error(format!("the value is not of type {ty}"))),
        }
        Ok(())
    }

    fn dynamic(&mut self, value: &Value, ty: &Type) -> Result<(), JsonError> {
        self.json.push_str("{\"value\":");
        self.value(value, ty)?;
        self.json.push_str(",\"type\":");
        self.json.push_str(&ty.to_json());
        self.json.push('}');
        Ok(())
    }

    fn elements<'v>(
        &mut self,
        elements: impl Iterator<Item = (&'v Value, &'v Type)>,
    ) -> Result<(), JsonError> {
        self.json.push('[');
        for (index, (value, ty)) in elements.enumerate() {
            if index > 0 {
                self.json.push(',');
            }
            self.path.push(PathStep::Index(index));
            self.value(value, ty)?;
            self.path.pop();
        }
        self.json.push(']');
        Ok(())
    }

    fn object(&mut self, members: &crate::value::Map, ty: &ObjectType) -> Result<(), JsonError> {
        if let Some(name) = members
            .keys()
            .find(|name| !ty.attributes.contains_key(*name))
        {
            self.path.push(PathStep::Attribute(name.clone()));
            return Err(self.error("the type has no such attribute"));
        }
        self.json.push('{');
        for (place, (name, ty)) in ty.attributes.iter().enumerate() {
            let value = members.get(name).unwrap_or(&Value::Null);
            self.member(place, name, value, ty, PathStep::Attribute(name.clone()))?;
        }
        self.json.push('}');
        Ok(())
    }

    fn member(
        &mut self,
        place: usize,
        name: &str,
        value: &Value,
        ty: &Type,
        step: PathStep,
    ) -> Result<(), JsonError> {
        if place > 0 {
            self.json.push(',');
        }
        push_string(name, self.json);
        self.json.push(':');
        self.path.push(step);
        self.value(value, ty)?;
        self.path.pop();
        Ok(())
    }

    fn error(&mut self, reason: impl Into<String>) -> JsonError {
        JsonError::Value {
            path: std::mem::take(&mut self.path),
            reason: reason.into(),
        }
    }
}
