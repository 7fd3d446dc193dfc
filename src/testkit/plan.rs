//! What a plan says: its resources by their types, values, changes, policies, and its text.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::policy::{PlannedObject, PlannedStack, PolicyReport};
use terrane_core::{
    Action, EvalError, Expr, FromValue, Marked, Output, Policy, Program, Reference, Resource,
    ResourceType, Scope, Value, closest,
};
use terrane_engine::{Plan, Summary};

use crate::value::PlannedValue;

/// A plan under test. Its text, as `preview --details` shows it, is a snapshot: `insta::assert_snapshot!(plan)`.
pub struct TestPlan {
    program: Arc<Program>,
    plan: Plan,
    objects: Vec<PlannedObject>,
    by_address: HashMap<Arc<InstanceAddr>, usize>,
}

impl TestPlan {
    pub(crate) fn new(program: Arc<Program>, plan: Plan) -> Self {
        let objects = plan.planned(&program).objects().to_vec();
        let places = objects.iter().enumerate();
        let by_address = places.map(|(place, object)| (object.address.clone(), place));
        Self {
            by_address: by_address.collect(),
            objects,
            plan,
            program,
        }
    }

    /// The resource at that address, as the type of its bindings: its attributes are methods of it.
    ///
    /// # Panics
    /// When the plan has no such resource, or it is of another type.
    #[track_caller]
    pub fn resource<T: ResourceType>(&self, address: &str) -> TestResource<'_, T> {
        let object = self.object(address);
        let (found, wanted) = (&object.address.resource, T::binding());
        assert!(
            *found.type_name == *wanted.type_name && found.mode == wanted.mode,
            "{address} is not a `{}`",
            wanted.type_name
        );
        TestResource::new(self, object, T::from_resource(Resource::planned(object)))
    }

    /// The resource at that address, without the type of its bindings.
    ///
    /// # Panics
    /// When the plan has no such resource.
    #[track_caller]
    pub fn untyped(&self, address: &str) -> TestResource<'_> {
        let object = self.object(address);
        TestResource::new(self, object, Resource::planned(object))
    }

    /// Every resource of a type that exists after the apply, in the order of declaration.
    pub fn of<T: ResourceType>(&self) -> Vec<TestResource<'_, T>> {
        let binding = T::binding();
        let objects = self.objects.iter().filter(|object| {
            let resource = &object.address.resource;
            *resource.type_name == *binding.type_name
                && resource.mode == binding.mode
                && !object.after.value.is_null()
        });
        objects
            .map(|object| {
                TestResource::new(self, object, T::from_resource(Resource::planned(object)))
            })
            .collect()
    }

    /// The planned value of an output: of an attribute, or computed from some.
    #[track_caller]
    pub fn get<T: FromValue>(&self, output: &Output<T>) -> PlannedValue<T> {
        let subject = format!("`{}`", output.expr().origin());
        let planned = match output.expr().evaluate(&After(self)) {
            Ok(planned) => planned,
            Err(EvalError::NoObject { .. }) => return PlannedValue::absent_of(subject),
            Err(error) => panic!("{error}"),
        };
        PlannedValue::new(subject, &planned, || self.origins(output.expr()))
    }

    /// The planned value of an export.
    ///
    /// # Panics
    /// When the stack exports nothing under that name, or something of another type.
    #[track_caller]
    pub fn export<T: FromValue>(&self, name: &str) -> PlannedValue<T> {
        let mut outputs = self.plan.outputs.iter();
        let found = outputs.find(|output| *output.name == *name && output.after.is_some());
        let Some(after) = found.and_then(|output| output.after.as_ref()) else {
            let names = self.program.exports().iter().map(|export| &*export.name);
            panic!("the stack exports no `{name}`{}", meant(name, names));
        };
        let declared = self.program.exports().iter();
        let declared = declared.filter(|export| *export.name == *name);
        PlannedValue::new(format!("the export `{name}`"), after, || {
            declared
                .flat_map(|export| self.origins(&export.value))
                .collect()
        })
    }

    /// The addresses of everything that exists after the apply, data resources too; sorted.
    pub fn addresses(&self) -> BTreeSet<String> {
        let exist = self
            .objects
            .iter()
            .filter(|object| !object.after.value.is_null());
        let deferred = self.plan.deferred.iter().map(|one| one.address.to_string());
        exist
            .map(|object| object.address.to_string())
            .chain(deferred)
            .collect()
    }

    /// Everything that is to be done, a line each, in the order of declaration: `create aws_vpc.main`.
    pub fn changes(&self) -> Vec<String> {
        let changes = self.plan.changes.iter();
        let changes = changes.filter(|change| change.action != Action::NoOp);
        changes
            .map(|change| {
                let deposed = change.deposed.map(|_| " (deposed)").unwrap_or_default();
                format!("{} {}{deposed}", change.action.verb(), change.address)
            })
            .collect()
    }

    /// How many objects are made, changed and lost.
    pub fn summary(&self) -> Summary {
        self.plan.summary()
    }

    /// The addresses of what can be planned only when this plan is applied, sorted.
    pub fn deferred(&self) -> Vec<String> {
        let mut addresses: Vec<String> =
            (self.plan.deferred.iter().map(|one| one.address.to_string())).collect();
        addresses.sort();
        addresses
    }

    /// Asserts that nothing is to be done.
    ///
    /// # Panics
    /// When something is; the message is the plan.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert!(self.plan.is_empty(), "the plan is not empty:\n\n{self}");
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// How the plan stands to each policy of the stack, in the order of declaration.
    pub fn policies(&self) -> Vec<PolicyReport> {
        self.plan.review(&self.program)
    }

    /// How the plan stands to a policy that the stack need not declare.
    pub fn review_by(&self, policy: &Policy) -> PolicyReport {
        PlannedStack::new(&self.program, self.objects.clone()).review_by(policy)
    }

    /// The names of the policies for which the plan would be refused.
    pub fn broken_policies(&self) -> Vec<String> {
        let reports = self.policies().into_iter();
        let broken = reports.filter(PolicyReport::refuses);
        broken.map(|report| report.name.to_string()).collect()
    }

    /// Asserts that no policy refuses the plan.
    ///
    /// # Panics
    /// When one does; the message has each violation.
    #[track_caller]
    pub fn assert_policies(&self) {
        let mut told = String::new();
        for report in self.policies().iter().filter(|report| report.refuses()) {
            let _ = write!(told, "\n{}", report.name);
            if let Some(fault) = &report.fault {
                let _ = write!(told, "\n  {fault}");
            }
            for finding in &report.violations {
                let address = finding.address.as_ref();
                let address = address.map(|address| format!("{address}: "));
                let address = address.unwrap_or_default();
                let _ = write!(told, "\n  {address}{}", finding.message);
            }
        }
        assert!(told.is_empty(), "the plan breaks policies:{told}");
    }

    /// The program that the plan is for.
    pub fn program(&self) -> &Program {
        &self.program
    }

    #[track_caller]
    fn object(&self, address: &str) -> &PlannedObject {
        let parsed: InstanceAddr = match address.parse() {
            Ok(parsed) => parsed,
            Err(error) => panic!("`{address}` is not an address: {error}"),
        };
        let Some(&place) = self.by_address.get(&parsed) else {
            let all: Vec<String> = self.by_address.keys().map(ToString::to_string).collect();
            let meant = meant(address, all.iter().map(String::as_str));
            panic!("the plan has no `{address}`{meant}");
        };
        &self.objects[place]
    }

    /// The attributes that the unknown parts of a value come from: those that no argument of the program decides.
    fn origins(&self, expr: &Expr) -> Vec<String> {
        let mut origins = Origins {
            plan: self,
            seen: HashSet::new(),
            found: BTreeSet::new(),
        };
        origins.follow(expr);
        origins.found.into_iter().collect()
    }
}

/// `; did you mean `aws_vpc.main`?`
fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let found = closest(word, known);
    let found = found.map(|found| format!("; did you mean `{found}`?"));
    found.unwrap_or_default()
}

impl fmt::Display for TestPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terrane_cli::plan_text(&self.plan, &self.program))
    }
}

/// Follows references up to attributes that the cloud decides.
struct Origins<'a> {
    plan: &'a TestPlan,
    seen: HashSet<String>,
    found: BTreeSet<String>,
}

impl Origins<'_> {
    fn follow(&mut self, expr: &Expr) {
        let mut references = Vec::new();
        expr.for_each_reference(&mut |reference| references.push(reference.clone()));
        for reference in references {
            self.reference(&reference);
        }
    }

    fn reference(&mut self, reference: &Reference) {
        let text = reference.to_string();
        if self.is_known(reference) || !self.seen.insert(text.clone()) {
            return;
        }
        let program = &self.plan.program;
        let position = program.position(&reference.address);
        let arguments = position.map(|position| &program.resources()[position].arguments);
        let argument = arguments.and_then(|arguments| arguments.argument(&reference.path));
        let before = self.found.len();
        if let Some((argument, _)) = argument {
            let argument = argument.clone();
            self.follow(&argument);
        }
        if self.found.len() == before {
            self.found.insert(text);
        }
    }

    fn is_known(&self, reference: &Reference) -> bool {
        let object = After(self.plan).object(&reference.address);
        let value = object
            .as_ref()
            .and_then(|one| one.value.at(&reference.path));
        value.is_some_and(Value::is_wholly_known)
    }
}

/// The objects as they are after the plan.
struct After<'a>(&'a TestPlan);

impl Scope for After<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let Some(&place) = self.0.by_address.get(address) else {
            // Left out or deferred: nobody has looked at it.
            let declared = self.0.program.position(address).is_some();
            return declared.then(|| Arc::new(Marked::plain(Value::UNKNOWN)));
        };
        let after = &self.0.objects[place].after;
        (!after.value.is_null()).then(|| after.clone())
    }
}

/// A resource of a plan. It is the handle that the program has, so its attributes are `bucket.acl()`, and their planned values
/// `bucket.get(&bucket.acl())`.
pub struct TestResource<'p, T = Resource> {
    plan: &'p TestPlan,
    object: &'p PlannedObject,
    handle: T,
}

impl<'p, T> TestResource<'p, T> {
    fn new(plan: &'p TestPlan, object: &'p PlannedObject, handle: T) -> Self {
        Self {
            plan,
            object,
            handle,
        }
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.object.address.to_string()
    }

    /// What is done to it.
    pub fn action(&self) -> Action {
        self.object.action
    }

    /// A planned value.
    #[track_caller]
    pub fn get<V: FromValue>(&self, output: &Output<V>) -> PlannedValue<V> {
        self.plan.get(output)
    }

    /// The addresses of the resources that it refers to or names in `depends_on`, in the order of declaration.
    pub fn needs(&self) -> Vec<String> {
        let program = &self.plan.program;
        let Some(position) = program.position(&self.object.address) else {
            return Vec::new();
        };
        let needs = program.resources()[position].dependencies.iter();
        needs
            .map(|&need| program.resources()[need].address.to_string())
            .collect()
    }

    /// The arguments whose change makes it be replaced.
    pub fn replaced_by(&self) -> Vec<String> {
        let mut changes = self.plan.plan.changes.iter();
        let change =
            changes.find(|one| one.address == self.object.address && one.deposed.is_none());
        let paths = change.into_iter().flat_map(|change| &change.replace_paths);
        paths.map(ToString::to_string).collect()
    }
}

impl<T> Deref for TestResource<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.handle
    }
}
