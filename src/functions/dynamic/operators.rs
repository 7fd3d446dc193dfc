//! HCL's operators, conditions and templates.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};

use terrane_core::Value;

use super::conversions::{number, plain, text, truth};
use super::{Dyn, Inner, exact};

/// `condition ? then : otherwise`; only the side that counts is made, if the condition is known.
pub fn choose<A: Into<Dyn>, B: Into<Dyn>>(
    condition: impl Into<Dyn>,
    then: impl FnOnce() -> A,
    otherwise: impl FnOnce() -> B,
) -> Dyn {
    let condition = condition.into();
    match &condition.0 {
        Inner::Failed(_) => condition,
        Inner::Known(known) => match truth(known) {
            Ok(true) => of_both(then().into(), || otherwise().into()),
            Ok(false) => of_both(otherwise().into(), || then().into()),
            Err(reason) => Dyn::failed(reason),
        },
        _ => {
            let all = vec![condition, then().into(), otherwise().into()];
            Dyn::defer(all, |values| {
                Ok(values[if truth(&values[0])? { 1 } else { 2 }].clone())
            })
        }
    }
}

/// The side that counts, with the type of both: a number beside a text is a text.
fn of_both(chosen: Dyn, other: impl FnOnce() -> Dyn) -> Dyn {
    let Inner::Known(value) = &chosen.0 else {
        return chosen;
    };
    // No other side turns a text into something else, or nothing into something.
    if matches!(plain(value), Value::String(_) | Value::Null) {
        return chosen;
    }
    match other().0 {
        Inner::Known(other) => Dyn(Inner::Known(beside(value, &other))),
        _ => chosen,
    }
}

/// The value as it is where another may stand in its place.
fn beside(value: &Value, other: &Value) -> Value {
    let is_text = |one: &Value| matches!(plain(one), Value::String(_));
    let as_text = |one: &Value| match plain(one) {
        Value::Number(_) | Value::Bool(_) => text(one).map_or_else(|_| one.clone(), Value::from),
        _ => one.clone(),
    };
    match (plain(value), plain(other)) {
        (one @ (Value::Number(_) | Value::Bool(_)), Value::String(_)) => as_text(one),
        (Value::List(list), Value::List(others)) if list.len() == others.len() => {
            let pairs = list.iter().zip(others.iter());
            Value::list(pairs.map(|(one, other)| beside(one, other)).collect())
        }
        (Value::List(list), Value::List(others)) => {
            match list.iter().chain(others.iter()).any(is_text) {
                true => Value::list(list.iter().map(as_text).collect()),
                false => value.clone(),
            }
        }
        (Value::Map(map), Value::Map(others)) => {
            let are_alike =
                map.len() == others.len() && map.keys().all(|key| others.contains_key(key));
            let has_text = !are_alike && map.values().chain(others.values()).any(is_text);
            Value::map(map.iter().map(|(key, one)| {
                let one = match (others.get(key), has_text) {
                    (Some(other), false) => beside(one, other),
                    (None, false) => one.clone(),
                    (_, true) => as_text(one),
                };
                (key.clone(), one)
            }))
        }
        _ => value.clone(),
    }
}

/// A template: the texts of its parts in a row.
pub fn join_texts(parts: impl IntoIterator<Item = Dyn>) -> Dyn {
    Dyn::defer(parts.into_iter().collect(), |values| {
        let texts: Result<String, String> = values.iter().map(text).collect();
        Ok(texts?.into())
    })
}

/// The texts of a list in a row: a loop in a template.
pub fn join_list(texts: &Dyn) -> Dyn {
    Dyn::defer(vec![texts.clone()], |values| {
        let texts = plain(&values[0]).elements().unwrap_or_default();
        let texts: Result<String, String> = texts.iter().map(text).collect();
        Ok(texts?.into())
    })
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $of:path;)*) => {
        $(impl<D: Into<Dyn>> $operator<D> for Dyn {
            type Output = Self;

            fn $method(self, other: D) -> Self {
                Self::defer(vec![self, other.into()], |values| {
                    Ok($of(&number(&values[0])?, &number(&values[1])?)?.into())
                })
            }
        })*
    };
}
arithmetic! {
    Add add exact::sum;
    Sub sub exact::difference;
    Mul mul exact::product;
    Div div exact::quotient;
    Rem rem exact::remainder;
}

impl Neg for Dyn {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from(0_i64) - self
    }
}

impl Not for Dyn {
    type Output = Self;

    fn not(self) -> Self {
        Self::defer(vec![self], |values| Ok((!truth(&values[0])?).into()))
    }
}

impl Dyn {
    /// `self == other`.
    #[must_use]
    pub fn equals(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        // A structure is never null, whatever its parts are.
        let null = |one: &Self| matches!(one.0, Inner::Known(Value::Null));
        let structure = |one: &Self| matches!(one.0, Inner::List(_) | Inner::Map(_));
        if null(self) && structure(&other) || null(&other) && structure(self) {
            return false.into();
        }
        Self::defer(vec![self.clone(), other], |values| {
            Ok((plain(&values[0]) == plain(&values[1])).into())
        })
    }

    /// `self != other`.
    #[must_use]
    pub fn differs(&self, other: impl Into<Self>) -> Self {
        !self.equals(other)
    }

    fn compared(&self, other: Self, wanted: fn(Ordering) -> bool) -> Self {
        Self::defer(vec![self.clone(), other], move |values| {
            let (a, b) = (number(&values[0])?, number(&values[1])?);
            Ok(wanted(exact::order(&a, &b)?).into())
        })
    }

    /// `self < other`.
    #[must_use]
    pub fn less(&self, other: impl Into<Self>) -> Self {
        self.compared(other.into(), Ordering::is_lt)
    }

    /// `self <= other`.
    #[must_use]
    pub fn at_most(&self, other: impl Into<Self>) -> Self {
        self.compared(other.into(), Ordering::is_le)
    }

    /// `self > other`.
    #[must_use]
    pub fn greater(&self, other: impl Into<Self>) -> Self {
        self.compared(other.into(), Ordering::is_gt)
    }

    /// `self >= other`.
    #[must_use]
    pub fn at_least(&self, other: impl Into<Self>) -> Self {
        self.compared(other.into(), Ordering::is_ge)
    }

    /// `self && other`; Terraform does not look at the other side where this one decides.
    #[must_use]
    pub fn and<D: Into<Self>>(&self, other: impl FnOnce() -> D) -> Self {
        self.decided_by(false, other)
    }

    /// `self || other`.
    #[must_use]
    pub fn or<D: Into<Self>>(&self, other: impl FnOnce() -> D) -> Self {
        self.decided_by(true, other)
    }

    fn decided_by<D: Into<Self>>(&self, decides: bool, other: impl FnOnce() -> D) -> Self {
        match &self.0 {
            Inner::Failed(_) => self.clone(),
            Inner::Known(known) => match truth(known) {
                Ok(value) if value == decides => value.into(),
                Ok(_) => {
                    let other = other().into();
                    Self::defer(vec![other], |values| Ok(truth(&values[0])?.into()))
                }
                Err(reason) => Self::failed(reason),
            },
            _ => {
                let other = other().into();
                if let Inner::Known(known) = &other.0
                    && truth(known) == Ok(decides)
                {
                    return decides.into();
                }
                Self::defer(vec![self.clone(), other], move |values| {
                    let (a, b) = (truth(&values[0])?, truth(&values[1])?);
                    Ok(if decides { a || b } else { a && b }.into())
                })
            }
        }
    }
}
