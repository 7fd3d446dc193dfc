//! Configurations: a declaration's arguments, evaluated and brought into the shape of a schema.

use std::collections::BTreeSet;

use terrane_core::schema::Schema;
use terrane_core::{
    Diagnostic, Diagnostics, EvalError, Expr, Location, Marked, Path, Scope, Value,
};

use crate::diff::computed_blocks_to_null;
use crate::event::EventSink;
use crate::object::fit_mark;
use crate::running::RunningProviders;

/// An evaluated configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The value, in full shape; parts may be unknown.
    pub(crate) value: Value,
    /// What in it the program marked as sensitive.
    pub(crate) sensitive: BTreeSet<Path>,
}

/// Evaluates arguments against a schema, calling functions in them, and tells the sink of events what in them must not be shown.
///
/// # Errors
/// Everything that is wrong with them, each at its path and at the line of the declaration (or of the failing reference).
pub(crate) async fn evaluate(
    arguments: &Expr,
    schema: &Schema,
    scope: &impl Scope,
    address: &dyn std::fmt::Display,
    location: Option<Location>,
    running: &RunningProviders<'_>,
) -> Result<Config, Diagnostics> {
    let blame = |error: &EvalError| {
        Diagnostic::error(error.to_string())
            .address(address)
            .location(error.location())
    };
    let marked = running.evaluate(arguments, scope, blame).await?;
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
    let value = computed_blocks_to_null(&schema.block, value);
    conceal(&value, &sensitive, schema, running.events());
    Ok(Config { value, sensitive })
}

/// Refuses ephemeral values in arguments that are stored. The types of the language exclude them; an expression that was taken apart and
/// put together does not.
pub(crate) fn refuse_stored_ephemerals(
    arguments: &Expr,
    schema: &Schema,
    address: &dyn std::fmt::Display,
    location: Location,
) -> Result<(), Diagnostics> {
    let paths = arguments.ephemeral_paths().into_iter();
    let stored = paths.filter(|path| !schema.block.is_write_only(path));
    let refuse = |path: Path| {
        Diagnostic::error(format!(
            "`{path}` is given an ephemeral value, and is stored"
        ))
        .address(address)
        .attribute(path)
        .location(location)
        .hint("give it to a write-only argument (their names often end in `_wo`)")
    };
    let refused: Diagnostics = stored.map(refuse).collect();
    refused.into_result(()).map(|_| ())
}

/// Tells the sink the secrets of a configuration: those that the program marked or the schema flags, and write-only values.
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
