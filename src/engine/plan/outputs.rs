//! Plans the exported values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_core::secrets::{SecretMatcher, secrets_in};
use terrane_core::value::REPEATED_KEY;
use terrane_core::{
    Diagnostic, Diagnostics, EvalError, Expr, Location, Marked, Program, Scope, Value,
};
use terrane_state::State;
use terrane_state::model::OutputValue;

use crate::change::OutputChange;
use crate::options::PlanMode;
use crate::running::RunningProviders;
use crate::scope::Objects;

/// What becomes of each exported value. In a partial run, values that are not known stay as they are; while a module waits for its value,
/// those that it may export do.
pub(crate) async fn plan(
    program: &Program,
    prior: &State,
    objects: &Objects<'_>,
    mode: PlanMode,
    (partial, waits): (bool, bool),
    running: &RunningProviders<'_>,
) -> Result<Vec<OutputChange>, Diagnostics> {
    let mut changes: BTreeMap<Arc<str>, OutputChange> = BTreeMap::new();
    for (name, stored) in &prior.outputs {
        let before = Some(stored_value(name, stored)?);
        let change = OutputChange {
            name: name.clone(),
            before,
            after: None,
            location: None,
        };
        changes.insert(name.clone(), change);
    }
    if mode == PlanMode::Destroy {
        if partial {
            for change in changes.values_mut() {
                change.after.clone_from(&change.before);
            }
        }
        return Ok(changes.into_values().collect());
    }
    let mut diagnostics = Diagnostics::new();
    for export in program.exports() {
        let after = match evaluate(&export.value, objects, export.location, running).await {
            Ok(after) => after,
            Err(found) => {
                diagnostics.extend(found);
                continue;
            }
        };
        let change = changes
            .entry(export.name.clone())
            .or_insert_with(|| OutputChange {
                name: export.name.clone(),
                before: None,
                after: None,
                location: None,
            });
        change.location = Some(export.location);
        let unfinished = partial || mode == PlanMode::RefreshOnly;
        change.after = if unfinished && !after.value.is_wholly_known() {
            change.before.clone()
        } else {
            Some(after)
        };
    }
    if waits {
        let undeclared = changes.values_mut().filter(|c| c.location.is_none());
        undeclared.for_each(|change| change.after.clone_from(&change.before));
    }
    let (changes, _) = diagnostics.into_result(changes)?;
    Ok(changes
        .into_values()
        .filter(|c| c.before.is_some() || c.after.is_some())
        .collect())
}

/// The value of an export now; sensitive as a whole if anything in it is, or repeats a secret of an object that it is made from.
pub(crate) async fn evaluate(
    value: &Expr,
    objects: &impl Scope,
    location: Location,
    running: &RunningProviders<'_>,
) -> Result<Marked, Diagnostics> {
    let blame = |error: &EvalError| {
        Diagnostic::error(error.to_string())
            .location(error.location())
            .detail(format!("needed by the export at {location}"))
    };
    let marked = running.evaluate(value, objects, blame).await?;
    if let Some(path) = marked.value.repeated_key() {
        let refused = Diagnostic::error(REPEATED_KEY);
        return Err(refused.attribute(path).location(location).into());
    }
    let sensitive = marked.is_sensitive() || repeats_a_secret(value, &marked.value, objects);
    let concrete = concrete(&marked.value);
    Ok(match sensitive {
        true => Marked::sensitive(concrete),
        false => Marked::plain(concrete),
    })
}

/// Whether a value contains a sensitive part of an object that its expression refers to: providers copy it into attributes without
/// a mark.
fn repeats_a_secret(expr: &Expr, value: &Value, objects: &impl Scope) -> bool {
    let mut secrets: BTreeSet<String> = BTreeSet::new();
    expr.for_each_reference(&mut |reference| {
        if let Some(object) = objects.object(&reference.address) {
            secrets_in(&object, &mut |secret| {
                secrets.insert(secret.to_owned());
            });
        }
    });
    SecretMatcher::new(secrets.iter().map(String::as_str))
        .is_some_and(|matcher| matcher.is_in_value(value))
}

/// The value without wrappers that say its type where a schema left it open: an export is stored with a type of its own.
fn concrete(value: &Value) -> Value {
    match value {
        Value::Dynamic(dynamic) => concrete(&dynamic.1),
        Value::List(elements) => Value::list(elements.iter().map(concrete).collect()),
        Value::Map(members) => Value::map(
            members
                .iter()
                .map(|(key, member)| (key.clone(), concrete(member))),
        ),
        other => other.clone(),
    }
}

fn stored_value(name: &str, stored: &OutputValue) -> Result<Marked, Diagnostics> {
    stored.marked().map_err(|error| {
        Diagnostic::error(format!(
            "the stored output `{name}` cannot be read: {error}"
        ))
        .hint("repair it in the state, or take it out there: it is computed again")
        .into()
    })
}
