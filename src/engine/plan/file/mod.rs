//! Plans as files: written after planning, read back to be shown or applied exactly as they are.
//!
//! ```text
//! terrane-plan 1 SHA-256 of everything that follows this line
//! {"origin":…,"mode":"normal","learnt":[…],"schemas":[…],"changes":[…],…}
//! {"version":4,…}
//! ```
//!
//! The second line is the plan, the third the state that it was made from, as state files are written. Two things are not in it: the
//! program, whose closures cannot be written (it runs again and must declare the same), and the step graph, which follows from the rest.

mod codec;
mod error;
mod fingerprint;
mod form;
mod origin;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::value::saved;
use terrane_core::{Diagnostic, IdVec, Program, json_fault};
use terrane_state::{DeposedKey, Sha256, State, file as state_file};

pub use error::PlanFileError;
pub use fingerprint::Fingerprint;
pub use origin::{Inputs, Origin, ProviderBuild};

use self::codec::Text;
use self::form::{
    Locations, Read, SavedChange, SavedDrift, SavedForm, SavedObject, SchemaTable, Schemas,
};
use super::deferred::old_half_stays;
use super::inputs::serving_change;
use super::moves::Moves;
use super::{Move, Plan, steps};
use crate::change::{Action, ChangeId, Drift, OutputChange, ResourceChange};
use crate::options::PlanMode;
use crate::plan::{DeferredChange, DeferredModule, Unread};
use crate::scope::PlannedObjects;

/// What every plan file begins with.
const MAGIC: &str = "terrane-plan ";

/// Refuses a file that says two things about one.
fn unique(names: impl Iterator<Item = (String, Option<DeposedKey>)>) -> Result<(), PlanFileError> {
    let mut seen = HashSet::new();
    for name in names {
        if let Some((name, _)) = seen.replace(name) {
            return Err(PlanFileError::damaged(format_args!(
                "{name} occurs twice in it"
            )));
        }
    }
    Ok(())
}

/// The format that is written and read here.
const FORMAT: u64 = 1;

/// A plan that was read from its file: complete but for the program.
pub struct SavedPlan {
    /// Where it comes from.
    pub origin: Origin,
    mode: PlanMode,
    changes: Vec<Read<ResourceChange>>,
    drift: Vec<Read<Drift>>,
    deferred: Vec<Read<DeferredChange>>,
    deferred_modules: Vec<Read<DeferredModule>>,
    outputs: Vec<Read<OutputChange>>,
    moves: Vec<Move>,
    adoptions: Vec<(Arc<InstanceAddr>, String)>,
    unread: Option<Unread>,
    diagnostics: Vec<Read<Diagnostic>>,
    prior: State,
    refreshed: State,
    objects: PlannedObjects,
}

impl SavedPlan {
    /// Whether those bytes begin as a plan file does.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC.as_bytes())
    }

    /// The file of a plan. It holds every value of it, secrets too.
    ///
    /// # Errors
    /// When a value is nested too deep for a file.
    pub fn write(plan: &Plan, origin: Origin) -> Result<Vec<u8>, PlanFileError> {
        check_depth(plan)?;
        let mut schemas = SchemaTable::default();
        let changes = plan.changes.iter();
        let changes: Vec<_> = changes
            .map(|change| SavedChange::new(change, &mut schemas))
            .collect();
        let drift = plan.drift.iter();
        let drift = drift
            .map(|drift| SavedDrift::new(drift, &mut schemas))
            .collect();
        let form = SavedForm {
            origin,
            mode: plan.mode,
            learnt: plan.learnt().collect(),
            schemas: schemas.lines,
            objects: objects(plan),
            moves: plan
                .moves
                .iter()
                .map(|moved| (Text(moved.from.clone()), Text(moved.to.clone())))
                .collect(),
            adoptions: plan
                .adoptions
                .iter()
                .map(|(address, by)| (Text(address.as_ref().clone()), by.clone()))
                .collect(),
            changes,
            drift,
            deferred: plan.deferred.iter().map(Into::into).collect(),
            deferred_modules: plan.deferred_modules.iter().map(Into::into).collect(),
            outputs: plan.outputs.iter().map(Into::into).collect(),
            unread: plan.unread.map(Into::into),
            diagnostics: plan.diagnostics.iter().map(Into::into).collect(),
        };
        let mut body = serde_json::to_vec(&form).expect("invariant: every plan is serialisable");
        body.push(b'\n');
        body.extend(state_file::write(&plan.prior, state_file::Layout::Compact));
        let mut file = format!("{MAGIC}{FORMAT} {}\n", Sha256::of(&body)).into_bytes();
        file.extend(body);
        Ok(file)
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// When it is none, of a later format, or not as it was written.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanFileError> {
        let body = unsealed(bytes)?;
        let (form, state) = split_line(body)
            .ok_or_else(|| PlanFileError::damaged("the state is missing from it"))?;
        let form: SavedForm = serde_json::from_slice(form)
            .map_err(|error| PlanFileError::damaged(json_fault(&error)))?;
        let prior = state_file::read(state).map_err(PlanFileError::damaged)?;
        let mut refreshed = prior.clone();
        for change in &form.learnt {
            change.apply(&mut refreshed);
        }
        let schemas = Schemas::read(&form.schemas)?;
        let changes = form.changes.into_iter();
        let changes: Vec<_> = changes
            .map(|change| change.read(&schemas))
            .collect::<Result<_, _>>()?;
        unique(changes.iter().map(|change| {
            let (address, deposed) = (&change.part.address, change.part.deposed);
            (address.to_string(), deposed)
        }))?;
        unique(
            form.outputs
                .iter()
                .map(|output| (output.name.to_string(), None)),
        )?;
        let drift = form.drift.into_iter();
        let objects = form.objects.into_iter().map(|object| match object {
            SavedObject::Nothing => Ok(None),
            SavedObject::Value(marked) => Ok(Some(Arc::new(marked.into()))),
            SavedObject::After(change) => match changes.get(change) {
                Some(change) => Ok(Some(change.part.after.clone())),
                None => Err(PlanFileError::damaged(format_args!(
                    "there is no change {change}"
                ))),
            },
        });
        Ok(Self {
            origin: form.origin,
            mode: form.mode,
            objects: objects.collect::<Result<_, _>>()?,
            drift: drift
                .map(|drift| drift.read(&schemas))
                .collect::<Result<_, _>>()?,
            deferred: form.deferred.into_iter().map(Into::into).collect(),
            deferred_modules: form.deferred_modules.into_iter().map(Into::into).collect(),
            outputs: form.outputs.into_iter().map(Into::into).collect(),
            moves: form
                .moves
                .into_iter()
                .map(|(from, to)| Move {
                    from: from.0,
                    to: to.0,
                })
                .collect(),
            adoptions: form
                .adoptions
                .into_iter()
                .map(|(address, by)| (Arc::new(address.0), by))
                .collect(),
            unread: form.unread.map(Into::into),
            diagnostics: form.diagnostics.into_iter().map(Into::into).collect(),
            changes,
            prior,
            refreshed,
        })
    }

    /// The state that the plan was made from.
    pub fn prior(&self) -> &State {
        &self.prior
    }

    /// The plan, for the program that it was made from.
    ///
    /// # Errors
    /// When the program declares anything else.
    pub fn plan(self, program: &Program) -> Result<Plan, PlanFileError> {
        let now = Fingerprint::of(program);
        if self.origin.program != now {
            return Err(PlanFileError::OtherProgram {
                differences: self.origin.program.differences(&now),
            });
        }
        let locations = Locations::of(program);
        let changes = self.changes.into_iter().map(|read| ResourceChange {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let drift = self.drift.into_iter().map(|read| Drift {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let deferred = self.deferred.into_iter().map(|read| DeferredChange {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let modules = self.deferred_modules.into_iter();
        let modules = modules.map(|read| DeferredModule {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let outputs = self.outputs.into_iter().map(|read| OutputChange {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let diagnostics = self.diagnostics.into_iter().map(|read| Diagnostic {
            location: locations.find(read.declared.as_ref()),
            ..read.part
        });
        let changes: IdVec<ChangeId, _> = changes.collect();
        check_program(program, &changes, &self.objects)?;
        let moves = Moves::carry_out(program, &self.prior);
        let deferred: Vec<DeferredChange> = deferred.collect();
        let steps = {
            let stays = old_half_stays(&deferred);
            steps::build(program, &changes, &moves.state, &stays).map_err(PlanFileError::damaged)?
        };
        Ok(Plan {
            mode: self.mode,
            changes,
            drift: drift.collect(),
            deferred,
            deferred_modules: modules.collect(),
            outputs: outputs.collect(),
            steps,
            moves: self.moves,
            adoptions: self.adoptions,
            unread: self.unread,
            diagnostics: diagnostics.collect(),
            prior: self.prior,
            refreshed: self.refreshed,
            objects: self.objects,
        })
    }
}

/// The bytes after the first line, if that line has their hash.
fn unsealed(bytes: &[u8]) -> Result<&[u8], PlanFileError> {
    let rest = bytes.strip_prefix(MAGIC.as_bytes());
    let rest = rest.ok_or(PlanFileError::NotAPlan)?;
    let incomplete = || PlanFileError::damaged("its first line is not complete");
    let (line, body) = split_line(rest).ok_or_else(incomplete)?;
    let line = std::str::from_utf8(line).map_err(|_| incomplete())?;
    let (format, sha256) = line.split_once(' ').ok_or_else(incomplete)?;
    let version: u64 = format.parse().map_err(|_| incomplete())?;
    if version > FORMAT {
        return Err(PlanFileError::Newer {
            version,
            known: FORMAT,
        });
    }
    if sha256 != Sha256::of(body).to_string() {
        return Err(PlanFileError::damaged(
            "its content is not what its first line promises; it was cut off or changed",
        ));
    }
    Ok(body)
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// The planned object of each declared instance: mostly the one after a change.
fn objects(plan: &Plan) -> Vec<SavedObject> {
    let mut made = std::collections::HashMap::new();
    for (place, change) in plan.changes.iter().enumerate() {
        made.insert(Arc::as_ptr(&change.after), place);
    }
    let objects = plan.objects.iter().map(|object| match object {
        None => SavedObject::Nothing,
        Some(object) => match made.get(&Arc::as_ptr(object)) {
            Some(&place) => SavedObject::After(place),
            None => SavedObject::Value((&**object).into()),
        },
    });
    objects.collect()
}

/// A reader goes only so deep; values that it would refuse must not be written.
fn check_depth(plan: &Plan) -> Result<(), PlanFileError> {
    let too_deep = |address: &dyn std::fmt::Display| PlanFileError::TooDeep {
        address: address.to_string(),
    };
    for change in &plan.changes {
        let identities = change
            .before_identity
            .iter()
            .chain(&change.planned_identity);
        let values = identities.map(|identity| &identity.value);
        let mut values = values.chain([&change.before.value, &change.after.value]);
        if !values.all(saved::fits) {
            return Err(too_deep(&change.address));
        }
    }
    for drift in &plan.drift {
        if !saved::fits(&drift.before.value) || !saved::fits(&drift.after.value) {
            return Err(too_deep(&drift.address));
        }
    }
    for output in &plan.outputs {
        let mut sides = output.before.iter().chain(&output.after);
        if !sides.all(|side| saved::fits(&side.value)) {
            return Err(too_deep(&format_args!("the export `{}`", output.name)));
        }
    }
    let mut objects = plan.objects.iter().flatten();
    match objects.all(|object| saved::fits(&object.value)) {
        true => Ok(()),
        false => Err(too_deep(&"a data source")),
    }
}

/// Applying relies on what planning has made sure of.
fn check_program(
    program: &Program,
    changes: &[ResourceChange],
    objects: &PlannedObjects,
) -> Result<(), PlanFileError> {
    if objects.len() != program.resources().len() {
        return Err(PlanFileError::damaged(
            "it does not have an object for each resource",
        ));
    }
    for change in changes {
        let makes = !matches!(
            change.action,
            Action::NoOp | Action::Delete | Action::Forget
        );
        if makes && program.position(&change.address).is_none() {
            let address = &change.address;
            return Err(PlanFileError::damaged(format_args!(
                "{address} is not declared"
            )));
        }
        if change.action != Action::Forget && serving_change(program, change).is_none() {
            let provider = &change.provider;
            return Err(PlanFileError::damaged(format_args!(
                "{provider} is not declared"
            )));
        }
    }
    Ok(())
}
