//! What an argument accepts: a literal, an output, or a collection of both.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::expr::Expr;
use crate::output::Output;
use crate::typed::IntoValue;
use crate::value::{Number, Value};

/// An argument of type `T`. Setters take `impl Into<Input<T>>`, so literals, outputs and references to outputs pass as they are.
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
    i32 => Number,
    i64 => Number,
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
number_outputs!(u8, u16, u32, u64, i32, i64, f64);

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

/// Anything that can stand for an argument whose type the bindings do not know.
pub trait IntoExpr {
    /// The expression.
    fn into_expr(self) -> Expr;
}

impl IntoExpr for Expr {
    fn into_expr(self) -> Expr {
        self
    }
}

impl<T> IntoExpr for Output<T> {
    fn into_expr(self) -> Expr {
        Self::into_expr(self)
    }
}

impl<T> IntoExpr for &Output<T> {
    fn into_expr(self) -> Expr {
        self.expr().clone()
    }
}

impl<T> IntoExpr for Input<T> {
    fn into_expr(self) -> Expr {
        self.expr
    }
}

macro_rules! into_expr_literals {
    ($($literal:ty),*) => {
        $(impl IntoExpr for $literal {
            fn into_expr(self) -> Expr {
                Expr::Literal(self.into_value())
            }
        })*
    };
}
into_expr_literals!(
    &str, String, bool, u8, u16, u32, u64, i32, i64, f64, Number, Value
);

impl<X: IntoExpr> IntoExpr for Vec<X> {
    fn into_expr(self) -> Expr {
        Expr::list(self.into_iter().map(IntoExpr::into_expr).collect())
    }
}

impl<X: IntoExpr, const N: usize> IntoExpr for [X; N] {
    fn into_expr(self) -> Expr {
        Expr::list(self.into_iter().map(IntoExpr::into_expr).collect())
    }
}

impl<K: Into<Arc<str>>, X: IntoExpr> IntoExpr for BTreeMap<K, X> {
    fn into_expr(self) -> Expr {
        Expr::map(
            self.into_iter()
                .map(|(key, x)| (key.into(), x.into_expr()))
                .collect(),
        )
    }
}
