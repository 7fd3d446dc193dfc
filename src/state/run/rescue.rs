//! What a run leaves in a file when neither state nor journal could be written: its results, for a later run to take over.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::journal::{IntentAction, OpenIntent, OperationId, Resolution, Resolve};
use crate::model::{RawJson, State};

/// The member of the file that makes it more than a state. Tools that do not know it read the file as a state.
const MEMBER: &str = "terrane_rescue";

#[derive(Serialize, Deserialize)]
struct Member {
    ended: Vec<String>,
}

/// A state with the operations whose ends it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescued {
    state: State,
    ended: BTreeSet<OperationId>,
}

impl Rescued {
    pub(super) fn new(state: State, ended: BTreeSet<OperationId>) -> Self {
        Self { state, ended }
    }

    /// The state with the member that [`of`](Self::of) reads.
    pub(super) fn to_state(&self) -> State {
        let ended = self.ended.iter().map(ToString::to_string).collect();
        let member = serde_json::to_string(&Member { ended });
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
        let ended = member.ended.iter().map(|op| op.parse().ok());
        Some(Self {
            ended: ended.collect::<Option<_>>()?,
            state: State {
                extra: extra.into(),
                ..state.clone()
            },
        })
    }

    /// How operations ended that nobody else saw the end of. Whatever the state has become since, this is about them alone.
    pub fn resolutions(&self, open: &[OpenIntent], who: &str) -> Vec<Resolve> {
        open.iter()
            .filter(|open| self.ended.contains(&open.intent.op))
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
