//! Moves of instances between states that an interrupted command began: told by whatever reads a state without its lock.

use std::sync::Arc;

use terrane_core::{Diagnostic, Diagnostics};
use terrane_state::{BackendError, Backends, Clock, Run, RunError, Transfer, TransferStep};

/// A warning for each move that is not finished, with the command that finishes it. For instances that arrived here the state that they
/// come from is read.
pub async fn unfinished_moves(
    transfers: &[Transfer],
    backends: &Backends,
    clock: &Arc<dyn Clock>,
) -> Diagnostics {
    let mut told = Diagnostics::new();
    for transfer in transfers {
        let count = match transfer.addresses.len() {
            1 => "1 instance".to_owned(),
            count => format!("{count} instances"),
        };
        let (other, who, at) = (&transfer.other, &transfer.who, transfer.at);
        match transfer.step {
            TransferStep::Announced => told.push(
                Diagnostic::warning(format!("a move of {count} to {other} was interrupted"))
                    .detail(format!(
                        "begun at {at} by {who}: {}; until it is finished they are in both states, or in this one alone",
                        transfer.addresses.join(", ")
                    ))
                    .hint("finish it with `preview --lock`, as every command does that takes the lock"),
            ),
            // A mark of a move that the other state has finished stays here, and means nothing.
            TransferStep::Arrived if is_announced(transfer, backends, clock).await => told.push(
                Diagnostic::warning(format!("a move of {count} from {other} was interrupted"))
                    .detail(format!(
                        "begun at {at} by {who}; they are here, and in that state, too, until it is finished"
                    ))
                    .hint("the program of that stack finishes it: its preview does with `--lock`"),
            ),
            _ => {}
        }
    }
    told
}

/// Whether the state that the instances come from still has them.
async fn is_announced(transfer: &Transfer, backends: &Backends, clock: &Arc<dyn Clock>) -> bool {
    let look = async {
        let location = backends.parse(&transfer.other);
        let location =
            location.map_err(|error| BackendError::store("find", transfer.other.clone(), error))?;
        let backend = location.address().connect(clock.clone()).await?;
        Ok::<_, RunError>(Run::look(&*backend).await?.1)
    };
    // Whoever cannot read it learns of the move there.
    look.await.is_ok_and(|found| {
        let mut others = found.transfers.iter();
        others.any(|one| one.id == transfer.id && one.step == TransferStep::Announced)
    })
}
