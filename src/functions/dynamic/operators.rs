//! HCL's operators, conditions and templates.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};

use terrane_core::Value;
use terrane_core::value::Number;

use super::conversions::{number, plain, text, truth};
use super::{Dyn, Inner};

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
            Ok(true) => then().into(),
            Ok(false) => otherwise().into(),
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

/// A template: the texts of its parts in a row.
pub fn join_texts(parts: impl IntoIterator<Item = Dyn>) -> Dyn {
    Dyn::defer(parts.into_iter().collect(), |values| {
        let texts: Result<String, String> = values.iter().map(text).collect();
        Ok(texts?.into())
    })
}

fn calculated(
    name: &'static str,
    a: &Number,
    b: &Number,
    whole: fn(i64, i64) -> Option<i64>,
    broken: fn(f64, f64) -> f64,
) -> Result<Value, String> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64())
        && let Some(result) = whole(a, b)
    {
        return Ok(result.into());
    }
    let result = broken(a.to_f64(), b.to_f64());
    let rounded: Option<Number> = result.to_string().parse().ok();
    rounded
        .map(Value::from)
        .ok_or_else(|| format!("`{name}` has no result"))
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $name:literal $whole:expr, $broken:expr;)*) => {
        $(impl<D: Into<Dyn>> $operator<D> for Dyn {
            type Output = Self;

            fn $method(self, other: D) -> Self {
                Self::defer(vec![self, other.into()], |values| {
                    let (a, b) = (number(&values[0])?, number(&values[1])?);
                    calculated($name, &a, &b, $whole, $broken)
                })
            }
        })*
    };
}
arithmetic! {
    Add add "+" i64::checked_add, |a, b| a + b;
    Sub sub "-" i64::checked_sub, |a, b| a - b;
    Mul mul "*" i64::checked_mul, |a, b| a * b;
    Div div "/" |a, b| (b != 0 && a % b == 0).then(|| a / b), |a, b| a / b;
    Rem rem "%" i64::checked_rem, |a, b| a % b;
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
            let order = match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.to_f64().total_cmp(&b.to_f64()),
            };
            Ok(wanted(order).into())
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
