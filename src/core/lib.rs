//! Values, addresses, schemas, diagnostics and the language of terrane: no I/O, no async.

pub mod addr;
mod config;
mod diagnostics;
mod error;
mod expr;
mod input;
mod interpolate;
mod into_expr;
mod lifecycle;
mod literal;
mod marks;
mod nested;
mod output;
mod program;
mod provider;
mod recovery;
mod resource;
pub mod schema;
mod stack;
mod suggest;
mod typed;
pub mod value;

pub use config::{ConfigValues, VARIABLE_PREFIX};
pub use diagnostics::{Diagnostic, Diagnostics, Location, Severity};
pub use error::{Error, Result};
pub use expr::{Apply, EvalError, Expr, Reference, Scope};
pub use input::{Input, IntoInput};
#[doc(hidden)]
pub use interpolate::interpolated;
pub use into_expr::IntoExpr;
pub use lifecycle::{IgnoreChanges, Lifecycle, Trigger};
pub use literal::Literal;
pub use marks::Marked;
pub use nested::{IsSet, Nested, NestedList, Set};
pub use output::{Output, Outputs, all};
pub use program::{Program, ProviderConfig, ResourceInstance};
pub use provider::{Provider, ProviderDeclaration, ProviderHandle};
pub use recovery::{Finder, Named, Recovery, Standing};
pub use resource::{Binding, BlockArguments, Declaration, Resource};
pub use stack::{Export, Stack};
pub use suggest::closest;
pub use typed::{FromValue, IntoValue, TypeMismatch};
pub use value::{Path, PathStep, Type, Value};
