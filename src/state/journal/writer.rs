//! Appends records so that many which are ready together cost one write, and the next write begins when one ends.
//!
//! **Why not** several writes at once: the second may arrive where the first does not. Reader, seal and trimming would have to tell such
//! a hole from a lost segment, to win 8 ms for a record at 50 ms a write. **Why not** wait for company before a write: while one is under
//! way, the others gather anyway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Record, codec, frame};
use crate::backend::{Backend, BackendError, Position};
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::run::RecordError;

/// The journal of one run.
///
/// The first that waits for a record writes for all: there is no task and no thread, and a dropped future leaves
/// its records to the next one.
#[derive(Debug)]
pub(crate) struct Writer {
    backend: Arc<dyn Backend>,
    queue: Mutex<Queue>,
    /// Held during a write.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Queue {
    /// Where the next segment goes.
    next: Position,
    /// The number of the next record.
    number: u64,
    /// Records below this number are durable.
    durable: u64,
    /// The hash of the last encoded frame.
    previous: Sha256,
    /// Payloads that are in no segment yet.
    waiting: Vec<Vec<u8>>,
    /// The segment that is being written, and the number behind its last record.
    in_flight: Option<(Bytes, u64)>,
    /// An earlier try to write it failed or was dropped, and may have arrived all the same.
    is_repeated: bool,
    fenced: Option<RecordError>,
}

impl Writer {
    /// A journal that goes on at that place, behind a record with that number and hash if there is one.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        next: Position,
        number: u64,
        previous: Sha256,
    ) -> Self {
        Self {
            backend,
            queue: Mutex::new(Queue {
                next,
                number,
                durable: number,
                previous,
                waiting: Vec::new(),
                in_flight: None,
                is_repeated: false,
                fenced: None,
            }),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a record in its place in the order; its number.
    pub(crate) fn enqueue(&self, record: &Record) -> u64 {
        let payload = codec::encode(record);
        let mut queue = self.queue();
        queue.waiting.push(payload);
        queue.number += 1;
        queue.number - 1
    }

    /// Whether the record with that number, and all before it, are durable.
    pub(crate) fn is_durable(&self, number: u64) -> bool {
        self.queue().durable > number
    }

    /// The number that the next record will have.
    pub(crate) fn next_number(&self) -> u64 {
        self.queue().number
    }

    /// Where the next segment goes.
    pub(crate) fn next_position(&self) -> Position {
        self.queue().next
    }

    /// Refuses every later record.
    pub(crate) fn fence(&self, error: RecordError) {
        self.queue().fenced.get_or_insert(error);
    }

    /// Returns when the record with that number, and all before it, are durable.
    pub(crate) async fn durable(&self, number: u64) -> Result<(), RecordError> {
        if self.is_done(number)? {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.is_done(number)? {
            return Ok(());
        }
        // Those that are ready now join this write: a third fewer of them when ten operations are running.
        tokio::task::yield_now().await;
        while !self.is_done(number)? {
            self.write_segment().await?;
        }
        Ok(())
    }

    fn is_done(&self, number: u64) -> Result<bool, RecordError> {
        let queue = self.queue();
        match &queue.fenced {
            _ if queue.durable > number => Ok(true),
            Some(error) => Err(error.clone()),
            None => Ok(false),
        }
    }

    /// Writes the waiting records, or once more the segment that an earlier try did not finish.
    async fn write_segment(&self) -> Result<(), RecordError> {
        let (at, bytes, behind, is_repeated) = {
            let mut queue = self.queue();
            let at = queue.next;
            if queue.in_flight.is_none() {
                let mut bytes = Vec::new();
                let waiting = std::mem::take(&mut queue.waiting);
                let first = queue.number - waiting.len() as u64;
                for (number, payload) in (first..).zip(&waiting) {
                    queue.previous = frame::encode(at, number, queue.previous, payload, &mut bytes);
                }
                queue.in_flight = Some((bytes.into(), queue.number));
            }
            let (bytes, behind) = queue.in_flight.clone().expect("invariant: filled above");
            // Until this try has an answer: its future may be dropped when the segment has arrived.
            let is_repeated = std::mem::replace(&mut queue.is_repeated, true);
            (at, bytes, behind, is_repeated)
        };
        crash::reach(Point::SegmentBefore).await;
        let mut appended = self.backend.append_journal(at, bytes).await;
        if is_repeated && appended.is_ok() {
            appended = self.still_last(at).await;
        }
        crash::reach(Point::SegmentStored).await;
        let mut queue = self.queue();
        match appended {
            Ok(()) => {
                queue.in_flight = None;
                queue.is_repeated = false;
                queue.durable = behind;
                queue.next.segment += 1;
                Ok(())
            }
            Err(error @ (BackendError::Conflict { .. } | BackendError::NotHeld { .. })) => {
                let fenced = RecordError::Fenced {
                    reason: error.to_string(),
                };
                Err(queue.fenced.get_or_insert(fenced).clone())
            }
            Err(error) => Err(RecordError::Unwritable {
                place: self.backend.place(),
                reason: crate::chain(&error),
            }),
        }
    }

    /// Whether nothing follows a segment that is there since an earlier try: another run may have sealed this epoch in between, and
    /// then nothing may begin any more, although the record is durable.
    async fn still_last(&self, at: Position) -> Result<(), BackendError> {
        let segments = self.backend.read_journal().await?;
        match segments.last() {
            Some(last) if last.at > at => Err(BackendError::Conflict {
                place: self.backend.place(),
            }),
            _ => Ok(()),
        }
    }
}
