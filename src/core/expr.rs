//! Expressions: the value of an argument as a symbolic tree, which the engine evaluates at plan and again at apply.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thiserror::Error;

use crate::addr::{InstanceAddr, Mode, ProviderSource};
use crate::call::Call;
use crate::diagnostics::Location;
use crate::forward::ForwardValue;
use crate::marks::{Marked, mark_part};
use crate::secret::SecretReference;
use crate::stack_reference::ReferencedExport;
use crate::text::by_name;
use crate::value::{Map, Path, PathStep, Value};

/// A symbolic value: a literal, a reference to an attribute, or something computed from those.
#[derive(Clone)]
pub enum Expr {
    /// Known when the program runs.
    Literal(Value),
    /// An attribute of a resource instance, known when the engine says so.
    Reference(Arc<Reference>),
    /// A list, tuple or set of expressions.
    List(Arc<Vec<Self>>),
    /// An object or map of expressions.
    Map(Arc<BTreeMap<Arc<str>, Self>>),
    /// A part of another expression's value.
    At(Arc<(Self, Path, Location)>),
    /// The result of a pure function of another expression's value.
    Apply(Arc<Apply>),
    /// The same value, never shown.
    Sensitive(Arc<Self>),
    /// The result of a provider's function.
    Call(Arc<Call>),
    /// An export of another stack.
    Export(Arc<ReferencedExport>),
    /// A secret of the configuration: sensitive, and unknown until a run has read it.
    Secret(Arc<SecretReference>),
    /// A value that the program says later than it uses it; a frozen program has none.
    Forward(Arc<ForwardValue>),
}

/// A reference to an attribute of a resource instance.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Which instance.
    pub address: Arc<InstanceAddr>,
    /// Where in its object.
    pub path: Path,
    /// Where the program made the reference.
    pub location: Location,
    /// What the program was told of the object (see [`Stack::known`](crate::Stack::known)).
    pub planned: Option<Arc<Marked>>,
}

/// A pure function of another expression's value, with its unknown and its sensitive parts.
pub struct Apply {
    input: Expr,
    function: Arc<ApplyFn>,
    location: Location,
}

impl Apply {
    /// The expression whose value the function takes.
    pub fn input(&self) -> &Expr {
        &self.input
    }

    /// Where the function was written.
    pub fn location(&self) -> Location {
        self.location
    }
}

type ApplyFn = dyn Fn(&Marked) -> Result<Marked, String> + Send + Sync;

/// The values of resource instances at this moment of the run.
pub trait Scope {
    /// The instance's object with its marks; a `Value::UNKNOWN` where nothing is known yet.
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>>;

    /// The result of a provider's function for those arguments; `Value::UNKNOWN` where nobody can call it yet.
    ///
    /// # Errors
    /// When the function has no result for them.
    fn call(&self, _call: &Call, _arguments: &[Value]) -> Result<Value, EvalError> {
        Ok(Value::UNKNOWN)
    }
}

/// An expression could not be evaluated.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The reference leads nowhere in the object.
    #[error("`{reference}` does not exist")]
    NoSuchAttribute {
        /// The reference as text.
        reference: String,
        /// Where the program made it.
        location: Location,
    },
    /// The instance has no object now: it is not part of this run, or was removed.
    #[error("`{address}` has no value")]
    NoObject {
        /// The instance.
        address: String,
        /// Where the program made the reference.
        location: Location,
    },
    /// A `map` closure refused its input or panicked.
    #[error("a mapped value could not be computed: {reason}")]
    Map {
        /// Its message.
        reason: String,
        /// Where `map` was called.
        location: Location,
    },
    /// A provider's function has no result.
    #[error("{function} failed: {reason}")]
    Call {
        /// The function, with its provider.
        function: String,
        /// Why, with the argument at fault where it is one.
        reason: String,
        /// Where the program calls it.
        location: Location,
    },
}

impl EvalError {
    /// Where in the program the failing part was written.
    pub fn location(&self) -> Location {
        match self {
            Self::NoSuchAttribute { location, .. }
            | Self::NoObject { location, .. }
            | Self::Map { location, .. }
            | Self::Call { location, .. } => *location,
        }
    }
}

impl Expr {
    /// A list of expressions.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(Arc::new(elements))
    }

    /// An object or map of expressions.
    pub fn map(members: BTreeMap<Arc<str>, Self>) -> Self {
        Self::Map(Arc::new(by_name(members)))
    }

    /// The part of this expression's value at one step further.
    #[track_caller]
    pub(crate) fn at(&self, step: PathStep) -> Self {
        match self {
            Self::Reference(reference) => Self::Reference(Arc::new(Reference {
                path: reference.path.clone().step(step),
                ..(**reference).clone()
            })),
            other => {
                let path = Path::root().step(step);
                Self::At(Arc::new((other.clone(), path, Location::caller())))
            }
        }
    }

    /// The result of a pure function of this expression's value. The function runs only on known values.
    #[track_caller]
    pub(crate) fn apply(
        self,
        function: impl Fn(&Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        self.apply_marked(move |input| {
            let value = match input.value.is_wholly_known() {
                true => function(&input.value)?,
                false => Value::UNKNOWN,
            };
            Ok(match input.is_sensitive() {
                true => Marked::sensitive(value),
                false => Marked::plain(value),
            })
        })
    }

    /// The result of a pure function that takes unknown and sensitive parts as they are, and says which its result has.
    #[track_caller]
    pub fn apply_marked(
        self,
        function: impl Fn(&Marked) -> Result<Marked, String> + Send + Sync + 'static,
    ) -> Self {
        let location = Location::caller();
        Self::Apply(Arc::new(Apply {
            input: self,
            function: Arc::new(function),
            location,
        }))
    }

    /// A value that cannot be: evaluating it, or declaring something that uses it, is an error with that reason at that line.
    pub fn invalid(reason: impl Into<String>, location: Location) -> Self {
        let reason = reason.into();
        Self::Apply(Arc::new(Apply {
            input: Self::Literal(Value::Null),
            function: Arc::new(move |_| Err(reason.clone())),
            location,
        }))
    }

    /// Calls `visit` for the largest functions in the expression that depend on no resource and no secret.
    pub(crate) fn for_each_constant<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        if let Self::Apply(apply) = self {
            let mut constant = true;
            apply.input.for_each_reference(&mut |_| constant = false);
            apply.input.for_each_secret(&mut |_| constant = false);
            if constant {
                return visit(self);
            }
        }
        self.for_each_part(&mut |part| part.for_each_constant(visit));
    }

    /// Calls `visit` for each expression right inside this one; inside a forward reference is its value.
    fn for_each_part<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Literal(_) | Self::Reference(_) | Self::Export(_) | Self::Secret(_) => {}
            Self::Forward(forward) => forward.value().into_iter().for_each(visit),
            Self::List(elements) => elements.iter().for_each(visit),
            Self::Map(members) => members.values().for_each(visit),
            Self::At(at) => visit(&at.0),
            Self::Apply(apply) => visit(&apply.input),
            Self::Sensitive(inner) => visit(inner),
            Self::Call(call) => call.arguments.iter().for_each(visit),
        }
    }

    /// Calls `visit` for this expression and for all inside it, the outer before the inner.
    pub(crate) fn for_each<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        self.for_each_part(&mut |part| part.for_each(visit));
    }

    /// The value now, with the paths inside it that must not be shown.
    ///
    /// # Errors
    /// When a reference leads nowhere or a closure fails.
    pub fn evaluate(&self, scope: &impl Scope) -> Result<Marked, EvalError> {
        let mut sensitive = BTreeSet::new();
        let value = self.evaluate_at(scope, &mut Path::root(), &mut sensitive)?;
        Ok(Marked { value, sensitive })
    }

    fn evaluate_at(
        &self,
        scope: &impl Scope,
        here: &mut Path,
        sensitive: &mut BTreeSet<Path>,
    ) -> Result<Value, EvalError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Reference(reference) => {
                let location = reference.location;
                let object =
                    scope
                        .object(&reference.address)
                        .ok_or_else(|| EvalError::NoObject {
                            address: reference.address.to_string(),
                            location,
                        })?;
                let value =
                    object
                        .value
                        .at(&reference.path)
                        .ok_or_else(|| EvalError::NoSuchAttribute {
                            reference: reference.to_string(),
                            location,
                        })?;
                mark_part(&object.sensitive, &reference.path, here, sensitive);
                Ok(value.clone())
            }
            Self::List(elements) => {
                let mut values = Vec::with_capacity(elements.len());
                for (index, element) in elements.iter().enumerate() {
                    here.push(PathStep::Index(index));
                    values.push(element.evaluate_at(scope, here, sensitive)?);
                    here.pop();
                }
                Ok(Value::list(values))
            }
            Self::Map(members) => {
                let mut values = Map::new();
                for (name, member) in members.iter() {
                    here.push(PathStep::Attribute(name.clone()));
                    values.insert(name.clone(), member.evaluate_at(scope, here, sensitive)?);
                    here.pop();
                }
                Ok(Value::Map(Arc::new(values)))
            }
            Self::At(at) => {
                let (of, path, location) = &**at;
                let whole = of.evaluate(scope)?;
                let value = whole
                    .value
                    .at(path)
                    .ok_or_else(|| EvalError::NoSuchAttribute {
                        reference: format!("{}.{path}", of.origin()),
                        location: *location,
                    })?;
                mark_part(&whole.sensitive, path, here, sensitive);
                Ok(value.clone())
            }
            Self::Apply(apply) => {
                let input = apply.input.evaluate(scope)?;
                let location = apply.location;
                // A panicking closure must not take the engine and its records with it.
                let made = catch_unwind(AssertUnwindSafe(|| (apply.function)(&input)))
                    .unwrap_or_else(|_| Err("the closure panicked".to_owned()))
                    .map_err(|reason| EvalError::Map { reason, location })?;
                sensitive.extend(made.sensitive.iter().map(|path| here.clone().join(path)));
                Ok(made.value)
            }
            Self::Sensitive(inner) => {
                let value = inner.evaluate_at(scope, here, sensitive)?;
                sensitive.insert(here.clone());
                Ok(value)
            }
            Self::Call(call) => {
                let mut arguments = Vec::with_capacity(call.arguments.len());
                for argument in &call.arguments {
                    let argument = argument.evaluate(scope)?;
                    if argument.is_sensitive() {
                        sensitive.insert(here.clone());
                    }
                    arguments.push(argument.value);
                }
                scope.call(call, &arguments)
            }
            Self::Export(export) => Ok(match export.value() {
                Some(marked) => {
                    mark_part(&marked.sensitive, &Path::root(), here, sensitive);
                    marked.value.clone()
                }
                None => Value::UNKNOWN,
            }),
            Self::Secret(secret) => {
                sensitive.insert(here.clone());
                Ok(secret.value().cloned().unwrap_or(Value::UNKNOWN))
            }
            Self::Forward(forward) => match forward.value() {
                Some(value) => value.evaluate_at(scope, here, sensitive),
                None => Ok(Value::UNKNOWN),
            },
        }
    }

    /// Calls `visit` for every secret of the configuration in the expression.
    pub fn for_each_secret<'a>(&'a self, visit: &mut impl FnMut(&'a Arc<SecretReference>)) {
        self.for_each(&mut |expr| {
            if let Self::Secret(secret) = expr {
                visit(secret);
            }
        });
    }

    /// Calls `visit` for every call of a provider's function in the expression.
    pub fn for_each_call<'a>(&'a self, visit: &mut impl FnMut(&'a Call)) {
        self.for_each(&mut |expr| {
            if let Self::Call(call) = expr {
                visit(call);
            }
        });
    }

    /// The same with calls of other providers in place of some; `None` if `other` names another one for none of its calls.
    pub(crate) fn with_calls_of(
        &self,
        other: &impl Fn(&ProviderSource) -> Option<ProviderSource>,
    ) -> Option<Self> {
        self.rewritten(&|expr| match expr {
            Self::Call(call) => Some(Self::Call(Arc::new(Call {
                provider: other(&call.provider)?,
                ..(**call).clone()
            }))),
            _ => None,
        })
    }

    /// The same with other expressions in place of some, from the inside out; `None` if `change` has none for any.
    pub(crate) fn rewritten(&self, change: &impl Fn(&Self) -> Option<Self>) -> Option<Self> {
        match self.with_parts(change) {
            Some(inner) => Some(change(&inner).unwrap_or(inner)),
            None => change(self),
        }
    }

    fn with_parts(&self, change: &impl Fn(&Self) -> Option<Self>) -> Option<Self> {
        match self {
            Self::Literal(_)
            | Self::Reference(_)
            | Self::Export(_)
            | Self::Secret(_)
            | Self::Forward(_) => None,
            Self::List(elements) => {
                let changed = changed_members(elements.iter(), change)?;
                Some(Self::list(changed))
            }
            Self::Map(members) => {
                let changed = changed_members(members.values(), change)?;
                let members = members.keys().cloned().zip(changed).collect();
                Some(Self::Map(Arc::new(members)))
            }
            Self::At(at) => {
                let (of, path, location) = &**at;
                let changed = of.rewritten(change)?;
                Some(Self::At(Arc::new((changed, path.clone(), *location))))
            }
            Self::Apply(apply) => Some(Self::Apply(Arc::new(Apply {
                input: apply.input.rewritten(change)?,
                function: apply.function.clone(),
                location: apply.location,
            }))),
            Self::Sensitive(inner) => Some(Self::Sensitive(Arc::new(inner.rewritten(change)?))),
            Self::Call(call) => Some(Self::Call(Arc::new(Call {
                arguments: changed_members(call.arguments.iter(), change)?,
                ..(**call).clone()
            }))),
        }
    }

    /// The places in the value at which something ephemeral is, or which are made from something ephemeral.
    pub fn ephemeral_paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.find_ephemeral(&mut Path::root(), &mut found);
        found
    }

    fn find_ephemeral(&self, here: &mut Path, found: &mut Vec<Path>) {
        match self {
            Self::Literal(_) | Self::Export(_) | Self::Secret(_) => {}
            Self::Forward(forward) => {
                if let Some(value) = forward.value() {
                    value.find_ephemeral(here, found);
                }
            }
            Self::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    here.push(PathStep::Index(index));
                    element.find_ephemeral(here, found);
                    here.pop();
                }
            }
            Self::Map(members) => {
                for (name, member) in members.iter() {
                    here.push(PathStep::Attribute(name.clone()));
                    member.find_ephemeral(here, found);
                    here.pop();
                }
            }
            Self::Sensitive(inner) => inner.find_ephemeral(here, found),
            Self::Reference(_) | Self::At(_) | Self::Apply(_) | Self::Call(_) => {
                let mut is_ephemeral = false;
                self.for_each_reference(&mut |reference| {
                    is_ephemeral |= reference.address.resource.mode == Mode::Ephemeral;
                });
                if is_ephemeral {
                    found.push(here.clone());
                }
            }
        }
    }

    /// Calls `visit` for every reference in the expression.
    pub fn for_each_reference<'a>(&'a self, visit: &mut impl FnMut(&'a Reference)) {
        self.for_each(&mut |expr| {
            if let Self::Reference(reference) = expr {
                visit(reference);
            }
        });
    }

    /// Calls `visit` for every forward reference in the expression, those in the values of others included.
    pub(crate) fn for_each_forward<'a>(&'a self, visit: &mut impl FnMut(&'a ForwardValue)) {
        self.for_each(&mut |expr| {
            if let Self::Forward(forward) = expr {
                visit(forward);
            }
        });
    }

    /// Calls `visit` for every export of another stack in the expression.
    pub fn for_each_export<'a>(&'a self, visit: &mut impl FnMut(&'a ReferencedExport)) {
        self.for_each(&mut |expr| {
            if let Self::Export(export) = expr {
                visit(export);
            }
        });
    }

    /// The expression that the program writes for the value at `path`, and the path that is left below it; `None` where the program
    /// says nothing about it.
    pub fn argument(&self, path: &Path) -> Option<(&Self, Path)> {
        let mut expr = self;
        let mut steps = path.steps().iter();
        loop {
            while let Self::Sensitive(inner) = expr {
                expr = inner;
            }
            let Some(step) = steps.as_slice().first() else {
                return Some((expr, Path::root()));
            };
            match (expr, step) {
                (Self::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                    expr = members.get(name)?;
                }
                (Self::List(elements), PathStep::Index(index)) => expr = elements.get(*index)?,
                // One block that may stand for a list of one.
                (Self::Map(_), PathStep::Index(0)) => {}
                _ => return Some((expr, steps.as_slice().iter().cloned().collect())),
            }
            steps.next();
        }
    }

    /// The part of the expression that decides the value at `path`.
    pub fn part(&self, path: &Path) -> &Self {
        let mut expr = self;
        for step in path.steps() {
            while let Self::Sensitive(inner) = expr {
                expr = inner;
            }
            let part = match (expr, step) {
                (Self::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                    members.get(name)
                }
                (Self::List(elements), PathStep::Index(index)) => elements.get(*index),
                _ => None,
            };
            match part {
                Some(part) => expr = part,
                None => return expr,
            }
        }
        expr
    }

    /// Where the value comes from, for a person: the references in it, then the exports of other stacks and the sources of secrets.
    pub fn origin(&self) -> String {
        let mut origins: Vec<String> = Vec::new();
        let mut add = |origin: String| {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        };
        self.for_each_reference(&mut |reference| add(reference.to_string()));
        self.for_each_export(&mut |export| add(export.to_string()));
        self.for_each_secret(&mut |secret| add(secret.source().to_string()));
        origins.join(", ")
    }
}

/// All of them, those that change in their changed form; `None` if none does.
fn changed_members<'e>(
    members: impl Iterator<Item = &'e Expr> + Clone,
    change: &impl Fn(&Expr) -> Option<Expr>,
) -> Option<Vec<Expr>> {
    let changed: Vec<_> = (members.clone())
        .map(|member| member.rewritten(change))
        .collect();
    changed.iter().any(Option::is_some).then(|| {
        (changed.into_iter().zip(members))
            .map(|(changed, member)| changed.unwrap_or_else(|| member.clone()))
            .collect()
    })
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if self.path.is_root() {
            Ok(())
        } else {
            write!(f, ".{}", self.path)
        }
    }
}

impl fmt::Debug for Expr {
    /// Shows where a value comes from, never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            origin if origin.is_empty() => f.write_str("(literal)"),
            origin => f.write_str(&origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Arc<Marked>);

    impl Scope for One {
        fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
            (address.resource.name.as_ref() == "a").then(|| self.0.clone())
        }
    }

    fn scope() -> One {
        let value = Value::map([
            ("id", Value::from("i-1")),
            ("arn", Value::UNKNOWN),
            (
                "auth",
                Value::list(vec![Value::map([("token", Value::from("hunter2"))])]),
            ),
        ]);
        let token: Path = "auth[0].token".parse().expect("a path");
        One(Arc::new(Marked {
            value,
            sensitive: BTreeSet::from([token]),
        }))
    }

    fn reference(name: &str, path: &str) -> Expr {
        Expr::Reference(Arc::new(Reference {
            address: Arc::new(format!("t_x.{name}").parse().expect("an address")),
            path: path.parse().expect("a path"),
            location: Location::caller(),
            planned: None,
        }))
    }

    #[test]
    fn sensitivity_follows_a_value_into_lists_parts_and_functions() {
        let list = Expr::list(vec![reference("a", "id"), reference("a", "auth")]);
        let marked = list.evaluate(&scope()).expect("a value");
        let paths: Vec<_> = marked.sensitive.iter().map(Path::to_string).collect();
        assert_eq!(paths, ["[1][0].token"]);
        let upper = reference("a", "auth").apply(|value| Ok(value.clone()));
        let part = upper
            .at(PathStep::Index(0))
            .evaluate(&scope())
            .expect("a value");
        assert!(part.is_sensitive());
        assert_eq!(format!("{part:?}"), "(sensitive)");
    }

    #[test]
    fn a_function_of_something_unknown_is_unknown_and_is_not_called() {
        let expr = reference("a", "arn").apply(|_| Err("called".into()));
        assert_eq!(
            expr.evaluate(&scope()).expect("a value").value,
            Value::UNKNOWN
        );
    }

    #[test]
    fn a_function_of_marked_values_says_what_of_its_result_is_unknown_and_sensitive() {
        let both = Expr::list(vec![reference("a", "arn"), reference("a", "auth")]);
        let swapped = both.apply_marked(|input| {
            let parts = input.value.elements().unwrap_or_default();
            let marks = input.sensitive.iter().map(|path| {
                let rest = path.steps()[1..].iter().cloned();
                [PathStep::Index(0)].into_iter().chain(rest).collect()
            });
            Ok(Marked {
                value: Value::list(parts.iter().rev().cloned().collect()),
                sensitive: marks.collect(),
            })
        });
        let marked = Expr::list(vec![swapped])
            .evaluate(&scope())
            .expect("a value");
        let paths: Vec<_> = marked.sensitive.iter().map(Path::to_string).collect();
        assert_eq!(paths, ["[0][0][0].token"]);
        let unknown: Path = "[0][1]".parse().expect("a path");
        assert_eq!(marked.value.at(&unknown), Some(&Value::UNKNOWN));
    }

    #[test]
    fn failures_name_the_reference_and_a_panic_is_caught() {
        let missing = reference("a", "nope")
            .evaluate(&scope())
            .expect_err("missing");
        assert_eq!(missing.to_string(), "`t_x.a.nope` does not exist");
        let other = reference("b", "id")
            .evaluate(&scope())
            .expect_err("no object");
        assert_eq!(other.to_string(), "`t_x.b` has no value");
        let panicking = reference("a", "id").apply(|_| panic!("boom"));
        assert!(matches!(
            panicking.evaluate(&scope()),
            Err(EvalError::Map { .. })
        ));
    }
}
