//! Which elements of a set an element of another one may correspond to, without comparing each with each.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use terrane_core::Value;

use super::member;

/// The elements of a set, found by those of their members that must be equal.
pub(super) struct Candidates<'a> {
    elements: &'a [Value],
    taken: Vec<bool>,
    /// For each choice of members: the elements by what they hold there.
    tables: HashMap<Shape, HashMap<u64, Bucket>>,
}

/// What of an element decides which others it may correspond to.
#[derive(PartialEq, Eq, Hash)]
enum Shape {
    Whole,
    Members(Vec<Arc<str>>),
}

/// Elements that agree there, in the order of the set.
#[derive(Default)]
struct Bucket {
    free: Vec<usize>,
    taken: Vec<usize>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(elements: &'a [Value]) -> Self {
        Self {
            elements,
            taken: vec![false; elements.len()],
            tables: HashMap::new(),
        }
    }

    /// The first element that nobody has taken and that fits; it is taken now.
    ///
    /// `fixed` says of a member of `element` (of the element itself: `None`) whether only what is equal there can fit.
    pub(super) fn take(
        &mut self,
        element: &Value,
        fixed: impl Fn(Option<&str>, &Value) -> bool,
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'a Value> {
        let (elements, taken, bucket) = self.bucket(element, fixed);
        bucket.free.retain(|&place| !taken[place]);
        let found = (bucket.free.iter()).position(|&place| fits(&elements[place]))?;
        let place = bucket.free.remove(found);
        taken[place] = true;
        Some(&elements[place])
    }

    /// Takes every element that fits, taken before or not; whether there is one.
    pub(super) fn take_all(
        &mut self,
        element: &Value,
        fixed: impl Fn(Option<&str>, &Value) -> bool,
        fits: impl Fn(&Value) -> bool,
    ) -> bool {
        let (elements, taken, bucket) = self.bucket(element, fixed);
        let mut found = false;
        bucket.free.retain(|&place| {
            if !taken[place] {
                taken[place] = fits(&elements[place]);
                found |= taken[place];
            }
            if taken[place] {
                bucket.taken.push(place);
            }
            !taken[place]
        });
        found || bucket.taken.iter().any(|&place| fits(&elements[place]))
    }

    /// The elements that nobody has taken.
    pub(super) fn left(&self) -> impl Iterator<Item = &'a Value> {
        let free = |(element, taken): (&'a Value, &bool)| (!taken).then_some(element);
        self.elements.iter().zip(&self.taken).filter_map(free)
    }

    fn bucket(
        &mut self,
        element: &Value,
        fixed: impl Fn(Option<&str>, &Value) -> bool,
    ) -> (&'a [Value], &mut Vec<bool>, &mut Bucket) {
        let shape = match element {
            Value::Map(members) => {
                let fixed = members
                    .iter()
                    .filter(|(name, value)| fixed(Some(name), value));
                Shape::Members(fixed.map(|(name, _)| name.clone()).collect())
            }
            element if fixed(None, element) => Shape::Whole,
            _ => Shape::Members(Vec::new()),
        };
        let key = shape.key(element);
        let elements = self.elements;
        let table = self.tables.entry(shape);
        let table = table.or_insert_with_key(|shape| {
            let mut table: HashMap<u64, Bucket> = HashMap::new();
            for (place, element) in elements.iter().enumerate() {
                let bucket = table.entry(shape.key(element)).or_default();
                bucket.free.push(place);
            }
            table
        });
        (elements, &mut self.taken, table.entry(key).or_default())
    }
}

impl Shape {
    fn key(&self, element: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Whole => hash(element, &mut hasher),
            Self::Members(names) => {
                for name in names {
                    hash(member(element, name), &mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

/// Equal for values that any rule calls equal: refinements, types of dynamic values and the order of a set do not count.
fn hash(value: &Value, hasher: &mut DefaultHasher) {
    if let Value::Dynamic(dynamic) = value {
        return hash(&dynamic.1, hasher);
    }
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null | Value::Unknown(_) | Value::Dynamic(_) => {}
        Value::Bool(flag) => flag.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(elements) => {
            elements.len().hash(hasher);
            elements.iter().for_each(|element| hash(element, hasher));
        }
        Value::Set(elements) => {
            let one = |element| {
                let mut hasher = DefaultHasher::new();
                hash(element, &mut hasher);
                hasher.finish()
            };
            elements.len().hash(hasher);
            elements
                .iter()
                .map(one)
                .fold(0, u64::wrapping_add)
                .hash(hasher);
        }
        Value::Map(members) => {
            members.len().hash(hasher);
            for (name, member) in members.iter() {
                name.hash(hasher);
                hash(member, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const MANY: i64 = 4_000;

    fn element(port: i64, id: Value) -> Value {
        Value::map([("port", Value::from(port)), ("id", id)])
    }

    fn is_known(_: Option<&str>, value: &Value) -> bool {
        value.is_wholly_known()
    }

    #[test]
    fn elements_of_large_sets_are_compared_with_their_like_alone() {
        let actual: Vec<_> = (0..MANY)
            .map(|port| element(port, format!("id-{port}").into()))
            .collect();
        for take_all in [false, true] {
            let compared = Cell::new(0);
            let mut candidates = Candidates::new(&actual);
            for port in 0..MANY {
                let planned = element(port, Value::UNKNOWN);
                let fits = |actual: &Value| {
                    compared.set(compared.get() + 1);
                    actual.get("port") == planned.get("port")
                };
                let found = if take_all {
                    candidates.take_all(&planned, is_known, fits)
                } else {
                    candidates.take(&planned, is_known, fits).is_some()
                };
                assert!(found, "{port}");
            }
            assert_eq!(candidates.left().count(), 0);
            assert_eq!(compared.get(), MANY);
        }
    }

    #[test]
    fn elements_that_could_be_anything_are_compared_once() {
        let actual: Vec<_> = (0..MANY).map(Value::from).collect();
        let compared = Cell::new(0);
        let mut candidates = Candidates::new(&actual);
        for _ in 0..MANY {
            let fits = |_: &Value| {
                compared.set(compared.get() + 1);
                true
            };
            assert!(candidates.take_all(&Value::UNKNOWN, is_known, fits));
        }
        assert_eq!(candidates.left().count(), 0);
        assert!(compared.get() < 2 * MANY, "{}", compared.get());
    }

    #[test]
    fn what_is_taken_under_one_shape_is_taken_under_every_other() {
        let actual = [element(1, "a".into()), element(1, "b".into())];
        let mut candidates = Candidates::new(&actual);
        let known = element(1, "a".into());
        let fits = |actual: &Value| actual == &known;
        assert_eq!(candidates.take(&known, is_known, fits), Some(&actual[0]));
        let open = element(1, Value::UNKNOWN);
        assert_eq!(candidates.take(&open, is_known, |_| true), Some(&actual[1]));
        assert_eq!(candidates.take(&open, is_known, |_| true), None);
        assert_eq!(candidates.left().count(), 0);
    }

    #[test]
    fn values_that_a_rule_calls_equal_are_found() {
        let key = |value: &Value| Shape::Whole.key(value);
        let set = |elements: &[i64]| {
            Value::Set(Arc::new(
                elements.iter().map(|one| Value::from(*one)).collect(),
            ))
        };
        assert_eq!(key(&set(&[1, 2])), key(&set(&[2, 1])));
        let dynamic = Value::Dynamic(Arc::new((terrane_core::Type::Number, Value::from(1))));
        assert_eq!(key(&dynamic), key(&Value::from(1)));
    }
}
