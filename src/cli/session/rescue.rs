//! Rescue files: results that a run could store nowhere, kept on this machine; no further run before they are pushed.

use std::path::Path;

use terrane_core::{Diagnostic, Severity};
use terrane_deploy::{Aftermath, RescueFolder, Unpushed, lost};
use terrane_state::model::Lineage;
use terrane_state::{LocalBackend, Origin, Rescued, Run, RunError};

use super::Session;
use super::invocation::shell_word;
use super::state::run_error;
use crate::error::CommandError;
use crate::exit_code::Exit;

impl Session<'_> {
    /// The place of this invocation's state, as rescue files name it.
    fn origin(&self) -> Result<Origin, CommandError> {
        let location = self.location()?;
        let (place, backend) = (location.address().identity(), location.address().absolute());
        let arguments = match (self.common.sandbox, &self.common.backend) {
            (true, None) => "--sandbox".to_owned(),
            (sandbox, _) => {
                let sandbox = if sandbox { " --sandbox" } else { "" };
                format!("--backend {}{sandbox}", shell_word(&backend))
            }
        };
        Ok(Origin { place, arguments })
    }

    /// The folder of this stack's rescue files; none for a name that is no folder's.
    fn rescue_folder(&self) -> Option<RescueFolder> {
        let default = LocalBackend::default_path(self.stack).ok()?;
        Some(RescueFolder(default.parent()?.to_owned()))
    }

    /// The rescue files of this stack and folder.
    fn unpushed(&self) -> Vec<Unpushed> {
        let folder = self.rescue_folder();
        folder.map(|it| it.unpushed()).unwrap_or_default()
    }

    /// The command that stores the results of a rescue file in their own state.
    fn push_command(&self, path: &Path, origin: Option<&Origin>) -> String {
        let push = format!("state push {}", shell_word(&path.display().to_string()));
        match origin {
            Some(origin) => self.command(&format!("{push} {}", origin.arguments)),
            None => self.again(&push),
        }
    }

    /// Each such file as a diagnostic, with whether it belongs to the state of this invocation.
    fn unpushed_diagnostics(&self) -> Result<Vec<(bool, Diagnostic)>, CommandError> {
        let unpushed = self.unpushed();
        if unpushed.is_empty() {
            return Ok(Vec::new());
        }
        let here = self.origin()?;
        let described = unpushed.into_iter().map(|unpushed| {
            let is_here = unpushed.belongs_to(&here.place);
            let Unpushed { path, origin } = unpushed;
            let origin = origin.as_ref();
            let shown = path.display();
            let diagnostic = match origin.filter(|_| !is_here) {
                None => Diagnostic::error(format!(
                    "{shown} holds results of an earlier run that are not in the state"
                )),
                Some(origin) => Diagnostic::warning(format!(
                    "{shown} holds results of an earlier run on {}",
                    origin.place
                )),
            };
            let command = self.push_command(&path, origin);
            (
                is_here,
                diagnostic.hint(format!("store them with `{command}`")),
            )
        });
        Ok(described.collect())
    }

    /// Refuses a state that lacks results of an earlier run on this machine; warns about results for other states.
    pub(super) fn refuse_unpushed(&self) -> Result<(), CommandError> {
        let (here, elsewhere): (Vec<_>, Vec<_>) = self
            .unpushed_diagnostics()?
            .into_iter()
            .partition(|(is_here, _)| *is_here);
        self.say(
            &elsewhere
                .into_iter()
                .map(|(_, diagnostic)| diagnostic)
                .collect(),
        );
        if here.is_empty() {
            return Ok(());
        }
        let refused = here.into_iter().map(|(_, diagnostic)| {
            diagnostic.detail("a run without them would create existing objects again")
        });
        Err(CommandError {
            exit: Exit::REFUSED,
            diagnostics: refused.collect(),
        })
    }

    /// Warns about results that a state lacks which is only read.
    pub(super) fn say_unpushed(&self) -> Result<(), CommandError> {
        let warnings = self.unpushed_diagnostics()?.into_iter();
        let warnings = warnings
            .filter(|(is_here, _)| *is_here)
            .map(|(_, diagnostic)| Diagnostic {
                severity: Severity::Warning,
                ..diagnostic
            });
        self.say(&warnings.collect());
        Ok(())
    }

    /// Saves the results that only this process has when a run could not be closed, and tells where they are.
    pub(crate) async fn rescue(&self, run: &Run, error: &RunError) -> Option<Told> {
        let again = self.again("up");
        let origin = match self.origin() {
            Ok(origin) => origin,
            Err(error) => return error.diagnostics.into_iter().next().map(Told::Elsewhere),
        };
        let rescued = self.rescue_folder()?;
        Some(match rescued.rescue(run, error, origin.clone()).await? {
            Aftermath::InState => Told::Hint(format!(
                "the state has every result of this run; run `{again}` as soon as it can be written"
            )),
            Aftermath::InJournal => Told::Hint(format!(
                "the journal has every result of this run; `{again}` puts them into the state as soon as it can be written"
            )),
            Aftermath::Saved(path) => {
                let command = self.push_command(&path, Some(&origin));
                let path = path.display();
                let saved =
                    Diagnostic::error("the results of this run are stored on this machine only");
                Told::Elsewhere(saved.detail(format!("they are in {path}")).hint(format!(
                    "store them with `{command}` as soon as the state can be written"
                )))
            }
            // Never the state itself: a terminal or a log is no place for secrets.
            Aftermath::Lost(why) => Told::Elsewhere(lost(&why)),
        })
    }

    /// Refuses to store the results of a run in another state than its own.
    pub(crate) fn refuse_foreign(
        &self,
        file: &Path,
        rescued: &Rescued,
        stored: &Lineage,
    ) -> Result<(), CommandError> {
        if stored.is_empty() || rescued.lineage() == stored {
            return Ok(());
        }
        let refused = Diagnostic::error(format!("{} belongs to another state", file.display()))
            .detail(format!(
                "its lineage is {}, that of the state here {stored}",
                rescued.lineage()
            ));
        let refused = match (rescued.origin(), self.origin()) {
            (Some(origin), Ok(here)) if origin.place != here.place => {
                let command = self.push_command(file, Some(origin));
                refused.hint(format!("store it on {} with `{command}`", origin.place))
            }
            _ => refused,
        };
        Err(CommandError::new(
            Exit::REFUSED,
            refused.hint(format!(
                "if its own state no longer exists, remove the file: `{}`",
                removal(file)
            )),
        ))
    }

    /// Removes a rescue file of this stack once the stored state has all of it; a file elsewhere is a person's own copy.
    ///
    /// # Errors
    /// When something of it is not there: the file stays.
    pub(crate) async fn forget_rescued(
        &self,
        pushed: &Path,
        rescued: &Rescued,
    ) -> Result<(), CommandError> {
        let Ok(pushed) = pushed.canonicalize() else {
            return Ok(());
        };
        let is_same = |unpushed: &Unpushed| {
            unpushed
                .path
                .canonicalize()
                .is_ok_and(|path| path == pushed)
        };
        let Some(Unpushed { path, .. }) = self.unpushed().into_iter().find(is_same) else {
            return Ok(());
        };
        let shown = path.display();
        // A copy of the state elsewhere may have all of it, while its own still lacks it.
        if let (Some(origin), here) = (rescued.origin(), self.origin()?)
            && origin.place != here.place
        {
            let command = self.push_command(&path, Some(origin));
            let kept =
                Diagnostic::warning(format!("{shown} stays: it belongs to {}", origin.place))
                    .hint(format!("store it there with `{command}`"));
            self.say(&kept.into());
            return Ok(());
        }
        let (state, _) = self.look_past_unpushed().await?;
        let missing = rescued.missing_from(&state);
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().take(10).map(ToString::to_string).collect();
            let kept = Diagnostic::error(format!("{shown} stays: not all of it is in the state"))
                .detail(format!("another run has decided otherwise about {}", names.join(", ")))
                .hint(format!(
                    "compare them with `state show {}`; when none of it is needed, remove the file: `{}`",
                    missing[0].in_shell(),
                    removal(&path)
                ));
            return Err(CommandError::new(Exit::REFUSED, kept));
        }
        std::fs::remove_file(&path).map_err(|error| {
            let left = Diagnostic::error(format!(
                "{shown} is in the state now, and could not be removed"
            ));
            left.detail(error.to_string())
                .hint(format!("remove it: `{}`", removal(&path)))
                .into()
        })
    }

    /// Why a run could not be closed, with the place of its results.
    pub(crate) fn unclosed(&self, error: &RunError, told: Option<Told>) -> CommandError {
        let mut failed = run_error(error);
        match told {
            None => {}
            Some(Told::Elsewhere(diagnostic)) => failed.diagnostics.push(diagnostic),
            Some(Told::Hint(hint)) => {
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

/// The command that removes a file.
fn removal(path: &Path) -> String {
    format!("rm {}", shell_word(&path.display().to_string()))
}

/// What is told of the results of a run that could not be closed.
pub(crate) enum Told {
    /// They are in the state or its journal; the remedy.
    Hint(String),
    /// They are in a rescue file, or lost.
    Elsewhere(Diagnostic),
}
