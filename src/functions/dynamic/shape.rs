//! What is known of a value before the value is: its type, and whether it may be null.

use std::sync::Arc;

use terrane_core::value::Refinements;
use terrane_core::{Type, Value};

use super::conversions::{plain, text, whole};
use super::{Dyn, Inner};

/// What is known of a value before the value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// `Dynamic` where nothing says it.
    pub(super) ty: Type,
    pub(super) is_null: Nullness,
}

/// Whether a value that is not known yet may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nullness {
    /// It may be, or not.
    Possible,
    /// It has a value.
    Never,
}

impl Shape {
    /// Anything.
    pub(super) const ANY: Self = Self {
        ty: Type::Dynamic,
        is_null: Nullness::Possible,
    };

    /// A value of that type, or null.
    pub(super) fn of(ty: Type) -> Self {
        let is_null = Nullness::Possible;
        Self { ty, is_null }
    }

    /// A value of that type, which is not null.
    pub(super) fn never_null(ty: Type) -> Self {
        let is_null = Nullness::Never;
        Self { ty, is_null }
    }

    /// One of several values; each of them converts to the type of all.
    pub(super) fn of_one(values: &[&Dyn]) -> Self {
        let is_never = values.iter().all(|it| it.nullness() == Nullness::Never);
        let is_null = match is_never {
            true => Nullness::Never,
            false => Nullness::Possible,
        };
        let values = values.iter().filter(|it| !it.is_null());
        let mut types = values.map(|it| it.ty());
        let first = types.next().unwrap_or(Type::Dynamic);
        let ty = types.try_fold(first, |all, ty| {
            let are_known = !all.has_dynamic() && !ty.has_dynamic();
            are_known.then(|| all.unify(&ty)).flatten()
        });
        Self {
            ty: ty.unwrap_or(Type::Dynamic),
            is_null,
        }
    }
}

impl Nullness {
    /// What a provider says of an unknown value.
    pub(super) fn of(refinements: Option<&Arc<Refinements>>) -> Self {
        match refinements.and_then(|it| it.null) {
            Some(false) => Self::Never,
            _ => Self::Possible,
        }
    }
}

/// Whether it is a text, a number or a truth value.
pub(super) fn is_single(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Number | Type::Bool)
}

/// Whether it is a list, a set or a tuple.
pub(super) fn is_sequence(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

/// The types of the elements of a list, set, tuple, map or object, as far as it is one.
pub(super) fn elements_of(ty: &Type) -> Vec<Type> {
    match ty {
        Type::List(of) | Type::Set(of) | Type::Map(of) => vec![Type::clone(of)],
        Type::Tuple(types) => types.to_vec(),
        Type::Object(object) => object.attributes.values().cloned().collect(),
        _ => Vec::new(),
    }
}

/// The type of each of them, if it is one.
pub(super) fn element_of(ty: &Type) -> Type {
    let mut types = elements_of(ty).into_iter();
    let first = types.next().unwrap_or(Type::Dynamic);
    match types.all(|it| it == first) {
        true => first,
        false => Type::Dynamic,
    }
}

/// The type of a member; a value of that type may have none.
pub(super) fn member_of(ty: &Type, name: &str) -> Result<Type, String> {
    match ty {
        Type::Dynamic => Ok(Type::Dynamic),
        Type::Map(of) => Ok(Type::clone(of)),
        Type::Object(object) => {
            let missing = || format!("the value has no member `{name}`");
            object.attributes.get(name).cloned().ok_or_else(missing)
        }
        other => Err(format!("a {other} has no member `{name}`")),
    }
}

/// The type of what lies at a known place or key; a value of that type may have none.
pub(super) fn part_of(ty: &Type, key: &Value) -> Result<Type, String> {
    match ty {
        Type::List(of) => whole(key).map(|_| Type::clone(of)),
        Type::Tuple(types) => {
            let place = whole(key)?;
            let missing = || format!("the list has no element {place}; it has {}", types.len());
            types.get(place).cloned().ok_or_else(missing)
        }
        Type::Set(_) => Err("the elements of a set have no places".to_owned()),
        other => member_of(other, &text(key)?),
    }
}

/// Whether no value of one type equals one of the other. A list may be written as a tuple, and a map as an object.
pub(super) fn are_apart(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => false,
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() != b.len() || a.iter().zip(b.iter()).any(|(a, b)| are_apart(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            let (a, b) = (&a.attributes, &b.attributes);
            !a.keys().eq(b.keys()) || a.values().zip(b.values()).any(|(a, b)| are_apart(a, b))
        }
        _ if is_sequence(a) => !is_sequence(b),
        (Type::Map(_) | Type::Object(_), other) => !matches!(other, Type::Map(_) | Type::Object(_)),
        (a, b) => a != b,
    }
}

impl Dyn {
    /// What is not known in this evaluation.
    pub(crate) const UNKNOWN: Self = Self(Inner::Unknown(Shape::ANY));

    /// Whether it is known to be null.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.unwrapped().0, Inner::Known(Value::Null))
    }

    /// Whether it may be null, as far as anybody knows before it is known.
    pub(super) fn nullness(&self) -> Nullness {
        match &self.0 {
            Inner::Known(Value::Null) => Nullness::Possible,
            // A structure is never null, whatever its parts are.
            Inner::Known(_) | Inner::List(_) | Inner::Map(_) => Nullness::Never,
            Inner::Early(now, _) => now.nullness(),
            Inner::Deferred(deferred) => deferred.shape().is_null,
            Inner::Unknown(shape) => shape.is_null,
            Inner::Sensitive(of) => of.nullness(),
            Inner::Failed(_) => Nullness::Possible,
        }
    }

    /// Its type, as far as anybody knows before it is known.
    pub(super) fn ty(&self) -> Type {
        match &self.0 {
            Inner::Known(Value::Null) | Inner::Failed(_) => Type::Dynamic,
            Inner::Known(value) => plain(value).implied_type(),
            Inner::List(elements) => Type::Tuple(elements.iter().map(Self::ty).collect()),
            Inner::Map(members) => {
                let members = members.iter();
                Type::object(members.map(|(name, one)| (name.clone(), one.ty())))
            }
            Inner::Early(now, _) => now.ty(),
            Inner::Deferred(deferred) => deferred.shape().ty.clone(),
            Inner::Unknown(shape) => shape.ty.clone(),
            Inner::Sensitive(of) => of.ty(),
        }
    }

    /// This with the type that it is said to have, where nothing says more about what is not known of it.
    #[must_use]
    pub(super) fn with_type(self, ty: &Type) -> Self {
        if *ty == Type::Dynamic {
            return self;
        }
        match self.0 {
            Inner::Deferred(deferred) => Self(Inner::Deferred(deferred.with_type(ty))),
            Inner::Unknown(Shape {
                ty: Type::Dynamic,
                is_null,
            }) => {
                let ty = ty.clone();
                Self(Inner::Unknown(Shape { ty, is_null }))
            }
            Inner::Sensitive(of) => Self::clone(&of).with_type(ty).sensitive(),
            Inner::List(elements) if is_sequence(ty) => {
                let of = element_of(ty);
                let elements = elements.iter().cloned();
                Self::list(elements.map(|one| one.with_type(&of)))
            }
            Inner::Map(members) if matches!(ty, Type::Map(_)) => {
                let of = element_of(ty);
                let members = members.iter();
                let members = members.map(|(name, one)| (name.clone(), one.clone().with_type(&of)));
                Self::from_members(members.collect())
            }
            other => Self(other),
        }
    }
}
