//! Reads a journal back: the changes that a snapshot lacks, and the unresolved operations.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;

use super::damage::{Damage, JournalError};
use super::frame::{self, End, EndReason, Frame};
use super::{
    Change, Checkpoint, Intent, Open, OperationId, OperationOutcome, OperationResult, PastRun,
    PlanUse, ProcessIdentity, Record, Tally, Transfer, Trim, codec, remember,
};
use crate::backend::{Position, Segment};
use crate::clock::Timestamp;
use crate::counter;
use crate::digest::Sha256;
use crate::model::{Instance, Lineage, State};

/// An unresolved operation: an intent without a result.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// The intent.
    pub intent: Intent,
    /// A result that does not resolve it: an unknown outcome, or one that another tool's state contradicts.
    pub result: Option<OperationResult>,
    /// The process that asked, unless it is this one.
    pub by: Option<ProcessIdentity>,
}

/// The content of a journal, over all of its epochs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    /// The last run's opening, where it is still there.
    pub(crate) open: Option<Arc<Open>>,
    /// The lineage that the last run gave the state, if it put another state in its place.
    pushed: Option<Lineage>,
    /// The last good frame's place, number and hash.
    pub(crate) last: Option<(Position, u64, Sha256)>,
    /// The first segment that could be read where no record tells what was trimmed before it: it must end its epoch in order.
    headless: Option<Position>,
    /// How many records were read.
    records: usize,
    /// The latest time that a record tells.
    latest: Option<Timestamp>,
    /// Whether the last epoch ended, by its run or by a seal.
    pub(crate) ended: bool,
    /// The last snapshot that is known to be stored: its serial and digest.
    pub(crate) stored: Option<(u64, Option<Sha256>)>,
    /// Snapshots that may have been stored after that one.
    attempts: Vec<(u64, Checkpoint)>,
    /// Changes of the state with their epoch and number, in order.
    pending: Vec<(u64, u64, Pending)>,
    /// Operations ended since everything was last read.
    pub(crate) unread: bool,
    /// Saved plans that were applied, oldest first.
    pub(crate) plans: Vec<PlanUse>,
    /// Transfers that are not done yet, by their ids.
    pub(crate) transfers: BTreeMap<String, Transfer>,
    /// Earlier runs, oldest first, and the last one as soon as another has begun.
    past: Vec<PastRun>,
    /// The operations of the last run.
    done: Tally,
    /// Whether the last run ended in order.
    closed: bool,
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
    /// By a transfer: the other state counts on it, whatever came between.
    Transfer(Change),
}

impl Pending {
    /// Makes the change in a state.
    pub(crate) fn apply(&self, state: &mut State) {
        match self {
            Self::Result(result, _) => result.apply(state),
            Self::Change(change) | Self::Transfer(change) => change.apply(state),
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
            Self::Change(_) | Self::Transfer(_) => None,
        }
    }
}

/// A segment and its records.
struct Decoded<'a> {
    segment: &'a Segment,
    frames: Vec<Frame>,
    end: End,
}

/// The first place that is still needed, where a record says so.
fn needed<'a>(frames: impl Iterator<Item = &'a Frame>) -> Option<Position> {
    let trims = frames.filter(|frame| frame.payload.starts_with(b"{\"trim\":"));
    let places = trims.filter_map(|frame| match codec::decode(&frame.payload) {
        Ok(Record::Trim(Trim { epoch, segment })) => {
            Some(Position { epoch, segment }).filter(|place| *place <= frame.at)
        }
        _ => None,
    });
    places.max()
}

impl Log {
    /// Reads every segment that is still needed.
    pub(crate) fn read(segments: &[Segment]) -> Result<Self, JournalError> {
        let decoded = segments.iter().map(|segment| {
            let (frames, end) = frame::decode(&segment.bytes);
            Decoded {
                segment,
                frames,
                end,
            }
        });
        let decoded: Vec<Decoded<'_>> = decoded.collect();
        let mut log = Self::default();
        match log.follow(&decoded) {
            Ok(()) => Ok(log),
            Err(reason) => Err(log.damaged(reason, segments)),
        }
    }

    /// Everything that can be read of a damaged journal, in its order.
    pub(crate) fn salvage(segments: &[Segment]) -> Self {
        let frames = segments
            .iter()
            .flat_map(|segment| frame::salvage(&segment.bytes));
        let mut frames: Vec<Frame> = frames.collect();
        frames.sort_by_key(|frame| (frame.at.epoch, frame.number));
        frames.dedup_by_key(|frame| (frame.at.epoch, frame.number));
        let needed = needed(frames.iter());
        let mut log = Self::default();
        for frame in &frames {
            let is_needed = needed.is_none_or(|needed| frame.at >= needed);
            if is_needed
                && check_counters(frame.at, frame.number).is_ok()
                && let Ok(record) = codec::decode(&frame.payload)
            {
                log.last = Some((frame.at, frame.number, frame.hash));
                log.read_record(frame.at.epoch, frame.number, record);
            }
        }
        log
    }

    fn damaged(&self, reason: String, segments: &[Segment]) -> JournalError {
        let salvaged = Self::salvage(segments);
        let (epoch, number) = self
            .last
            .map_or((0, 0), |(at, number, _)| (at.epoch, number + 1));
        JournalError::Damaged(Box::new(Damage {
            epoch,
            number,
            reason,
            before: self.records,
            behind: salvaged.records.saturating_sub(self.records),
            last_known: salvaged.latest,
            open: salvaged.open_intents(),
        }))
    }

    /// Reads segment after segment, as long as each record follows the one before.
    fn follow(&mut self, decoded: &[Decoded<'_>]) -> Result<(), String> {
        let needed = needed(decoded.iter().flat_map(|segment| &segment.frames));
        let is_needed = |at: Position| needed.is_none_or(|needed| at >= needed);
        for (place, one) in decoded.iter().enumerate() {
            let at = one.segment.at;
            if !is_needed(at) {
                continue;
            }
            check_counters(at, 0)?;
            if one.segment.bytes.is_empty() {
                // It keeps the last place of an epoch that others have followed.
                let followed = decoded[place + 1..]
                    .iter()
                    .any(|later| later.segment.at.epoch > at.epoch && !later.frames.is_empty());
                if !followed {
                    return Err(format!("segment {at} is empty"));
                }
                self.ended = true;
                continue;
            }
            for frame in one.frames.iter().filter(|frame| is_needed(frame.at)) {
                self.take(frame, needed)?;
            }
            match one.end.reason {
                EndReason::Whole => {}
                EndReason::Torn => return Err(format!("segment {at} is cut off")),
                EndReason::Damaged(flaw) => {
                    let offset = one.end.offset;
                    return Err(format!("{flaw} byte {offset} of segment {at}"));
                }
            }
            if let Some(last) = one.frames.last().filter(|last| last.at != at) {
                return Err(format!("segment {at} holds records of segment {}", last.at));
            }
        }
        match self.headless {
            Some(at) => Err(beginning_missing(at.epoch)),
            None => Ok(()),
        }
    }

    fn take(&mut self, frame: &Frame, needed: Option<Position>) -> Result<(), String> {
        let Position { epoch, segment } = frame.at;
        check_counters(frame.at, frame.number)?;
        match self.last {
            None => match needed {
                Some(needed) if needed != frame.at => {
                    return Err(format!("segment {needed} is missing"));
                }
                Some(_) => {}
                None if frame.number == 0 && segment == 0 => {}
                None => self.headless = Some(frame.at),
            },
            Some((at, number, hash)) if at.epoch == epoch => {
                if frame.number != number + 1 || frame.previous != hash {
                    return Err(format!(
                        "record {epoch}/{} does not follow record {epoch}/{number}",
                        frame.number
                    ));
                }
                if self.ended {
                    return Err(format!("a record follows the end of epoch {epoch}"));
                }
            }
            Some((at, ..)) if epoch < at.epoch => {
                return Err(format!("epoch {epoch} follows epoch {}", at.epoch));
            }
            Some((at, ..)) if epoch > at.epoch + 1 => {
                return Err(format!("epoch {} is missing", at.epoch + 1));
            }
            Some(_) if frame.number != 0 => return Err(beginning_missing(epoch)),
            Some((at, ..)) if !self.ended => {
                return Err(format!("the end of epoch {} is missing", at.epoch));
            }
            Some(_) => {}
        }
        if let Some(at) = self.headless.filter(|at| *at != frame.at) {
            return Err(beginning_missing(at.epoch));
        }
        let record = codec::decode(&frame.payload)
            .map_err(|error| format!("record {epoch}/{} is no record: {error}", frame.number))?;
        self.last = Some((frame.at, frame.number, frame.hash));
        self.ended = matches!(record, Record::Close | Record::Seal(_));
        if record == Record::Close {
            self.headless = None;
        }
        self.read_record(epoch, frame.number, record);
        Ok(())
    }

    fn read_record(&mut self, epoch: u64, number: u64, record: Record) {
        self.records += 1;
        self.latest = self.latest.max(match &record {
            Record::Open(open) => Some(open.at),
            Record::Intent(intent) => Some(intent.started_at),
            Record::Plan(plan) => Some(plan.at),
            Record::Transfer(transfer) => Some(transfer.at),
            Record::Seal(seal) => Some(seal.at),
            _ => None,
        });
        match record {
            Record::Open(open) => {
                // A run opens over the snapshot it read, so that one is stored.
                self.stored = Some((open.base_serial, open.base_sha256));
                self.pushed = None;
                self.past = self.runs();
                (self.done, self.closed) = (Tally::default(), false);
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
                self.unread = true;
                if let Some(open) = self.intents.get(&result.op)
                    && open.by.as_ref() == self.open.as_ref().map(|open| &open.process)
                {
                    self.done.count(open.intent.action, result.outcome);
                }
                if result.outcome == OperationOutcome::Unknown {
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
            Record::Checkpoint(checkpoint) => {
                self.unread = checkpoint.unread;
                match checkpoint.phase {
                    super::CheckpointPhase::Writing => self.attempts.push((epoch, checkpoint)),
                    super::CheckpointPhase::Written => self.stored_as(epoch, &checkpoint),
                }
            }
            Record::Plan(plan) => {
                if !self.plans.contains(&plan) {
                    self.plans.push(plan);
                }
            }
            Record::Transfer(mut transfer) => {
                if let Some(change) = transfer.change.take() {
                    self.pending
                        .push((epoch, number, Pending::Transfer(change)));
                }
                match transfer.step.is_open() {
                    true => self.transfers.insert(transfer.id.clone(), *transfer),
                    false => self.transfers.remove(&transfer.id),
                };
            }
            Record::Past(run) => remember(&mut self.past, *run),
            Record::Close => self.closed = true,
            Record::Seal(_) | Record::Trim(_) => {}
        }
    }

    /// The latest runs, oldest first: also one that did not end in order.
    pub(crate) fn runs(&self) -> Vec<PastRun> {
        let mut runs = self.past.clone();
        if let Some(open) = self.open.as_ref().filter(|_| !self.closed) {
            remember(&mut runs, PastRun::begun(open, self.done));
        }
        runs
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

    /// The lineage that the state had for this journal, if it is not the given one.
    pub(crate) fn contradicts(&self, lineage: &Lineage) -> Option<Lineage> {
        let open: Lineage = self.open.as_ref()?.lineage.as_str().into();
        let known = [Some(&open), self.pushed.as_ref()];
        let fits = |known: &Lineage| known.is_empty() || known == lineage;
        let fits = lineage.is_empty() || known.into_iter().flatten().any(fits);
        (!fits).then_some(open)
    }

    /// The changes that the snapshot lacks, in order.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().map(|(.., pending)| pending)
    }

    /// Unresolved operations, oldest first.
    pub(crate) fn open_intents(&self) -> Vec<OpenIntent> {
        let mut open: Vec<OpenIntent> = self.intents.values().cloned().collect();
        open.sort_by_key(|open| (open.intent.started_at, open.intent.op));
        open
    }
}

fn beginning_missing(epoch: u64) -> String {
    format!("the beginning of epoch {epoch} is missing")
}

fn check_counters(at: Position, number: u64) -> Result<(), String> {
    counter::check("epoch", at.epoch)?;
    counter::check("segment", at.segment)?;
    counter::check("record", number)
}

#[cfg(test)]
mod tests;
