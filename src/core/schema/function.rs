//! The signature of a function that a provider offers.

use std::sync::Arc;

use crate::value::Type;

/// A function of a provider: what it takes and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The parameter that takes every argument after those.
    pub variadic: Option<Parameter>,
    /// The type of the result.
    pub result: Type,
    /// Why users should stop calling it; empty unless they should.
    pub deprecation: String,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for people: arguments are given by place.
    pub name: Arc<str>,
    /// The type that an argument is converted to.
    pub ty: Type,
    /// The function has an answer to null.
    pub allows_null: bool,
    /// The function has an answer where the argument is not known yet.
    pub allows_unknown: bool,
}

impl Function {
    /// The parameter that takes the argument at that place, from 0.
    pub fn parameter(&self, place: usize) -> Option<&Parameter> {
        self.parameters.get(place).or(self.variadic.as_ref())
    }

    /// Whether a call with that many arguments fits.
    pub fn takes(&self, arguments: usize) -> bool {
        let fixed = self.parameters.len();
        arguments == fixed || (arguments > fixed && self.variadic.is_some())
    }
}
