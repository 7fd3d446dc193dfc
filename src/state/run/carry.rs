//! Taken over into a new epoch from the one before: results that the snapshot lacks, and unresolved operations.

use std::sync::Arc;

use super::find::Found;
use crate::journal::{
    Intent, OpenIntent, OperationOutcome, OperationResult, Pending, Record, Writer,
};
use crate::model::{Instance, Object, State};

pub(super) struct Replayed {
    pub(super) state: State,
    pub(super) replayed: usize,
    pub(super) open: Vec<OpenIntent>,
}

/// The state with everything that the journal knows and the snapshot lacks.
pub(super) fn replay(found: &Found) -> Replayed {
    let mut state = found.state.clone();
    let mut open = found.log.open_intents();
    let snapshot = found.snapshot.as_ref().map(|snapshot| snapshot.sha256);
    let ours = found
        .log
        .stored
        .is_none_or(|(_, sha256)| sha256 == snapshot);
    let mut replayed = 0;
    for pending in found.log.pending() {
        if !ours && pending.is_edit() {
            // It was an edit of the earlier state, and never acknowledged.
            continue;
        }
        let contradicted = pending.instance().filter(|(address, instance)| {
            !ours && !agrees(*instance, found.state.instance(address))
        });
        match (contradicted, pending) {
            (None, pending) => {
                if !ours
                    && pending
                        .instance()
                        .is_some_and(|(address, _)| found.state.instance(address).is_some())
                {
                    // Another tool's state has the same object, perhaps in a later shape: that one counts.
                    continue;
                }
                pending.apply(&mut state);
                replayed += 1;
            }
            (Some(_), Pending::Result(result, Some(intent))) => open.push(OpenIntent {
                intent: intent.as_ref().clone(),
                result: Some(result.clone()),
                by: found.log.open.as_ref().map(|open| open.process.clone()),
            }),
            // A change without an operation made nothing that could be lost.
            (Some(_), _) => {}
        }
    }
    Replayed {
        state,
        replayed,
        open,
    }
}

/// Whether another tool's instance at an address can be the object of our result.
fn agrees(ours: Option<&Arc<Instance>>, theirs: Option<&Arc<Instance>>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        // Nothing there: our object is put back. Ours is gone: their reading will find that out.
        return true;
    };
    let id = |instance: &Instance| instance.current.as_deref().and_then(Object::id);
    match (id(ours), id(theirs)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, None) => ours.current == theirs.current,
        _ => false,
    }
}

/// Writes an unresolved operation, with its result so far, into the next epoch.
pub(super) fn carry(writer: &Writer, open: &OpenIntent) {
    for record in carried(open) {
        writer.enqueue(&record);
    }
}

/// The records of an unresolved operation, complete in any place.
pub(super) fn carried(open: &OpenIntent) -> impl Iterator<Item = Record> {
    let intent = Intent {
        asked_by: open.by.clone(),
        ..open.intent.clone()
    };
    let result = open.result.as_ref().map(|result| OperationResult {
        outcome: OperationOutcome::Unknown,
        ..result.clone()
    });
    let intent = Record::Intent(intent.into());
    [intent].into_iter().chain(result.map(Record::Result))
}
