//! What would become of an object, in the manner of providers made with HashiCorp's older SDK.
//!
//! That SDK reads the proposed object as configuration, knows no difference between null and empty, and answers with the
//! prior object to the letter where it sees no change. Its quirks are the point: an engine must cope with them.

mod same;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::schema::{Attribute, Block, NestedBlock, Nesting};
use terrane_core::value::Map;
use terrane_core::{Path, PathStep, Type, Value};

use crate::behaviour::{Argument, Behaviour, Form, Same};
use crate::json_text;
use crate::kind::Kind;

pub(crate) use same::{is_empty, same};
pub(crate) use tags::{DefaultTags, merged as merged_tags};

/// The answer to a plan.
#[derive(Debug)]
pub(crate) struct PlannedObject {
    pub(crate) object: Value,
    pub(crate) requires_replace: Vec<Path>,
}

/// Plans an object. Both are whole objects of that kind; `prior` is null before creation.
pub(crate) fn plan(
    kind: &Kind,
    prior: &Value,
    proposed: &Value,
    default_tags: &DefaultTags,
    region: &str,
) -> PlannedObject {
    let empty = Map::new();
    let proposed = proposed.members().unwrap_or(&empty);
    let mut planner = Planner {
        behaviour: kind.behaviour(),
        path: Path::root(),
        dotted: String::new(),
        requires_replace: Vec::new(),
    };
    let mut object = planner.block(
        &kind.schema.block,
        prior.members(),
        proposed,
        Container::Ordered,
    );
    tags::plan(&kind.schema.block, prior, &mut object, default_tags);
    let mut requires_replace = planner.requires_replace;
    if let Some(own) = object.get_mut("region").filter(|_| kind.is_regional()) {
        if own.is_unknown() {
            *own = region.into();
        }
        if prior.get("region").is_some_and(|was| was != own) {
            requires_replace.push(Path::root().attribute("region"));
        }
    }
    PlannedObject {
        object: Value::Map(Arc::new(object)),
        requires_replace,
    }
}

/// Whether an element of it has a path of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Ordered,
    /// Inside a set: changes are the set's, and text that is not set is empty.
    InSet,
}

struct Planner<'a> {
    behaviour: &'a Behaviour,
    path: Path,
    /// The path as [`Behaviour`] names it.
    dotted: String,
    requires_replace: Vec<Path>,
}

impl Planner<'_> {
    fn block(&mut self, block: &Block, old: Option<&Map>, new: &Map, container: Container) -> Map {
        let mut planned = Map::new();
        let before = self.dotted.len();
        let names = block.attributes.keys().chain(block.blocks.keys());
        for name in names {
            if before > 0 {
                self.dotted.push('.');
            }
            self.dotted.push_str(name);
            self.path.push(PathStep::Attribute(name.clone()));
            let argument = self.behaviour.at(&self.dotted);
            let was = old.and_then(|old| old.get(name));
            let proposed = new.get(name).unwrap_or(&Value::Null);
            let value = match (block.attributes.get(name), block.blocks.get(name)) {
                (Some(attribute), _) => {
                    self.attribute(attribute, argument, was, proposed, container)
                }
                (_, Some(nested)) => self.blocks(nested, argument, was, proposed, container),
                _ => Value::Null,
            };
            if container == Container::Ordered
                && argument.replaces
                && was.is_some_and(|was| *was != value)
            {
                self.requires_replace.push(self.path.clone());
            }
            planned.insert(name.clone(), value);
            self.path.pop();
            self.dotted.truncate(before);
        }
        planned
    }

    fn attribute(
        &self,
        attribute: &Attribute,
        argument: Argument,
        was: Option<&Value>,
        proposed: &Value,
        container: Container,
    ) -> Value {
        let ty = attribute.ty();
        match proposed {
            // Sent, and in no plan.
            _ if attribute.write_only => Value::Null,
            Value::Unknown(_) => proposed.clone(),
            Value::Null => {
                let default = argument.default_value(&ty);
                if let Some(default) = default.filter(|_| attribute.optional) {
                    return default;
                }
                match was {
                    // The engine has put the prior value of a computed attribute into the proposal: it was null.
                    Some(_) if attribute.computed => Value::Null,
                    None if attribute.computed => Value::UNKNOWN,
                    Some(was) if is_empty(was) => was.clone(),
                    _ if container == Container::InSet && ty == Type::String => "".into(),
                    _ => Value::Null,
                }
            }
            _ => {
                let value = self.stored_form(argument, proposed, &ty);
                match was {
                    Some(was) if means_the_same(argument.same, was, &value) => was.clone(),
                    _ => value,
                }
            }
        }
    }

    /// The form in which the provider keeps a known value.
    fn stored_form(&self, argument: Argument, value: &Value, ty: &Type) -> Value {
        match (value, ty) {
            (Value::String(text), _) => match argument.form {
                Form::AsWritten => None,
                Form::Json => json_text::normal(text),
                Form::Policy => json_text::version_first(text),
            }
            .map_or_else(|| value.clone(), Value::from),
            // Blocks in the guise of an attribute: the SDK knows no nulls in them.
            (Value::Set(elements), Type::Set(element)) if matches!(**element, Type::Object(_)) => {
                let filled = elements.iter().map(|value| self.filled(value, element));
                Value::set(filled.collect(), element)
            }
            _ => value.clone(),
        }
    }

    fn filled(&self, value: &Value, ty: &Type) -> Value {
        let (Value::Map(members), Type::Object(object)) = (value, ty) else {
            return value.clone();
        };
        let member = |(name, value): (&Arc<str>, &Value)| {
            let filled = match (value, object.attributes.get(name)) {
                (Value::Null, Some(ty)) => empty(ty),
                _ => value.clone(),
            };
            (name.clone(), filled)
        };
        Value::Map(Arc::new(members.iter().map(member).collect()))
    }

    fn blocks(
        &mut self,
        nested: &NestedBlock,
        argument: Argument,
        was: Option<&Value>,
        proposed: &Value,
        container: Container,
    ) -> Value {
        if proposed.is_unknown() {
            return proposed.clone();
        }
        if let Nesting::Single | Nesting::Group = nested.nesting {
            let Some(new) = proposed.members() else {
                return proposed.clone();
            };
            let old = was.and_then(Value::members);
            return Value::Map(Arc::new(self.block(&nested.block, old, new, container)));
        }
        if is_empty(proposed) {
            if argument.replaces_when_gone && was.is_some_and(|was| !is_empty(was)) {
                self.requires_replace.push(self.path.clone());
            }
            return match was {
                None if argument.filled_in => Value::UNKNOWN,
                Some(was) if argument.filled_in || argument.same == Same::WhenLeftOut => {
                    was.clone()
                }
                _ => proposed.clone(),
            };
        }
        let olds = was.and_then(Value::elements).unwrap_or(&[]);
        match proposed {
            Value::List(elements) => {
                let planned = elements.iter().enumerate().map(|(index, new)| {
                    self.path.push(PathStep::Index(index));
                    let old = olds.get(index).and_then(Value::members);
                    let value = self.element(nested, old, new, container);
                    self.path.pop();
                    value
                });
                Value::list(planned.collect())
            }
            Value::Set(elements) => self.set(nested, olds, elements, was),
            Value::Map(elements) => {
                let olds = was.and_then(Value::members);
                let mut planned = BTreeMap::new();
                for (key, new) in &**elements {
                    self.path.push(PathStep::Key(key.clone()));
                    let old = olds.and_then(|olds| olds.get(key)?.members());
                    planned.insert(key.clone(), self.element(nested, old, new, container));
                    self.path.pop();
                }
                Value::Map(Arc::new(planned))
            }
            _ => proposed.clone(),
        }
    }

    fn element(
        &mut self,
        nested: &NestedBlock,
        old: Option<&Map>,
        new: &Value,
        container: Container,
    ) -> Value {
        match new.members() {
            Some(new) => Value::Map(Arc::new(self.block(&nested.block, old, new, container))),
            None => new.clone(),
        }
    }

    fn set(
        &mut self,
        nested: &NestedBlock,
        olds: &[Value],
        news: &[Value],
        was: Option<&Value>,
    ) -> Value {
        let mut left: Vec<&Value> = olds.iter().collect();
        let mut planned = Vec::with_capacity(news.len());
        for new in news {
            // The same element as before, if planning it changes nothing.
            let kept = left.iter().position(|old| {
                let value = self.element(nested, old.members(), new, Container::InSet);
                same(old, &value)
            });
            planned.push(match kept {
                Some(container) => left.remove(container).clone(),
                None => self.element(nested, None, new, Container::InSet),
            });
        }
        let planned = Value::set(planned, &nested.block.implied_type());
        if was.is_some_and(|was| *was != planned) && self.behaviour.replaces_below(&self.dotted) {
            self.requires_replace.push(self.path.clone());
        }
        planned
    }
}

fn means_the_same(how: Same, old: &Value, new: &Value) -> bool {
    match (how, old.as_str(), new.as_str()) {
        (Same::AsPolicy, Some(old), Some(new)) => old == new || json_text::same_policy(old, new),
        (Same::AsJson, Some(old), Some(new)) => old == new || json_text::same_json(old, new),
        (Same::AsUrl, Some(old), Some(new)) => {
            old.trim_start_matches("https://") == new.trim_start_matches("https://")
        }
        _ => same(old, new),
    }
}

/// The value of a type that stands for nothing.
pub(crate) fn empty(ty: &Type) -> Value {
    match ty {
        Type::String => "".into(),
        Type::Number => Value::from(0),
        Type::Bool => Value::from(false),
        Type::List(_) | Type::Tuple(_) => Value::list(Vec::new()),
        Type::Set(_) => Value::Set(Arc::default()),
        Type::Map(_) => Value::Map(Arc::default()),
        Type::Object(_) | Type::Dynamic => Value::Null,
    }
}

#[cfg(test)]
mod tests;
