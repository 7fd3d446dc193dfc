//! Configurations: a declaration's arguments, evaluated and brought into the shape of a schema.

use std::collections::BTreeSet;

use terrane_core::schema::Schema;
use terrane_core::{Diagnostic, Diagnostics, Expr, Location, Path, Scope, Value};

use crate::object::fit_mark;

/// An evaluated configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The value, in full shape; parts may be unknown.
    pub(crate) value: Value,
    /// What in it the program marked as sensitive.
    pub(crate) sensitive: BTreeSet<Path>,
}

/// Evaluates arguments against a schema.
///
/// # Errors
/// Everything that is wrong with them, each at its path and at the line of the declaration (or of the failing reference).
pub(crate) fn evaluate(
    arguments: &Expr,
    schema: &Schema,
    scope: &impl Scope,
    address: &dyn std::fmt::Display,
    location: Option<Location>,
) -> Result<Config, Diagnostics> {
    let marked = arguments.evaluate(scope).map_err(|error| {
        Diagnostic::error(error.to_string())
            .address(address)
            .location(error.location())
    })?;
    let value = schema.block.coerce(&marked.value).map_err(|problems| {
        let diagnose = |problem| Diagnostic {
            address: Some(address.to_string()),
            location,
            ..Diagnostic::from(problem)
        };
        problems.into_iter().map(diagnose).collect::<Diagnostics>()
    })?;
    let fit = |mark| fit_mark(schema.ty(), mark);
    Ok(Config {
        value,
        sensitive: marked.sensitive.iter().map(fit).collect(),
    })
}
