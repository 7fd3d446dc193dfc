//! Attributes that providers fill in only after an operation: the first read shows them, though nothing was changed.

use terrane_core::schema::Block;
use terrane_core::{Expr, Value};

use crate::diff::{equivalent, member};

/// Whether everything that the first read after an operation shows anew can be the provider's own: what had no value yet, what nobody
/// can set, and deprecated attributes, for these mirror objects of other types. What the program sets is never that.
pub(super) fn is_filled_in(
    remembered: &Value,
    read: &Value,
    block: &Block,
    arguments: Option<&Expr>,
) -> bool {
    if read.members().is_none() {
        return false;
    }
    let is_set = |name: &str| match arguments {
        Some(Expr::Map(arguments)) => arguments.contains_key(name),
        _ => false,
    };
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let is_its_own = attribute.deprecated || (attribute.computed && !attribute.optional);
        (name, is_its_own)
    });
    let blocks = block.blocks.iter();
    let blocks = blocks.map(|(name, nested)| (name, nested.block.deprecated));
    attributes.chain(blocks).all(|(name, is_its_own)| {
        let (before, now) = (member(remembered, name), member(read, name));
        let fits = match is_set(name) {
            true => !before.is_null() && fills_nulls(before, now),
            false => is_its_own || says_nothing(before) || fills_nulls(before, now),
        };
        fits || equivalent(before, now)
    })
}

/// Whether the only difference is that nulls have a value now: had the program set them, they were none.
fn fills_nulls(before: &Value, now: &Value) -> bool {
    /// Elements of larger sets are not looked for among each other.
    const LOOKED_AT: usize = 100;
    match (before, now) {
        (Value::Null, _) => true,
        (Value::List(before), Value::List(now)) => {
            before.len() == now.len()
                && before
                    .iter()
                    .zip(now.iter())
                    .all(|(b, n)| fills_nulls(b, n))
        }
        (Value::Set(before), Value::Set(now)) if before.len() <= LOOKED_AT => {
            let is_there = |before| now.iter().any(|now| fills_nulls(before, now));
            before.len() == now.len() && before.iter().all(is_there)
        }
        (Value::Map(members), Value::Map(_)) => {
            let mut members = members.iter();
            members.all(|(name, before)| fills_nulls(before, member(now, name)))
        }
        _ => equivalent(before, now),
    }
}

/// Whether there is no value yet, at any depth.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(elements) | Value::Set(elements) => elements.iter().all(says_nothing),
        Value::Map(members) => members.values().all(says_nothing),
        Value::Dynamic(dynamic) => says_nothing(&dynamic.1),
        Value::Unknown(_) | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use terrane_core::schema::{Attribute, AttributeType};
    use terrane_core::{IntoExpr as _, Type};

    use super::*;

    fn attribute(deprecated: bool) -> Attribute {
        Attribute {
            ty: AttributeType::Plain(Type::String),
            required: false,
            optional: true,
            computed: true,
            sensitive: false,
            write_only: false,
            deprecated,
        }
    }

    fn filled_in(before: &[(&str, &str)], now: &[(&str, &str)]) -> bool {
        let attributes = [
            ("plain".into(), attribute(false)),
            ("set".into(), attribute(false)),
            ("mirror".into(), attribute(true)),
        ];
        let block = Block {
            attributes: BTreeMap::from(attributes),
            ..Block::default()
        };
        let object = |members: &[(&str, &str)]| {
            Value::map(members.iter().map(|(name, text)| (*name, (*text).into())))
        };
        let arguments = Expr::map(BTreeMap::from([("set".into(), "mine".into_expr())]));
        is_filled_in(&object(before), &object(now), &block, Some(&arguments))
    }

    #[test]
    fn what_had_no_value_and_what_mirrors_other_objects_is_filled_in() {
        assert!(filled_in(&[], &[("plain", "x")]));
        assert!(filled_in(&[("plain", "")], &[("plain", "x")]));
        assert!(filled_in(&[("mirror", "x")], &[("mirror", "y")]));
    }

    #[test]
    fn nulls_that_got_a_value_within_what_the_program_sets_are_filled_in() {
        let key = |enabled: Value| Value::map([("kind", "AES256".into()), ("enabled", enabled)]);
        let set = |elements: Vec<Value>| Value::Set(elements.into());
        let (two, other) = (key(false.into()), Value::map([("kind", "none".into())]));
        assert!(fills_nulls(
            &set(vec![key(Value::Null), other.clone()]),
            &set(vec![other.clone(), two.clone()])
        ));
        assert!(!fills_nulls(&set(vec![two]), &set(vec![key(true.into())])));
        assert!(!fills_nulls(&set(vec![other]), &set(vec![])));
    }

    #[test]
    fn another_value_and_what_the_program_sets_is_drift() {
        assert!(!filled_in(&[("plain", "x")], &[("plain", "y")]));
        assert!(!filled_in(&[("plain", "x")], &[]));
        assert!(!filled_in(&[], &[("set", "x")]));
        let both = filled_in(&[("plain", "x")], &[("plain", "y"), ("mirror", "y")]);
        assert!(!both);
    }

    #[test]
    fn what_is_gone_is_not_filled_in() {
        assert!(!is_filled_in(
            &Value::map([("plain", "x".into())]),
            &Value::Null,
            &Block::default(),
            None
        ));
    }
}
