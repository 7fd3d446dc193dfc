//! Answers to first plans that serve as final plans: a creation is not planned twice with the same request.
//!
//! The peers plan every creation again when they apply it, since its configuration may hold values that were unknown. Where nothing was
//! unknown, the second request repeats the first one byte for byte, and a provider that answered differently would be refused
//! for it ("inconsistent final plan"). So the first answer is kept, under four conditions: the process that gave it still runs, the
//! configuration was wholly known and is the same now, no object exists before (and so no private bytes), and nothing that
//! the instance depends on changes in this run: a provider may look at its cloud while it plans.
//!
//! Answers live with the process that gave them, and in no file: a saved plan that another process applies is planned again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use terrane_core::Value;
use terrane_core::addr::InstanceAddr;

use crate::plan::instance::PlannedInstance;

/// When a creation is planned once more as it is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FinalPlans {
    /// Where its request may differ from that of its first plan.
    #[default]
    WhereNeeded,
    /// Always, as Terraform and OpenTofu do.
    Always,
}

/// The first plans of creations that one running provider answered.
#[derive(Debug, Default)]
pub(crate) struct FirstPlans(RefCell<HashMap<Arc<InstanceAddr>, FirstPlan>>);

#[derive(Debug)]
struct FirstPlan {
    config: Value,
    planned: PlannedInstance,
}

impl FirstPlans {
    /// Keeps the answer for a creation with that configuration.
    pub(crate) fn keep(
        &self,
        address: &Arc<InstanceAddr>,
        config: &Value,
        planned: &PlannedInstance,
    ) {
        let first = FirstPlan {
            config: config.clone(),
            planned: planned.clone(),
        };
        self.0.borrow_mut().insert(address.clone(), first);
    }

    /// The answer, if a creation with that configuration would ask the same again.
    pub(crate) fn take(&self, address: &InstanceAddr, config: &Value) -> Option<PlannedInstance> {
        let first = self.0.borrow_mut().remove(address)?;
        is_sent_alike(&first.config, config).then_some(first.planned)
    }

    /// Forgets every answer: another plan is about to be made.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Whether two values have the same bytes on the wire. Equal numbers may travel in different forms.
fn is_sent_alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(one), Value::Number(other)) => {
            one == other && one.as_exact_fraction() == other.as_exact_fraction()
        }
        (Value::List(one), Value::List(other)) | (Value::Set(one), Value::Set(other)) => {
            let mut pairs = one.iter().zip(other.iter());
            one.len() == other.len() && pairs.all(|(a, b)| is_sent_alike(a, b))
        }
        (Value::Map(one), Value::Map(other)) => {
            let mut pairs = one.iter().zip(other.iter());
            one.len() == other.len()
                && pairs.all(|((name, a), (key, b))| name == key && is_sent_alike(a, b))
        }
        (Value::Dynamic(one), Value::Dynamic(other)) => {
            one.0 == other.0 && is_sent_alike(&one.1, &other.1)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use terrane_core::value::Number;

    use super::*;
    use crate::change::Action;

    fn planned() -> PlannedInstance {
        PlannedInstance {
            action: Action::Create,
            reason: None,
            before: Value::Null,
            after: "planned".into(),
            replace_paths: Vec::new(),
            private: Bytes::new(),
            identity: None,
        }
    }

    /// Whether the answer to a plan of `first` serves for `now`.
    fn serves(first: &Value, now: &Value) -> bool {
        let (plans, address) = (FirstPlans::default(), Arc::new("t.a".parse().expect("t.a")));
        plans.keep(&address, first, &planned());
        plans.take(&address, now).is_some()
    }

    #[test]
    fn an_answer_serves_the_same_configuration_and_no_other() {
        let config = |name: &str| Value::map([("name", Value::from(name)), ("tags", Value::Null)]);
        assert!(serves(&config("a"), &config("a")));
        assert!(!serves(&config("a"), &config("b")));
        let unknown = Value::map([("name", Value::UNKNOWN), ("tags", Value::Null)]);
        assert!(!serves(&unknown, &config("a")));
    }

    #[test]
    fn equal_numbers_that_travel_differently_are_not_the_same_request() {
        let nested = |number| Value::map([("list", Value::list(vec![Value::Number(number)]))]);
        let float = || nested(Number::from_f64(0.1).expect("a number"));
        let decimal = || nested("0.1".parse().expect("a number"));
        assert_eq!(float(), decimal());
        assert!(serves(&float(), &float()));
        assert!(!serves(&float(), &decimal()));
    }

    #[test]
    fn an_answer_serves_once_and_until_the_next_plan() {
        let (plans, address) = (FirstPlans::default(), Arc::new("t.a".parse().expect("t.a")));
        plans.keep(&address, &Value::Null, &planned());
        assert!(plans.take(&address, &Value::Null).is_some());
        assert!(plans.take(&address, &Value::Null).is_none());
        plans.keep(&address, &Value::Null, &planned());
        plans.clear();
        assert!(plans.take(&address, &Value::Null).is_none());
    }
}
