//! Refuses a saved plan that does not fit: another stack, program, provider, state, account or object than it was made for.

use std::path::Path;

use terrane_core::{Diagnostic, Diagnostics, Program, Severity};
use terrane_engine::{CallerIdentity, Engine, Inputs, Origin, PlanFileError, ProviderBuild};
use terrane_state::{Recorder as _, Run};

use super::{AGAIN, Saved};
use crate::args::UNREAD;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::printable::one_line;
use crate::workflow::unresolved;

impl Saved {
    /// Refuses a plan for another stack, another place or another cloud.
    pub(super) async fn check_place(&self, session: &Session<'_>) -> Result<(), CommandError> {
        let origin = &self.origin;
        let mut moved = Diagnostics::new();
        let mut compare = |what: &str, then: &str, now: &str| {
            if then != now {
                let detail = format!("it is for {then}, this is {now}");
                moved.push(refused(format!("the plan is for another {what}"), detail));
            }
        };
        if origin.sandbox != session.common.sandbox {
            let cloud = |sandbox| {
                if sandbox {
                    "the sandbox"
                } else {
                    "a real cloud"
                }
            };
            compare(
                "cloud",
                cloud(origin.sandbox),
                cloud(session.common.sandbox),
            );
        } else {
            compare("state", &origin.backend, &session.backend().await?.place());
        }
        let endpoint = |url: Option<&str>| url.unwrap_or("the real one").to_owned();
        compare(
            "AWS_ENDPOINT_URL",
            &endpoint(origin.endpoint.as_deref()),
            &endpoint(session.endpoint()),
        );
        refuse_all(
            moved,
            "nothing was changed; run it with the flags and the environment that the plan was made with, or make a new plan",
        )
    }

    /// Refuses a plan that other providers made.
    pub(super) fn check_providers(&self, now: &[ProviderBuild]) -> Result<(), CommandError> {
        let described = |build: &ProviderBuild| {
            let version = build.version.as_deref().unwrap_or("of no known version");
            match &build.sha256 {
                Some(sha256) => format!("{version}, SHA-256 {sha256}"),
                None => "a running process that was attached to".to_owned(),
            }
        };
        let moved = self.origin.providers.iter().filter_map(|then| {
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
    pub(super) fn check_state(&self, run: &Run) -> Result<(), CommandError> {
        if let Some(plan) = run.plan_use(&self.origin.nonce) {
            let detail = format!("by {} at {}; a plan is applied once", plan.who, plan.at);
            return Err(refusal(
                refused("the plan was applied already", detail).hint(AGAIN),
            ));
        }
        let (then, now) = (&self.plan.prior, run.state());
        let stale =
            |summary: &str, detail: String| Err(refusal(refused(summary, detail).hint(AGAIN)));
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
        &self,
        engine: &Engine<'_>,
        program: &Program,
    ) -> Result<(), CommandError> {
        let then = &self.origin.callers;
        if then.is_empty() {
            return Ok(());
        }
        let now = engine.callers(program, &self.plan).await?;
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
        &self,
        engine: &Engine<'_>,
        program: &Program,
    ) -> Result<(), CommandError> {
        if self.origin.flags.iter().any(|flag| flag == UNREAD) {
            return Ok(());
        }
        let moved = engine.moved(program, &self.plan).await?;
        refuse_all(
            moved,
            "nothing was changed; make a new plan with `preview --out FILE`, and with `--refresh false` if that changes at every read",
        )
    }
}

/// Why a plan of that origin is not for the stack of this invocation.
pub(super) fn other_stack(session: &Session<'_>, origin: &Origin) -> Option<Diagnostic> {
    let (then, now) = (&origin.stack, session.stack);
    (then != now).then(|| {
        refused(
            "the plan is for another stack",
            format!("it is for {then}, this is {now}"),
        )
    })
}

fn described_caller(caller: &CallerIdentity) -> String {
    let account = caller.account.as_deref().unwrap_or("an unknown account");
    let region = caller.region.as_deref().unwrap_or("an unknown region");
    format!("{account} in {region}")
}

/// A plan has its own configuration; another one beside it can only be a mistake.
pub(super) fn refuse_configuration(session: &Session<'_>) -> Result<(), CommandError> {
    let given = [
        ("--var", !session.common.vars.is_empty()),
        ("--var-file", !session.common.var_files.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(CommandError::usage(
            Diagnostic::error(format!("`{flag}` has no effect on a saved plan"))
                .detail("the plan holds the configuration that it was made with")
                .hint("make a new plan with `preview --out FILE` to change it"),
        )),
    }
}

/// The changed parts of the configuration; the plan's own is in effect.
pub(super) fn changed_inputs(then: &Inputs, now: &Inputs) -> Diagnostics {
    let names = then.environment.keys().chain(now.environment.keys());
    let mut changed: Vec<&str> = names
        .filter(|name| then.environment.get(*name) != now.environment.get(*name))
        .map(String::as_str)
        .collect();
    let files = then.files.iter();
    // A pipe has no text any more.
    let differs = |name: &str, text: &str| {
        Path::new(name).is_file() && std::fs::read_to_string(name).is_ok_and(|now| now != text)
    };
    let files = files.filter(|(name, text)| differs(name, text));
    changed.extend(files.map(|(name, _)| name.as_str()));
    changed.sort_unstable();
    changed.dedup();
    if changed.is_empty() {
        return Diagnostics::new();
    }
    let names = changed.join(", ");
    Diagnostic::warning("the configuration has changed since the plan was made")
        .detail(format!(
            "{names}; the plan is applied with the values that it was made with"
        ))
        .into()
}

pub(super) fn other_program(error: &PlanFileError) -> CommandError {
    let PlanFileError::OtherProgram { differences } = error else {
        return refusal(refused("the plan cannot be used", error).hint(AGAIN));
    };
    /// More are counted instead of named.
    const NAMED: usize = 10;
    let mut names: Vec<String> = differences
        .iter()
        .take(NAMED)
        .map(|name| one_line(name))
        .collect();
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

pub(super) fn refused(summary: impl Into<String>, detail: impl ToString) -> Diagnostic {
    Diagnostic::error(summary).detail(one_line(&detail.to_string()))
}

pub(super) fn refusal(diagnostic: Diagnostic) -> CommandError {
    CommandError::new(Exit::REFUSED, diagnostic)
}

/// Refuses with all of them, if there is any, and gives the hint once.
fn refuse_all(diagnostics: Diagnostics, hint: &str) -> Result<(), CommandError> {
    let mut diagnostics: Vec<Diagnostic> = diagnostics.into_iter().collect();
    let Some(last) = diagnostics.pop() else {
        return Ok(());
    };
    diagnostics.push(last.hint(hint));
    Err(CommandError {
        exit: Exit::REFUSED,
        diagnostics: diagnostics.into_iter().collect(),
    })
}
