//! Values, addresses, schemas, diagnostics and the language of terrane: no I/O, no async.

pub mod addr;
mod diagnostics;
mod marks;
pub mod schema;
pub mod value;

pub use diagnostics::{Diagnostic, Diagnostics, Location, Severity};
pub use marks::Marked;
pub use value::{Path, PathStep, Type, Value};
