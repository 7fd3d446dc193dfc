//! The objects that exist, by type and id.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use terrane_core::value::Map;
use terrane_core::{Type, Value};

use super::Line;
use crate::kind::Kinds;

/// The objects, with the facts that writing them needs.
#[derive(Clone, Default)]
pub(crate) struct Objects {
    by_type: BTreeMap<String, OfType>,
    count: usize,
}

#[derive(Clone)]
struct OfType {
    /// None for a type that this program has no schema of: its objects keep the type that their JSON implies.
    ty: Option<Type>,
    by_id: BTreeMap<String, Value>,
}

type Json = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;

impl Objects {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, type_name: &str, id: &str) -> Option<&Map> {
        self.by_type.get(type_name)?.by_id.get(id)?.members()
    }

    /// Every object with its type.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Map)> {
        self.by_type.iter().flat_map(|(type_name, of_type)| {
            let objects = of_type.by_id.values().filter_map(Value::members);
            objects.map(|object| (type_name.as_str(), object))
        })
    }

    /// Ids and objects of a type.
    pub(crate) fn of_type<'a>(
        &'a self,
        type_name: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Map)> + use<'a> {
        let of_type = self.by_type.get(type_name).into_iter();
        of_type
            .flat_map(|of_type| &of_type.by_id)
            .filter_map(|(id, object)| Some((id.as_str(), object.members()?)))
    }

    pub(super) fn set(
        &mut self,
        type_name: String,
        id: String,
        object: Option<Value>,
        kinds: &Kinds,
    ) {
        let ty = kinds.resource(&type_name).map(|kind| kind.schema.ty());
        let of_type = (self.by_type.entry(type_name)).or_insert_with(|| OfType {
            ty: ty.cloned(),
            by_id: BTreeMap::new(),
        });
        let before = of_type.by_id.len();
        match object {
            Some(object) => of_type.by_id.insert(id, object),
            None => of_type.by_id.remove(&id),
        };
        self.count = self.count + of_type.by_id.len() - before;
    }

    pub(super) fn replay(&mut self, line: Line, kinds: &Kinds) {
        let object = line
            .object
            .map(|json| read(&line.entry.type_name, &json, kinds));
        self.set(line.entry.type_name, line.entry.id, object, kinds);
    }

    pub(super) fn from_json(json: &Json, kinds: &Kinds) -> Self {
        let mut objects = Self::default();
        for (type_name, by_id) in json {
            for (id, json) in by_id {
                let object = read(type_name, json, kinds);
                objects.set(type_name.clone(), id.clone(), Some(object), kinds);
            }
        }
        objects
    }

    pub(super) fn to_json(&self) -> Json {
        let write = |ty: Option<&Type>, object: &Value| {
            let json = match ty {
                // Somebody may have written an object that does not fit.
                Some(ty) => object
                    .to_json(ty)
                    .or_else(|_| object.to_json(&object.implied_type())),
                None => object.to_json(&object.implied_type()),
            };
            // Everything here was read from JSON, or has been written to the ledger already.
            json.ok().and_then(|json| RawValue::from_string(json).ok())
        };
        (self.by_type.iter())
            .filter(|(_, of_type)| !of_type.by_id.is_empty())
            .map(|(name, of_type)| {
                let objects = of_type.by_id.iter().filter_map(|(id, object)| {
                    Some((id.clone(), write(of_type.ty.as_ref(), object)?))
                });
                (name.clone(), objects.collect())
            })
            .collect()
    }
}

fn read(type_name: &str, json: &RawValue, kinds: &Kinds) -> Value {
    let json = json.get().as_bytes();
    let typed = kinds
        .resource(type_name)
        .and_then(|kind| Value::from_json(json, kind.schema.ty()).ok());
    typed
        .or_else(|| Value::from_json_untyped(json).ok())
        .unwrap_or_default()
}
