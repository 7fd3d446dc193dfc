//! Configurations: a declaration's arguments, evaluated and brought into the shape of a schema.

use std::collections::BTreeSet;

use terrane_core::schema::Schema;
use terrane_core::{Diagnostic, Diagnostics, Expr, Location, Marked, Path, Scope, Value};

use crate::event::EventSink;
use crate::object::fit_mark;

/// An evaluated configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The value, in full shape; parts may be unknown.
    pub(crate) value: Value,
    /// What in it the program marked as sensitive.
    pub(crate) sensitive: BTreeSet<Path>,
}

/// Evaluates arguments against a schema, and tells the sink of events what in them must not be shown.
///
/// # Errors
/// Everything that is wrong with them, each at its path and at the line of the declaration (or of the failing reference).
pub(crate) fn evaluate(
    arguments: &Expr,
    schema: &Schema,
    scope: &impl Scope,
    address: &dyn std::fmt::Display,
    location: Option<Location>,
    events: &dyn EventSink,
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
    let sensitive: BTreeSet<Path> = marked.sensitive.iter().map(fit).collect();
    conceal(&value, &sensitive, schema, events);
    Ok(Config { value, sensitive })
}

/// Tells the sink what of a configuration is secret: what the program marked, what the schema flags, and what is only ever written.
fn conceal(value: &Value, marks: &BTreeSet<Path>, schema: &Schema, events: &dyn EventSink) {
    let mut sensitive = schema.block.secret_paths(value);
    sensitive.extend(marks.iter().cloned());
    if !sensitive.is_empty() {
        events.conceal(&Marked {
            value: value.clone(),
            sensitive,
        });
    }
}
