//! The plan as policies see it: every object as it is going to be, by the types of bindings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Attached, Fact, Planned, Policy, PolicyFinding, PolicyReport};
use crate::action::Action;
use crate::addr::InstanceAddr;
use crate::diagnostics::Location;
use crate::expr::{EvalError, Expr, Scope};
use crate::marks::Marked;
use crate::output::Output;
use crate::program::Program;
use crate::resource::{Resource, ResourceType};
use crate::typed::FromValue;
use crate::value::Value;

/// One resource instance of a plan.
#[derive(Debug, Clone)]
pub struct PlannedObject {
    /// Its address.
    pub address: Arc<InstanceAddr>,
    /// The planned operation.
    pub action: Action,
    /// The object before; null on creation.
    pub before: Arc<Marked>,
    /// The object after, with unknowns; null on deletion.
    pub after: Arc<Marked>,
    /// Where the program declares it; `None` when it no longer does.
    pub location: Option<Location>,
}

impl PlannedObject {
    /// Whether the plan leaves it out, by `--target` say: nobody has looked at it, and nothing about it is known.
    pub fn is_left_out(&self) -> bool {
        self.action == Action::NoOp && self.after.value.is_unknown()
    }

    /// Whether it exists after the apply, as far as the plan looks at it.
    fn stays(&self) -> bool {
        !self.after.value.is_null() && !self.is_left_out()
    }
}

/// A program and the objects of its plan, ready to be reviewed by every policy.
pub struct PlannedStack<'a> {
    pub(super) program: &'a Program,
    pub(super) objects: Vec<PlannedObject>,
    by_address: HashMap<Arc<InstanceAddr>, usize>,
    by_type: HashMap<Arc<str>, Vec<usize>>,
}

impl<'a> PlannedStack<'a> {
    /// The objects of a plan of that program, each instance once.
    pub fn new(program: &'a Program, objects: Vec<PlannedObject>) -> Self {
        let mut by_address = HashMap::with_capacity(objects.len());
        let mut by_type: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (place, object) in objects.iter().enumerate() {
            by_address.insert(object.address.clone(), place);
            let type_name = object.address.resource.type_name.clone();
            by_type.entry(type_name).or_default().push(place);
        }
        Self {
            program,
            objects,
            by_address,
            by_type,
        }
    }

    /// A plan that creates everything that the program declares, for tests without any provider: arguments are as declared, `id` and
    /// `arn` unknown, and whatever else a provider would fill in absent.
    pub fn creating(program: &'a Program) -> Self {
        let resources = program.resources().iter();
        let objects = resources.map(|resource| {
            let arguments = resource.arguments.evaluate(&AllUnknown);
            let arguments = arguments.map(|marked| marked.value);
            let arguments = arguments.unwrap_or(Value::UNKNOWN);
            let mut members = arguments.members().cloned().unwrap_or_default();
            for name in ["id", "arn"] {
                members.entry(name.into()).or_insert(Value::UNKNOWN);
            }
            PlannedObject {
                address: resource.address.clone(),
                action: Action::Create,
                before: Arc::default(),
                after: Arc::new(Value::Map(members.into()).into()),
                location: Some(resource.location),
            }
        });
        Self::new(program, objects.collect())
    }

    /// The program that the plan is for.
    pub fn program(&self) -> &'a Program {
        self.program
    }

    /// Every instance of it.
    pub fn objects(&self) -> &[PlannedObject] {
        &self.objects
    }

    /// Whether the program sets an argument of that instance itself, whatever its value.
    pub fn sets(&self, address: &InstanceAddr, argument: &str) -> bool {
        let position = self.program.position(address);
        let declared = position.map(|position| &self.program.resources()[position].arguments);
        match declared {
            Some(Expr::Map(arguments)) => arguments.contains_key(argument),
            _ => false,
        }
    }

    /// The report of each policy of the program, in the order of declaration.
    pub fn review(&self) -> Vec<PolicyReport> {
        let policies = self.program.policies().iter();
        policies.map(|policy| self.review_by(policy)).collect()
    }

    /// The report of one policy.
    pub fn review_by(&self, policy: &Policy) -> PolicyReport {
        let plan = ReviewedPlan {
            stack: self,
            notes: RefCell::default(),
        };
        let checked = catch_unwind(AssertUnwindSafe(|| (policy.check)(&plan)));
        let Notes {
            violations,
            undecided,
            mut fault,
        } = plan.notes.into_inner();
        if checked.is_err() {
            fault = Some("the check panicked; the message above names the line".to_owned());
        }
        let may = |finding: &mut PolicyFinding| {
            let exception = finding
                .address
                .as_ref()
                .and_then(|address| policy.exception(address));
            finding.exception = exception.cloned();
            finding.exception.is_some()
        };
        let divided = |mut findings: Vec<PolicyFinding>| {
            let excepted: Vec<_> = findings.extract_if(.., |finding| may(finding)).collect();
            (findings, excepted)
        };
        let (violations, mut excepted) = divided(violations);
        let (undecided, more) = divided(undecided);
        excepted.extend(more);
        PolicyReport {
            name: policy.name.clone(),
            enforcement: policy.enforcement,
            hint: policy.hint.clone(),
            location: policy.location,
            violations,
            undecided,
            excepted,
            fault,
        }
    }
}

/// The plan in the hands of one policy.
pub struct ReviewedPlan<'a> {
    pub(super) stack: &'a PlannedStack<'a>,
    notes: RefCell<Notes>,
}

#[derive(Default)]
struct Notes {
    violations: Vec<PolicyFinding>,
    undecided: Vec<PolicyFinding>,
    fault: Option<String>,
}

/// A side of a plan.
#[derive(Clone, Copy)]
pub(super) enum Moment {
    Before,
    After,
}

impl<'a> ReviewedPlan<'a> {
    /// The resources of a type that bindings know, as far as they exist after the apply, changed or not.
    pub fn of<T: ResourceType>(&self) -> impl Iterator<Item = Planned<'_, T>> {
        self.declared::<T>().filter(|one| one.object().stays())
    }

    /// The same with those that the plan leaves out, which count as settings of others: their values are unknown, their references are
    /// as the program declares them.
    pub fn declared<T: ResourceType>(&self) -> impl Iterator<Item = Planned<'_, T>> {
        let places = self.places(T::binding().type_name);
        places
            .filter(|object| object.address.resource.mode == T::binding().mode)
            .map(|object| Planned::new(self, object, T::from_resource(Resource::planned(object))))
    }

    /// The resources of a type by its name, as far as they exist after the apply.
    pub fn of_type(&self, type_name: &str) -> impl Iterator<Item = Planned<'_>> {
        let places = self.places(type_name).filter(|object| object.stays());
        places.map(|object| self.untyped(object))
    }

    /// Every resource and data resource that exists after the apply.
    pub fn resources(&self) -> impl Iterator<Item = Planned<'_>> {
        let objects = self.stack.objects.iter();
        objects
            .filter(|object| object.stays())
            .map(|object| self.untyped(object))
    }

    /// Everything that the plan changes, deletions too.
    pub fn changes(&self) -> impl Iterator<Item = Planned<'_>> {
        let objects = self.stack.objects.iter();
        objects
            .filter(|object| object.action != Action::NoOp)
            .map(|object| self.untyped(object))
    }

    /// The resources of a type, by the resource that one of their arguments refers to: settings by their bucket, rules by their group.
    pub fn attached<T: ResourceType>(&self, argument: &str) -> Attached<'_, T> {
        Attached::new(self, argument)
    }

    /// The planned value of an output: of an attribute of a resource, or computed from some.
    pub fn value<T: FromValue>(&self, output: &Output<T>) -> Fact<T> {
        self.at(Moment::After, output)
    }

    /// The program that the plan is for.
    pub fn program(&self) -> &'a Program {
        self.stack.program
    }

    /// The plan as a whole breaks the policy.
    pub fn violates(&self, message: impl Into<String>) {
        self.note_violation(PolicyFinding {
            address: None,
            attribute: None,
            message: message.into(),
            location: None,
            exception: None,
        });
    }

    pub(super) fn note_violation(&self, finding: PolicyFinding) {
        self.notes.borrow_mut().violations.push(finding);
    }

    pub(super) fn note_undecided(&self, finding: PolicyFinding) {
        self.notes.borrow_mut().undecided.push(finding);
    }

    pub(super) fn at<T: FromValue>(&self, moment: Moment, output: &Output<T>) -> Fact<T> {
        let side = Side {
            stack: self.stack,
            moment,
        };
        let value = match output.expr().evaluate(&side) {
            Ok(marked) => marked.value,
            Err(EvalError::NoObject { .. } | EvalError::NoSuchAttribute { .. }) => {
                return Fact::Absent;
            }
            Err(error) => return self.fault(error.to_string()),
        };
        if value.is_unknown() {
            return Fact::Unknown;
        }
        if value.is_null() {
            return Fact::Absent;
        }
        match T::from_value(&value) {
            Ok(value) => Fact::Known(value),
            Err(_) if !value.is_wholly_known() => Fact::Unknown,
            Err(mismatch) => self.fault(format!("{:?}: {mismatch}", output.expr())),
        }
    }

    /// The check reads the plan wrongly, which must not pass for a kept policy.
    fn fault<T>(&self, reason: String) -> Fact<T> {
        self.notes.borrow_mut().fault.get_or_insert(reason);
        Fact::Absent
    }

    fn untyped<'p>(&'p self, object: &'p PlannedObject) -> Planned<'p> {
        Planned::new(self, object, Resource::planned(object))
    }

    fn places(&self, type_name: &str) -> impl Iterator<Item = &PlannedObject> {
        let places = self.stack.by_type.get(type_name).into_iter().flatten();
        places
            .map(|&place| &self.stack.objects[place])
            .filter(|object| !object.after.value.is_null())
    }
}

/// Nothing is known yet, whatever is referred to.
struct AllUnknown;

impl Scope for AllUnknown {
    fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
        Some(Arc::new(Marked::plain(Value::UNKNOWN)))
    }
}

/// The objects of a plan before or after it, as expressions refer to them.
struct Side<'a> {
    stack: &'a PlannedStack<'a>,
    moment: Moment,
}

impl Scope for Side<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let Some(&place) = self.stack.by_address.get(address) else {
            // An instance that the plan leaves out, by `--target` say, has an object nobody looked at.
            let declared = self.stack.program.position(address).is_some();
            return declared.then(|| Arc::new(Marked::plain(Value::UNKNOWN)));
        };
        let object = &self.stack.objects[place];
        let side = match self.moment {
            Moment::Before => &object.before,
            Moment::After => &object.after,
        };
        (!side.value.is_null()).then(|| side.clone())
    }
}
