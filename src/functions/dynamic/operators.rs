//! HCL's operators, conditions and templates.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};
use std::sync::Arc;

use terrane_core::{Type, Value};

use super::conversions::{number, plain, text, truth};
use super::shape::{self, Nullness, Shape};
use super::signatures::Takes;
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
            let shape = Shape::of_one(&[&then, &otherwise]);
            let all = [condition.clone(), then, otherwise];
            Dyn::when_known(&all, shape, |now| {
                chosen(&now[0], now[1].clone(), now[2].clone())
            })
        }
    }
}

/// Whether two values are equal, where that is known although they are not: one is null and the other will never be, or they are of types
/// that have no value in common.
fn decided_early([one, other]: &[Dyn; 2]) -> Option<bool> {
    let is_never = |it: &Dyn| it.nullness() == Nullness::Never;
    let is_null_and_never = one.is_null() && is_never(other) || other.is_null() && is_never(one);
    let are_known = || one.is_wholly_known() && other.is_wholly_known();
    let are_apart = || !are_known() && shape::are_apart(&one.ty(), &other.ty());
    (is_null_and_never || are_apart()).then_some(false)
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
        _ => Dyn(Inner::Unknown(Shape::of_one(&[then, otherwise]))),
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
        let now = beside(&chosen, &other.ty());
        let shape = Shape::of_one(&[&chosen, &other]);
        let later = Dyn::when_known(&[chosen, other], shape, |now| {
            of_both(now[0].clone(), now[1].clone())
        });
        return now.early_of(later);
    }
    if let Inner::Sensitive(other) = &other.0 {
        return of_both(chosen, Dyn::clone(other)).sensitive();
    }
    match &chosen.0 {
        Inner::Sensitive(chosen) => of_both(Dyn::clone(chosen), other).sensitive(),
        _ => beside(&chosen, &other.ty()),
    }
}

/// The value as it is where another of that type may stand in its place.
pub(super) fn beside(value: &Dyn, other: &Type) -> Dyn {
    let has_text = |own: &[&Dyn], others: &[Type]| {
        let mut own = own.iter().map(|it| it.ty());
        own.any(|ty| ty == Type::String) || others.contains(&Type::String)
    };
    let all_text = |is_text: bool| if is_text { Type::String } else { Type::Dynamic };
    match &value.0 {
        Inner::Sensitive(of) => return beside(of, other).sensitive(),
        Inner::Known(one) => match (plain(one), other) {
            (Value::Number(_) | Value::Bool(_), Type::String) => {
                return text(one).map_or_else(|_| value.clone(), Dyn::from);
            }
            (Value::List(_) | Value::Map(_), _) => {}
            _ => return value.clone(),
        },
        Inner::List(_) | Inner::Map(_) => {}
        _ => return value.clone(),
    }
    match (value.elements(), value.entries(), other) {
        (Some(list), _, Type::Tuple(types)) if list.len() == types.len() => {
            let pairs = list.iter().zip(types.iter());
            Dyn::list(pairs.map(|(one, ty)| beside(one, ty)))
        }
        (Some(list), _, ty) if shape::is_sequence(ty) => {
            let own: Vec<&Dyn> = list.iter().collect();
            let ty = all_text(has_text(&own, &shape::elements_of(ty)));
            Dyn::list(list.iter().map(|one| beside(one, &ty)))
        }
        (_, Some(members), Type::Object(_) | Type::Map(_)) => {
            let own: Vec<&Dyn> = members.iter().map(|(_, one)| one).collect();
            let names = members.iter().map(|(name, _)| name);
            let (of_all, others) = match other {
                Type::Object(object) if names.eq(object.attributes.keys()) => {
                    (Type::Dynamic, Some(&object.attributes))
                }
                Type::Object(object) => {
                    let is_text = has_text(&own, &shape::elements_of(other));
                    (all_text(is_text), (!is_text).then_some(&object.attributes))
                }
                _ => (all_text(has_text(&own, &shape::elements_of(other))), None),
            };
            let member = |(name, one): &(Arc<str>, Dyn)| {
                let ty = others.and_then(|others| others.get(name));
                (name.clone(), beside(one, ty.unwrap_or(&of_all)))
            };
            Dyn::object(members.iter().map(member))
        }
        _ => value.clone(),
    }
}

/// A template: the texts of its parts in a row.
pub fn join_texts(parts: impl IntoIterator<Item = Dyn>) -> Dyn {
    let parts: Vec<Dyn> = parts.into_iter().collect();
    Dyn::of_known(&parts, Type::String, |values| {
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
    Dyn::of_known(std::slice::from_ref(texts), Type::String, |values| {
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
                let both = [self, other.into()];
                Self::of_operands(&both, Takes::Number, Type::Number, |values| {
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
        Self::of_operands(&[self], Takes::Truth, Type::Bool, |values| {
            Ok((!truth(&values[0])?).into())
        })
    }
}

impl Dyn {
    /// What an operator that gives values of that type makes of its operands.
    fn of_operands(
        operands: &[Self],
        takes: Takes,
        ty: Type,
        function: impl Fn(&[Value]) -> Result<Value, String> + Clone + Send + Sync + 'static,
    ) -> Self {
        match operands.iter().try_for_each(|it| takes.check(it)) {
            Ok(()) => Self::of_known(operands, ty, function),
            Err(reason) => Self::failed(format!("the operator {reason}")),
        }
    }

    /// `self == other`.
    #[must_use]
    pub fn equals(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        let both = [self.clone(), other];
        if both.iter().any(Self::is_deferred) && !both.iter().any(Self::is_failed) {
            let shape = Shape::never_null(Type::Bool);
            let later = Self::when_known(&both, shape, |now| now[0].equals(&now[1]));
            return match decided_early(&both) {
                Some(equal) => Self::from(equal).early_of(later),
                None => later,
            };
        }
        match decided_early(&both) {
            Some(equal) => Self::unmarked(&both, |_| equal.into()),
            None => Self::of_known(&both, Type::Bool, |values| {
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
        let both = [self.clone(), other];
        Self::of_operands(&both, Takes::Number, Type::Bool, move |values| {
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
            _ => {
                let both = [self.clone(), other().into()];
                Self::of_operands(&both, Takes::Truth, Type::Bool, move |values| {
                    let (a, b) = (truth(&values[0])?, truth(&values[1])?);
                    Ok(if decides { a || b } else { a && b }.into())
                })
            }
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
            return Dyn::of_operands(&[other], Takes::Truth, Type::Bool, |values| {
                Ok(truth(&values[0])?.into())
            });
        }
        // What is wrong with the other side does not matter, but what is not known or not to be shown does.
        match other.0 {
            Inner::Unknown(_) => Dyn(Inner::Unknown(Shape::never_null(Type::Bool))),
            Inner::Sensitive(other) => self.with_other(decides, Dyn::clone(&other)).sensitive(),
            Inner::Early(..) | Inner::Deferred(_) => {
                let shape = Shape::never_null(Type::Bool);
                let later = Dyn::when_known(&[other], shape, move |now| {
                    self.with_other(decides, now[0].clone())
                });
                Dyn::from(self).early_of(later)
            }
            _ => self.into(),
        }
    }
}
