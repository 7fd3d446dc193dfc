//! What becomes a dynamic value, and what one becomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use terrane_core::value::Number;
use terrane_core::{
    Expr, FromValue, Input, IntoExpr, IntoValue, Output, Path, Resource, Secret, Type, Value,
};

use super::deferred::Deferred;
use super::{Dyn, Inner};

impl From<Expr> for Dyn {
    fn from(expr: Expr) -> Self {
        match expr {
            Expr::Literal(value) => Self(Inner::Known(value)),
            Expr::List(elements) => Self::list(elements.iter().cloned().map(Self::from)),
            Expr::Map(members) => {
                let members = members.iter();
                Self::object(members.map(|(key, one)| (key.clone(), Self::from(one.clone()))))
            }
            Expr::Sensitive(inner) => Self::from(Expr::clone(&inner)).sensitive(),
            Expr::Secret(_) => Self(Inner::Deferred(Deferred::plain(expr))).sensitive(),
            other => {
                let planned = other.planned();
                let later = Deferred::plain(other);
                match planned {
                    Some(now) => Self::part_of(&now, &Path::root(), &Path::root()).before(later),
                    None => Self(Inner::Deferred(later)),
                }
            }
        }
    }
}

impl<T: FromValue> From<Output<T>> for Dyn {
    fn from(output: Output<T>) -> Self {
        Self::from(output.into_expr()).with_type(&T::value_type())
    }
}

/// What a reference to it gives as a dynamic value.
pub trait AsDyn {
    /// The value.
    fn as_dyn(&self) -> Dyn;
}

impl<T: AsDyn + ?Sized> From<&T> for Dyn {
    fn from(value: &T) -> Self {
        value.as_dyn()
    }
}

impl<T: AsDyn + ?Sized> AsDyn for &T {
    fn as_dyn(&self) -> Dyn {
        (**self).as_dyn()
    }
}

impl AsDyn for Dyn {
    fn as_dyn(&self) -> Dyn {
        self.clone()
    }
}

impl AsDyn for str {
    fn as_dyn(&self) -> Dyn {
        Dyn(Inner::Known(self.into_value()))
    }
}

impl<T: FromValue> AsDyn for Output<T> {
    fn as_dyn(&self) -> Dyn {
        self.clone().into()
    }
}

impl<T: FromValue> AsDyn for Secret<T> {
    fn as_dyn(&self) -> Dyn {
        self.output().into()
    }
}

macro_rules! literals {
    ($($literal:ty),* $(,)?) => {
        $(impl From<$literal> for Dyn {
            fn from(literal: $literal) -> Self {
                Self(Inner::Known(literal.into_value()))
            }
        }

        impl AsDyn for $literal {
            fn as_dyn(&self) -> Dyn {
                Dyn(Inner::Known(self.clone().into_value()))
            }
        })*
    };
}
literals!(String, bool, u32, u64, usize, i32, i64, f64, Number, Value);

impl<D: AsDyn> AsDyn for Option<D> {
    fn as_dyn(&self) -> Dyn {
        self.as_ref().map_or(Dyn::NULL, AsDyn::as_dyn)
    }
}

impl<D: Into<Self>> From<Option<D>> for Dyn {
    fn from(option: Option<D>) -> Self {
        option.map_or(Self::NULL, Into::into)
    }
}

impl<D: AsDyn> AsDyn for [D] {
    fn as_dyn(&self) -> Dyn {
        Dyn::list(self.iter().map(AsDyn::as_dyn))
    }
}

impl<D: AsDyn, const N: usize> AsDyn for [D; N] {
    fn as_dyn(&self) -> Dyn {
        Dyn::list(self.iter().map(AsDyn::as_dyn))
    }
}

impl<D: AsDyn> AsDyn for Vec<D> {
    fn as_dyn(&self) -> Dyn {
        Dyn::list(self.iter().map(AsDyn::as_dyn))
    }
}

impl<D: Into<Self>> From<Vec<D>> for Dyn {
    fn from(elements: Vec<D>) -> Self {
        Self::list(elements)
    }
}

impl<D: Into<Self>, const N: usize> From<[D; N]> for Dyn {
    fn from(elements: [D; N]) -> Self {
        Self::list(elements)
    }
}

impl<D: AsDyn> AsDyn for BTreeSet<D> {
    fn as_dyn(&self) -> Dyn {
        super::call("toset", [Dyn::list(self.iter().map(AsDyn::as_dyn))])
    }
}

impl<D: Into<Self>> From<BTreeSet<D>> for Dyn {
    fn from(elements: BTreeSet<D>) -> Self {
        super::call("toset", [Self::list(elements)])
    }
}

impl<D: AsDyn> AsDyn for BTreeMap<String, D> {
    fn as_dyn(&self) -> Dyn {
        Dyn::object(self.iter().map(|(key, one)| (key.as_str(), one.as_dyn())))
    }
}

impl<D: Into<Self>> From<BTreeMap<String, D>> for Dyn {
    fn from(members: BTreeMap<String, D>) -> Self {
        Self::object(members)
    }
}

impl Dyn {
    /// The whole object of a resource.
    pub fn resource(resource: &impl AsRef<Resource>) -> Self {
        let whole: Output<Value> = resource.as_ref().at(Path::root());
        whole.into()
    }

    /// The objects of a resource with `count`.
    pub fn resources<'a, R: AsRef<Resource> + 'a>(all: impl IntoIterator<Item = &'a R>) -> Self {
        let all: Vec<Self> = all.into_iter().map(Self::resource).collect();
        Self::list(all)
    }

    /// The objects of a resource with `for_each`.
    pub fn resource_map<R: AsRef<Resource>>(all: &BTreeMap<String, R>) -> Self {
        Self::object(
            all.iter()
                .map(|(key, one)| (key.as_str(), Self::resource(one))),
        )
    }
}

impl IntoExpr for Dyn {
    fn into_expr(self) -> Expr {
        self.expr()
    }
}

impl<T> From<Dyn> for Input<T> {
    fn from(value: Dyn) -> Self {
        Self::new(value.expr())
    }
}

impl<T> From<&Dyn> for Input<T> {
    fn from(value: &Dyn) -> Self {
        Self::new(value.expr())
    }
}

impl<'de> Deserialize<'de> for Dyn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(Inner::Known(json.into())))
    }
}

/// The text of a string, number or bool.
pub(super) fn text(value: &Value) -> Result<String, String> {
    match value.convert(&Type::String) {
        Ok(Value::String(text)) => Ok(text.to_string()),
        _ => Err(format!("needs a text, found {}", value.kind())),
    }
}

/// The number that a value is, or that its text says.
pub(super) fn number(value: &Value) -> Result<Number, String> {
    match value.convert(&Type::Number) {
        Ok(Value::Number(number)) => Ok(number),
        _ => Err(format!("needs a number, found {}", value.kind())),
    }
}

/// The truth value.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match value.convert(&Type::Bool) {
        Ok(Value::Bool(truth)) => Ok(truth),
        _ => Err(format!("needs true or false, found {}", value.kind())),
    }
}

/// A whole number from 0.
pub(super) fn whole(value: &Value) -> Result<usize, String> {
    let number = number(value)?;
    let whole = number
        .as_i64()
        .and_then(|number| usize::try_from(number).ok());
    whole.ok_or_else(|| format!("needs a whole number from 0, found {number}"))
}

/// The plain value under its dynamic wrapper.
pub(super) fn plain(value: &Value) -> &Value {
    match value {
        Value::Dynamic(dynamic) => plain(&dynamic.1),
        other => other,
    }
}

/// The members of a map, by name.
pub(super) fn members(value: &Value) -> Option<Vec<(Arc<str>, Value)>> {
    let members = plain(value).members()?;
    Some(
        members
            .iter()
            .map(|(key, one)| (key.clone(), one.clone()))
            .collect(),
    )
}
