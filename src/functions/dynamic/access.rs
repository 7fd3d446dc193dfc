//! What lies in a value: members, elements, parts of each, and what loops need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use terrane_core::addr::InstanceKey;
use terrane_core::value::PathStep;
use terrane_core::{BlockBuilder, Blocks, Type, Value};

use super::calls::GROUPS;
use super::conversions::{members, plain, text, truth, whole};
use super::shape::{self, Nullness, Shape, is_single};
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
            Inner::Deferred(deferred) => match shape::member_of(&deferred.shape().ty, name) {
                Ok(ty) => self.deferred_attr(deferred, name, ty),
                Err(reason) => Self::failed(reason),
            },
            Inner::Early(now, later) => {
                let later = Self(Inner::Deferred(later.clone())).attr(name);
                now.attr(name).early_of(later)
            }
            Inner::Unknown(shape) => match shape::member_of(&shape.ty, name) {
                Ok(ty) => Self(Inner::Unknown(Shape::of(ty))),
                Err(reason) => Self::failed(reason),
            },
            Inner::Sensitive(of) => of.attr(name).sensitive(),
            Inner::Failed(_) => self.clone(),
        }
    }

    fn deferred_attr(&self, deferred: &Deferred, name: &str, ty: Type) -> Self {
        let name: Arc<str> = name.into();
        match deferred.part(PathStep::Attribute(name.clone()), ty.clone()) {
            Some(part) => Self(Inner::Deferred(part)),
            None => self.when_known_part(ty, move |now| now.attr(&name)),
        }
    }

    fn when_known_part(
        &self,
        ty: Type,
        part: impl Fn(&Self) -> Self + Clone + Send + Sync + 'static,
    ) -> Self {
        let whole = std::slice::from_ref(self);
        Self::when_known(whole, Shape::of(ty), move |now| part(&now[0]))
    }

    /// This as what is known already of a value that is known later.
    pub(super) fn early_of(self, later: Self) -> Self {
        match later.0 {
            Inner::Early(_, later) | Inner::Deferred(later) => self.before(later),
            _ => self,
        }
    }

    /// An element by its place, or a member by its key.
    #[must_use]
    pub fn index(&self, key: impl Into<Self>) -> Self {
        let key = key.into();
        match (&self.0, &key.0) {
            (_, Inner::Failed(_)) => return key,
            (Inner::Failed(_), _) => return self.clone(),
            (Inner::Sensitive(of), _) => return of.index(key).sensitive(),
            (Inner::Early(now, later), _) => {
                let later = Self(Inner::Deferred(later.clone())).index(&key);
                return now.index(key.now()).early_of(later);
            }
            (_, Inner::Sensitive(key)) => return self.index(&**key).sensitive(),
            _ => {}
        }
        let Some(known) = key.as_known() else {
            let ty = self.ty();
            if is_single(&ty) {
                return Self::failed(format!("a {ty} has no elements"));
            }
            let shape = match ty {
                Type::Tuple(_) | Type::Object(_) => Shape::ANY,
                many => Shape::of(shape::element_of(&many)),
            };
            if !self.is_deferred() && !key.is_deferred() {
                return Self(Inner::Unknown(shape));
            }
            let both = [self.clone(), key];
            return Self::when_known(&both, shape, |now| now[0].index(&now[1]));
        };
        if let Inner::Early(now, later) = key.0 {
            let key = Self(Inner::Deferred(later));
            return self.index(Self::clone(&now)).early_of(self.index(key));
        }
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
        if let Inner::Unknown(shape) = &self.0 {
            return match shape::part_of(&shape.ty, &known) {
                Ok(ty) => Self(Inner::Unknown(Shape::of(ty))),
                Err(reason) => Self::failed(reason),
            };
        }
        if let Inner::Deferred(deferred) = &self.0 {
            let ty = match shape::part_of(&deferred.shape().ty, &known) {
                Ok(ty) => ty,
                Err(reason) => return Self::failed(reason),
            };
            let step = match (plain(&known), whole(&known)) {
                (Value::Number(_), Ok(place)) => PathStep::Index(place),
                _ => match text(&known) {
                    Ok(key) => PathStep::key(key),
                    Err(reason) => return Self::failed(reason),
                },
            };
            return match deferred.part(step, ty.clone()) {
                Some(part) => Self(Inner::Deferred(part)),
                None => self.when_known_part(ty, move |now| now.index(&key)),
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
            Inner::Early(now, _) => now.elements(),
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
            Inner::Early(now, _) => now.entries(),
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
        let is_set = self
            .as_known()
            .is_some_and(|value| matches!(plain(&value), Value::Set(_)));
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
        self.looped(&|_, value| part(value), splat)
    }

    /// `[for key, value in self : body]`.
    #[must_use]
    pub fn for_list<D: Into<Self>>(&self, body: impl Fn(Self, Self) -> D) -> Self {
        self.looped(&|key, value| Self::list([body(key, value)]), for_list)
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
        self.looped(&body, for_list)
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
        self.looped(&body, |collection, round| {
            rounds(collection, round, |parts| super::call("merge", parts))
        })
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
        self.looped(&body, |collection, round| {
            rounds(collection, round, |parts| super::call(GROUPS, parts))
        })
    }

    fn looped(&self, body: &dyn Fn(Self, Self) -> Self, walk: Walk) -> Self {
        match &self.0 {
            Inner::Deferred(deferred) => {
                let unknown = Self(Inner::Unknown(deferred.shape().clone()));
                match walk(&unknown, body) {
                    failed if failed.is_failed() => failed,
                    Self(Inner::Unknown(shape)) => self.later_looped(body, walk, shape),
                    // Its type says already how many rounds there are.
                    _ => walk(self, body),
                }
            }
            Inner::Early(now, later) => {
                let later = Self(Inner::Deferred(later.clone()));
                now.looped(body, walk)
                    .early_of(later.later_looped(body, walk, Shape::ANY))
            }
            _ => walk(self, body),
        }
    }

    fn later_looped(&self, body: &dyn Fn(Self, Self) -> Self, walk: Walk, shape: Shape) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = NEXT.fetch_add(2, Ordering::Relaxed);
        let [key, value] = [id, id + 1].map(|id| Self(Inner::Deferred(Deferred::round(id))));
        let value = value.with_type(&shape::element_of(&self.ty()));
        Self::later_loop(self, [id, id + 1], &body(key, value), shape, walk)
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
    fn each(&self) -> Result<Vec<(Self, Self)>, FunctionError> {
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

    /// A nested block for each key and value, as `dynamic` makes them; the blocks of a collection that the cloud decides are known with it.
    #[track_caller]
    pub fn blocks<B: BlockBuilder>(&self, block: impl Fn(Self, Self) -> B) -> Blocks<B> {
        match (&self.0, self.pairs()) {
            (Inner::Known(_) | Inner::List(_) | Inner::Map(_), Some(pairs)) => {
                let blocks = pairs.into_iter().map(|(key, value)| block(key, value));
                blocks.collect()
            }
            _ => Blocks::of_each(self.expr(), |key, value| block(key.into(), value.into())),
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
    let (value, default) = (value.into(), default.into());
    match &value.0 {
        Inner::Known(Value::Null) => default,
        Inner::Sensitive(of) => not_null(&**of, default).sensitive(),
        Inner::Early(..) | Inner::Deferred(_) if value.nullness() == Nullness::Possible => {
            let shape = Shape::never_null(value.ty());
            let both = [value, default];
            Dyn::when_known(&both, shape, |now| not_null(&now[0], &now[1]))
        }
        _ => value,
    }
}

/// How a loop goes through a collection, given what a round makes of a key and a value.
type Walk = fn(&Dyn, &dyn Fn(Dyn, Dyn) -> Dyn) -> Dyn;

fn for_list(collection: &Dyn, round: &dyn Fn(Dyn, Dyn) -> Dyn) -> Dyn {
    rounds(collection, round, |parts| super::call("concat", parts))
}

fn rounds(collection: &Dyn, round: &dyn Fn(Dyn, Dyn) -> Dyn, join: fn(Vec<Dyn>) -> Dyn) -> Dyn {
    match &collection.0 {
        Inner::Failed(_) => collection.clone(),
        Inner::Sensitive(of) => rounds(of, round, join).sensitive(),
        Inner::Unknown(shape) if is_single(&shape.ty) => {
            Dyn::failed(format!("`for` needs a collection, found a {}", shape.ty))
        }
        Inner::Unknown(_) => Dyn::UNKNOWN,
        Inner::Known(Value::Null) => Dyn::failed("`for` needs a collection, found null"),
        _ => match collection.pairs() {
            Some(pairs) => {
                let parts = pairs.into_iter().map(|(key, value)| round(key, value));
                join(parts.collect())
            }
            None => Dyn::failed("`for` needs a collection"),
        },
    }
}

fn splat(whole: &Dyn, part: &dyn Fn(Dyn, Dyn) -> Dyn) -> Dyn {
    match &whole.0 {
        Inner::Failed(_) => whole.clone(),
        Inner::Sensitive(of) => splat(of, part).sensitive(),
        Inner::Unknown(shape) => splat_of_unknown(whole, shape, part),
        Inner::Known(Value::Null) => Dyn::empty_list(),
        _ => {
            let elements = whole.elements().unwrap_or_else(|| vec![whole.clone()]);
            Dyn::list(elements.into_iter().map(|one| part(Dyn::NULL, one)))
        }
    }
}

/// What is not known is one of itself if it can be no list and no null.
fn splat_of_unknown(whole: &Dyn, shape: &Shape, part: &dyn Fn(Dyn, Dyn) -> Dyn) -> Dyn {
    let one = |ty: Type| part(Dyn::NULL, Dyn(Inner::Unknown(Shape::of(ty))));
    match &shape.ty {
        Type::Dynamic => Dyn::UNKNOWN,
        ty if shape::is_sequence(ty) => match one(shape::element_of(ty)) {
            failed if failed.is_failed() => failed,
            of => Dyn(Inner::Unknown(Shape::never_null(Type::list(of.ty())))),
        },
        _ if shape.is_null == Nullness::Never => Dyn::list([part(Dyn::NULL, whole.clone())]),
        ty => match one(ty.clone()) {
            failed if failed.is_failed() => failed,
            _ => Dyn::UNKNOWN,
        },
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
