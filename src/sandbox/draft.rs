//! An object while it is being made or read: the planned values, with those that the cloud decides filled in.

use std::sync::Arc;

use terrane_core::schema::{Attribute, AttributeType, Block, NestedBlock, Nesting};
use terrane_core::value::Map;
use terrane_core::{Type, Value};

use crate::behaviour::{Argument, Behaviour};
use crate::kind::Kind;
use crate::plan::empty;
use crate::rules::{CloudView, random_hex};

/// The attributes of an object, some of them still unknown.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    type_name: Arc<str>,
    members: Map,
}

impl Draft {
    pub(crate) fn new(type_name: &Arc<str>, members: Map) -> Self {
        Self {
            type_name: type_name.clone(),
            members,
        }
    }

    /// Its resource type.
    pub(crate) fn type_name(&self) -> &str {
        &self.type_name
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

    /// The same for a member of the only block of that name, also for one that is null.
    pub(crate) fn fill_in(&mut self, block: &str, name: &str, value: impl Into<Value>) {
        if let Some(member) = self.member_of(block, name)
            && (member.is_unknown() || member.is_null())
        {
            *member = value.into();
        }
    }

    /// Decides a member of the only block of that name, whatever it was.
    pub(crate) fn put_in(&mut self, block: &str, name: &str, value: impl Into<Value>) {
        if let Some(member) = self.member_of(block, name) {
            *member = value.into();
        }
    }

    fn member_of(&mut self, block: &str, name: &str) -> Option<&mut Value> {
        let Value::List(blocks) = self.members.get_mut(block)? else {
            return None;
        };
        let Value::Map(members) = Arc::make_mut(blocks).first_mut()? else {
            return None;
        };
        Arc::make_mut(members).get_mut(name)
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
                _ if attribute.write_only => Value::Null,
                Value::Unknown(_) => match before.and_then(|before| before.get(name)) {
                    Some(was) if !was.is_null() => was.clone(),
                    _ => self.unset(kind, name, attribute, argument, view),
                },
                Value::Null if attribute.optional && !argument.keeps_null => match attribute.ty() {
                    ty @ (Type::String | Type::Number | Type::Bool) => empty(&ty),
                    _ => Value::Null,
                },
                _ => continue,
            };
            self.members.insert(name.clone(), value);
        }
        for (name, nested) in &block.blocks {
            let finished = blocks(nested, kind.behaviour(), name, self.get(name));
            self.members.insert(name.clone(), finished);
        }
        match completed(Value::Map(Arc::new(self.members)), kind.schema.ty()) {
            Value::Map(members) => Arc::unwrap_or_clone(members),
            _ => unreachable!("invariant: an object stays one"),
        }
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
        if kind.behaviour().keeps_nulls {
            made(name, attribute)
        } else if argument.keeps_null || matches!(attribute.ty, AttributeType::Nested(_)) {
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

/// What a cloud without rules decides for an attribute: a value of the right type, and nothing where the user could have decided.
pub(crate) fn made(name: &str, attribute: &Attribute) -> Value {
    if attribute.optional {
        return Value::Null;
    }
    match &attribute.ty {
        AttributeType::Plain(Type::String) => format!("{name}-{}", &random_hex()[..8]).into(),
        AttributeType::Nested(nested) if nested.nesting == Nesting::Single => Value::map(
            (nested.attributes.iter()).map(|(name, member)| (name.clone(), made(name, member))),
        ),
        _ => empty(&attribute.ty()),
    }
}

/// What becomes of members that are not set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unset {
    /// An unknown becomes empty.
    Empty,
    /// A text that is null does, too.
    EmptyTexts,
    /// An unknown is made up, and null stays.
    Made,
}

fn blocks(nested: &NestedBlock, behaviour: &Behaviour, path: &str, value: &Value) -> Value {
    let unset = match behaviour.at(path).empty_members {
        _ if behaviour.keeps_nulls => Unset::Made,
        true => Unset::EmptyTexts,
        false => Unset::Empty,
    };
    nested_blocks(nested, value, unset)
}

fn nested_blocks(nested: &NestedBlock, value: &Value, unset: Unset) -> Value {
    let finished = |elements: &[Value]| -> Vec<Value> {
        let finished = elements.iter();
        finished
            .map(|value| members(&nested.block, value, unset))
            .collect()
    };
    match value {
        Value::Unknown(_) => nested.empty_value(),
        Value::List(elements) => Value::list(finished(elements)),
        Value::Set(elements) => Value::set(finished(elements), &nested.block.implied_type()),
        Value::Map(blocks) if nested.nesting == Nesting::Map => Value::map(
            (blocks.iter()).map(|(key, value)| (key.clone(), members(&nested.block, value, unset))),
        ),
        Value::Map(_) => members(&nested.block, value, unset),
        _ => value.clone(),
    }
}

/// Nothing in a block may stay unknown.
fn members(block: &Block, value: &Value, unset: Unset) -> Value {
    let Some(members_before) = value.members() else {
        return value.clone();
    };
    let finished = members_before.iter().map(|(name, value)| {
        let finished = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => match (value, attribute.ty()) {
                _ if attribute.write_only => Value::Null,
                (Value::Unknown(_), _) if unset == Unset::Made => made(name, attribute),
                (Value::Unknown(_), ty) => empty(&ty),
                (Value::Null, Type::String) if unset == Unset::EmptyTexts => "".into(),
                _ => value.clone(),
            },
            (_, Some(nested)) => nested_blocks(nested, value, unset),
            _ => value.clone(),
        };
        (name.clone(), finished)
    });
    Value::Map(Arc::new(finished.collect()))
}

/// The value with every member that its type has: rules name those that matter, and versions of a schema differ in the others.
fn completed(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Map(members), Type::Object(object)) => {
            let mut members = Arc::unwrap_or_clone(members);
            for (name, ty) in &object.attributes {
                let member = match members.remove(name) {
                    Some(member) => completed(member, ty),
                    None => match ty {
                        Type::List(_) => Value::list(Vec::new()),
                        Type::Set(element) => Value::set(Vec::new(), element),
                        _ => Value::Null,
                    },
                };
                members.insert(name.clone(), member);
            }
            Value::Map(Arc::new(members))
        }
        (Value::List(elements), Type::List(element)) => {
            let elements = elements.iter().cloned();
            Value::list(elements.map(|one| completed(one, element)).collect())
        }
        (Value::Set(elements), Type::Set(element)) => {
            let elements = elements.iter().cloned();
            let elements = elements.map(|one| completed(one, element)).collect();
            Value::set(elements, element)
        }
        (value, _) => value,
    }
}
