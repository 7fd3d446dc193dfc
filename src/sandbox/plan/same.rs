//! Equality as the older SDK sees it: null, empty, zero and false are one.

use terrane_core::Value;

/// Whether a value stands for nothing.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Unknown(_) | Value::Dynamic(_) => false,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Map(members) => members.is_empty(),
    }
}

/// Whether both mean the same. An unknown is the same as nothing else.
pub(crate) fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        _ if is_empty(old) && is_empty(new) => true,
        (Value::List(old), Value::List(new)) => {
            old.len() == new.len() && old.iter().zip(&**new).all(|(old, new)| same(old, new))
        }
        (Value::Set(old), Value::Set(new)) => {
            old == new && old.iter().all(Value::is_wholly_known) || same_elements(old, new)
        }
        (Value::Map(old), Value::Map(new)) => {
            let names = old
                .keys()
                .chain(new.keys().filter(|name| !old.contains_key(*name)));
            let member = |map: &terrane_core::value::Map, name: &str| {
                map.get(name).cloned().unwrap_or_default()
            };
            names
                .into_iter()
                .all(|name| same(&member(old, name), &member(new, name)))
        }
        _ => old.known_equal(new),
    }
}

/// Whether each element of one set has its own in the other. Sets of blocks are small.
fn same_elements(old: &[Value], new: &[Value]) -> bool {
    if old.len() != new.len() || old.first().is_some_and(|first| first.members().is_none()) {
        return false;
    }
    let mut left: Vec<&Value> = new.iter().collect();
    old.iter().all(|old| {
        let found = left.iter().position(|new| same(old, new));
        found.map(|place| left.swap_remove(place)).is_some()
    })
}
