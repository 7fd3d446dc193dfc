//! The rescue file of a run that could write neither state nor journal: its results, for a later run to take over.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use terrane_core::addr::InstanceAddr;

use super::{Recorder as _, Run};
use crate::backend::{Backend as _, BackendError, Expected, LocalBackend};
use crate::encryption::{self, StackFile};
use crate::file::v4;
use crate::journal::{IntentAction, OpenIntent, OperationId, Resolution, Resolve};
use crate::model::{Lineage, RawJson, State};

/// The member of the file that makes it more than a state. Tools that do not know it read the file as a state.
const MEMBER: &str = "terrane_rescue";

#[derive(Serialize, Deserialize)]
struct Member {
    ended: Vec<String>,
    /// Their addresses, one an operation.
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    origin: Option<Origin>,
}

/// The backend that a rescue file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Where the state is, the same text for the same state from every folder.
    pub place: String,
    /// The arguments that lead a program there, as a shell takes them.
    pub arguments: String,
}

impl Origin {
    /// Where a rescue file belongs, which also an encrypted one says; `None` where it cannot be told.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct File {
            terrane_rescue: Member,
        }
        match encryption::about(bytes) {
            Some(about) => serde_json::from_str(&about).ok(),
            None => {
                let file: File = serde_json::from_slice(bytes).ok()?;
                file.terrane_rescue.origin
            }
        }
    }
}

/// A state with the operations whose ends it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescued {
    state: State,
    ended: BTreeMap<OperationId, Option<InstanceAddr>>,
    origin: Option<Origin>,
}

/// Where the results of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it in the stored state; nothing, if it did nothing.
    State,
    /// In the journal, from which the next run goes on.
    Journal,
    /// In this process alone, which asks for [`Run::rescue`].
    Nowhere,
}

impl Rescued {
    pub(super) fn new(
        state: State,
        ended: BTreeMap<OperationId, InstanceAddr>,
        origin: Origin,
    ) -> Self {
        let ended = ended.into_iter().map(|(op, address)| (op, Some(address)));
        Self {
            state,
            ended: ended.collect(),
            origin: Some(origin),
        }
    }

    /// Where it belongs; `None` in a file of an earlier version.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The whole state, as the run saw it at its end.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Which state it is about.
    pub fn lineage(&self) -> &Lineage {
        &self.state.lineage
    }

    /// The operations' addresses at which that state does not have the objects that this file has; none when it may be removed.
    pub fn missing_from(&self, state: &State) -> Vec<InstanceAddr> {
        let known: Option<Vec<&InstanceAddr>> = self.ended.values().map(Option::as_ref).collect();
        // A file of an earlier version names no addresses: all of them count.
        let addresses = known.unwrap_or_else(|| self.state.resources.keys().collect());
        let mut missing: Vec<InstanceAddr> = addresses
            .into_iter()
            .filter(|address| ids(&self.state, address) != ids(state, address))
            .cloned()
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }

    /// The state with the member that [`of`](Self::of) reads.
    pub(super) fn to_state(&self) -> State {
        let addresses = self.ended.values().flatten();
        let member = serde_json::to_string(&Member {
            ended: self.ended.keys().map(ToString::to_string).collect(),
            addresses: addresses.map(ToString::to_string).collect(),
            origin: self.origin.clone(),
        });
        let member = member.expect("invariant: ids are serialisable");
        let member = RawJson::new(&member).expect("invariant: serialised JSON is valid");
        let mut state = self.state.clone();
        let extra = state.extra.iter().cloned();
        state.extra = extra.chain([(MEMBER.into(), member)]).collect();
        state
    }

    /// The rescue that a file holds; `None` when it is a state like any other.
    pub fn of(state: &State) -> Option<Self> {
        let (mine, extra): (Vec<_>, Vec<_>) = state
            .extra
            .iter()
            .cloned()
            .partition(|(name, _)| &**name == MEMBER);
        let (_, member) = mine.first()?;
        let member: Member = serde_json::from_str(member.as_str()).ok()?;
        let mut addresses = member.addresses.iter().map(|address| address.parse().ok());
        let ended = (member.ended.iter()).map(|op| Some((op.parse().ok()?, addresses.next()?)));
        let without = || (member.ended.iter()).map(|op| Some((op.parse().ok()?, None)));
        let ended: Option<BTreeMap<_, _>> = ended.collect();
        Some(Self {
            ended: match ended {
                Some(ended) => ended,
                None => without().collect::<Option<_>>()?,
            },
            origin: member.origin,
            state: State {
                extra: extra.into(),
                ..state.clone()
            },
        })
    }

    /// The resolutions of unresolved operations whose results are in this file. They concern these operations alone.
    pub fn resolutions(&self, open: &[OpenIntent], who: &str) -> Vec<Resolve> {
        open.iter()
            .filter(|open| self.ended.contains_key(&open.intent.op))
            .map(|open| {
                let address = open.intent.address.clone();
                let instance = self.state.instance(&address).cloned();
                Resolve {
                    op: open.intent.op,
                    how: match (open.intent.action, &instance) {
                        (IntentAction::Create | IntentAction::Import, None) => Resolution::Absent,
                        (IntentAction::Delete, None) => Resolution::Deleted,
                        _ => Resolution::Refreshed,
                    },
                    evidence: "the file of the run that saw the answer".to_owned(),
                    who: who.to_owned(),
                    changes_state: true,
                    address,
                    instance,
                }
            })
            .collect()
    }
}

/// What tells the objects of an instance from others: the ids of the current and of the deposed ones.
fn ids(state: &State, address: &InstanceAddr) -> Vec<Option<String>> {
    let Some(instance) = state.instance(address) else {
        return Vec::new();
    };
    let current = instance.current.iter();
    let mut ids: Vec<_> = current
        .chain(instance.deposed.values())
        .map(|object| object.id())
        .collect();
    ids.sort();
    ids
}

impl Run {
    /// Where what this run did is, when it could not be closed.
    pub async fn kept(&self) -> Kept {
        let (telling, state, begun) = {
            let now = self.now();
            let begun = now.open.values().any(|open| open.by.is_none());
            (now.telling, now.state.clone(), begun)
        };
        let is_stored = match telling {
            None => true,
            Some(_) => state.same_content(&self.stored.lock().await.state),
        };
        match telling {
            _ if is_stored && !begun => Kept::State,
            Some(number) if !is_stored && !self.writer.is_durable(number) => Kept::Nowhere,
            _ => Kept::Journal,
        }
    }

    /// Writes the state as it is now into a file of its own, readable by its owner only: for when it could not be stored where
    /// it belongs. The file is a state, and [`Rescued::of`] reads more from it.
    ///
    /// # Errors
    /// When it cannot be written either.
    pub async fn rescue(&self, path: &Path, origin: Origin) -> Result<(), BackendError> {
        let mut state = self.state();
        state.serial += 1;
        if state.lineage.is_empty() {
            state.lineage = Lineage::random(&*self.random);
        }
        let file = LocalBackend::new(path)?;
        let over = match file.read().await? {
            None => Expected::Absent,
            Some(snapshot) => Expected::Token(snapshot.token),
        };
        let about = serde_json::to_string(&origin).expect("invariant: an origin is serialisable");
        let rescued = Rescued::new(state, self.now().ended.clone(), origin);
        let bytes = v4::write(&rescued.to_state(), v4::Layout::Indented);
        let backend = &self.holding.backend;
        let sealed = backend.seal(StackFile::Rescue, &about, bytes.into());
        let sealed = sealed.await?;
        file.write(sealed, &over).await.map(drop)
    }
}
