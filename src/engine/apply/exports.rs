//! Records exported values at the end of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::value::JsonError;
use terrane_core::{Diagnostic, Diagnostics, Marked};
use terrane_state::model::OutputValue;
use terrane_state::{Change, RawJson};

use super::inputs::Inputs;
use super::known::{Finished, Known};
use crate::options::PlanMode;
use crate::plan::outputs;
use crate::plan::value_modules::waiting;

/// Records the exports whose values are known now. One that rests on something that failed keeps its old value.
pub(super) async fn record(inputs: &Inputs<'_>, known: &Known<'_>, diagnostics: &mut Diagnostics) {
    let before = inputs.recorder.state().outputs;
    let mut after: BTreeMap<Arc<str>, OutputValue> = BTreeMap::new();
    if inputs.plan.mode == PlanMode::Destroy {
        if !inputs.recorder.state().resources.is_empty() {
            after.clone_from(&before);
        }
    } else {
        if waiting(inputs.program).next().is_some() {
            // A module that waits for its value may export them.
            after.clone_from(&before);
        }
        for export in inputs.program.exports() {
            let (scope, location) = (Finished(known), export.location);
            let evaluated = outputs::evaluate(&export.value, &scope, location, inputs.running);
            let value = match evaluated.await {
                Ok(marked) if marked.value.is_wholly_known() => marked,
                Ok(_) => {
                    let kept = before.get_key_value(&export.name);
                    after.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
                    continue;
                }
                Err(errors) => {
                    after.remove(&export.name);
                    diagnostics.extend(errors);
                    continue;
                }
            };
            // As Terraform does: one that is null is none.
            if value.value.is_null() {
                after.remove(&export.name);
                continue;
            }
            match stored(&value) {
                Ok(stored) => {
                    after.insert(export.name.clone(), stored);
                }
                Err(error) => {
                    let name = &export.name;
                    let unstorable =
                        Diagnostic::error(format!("the export `{name}` cannot be stored: {error}"));
                    diagnostics.push(unstorable.location(export.location));
                }
            }
        }
    }
    if after != before {
        inputs.recorder.change(Change::Outputs(after));
    }
}

/// An exported value as states store it.
fn stored(export: &Marked) -> Result<OutputValue, JsonError> {
    let ty = export.value.implied_type();
    let json = export.value.to_json(&ty)?;
    Ok(OutputValue {
        value: RawJson::new(&json).expect("invariant: our own writer writes valid JSON"),
        ty,
        sensitive: export.is_sensitive(),
        extra: Arc::default(),
    })
}
