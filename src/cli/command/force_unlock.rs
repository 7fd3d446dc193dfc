//! `force-unlock`: breaks the lock of a dead run, after showing its holder.

use terrane_core::Diagnostic;
use terrane_state::{BackendError, Clock as _, SystemClock};

use crate::args::ForceUnlock;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::lock::holder_text;
use crate::workflow::confirmation::Confirmation;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ForceUnlock,
) -> Result<Exit, CommandError> {
    let confirmation = Confirmation::from(arguments.yes);
    confirmation.check_possible(session)?;
    let backend = session.backend().await?;
    let failed = |error: BackendError| run_error(&error.into());
    let holder = match backend.holder().await {
        Ok(holder) => holder,
        Err(error) => return Err(session.state_error(&*backend, &error.into()).await),
    };
    let Some(holder) = holder else {
        let free = Diagnostic::error(format!("the state at {} is not locked", backend.place()));
        return Err(free.into());
    };
    let now = SystemClock::default().now();
    if holder.lock_id() != arguments.id {
        let other = Diagnostic::error(format!("there is no lock {}", arguments.id))
            .detail(holder_text(&holder, now))
            .hint(format!(
                "if that run is dead, free the state with `force-unlock {}`",
                holder.lock_id()
            ));
        return Err(other.into());
    }
    session.view().lock(&holder, now);
    let signals = Signals::listening(session.streams.clone());
    confirmation
        .obtain(
            session,
            &signals,
            "Break this lock? Its run can record nothing after that.",
        )
        .await?;
    backend.force_unlock(&arguments.id).await.map_err(failed)?;
    let place = backend.place();
    session.view().unlocked(&arguments.id, &holder, &place);
    Ok(Exit::DONE)
}
