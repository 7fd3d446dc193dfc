//! Checks that a result is as planned: known stays, unknown may become anything of its type.

use terrane_core::schema::{Attribute, AttributeType, Block, NestedBlock, Nesting};
use terrane_core::value::Refinements;
use terrane_core::{Path, PathStep, Value};

use super::candidates::Candidates;
use super::{Problem, member, shown};

/// Where the actual object is not a possible outcome of the planned one.
pub(crate) fn incompatibilities(block: &Block, planned: &Value, actual: &Value) -> Vec<Problem> {
    let mut check = Check {
        path: Path::root(),
        problems: Vec::new(),
    };
    check.block(block, planned, actual);
    check.problems
}

struct Check {
    path: Path,
    problems: Vec<Problem>,
}

impl Check {
    fn report(&mut self, message: impl Into<String>) {
        self.problems.push(Problem {
            path: self.path.clone(),
            message: message.into(),
        });
    }

    fn within(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    fn block(&mut self, block: &Block, planned: &Value, actual: &Value) {
        match (planned, actual) {
            (Value::Unknown(_), _) => return,
            (Value::Null, Value::Null) => return,
            (Value::Null, _) => return self.report("was absent, but now present"),
            (_, Value::Null) => return self.report("was present, but now absent"),
            _ => {}
        }
        for (name, attribute) in &block.attributes {
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.attribute(attribute, member(planned, name), member(actual, name));
            });
        }
        for (name, nested) in &block.blocks {
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.nested_block(nested, member(planned, name), member(actual, name));
            });
        }
    }

    fn attribute(&mut self, attribute: &Attribute, planned: &Value, actual: &Value) {
        let sensitive = attribute.sensitive
            || matches!(&attribute.ty, AttributeType::Nested(nested)
                if nested.attributes.values().any(|member| member.sensitive));
        let before = self.problems.len();
        self.value(planned, actual, sensitive);
        if sensitive && self.problems.len() > before + 1 {
            // Which parts of a secret changed is part of the secret.
            self.problems.truncate(before);
            self.report("inconsistent values for a sensitive attribute");
        }
    }

    fn value(&mut self, planned: &Value, actual: &Value, sensitive: bool) {
        match (planned, actual) {
            (Value::Unknown(refinements), actual) => {
                if let Some(refinements) = refinements
                    && let Some(broken) = broken_refinement(refinements, actual)
                {
                    self.report(format!("was promised {broken}"));
                }
            }
            (_, Value::Unknown(_)) => self.report("was known, but now unknown"),
            (Value::Null, Value::Null) => {}
            (Value::Null, _) => {
                self.report(format!("was null, but now {}", shown(actual, sensitive)));
            }
            (_, Value::Null) => {
                self.report(format!("was {}, but now null", shown(planned, sensitive)));
            }
            (Value::List(planned), Value::List(actual)) => {
                for (index, planned) in planned.iter().enumerate() {
                    self.within(PathStep::Index(index), |check| match actual.get(index) {
                        Some(actual) => check.value(planned, actual, sensitive),
                        None => check.report("element has vanished"),
                    });
                }
                for index in planned.len()..actual.len() {
                    self.within(PathStep::Index(index), |check| {
                        check.report("new element has appeared");
                    });
                }
            }
            (Value::Map(planned), Value::Map(actual)) => {
                for (key, planned) in planned.iter() {
                    self.within(PathStep::Key(key.clone()), |check| match actual.get(key) {
                        Some(actual) => check.value(planned, actual, sensitive),
                        None => check.report("element has vanished"),
                    });
                }
                for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
                    self.within(PathStep::Key(key.clone()), |check| {
                        check.report("new element has appeared");
                    });
                }
            }
            (Value::Set(planned), Value::Set(actual)) => {
                let correlates = |planned: &Value, actual: &Value| {
                    let mut check = Self {
                        path: Path::root(),
                        problems: Vec::new(),
                    };
                    check.value(planned, actual, sensitive);
                    check.problems.is_empty()
                };
                let fixed = |_: Option<&str>, value: &Value| value.is_wholly_known();
                self.sets(planned, actual, fixed, correlates, sensitive);
            }
            (Value::Dynamic(planned), Value::Dynamic(actual)) => {
                self.value(&planned.1, &actual.1, sensitive);
            }
            (planned, actual) if planned == actual => {}
            (planned, actual) => {
                let (planned, actual) = (shown(planned, sensitive), shown(actual, sensitive));
                self.report(format!("was {planned}, but now {actual}"));
            }
        }
    }

    /// Every planned element needs an actual one and the other way round. Several planned ones may fall together.
    fn sets(
        &mut self,
        planned: &[Value],
        actual: &[Value],
        fixed: impl Fn(Option<&str>, &Value) -> bool,
        correlates: impl Fn(&Value, &Value) -> bool,
        sensitive: bool,
    ) {
        let mut candidates = Candidates::new(actual);
        for element in planned {
            if !candidates.take_all(element, &fixed, |actual| correlates(element, actual)) {
                let element = shown(element, sensitive);
                self.report(format!(
                    "planned set element {element} does not correlate with any element in actual"
                ));
            }
        }
        for element in candidates.left() {
            let element = shown(element, sensitive);
            self.report(format!(
                "actual set element {element} does not correlate with any element in plan"
            ));
        }
        if actual.len() > planned.len() {
            self.report(format!(
                "length changed from {} to {}",
                planned.len(),
                actual.len()
            ));
        }
    }

    fn nested_block(&mut self, nested: &NestedBlock, planned: &Value, actual: &Value) {
        let block = &nested.block;
        match (nested.nesting, planned, actual) {
            (_, Value::Unknown(_), _) => {}
            (Nesting::Single | Nesting::Group, ..) => self.block(block, planned, actual),
            // Old SDKs cannot tell no blocks from none known.
            (_, Value::Null, _) | (_, _, Value::Null | Value::Unknown(_)) => {}
            (Nesting::List, Value::List(planned), Value::List(actual)) => {
                if planned.len() != actual.len() {
                    return self.report(format!(
                        "block count changed from {} to {}",
                        planned.len(),
                        actual.len()
                    ));
                }
                for (index, (planned, actual)) in planned.iter().zip(actual.iter()).enumerate() {
                    self.within(PathStep::Index(index), |check| {
                        check.block(block, planned, actual);
                    });
                }
            }
            (Nesting::Map, Value::Map(planned), Value::Map(actual)) => {
                for (key, planned) in planned.iter() {
                    self.within(PathStep::Key(key.clone()), |check| match actual.get(key) {
                        Some(actual) => check.block(block, planned, actual),
                        None => check.report("block has vanished"),
                    });
                }
                for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
                    self.within(PathStep::Key(key.clone()), |check| {
                        check.report("new block has appeared");
                    });
                }
            }
            (Nesting::Set, Value::Set(planned), Value::Set(actual)) => {
                let correlates = |planned: &Value, actual: &Value| {
                    let mut check = Self {
                        path: Path::root(),
                        problems: Vec::new(),
                    };
                    check.block(block, planned, actual);
                    check.problems.is_empty()
                };
                // Null collections of blocks are excused, so only attributes must be equal.
                let fixed = |name: Option<&str>, value: &Value| {
                    value.is_wholly_known()
                        && name.is_none_or(|name| block.attributes.contains_key(name))
                };
                self.sets(planned, actual, fixed, correlates, has_sensitive(block));
            }
            // Dynamic collections: nothing can be paired; compare as values.
            (_, planned, actual) => self.value(planned, actual, has_sensitive(block)),
        }
    }
}

fn has_sensitive(block: &Block) -> bool {
    block
        .attributes
        .values()
        .any(|attribute| attribute.sensitive)
        || block
            .blocks
            .values()
            .any(|nested| has_sensitive(&nested.block))
}

/// The promise about an unknown value that does not hold.
fn broken_refinement(refinements: &Refinements, actual: &Value) -> Option<&'static str> {
    match actual {
        Value::Unknown(_) => None,
        Value::Null => (refinements.null == Some(false)).then_some("a value, but is null"),
        _ if refinements.null == Some(true) => Some("null, but has a value"),
        Value::String(text) => {
            let prefix = refinements.prefix.as_deref().unwrap_or_default();
            (!text.starts_with(prefix)).then_some("another prefix")
        }
        Value::Number(number) => {
            let below = refinements.lower.as_ref().is_some_and(|bound| {
                *number < bound.number || (*number == bound.number && !bound.inclusive)
            });
            let above = refinements.upper.as_ref().is_some_and(|bound| {
                *number > bound.number || (*number == bound.number && !bound.inclusive)
            });
            (below || above).then_some("another range")
        }
        Value::List(elements) | Value::Set(elements) => length_broken(refinements, elements.len()),
        Value::Map(members) => length_broken(refinements, members.len()),
        Value::Bool(_) | Value::Dynamic(_) => None,
    }
}

fn length_broken(refinements: &Refinements, length: usize) -> Option<&'static str> {
    let length = length as u64;
    let below = refinements.min_length.is_some_and(|min| length < min);
    let above = refinements.max_length.is_some_and(|max| length > max);
    (below || above).then_some("another number of elements")
}
