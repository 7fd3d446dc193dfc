//! Makes a plan, and refuses one that `--deny` forbids.

use std::time::Duration;

use terrane_core::Diagnostic;
use terrane_core::policy::PolicyReport;
use terrane_deploy::policies;
use terrane_engine::{Action, Engine, EventSink, Host, PROVIDER_PROCESSES, Plan};
use terrane_provider::Providers;
use terrane_state::{SystemClock, SystemRandom};

use crate::args::{DenyKind, Guard};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::printable::one_line;

/// Time and randomness of this machine.
#[derive(Default)]
pub(crate) struct Machine {
    clock: SystemClock,
    random: SystemRandom,
}

impl Machine {
    /// An engine on this machine.
    pub(crate) fn engine<'a>(
        &'a self,
        providers: &'a dyn Providers,
        events: &'a dyn EventSink,
        parallelism: std::num::NonZeroUsize,
        session: &Session<'_>,
    ) -> Engine<'a> {
        let world = Host {
            providers,
            events,
            clock: &self.clock,
            random: &self.random,
        };
        let processes = session.provider_processes();
        let engine = Engine::new(world, parallelism.get())
            .provider_processes(processes.unwrap_or(PROVIDER_PROCESSES));
        match session.common.sandbox {
            // An operation of the sandbox's process has ended when that process is gone.
            true => engine.late_by(Duration::ZERO),
            false => engine,
        }
    }
}

/// Refuses a plan that holds a kind of change that `--deny` names, or that breaks a mandatory policy; for both reasons where there are
/// both. `so_far` is said of the changes before.
pub(crate) fn check(
    plan: &Plan,
    guard: &Guard,
    reports: &[PolicyReport],
    so_far: &'static str,
) -> Result<(), CommandError> {
    all_of([
        check_actions(plan, &guard.deny, so_far),
        policies::check(reports).map_err(CommandError::from),
    ])
}

/// Fails with every reason, where there is one.
pub(crate) fn all_of<const N: usize>(
    checks: [Result<(), CommandError>; N],
) -> Result<(), CommandError> {
    let failed = checks.into_iter().filter_map(Result::err);
    failed.reduce(CommandError::and).map_or(Ok(()), Err)
}

/// Refuses a plan that holds one of those kinds of changes.
pub(crate) fn check_actions(
    plan: &Plan,
    deny: &[DenyKind],
    so_far: &'static str,
) -> Result<(), CommandError> {
    let denied = |action: Action| deny.iter().any(|kind| kind.denies(action));
    let found: Vec<_> = plan
        .changes
        .iter()
        .filter(|change| denied(change.action))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    /// More are counted instead of named.
    const NAMED: usize = 10;
    let mut names: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|change| {
            format!(
                "{} ({})",
                one_line(&change.address.to_string()),
                change.action.verb()
            )
        })
        .collect();
    if found.len() > NAMED {
        names.push(format!("and {} more", found.len() - NAMED));
    }
    let refused = Diagnostic::error("the plan is refused by `--deny`")
        .detail(names.join(", "))
        .hint(so_far);
    Err(CommandError::new(Exit::DENIED, refused))
}

/// Tells about results of an earlier run that the journal gave back to the state.
pub(crate) fn say_recovered(session: &Session<'_>, recovered: &terrane_state::Recovered) {
    if let Some(text) = crate::session::replayed_text(recovered) {
        session.note(&text);
    }
}
