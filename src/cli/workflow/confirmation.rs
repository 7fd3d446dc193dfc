//! The confirmation before a change: given by `--yes`, or asked for on a terminal.

use std::time::Instant;

use terrane_core::Diagnostic;

use super::inspection::Inspection;
use crate::args::Yes;
use crate::error::CommandError;
use crate::session::Session;
use crate::signals::{NOTHING_CHANGED, Signals, interrupted_after};

/// Whether a person has to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// `--yes` or `--plan-digest` gave it.
    Given,
    /// A person is asked.
    Needed,
}

/// A question before a change.
pub(crate) struct Question<'a> {
    pub(crate) text: &'a str,
    /// Shows more, where there is more to show.
    pub(crate) inspection: Option<Inspection<'a>>,
    /// The changes that the command has made before.
    pub(crate) so_far: &'static str,
}

impl From<Yes> for Confirmation {
    fn from(yes: Yes) -> Self {
        Self::new(yes, false)
    }
}

impl Confirmation {
    /// By `--yes`, or because the very plan was approved before.
    pub(crate) fn new(Yes { yes }: Yes, is_approved: bool) -> Self {
        match yes || is_approved {
            true => Self::Given,
            false => Self::Needed,
        }
    }

    /// Fails early, before anything is locked or read, where no question can be asked.
    pub(crate) fn check_possible(self, session: &Session<'_>) -> Result<(), CommandError> {
        let why = match (self, session.view().cannot_ask()) {
            (Self::Given, _) => return Ok(()),
            (Self::Needed, Some(why)) => why,
            (Self::Needed, None) if session.streams.is_interactive() => return Ok(()),
            (Self::Needed, None) => "there is no terminal to ask on",
        };
        let refused = Diagnostic::error("confirmation required").detail(why);
        Err(refused.hint("pass `--yes`").into())
    }

    /// Returns once a person confirmed. An interrupt at the prompt declines.
    pub(crate) async fn obtain(
        self,
        session: &Session<'_>,
        signals: &Signals,
        question: &str,
    ) -> Result<(), CommandError> {
        let question = Question {
            text: question,
            inspection: None,
            so_far: NOTHING_CHANGED,
        };
        self.obtain_after_a_look(session, signals, question).await
    }

    /// The same, where a person may look closer before.
    pub(crate) async fn obtain_after_a_look(
        self,
        session: &Session<'_>,
        signals: &Signals,
        question: Question<'_>,
    ) -> Result<(), CommandError> {
        let Question {
            text,
            inspection,
            so_far,
        } = question;
        if self == Self::Given {
            return Ok(());
        }
        let asked_at = Instant::now();
        let streams = session.streams.clone();
        let (answers, named) = match inspection {
            Some(_) => (
                "yes/no/details/graph",
                "`yes`, `no`, `details`, `details ADDRESS` or `graph`",
            ),
            None => ("yes/no", "`yes` or `no`"),
        };
        let first = format!("{text} [{answers}] ");
        let mut question = first.clone();
        // Any other text is asked about again; only the end of the input declines.
        let agreed = loop {
            let (streams, asking) = (streams.clone(), question.clone());
            let asked = tokio::task::spawn_blocking(move || streams.ask(&asking));
            let answer = tokio::select! {
                answer = asked => answer.ok().flatten(),
                () = signals.wait() => return Err(interrupted_after(so_far)),
            };
            let Some(answer) = answer else {
                break false;
            };
            match &*answer.to_lowercase() {
                "yes" | "y" => break true,
                "no" | "n" => break false,
                _ => {
                    let shown = inspection.as_ref().is_some_and(|it| it.shows(&answer));
                    question = match shown {
                        true => first.clone(),
                        false => format!("Please answer {named}: "),
                    };
                }
            }
        };
        session.waited(asked_at.elapsed());
        if agreed {
            return Ok(());
        }
        let declined = Diagnostic::error("not confirmed").detail(so_far);
        Err(declined.into())
    }
}
