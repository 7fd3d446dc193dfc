//! `state push`: stores a whole state instead of the present one.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use terrane_core::Diagnostic;
use terrane_state::model::{Successor, WriteRefused};
use terrane_state::{Change, Closed, Recorder as _, Rescued, Restore, StackFile, State, file};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::StateEdit;
use crate::view::printable::one_line;
use crate::workflow::confirmation::Confirmation;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit};

pub(super) async fn run(
    session: &Session<'_>,
    file: &Path,
    force: bool,
    yes: Yes,
) -> Result<Exit, CommandError> {
    let name = file.display().to_string();
    let bytes = read(file).map_err(|error| {
        Diagnostic::error(format!("cannot read {name}")).detail(error.to_string())
    })?;
    let backend = session.backend().await?;
    let bytes = backend.unseal(StackFile::Rescue, &name, bytes.into()).await;
    let bytes = bytes.map_err(|error| run_error(&error.into()))?;
    let pushed = file::read(&bytes).map_err(|error| {
        let refused = Diagnostic::error(format!("{name} is not a state that can be pushed"));
        CommandError::new(Exit::REFUSED, refused.detail(error.to_string()))
    })?;
    let rescued = Rescued::of(&pushed);
    if let Some(rescued) = rescued.as_ref().filter(|_| !force) {
        let done = rescue(session, file, rescued, yes).await?;
        session.forget_rescued(file, rescued).await?;
        return Ok(done);
    }
    let pushed = match &rescued {
        Some(rescued) => rescued.state().clone(),
        None => pushed,
    };
    Confirmation::from(yes).check_possible(session)?;
    let unusable = match force {
        true => session.open_restore().await?,
        false => None,
    };
    let done = match unusable {
        Some(unusable) => restore(session, unusable, &pushed, yes).await?,
        None => replace(session, pushed, force, yes).await?,
    };
    if let Some(rescued) = &rescued {
        session.forget_rescued(file, rescued).await?;
    }
    Ok(done)
}

/// Records the results of a rescue file, and only those: the state may have changed since.
async fn rescue(
    session: &Session<'_>,
    file: &Path,
    rescued: &Rescued,
    yes: Yes,
) -> Result<Exit, CommandError> {
    edit(session, yes.into(), Unpushed::Welcome, async |run| {
        session.refuse_foreign(file, rescued, &run.state().lineage)?;
        let resolutions = rescued.resolutions(&run.open_intents(), &session.who());
        Ok(Proposal {
            edit: StateEdit::Rescue {
                resolutions: resolutions.clone(),
            },
            question: "Record this?",
            addresses: Vec::new(),
            record: Record::Resolve(resolutions),
        })
    })
    .await
}

/// Replaces the stored state.
async fn replace(
    session: &Session<'_>,
    mut pushed: State,
    force: bool,
    yes: Yes,
) -> Result<Exit, CommandError> {
    edit(session, yes.into(), Unpushed::Welcome, async move |run| {
        let stored = &run.state();
        match pushed.replaces(stored) {
            Ok(Successor::Newer | Successor::Unchanged) => {}
            Err(_) if force => {}
            Err(refused) => return Err(refusal(&refused)),
        }
        if pushed.lineage.is_empty() {
            pushed.lineage = stored.lineage.clone();
        }
        let was_stored = stored.serial > 0 || !stored.is_empty();
        Ok(Proposal {
            edit: StateEdit::Push {
                pushed: Box::new(pushed.clone()),
                stored: was_stored.then(|| Box::new(stored.clone())),
            },
            question: "Replace the stored state?",
            addresses: Vec::new(),
            record: Record::Change(Change::State(Box::new(pushed))),
        })
    })
    .await
}

/// Replaces a stored state that cannot be used.
async fn restore(
    session: &Session<'_>,
    restore: Restore,
    pushed: &State,
    yes: Yes,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let signals = Signals::listening(session.streams.clone());
    let put = tokio::select! {
        put = put(session, &restore, pushed, yes.into(), &signals) => put,
        lost = restore.keep_alive() => Err(run_error(&lost.into())),
    };
    let place = restore.place();
    let closed = restore.close().await.map_err(|error| run_error(&error));
    let state = put?;
    closed?;
    let closed = Closed {
        serial: state.serial,
        place,
        written: true,
        open: Vec::new(),
    };
    session.view().restored(pushed, &closed, started.elapsed());
    Ok(Exit::DONE)
}

/// Shows, asks, and writes; the state as it is stored then.
async fn put(
    session: &Session<'_>,
    restore: &Restore,
    pushed: &State,
    confirmation: Confirmation,
    signals: &Signals,
) -> Result<State, CommandError> {
    let state = restore.fitting(pushed.clone()).map_err(|error| {
        let refused = run_error(&error);
        let hint = "push a state of the journal's lineage first; after that `--force` accepts another lineage";
        CommandError {
            diagnostics: refused.diagnostics.into_iter().map(|it| it.hint(hint)).collect(),
            ..refused
        }
    })?;
    session.view().proposed_restore(&state, restore.why());
    let question = "Replace the stored state?";
    confirmation.obtain(session, signals, question).await?;
    let written = restore.put(&state).await;
    if let Some(kept) = written.map_err(|error| run_error(&error))? {
        let kept = one_line(&kept);
        session.note(&format!("the earlier state is kept in {kept}\n"));
    }
    Ok(state)
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refusal(refused: &WriteRefused) -> CommandError {
    let diagnostic = Diagnostic::error("this state is not a successor of the stored one")
        .detail(refused.to_string())
        .hint(
            "nothing was changed; `state pull` prints the stored one, and `--force` overwrites it",
        );
    CommandError::new(Exit::REFUSED, diagnostic)
}
