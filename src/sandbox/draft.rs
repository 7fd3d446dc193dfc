//! An object while it is being made or read: the planned values, with those that AWS decides filled in.

use std::sync::Arc;

use terrane_core::schema::{Attribute, AttributeType, Block, NestedBlock};
use terrane_core::value::Map;
use terrane_core::{Type, Value};

use crate::behaviour::{Argument, Behaviour};
use crate::kind::Kind;
use crate::plan::empty;
use crate::rules::CloudView;

/// The attributes of an object, some of them still unknown.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    members: Map,
}

impl Draft {
    pub(crate) fn new(members: Map) -> Self {
        Self { members }
    }

    pub(crate) fn get(&self, name: &str) -> &Value {
        self.members.get(name).unwrap_or(&Value::Null)
    }

    /// A text that is set, else an empty one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).as_str().unwrap_or_default()
    }

    /// The texts of a list or set.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        texts(self.get(name))
    }

    /// The only block of that name.
    pub(crate) fn block(&self, name: &str) -> Option<&Map> {
        self.get(name).elements()?.first()?.members()
    }

    /// Whether it has a value that is neither null nor empty.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        let value = self.get(name);
        !value.is_unknown() && !crate::plan::is_empty(value)
    }

    /// Decides an attribute, whatever it was. One that the schema does not have is left alone.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(member) = self.members.get_mut(name) {
            *member = value.into();
        }
    }

    /// Decides an attribute that is not known yet.
    pub(crate) fn fill(&mut self, name: &str, value: impl Into<Value>) {
        if self.get(name).is_unknown() {
            self.put(name, value);
        }
    }

    /// The same for a member of the only block of that name.
    pub(crate) fn fill_in(&mut self, block: &str, name: &str, value: impl Into<Value>) {
        let Some(Value::List(blocks)) = self.members.get_mut(block) else {
            return;
        };
        if let Some(Value::Map(members)) = Arc::make_mut(blocks).first_mut()
            && let Some(member) = Arc::make_mut(members).get_mut(name)
            && (member.is_unknown() || member.is_null())
        {
            *member = value.into();
        }
    }

    pub(crate) fn into_members(self) -> Map {
        self.members
    }

    pub(crate) fn members(&self) -> &Map {
        &self.members
    }

    /// The object as the provider returns it: an attribute that is still unknown is guessed from its name, else empty; one that
    /// was not set is empty too, where the provider reads it back.
    pub(crate) fn finish(mut self, kind: &Kind, view: &CloudView<'_>, before: Option<&Map>) -> Map {
        let block = &kind.schema.block;
        for (name, attribute) in &block.attributes {
            let argument = kind.behaviour().at(name);
            let value = match self.get(name) {
                Value::Unknown(_) => match before.and_then(|before| before.get(name)) {
                    Some(was) if !was.is_null() => was.clone(),
                    _ => self.unset(kind, name, attribute, argument, view),
                },
                Value::Null if attribute.optional && !argument.kept_as_written => {
                    match attribute.ty() {
                        ty @ (Type::String | Type::Number | Type::Bool) => empty(&ty),
                        _ => Value::Null,
                    }
                }
                _ => continue,
            };
            self.members.insert(name.clone(), value);
        }
        for (name, nested) in &block.blocks {
            let finished = blocks(nested, kind.behaviour(), name, self.get(name));
            self.members.insert(name.clone(), finished);
        }
        self.members
    }

    fn unset(
        &self,
        kind: &Kind,
        name: &str,
        attribute: &Attribute,
        argument: Argument,
        view: &CloudView<'_>,
    ) -> Value {
        let ty = attribute.ty();
        if ty == Type::String
            && let Some(text) = view.guess(&kind.name, name, self.text("id"))
        {
            return text.into();
        }
        if argument.kept_as_written || matches!(attribute.ty, AttributeType::Nested(_)) {
            Value::Null
        } else {
            empty(&ty)
        }
    }
}

/// The texts in a list or set.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    let elements = value.elements().unwrap_or(&[]);
    elements.iter().filter_map(Value::as_str).collect()
}

fn blocks(nested: &NestedBlock, behaviour: &Behaviour, path: &str, value: &Value) -> Value {
    let empty_members = behaviour.at(path).empty_members;
    match value {
        Value::Unknown(_) => nested.empty_value(),
        Value::List(elements) => {
            let finished = elements
                .iter()
                .map(|value| members(&nested.block, value, empty_members));
            Value::list(finished.collect())
        }
        Value::Set(elements) => {
            let finished = elements
                .iter()
                .map(|value| members(&nested.block, value, empty_members));
            Value::set(finished.collect(), &nested.block.implied_type())
        }
        Value::Map(_) => members(&nested.block, value, false),
        _ => value.clone(),
    }
}

/// Nothing in a block may stay unknown; with `empty_members` no text in it may stay null.
fn members(block: &Block, value: &Value, empty_members: bool) -> Value {
    let Some(members_before) = value.members() else {
        return value.clone();
    };
    let finished = members_before.iter().map(|(name, value)| {
        let finished = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => match (value, attribute.ty()) {
                (Value::Unknown(_), ty) => empty(&ty),
                (Value::Null, Type::String) if empty_members => "".into(),
                _ => value.clone(),
            },
            (_, Some(nested)) => match value {
                Value::Unknown(_) => nested.empty_value(),
                Value::List(elements) => Value::list(
                    (elements.iter())
                        .map(|value| members(&nested.block, value, empty_members))
                        .collect(),
                ),
                Value::Set(elements) => Value::set(
                    (elements.iter())
                        .map(|value| members(&nested.block, value, empty_members))
                        .collect(),
                    &nested.block.implied_type(),
                ),
                Value::Map(_) => members(&nested.block, value, empty_members),
                _ => value.clone(),
            },
            _ => value.clone(),
        };
        (name.clone(), finished)
    });
    Value::Map(Arc::new(finished.collect()))
}
