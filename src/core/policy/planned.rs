//! One resource of a plan, with the type that bindings give it.

use std::ops::Deref;
use std::sync::Arc;

use super::plan::Moment;
use super::{Fact, PlannedObject, PolicyFinding, ReviewedPlan};
use crate::action::Action;
use crate::addr::InstanceAddr;
use crate::expr::{Expr, Reference};
use crate::lifecycle::Lifecycle;
use crate::output::Output;
use crate::program::ResourceInstance;
use crate::resource::Resource;
use crate::typed::FromValue;
use crate::value::{Path, Value};

/// A resource in a plan. It is the handle that the program has, so its attributes are `bucket.acl()`, and their planned values
/// `bucket.get(&bucket.acl())`.
pub struct Planned<'p, T = Resource> {
    plan: &'p ReviewedPlan<'p>,
    object: &'p PlannedObject,
    handle: T,
}

impl<T> Deref for Planned<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.handle
    }
}

impl<'p, T> Planned<'p, T> {
    pub(super) fn new(plan: &'p ReviewedPlan<'p>, object: &'p PlannedObject, handle: T) -> Self {
        Self {
            plan,
            object,
            handle,
        }
    }

    /// Its address.
    pub fn address(&self) -> &'p Arc<InstanceAddr> {
        &self.object.address
    }

    /// The planned operation.
    pub fn action(&self) -> Action {
        self.object.action
    }

    /// How the program lets the engine treat it; `None` where the program does not declare it any more.
    pub fn lifecycle(&self) -> Option<&'p Lifecycle> {
        self.declared().map(|declared| &declared.lifecycle)
    }

    /// A planned value.
    pub fn get<V: FromValue>(&self, output: &Output<V>) -> Fact<V> {
        self.plan.value(output)
    }

    /// A value as it is before the apply.
    pub fn before<V: FromValue>(&self, output: &Output<V>) -> Fact<V> {
        self.plan.at(Moment::Before, output)
    }

    /// All of it as it is before the apply; null where it is made.
    pub fn whole_before(&self) -> &'p Value {
        &self.object.before.value
    }

    /// Requires something of a value, `None` where there is none. Where it is unknown, the requirement is undecided.
    pub fn require<V: FromValue>(
        &self,
        output: &Output<V>,
        otherwise: impl Into<String>,
        holds: impl FnOnce(Option<V>) -> bool,
    ) {
        let value = match self.get(output) {
            Fact::Unknown => return self.undecided_in(output, otherwise),
            Fact::Known(value) => Some(value),
            Fact::Absent => None,
        };
        if !holds(value) {
            self.violates_in(output, otherwise);
        }
    }

    /// It breaks the policy.
    pub fn violates(&self, message: impl Into<String>) {
        self.plan.note_violation(self.finding(None, message.into()));
    }

    /// It breaks the policy by the value of that attribute.
    pub fn violates_in<V>(&self, output: &Output<V>, message: impl Into<String>) {
        let attribute = self.path(output.expr());
        let finding = self.finding(attribute, message.into());
        self.plan.note_violation(finding);
    }

    /// Whether it breaks the policy is known after the apply; the message says what would.
    pub fn undecided(&self, message: impl Into<String>) {
        self.plan.note_undecided(self.finding(None, message.into()));
    }

    /// The same, because the value of that attribute is unknown.
    pub fn undecided_in<V>(&self, output: &Output<V>, message: impl Into<String>) {
        let attribute = self.path(output.expr());
        let finding = self.finding(attribute, message.into());
        self.plan.note_undecided(finding);
    }

    /// Whether the program sets an argument itself. An unknown value that it does not set is the provider's choice.
    pub fn sets(&self, argument: &str) -> bool {
        self.plan.stack.sets(&self.object.address, argument)
    }

    /// Whether objects of its type have an attribute of that name.
    pub fn has(&self, attribute: &str) -> bool {
        self.object.after.value.get(attribute).is_some()
    }

    /// The resources that an argument refers to.
    pub fn references(&self, argument: &str) -> Vec<Arc<InstanceAddr>> {
        let mut found = Vec::new();
        if let Some(declared) = self.declared()
            && let Expr::Map(arguments) = &declared.arguments
            && let Some(argument) = arguments.get(argument)
        {
            argument.for_each_reference(&mut |reference: &Reference| {
                found.push(reference.address.clone());
            });
        }
        found
    }

    pub(super) fn object(&self) -> &'p PlannedObject {
        self.object
    }

    fn declared(&self) -> Option<&'p ResourceInstance> {
        let program = self.plan.program();
        let position = program.position(&self.object.address)?;
        Some(&program.resources()[position])
    }

    fn finding(&self, attribute: Option<Path>, message: String) -> PolicyFinding {
        PolicyFinding {
            address: Some(self.object.address.clone()),
            attribute,
            message,
            location: self.object.location,
            exception: None,
        }
    }

    /// The attribute of this resource that an expression reads, if it is one.
    fn path(&self, expr: &Expr) -> Option<Path> {
        match expr {
            Expr::Reference(reference) if *reference.address == *self.object.address => {
                Some(reference.path.clone())
            }
            _ => None,
        }
    }
}
