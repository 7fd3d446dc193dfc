//! Values whose type only the run knows: what HCL's expressions are made of.
//!
//! A program that was converted from HCL uses them where no type could be inferred. They keep HCL's rules: a list that a program makes of
//! values that the cloud decides has a known length, its elements may be unknown, and a fault is a value that `try` can replace.
//!
//! ```
//! use terrane_core::Value;
//! use terrane_functions::dynamic::{Dyn, call};
//!
//! let tags = call("merge", [Dyn::object([("Team", "net")]), Dyn::object([("Name", "main")])]);
//! assert_eq!(tags.attr("Name").known()?, Value::from("main"));
//! assert!(tags.attr("Cost").known().is_err());
//! # Ok::<(), terrane_functions::FunctionError>(())
//! ```

mod access;
mod calls;
mod collections;
mod constraint;
mod conversions;
mod csv_document;
mod exact;
mod files;
mod hashes;
mod operators;
mod scalars;
#[cfg(test)]
mod tests;
mod yaml_document;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::{Expr, Location, Output, Path, PathStep, Value};

use crate::FunctionError;

pub use access::not_null;
pub use calls::{call, is_known_function};
pub use constraint::Constraint;
pub use conversions::AsDyn;
pub use operators::{choose, join_list, join_texts};

/// A value of any type: known, a structure with parts that the cloud decides, decided by the cloud as a whole, or a fault.
#[derive(Clone, Debug)]
pub struct Dyn(pub(crate) Inner);

#[derive(Clone, Debug)]
pub(crate) enum Inner {
    Known(Value),
    /// Not all of its elements are known.
    List(Arc<Vec<Dyn>>),
    /// Not all of its members are known.
    Map(Arc<BTreeMap<Arc<str>, Dyn>>),
    Deferred(Deferred),
    Failed(Arc<str>),
}

/// A value that is computed from others once the engine knows them.
#[derive(Clone)]
pub(crate) struct Deferred {
    inputs: Arc<[Source]>,
    /// The part of the only input that is meant, where nothing is computed.
    path: Path,
    compute: Option<Arc<Compute>>,
}

/// Where an input comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Expr(Expr),
    /// The key or the value of a loop's round; no two loops share one.
    Round(usize),
}

type Compute = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.inputs.iter().map(|input| match input {
                Source::Expr(expr) => expr.origin(),
                Source::Round(_) => "each".to_owned(),
            }))
            .finish()
    }
}

impl Deferred {
    /// Whether it is a value of the cloud as it is, and nothing computed from one.
    fn is_plain(&self) -> bool {
        self.compute.is_none()
    }

    fn expr(&self) -> Expr {
        let Some(compute) = self.compute.clone() else {
            let Some(Source::Expr(input)) = self.inputs.first() else {
                return Expr::invalid("a loop's value outside of it", Location::caller());
            };
            let whole = Output::<Value>::new(input.clone());
            let part = self
                .path
                .steps()
                .iter()
                .fold(whole, |whole, step| match step {
                    PathStep::Index(index) => whole.index(*index),
                    PathStep::Key(key) => whole.key(key),
                    PathStep::Attribute(name) => whole.attribute(name),
                });
            return part.into_expr();
        };
        let inputs = self.inputs.iter().map(|input| match input {
            Source::Expr(expr) => expr.clone(),
            Source::Round(_) => Expr::invalid("a loop's value outside of it", Location::caller()),
        });
        let all = Output::<Value>::new(Expr::list(inputs.collect()));
        let computed = all.try_map(move |all: Value| compute(all.elements().unwrap_or_default()));
        computed.into_expr()
    }

    /// The same with a fault of its path as a fault of the computation, which `try` can replace.
    fn computed(&self) -> (Arc<[Source]>, Arc<Compute>) {
        if let Some(compute) = &self.compute {
            return (self.inputs.clone(), compute.clone());
        }
        let path = self.path.clone();
        let compute = move |inputs: &[Value]| {
            let part = inputs.first().and_then(|whole| whole.at(&path));
            part.cloned()
                .ok_or_else(|| format!("the value has no `{path}`"))
        };
        (self.inputs.clone(), Arc::new(compute))
    }
}

impl Dyn {
    /// HCL's `null`.
    pub const NULL: Self = Self(Inner::Known(Value::Null));

    /// A list or tuple.
    pub fn list<D: Into<Self>>(elements: impl IntoIterator<Item = D>) -> Self {
        let elements: Vec<Self> = elements.into_iter().map(Into::into).collect();
        if let Some(failed) = elements.iter().find(|one| one.is_failed()) {
            return failed.clone();
        }
        let known: Option<Vec<Value>> = elements.iter().map(Self::as_known).collect();
        match known {
            Some(values) => Self(Inner::Known(Value::list(values))),
            None => Self(Inner::List(Arc::new(elements))),
        }
    }

    /// A map or object.
    pub fn object<K: Into<Arc<str>>, D: Into<Self>>(
        members: impl IntoIterator<Item = (K, D)>,
    ) -> Self {
        let members = members.into_iter();
        Self::from_members(
            members
                .map(|(key, member)| (key.into(), member.into()))
                .collect(),
        )
    }

    /// An object whose keys are computed.
    pub fn object_of(members: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let mut all = BTreeMap::new();
        let mut deferred = Vec::new();
        for (key, member) in members {
            if key.is_failed() {
                return key;
            }
            match key.as_known() {
                Some(key) => match conversions::text(&key) {
                    Ok(key) => drop(all.insert(key.into(), member)),
                    Err(reason) => return Self::failed(reason),
                },
                None => deferred.push((key, member)),
            }
        }
        if deferred.is_empty() {
            return Self::from_members(all);
        }
        let parts: Vec<Self> = deferred
            .into_iter()
            .flat_map(|(key, member)| [key, member])
            .collect();
        let parts = [Self::from_members(all)].into_iter().chain(parts).collect();
        Self::defer(parts, |values| {
            let (known, computed) = values.split_first().ok_or("no members")?;
            let mut all = known.members().cloned().unwrap_or_default();
            for pair in computed.chunks_exact(2) {
                all.insert(conversions::text(&pair[0])?.into(), pair[1].clone());
            }
            Ok(Value::map(all))
        })
    }

    pub(crate) fn from_members(members: BTreeMap<Arc<str>, Self>) -> Self {
        if let Some(failed) = members.values().find(|one| one.is_failed()) {
            return failed.clone();
        }
        let known = members
            .iter()
            .map(|(key, one)| Some((key.clone(), one.as_known()?)));
        let known: Option<Vec<(Arc<str>, Value)>> = known.collect();
        match known {
            Some(values) => Self(Inner::Known(Value::map(values))),
            None => Self(Inner::Map(Arc::new(members))),
        }
    }

    /// A list without elements.
    pub fn empty_list() -> Self {
        Self(Inner::Known(Value::list(Vec::new())))
    }

    /// An object without members.
    pub fn empty_object() -> Self {
        Self::from_members(BTreeMap::new())
    }

    /// A value that serde can write: a struct of the configuration, a list of them.
    pub fn of(value: &(impl serde::Serialize + ?Sized)) -> Self {
        match serde_json::to_value(value) {
            Ok(json) => Self(Inner::Known(json.into())),
            Err(error) => Self::failed(format!("the value cannot be read: {error}")),
        }
    }

    /// A fault.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self(Inner::Failed(reason.into().into()))
    }

    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.0, Inner::Failed(_))
    }

    pub(crate) fn as_known(&self) -> Option<Value> {
        match &self.0 {
            Inner::Known(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// Inputs and a computation that make this value, for any value without a fault.
    fn parts(&self) -> (Vec<Source>, Arc<Compute>) {
        match &self.0 {
            Inner::Known(value) => {
                let value = value.clone();
                (Vec::new(), Arc::new(move |_: &[Value]| Ok(value.clone())))
            }
            // The part alone, so that it does not wait for its neighbours.
            Inner::Deferred(deferred)
                if deferred.compute.is_none()
                    && matches!(deferred.inputs.first(), Some(Source::Expr(_))) =>
            {
                (vec![Source::Expr(deferred.expr())], Arc::new(first))
            }
            Inner::Deferred(deferred) => {
                let (inputs, compute) = deferred.computed();
                (inputs.to_vec(), compute)
            }
            Inner::Failed(reason) => {
                let reason = reason.clone();
                (
                    Vec::new(),
                    Arc::new(move |_: &[Value]| Err(reason.to_string())),
                )
            }
            Inner::List(elements) => Self::joined(elements, |values| Ok(Value::list(values))),
            Inner::Map(members) => {
                let keys: Vec<Arc<str>> = members.keys().cloned().collect();
                let members: Vec<Self> = members.values().cloned().collect();
                Self::joined(&members, move |values| {
                    Ok(Value::map(keys.iter().cloned().zip(values)))
                })
            }
        }
    }

    fn joined(
        all: &[Self],
        join: impl Fn(Vec<Value>) -> Result<Value, String> + Send + Sync + 'static,
    ) -> (Vec<Source>, Arc<Compute>) {
        let mut inputs = Vec::new();
        let mut computes = Vec::with_capacity(all.len());
        for one in all {
            let (own, compute) = one.parts();
            let start = inputs.len();
            inputs.extend(own);
            computes.push((start..inputs.len(), compute));
        }
        let compute = move |values: &[Value]| {
            let parts = computes
                .iter()
                .map(|(range, compute)| compute(values.get(range.clone()).unwrap_or_default()));
            join(parts.collect::<Result<_, _>>()?)
        };
        (inputs, Arc::new(compute))
    }

    /// The value that a function makes of others, now or once all are known.
    pub(crate) fn defer(
        all: Vec<Self>,
        function: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        if let Some(failed) = all.iter().find(|one| one.is_failed()) {
            return failed.clone();
        }
        let (inputs, compute) = Self::joined(&all, move |values| function(&values));
        if inputs.is_empty() {
            return match compute(&[]) {
                Ok(value) => Self(Inner::Known(value)),
                Err(reason) => Self::failed(reason),
            };
        }
        Self(Inner::Deferred(Deferred {
            inputs: inputs.into(),
            path: Path::root(),
            compute: Some(compute),
        }))
    }

    /// The value or key of a loop's round, while the loop's collection is not known.
    pub(crate) fn round(id: usize) -> Self {
        Self(Inner::Deferred(Deferred {
            inputs: [Source::Round(id)].into(),
            path: Path::root(),
            compute: None,
        }))
    }

    /// What a loop makes of a collection that is not known yet: `rounds` are what one round makes, and `join` joins those of all.
    pub(crate) fn defer_loop(
        collection: &Self,
        ids: [usize; 2],
        round: &Self,
        join: fn(Vec<Self>) -> Self,
    ) -> Self {
        if round.is_failed() {
            // It may hold for every element, and for none.
            let reason = round.clone();
            return Self::defer(vec![collection.clone()], move |values| {
                match Self::from(&values[0]).pairs() {
                    Some(pairs) if pairs.is_empty() => {
                        join(Vec::new()).known().map_err(|error| error.to_string())
                    }
                    _ => reason.known().map_err(|error| error.to_string()),
                }
            });
        }
        let (inputs, compute) = round.parts();
        let own = |source: &Source| matches!(source, Source::Round(id) if ids.contains(id));
        let slots: Vec<Option<usize>> = inputs
            .iter()
            .map(|source| match source {
                Source::Round(id) => ids.iter().position(|own| own == id),
                Source::Expr(_) => None,
            })
            .collect();
        let (mut all, of_collection) = collection.parts();
        let first_outer = all.len();
        all.extend(inputs.iter().filter(|source| !own(source)).cloned());
        let compute = move |values: &[Value]| {
            let (own, outer) = values.split_at(first_outer.min(values.len()));
            let collection = Self::from(of_collection(own)?);
            if collection.as_known().is_some_and(|it| it.is_null()) {
                return Err("`for` needs a collection, found null".to_owned());
            }
            let pairs = collection.pairs().ok_or("`for` needs a collection")?;
            let mut parts = Vec::with_capacity(pairs.len());
            for (key, value) in pairs {
                let pair = [
                    key.known().map_err(|error| error.to_string())?,
                    value.known().map_err(|error| error.to_string())?,
                ];
                let mut outer = outer.iter();
                let inputs: Vec<Value> = slots
                    .iter()
                    .filter_map(|slot| match slot {
                        Some(place) => Some(pair[*place].clone()),
                        None => outer.next().cloned(),
                    })
                    .collect();
                parts.push(Self::from(compute(&inputs)?));
            }
            join(parts).known().map_err(|error| error.to_string())
        };
        Self(Inner::Deferred(Deferred {
            inputs: all.into(),
            path: Path::root(),
            compute: Some(Arc::new(compute)),
        }))
    }

    /// The first of several values that is no fault.
    pub(crate) fn first_without_fault(all: Vec<Self>) -> Self {
        let mut waiting = Vec::new();
        for one in all {
            match &one.0 {
                Inner::Failed(_) => {}
                Inner::Deferred(_) => waiting.push(one),
                _ if waiting.is_empty() => return one,
                _ => {
                    waiting.push(one);
                    break;
                }
            }
        }
        match waiting.as_slice() {
            [] => return Self::failed("no alternative of `try` has a value"),
            // A plain attribute of an object cannot fail.
            [
                Self(Inner::Deferred(Deferred {
                    compute: None,
                    path,
                    ..
                })),
                ..,
            ] if path.is_root() => {
                return waiting.swap_remove(0);
            }
            _ => {}
        }
        let mut inputs = Vec::new();
        let mut computes = Vec::new();
        for one in &waiting {
            let (own, compute) = match &one.0 {
                Inner::Deferred(deferred) => {
                    let (inputs, compute) = deferred.computed();
                    (inputs.to_vec(), compute)
                }
                _ => one.parts(),
            };
            let start = inputs.len();
            inputs.extend(own);
            computes.push((start..inputs.len(), compute));
        }
        let compute = move |values: &[Value]| {
            let mut last = Err(String::new());
            for (range, compute) in &computes {
                last = compute(values.get(range.clone()).unwrap_or_default());
                if last.is_ok() {
                    break;
                }
            }
            last
        };
        Self(Inner::Deferred(Deferred {
            inputs: inputs.into(),
            path: Path::root(),
            compute: Some(Arc::new(compute)),
        }))
    }

    /// The value, if the program knows it already.
    ///
    /// # Errors
    /// When it is a fault, or the cloud decides it.
    pub fn known(&self) -> Result<Value, FunctionError> {
        match &self.0 {
            Inner::Known(value) => Ok(value.clone()),
            Inner::Failed(reason) => Err(FunctionError::new("expression", reason.to_string())),
            _ => {
                let reason = "has a value that is known only after apply, and must be known before";
                Err(FunctionError::new("expression", reason))
            }
        }
    }

    /// The value as an output of that type; the engine converts it as the schema says.
    pub fn output<T>(&self) -> Output<T> {
        Output::new(self.expr())
    }

    pub(crate) fn expr(&self) -> Expr {
        match &self.0 {
            Inner::Known(value) => Expr::Literal(value.clone()),
            Inner::List(elements) => Expr::list(elements.iter().map(Self::expr).collect()),
            Inner::Map(members) => {
                let members = members.iter();
                Expr::map(
                    members
                        .map(|(key, one)| (key.clone(), one.expr()))
                        .collect(),
                )
            }
            Inner::Deferred(deferred) => deferred.expr(),
            Inner::Failed(reason) => Expr::invalid(reason.to_string(), Location::caller()),
        }
    }
}

fn first(values: &[Value]) -> Result<Value, String> {
    values.first().cloned().ok_or_else(|| "no input".to_owned())
}
