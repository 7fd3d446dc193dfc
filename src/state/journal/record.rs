//! The records of the journal: intents and results of operations, changes, checkpoints, beginnings and ends of epochs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use terrane_core::addr::{ConfigAddr, InstanceAddr, ProviderConfigAddr};
use thiserror::Error;

use super::{PastRun, codec};
use crate::clock::Timestamp;
use crate::digest::Sha256;
use crate::model::{DeposedKey, Instance, OutputValue, RawJson, State};
use crate::random::Random;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// A run began; the first record of an epoch.
    Open(Open),
    /// An operation is about to be asked of a provider.
    Intent(Box<Intent>),
    /// An operation ended, or was lost sight of.
    Result(OperationResult),
    /// The state changed without an operation: an object was deposed or forgotten, a refresh saw drift, exports were computed.
    Change(Change),
    /// A snapshot is being written, or was.
    Checkpoint(Checkpoint),
    /// An unresolved operation was resolved.
    Resolve(Resolve),
    /// A saved plan is about to be applied.
    Plan(PlanUse),
    /// Instances go to the state of another stack, or come from there.
    Transfer(Box<Transfer>),
    /// Another run took over: nothing may follow in this epoch.
    Seal(Seal),
    /// Earlier records are of no further use.
    Trim(Trim),
    /// An earlier run; carried on from epoch to epoch.
    Past(Box<PastRun>),
    /// The run ended in order.
    Close,
}

/// Who runs, and from which snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Open {
    /// Names the run in messages, locks and records.
    pub run: String,
    /// Lineage of the state.
    pub lineage: String,
    /// Serial of the snapshot that was read; 0 without one.
    pub base_serial: u64,
    /// SHA-256 of that snapshot.
    #[serde(with = "codec::optional_text")]
    pub base_sha256: Option<Sha256>,
    /// Which build of the engine.
    pub engine: String,
    /// Where it runs, to tell whether it still does.
    pub process: ProcessIdentity,
    /// When.
    #[serde(with = "codec::text")]
    pub at: Timestamp,
}

/// Enough to tell whether a process on this host still lives: a reused process id has another start time or boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ProcessIdentity {
    /// `user@host`.
    pub who: String,
    /// Process id.
    pub pid: u32,
    /// When that process began, in the kernel's ticks since boot; empty where it is not known.
    pub start: String,
    /// Which boot of the host; empty where it is not known.
    pub boot: String,
    /// The page of the CI job, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_url: Option<String>,
    /// The folder that it works in, and leaves a rescue file in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// A 128-bit name of one operation, unique over all runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u128);

/// The text is not an operation id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an operation id (32 hexadecimal digits)")]
#[non_exhaustive]
pub struct ParseOperationIdError {
    /// The text.
    pub text: String,
}

impl OperationId {
    /// A new name.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationId({self})")
    }
}

impl FromStr for OperationId {
    type Err = ParseOperationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        bits.map(Self).ok_or_else(|| ParseOperationIdError {
            text: text.to_owned(),
        })
    }
}

/// An operation that a provider is about to be asked for: durable before `ApplyResourceChange` is sent. Holds no sensitive value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Intent {
    /// The operation.
    #[serde(with = "codec::text")]
    pub op: OperationId,
    /// Which instance.
    #[serde(with = "codec::address")]
    pub address: InstanceAddr,
    /// Which deposed object of it; `None` is the current one.
    #[serde(
        with = "codec::optional_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub deposed: Option<DeposedKey>,
    /// The operation.
    pub action: IntentAction,
    /// Whom.
    #[serde(with = "codec::text")]
    pub provider: ProviderConfigAddr,
    /// The serial of the state that the object was planned from: tells apart objects that one address had one after the other.
    pub generation: u64,
    /// The object's identity (or its `id`) before the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_id: Option<RawJson>,
    /// The identity the provider planned for the new object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_identity: Option<RawJson>,
    /// The id by which the new object can be imported, where its configuration names it before it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_id: Option<String>,
    /// The place that the configuration names for the new object, where its provider reaches several: a part of the ids it is found by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When the object was looked for and was not there.
    #[serde(
        with = "codec::optional_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub absent_proof: Option<Timestamp>,
    /// The tag by which the object can be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_tag: Option<String>,
    /// Keyed hash of the known planned values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_hmac: Option<String>,
    /// Keyed hash of the provider's configuration, credentials left out: whether a later look goes to the same place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_hmac: Option<String>,
    /// The configurations that the new object refers to, for a program that no longer declares it; unknown in intents of older versions.
    #[serde(
        with = "codec::optional_texts",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub dependencies: Option<Vec<ConfigAddr>>,
    /// The paths in the new object that the program marked as sensitive; unknown in intents of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive_paths: Option<Vec<String>>,
    /// When the operation began.
    #[serde(with = "codec::text")]
    pub started_at: Timestamp,
    /// When the provider gives up; before that "absent" proves nothing.
    #[serde(
        with = "codec::optional_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub deadline: Option<Timestamp>,
    /// The provider's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_pid: Option<u32>,
    /// The run that asked, where that is not the one of this epoch: written when an open intent is carried on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<ProcessIdentity>,
}

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentAction {
    /// Make a new object.
    Create,
    /// Change the object.
    Update,
    /// Destroy the object.
    Delete,
    /// Take an existing object into the state.
    Import,
}

impl fmt::Display for IntentAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Import => "import",
        })
    }
}

impl Intent {
    /// An intent with only what every operation has.
    pub fn new(
        op: OperationId,
        address: InstanceAddr,
        action: IntentAction,
        provider: ProviderConfigAddr,
        started_at: Timestamp,
    ) -> Self {
        Self {
            op,
            address,
            deposed: None,
            action,
            provider,
            generation: 0,
            prior_id: None,
            planned_identity: None,
            planned_id: None,
            place: None,
            absent_proof: None,
            owner_tag: None,
            planned_hmac: None,
            provider_hmac: None,
            dependencies: None,
            sensitive_paths: None,
            started_at,
            deadline: None,
            provider_pid: None,
            asked_by: None,
        }
    }
}

/// How an operation ended: durable before "done" is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct OperationResult {
    /// The operation.
    #[serde(with = "codec::text")]
    pub op: OperationId,
    /// Which instance.
    #[serde(with = "codec::address")]
    pub address: InstanceAddr,
    /// How it ended.
    pub outcome: OperationOutcome,
    /// All that is at the address now, current and deposed; `None` when nothing is. Not looked at when the outcome is unknown:
    /// that changes nothing in the state.
    #[serde(with = "codec::instance")]
    pub instance: Option<Arc<Instance>>,
    /// A reply that could not be understood, byte for byte.
    #[serde(
        with = "codec::optional_bytes",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub undecoded: Option<Bytes>,
    /// How it failed, where it did; no text of the provider's, which may hold secrets.
    #[serde(
        with = "codec::optional_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub error_class: Option<ErrorClass>,
}

/// How an operation failed. Recovery decides by it, so it is never guessed from a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorClass {
    /// The provider reported an error.
    Reported,
    /// The provider reported that it gave up waiting or lost its connection: it does not know the outcome either.
    GaveUp,
    /// The provider process ended during the call.
    ProviderGone,
    /// The call was cancelled.
    Cancelled,
    /// The response could not be understood.
    Garbled,
    /// The call failed in another way.
    CallFailed,
    /// A class of a later version, which is kept as it is and decided like the one that calls for the most care.
    Later(String),
}

impl ErrorClass {
    /// Whether an object that the operation left behind may be incomplete, because the provider reported a failure. Such an object
    /// is replaced before anything is built on it, so a class that this version does not know counts.
    pub fn may_leave_incomplete(&self) -> bool {
        match self {
            Self::Reported | Self::GaveUp | Self::Later(_) => true,
            Self::ProviderGone | Self::Cancelled | Self::Garbled | Self::CallFailed => false,
        }
    }
}

/// The texts that journals have had since their first version.
impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reported => "provider error",
            Self::GaveUp => "provider error: gave up",
            Self::ProviderGone => "provider gone",
            Self::Cancelled => "cancelled",
            Self::Garbled => "garbled",
            Self::CallFailed => "call failed",
            Self::Later(text) => text,
        })
    }
}

impl FromStr for ErrorClass {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [
            Self::Reported,
            Self::GaveUp,
            Self::ProviderGone,
            Self::Cancelled,
            Self::Garbled,
            Self::CallFailed,
        ];
        let class = known.into_iter().find(|class| class.to_string() == text);
        Ok(class.unwrap_or_else(|| Self::Later(text.to_owned())))
    }
}

/// How an operation ended, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// Done.
    Ok,
    /// Failed, leaving an object behind that is in the state.
    Partial,
    /// Failed, and a look-up proved that no object exists.
    FailedProved,
    /// Failed by the provider's word alone.
    FailedAssumed,
    /// No answer, or none that could be understood: maybe done. The intent stays open.
    Unknown,
}

/// A change of the state that asks nothing of a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// The instance at an address; `None` takes it out.
    Instance {
        /// The address.
        #[serde(with = "codec::address")]
        address: InstanceAddr,
        /// All that is there now.
        #[serde(with = "codec::instance")]
        instance: Option<Arc<Instance>>,
    },
    /// All exports of the stack, anew.
    Outputs(BTreeMap<Arc<str>, OutputValue>),
    /// Results of checks, anew.
    CheckResults(Option<RawJson>),
    /// Several that are one: all of them, or none.
    Together(Vec<Self>),
    /// Another whole state in the place of this one, with its lineage and at least its serial (`state push`).
    State(#[serde(with = "codec::state")] Box<State>),
}

/// A snapshot and the records that it covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Checkpoint {
    /// Before or after the write.
    pub phase: CheckpointPhase,
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of its bytes.
    #[serde(with = "codec::text")]
    pub sha256: Sha256,
    /// The backend's name of that version, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Every record of this epoch below this number is contained in it.
    pub covers: u64,
    /// Operations ended since everything was last read: what providers fill in only after that is not in the state yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// Which side of the write a [`Checkpoint`] stands on. Both are needed to know our own snapshot after a crash between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointPhase {
    /// About to be written.
    Writing,
    /// Stored.
    Written,
}

/// The resolution of an unresolved operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Resolve {
    /// The operation.
    #[serde(with = "codec::text")]
    pub op: OperationId,
    /// How.
    pub how: Resolution,
    /// What showed it.
    pub evidence: String,
    /// Who decided: `recovery`, or `user@host`.
    pub who: String,
    /// The instance it concerns.
    #[serde(with = "codec::address")]
    pub address: InstanceAddr,
    /// Whether the state changed by it, to [`Self::instance`].
    pub changes_state: bool,
    /// All that is at the address now.
    #[serde(with = "codec::instance")]
    pub instance: Option<Arc<Instance>>,
}

/// How an unresolved operation was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The object exists and is ours now.
    Adopted {
        /// The provider's id of it.
        id: String,
    },
    /// Nothing was made.
    Absent,
    /// A person chose to forget it.
    Forgotten,
    /// It is gone.
    Deleted,
    /// It was read: the state holds the truth again.
    Refreshed,
}

/// The use of a saved plan, which has only one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct PlanUse {
    /// Names the plan alone.
    pub nonce: String,
    /// Who applied it.
    pub who: String,
    /// When.
    #[serde(with = "codec::text")]
    pub at: Timestamp,
}

/// A step of instances on their way between the states of two stacks, in the journal of one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Transfer {
    /// Names it in both journals.
    pub id: String,
    /// Which step.
    pub step: TransferStep,
    /// The other state, as `--backend` takes it.
    pub other: String,
    /// The addresses of the instances.
    pub addresses: Vec<String>,
    /// The change of this state that the step is; carried on to later epochs without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Who moves them.
    pub who: String,
    /// When.
    #[serde(with = "codec::text")]
    pub at: Timestamp,
}

/// The steps of a transfer, in their order: the state that instances leave says so first, and lets them go once they have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStep {
    /// They are about to leave this state, and are still in it.
    Announced,
    /// They are in this state now, and may still be in the one that they come from.
    Arrived,
    /// They have left this state.
    Left,
    /// They stay in this state: they never arrived in the other.
    Withdrawn,
    /// They are in this state alone.
    Confirmed,
}

impl TransferStep {
    /// Whether something is still to be done after it.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Announced | Self::Arrived)
    }
}

/// The end of an epoch by another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Seal {
    /// The epoch that follows.
    pub new_epoch: u64,
    /// The run that seals.
    pub run: String,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    #[serde(with = "codec::text")]
    pub at: Timestamp,
}

/// Everything before a place is contained in what follows it: written before that is deleted, so that nothing depends on how much of
/// it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Trim {
    /// The epoch of the first segment that is still needed.
    pub epoch: u64,
    /// Which segment of that epoch it is.
    pub segment: u64,
}

impl Change {
    /// Whether it would make a difference in a state.
    pub fn changes(&self, state: &State) -> bool {
        match self {
            Self::Instance { address, instance } => {
                let instance = instance.as_ref().filter(|instance| !instance.is_empty());
                state.instance(address) != instance
            }
            Self::Outputs(outputs) => state.outputs != *outputs,
            Self::CheckResults(results) => state.check_results != *results,
            Self::Together(changes) => changes.iter().any(|change| change.changes(state)),
            Self::State(other) => !other.same_content(state) || other.lineage != state.lineage,
        }
    }

    /// Makes the change in a state.
    pub fn apply(&self, state: &mut State) {
        match self {
            Self::Instance { address, instance } => state.set_instance(address, instance.clone()),
            Self::Outputs(outputs) => state.outputs = outputs.clone(),
            Self::CheckResults(results) => state.check_results = results.clone(),
            Self::Together(changes) => changes.iter().for_each(|change| change.apply(state)),
            Self::State(other) => *state = State::clone(other),
        }
    }
}

impl Resolve {
    /// Makes the change in a state, where there is one.
    pub fn apply(&self, state: &mut State) {
        if self.changes_state {
            state.set_instance(&self.address, self.instance.clone());
        }
    }
}

impl OperationResult {
    /// Makes the change in a state; an unknown outcome changes nothing.
    pub fn apply(&self, state: &mut State) {
        if self.outcome != OperationOutcome::Unknown {
            state.set_instance(&self.address, self.instance.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_class_is_written_as_before_and_one_of_a_later_version_is_kept() {
        let op = "0".repeat(32);
        for (text, class, may_leave_incomplete) in [
            ("provider error", ErrorClass::Reported, true),
            ("provider error: gave up", ErrorClass::GaveUp, true),
            ("provider gone", ErrorClass::ProviderGone, false),
            ("cancelled", ErrorClass::Cancelled, false),
            ("garbled", ErrorClass::Garbled, false),
            ("call failed", ErrorClass::CallFailed, false),
            ("quota spent", ErrorClass::Later("quota spent".into()), true),
        ] {
            let json = format!(
                r#"{{"result":{{"op":"{op}","address":"t.a","outcome":"unknown","instance":null,"error_class":"{text}"}}}}"#
            );
            let record = codec::decode(json.as_bytes());
            let Ok(Record::Result(result)) = &record else {
                panic!("no result in {json}");
            };
            assert_eq!(result.error_class, Some(class.clone()));
            assert_eq!(class.may_leave_incomplete(), may_leave_incomplete, "{text}");
            let written = codec::encode(record.as_ref().expect("a record"));
            assert!(String::from_utf8_lossy(&written).contains(&format!(r#""{text}""#)));
            assert_eq!(codec::decode(&written), record);
        }
    }

    #[test]
    fn an_intent_of_an_older_version_is_read() {
        let op = "0".repeat(32);
        let text = format!(
            r#"{{"intent":{{"op":"{op}","address":"t.a","action":"create","provider":"provider[\"h.example/ns/t\"]","generation":1,"started_at":"2023-11-14T22:13:20Z"}}}}"#
        );
        let Ok(Record::Intent(intent)) = codec::decode(text.as_bytes()) else {
            panic!("no intent in {text}");
        };
        assert_eq!(intent.dependencies, None);
        assert_eq!(intent.sensitive_paths, None);
        let known = Intent {
            dependencies: Some(vec!["module.m.t.b".parse().expect("an address")]),
            sensitive_paths: Some(vec!["tags[\"a\"]".to_owned()]),
            ..*intent
        };
        let record = Record::Intent(known.into());
        assert_eq!(codec::decode(&codec::encode(&record)), Ok(record));
    }
}
