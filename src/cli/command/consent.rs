//! A yes before anything is changed: given by `--yes`, or asked for on a terminal.

use terrane_core::Diagnostic;

use crate::error::CommandError;
use crate::session::Session;
use crate::signals::{Signals, interrupted};

/// Whether somebody has to say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// `--yes` said it.
    Given,
    /// It is asked for.
    Needed,
}

impl From<bool> for Consent {
    fn from(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Needed }
    }
}

impl Consent {
    /// Refuses early where a yes is needed and nobody can be asked: before anything is locked or read.
    pub(super) fn can_be_had(self, session: &Session<'_>) -> Result<(), CommandError> {
        let why = match self {
            Self::Given => return Ok(()),
            Self::Needed if session.common.json => "`--json` cannot ask",
            Self::Needed if !session.streams.is_interactive() => "there is no terminal to ask on",
            Self::Needed => return Ok(()),
        };
        let refused = Diagnostic::error("this needs a yes").detail(why);
        Err(refused.hint("say so with --yes").into())
    }

    /// Returns when there is a yes. An interrupt while the question stands is a no.
    pub(super) async fn obtain(
        self,
        session: &Session<'_>,
        signals: &Signals,
        question: &str,
    ) -> Result<(), CommandError> {
        if self == Self::Given {
            return Ok(());
        }
        let streams = session.streams.clone();
        let question = format!("{question} [yes/no] ");
        let asked = tokio::task::spawn_blocking(move || streams.ask(&question));
        let answer = tokio::select! {
            answer = asked => answer.ok().flatten(),
            () = signals.wait() => return Err(interrupted()),
        };
        match answer.as_deref() {
            Some("yes" | "y") => Ok(()),
            _ => {
                let declined = Diagnostic::error("not confirmed").detail("nothing was changed");
                Err(declined.into())
            }
        }
    }
}
