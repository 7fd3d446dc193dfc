//! Values that decide what a program declares although the cloud decides them: the function that looks at one ends there, and runs again.
//!
//! Much of what the cloud decides is known as soon as a plan is made: what a data resource reads, a name that the configuration gives. The
//! engine asks for exactly what was looked at, of what was declared until then, and declares the program again with the answer.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::addr::{InstanceAddr, ModuleAddr};
use crate::diagnostics::{Diagnostic, Location};
use crate::error::{Error, Result};
use crate::expr::{Expr, Scope};
use crate::marks::Marked;
use crate::output::Output;
use crate::stack::Stack;
use crate::typed::FromValue;
use crate::value::{Map, PathStep, Value};
use crate::value_module::constant;

/// What a stack function runs with of the values that the cloud decides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownValues {
    modules: BTreeMap<ModuleAddr, Value>,
    objects: BTreeMap<InstanceAddr, Arc<Marked>>,
}

impl KnownValues {
    /// The value of a module that takes one.
    pub fn module(&self, module: &ModuleAddr) -> Option<&Value> {
        self.modules.get(module)
    }

    /// Adds the value of a module.
    pub fn add_module(&mut self, module: ModuleAddr, value: Value) {
        self.modules.insert(module, value);
    }

    /// The modules and their values.
    pub fn modules(&self) -> impl Iterator<Item = (&ModuleAddr, &Value)> {
        self.modules.iter()
    }

    /// The planned object of an instance; what the program did not look at is unknown in it.
    pub fn object(&self, address: &InstanceAddr) -> Option<&Arc<Marked>> {
        self.objects.get(address)
    }

    /// Adds what was looked at of an object: one attribute, or all of it.
    pub fn add_attribute(&mut self, needed: &Needed, object: &Marked) {
        let Some(members) = object.value.members() else {
            return;
        };
        let before = self.objects.get(&*needed.address);
        let of_before = before.and_then(|it| it.value.members());
        let mut known = Map::new();
        for (name, value) in members {
            let is_needed = needed.attribute.as_ref().is_none_or(|it| it == name);
            let value = match is_needed {
                true => Some(value),
                false => of_before.and_then(|members| members.get(name)),
            };
            known.insert(name.clone(), value.cloned().unwrap_or(Value::UNKNOWN));
        }
        let known = Marked {
            value: Value::Map(Arc::new(known)),
            sensitive: object.sensitive.clone(),
        };
        let address = InstanceAddr::clone(&needed.address);
        self.objects.insert(address, Arc::new(known));
    }

    /// Adds the object of an instance as another run knew it.
    pub fn add_object(&mut self, address: InstanceAddr, object: Marked) {
        self.objects.insert(address, Arc::new(object));
    }

    /// The instances whose objects the program looked at.
    pub fn objects(&self) -> impl Iterator<Item = (&InstanceAddr, &Marked)> {
        let objects = self.objects.iter();
        objects.map(|(address, object)| (address, &**object))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.objects.is_empty()
    }
}

/// Something that decides what is declared, and is not known while the function runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// The instance.
    pub address: Arc<InstanceAddr>,
    /// Which attribute of it; `None` where the whole object was looked at.
    pub attribute: Option<Arc<str>>,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "{}.{attribute}", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// The error that ends a stack function which looked at a value before it was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKnown {
    needs: Vec<Needed>,
}

impl NotKnown {
    /// What of an expression is not known yet.
    pub fn of(expr: &Expr) -> Self {
        let mut needs = Vec::new();
        expr.for_each_reference(&mut |reference| {
            let planned = reference.planned.as_ref();
            let known = planned.and_then(|it| it.value.at(&reference.path));
            if !known.is_some_and(Value::is_wholly_known) {
                needs.push(Needed {
                    address: reference.address.clone(),
                    attribute: match reference.path.steps().first() {
                        Some(PathStep::Attribute(name)) => Some(name.clone()),
                        _ => None,
                    },
                });
            }
        });
        needs.sort_unstable();
        needs.dedup();
        Self { needs }
    }

    /// What has to be known.
    pub fn needs(&self) -> &[Needed] {
        &self.needs
    }
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.needs {
            [] => f.write_str("the value is known only after apply"),
            [one] => write!(f, "{one} is known only after apply"),
            [all @ .., last] => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "{} and {last} are known only after apply",
                    all.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for NotKnown {}

impl Expr {
    /// The value as far as the program was told what is planned; `None` where it was told nothing of it.
    pub fn planned(&self) -> Option<Marked> {
        let mut objects = Planned::default();
        self.for_each_reference(&mut |reference| {
            if let Some(object) = &reference.planned {
                objects.0.insert(reference.address.clone(), object.clone());
            }
        });
        match objects.0.is_empty() {
            true => None,
            // Whatever is wrong is told by the evaluation of a plan.
            false => self.evaluate(&objects).ok(),
        }
    }
}

/// The objects of which a program was told something.
#[derive(Default)]
struct Planned(HashMap<Arc<InstanceAddr>, Arc<Marked>>);

impl Scope for Planned {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let unknown = || Arc::new(Marked::plain(Value::UNKNOWN));
        Some(self.0.get(address).cloned().unwrap_or_else(unknown))
    }
}

impl Stack {
    /// A value that is known when the plan is made, to decide with: what a data resource read, or a name that the configuration gives.
    ///
    /// ```
    /// # use terrane_core::{NoConfig, Output, Program, Resource, Result, Stack};
    /// # fn platform(stack: &mut Stack) -> Result<()> {
    /// let subnets = Resource::dynamic_data("aws_subnets", "default").declare(stack);
    /// let ids: Output<Vec<String>> = subnets.attribute("ids");
    /// for id in stack.known(&ids)? {
    ///     Resource::dynamic_data("aws_subnet", "default")
    ///         .instance_key(id.as_str())
    ///         .set("id", id)
    ///         .declare(stack);
    /// }
    /// # Ok(())
    /// # }
    /// # let program = Program::from_fn(platform, NoConfig).expect("a program");
    /// # assert!(program.unfinished().is_some());
    /// ```
    ///
    /// The first time the function ends here, for nobody knows the value yet. The engine plans what the value comes from, and runs the
    /// function again with it, as often as there is something new to look at. A value that is known only after apply is an error at the line
    /// of the `?`; [`module_when_known`](Self::module_when_known) is for those. A provider that is used or configured only
    /// after the first such line has to be named before it by [`require_provider`](Self::require_provider).
    ///
    /// # Errors
    /// While the value is not known: hand the error on. When it must not be shown, or is not of that type.
    #[track_caller]
    pub fn known<T: FromValue>(&mut self, value: &Output<T>) -> Result<T> {
        let location = Location::caller();
        let expr = value.expr();
        let planned = match expr.planned() {
            Some(planned) => planned,
            None => match constant(expr, location)? {
                Some(constant) => Marked::plain(constant),
                None => Marked::plain(Value::UNKNOWN),
            },
        };
        if !planned.value.is_wholly_known() {
            let not_known = NotKnown::of(expr);
            self.declared.not_known = Some(not_known.clone());
            return Err(not_known.into());
        }
        if planned.is_sensitive() {
            let refused = Diagnostic::error("a sensitive value cannot decide what is declared")
                .detail("it would show in addresses, and in the number of resources")
                .location(location);
            return Err(Error::from(refused));
        }
        Ok(T::from_value(&planned.value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoConfig, Path, Program, Resource};

    fn program(
        function: impl FnOnce(&mut Stack) -> Result<()>,
        known: KnownValues,
    ) -> Result<Program, String> {
        Program::with_values(function, NoConfig, known).map_err(|faults| faults.to_string())
    }

    fn declared(program: &Program) -> Vec<String> {
        let resources = program.resources().iter();
        resources.map(|it| it.address.to_string()).collect()
    }

    fn names(stack: &mut Stack) -> Result<()> {
        let other = Resource::dynamic("t_x", "other").declare(stack);
        let base = Resource::dynamic("t_x", "base").declare(stack);
        let later = stack.forward::<String>();
        Resource::dynamic("t_x", "unsaid")
            .set("a", later.output())
            .declare(stack);
        stack.export("other", other.attribute::<String>("id"));
        let names = Resource::dynamic_data("t_names", "all")
            .set("base", base.attribute::<String>("id"))
            .declare(stack);
        for name in stack.known(&names.attribute::<Vec<String>>("names"))? {
            Resource::dynamic("t_x", name).declare(stack);
        }
        later.set("said");
        Ok(())
    }

    fn known(names: &Program, object: Value) -> KnownValues {
        let mut known = names.known_values().clone();
        for (_, needed) in &names.unfinished().expect("it ended early").needs {
            known.add_attribute(needed, &Marked::plain(object.clone()));
        }
        known
    }

    #[test]
    fn a_program_that_ended_early_has_what_is_needed_and_nothing_else() {
        let first = program(names, KnownValues::default()).expect("a program");
        assert_eq!(declared(&first), ["t_x.base", "data.t_names.all"]);
        assert!(first.exports().is_empty());
        assert!(first.whole().is_err());
        let unfinished = first.unfinished().expect("it ended early");
        let needs: Vec<String> = unfinished.needs.iter().map(|it| it.1.to_string()).collect();
        assert_eq!(needs, ["data.t_names.all.names"]);
    }

    #[test]
    fn with_the_value_it_goes_on() {
        let first = program(names, KnownValues::default()).expect("a program");
        let object = Value::map([
            ("names", Value::list(vec!["a".into(), "b".into()])),
            ("id", "1".into()),
        ]);
        let values = known(&first, object);
        // What was not looked at stays unknown, so that it may change.
        let (_, told) = values.objects().next().expect("one");
        assert_eq!(told.value.get("id"), Some(&Value::UNKNOWN));
        let whole = program(names, values).expect("a program");
        assert!(whole.unfinished().is_none());
        let declared = declared(&whole);
        assert_eq!(declared[4..], ["t_x.a", "t_x.b"]);
    }

    #[test]
    fn a_value_that_must_not_be_shown_decides_nothing() {
        let first = program(names, KnownValues::default()).expect("a program");
        let mut values = KnownValues::default();
        let needed = &first.unfinished().expect("it ended early").needs[0].1;
        let object = Marked {
            value: Value::map([("names", Value::list(vec!["a".into()]))]),
            sensitive: [Path::root().attribute("names")].into(),
        };
        values.add_attribute(needed, &object);
        let error = program(names, values).expect_err("it is sensitive");
        assert!(error.contains("cannot decide what is declared"), "{error}");
    }

    #[test]
    fn what_needs_a_value_that_is_said_later_cannot_be_known() {
        let function = |stack: &mut Stack| {
            let later = stack.forward::<String>();
            let base = Resource::dynamic_data("t_x", "base").set("a", later.output());
            let base = base.declare(stack);
            let name = stack.known(&base.attribute::<String>("name"))?;
            later.set(name);
            Ok(())
        };
        let error = program(function, KnownValues::default()).expect_err("a circle");
        assert!(
            error.contains("data.t_x.base.name is known only after apply"),
            "{error}"
        );
    }

    #[test]
    fn a_constant_is_known_at_once() {
        let function = |stack: &mut Stack| {
            let text = Output::<String>::new(Expr::Literal("a".into()));
            assert_eq!(stack.known(&text)?, "a");
            Ok(())
        };
        program(function, KnownValues::default()).expect("a program");
    }
}
