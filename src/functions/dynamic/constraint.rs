//! Type constraints of variables: conversion, and the defaults of optional members.

use std::collections::BTreeMap;

use terrane_core::{Type, Value};

use super::conversions::plain;
use super::shape::{Nullness, Shape};
use super::{Dyn, Inner};

/// The type that a variable has: what HCL writes as `object({ name = string, size = optional(number, 1) })`.
#[derive(Debug, Clone)]
pub enum Constraint {
    /// `any`.
    Any,
    /// `string`.
    String,
    /// `number`.
    Number,
    /// `bool`.
    Bool,
    /// `list(…)`.
    List(Box<Self>),
    /// `set(…)`.
    Set(Box<Self>),
    /// `map(…)`.
    Map(Box<Self>),
    /// `tuple([…])`.
    Tuple(Vec<Self>),
    /// `object({…})`.
    Object(Vec<(&'static str, Self)>),
    /// `optional(…, default)`, inside an object.
    Optional(Box<Self>, Box<Dyn>),
}

impl Constraint {
    /// A list of that.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(self.into())
    }

    /// A set of that.
    #[must_use]
    pub fn set(self) -> Self {
        Self::Set(self.into())
    }

    /// A map of that.
    #[must_use]
    pub fn map(self) -> Self {
        Self::Map(self.into())
    }

    /// A member that may be missing, with what stands in for it.
    #[must_use]
    pub fn optional(self, default: impl Into<Dyn>) -> Self {
        Self::Optional(self.into(), Box::new(default.into()))
    }

    /// The value as that type.
    pub fn of(&self, value: impl Into<Dyn>) -> Dyn {
        self.convert(&value.into())
    }

    fn convert(&self, value: &Dyn) -> Dyn {
        let is_null = matches!(&value.0, Inner::Known(known) if known.is_null());
        if value.is_failed() || is_null && !matches!(self, Self::Optional(..)) {
            return value.clone();
        }
        match &value.0 {
            Inner::Sensitive(of) => return self.convert(of).sensitive(),
            Inner::Early(now, later) => {
                let later = Dyn(Inner::Deferred(later.clone()));
                return self.convert(now).early_of(self.convert(&later));
            }
            Inner::Unknown(_) => return value.clone().with_type(&self.ty()),
            _ => {}
        }
        match self {
            Self::Any => value.clone(),
            Self::String => primitive(value, &Type::String),
            Self::Number => primitive(value, &Type::Number),
            Self::Bool => primitive(value, &Type::Bool),
            Self::List(of) => match value.elements() {
                Some(all) => Dyn::list(all.iter().map(|one| of.convert(one))),
                None => self.later(value),
            },
            Self::Set(of) => match value.elements() {
                Some(all) => {
                    super::call("toset", [Dyn::list(all.iter().map(|one| of.convert(one)))])
                }
                None => self.later(value),
            },
            Self::Map(of) => match value.entries() {
                Some(all) => Dyn::object(all.into_iter().map(|(key, one)| (key, of.convert(&one)))),
                None => self.later(value),
            },
            Self::Tuple(types) => match value.elements() {
                Some(all) => Dyn::list(types.iter().zip(all).map(|(ty, one)| ty.convert(&one))),
                None => self.later(value),
            },
            Self::Object(types) => match value.entries() {
                Some(all) => {
                    let all: BTreeMap<_, _> = all.into_iter().collect();
                    let member = |(name, ty): &(&'static str, Self)| match (all.get(*name), ty) {
                        (Some(one), ty) => (*name, ty.convert(one)),
                        (None, Self::Optional(..)) => (*name, ty.convert(&Dyn::NULL)),
                        (None, _) => (
                            *name,
                            Dyn::failed(format!("the object lacks its member `{name}`")),
                        ),
                    };
                    Dyn::object(types.iter().map(member))
                }
                None => self.later(value),
            },
            Self::Optional(ty, default) => match is_null {
                true => ty.convert(default),
                // It may become null, and then the default counts.
                false
                    if !matches!(default.0, Inner::Known(Value::Null))
                        && value.nullness() == Nullness::Possible =>
                {
                    self.later(value)
                }
                false => ty.convert(value),
            },
        }
    }

    /// The type of the values that it lets through.
    fn ty(&self) -> Type {
        match self {
            Self::Any => Type::Dynamic,
            Self::String => Type::String,
            Self::Number => Type::Number,
            Self::Bool => Type::Bool,
            Self::List(of) => Type::list(of.ty()),
            Self::Set(of) => Type::set(of.ty()),
            Self::Map(of) => Type::map(of.ty()),
            Self::Tuple(types) => Type::Tuple(types.iter().map(Self::ty).collect()),
            Self::Object(types) => Type::object(types.iter().map(|(name, ty)| (*name, ty.ty()))),
            Self::Optional(of, _) => of.ty(),
        }
    }

    /// The conversion of a structure that the cloud decides.
    fn later(&self, value: &Dyn) -> Dyn {
        match &value.0 {
            Inner::Deferred(_) => {
                let ty = self.clone();
                let whole = std::slice::from_ref(value);
                let shape = Shape {
                    ty: self.ty(),
                    is_null: value.nullness(),
                };
                Dyn::when_known(whole, shape, move |now| ty.convert(&now[0]))
            }
            Inner::Known(known) => Dyn::failed(format!(
                "{} does not have the type of the variable",
                known.kind()
            )),
            _ => Dyn::failed("the value does not have the type of the variable"),
        }
    }
}

fn primitive(value: &Dyn, ty: &Type) -> Dyn {
    match &value.0 {
        Inner::Known(known) => match plain(known).convert(ty) {
            Ok(Value::Dynamic(dynamic)) => dynamic.1.clone().into(),
            Ok(value) => value.into(),
            Err(error) => Dyn::failed(format!("the value cannot be converted: {error}")),
        },
        // Converted where it is used, as its schema says.
        _ => value.clone().with_type(ty),
    }
}
