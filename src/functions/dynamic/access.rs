//! What lies in a value: members, elements, parts of each, and what loops need.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use terrane_core::addr::InstanceKey;
use terrane_core::value::PathStep;
use terrane_core::{Path, Value};

use super::conversions::{members, plain, text, truth, whole};
use super::{Deferred, Dyn, Inner, choose};
use crate::FunctionError;

impl Dyn {
    /// A member by its name.
    #[must_use]
    pub fn attr(&self, name: &str) -> Self {
        match &self.0 {
            Inner::Known(value) => match value.get_plain(name) {
                Some(member) => Self(Inner::Known(member)),
                None => Self::failed(format!("the value has no member `{name}`")),
            },
            Inner::Map(members) => match members.get(name) {
                Some(member) => member.clone(),
                None => Self::failed(format!("the value has no member `{name}`")),
            },
            Inner::List(_) => Self::failed(format!("a list has no member `{name}`")),
            Inner::Deferred(deferred) => deferred.part(PathStep::Attribute(name.into())),
            Inner::Failed(_) => self.clone(),
        }
    }

    /// An element by its place, or a member by its key.
    #[must_use]
    pub fn index(&self, key: impl Into<Self>) -> Self {
        let key = key.into();
        if key.is_failed() {
            return key;
        }
        let Some(known) = key.as_known() else {
            return Self::defer(vec![self.clone(), key], |values| {
                Self::from(&values[0])
                    .index(&values[1])
                    .known()
                    .map_err(|error| error.to_string())
            });
        };
        if let Some(elements) = self.elements() {
            let place = match whole(&known) {
                Ok(place) => place,
                Err(reason) => return Self::failed(reason),
            };
            let found = elements.get(place).cloned();
            return found.unwrap_or_else(|| {
                Self::failed(format!(
                    "the list has no element {place}; it has {}",
                    elements.len()
                ))
            });
        }
        if let Inner::Deferred(deferred) = &self.0 {
            return match (plain(&known), whole(&known)) {
                (Value::Number(_), Ok(place)) => deferred.part(PathStep::Index(place)),
                _ => match text(&known) {
                    Ok(key) => deferred.part(PathStep::key(key)),
                    Err(reason) => Self::failed(reason),
                },
            };
        }
        match text(&known) {
            Ok(key) => self.attr(&key),
            Err(reason) => Self::failed(reason),
        }
    }

    /// Arguments whose last is a list of arguments: `f(a, list...)`.
    pub fn expanded(fixed: impl IntoIterator<Item = Self>, rest: &Self) -> Vec<Self> {
        let rest = match rest.elements() {
            Some(rest) => rest,
            None => vec![Self::failed("arguments are known only after apply")],
        };
        fixed.into_iter().chain(rest).collect()
    }

    /// The elements, if it is a list whose length is known.
    pub(crate) fn elements(&self) -> Option<Vec<Self>> {
        match &self.0 {
            Inner::Known(value) => {
                let elements = plain(value).elements()?;
                Some(elements.iter().map(Self::from).collect())
            }
            Inner::List(elements) => Some(elements.to_vec()),
            _ => None,
        }
    }

    /// The members, if it is a map whose keys are known.
    pub(crate) fn entries(&self) -> Option<Vec<(Arc<str>, Self)>> {
        match &self.0 {
            Inner::Known(value) => {
                let members = members(value)?.into_iter();
                Some(members.map(|(key, one)| (key, Self::from(one))).collect())
            }
            Inner::Map(members) => Some(
                members
                    .iter()
                    .map(|(key, one)| (key.clone(), one.clone()))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Keys and elements, as `for` sees them.
    pub(super) fn pairs(&self) -> Option<Vec<(Self, Self)>> {
        if let Some(entries) = self.entries() {
            return Some(
                entries
                    .into_iter()
                    .map(|(key, one)| (Self::from(&*key), one))
                    .collect(),
            );
        }
        let is_set =
            matches!(&self.0, Inner::Known(value) if matches!(plain(value), Value::Set(_)));
        let elements = self.elements()?.into_iter().enumerate();
        Some(
            elements
                .map(|(place, one)| match is_set {
                    true => (one.clone(), one),
                    false => (Self::from(place), one),
                })
                .collect(),
        )
    }

    /// A part of each element: `list[*].id`. What is no list is one of itself, and null an empty one.
    #[must_use]
    pub fn splat(&self, part: impl Fn(Self) -> Self) -> Self {
        match &self.0 {
            Inner::Failed(_) => self.clone(),
            Inner::Known(Value::Null) => Self::empty_list(),
            Inner::Deferred(_) => self.looped(|_, value| Self::list([part(value)]), concat),
            _ => match self.elements() {
                Some(elements) => Self::list(elements.into_iter().map(part)),
                None => Self::list([part(self.clone())]),
            },
        }
    }

    /// `[for key, value in self : body]`.
    #[must_use]
    pub fn for_list<D: Into<Self>>(&self, body: impl Fn(Self, Self) -> D) -> Self {
        self.looped(|key, value| Self::list([body(key, value)]), concat)
    }

    /// `[for key, value in self : body if condition]`.
    #[must_use]
    pub fn for_list_if<C: Into<Self>, D: Into<Self>>(
        &self,
        condition: impl Fn(Self, Self) -> C,
        body: impl Fn(Self, Self) -> D,
    ) -> Self {
        let body = |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || Self::list([body(key, value)]),
                Self::empty_list,
            )
        };
        self.looped(body, concat)
    }

    /// `{for key, value in self : key => value}`: `body` gives the pair that a round adds.
    #[must_use]
    pub fn for_object<K: Into<Self>, D: Into<Self>>(
        &self,
        body: impl Fn(Self, Self) -> (K, D),
    ) -> Self {
        self.for_object_if(|_, _| true, body)
    }

    /// The same with a condition.
    #[must_use]
    pub fn for_object_if<C: Into<Self>, K: Into<Self>, D: Into<Self>>(
        &self,
        condition: impl Fn(Self, Self) -> C,
        body: impl Fn(Self, Self) -> (K, D),
    ) -> Self {
        let body = |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || {
                    let (key, value) = body(key, value);
                    Self::object_of([(key.into(), value.into())])
                },
                Self::empty_object,
            )
        };
        self.looped(body, |parts| super::call("merge", parts))
    }

    /// `{for key, value in self : key => value...}`: the values of one key are a list.
    #[must_use]
    pub fn for_groups_if<C: Into<Self>, K: Into<Self>, D: Into<Self>>(
        &self,
        condition: impl Fn(Self, Self) -> C,
        body: impl Fn(Self, Self) -> (K, D),
    ) -> Self {
        let body = |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || {
                    let (key, value) = body(key, value);
                    Self::object_of([(key.into(), Self::list([value]))])
                },
                Self::empty_object,
            )
        };
        self.looped(body, |parts| {
            let mut groups: BTreeMap<Arc<str>, Vec<Self>> = BTreeMap::new();
            for part in &parts {
                let Some(entries) = part.entries() else {
                    return Self::failed("a key of a group is known only after apply");
                };
                for (key, list) in entries {
                    let list = list.elements().unwrap_or_default();
                    groups.entry(key).or_default().extend(list);
                }
            }
            Self::object(
                groups
                    .into_iter()
                    .map(|(key, list)| (key, Self::list(list))),
            )
        })
    }

    fn looped(&self, body: impl Fn(Self, Self) -> Self, join: fn(Vec<Self>) -> Self) -> Self {
        match &self.0 {
            Inner::Failed(_) => self.clone(),
            Inner::Deferred(_) => {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                let id = NEXT.fetch_add(2, Ordering::Relaxed);
                let round = body(Self::round(id), Self::round(id + 1));
                Self::defer_loop(self, [id, id + 1], &round, join)
            }
            Inner::Known(Value::Null) => Self::failed("`for` needs a collection, found null"),
            _ => match self.pairs() {
                Some(pairs) => {
                    let parts = pairs.into_iter().map(|(key, value)| body(key, value));
                    let parts: Vec<Self> = parts.collect();
                    match parts.iter().find(|part| part.is_failed()) {
                        Some(failed) => failed.clone(),
                        None => join(parts),
                    }
                }
                None => Self::failed("`for` needs a collection"),
            },
        }
    }

    /// The number that `count` has.
    ///
    /// # Errors
    /// When it is a fault, no number from 0, or the cloud decides it.
    pub fn count(&self) -> Result<usize, FunctionError> {
        whole(&self.known()?).map_err(|reason| FunctionError::new("count", reason))
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// When it is a fault, no truth value, or the cloud decides it.
    pub fn holds(&self) -> Result<bool, FunctionError> {
        truth(&self.known()?).map_err(|reason| FunctionError::new("condition", reason))
    }

    /// A text that the program needs to know.
    ///
    /// # Errors
    /// When it is a fault, no text, or the cloud decides it.
    pub fn text(&self) -> Result<String, FunctionError> {
        text(&self.known()?).map_err(|reason| FunctionError::new("text", reason))
    }

    /// The instances that `for_each` makes: each key with its value.
    ///
    /// # Errors
    /// When it is a fault, no collection, or the cloud decides its keys.
    pub fn instances(&self) -> Result<Vec<(String, Self)>, FunctionError> {
        let all = self.each()?;
        let all = all.into_iter().map(|(key, value)| match &value.0 {
            // Elements of a set are their own keys.
            _ if self.entries().is_none() => Ok((value.text()?, value)),
            _ => Ok((key.text()?, value)),
        });
        all.collect()
    }

    /// The rounds of a loop: each key with its value.
    ///
    /// # Errors
    /// When it is a fault, no collection, or the cloud decides its keys.
    pub fn each(&self) -> Result<Vec<(Self, Self)>, FunctionError> {
        match self.pairs() {
            Some(pairs) => Ok(pairs),
            None => {
                self.known()?;
                Err(FunctionError::new(
                    "for_each",
                    "needs a list, a set or a map",
                ))
            }
        }
    }

    /// The key of an instance.
    ///
    /// # Errors
    /// When it is a fault, or the cloud decides it.
    pub fn instance_key(&self) -> Result<InstanceKey, FunctionError> {
        Ok(InstanceKey::string(self.text()?))
    }
}

/// The value, or the default where it is null: a variable with `nullable = false`.
pub fn not_null(value: impl Into<Dyn>, default: impl Into<Dyn>) -> Dyn {
    let value = value.into();
    match &value.0 {
        Inner::Known(Value::Null) => default.into(),
        _ => value,
    }
}

fn concat(parts: Vec<Dyn>) -> Dyn {
    super::call("concat", parts)
}

impl Deferred {
    fn part(&self, step: PathStep) -> Dyn {
        if self.compute.is_none() {
            return Dyn(Inner::Deferred(Self {
                path: self.path.clone().step(step),
                ..self.clone()
            }));
        }
        let path = Path::root().step(step);
        Dyn::defer(vec![Dyn(Inner::Deferred(self.clone()))], move |values| {
            let part = values[0].at(&path).cloned();
            part.ok_or_else(|| format!("the value has no `{path}`"))
        })
    }
}

/// Members of values under a dynamic wrapper.
trait GetPlain {
    fn get_plain(&self, name: &str) -> Option<Value>;
}

impl GetPlain for Value {
    fn get_plain(&self, name: &str) -> Option<Value> {
        plain(self).members()?.get(name).cloned()
    }
}
