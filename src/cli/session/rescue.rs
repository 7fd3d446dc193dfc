//! What a run did and could store nowhere: a file of this machine, and no further run before it is pushed.

use std::path::{Path, PathBuf};

use terrane_core::Diagnostic;
use terrane_state::{Failure, Kept, LocalBackend, Run, RunError};

use super::Session;
use super::state::run_error;
use crate::error::CommandError;
use crate::exit_code::Exit;

impl Session<'_> {
    /// Where the results of a run go that neither state nor journal took: `.terrane/<stack>/errored.tfstate`.
    pub(crate) fn rescue_path(&self) -> Result<PathBuf, CommandError> {
        let default = LocalBackend::default_path(self.stack)
            .map_err(|error| CommandError::usage(Diagnostic::error(error.to_string())))?;
        Ok(default.with_file_name("errored.tfstate"))
    }

    /// Refuses to go on from a state that lacks what an earlier run of this machine did.
    pub(super) fn refuse_unpushed(&self) -> Result<(), CommandError> {
        let path = self.rescue_path()?;
        if !path.exists() {
            return Ok(());
        }
        let path = path.display();
        let unpushed = Diagnostic::error(format!(
            "{path} holds results of an earlier run that are not in the state"
        ));
        let command = self.again(&format!("state push {path}"));
        let unpushed = unpushed
            .detail("going on without them would make again what exists already")
            .hint(format!("store them with `{command}`"));
        Err(CommandError::new(Exit::REFUSED, unpushed))
    }

    /// Saves what only this process knows when a run could not be closed: what was done about it.
    ///
    /// A run that another one fenced saves nothing: that one found the intents, and settles what came of them.
    pub(crate) async fn rescue(&self, run: &Run, error: &RunError) -> Option<Aftermath> {
        if error.failure() != Failure::Unwritten {
            return None;
        }
        let again = self.again("up");
        match run.kept().await {
            Kept::Nowhere => {}
            Kept::State => {
                return Some(Aftermath::Hint(format!(
                    "nothing that this run did is missing in the state; run `{again}` as soon as it can be written"
                )));
            }
            Kept::Journal => {
                return Some(Aftermath::Hint(format!(
                    "its journal holds everything; `{again}` puts it back as soon as the state can be written"
                )));
            }
        }
        let saved = match self.rescue_path() {
            Ok(path) => run.rescue(&path).await.map(|()| path),
            Err(error) => return error.diagnostics.into_iter().next().map(Aftermath::Said),
        };
        Some(Aftermath::Said(match saved {
            Ok(path) => {
                let path = path.display();
                let command = self.again(&format!("state push {path}"));
                Diagnostic::error("the results of this run are stored on this machine only")
                    .detail(format!("they are in {path}"))
                    .hint(format!(
                        "store them with `{command}` as soon as the state can be written"
                    ))
            }
            Err(error) => {
                // Never the state itself: what a terminal or a log keeps is no place for secrets.
                let lost = run_error(&error.into()).diagnostics;
                let why: Vec<String> = lost.into_iter().map(|lost| lost.to_string()).collect();
                Diagnostic::error("the results of this run could not be stored anywhere")
                    .detail(why.join("; "))
                    .hint("the journal names every operation that was begun; the next run settles them")
            }
        }))
    }

    /// What was kept on this machine is in the state now, if that is the file it was kept in.
    pub(crate) fn forget_rescued(&self, pushed: &Path) -> Result<(), CommandError> {
        let rescued = self.rescue_path()?;
        let same = match (pushed.canonicalize(), rescued.canonicalize()) {
            (Ok(pushed), Ok(rescued)) => pushed == rescued,
            _ => false,
        };
        if !same {
            return Ok(());
        }
        std::fs::remove_file(&rescued).map_err(|error| {
            let left = Diagnostic::error(format!(
                "{} is in the state now, and could not be removed",
                rescued.display()
            ));
            left.detail(error.to_string()).hint("remove it").into()
        })
    }

    /// Why a run did not end in order, with what became of its results.
    pub(crate) fn unclosed(&self, error: &RunError, aftermath: Option<Aftermath>) -> CommandError {
        let mut failed = run_error(error);
        match aftermath {
            None => {}
            Some(Aftermath::Said(said)) => failed.diagnostics.push(said),
            Some(Aftermath::Hint(hint)) => {
                failed.diagnostics = failed
                    .diagnostics
                    .into_iter()
                    .map(|diagnostic| diagnostic.hint(&*hint))
                    .collect();
            }
        }
        failed
    }
}

/// What there is to say of the results of a run that could not be closed.
pub(crate) enum Aftermath {
    /// They are where runs keep them; what to do.
    Hint(String),
    /// They are elsewhere, or lost.
    Said(Diagnostic),
}
