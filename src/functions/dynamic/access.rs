//! What lies in a value: members, elements, parts of each, and what loops need.

use std::sync::Arc;

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
    fn pairs(&self) -> Option<Vec<(Self, Self)>> {
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
    pub fn splat(&self, part: impl Fn(Self) -> Self + Send + Sync + 'static) -> Self {
        self.each_part(Arc::new(part))
    }

    fn each_part(&self, part: Arc<dyn Fn(Self) -> Self + Send + Sync>) -> Self {
        match &self.0 {
            Inner::Failed(_) => self.clone(),
            Inner::Known(Value::Null) => Self::list([Self::NULL; 0]),
            Inner::Deferred(_) => Self::defer(vec![self.clone()], move |values| {
                let parts = Self::from(&values[0]).each_part(part.clone());
                parts.known().map_err(|error| error.to_string())
            }),
            _ => match self.elements() {
                Some(elements) => Self::list(elements.into_iter().map(|one| part(one))),
                None => Self::list([part(self.clone())]),
            },
        }
    }

    /// `[for key, value in self : body]`.
    #[must_use]
    pub fn for_list(&self, body: impl Fn(Self, Self) -> Self + Send + Sync + 'static) -> Self {
        self.for_list_if(|_, _| Self::from(true), body)
    }

    /// `[for key, value in self : body if condition]`.
    #[must_use]
    pub fn for_list_if(
        &self,
        condition: impl Fn(Self, Self) -> Self + Send + Sync + 'static,
        body: impl Fn(Self, Self) -> Self + Send + Sync + 'static,
    ) -> Self {
        let body = move |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || Self::list([body(key, value)]),
                || Self::list([Self::NULL; 0]),
            )
        };
        self.looped(Arc::new(body), |parts| super::call("concat", parts))
    }

    /// `{for key, value in self : key => value if condition}`: `body` gives a list of the pairs that a round adds.
    #[must_use]
    pub fn for_object(
        &self,
        body: impl Fn(Self, Self) -> (Self, Self) + Send + Sync + 'static,
    ) -> Self {
        self.for_object_if(|_, _| Self::from(true), body)
    }

    /// The same with a condition.
    #[must_use]
    pub fn for_object_if(
        &self,
        condition: impl Fn(Self, Self) -> Self + Send + Sync + 'static,
        body: impl Fn(Self, Self) -> (Self, Self) + Send + Sync + 'static,
    ) -> Self {
        let body = move |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || Self::object_of([body(key, value)]),
                || Self::object_of([]),
            )
        };
        self.looped(Arc::new(body), |parts| super::call("merge", parts))
    }

    /// `{for key, value in self : key => value...}`: elements of one key are a list.
    #[must_use]
    pub fn for_groups_if(
        &self,
        condition: impl Fn(Self, Self) -> Self + Send + Sync + 'static,
        body: impl Fn(Self, Self) -> (Self, Self) + Send + Sync + 'static,
    ) -> Self {
        let body = move |key: Self, value: Self| {
            choose(
                condition(key.clone(), value.clone()),
                || {
                    let (key, value) = body(key, value);
                    Self::object_of([(key, Self::list([value]))])
                },
                || Self::object_of([]),
            )
        };
        self.looped(Arc::new(body), |parts| {
            let mut groups: std::collections::BTreeMap<Arc<str>, Vec<Self>> = Default::default();
            for part in &parts {
                let Some(entries) = part.entries() else {
                    return Self::failed("a key of a group is known only after apply");
                };
                for (key, list) in entries {
                    groups
                        .entry(key)
                        .or_default()
                        .extend(list.elements().unwrap_or_default());
                }
            }
            Self::object(
                groups
                    .into_iter()
                    .map(|(key, list)| (key, Self::list(list))),
            )
        })
    }

    fn looped(
        &self,
        body: Arc<dyn Fn(Self, Self) -> Self + Send + Sync>,
        join: fn(Vec<Self>) -> Self,
    ) -> Self {
        match &self.0 {
            Inner::Failed(_) => self.clone(),
            Inner::Deferred(_) => {
                // What the body borrows from outside may be unknown as well; it is then part of no input, and the loop fails.
                Self::defer(vec![self.clone()], move |values| {
                    let whole = Self::from(&values[0]).looped(body.clone(), join);
                    whole.known().map_err(|error| error.to_string())
                })
            }
            Inner::Known(Value::Null) => Self::failed("`for` needs a collection, found null"),
            _ => match self.pairs() {
                Some(pairs) => {
                    let parts: Vec<Self> = pairs
                        .into_iter()
                        .map(|(key, value)| body(key, value))
                        .collect();
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
