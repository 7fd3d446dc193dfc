//! Reads a journal back: what a snapshot lacks, and which operations nobody saw the end of.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use terrane_core::addr::InstanceAddr;
use thiserror::Error;

use super::frame::{self, EndReason, Frame};
use super::{
    Change, Checkpoint, Intent, Open, OperationId, OperationResult, Outcome, PlanUse,
    ProcessIdentity, Record, codec,
};
use crate::backend::{Position, Segment};
use crate::digest::Sha256;
use crate::model::{Instance, Lineage, State};

/// The journal can not be used; an integrity refusal (exit code 7).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A record in its middle is unreadable or missing.
    #[error(
        "the journal is damaged at {epoch}/{number}: {reason}; operations that it still shows as begun: {}",
        list(intents)
    )]
    Damaged {
        /// The epoch of the last good record before the damage.
        epoch: u64,
        /// The number the damaged record would have.
        number: u64,
        /// What is wrong there.
        reason: String,
        /// Every intent that could be read, also behind the damage.
        intents: Vec<Intent>,
    },
}

fn list(intents: &[Intent]) -> String {
    if intents.is_empty() {
        return "none".to_owned();
    }
    let intents = intents
        .iter()
        .map(|intent| format!("{} {} ({})", intent.action, intent.address, intent.op));
    intents.collect::<Vec<_>>().join(", ")
}

/// An operation that was begun and whose end is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// What was asked.
    pub intent: Intent,
    /// What came back and could not settle it: an unknown outcome, or a result that another tool's state contradicts.
    pub result: Option<OperationResult>,
    /// The process that asked, unless it is this one.
    pub by: Option<ProcessIdentity>,
}

/// What a journal says, over all of its epochs.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The last run's opening, where it is still there.
    pub(crate) open: Option<Arc<Open>>,
    /// The lineage that the last run gave the state, if it put another state in its place.
    pushed: Option<Lineage>,
    /// The last good frame's place, number and hash.
    pub(crate) last: Option<(Position, u64, Sha256)>,
    /// Whether the last epoch ended, by its run or by a seal.
    pub(crate) ended: bool,
    /// The last snapshot that is known to be stored: its serial and digest.
    pub(crate) stored: Option<(u64, Option<Sha256>)>,
    /// Snapshots that may have been stored after that one.
    attempts: Vec<(u64, Checkpoint)>,
    /// Changes of the state with their epoch and number, in order.
    pending: Vec<(u64, u64, Pending)>,
    /// Saved plans that were applied, oldest first.
    pub(crate) plans: Vec<PlanUse>,
    /// Begun and not ended, by operation.
    intents: BTreeMap<OperationId, OpenIntent>,
}

/// One change that a snapshot may lack.
#[derive(Debug, Clone)]
pub(crate) enum Pending {
    /// By an operation; its intent is there unless it was trimmed.
    Result(OperationResult, Option<Box<Intent>>),
    /// By nothing that a provider was asked.
    Change(Change),
}

impl Pending {
    /// Makes the change in a state.
    pub(crate) fn apply(&self, state: &mut State) {
        match self {
            Self::Result(result, _) => result.apply(state),
            Self::Change(change) => change.apply(state),
        }
    }

    /// Whether it only makes sense over the state that it was made for.
    pub(crate) fn is_edit(&self) -> bool {
        matches!(self, Self::Change(Change::Together(_) | Change::State(_)))
    }

    /// The instance it leaves behind, where it concerns one.
    pub(crate) fn instance(&self) -> Option<(&InstanceAddr, Option<&Arc<Instance>>)> {
        match self {
            Self::Result(result, _) => Some((&result.address, result.instance.as_ref())),
            Self::Change(Change::Instance { address, instance }) => {
                Some((address, instance.as_ref()))
            }
            Self::Change(_) => None,
        }
    }
}

impl Log {
    /// Reads every segment. A torn last record is left out: it was never acknowledged.
    pub(crate) fn read(segments: &[Segment]) -> Result<Self, JournalError> {
        let mut log = Self::default();
        for (place, segment) in segments.iter().enumerate() {
            let (frames, end) = frame::decode(&segment.bytes);
            for frame in frames {
                log.take(&frame)
                    .map_err(|reason| log.damaged(reason, segments))?;
            }
            let is_last = place + 1 == segments.len();
            match end.reason {
                EndReason::Whole => {}
                EndReason::Torn if is_last => {}
                EndReason::Torn | EndReason::Damaged => {
                    let reason = format!(
                        "segment {} can not be read from byte {}",
                        segment.at, end.offset
                    );
                    return Err(log.damaged(reason, segments));
                }
            }
        }
        Ok(log)
    }

    fn damaged(&self, reason: String, segments: &[Segment]) -> JournalError {
        let salvage = |bytes: &Bytes| frame::salvage(bytes);
        let frames = segments.iter().flat_map(|segment| salvage(&segment.bytes));
        let intents = frames.filter_map(|frame| match codec::decode(&frame.payload) {
            Ok(Record::Intent(intent)) => Some(*intent),
            _ => None,
        });
        let (epoch, number) = self
            .last
            .map_or((0, 0), |(at, number, _)| (at.epoch, number + 1));
        JournalError::Damaged {
            epoch,
            number,
            reason,
            intents: intents.collect(),
        }
    }

    fn take(&mut self, frame: &Frame) -> Result<(), String> {
        match self.last {
            // What came before the first frame may have been trimmed.
            None => {}
            Some((at, number, hash)) if at.epoch == frame.at.epoch => {
                if frame.number != number + 1 || frame.previous != hash {
                    return Err(format!(
                        "record {} does not follow record {number}",
                        frame.number
                    ));
                }
                if self.ended {
                    return Err("a record follows the end of its epoch".to_owned());
                }
            }
            Some((at, ..)) if frame.at.epoch < at.epoch || frame.number != 0 => {
                let epoch = frame.at.epoch;
                return Err(format!("the beginning of epoch {epoch} is missing"));
            }
            Some(_) => {}
        }
        self.last = Some((frame.at, frame.number, frame.hash));
        let record = codec::decode(&frame.payload)?;
        self.ended = matches!(record, Record::Close | Record::Seal(_));
        self.read_record(frame.at.epoch, frame.number, record);
        Ok(())
    }

    fn read_record(&mut self, epoch: u64, number: u64, record: Record) {
        match record {
            Record::Open(open) => {
                // A run opens over the snapshot it read, so that one is stored.
                self.stored = Some((open.base_serial, open.base_sha256));
                self.pushed = None;
                self.open = Some(Arc::new(open));
            }
            Record::Intent(mut intent) => {
                let of_epoch = || self.open.as_ref().map(|open| open.process.clone());
                let open = OpenIntent {
                    by: intent.asked_by.take().or_else(of_epoch),
                    result: None,
                    intent: *intent,
                };
                self.intents.insert(open.intent.op, open);
            }
            Record::Result(result) => {
                if result.outcome == Outcome::Unknown {
                    if let Some(open) = self.intents.get_mut(&result.op) {
                        open.result = Some(result);
                    }
                    return;
                }
                let intent = self.intents.remove(&result.op).map(|open| open.intent);
                self.pending
                    .push((epoch, number, Pending::Result(result, intent.map(Box::new))));
            }
            Record::Change(change) => {
                if let Change::State(state) = &change {
                    self.pushed = Some(state.lineage.clone());
                }
                self.pending.push((epoch, number, Pending::Change(change)));
            }
            Record::Resolve(resolve) => {
                self.intents.remove(&resolve.op);
                if resolve.changes_state {
                    let change = Change::Instance {
                        address: resolve.address,
                        instance: resolve.instance,
                    };
                    self.pending.push((epoch, number, Pending::Change(change)));
                }
            }
            Record::Checkpoint(checkpoint) => match checkpoint.phase {
                super::CheckpointPhase::Writing => self.attempts.push((epoch, checkpoint)),
                super::CheckpointPhase::Written => self.stored_as(epoch, &checkpoint),
            },
            Record::Plan(plan) => {
                if !self.plans.contains(&plan) {
                    self.plans.push(plan);
                }
            }
            Record::Seal(_) | Record::Close => {}
        }
    }

    fn stored_as(&mut self, epoch: u64, checkpoint: &Checkpoint) {
        self.stored = Some((checkpoint.serial, Some(checkpoint.sha256)));
        self.attempts.clear();
        let covers = checkpoint.covers;
        self.pending
            .retain(|(of, number, _)| *of > epoch || (*of == epoch && *number >= covers));
    }

    /// Takes note of the snapshot that is there: if it is one that this journal was writing, that write succeeded.
    pub(crate) fn found(&mut self, sha256: &Sha256) {
        let attempt = self
            .attempts
            .iter()
            .find(|(_, attempt)| attempt.sha256 == *sha256);
        if let Some((epoch, attempt)) = attempt.cloned() {
            self.stored_as(epoch, &attempt);
        }
    }

    /// The lineage that the state had for this journal, if a state of that one can not be meant.
    pub(crate) fn contradicts(&self, lineage: &Lineage) -> Option<Lineage> {
        let open: Lineage = self.open.as_ref()?.lineage.as_str().into();
        let known = [Some(&open), self.pushed.as_ref()];
        let fits = |known: &Lineage| known.is_empty() || known == lineage;
        let fits = lineage.is_empty() || known.into_iter().flatten().any(fits);
        (!fits).then_some(open)
    }

    /// What the snapshot lacks, in order.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().map(|(.., pending)| pending)
    }

    /// Operations that were begun and not ended, oldest first.
    pub(crate) fn open_intents(&self) -> Vec<OpenIntent> {
        let mut open: Vec<OpenIntent> = self.intents.values().cloned().collect();
        open.sort_by_key(|open| (open.intent.started_at, open.intent.op));
        open
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;
    use crate::journal::IntentAction;

    /// Two segments: four operations begun, the first two ended.
    fn journal() -> Vec<Segment> {
        let intent = |n: u128| {
            Intent::new(
                format!("{n:032x}").parse().expect("an id"),
                format!("t.x{n}").parse().expect("an address"),
                IntentAction::Create,
                "provider[\"h.example/ns/t\"]".parse().expect("an address"),
                Timestamp::new(1_800_000_000, 0),
            )
        };
        let result = |n: u128| OperationResult {
            op: intent(n).op,
            address: intent(n).address,
            outcome: Outcome::Ok,
            instance: None,
            undecoded: None,
            error_class: None,
        };
        let mut records: Vec<Record> = (0..4).map(|n| Record::Intent(intent(n).into())).collect();
        records.extend([Record::Result(result(0)), Record::Result(result(1))]);
        let (mut previous, mut segments) = (Sha256::default(), vec![Vec::new(), Vec::new()]);
        for (number, record) in records.iter().enumerate() {
            let segment = number / 3;
            let at = Position {
                epoch: 1,
                segment: segment as u64,
            };
            let payload = codec::encode(record);
            previous = frame::encode(
                at,
                number as u64,
                previous,
                &payload,
                &mut segments[segment],
            );
        }
        let places = segments.into_iter().zip(0..);
        places
            .map(|(bytes, segment)| Segment {
                at: Position { epoch: 1, segment },
                bytes: bytes.into(),
            })
            .collect()
    }

    #[test]
    fn what_began_and_did_not_end_is_open() {
        let log = Log::read(&journal()).expect("whole");
        assert_eq!(log.open_intents().len(), 2);
        assert_eq!(log.pending().count(), 2);
        assert!(!log.ended);
    }

    #[test]
    fn a_missing_segment_is_damage_and_the_readable_intents_are_named() {
        let mut segments = journal();
        segments.push(Segment {
            at: Position {
                epoch: 1,
                segment: 2,
            },
            ..segments[0].clone()
        });
        let JournalError::Damaged { intents, .. } = Log::read(&segments).expect_err("damaged");
        assert!(intents.len() >= 4);
        let error = Log::read(&segments).expect_err("damaged").to_string();
        assert!(error.contains("create t.x3"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damage_is_an_error_or_cuts_the_tail(segment in 0usize..2, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut segments = journal();
            let mut bytes = segments[segment].bytes.to_vec();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            segments[segment].bytes = bytes.into();
            match Log::read(&segments) {
                // Only the very last record may be taken for torn; what is left says that more is open, not less.
                Ok(log) => prop_assert!(segment == 1 && log.open_intents().len() >= 2),
                Err(JournalError::Damaged { reason, .. }) => prop_assert!(!reason.is_empty()),
            }
        }

        #[test]
        fn a_cut_last_segment_is_read_to_its_last_good_record(at in any::<prop::sample::Index>()) {
            let mut segments = journal();
            let bytes = segments[1].bytes.clone();
            segments[1].bytes = bytes.slice(..at.index(bytes.len()));
            let log = Log::read(&segments).expect("a torn tail is no damage");
            prop_assert!(log.open_intents().len() >= 3);
        }
    }
}
