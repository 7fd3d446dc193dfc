//! Saved plans: written by `preview --out`, read by `show` and `up`; applied exactly, once, or refused with what has moved.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::{
    CallerIdentity, Engine, Fingerprint, Inputs, Origin, Plan, PlanFileError, PlanMode,
    ProviderBuild, SavedPlan,
};
use terrane_provider::Plugins;
use terrane_state::{
    Clock as _, Operation, PlanUse, PrivateFile, Random as _, Recorder as _, Run, SystemClock,
    SystemRandom, Timestamp,
};

use super::apply::{Planned, Request, carry_out};
use super::consent::Consent;
use super::open_intents;
use crate::args::{Guard, Preview, RefreshChoice};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, own_digest, run_error};
use crate::view::text::one_line;

/// What to do about nearly every refusal.
const AGAIN: &str = "nothing was changed; make a new plan with `preview --out FILE`";

/// The flag of a plan that was made without reading objects.
const UNREAD: &str = "--refresh=false";

/// A saved plan and where it comes from.
pub(super) struct Saved {
    pub(super) origin: Origin,
    pub(super) plan: Plan,
}

/// Refuses a file for a plan that is another file already, before any work is done for it.
pub(super) fn check_target(file: &Path) -> Result<(), CommandError> {
    let checked = PrivateFile::new(file).and_then(|file| file.check_replaceable(SavedPlan::is_one));
    checked.map_err(|error| run_error(&error.into()))
}

/// Writes a plan for that file, with all that it comes from.
pub(super) fn write(
    session: &Session<'_>,
    file: &Path,
    plan: &Plan,
    origin: Origin,
) -> Result<(), CommandError> {
    let bytes = SavedPlan::write(plan, origin).map_err(|error| {
        Diagnostic::error("the plan can not be saved").detail(error.to_string())
    })?;
    let written = PrivateFile::new(file).and_then(|file| file.replace(&bytes, SavedPlan::is_one));
    written.map_err(|error| run_error(&error.into()))?;
    let apply = session.again(&format!("up {}", file.display()));
    let file = file.display();
    session.streams.err(&format!(
        "\nThe plan is saved in {file}, with the secrets that are in it. Apply it with `{apply}`.\n"
    ));
    Ok(())
}

/// Where a plan comes from that this invocation made.
pub(super) async fn origin(
    session: &Session<'_>,
    program: &Program,
    plugins: &Plugins,
    callers: Vec<CallerIdentity>,
    made_at: Timestamp,
    flags: Vec<String>,
) -> Result<Origin, CommandError> {
    Ok(Origin {
        nonce: SystemRandom.uuid(),
        terrane: env!("CARGO_PKG_VERSION").to_owned(),
        who: session.who(),
        made_at,
        stack: session.stack.to_owned(),
        backend: session.backend().await?.place(),
        sandbox: session.common.sandbox,
        endpoint: session.endpoint().map(str::to_owned),
        executable: own_digest()?,
        program: Fingerprint::of(program),
        inputs: session.inputs()?,
        flags,
        providers: session.provider_builds(program, plugins)?,
        callers,
    })
}

/// The flags that made a plan of another kind than the usual one.
pub(super) fn flags(arguments: &Preview) -> Vec<String> {
    let selection = &arguments.selection;
    let patterns = [
        ("target", &selection.targets),
        ("exclude", &selection.excludes),
        ("replace", &arguments.replace.replace),
    ];
    let patterns = patterns.into_iter().flat_map(|(flag, patterns)| {
        patterns
            .iter()
            .map(move |pattern| format!("--{flag}={pattern}"))
    });
    let refresh = match arguments.refreshing.refresh {
        RefreshChoice::True => None,
        RefreshChoice::False => Some(UNREAD.to_owned()),
    };
    patterns.chain(refresh).collect()
}

/// Reads a plan file and runs the program that it was made from, as it was run then.
pub(super) fn open(session: &Session<'_>, file: &Path) -> Result<(Saved, Program), CommandError> {
    refuse_configuration(session)?;
    let place = one_line(&file.display().to_string());
    let bytes = PrivateFile::new(file).and_then(|file| file.read());
    let bytes = bytes.map_err(|error| run_error(&error.into()))?;
    let bytes = bytes.ok_or_else(|| Diagnostic::error(format!("there is no file {place}")))?;
    let saved = SavedPlan::read(&bytes).map_err(|error| {
        refused(format!("the plan in {place} can not be used"), error).hint(AGAIN)
    });
    let saved = saved.map_err(refusal)?;
    drop(bytes);
    let origin = saved.origin.clone();
    // Another stack's binary is no other build of this program.
    other_stack(session, &origin).map_or(Ok(()), |error| Err(refusal(error.hint(AGAIN))))?;
    let build = own_digest()?;
    if origin.executable != build {
        let detail = format!(
            "its file had SHA-256 {} then and has {build} now, terrane was {} and is {}",
            origin.executable,
            origin.terrane,
            env!("CARGO_PKG_VERSION"),
        );
        return Err(refusal(
            refused("the plan was made by another build of this program", detail)
                .hint("use it with the very file that made it, and keep the two together; or make a new plan with `preview --out FILE`"),
        ));
    }
    let program = session.program_on(&origin.inputs, origin.endpoint.as_deref())?;
    let plan = saved
        .plan(&program)
        .map_err(|error| other_program(&error))?;
    for change in &plan.changes {
        session.redactor.learn(&change.before);
        session.redactor.learn(&change.after);
    }
    Ok((Saved { origin, plan }, program))
}

/// Why a plan of that origin is not for the stack of this invocation.
fn other_stack(session: &Session<'_>, origin: &Origin) -> Option<Diagnostic> {
    let (then, now) = (&origin.stack, session.stack);
    (then != now).then(|| {
        refused(
            "the plan is for another stack",
            format!("it is for {then}, this is {now}"),
        )
    })
}

/// Applies a saved plan: exactly that, or nothing.
pub(super) async fn apply(
    session: &Session<'_>,
    file: &Path,
    parallelism: NonZeroUsize,
    guard: Guard,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let (saved, program) = open(session, file)?;
    saved.check_place(session).await?;
    session.say(&changed_inputs(&saved.origin.inputs, &session.inputs()?));
    let providers = session.providers(&program)?;
    saved.check_providers(&session.provider_builds(&program, &providers)?)?;
    let request = Request {
        operation: Operation::Apply,
        planned: Planned::Before(Box::new(saved)),
        parallelism,
        consent: Consent::Given,
        question: "",
        guard,
    };
    carry_out(session, &request, &program, &providers, started).await
}

impl Saved {
    /// One line about where the plan comes from.
    pub(super) fn heading(&self) -> String {
        let Origin {
            who,
            made_at,
            backend,
            flags,
            ..
        } = &self.origin;
        let state = match self.plan.prior.serial {
            0 => format!("for {backend}, where there was no state"),
            serial => format!("from the state {backend} at serial {serial}"),
        };
        let kind = match self.plan.mode {
            PlanMode::Normal => "",
            PlanMode::Destroy => " --destroy",
            PlanMode::RefreshOnly => " --refresh-only",
        };
        let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
        let line = format!("Planned by {who} at {made_at} {state} (preview{kind}{flags})");
        format!("{}\n\n", one_line(&line))
    }

    /// Refuses a plan for another stack, another place or another cloud.
    async fn check_place(&self, session: &Session<'_>) -> Result<(), CommandError> {
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
    fn check_providers(&self, now: &[ProviderBuild]) -> Result<(), CommandError> {
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
                format!(
                    "both have serial {}, but what they hold differs",
                    now.serial
                ),
            );
        }
        let in_doubt = open_intents::errors(&run.open_intents());
        refuse_all(
            in_doubt,
            "nothing was changed; `up` without a plan settles what can be settled, after that make a new plan",
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
            let now = found.map_or_else(|| "one that can not be told".to_owned(), described_caller);
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

    /// Makes it known, before anything is done, that the plan is used.
    pub(super) async fn mark_used(
        &self,
        session: &Session<'_>,
        run: &Run,
    ) -> Result<(), CommandError> {
        let plan = PlanUse {
            nonce: self.origin.nonce.clone(),
            who: session.who(),
            at: SystemClock::default().now(),
        };
        run.use_plan(plan)
            .await
            .map_err(|error| run_error(&error.into()))
    }
}

fn described_caller(caller: &CallerIdentity) -> String {
    let account = caller.account.as_deref().unwrap_or("an unknown account");
    let region = caller.region.as_deref().unwrap_or("an unknown region");
    format!("{account} in {region}")
}

/// A plan has its own configuration; another one beside it can only be a mistake.
fn refuse_configuration(session: &Session<'_>) -> Result<(), CommandError> {
    let given = [
        ("--var", !session.common.vars.is_empty()),
        ("--var-file", !session.common.var_files.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(CommandError::usage(
            Diagnostic::error(format!("{flag} has no meaning with a saved plan"))
                .detail("the plan holds the configuration that it was made with")
                .hint("make a new plan with `preview --out FILE` to change it"),
        )),
    }
}

/// What of the configuration is not what it was; the plan's own counts.
fn changed_inputs(then: &Inputs, now: &Inputs) -> Diagnostics {
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

fn other_program(error: &PlanFileError) -> CommandError {
    let PlanFileError::OtherProgram { differences } = error else {
        return refusal(refused("the plan can not be used", error).hint(AGAIN));
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
            .hint("what it declares must follow from its configuration: not from files, the clock or other variables")
            .hint(AGAIN),
    )
}

fn refused(summary: impl Into<String>, detail: impl ToString) -> Diagnostic {
    Diagnostic::error(summary).detail(one_line(&detail.to_string()))
}

fn refusal(diagnostic: Diagnostic) -> CommandError {
    CommandError::new(Exit::REFUSED, diagnostic)
}

/// Refuses with all of them, if there is any, and says what to do once.
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
