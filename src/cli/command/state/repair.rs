//! `state repair`: a new journal with everything that can be read of a damaged one.

use terrane_state::{Damage, Recovered, Repair};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::workflow::confirmation::Confirmation;

pub(super) async fn run(session: &Session<'_>, yes: Yes) -> Result<Exit, CommandError> {
    let place = session.backend().await?.place();
    let repair = session.open_repair().await?;
    let signals = Signals::listening(session.streams.clone());
    let begun = tokio::select! {
        begun = restart(session, &place, &repair, yes.into(), &signals) => begun,
        lost = repair.keep_alive() => Err(run_error(&lost.into())),
    };
    let closed = repair.close().await.map_err(|error| run_error(&error));
    let begun = begun?;
    closed?;
    match begun {
        None => session.view().journal_is_whole(&place),
        Some(Begun {
            damage,
            saved,
            copy,
        }) => {
            let next = session.again("up");
            let view = session.view();
            view.journal_repaired(&place, (&damage, &saved), copy.as_deref(), &next);
        }
    }
    Ok(Exit::DONE)
}

/// A journal that was replaced by a new one.
struct Begun {
    damage: Damage,
    saved: Recovered,
    /// Where the damaged one is kept.
    copy: Option<String>,
}

/// Shows the damage, asks, and starts a new journal; nothing when the old one is intact.
async fn restart(
    session: &Session<'_>,
    place: &str,
    repair: &Repair,
    confirmation: Confirmation,
    signals: &Signals,
) -> Result<Option<Begun>, CommandError> {
    let Some(damage) = repair.damage() else {
        return Ok(None);
    };
    let view = session.view();
    let saved = repair.saved();
    view.journal_damage(place, damage, &saved);
    confirmation.check_possible(session)?;
    let question = "Keep a copy of it and begin a new journal with the saved records?";
    confirmation.obtain(session, signals, question).await?;
    let copy = repair.restart().await;
    Ok(Some(Begun {
        damage: damage.clone(),
        saved,
        copy: copy.map_err(|error| run_error(&error))?,
    }))
}
