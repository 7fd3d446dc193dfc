//! Checks that a planned object is one that the configuration allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::schema::{Attribute, AttributeType, Block, NestedBlock, Nesting};
use terrane_core::{Path, PathStep, Value};

use super::{Problem, member, same, shown};

/// The rules that a provider's planned object breaks. Errors, unless the provider announced the legacy type system.
pub(crate) fn plan_problems(
    block: &Block,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Vec<Problem> {
    let mut check = Check {
        path: Path::root(),
        problems: Vec::new(),
    };
    check.block(block, prior, config, planned);
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

    fn block(&mut self, block: &Block, prior: &Value, config: &Value, planned: &Value) {
        match (planned.is_null(), config.is_null()) {
            (true, true) => return,
            (true, false) => {
                return self.report("planned for absence, but the configuration wants it");
            }
            (false, true) => {
                return self
                    .report("planned for existence, but the configuration does not want it");
            }
            (false, false) => {}
        }
        if planned.is_unknown() {
            if !config.is_unknown() {
                self.report("an object that the configuration holds may not be wholly unknown");
            }
            return;
        }
        self.attributes(&block.attributes, prior, config, planned);
        for (name, nested) in &block.blocks {
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.nested_block(
                    nested,
                    member(prior, name),
                    member(config, name),
                    member(planned, name),
                );
            });
        }
    }

    fn attributes(
        &mut self,
        attributes: &BTreeMap<Arc<str>, Attribute>,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        for (name, attribute) in attributes {
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.attribute(
                    attribute,
                    member(prior, name),
                    member(config, name),
                    member(planned, name),
                );
            });
        }
    }

    fn attribute(&mut self, attribute: &Attribute, prior: &Value, config: &Value, planned: &Value) {
        // A plan has no write-only values any more when it comes here.
        if attribute.write_only {
            return;
        }
        if same(planned, config) {
            return;
        }
        // The provider says that prior and configured value mean the same.
        if !prior.is_null() && !config.is_null() && same(planned, prior) {
            return;
        }
        let decided_by_provider =
            attribute.computed && (config.is_null() || !(attribute.optional || attribute.required));
        if decided_by_provider {
            return;
        }
        if config.is_null() && !attribute.computed {
            self.report(format!(
                "planned {} for an attribute that is neither configured nor computed",
                shown(planned, attribute.sensitive)
            ));
            return;
        }
        if let AttributeType::Nested(nested) = &attribute.ty {
            return self.nested_attribute(
                &nested.attributes,
                nested.nesting,
                prior,
                config,
                planned,
            );
        }
        let mut message = format!(
            "planned value {} does not match configured value {}",
            shown(planned, attribute.sensitive),
            shown(config, attribute.sensitive)
        );
        if !prior.is_null() {
            message.push_str(" nor prior value ");
            message.push_str(&shown(prior, attribute.sensitive));
        }
        self.report(message);
    }

    fn nested_attribute(
        &mut self,
        attributes: &BTreeMap<Arc<str>, Attribute>,
        nesting: Nesting,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        if planned.is_null() != config.is_null() {
            return self.report("planned and configured value must both be null or both not");
        }
        if planned.is_unknown() {
            if !config.is_unknown() {
                self.report("a configured value may not be planned as unknown");
            }
            return;
        }
        match (nesting, planned, config) {
            (_, _, Value::Unknown(_)) => {}
            (Nesting::List, Value::List(planned), Value::List(config)) => {
                if planned.len() != config.len() {
                    return self.report(count_message(planned.len(), config.len()));
                }
                for (index, (planned, config)) in planned.iter().zip(config.iter()).enumerate() {
                    let prior = element(prior, index);
                    self.within(PathStep::Index(index), |check| {
                        check.attributes(attributes, prior, config, planned);
                    });
                }
            }
            (Nesting::Map, Value::Map(planned), Value::Map(config)) => {
                if !planned.keys().eq(config.keys()) {
                    return self.report("planned keys do not match configured keys");
                }
                for (key, planned) in planned.iter() {
                    self.within(PathStep::Key(key.clone()), |check| {
                        check.attributes(attributes, member(prior, key), &config[key], planned);
                    });
                }
            }
            (Nesting::Set, Value::Set(planned), Value::Set(config)) => {
                // Unknown elements may turn out equal to others, so then a count is only an upper bound.
                let known = |set: &[Value]| set.iter().all(Value::is_wholly_known);
                if known(planned) && known(config) && planned.len() != config.len() {
                    self.report(count_message(planned.len(), config.len()));
                }
            }
            _ => self.attributes(attributes, prior, config, planned),
        }
    }

    fn nested_block(
        &mut self,
        nested: &NestedBlock,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        let decided_by_provider = nested.block.computed && config.is_null();
        if same(planned, config) || decided_by_provider {
            return;
        }
        if config.is_unknown() {
            return self.report("unknown blocks must be planned as they are");
        }
        if planned.is_unknown() {
            return self.report("configured blocks may not be planned as unknown");
        }
        let block = &nested.block;
        match nested.nesting {
            Nesting::Single | Nesting::Group => self.block(block, prior, config, planned),
            Nesting::List | Nesting::Map | Nesting::Set if planned.is_null() => {
                self.report("a collection of blocks must be empty rather than null");
            }
            Nesting::List => {
                let Some(planned) = planned.elements() else {
                    return;
                };
                // Null can come from ignored changes on the state of an old provider and means no blocks.
                let config = config.elements().unwrap_or_default();
                if planned.len() != config.len() {
                    return self.report(count_message(planned.len(), config.len()));
                }
                for (index, (planned, config)) in planned.iter().zip(config.iter()).enumerate() {
                    let prior = element(prior, index);
                    self.within(PathStep::Index(index), |check| {
                        check.block(block, prior, config, planned);
                    });
                }
            }
            Nesting::Map => {
                let (Some(planned), Some(config)) = (planned.members(), config.members()) else {
                    return;
                };
                if !planned.keys().eq(config.keys()) {
                    return self.report("planned keys do not match configured keys");
                }
                for (key, planned) in planned {
                    self.within(PathStep::Key(key.clone()), |check| {
                        check.block(block, member(prior, key), &config[key], planned);
                    });
                }
            }
            Nesting::Set => {
                let elements = planned.elements().unwrap_or_default();
                if elements.iter().any(Value::is_unknown) {
                    self.report("a set of blocks may not hold wholly unknown blocks");
                }
            }
        }
    }
}

fn element(list: &Value, index: usize) -> &Value {
    list.elements()
        .and_then(|elements| elements.get(index))
        .unwrap_or(&Value::Null)
}

fn count_message(planned: usize, config: usize) -> String {
    format!("planned {planned} elements where the configuration has {config}")
}
