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
mod deferred;
mod exact;
mod files;
mod hashes;
mod marked;
mod operators;
mod scalars;
mod shape;
mod signatures;
#[cfg(test)]
mod tests;
mod yaml_document;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::{Expr, Location, Output, Type, Value};

use crate::FunctionError;
use deferred::Deferred;
use shape::Shape;

pub use access::not_null;
pub use calls::{call, call_expanded, is_known_function};
pub use constraint::Constraint;
pub use conversions::AsDyn;
pub use files::file_bytes;
pub use operators::{choose, join_list, join_texts, templatefile};

/// A value of any type: known, a structure with parts that the cloud decides, decided by the cloud as a whole, or a fault.
#[derive(Clone, Debug)]
pub struct Dyn(pub(crate) Inner);

#[derive(Clone, Debug)]
pub(crate) enum Inner {
    Known(Value),
    /// Not all of its elements are known and to be shown.
    List(Arc<Vec<Dyn>>),
    /// Not all of its members are known and to be shown.
    Map(Arc<BTreeMap<Arc<str>, Dyn>>),
    Deferred(Deferred),
    /// What the program knows already of a value: whether that is all, and whether it is to be shown, the engine says.
    Early(Arc<Dyn>, Deferred),
    /// Unknown to the engine when it evaluates what was deferred.
    Unknown(Shape),
    /// A value that is never shown.
    Sensitive(Arc<Dyn>),
    Failed(Arc<str>),
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
        match elements.iter().all(Self::is_known) {
            true => {
                let values = elements.iter().filter_map(Self::as_known);
                Self(Inner::Known(Value::list(values.collect())))
            }
            false => Self(Inner::List(Arc::new(elements))),
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
        let (keys, members): (Vec<Self>, Vec<Self>) = members.into_iter().unzip();
        Self::with_keys(keys, members)
    }

    fn with_keys(keys: Vec<Self>, members: Vec<Self>) -> Self {
        if let Some(failed) = keys.iter().find(|one| one.is_failed()) {
            return failed.clone();
        }
        if keys.iter().any(Self::is_deferred) {
            let count = keys.len();
            let all = [keys, members].concat();
            let shape = Shape::never_null(Type::map(Type::Dynamic));
            return Self::when_known(&all, shape, move |mut now: Vec<Self>| {
                let members = now.split_off(count);
                Self::with_keys(now, members)
            });
        }
        // Who sees the members sees the keys.
        Self::unmarked(&keys, |keys| {
            let mut all = BTreeMap::new();
            for (key, member) in keys.iter().zip(members) {
                let Some(key) = key.as_known() else {
                    return Self::UNKNOWN;
                };
                match conversions::text(&key) {
                    Ok(key) => drop(all.insert(key.into(), member)),
                    Err(reason) => return Self::failed(reason),
                }
            }
            Self::from_members(all)
        })
    }

    pub(crate) fn from_members(members: BTreeMap<Arc<str>, Self>) -> Self {
        if let Some(failed) = members.values().find(|one| one.is_failed()) {
            return failed.clone();
        }
        match members.values().all(Self::is_known) {
            true => {
                let values = members.iter();
                let values = values.filter_map(|(key, one)| Some((key.clone(), one.as_known()?)));
                Self(Inner::Known(Value::map(values)))
            }
            false => Self(Inner::Map(Arc::new(members))),
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

    fn is_known(&self) -> bool {
        matches!(self.0, Inner::Known(_))
    }

    pub(crate) fn as_known(&self) -> Option<Value> {
        match &self.0 {
            Inner::Known(value) => Some(value.clone()),
            Inner::Early(now, _) => now.as_known(),
            _ => None,
        }
    }

    /// The first of several values that is no fault; unknown as long as it may become one.
    pub(crate) fn first_without_fault(all: &[Self]) -> Self {
        for (place, one) in all.iter().enumerate() {
            if one.is_failed() {
                continue;
            }
            if one.is_deferred() {
                return Self::when_known(&all[place..], Shape::ANY, |now| {
                    Self::first_without_fault(&now)
                });
            }
            return match one.is_wholly_known() {
                true => one.clone(),
                false => Self::UNKNOWN,
            };
        }
        Self::failed("no alternative of `try` has a value")
    }

    /// Whether all of it is known now, sensitive or not.
    pub(super) fn is_wholly_known(&self) -> bool {
        match &self.0 {
            Inner::Known(_) => true,
            Inner::List(elements) => elements.iter().all(Self::is_wholly_known),
            Inner::Map(members) => members.values().all(Self::is_wholly_known),
            Inner::Sensitive(of) => of.is_wholly_known(),
            Inner::Early(..) | Inner::Deferred(_) | Inner::Unknown(_) | Inner::Failed(_) => false,
        }
    }

    /// The same value, never shown.
    #[must_use]
    pub fn sensitive(&self) -> Self {
        match &self.0 {
            Inner::Sensitive(_) | Inner::Failed(_) => self.clone(),
            _ => Self(Inner::Sensitive(Arc::new(self.clone()))),
        }
    }

    /// The value under its mark.
    pub(super) fn unwrapped(&self) -> &Self {
        match &self.0 {
            Inner::Sensitive(of) => of,
            _ => self,
        }
    }

    /// The value, if the program knows it already.
    ///
    /// # Errors
    /// When it is a fault or sensitive, or the cloud decides it. Where a plan knows it, the stack function runs again with it (see
    /// [`Stack::known`](terrane_core::Stack::known)).
    pub fn known(&self) -> Result<Value, FunctionError> {
        match &self.0 {
            Inner::Known(value) => Ok(value.clone()),
            Inner::Early(now, _) => now.known(),
            Inner::Failed(reason) => Err(FunctionError::new("expression", reason.to_string())),
            Inner::Sensitive(of) if of.is_wholly_known() => {
                let reason = "has a sensitive value, which would be shown here";
                Err(FunctionError::new("expression", reason))
            }
            _ => Err(FunctionError::not_known(&self.expr())),
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
            Inner::Early(_, deferred) | Inner::Deferred(deferred) => deferred.expr(),
            Inner::Unknown(_) => Expr::Literal(Value::UNKNOWN),
            Inner::Sensitive(of) => Expr::Sensitive(Arc::new(of.expr())),
            Inner::Failed(reason) => Expr::invalid(reason.to_string(), Location::caller()),
        }
    }
}
