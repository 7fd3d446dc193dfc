//! Refuses a saved plan that does not fit: another stack, program, provider, state, account or object than it was made for.

use terrane_core::{Diagnostic, Diagnostics, Program, Severity};
use terrane_engine::{CallerIdentity, Engine, Origin, Plan, PlanFileError, ProviderBuild};
use terrane_state::{Recorder as _, Run};

use crate::error::DeployError;
use crate::unresolved;

/// The flag of a plan that was made without reading objects, as its origin records it.
pub const UNREAD: &str = "--refresh=false";

/// The remedy for nearly every refusal.
const AGAIN: &str = "nothing was changed; make a new plan with `preview --out FILE`";

/// Refuses a plan of another stack.
///
/// # Errors
/// When it is.
pub fn check_stack(origin: &Origin, stack: &str) -> Result<(), DeployError> {
    match &*origin.stack == stack {
        true => Ok(()),
        false => Err(refusal(
            refused(
                "the plan is for another stack",
                format!("it is for {}, this is {stack}", origin.stack),
            )
            .hint(AGAIN),
        )),
    }
}

/// Where a plan is about to be applied.
#[derive(Debug, Clone, Copy)]
pub struct ActsIn<'a> {
    /// Whether the sandbox stands in for its providers.
    pub sandbox: bool,
    /// Its state.
    pub backend: &'a str,
    /// The emulator that everything is pointed at.
    pub endpoint: Option<&'a str>,
}

/// Refuses a plan for another place or another cloud.
///
/// # Errors
/// When it is.
pub fn check_place(origin: &Origin, now: ActsIn<'_>) -> Result<(), DeployError> {
    let mut moved = Diagnostics::new();
    let mut compare = |what: &str, then: &str, now: &str| {
        if then != now {
            let detail = format!("it is for {then}, this is {now}");
            moved.push(refused(format!("the plan is for another {what}"), detail));
        }
    };
    if origin.sandbox != now.sandbox {
        let cloud = |sandbox| match sandbox {
            true => "the sandbox",
            false => "a real cloud",
        };
        compare("cloud", cloud(origin.sandbox), cloud(now.sandbox));
    } else {
        compare("state", &origin.backend, now.backend);
    }
    let endpoint = |url: Option<&str>| url.unwrap_or("the real one").to_owned();
    compare(
        "AWS_ENDPOINT_URL",
        &endpoint(origin.endpoint.as_deref()),
        &endpoint(now.endpoint),
    );
    refuse_all(
        moved,
        "nothing was changed; run it with the flags and the environment that the plan was made with, or make a new plan",
    )
}

/// Refuses a plan that another build of the program made.
///
/// # Errors
/// When it is.
pub fn check_build(origin: &Origin, build: terrane_state::Sha256) -> Result<(), DeployError> {
    if origin.executable == build {
        return Ok(());
    }
    let detail = format!(
        "its file had SHA-256 {} then and has {build} now, terrane was {} and is {}",
        origin.executable,
        origin.terrane,
        env!("CARGO_PKG_VERSION"),
    );
    Err(refusal(
        refused("the plan was made by another build of this program", detail)
            .hint("use it with the very file that made it, and keep the two together; or make a new plan with `preview --out FILE`"),
    ))
}

/// Refuses a plan that other providers made.
///
/// # Errors
/// When they are.
pub fn check_providers(origin: &Origin, now: &[ProviderBuild]) -> Result<(), DeployError> {
    let described = |build: &ProviderBuild| {
        let version = build.version.as_deref().unwrap_or("of no known version");
        match &build.sha256 {
            Some(sha256) => format!("{version}, SHA-256 {sha256}"),
            None => "a running process that was attached to".to_owned(),
        }
    };
    let moved = origin.providers.iter().filter_map(|then| {
        let found = now.iter().find(|now| now.source == then.source);
        if found == Some(then) {
            return None;
        }
        let now = found.map_or_else(|| "not installed".to_owned(), described);
        let detail = format!("it was {}; it is {now}", described(then));
        let source = &then.source;
        Some(refused(
            format!("the plan was made with another build of the provider {source}"),
            detail,
        ))
    });
    refuse_all(moved.collect(), AGAIN)
}

/// Refuses a plan that was used, or that was made from another state than this one.
pub(super) fn check_state(origin: &Origin, plan: &Plan, run: &Run) -> Result<(), DeployError> {
    if let Some(used) = run.plan_use(&origin.nonce) {
        let detail = format!("by {} at {}; a plan is applied once", used.who, used.at);
        return Err(refusal(
            refused("the plan was applied already", detail).hint(AGAIN),
        ));
    }
    let (then, now) = (&plan.prior, run.state());
    let stale = |summary: &str, detail: String| Err(refusal(refused(summary, detail).hint(AGAIN)));
    // A state that was never written has a lineage only while a run holds it.
    let unwritten = then.lineage.is_empty() && then.serial + now.serial == 0;
    if !unwritten && then.lineage != now.lineage {
        return match (then.serial, now.serial) {
            (0, serial) => stale(
                "there was no state when the plan was made, and now there is one",
                format!("it has serial {serial}"),
            ),
            (serial, 0) => stale(
                "there was a state when the plan was made, and now there is none",
                format!("it had serial {serial}"),
            ),
            _ => stale(
                "the plan was made from the state of another history",
                format!("the lineage was {} and is {}", then.lineage, now.lineage),
            ),
        };
    }
    if then.serial != now.serial {
        return stale(
            "the state has changed since the plan was made",
            format!("it had serial {} and has {}", then.serial, now.serial),
        );
    }
    if *then != now && !(unwritten && then.same_content(&now)) {
        return stale(
            "the state is not the one that the plan was made from",
            format!("both have serial {}, but their contents differ", now.serial),
        );
    }
    let unresolved = unresolved::found(&run.open_intents(), Severity::Error);
    refuse_all(
        unresolved,
        "nothing was changed; run `up` without a plan, which recovers them or says how to, then make a new plan",
    )
}

/// Refuses to act in another account or region than the plan was made in.
pub(super) async fn check_callers(
    origin: &Origin,
    plan: &Plan,
    engine: &Engine<'_>,
    program: &Program,
) -> Result<(), DeployError> {
    let then = &origin.callers;
    if then.is_empty() {
        return Ok(());
    }
    let now = engine.callers(program, plan).await?;
    let moved = then.iter().filter_map(|then| {
        let found = now.iter().find(|now| now.provider == then.provider);
        if found == Some(then) {
            return None;
        }
        let now = found.map_or_else(|| "an unknown one".to_owned(), described_caller);
        let detail = format!(
            "{} led to {} and leads to {now}",
            then.provider,
            described_caller(then)
        );
        Some(refused("the plan is for another account or region", detail))
    });
    refuse_all(moved.collect(), AGAIN)
}

/// Refuses a plan for objects that have changed since. A plan that was made without looking at them is applied without.
pub(super) async fn check_objects(
    origin: &Origin,
    plan: &Plan,
    engine: &Engine<'_>,
    program: &Program,
) -> Result<(), DeployError> {
    if origin.flags.iter().any(|flag| flag == UNREAD) {
        return Ok(());
    }
    let moved = engine.moved(program, plan).await?;
    refuse_all(
        moved,
        "nothing was changed; make a new plan with `preview --out FILE`, and with `--refresh false` if that changes at every read",
    )
}

fn described_caller(caller: &CallerIdentity) -> String {
    let account = caller.account.as_deref().unwrap_or("an unknown account");
    let region = caller.region.as_deref().unwrap_or("an unknown region");
    format!("{account} in {region}")
}

/// Why a saved plan cannot be used with a program.
pub(super) fn other_program(error: &PlanFileError) -> DeployError {
    let PlanFileError::OtherProgram { differences } = error else {
        return refusal(refused("the plan cannot be used", error).hint(AGAIN));
    };
    /// More are counted instead of named.
    const NAMED: usize = 10;
    let mut names: Vec<String> = differences.iter().take(NAMED).cloned().collect();
    if differences.len() > NAMED {
        names.push(format!("and {} more", differences.len() - NAMED));
    }
    let detail = match names.is_empty() {
        true => "the same in another order".to_owned(),
        false => names.join(", "),
    };
    refusal(
        refused("the program declares something else than when the plan was made", detail)
            .hint("its declarations may depend on its configuration only: not on files, the clock or other variables")
            .hint(AGAIN),
    )
}

/// The bytes are no plan.
pub(super) fn no_plan(place: &str, error: &PlanFileError) -> DeployError {
    refusal(refused(format!("the plan in {place} cannot be used"), error).hint(AGAIN))
}

pub(super) fn refused(summary: impl Into<String>, detail: impl ToString) -> Diagnostic {
    // A name out of a file is told on one line, whatever is in it.
    let detail = detail.to_string();
    let detail = detail.chars().flat_map(|c| match c {
        c if c.is_control() => c.escape_default().collect::<Vec<_>>(),
        c => vec![c],
    });
    Diagnostic::error(summary).detail(detail.collect::<String>())
}

pub(super) fn refusal(diagnostic: Diagnostic) -> DeployError {
    DeployError::Refused(diagnostic.into())
}

/// Refuses with all of them, if there is any, and gives the hint once.
fn refuse_all(diagnostics: Diagnostics, hint: &str) -> Result<(), DeployError> {
    let mut diagnostics: Vec<Diagnostic> = diagnostics.into_iter().collect();
    let Some(last) = diagnostics.pop() else {
        return Ok(());
    };
    diagnostics.push(last.hint(hint));
    Err(DeployError::Refused(diagnostics.into_iter().collect()))
}
