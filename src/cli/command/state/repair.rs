//! `state repair`: a new journal with what a damaged one still holds.

use serde::Serialize;
use terrane_state::{Damage, Recovered, Repair};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::outputs::to_line;
use crate::view::repair as view;
use crate::workflow::confirmation::Confirmation;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// The state whose journal it is.
    state: String,
    /// What was wrong; null when the journal is whole.
    damage: Option<Damaged>,
    /// Where the damaged journal is kept.
    copy: Option<String>,
}

#[derive(Serialize)]
struct Damaged {
    reason: String,
    /// Whole records before the damage.
    before: usize,
    /// Records behind it that can be read.
    behind: usize,
    /// What began after it may be recorded nowhere.
    last_known: Option<String>,
    /// Results and changes that the next run puts into the state.
    results: usize,
    /// Operations that the next run looks at.
    unresolved: Vec<Operation>,
}

#[derive(Serialize)]
struct Operation {
    address: String,
    action: String,
    operation: String,
    started_at: String,
}

impl Damaged {
    fn new(damage: &Damage, saved: &Recovered) -> Self {
        let unresolved = saved.open.iter().map(|open| Operation {
            address: open.intent.address.to_string(),
            action: open.intent.action.to_string(),
            operation: open.intent.op.to_string(),
            started_at: open.intent.started_at.to_string(),
        });
        Self {
            reason: damage.reason.clone(),
            before: damage.before,
            behind: damage.behind,
            last_known: damage.last_known.map(|at| at.to_string()),
            results: saved.replayed,
            unresolved: unresolved.collect(),
        }
    }
}

pub(super) async fn run(session: &Session<'_>, yes: bool) -> Result<Exit, CommandError> {
    let place = session.backend().await?.place();
    let repair = session.open_repair().await?;
    let signals = Signals::listening(session.streams.clone());
    let walked = tokio::select! {
        walked = walk(session, &place, &repair, yes.into(), &signals) => walked,
        lost = repair.keep_alive() => Err(run_error(&lost.into())),
    };
    let closed = repair.close().await.map_err(|error| run_error(&error));
    let report = walked?;
    closed?;
    if session.common.json {
        session.streams.out(to_line(&report));
    }
    Ok(Exit::DONE)
}

/// Shows what is there, asks, and begins the journal anew.
async fn walk(
    session: &Session<'_>,
    place: &str,
    repair: &Repair,
    confirmation: Confirmation,
    signals: &Signals,
) -> Result<Report, CommandError> {
    let mut report = Report {
        state: place.to_owned(),
        damage: None,
        copy: None,
    };
    let say = |text: &str| {
        if !session.common.json {
            session.streams.err(text);
        }
    };
    let Some(damage) = repair.damage() else {
        say(&format!(
            "The journal of {place} is whole: there is nothing to repair.\n"
        ));
        return Ok(report);
    };
    let saved = repair.saved();
    report.damage = Some(Damaged::new(damage, &saved));
    if !session.common.json {
        let text = view::damage(place, damage, &saved, session.out_painter());
        session.streams.out(text);
    }
    confirmation.check_possible(session)?;
    let question = "Keep a copy of it and begin a new journal with what is saved?";
    confirmation.obtain(session, signals, question).await?;
    let restarted = repair.restart().await;
    report.copy = restarted.map_err(|error| run_error(&error))?;
    if let Some(copy) = &report.copy {
        let next = session.again("up");
        say(&format!(
            "the damaged journal is kept at {copy}\nhint: run `{next}`: it takes over what was saved\n"
        ));
    }
    Ok(report)
}
