//! Values that are known when the program runs, as outputs.

use std::collections::{BTreeMap, HashMap};

use crate::expr::Expr;
use crate::output::Output;
use crate::typed::IntoValue;
use crate::value::{Number, Value};

/// A Rust value that is known when the program runs.
pub trait Literal: IntoValue {
    /// The type of the argument it stands for: `String` for a `&str`.
    type Argument;
}

macro_rules! literals {
    ($($literal:ty => $argument:ty),* $(,)?) => {
        $(impl Literal for $literal {
            type Argument = $argument;
        })*
    };
}
literals!(
    &str => String,
    &String => String,
    String => String,
    bool => bool,
    u8 => u8,
    u16 => u16,
    u32 => u32,
    u64 => u64,
    usize => usize,
    i8 => i8,
    i16 => i16,
    i32 => i32,
    i64 => i64,
    isize => isize,
    f64 => f64,
    Number => Number,
    Value => Value,
);

impl<L: Literal> Literal for Option<L> {
    type Argument = L::Argument;
}

impl<L: Literal> Literal for Vec<L> {
    type Argument = Vec<L::Argument>;
}

impl<L: Literal, const N: usize> Literal for [L; N] {
    type Argument = Vec<L::Argument>;
}

impl<K: Into<std::sync::Arc<str>>, L: Literal> Literal for BTreeMap<K, L> {
    type Argument = BTreeMap<String, L::Argument>;
}

impl<K: Into<std::sync::Arc<str>>, L: Literal, S> Literal for HashMap<K, L, S> {
    type Argument = BTreeMap<String, L::Argument>;
}

impl<T> Output<T> {
    /// A value that is known already, for where an output is wanted: `Output::known(password).sensitive()` is never shown.
    pub fn known<L: Literal<Argument = T>>(literal: L) -> Self {
        Self::new(Expr::Literal(literal.into_value()))
    }
}
