//! A stored state that cannot be used: its damage, its intact parts, and the commands that repair it.

use std::sync::Arc;

use terrane_core::Diagnostic;
use terrane_state::survey::{Journal, Stored, Summary, Survey, Version};
use terrane_state::{
    Backend, BackendError, Operation, Restore, RunError, SystemClock, SystemRandom,
};

use super::Session;
use super::invocation::quoted_if_needed;
use super::state::{Waiting, run_error};
use crate::error::CommandError;
use crate::signals::{Signals, interrupted};
use crate::view::printable::{counted, one_line};

/// An empty state, for a stack that starts over.
const EMPTY: &str = r#"{"version":4,"resources":[]}"#;

/// Whether it is the stored state that is wrong, and not the store or the journal.
fn is_about_the_state(error: &RunError) -> bool {
    matches!(
        error,
        RunError::State { .. }
            | RunError::RolledBack { .. }
            | RunError::Altered { .. }
            | RunError::OtherLineage { .. }
            | RunError::Backend(BackendError::Missing { .. } | BackendError::Doubtful { .. })
    )
}

impl Session<'_> {
    /// Takes the lock to replace a state that cannot be used; `None` when it can be used.
    pub(crate) async fn open_restore(&self) -> Result<Option<Restore>, CommandError> {
        let backend = self.backend().await?;
        let signals = Signals::listening(self.streams.clone());
        let waiting = Waiting {
            streams: &self.streams,
            signals: &signals,
        };
        let options = self.run_options(Operation::State);
        let clock = Arc::new(SystemClock::default());
        let opened = Restore::open(
            Arc::clone(&backend),
            options,
            clock,
            &SystemRandom,
            &waiting,
        );
        match opened.await {
            Ok(Some(restore)) if signals.heard() => {
                restore.close().await.map_err(|error| run_error(&error))?;
                Err(interrupted())
            }
            Ok(opened) => Ok(opened),
            Err(error) => Err(self.state_error(&*backend, &error).await),
        }
    }

    /// The intact parts beside a state that cannot be used, and the remedies; `None` for errors of another kind.
    pub(super) async fn way_out(
        &self,
        backend: &dyn Backend,
        error: &RunError,
    ) -> Option<CommandError> {
        if !is_about_the_state(error) {
            return None;
        }
        let survey = Survey::of(backend).await;
        let mut refused = run_error(error);
        let diagnostics = refused.diagnostics.into_iter();
        refused.diagnostics = diagnostics
            .map(|diagnostic| {
                let detail = [
                    &[diagnostic.detail.clone()][..],
                    &facts(&survey),
                    &["nothing was changed".to_owned()],
                ];
                let mut detail = detail.concat();
                detail.retain(|line| !line.is_empty());
                Diagnostic {
                    detail: detail.join("\n"),
                    hints: self.ways(&survey, error),
                    ..diagnostic
                }
            })
            .collect();
        Some(refused)
    }

    /// The commands, a line each.
    fn ways(&self, survey: &Survey, error: &RunError) -> Vec<String> {
        let mut hints = Vec::new();
        let two_steps = |pull: &str, file: &str| {
            let pull = self.again(&format!("state pull {pull}--out {file}"));
            let push = self.again(&format!("state push {file} --force"));
            format!("`{pull}`, then `{push}`")
        };
        let differs = |it: &&Version| survey.stored != Stored::State(it.summary.clone());
        if let Some(version) = survey.version.as_ref().filter(differs) {
            let id = version_flag(&version.stored.id);
            let commands = two_steps(&format!("{id} "), "earlier.tfstate");
            let serial = version.summary.serial;
            hints.push(format!("to go back to serial {serial}: {commands}"));
        }
        if let (Stored::State(stored), false) = (
            &survey.stored,
            matches!(error, RunError::OtherLineage { .. }),
        ) {
            let commands = two_steps("", "stored.tfstate");
            let serial = stored.serial;
            hints.push(format!(
                "to continue with the stored state, serial {serial}: {commands}"
            ));
        }
        if hints.is_empty() {
            let push = self.again("state push FILE --force");
            hints.push(format!("store a copy of it with `{push}`"));
        }
        if survey.stored == Stored::Nothing {
            let push = self.again("state push - --force --yes");
            hints.push(format!(
                "if its objects no longer exist either, start over: `echo '{EMPTY}' | {push}`"
            ));
        }
        hints
    }
}

/// The facts of a survey, a line each.
fn facts(survey: &Survey) -> Vec<String> {
    let mut facts = Vec::new();
    facts.push(match &survey.stored {
        Stored::Nothing => "no state is stored".to_owned(),
        Stored::Unreadable => "the stored file cannot be read as a state".to_owned(),
        Stored::State(summary) => format!("the stored state has {}", summarised(summary)),
        _ => String::new(),
    });
    facts.push(match &survey.journal {
        Journal::Whole {
            stored,
            pending,
            open,
        } => {
            let mut text = "its journal is intact".to_owned();
            if let Some(serial) = stored {
                text = format!("{text}; it recorded serial {serial} as stored last");
            }
            if *pending > 0 {
                let results = counted(*pending, "result");
                text =
                    format!("{text}; it holds {results}, which the next run puts into the state");
            }
            if *open > 0 {
                let open = counted(*open, "operation");
                text = format!("{text}; the next run recovers {open} of unknown outcome");
            }
            text
        }
        Journal::Nothing => "there is no journal".to_owned(),
        _ => String::new(),
    });
    if let Some(version) = &survey.version {
        let at = version.stored.written_at;
        let at = at.map_or(String::new(), |at| format!(" of {at}"));
        let last = match version.is_last {
            true => ", the last one that the journal recorded",
            false => "",
        };
        facts.push(format!(
            "version {}{at} can be read: {}{last}",
            one_line(&version.stored.id),
            summarised(&version.summary)
        ));
    }
    facts
}

fn summarised(summary: &Summary) -> String {
    let instances = counted(summary.instances, "instance");
    format!("serial {}, {instances}", summary.serial)
}

/// The flag that names a version; an id that begins like a flag needs the sign between.
fn version_flag(id: &str) -> String {
    let sign = if id.starts_with('-') { '=' } else { ' ' };
    format!("--version{sign}{}", quoted_if_needed(id))
}
