//! `state pull`: the stored state, byte for byte.

use terrane_core::Diagnostic;
use terrane_state::{BackendError, Run};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::view::text::counted;

pub(super) async fn run(
    session: &Session<'_>,
    version: Option<&str>,
) -> Result<Exit, CommandError> {
    let backend = session.backend().await?;
    let failed = |error: BackendError| run_error(&error.into());
    let bytes = match version {
        Some(version) => backend.read_version(version).await.map_err(failed)?,
        None => {
            let snapshot = backend.read().await.map_err(failed)?;
            let place = backend.place();
            let none = || Diagnostic::error(format!("there is no state at {place}"));
            snapshot.ok_or_else(none)?.bytes
        }
    };
    session.streams.out(bytes);
    // A state that can not be used can be pulled all the same, to see why.
    if version.is_none()
        && let Ok((_, recovered)) = Run::look(&*backend).await
        && recovered.replayed > 0
    {
        let results = counted(recovered.replayed, "result");
        session.streams.err(&format!(
            "this is the state as it is stored; its journal holds {results} more, which the next run puts into it\n"
        ));
    }
    Ok(Exit::DONE)
}
