//! Values that an argument accepts: a literal, an output, or a collection of both.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::expr::Expr;
use crate::output::Output;
use crate::typed::IntoValue;
use crate::value::{Number, Value};

/// An argument of type `T`: a literal or an output. Setters take [`IntoInput<T>`], so both pass as they are.
pub struct Input<T> {
    expr: Expr,
    marker: PhantomData<fn() -> T>,
}

impl<T> Input<T> {
    /// A typed argument from an expression; for generated bindings.
    pub fn new(expr: Expr) -> Self {
        Self {
            expr,
            marker: PhantomData,
        }
    }

    /// The expression.
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

/// Whatever converts into [`Input<T>`]: the bound of typed setters.
///
/// It says no more than `Into<Input<T>>`, which components of your own may use as well; it is a trait of its own so that the compiler
/// can say which argument does not fit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given where an argument of type `{T}` is expected",
    label = "not a `{T}`, nor an `Output<{T}>`",
    note = "an argument takes a literal, an `Output`, a reference to one, or an `Option` of these; where a schema says number, every number type of Rust fits"
)]
pub trait IntoInput<T> {
    /// The argument.
    fn into_input(self) -> Input<T>;
}

#[diagnostic::do_not_recommend]
impl<T, X: Into<Input<T>>> IntoInput<T> for X {
    fn into_input(self) -> Input<T> {
        self.into()
    }
}

impl<T> From<Output<T>> for Input<T> {
    fn from(output: Output<T>) -> Self {
        Self::new(output.into_expr())
    }
}

impl<T> From<&Output<T>> for Input<T> {
    fn from(output: &Output<T>) -> Self {
        Self::new(output.expr().clone())
    }
}

impl<T, X: Into<Self>> From<Option<X>> for Input<T> {
    /// `None` leaves the argument unset.
    fn from(option: Option<X>) -> Self {
        option.map_or_else(|| Self::new(Expr::Literal(Value::Null)), Into::into)
    }
}

macro_rules! literals {
    ($($literal:ty => $argument:ty),* $(,)?) => {
        $(impl From<$literal> for Input<$argument> {
            fn from(literal: $literal) -> Self {
                Self::new(Expr::Literal(literal.into_value()))
            }
        })*
    };
}
literals!(
    &str => String,
    String => String,
    bool => bool,
    Number => Number,
    u8 => Number,
    u16 => Number,
    u32 => Number,
    u64 => Number,
    usize => Number,
    i8 => Number,
    i16 => Number,
    i32 => Number,
    i64 => Number,
    isize => Number,
    f64 => Number,
);

impl From<&String> for Input<String> {
    fn from(literal: &String) -> Self {
        literal.as_str().into()
    }
}

macro_rules! number_outputs {
    ($($number:ty),*) => {
        $(impl From<Output<$number>> for Input<Number> {
            fn from(output: Output<$number>) -> Self {
                Self::new(output.into_expr())
            }
        })*
    };
}
number_outputs!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f64);

fn list<T, X: Into<Input<T>>>(elements: impl IntoIterator<Item = X>) -> Input<Vec<T>> {
    Input::new(Expr::list(
        elements.into_iter().map(|x| x.into().into_expr()).collect(),
    ))
}

fn map<T, K: Into<Arc<str>>, X: Into<Input<T>>>(
    members: impl IntoIterator<Item = (K, X)>,
) -> Input<BTreeMap<String, T>> {
    let members = members
        .into_iter()
        .map(|(key, x)| (key.into(), x.into().into_expr()));
    Input::new(Expr::map(members.collect()))
}

impl<T, X: Into<Input<T>>> From<Vec<X>> for Input<Vec<T>> {
    fn from(elements: Vec<X>) -> Self {
        list(elements)
    }
}

impl<T, X: Into<Input<T>>, const N: usize> From<[X; N]> for Input<Vec<T>> {
    fn from(elements: [X; N]) -> Self {
        list(elements)
    }
}

impl<'a, T, X> From<&'a [X]> for Input<Vec<T>>
where
    &'a X: Into<Input<T>>,
{
    fn from(elements: &'a [X]) -> Self {
        list(elements)
    }
}

impl<'a, T, X> From<&'a Vec<X>> for Input<Vec<T>>
where
    &'a X: Into<Input<T>>,
{
    fn from(elements: &'a Vec<X>) -> Self {
        list(elements)
    }
}

impl<'a, T, X> From<&'a BTreeSet<X>> for Input<Vec<T>>
where
    &'a X: Into<Input<T>>,
{
    fn from(elements: &'a BTreeSet<X>) -> Self {
        list(elements)
    }
}

impl<T, X: Into<Input<T>>> From<BTreeSet<X>> for Input<Vec<T>> {
    fn from(elements: BTreeSet<X>) -> Self {
        list(elements)
    }
}

impl<'a, T, X> From<&'a BTreeMap<String, X>> for Input<BTreeMap<String, T>>
where
    &'a X: Into<Input<T>>,
{
    fn from(members: &'a BTreeMap<String, X>) -> Self {
        map(members.iter().map(|(key, x)| (key.as_str(), x)))
    }
}

impl<T, K: Into<Arc<str>>, X: Into<Input<T>>> From<BTreeMap<K, X>> for Input<BTreeMap<String, T>> {
    fn from(members: BTreeMap<K, X>) -> Self {
        map(members)
    }
}

impl<T, K: Into<Arc<str>>, X: Into<Input<T>>, S> From<HashMap<K, X, S>>
    for Input<BTreeMap<String, T>>
{
    fn from(members: HashMap<K, X, S>) -> Self {
        map(members)
    }
}

impl<T, K: Into<Arc<str>>, X: Into<Input<T>>, const N: usize> From<[(K, X); N]>
    for Input<BTreeMap<String, T>>
{
    fn from(members: [(K, X); N]) -> Self {
        map(members)
    }
}
