//! The documents of smaller commands: exported values, addresses, versions, edits, locks, repairs, stores, graphs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostics, Type, Value};
use terrane_engine::Inventory;
use terrane_state::backend::Holder;
use terrane_state::model::OutputValue;
use terrane_state::{Closed, Damage, Instance, Recovered, RunError, State, Timestamp};

use super::value::known;
use super::{JsonView, state, validate};
use crate::args::GraphFormat;
use crate::view::graph::{self, ResourceGraph};
use crate::view::hidden::Hidden;
use crate::view::stored;
use crate::view::{
    EditView, Outputs, OutputsView, Past, ProgramView, RunStatus, Secrets, StateEdit, StateView,
    UpkeepView, Validity, Version,
};

impl OutputsView for JsonView {
    /// `{NAME: {"sensitive": …, "type": …, "value": …}}`, as Terraform prints it. A hidden value is null.
    fn all_outputs(&self, outputs: &Outputs, secrets: Secrets) {
        let document: BTreeMap<&str, OutputJson<'_>> = outputs
            .iter()
            .map(|(name, output)| (&**name, OutputJson::new(output, secrets)))
            .collect();
        self.print(&document);
    }

    /// The bare value as JSON.
    fn output(&self, output: &OutputValue, secrets: Secrets) {
        self.print(&OutputJson::new(output, secrets).value);
    }

    fn null_output(&self) {
        self.print(&());
    }

    fn value(&self, value: &Value, hidden: &Hidden) {
        self.print(&known(value, hidden));
    }
}

#[derive(Serialize)]
struct OutputJson<'a> {
    sensitive: bool,
    #[serde(rename = "type")]
    ty: &'a Type,
    value: Box<RawValue>,
}

impl<'a> OutputJson<'a> {
    fn new(output: &'a OutputValue, secrets: Secrets) -> Self {
        let value = match (output.sensitive, secrets) {
            (true, Secrets::Hidden) => "null",
            _ => output.value.as_str(),
        };
        let value = RawValue::from_string(value.to_owned());
        Self {
            sensitive: output.sensitive,
            ty: &output.ty,
            value: value.expect("invariant: stored values are JSON"),
        }
    }
}

impl StateView for JsonView {
    fn state(&self, state: &State, secrets: Secrets) {
        self.print(&state::whole(state, secrets));
    }

    fn instance(&self, address: &InstanceAddr, instance: &Instance, secrets: Secrets) {
        self.print(&state::objects(address, instance, secrets, None));
    }

    fn addresses(&self, addresses: &[&InstanceAddr]) {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        self.print(&addresses);
    }

    fn history(&self, _: &str, versions: &[Version]) {
        /// One version.
        #[derive(Serialize)]
        struct VersionJson<'a> {
            id: &'a str,
            written_at: Option<String>,
            serial: Option<u64>,
            size: u64,
            current: bool,
        }
        let versions = versions.iter().map(|version| {
            let Version {
                id,
                written_at,
                serial,
                size,
                is_current,
            } = version;
            VersionJson {
                id,
                written_at: written_at.map(|at| at.to_string()),
                serial: *serial,
                size: *size,
                current: *is_current,
            }
        });
        self.print(&versions.collect::<Vec<_>>());
    }

    fn past(&self, _: &str, past: &[Past]) {
        let past: Vec<PastJson<'_>> = past.iter().map(PastJson::new).collect();
        self.print(&past);
    }
}

/// One event of a state's past. A version that no remembered run wrote has only the last three.
#[derive(Default, Serialize)]
struct PastJson<'a> {
    run: Option<&'a str>,
    status: Option<&'static str>,
    operation: Option<&'a str>,
    who: Option<&'a str>,
    ci_url: Option<&'a str>,
    engine: Option<&'a str>,
    began_at: Option<String>,
    ended_at: Option<String>,
    created: Option<u64>,
    updated: Option<u64>,
    deleted: Option<u64>,
    imported: Option<u64>,
    failed: Option<u64>,
    unresolved: Option<u64>,
    written_at: Option<String>,
    serial: Option<u64>,
    version: Option<&'a str>,
}

impl<'a> PastJson<'a> {
    fn new(one: &'a Past) -> Self {
        match one {
            Past::Run { run, status } => Self {
                run: Some(&run.run),
                status: Some(match status {
                    RunStatus::Ended => "ended",
                    RunStatus::Running => "running",
                    RunStatus::Interrupted => "interrupted",
                }),
                operation: run.operation.as_deref(),
                who: Some(&run.who),
                ci_url: run.ci_url.as_deref(),
                engine: Some(&run.engine),
                began_at: Some(run.began_at.to_string()),
                ended_at: run.ended_at.map(|at| at.to_string()),
                created: Some(run.done.created),
                updated: Some(run.done.updated),
                deleted: Some(run.done.deleted),
                imported: Some(run.done.imported),
                failed: Some(run.done.failed),
                unresolved: Some(run.done.unresolved),
                written_at: None,
                serial: run.serial,
                version: run.version.as_deref(),
            },
            Past::Version(version) => Self {
                written_at: version.written_at.map(|at| at.to_string()),
                serial: version.serial,
                version: Some(&version.id),
                ..Self::default()
            },
        }
    }
}

impl EditView for JsonView {
    fn proposed(&self, _: &StateEdit, _: &State) {}

    fn recorded(&self, edit: &StateEdit, closed: &Closed, _: Duration) {
        self.print(&Recorded {
            report: EditJson::new(edit),
            serial: closed.serial,
        });
    }

    fn proposed_restore(&self, _: &State, _: &RunError) {}

    fn restored(&self, pushed: &State, closed: &Closed, _: Duration) {
        let report = EditJson::Push {
            pushed: Summary::from(pushed),
            replaced: None,
        };
        self.print(&Recorded {
            report,
            serial: closed.serial,
        });
    }
}

/// An edit that is stored.
#[derive(Serialize)]
struct Recorded {
    #[serde(flatten)]
    report: EditJson,
    /// The serial of the state that is stored now.
    serial: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EditJson {
    Move {
        /// Every instance that moved.
        moved: Vec<Moved>,
        /// Other instances whose stored dependencies followed.
        dependents: Vec<String>,
    },
    Remove {
        /// Every instance that left the state.
        removed: Vec<String>,
        dependents: Vec<String>,
    },
    HandOver {
        /// Every instance that is in the other state now.
        moved: Vec<String>,
        /// The other state.
        to: String,
        /// Other instances whose stored dependencies followed.
        dependents: Vec<String>,
    },
    ReplaceProvider {
        /// Every instance that has another provider now.
        replaced: Vec<String>,
    },
    Push {
        /// The state that was given.
        pushed: Summary,
        /// The state that was stored before; null when there was none.
        replaced: Option<Summary>,
    },
    Rescue {
        /// The addresses of the operations that are resolved now.
        settled: Vec<String>,
    },
    Object {
        /// Where it is in the state.
        address: String,
        /// The object's own id; null when that is sensitive, or an operation was resolved as having made nothing.
        id: Option<String>,
    },
}

#[derive(Serialize)]
struct Moved {
    from: String,
    to: String,
}

impl EditJson {
    fn new(edit: &StateEdit) -> Self {
        let texts =
            |addresses: &[InstanceAddr]| addresses.iter().map(ToString::to_string).collect();
        match edit {
            StateEdit::Move { moved, dependents } => {
                let moved = moved.iter().map(|moved| Moved {
                    from: moved.from.to_string(),
                    to: moved.to.to_string(),
                });
                Self::Move {
                    moved: moved.collect(),
                    dependents: texts(dependents),
                }
            }
            StateEdit::HandOver {
                moved,
                to,
                dependents,
            } => Self::HandOver {
                moved: texts(moved),
                to: to.clone(),
                dependents: texts(dependents),
            },
            StateEdit::Remove {
                removed,
                dependents,
            } => Self::Remove {
                removed: texts(removed),
                dependents: texts(dependents),
            },
            StateEdit::ReplaceProvider { replaced, .. } => Self::ReplaceProvider {
                replaced: texts(replaced),
            },
            StateEdit::Push { pushed, stored } => Self::Push {
                pushed: Summary::from(&**pushed),
                replaced: stored.as_deref().map(Summary::from),
            },
            StateEdit::Rescue { resolutions } => {
                let addresses = resolutions
                    .iter()
                    .map(|resolve| resolve.address.to_string());
                Self::Rescue {
                    settled: addresses.collect(),
                }
            }
            StateEdit::Import {
                address,
                instance,
                id,
            } => Self::Object {
                address: address.to_string(),
                id: shown_id(instance, id),
            },
            StateEdit::Resolve { address, found, .. } => Self::Object {
                address: address.to_string(),
                id: found
                    .as_ref()
                    .and_then(|(instance, id)| shown_id(instance, id)),
            },
        }
    }
}

/// The id of an object, unless it is a secret of that object.
fn shown_id(instance: &Instance, id: &str) -> Option<String> {
    let object = instance
        .current
        .as_ref()
        .map(|object| stored::marked(object));
    let is_secret = object.is_some_and(|object| Hidden::is_secret_of(&object, id));
    (!is_secret).then(|| id.to_owned())
}

/// Tells one state from another.
#[derive(Serialize)]
struct Summary {
    lineage: String,
    serial: u64,
    instances: usize,
}

impl From<&State> for Summary {
    fn from(state: &State) -> Self {
        Self {
            lineage: state.lineage.to_string(),
            serial: state.serial,
            instances: state.resources.len(),
        }
    }
}

impl UpkeepView for JsonView {
    fn bootstrap_plan(&self, _: &[String]) {}

    fn bootstrap_step(&self, _: &str) {}

    fn bootstrapped(&self, location: &str, steps: &[String]) {
        /// The state that can be kept now, and the steps that were done, in order.
        #[derive(Serialize)]
        struct Bootstrapped<'a> {
            state: &'a str,
            steps: &'a [String],
        }
        self.print(&Bootstrapped {
            state: location,
            steps,
        });
    }

    fn lock(&self, _: &Holder, _: Timestamp) {}

    fn unlocked(&self, id: &str, holder: &Holder, place: &str) {
        #[derive(Serialize)]
        struct Unlocked<'a> {
            /// The lock that was broken.
            unlocked: &'a str,
            /// Its holder; null where that could not be read.
            who: Option<&'a str>,
            /// The state that is free now.
            state: &'a str,
        }
        self.print(&Unlocked {
            unlocked: id,
            who: holder.info.as_ref().map(|info| &*info.who),
            state: place,
        });
    }

    fn journal_is_whole(&self, place: &str) {
        self.print(&Repaired {
            state: place,
            damage: None,
            copy: None,
        });
    }

    fn journal_damage(&self, _: &str, _: &Damage, _: &Recovered) {}

    fn journal_repaired(
        &self,
        place: &str,
        (damage, saved): (&Damage, &Recovered),
        copy: Option<&str>,
        _: &str,
    ) {
        self.print(&Repaired {
            state: place,
            damage: Some(DamageJson::new(damage, saved)),
            copy,
        });
    }
}

#[derive(Serialize)]
struct Repaired<'a> {
    /// The state whose journal it is.
    state: &'a str,
    /// Null when the journal is whole.
    damage: Option<DamageJson>,
    /// Where the damaged journal is kept.
    copy: Option<&'a str>,
}

#[derive(Serialize)]
struct DamageJson {
    reason: String,
    /// Whole records before the damage.
    before: usize,
    /// Records behind it that can be read.
    behind: usize,
    /// Operations that began later may be recorded nowhere.
    last_known: Option<String>,
    /// Results and changes that the next run puts into the state.
    results: usize,
    /// Operations that the next run recovers.
    unresolved: Vec<OperationJson>,
}

#[derive(Serialize)]
struct OperationJson {
    address: String,
    action: String,
    operation: String,
    started_at: String,
}

impl DamageJson {
    fn new(damage: &Damage, saved: &Recovered) -> Self {
        let unresolved = saved.open.iter().map(|open| OperationJson {
            address: open.intent.address.to_string(),
            action: open.intent.action.to_string(),
            operation: open.intent.op.to_string(),
            started_at: open.intent.started_at.to_string(),
        });
        Self {
            reason: damage.reason.clone(),
            before: damage.before,
            behind: damage.behind,
            last_known: damage.last_known.map(|at| at.to_string()),
            results: saved.replayed,
            unresolved: unresolved.collect(),
        }
    }
}

impl ProgramView for JsonView {
    fn graph(&self, graph: &ResourceGraph, _: GraphFormat) {
        let _ = self.to.document(graph::json(graph));
    }

    fn inventory(&self, type_name: &str, inventory: &Inventory) {
        let found = inventory.found.iter().map(|one| {
            let members = one.identity.iter();
            let identity = members.map(|(name, value)| (name.clone(), serde_json::json!(value)));
            serde_json::json!({
                "display_name": one.name,
                "identity": identity.collect::<serde_json::Map<_, _>>(),
            })
        });
        self.print(&serde_json::json!({
            "type": type_name,
            "found": found.collect::<Vec<_>>(),
            "in_state": inventory.known,
            "complete": !inventory.is_cut,
        }));
    }

    fn validated(&self, validity: Validity, diagnostics: &Diagnostics) {
        let document = validate::validate(validity, diagnostics);
        self.print(&document);
    }
}
