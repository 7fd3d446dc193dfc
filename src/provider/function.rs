//! Requests and responses about a provider's functions.

use terrane_core::Value;

/// Request of `CallFunction`. No configuration is needed.
#[derive(Debug, Clone, Copy)]
pub struct CallFunction<'a> {
    /// The function.
    pub name: &'a str,
    /// The arguments by place, each of its parameter's type.
    pub arguments: &'a [Value],
}

/// Response of `CallFunction`.
pub type CallFunctionResponse = Result<Value, FunctionError>;

/// A function has no result for those arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// Why, for people.
    pub text: String,
    /// The argument at fault, from 0, where it is one.
    pub argument: Option<usize>,
}
