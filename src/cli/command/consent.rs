//! A yes before anything is changed: given by `--yes`, or asked for on a terminal.

use std::time::Instant;

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
        let asked_at = Instant::now();
        let streams = session.streams.clone();
        let mut question = format!("{question} [yes/no] ");
        // Whoever types something else meant to answer; only an end of the input is taken for a no.
        let agreed = loop {
            let (streams, asking) = (streams.clone(), question.clone());
            let asked = tokio::task::spawn_blocking(move || streams.ask(&asking));
            let answer = tokio::select! {
                answer = asked => answer.ok().flatten(),
                () = signals.wait() => return Err(interrupted()),
            };
            match answer.map(|answer| answer.to_lowercase()).as_deref() {
                Some("yes" | "y") => break true,
                None | Some("no" | "n") => break false,
                Some(_) => "Please answer `yes` or `no`: ".clone_into(&mut question),
            }
        };
        session.waited(asked_at.elapsed());
        if agreed {
            return Ok(());
        }
        let declined = Diagnostic::error("not confirmed").detail("nothing was changed");
        Err(declined.into())
    }
}
