//! HCL's operators, conditions and templates.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};

use terrane_core::Value;

use super::conversions::{number, plain, text, truth};
use super::deferred::Nullness;
use super::{Dyn, Inner, exact};

/// `condition ? then : otherwise`; a fault of the side that does not count is none.
pub fn choose<A: Into<Dyn>, B: Into<Dyn>>(
    condition: impl Into<Dyn>,
    then: impl FnOnce() -> A,
    otherwise: impl FnOnce() -> B,
) -> Dyn {
    chosen(&condition.into(), then().into(), otherwise().into())
}

fn chosen(condition: &Dyn, then: Dyn, otherwise: Dyn) -> Dyn {
    match &condition.0 {
        Inner::Failed(_) => condition.clone(),
        Inner::Known(known) => match truth(known) {
            Ok(true) => of_both(then, otherwise),
            Ok(false) => of_both(otherwise, then),
            Err(reason) => Dyn::failed(reason),
        },
        Inner::Sensitive(of) => chosen(of, then, otherwise).sensitive(),
        Inner::Unknown(_) => undecided(&then, &otherwise),
        _ => {
            let is_null = nullness_of_both(&then, &otherwise);
            let all = [condition.clone(), then, otherwise];
            Dyn::when_known(&all, is_null, |now| {
                chosen(&now[0], now[1].clone(), now[2].clone())
            })
        }
    }
}

/// Whether two values are equal, where that is known as one is null and the other will never be.
fn decided_by_null([one, other]: &[Dyn; 2]) -> Option<bool> {
    let is_null = |it: &Dyn| matches!(it.unwrapped().0, Inner::Known(Value::Null));
    let is_never = |it: &Dyn| it.nullness() == Nullness::Never;
    (is_null(one) && is_never(other) || is_null(other) && is_never(one)).then_some(false)
}

fn nullness_of_both(one: &Dyn, other: &Dyn) -> Nullness {
    match (one.nullness(), other.nullness()) {
        (Nullness::Never, Nullness::Never) => Nullness::Never,
        _ => Nullness::Possible,
    }
}

/// One of the two, as long as nobody knows which.
fn undecided(then: &Dyn, otherwise: &Dyn) -> Dyn {
    let is_sensitive = [then, otherwise].map(|side| matches!(side.0, Inner::Sensitive(_)));
    let one = match (&then.unwrapped().0, &otherwise.unwrapped().0) {
        // Of what both sides have in common, Terraform knows a number.
        (Inner::Known(one), Inner::Known(other))
            if one == other && matches!(plain(one), Value::Number(_) | Value::Null) =>
        {
            Dyn(Inner::Known(one.clone()))
        }
        _ => Dyn(Inner::Unknown(nullness_of_both(then, otherwise))),
    };
    match is_sensitive.contains(&true) {
        true => one.sensitive(),
        false => one,
    }
}

/// The side that counts, with the type of both: a number beside a text is a text. It is as sensitive as each of them.
fn of_both(chosen: Dyn, other: Dyn) -> Dyn {
    if chosen.is_failed() {
        return chosen;
    }
    if matches!(other.0, Inner::Early(..) | Inner::Deferred(_)) {
        let is_null = chosen.nullness();
        let both = [chosen.clone(), other];
        let later = Dyn::when_known(&both, is_null, |now| {
            of_both(now[0].clone(), now[1].clone())
        });
        return chosen.early_of(later);
    }
    if let Inner::Sensitive(other) = &other.0 {
        return of_both(chosen, Dyn::clone(other)).sensitive();
    }
    match (&chosen.0, &other.0) {
        (Inner::Sensitive(chosen), _) => of_both(Dyn::clone(chosen), other).sensitive(),
        (Inner::Known(one), Inner::Known(other)) => Dyn(Inner::Known(beside(one, other))),
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
    let parts: Vec<Dyn> = parts.into_iter().collect();
    Dyn::of_known(&parts, |values| {
        let texts: Result<String, String> = values.iter().map(text).collect();
        Ok(texts?.into())
    })
}

/// The template at a path that the run decides; `templates` has the program's own, each by its path.
pub fn templatefile(path: impl Into<Dyn>, templates: impl FnOnce(&str) -> Option<Dyn>) -> Dyn {
    let path = match path.into().text() {
        Ok(path) => path,
        Err(error) => return Dyn::failed(format!("the path of a template: {error}")),
    };
    templates(&path).unwrap_or_else(|| {
        Dyn::failed(format!(
            "the program was converted without a template {path}"
        ))
    })
}

/// The texts of a list in a row: a loop in a template.
pub fn join_list(texts: &Dyn) -> Dyn {
    Dyn::of_known(std::slice::from_ref(texts), |values| {
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
                Self::of_known(&[self, other.into()], |values| {
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
        Self::of_known(&[self], |values| Ok((!truth(&values[0])?).into()))
    }
}

impl Dyn {
    /// `self == other`.
    #[must_use]
    pub fn equals(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        let both = [self.clone(), other];
        if both.iter().any(Self::is_deferred) && !both.iter().any(Self::is_failed) {
            let later = Self::when_known(&both, Nullness::Never, |now| now[0].equals(&now[1]));
            return match decided_by_null(&both) {
                Some(equal) => Self::from(equal).early_of(later),
                None => later,
            };
        }
        match decided_by_null(&both) {
            Some(equal) => Self::unmarked(&both, |_| equal.into()),
            None => Self::of_known(&both, |values| {
                Ok((plain(&values[0]) == plain(&values[1])).into())
            }),
        }
    }

    /// `self != other`.
    #[must_use]
    pub fn differs(&self, other: impl Into<Self>) -> Self {
        !self.equals(other)
    }

    fn compared(&self, other: Self, wanted: fn(Ordering) -> bool) -> Self {
        Self::of_known(&[self.clone(), other], move |values| {
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
            Inner::Sensitive(of) => of.decided_by(decides, other).sensitive(),
            Inner::Known(known) => match truth(known) {
                Ok(value) => value.with_other(decides, other().into()),
                Err(reason) => Self::failed(reason),
            },
            _ => Self::of_known(&[self.clone(), other().into()], move |values| {
                let (a, b) = (truth(&values[0])?, truth(&values[1])?);
                Ok(if decides { a || b } else { a && b }.into())
            }),
        }
    }
}

/// One side of `&&` or `||`.
trait Side {
    /// What it makes with the other side, where one of them being `decides` is enough.
    fn with_other(self, decides: bool, other: Dyn) -> Dyn;
}

impl Side for bool {
    fn with_other(self, decides: bool, other: Dyn) -> Dyn {
        if self != decides {
            return Dyn::of_known(&[other], |values| Ok(truth(&values[0])?.into()));
        }
        // What is wrong with the other side does not matter, but what is not known or not to be shown does.
        match other.0 {
            Inner::Unknown(_) => Dyn(Inner::Unknown(Nullness::Never)),
            Inner::Sensitive(other) => self.with_other(decides, Dyn::clone(&other)).sensitive(),
            Inner::Early(..) | Inner::Deferred(_) => {
                let later = Dyn::when_known(&[other], Nullness::Never, move |now| {
                    self.with_other(decides, now[0].clone())
                });
                Dyn::from(self).early_of(later)
            }
            _ => self.into(),
        }
    }
}
