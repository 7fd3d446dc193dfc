//! Saved plans: written by `preview --out`, read by `show` and `up`; applied exactly, once, or refused with the reason.

mod checks;

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use terrane_core::{Diagnostic, Program};
use terrane_deploy::{HeldRun, PlanSource, Sourced};
use terrane_engine::{CallerIdentity, Fingerprint, Origin, Plan, PlanMode, Recovered, SavedPlan};
use terrane_provider::Plugins;
use terrane_state::{
    Clock as _, Operation, PlanUse, PrivateFile, Random as _, Sha256, StackFile, SystemClock,
    SystemRandom, Timestamp, is_sealed,
};

use super::apply::{Applying, Request, Work, carry_out, reported};
use super::confirmation::Confirmation;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, own_digest, quoted_if_needed, run_error};
use crate::signals::interrupted;
use crate::view::printable::one_line;
use crate::view::{Place, RunView as _, SavedAs};
use checks::{changed_inputs, other_program, other_stack, refusal, refuse_configuration, refused};

/// The remedy for nearly every refusal.
const AGAIN: &str = "nothing was changed; make a new plan with `preview --out FILE`";

/// A saved plan and where it comes from.
pub(crate) struct Saved {
    pub(crate) origin: Origin,
    pub(crate) plan: Plan,
    /// Its file.
    pub(crate) file: SavedAs,
}

/// Refuses a file for a plan that is another file already, before any work is done for it.
pub(crate) fn check_target(file: &Path) -> Result<(), CommandError> {
    let checked = PrivateFile::new(file).and_then(|file| file.check_replaceable(is_plan));
    checked.map_err(|error| run_error(&error.into()))
}

/// Whether a file is a plan, in clear or encrypted.
fn is_plan(bytes: &[u8]) -> bool {
    SavedPlan::is_one(bytes) || is_sealed(bytes, StackFile::Plan)
}

/// Writes a plan into that file, with all that it comes from; encrypted, if the state is.
pub(crate) async fn write(
    session: &Session<'_>,
    file: &Path,
    plan: &Plan,
    origin: Origin,
) -> Result<SavedAs, CommandError> {
    let bytes = SavedPlan::write(plan, origin)
        .map_err(|error| Diagnostic::error("the plan cannot be saved").detail(error.to_string()))?;
    let backend = session.backend().await?;
    let sealed = backend.seal(StackFile::Plan, "", bytes.into()).await;
    let bytes = sealed.map_err(|error| run_error(&error.into()))?;
    let written = PrivateFile::new(file).and_then(|file| file.replace(&bytes, is_plan));
    written.map_err(|error| run_error(&error.into()))?;
    Ok(saved_as(session, file, &bytes))
}

fn saved_as(session: &Session<'_>, file: &Path, bytes: &[u8]) -> SavedAs {
    let file = file.display().to_string();
    SavedAs {
        command: session.again(&format!("up {}", quoted_if_needed(&file))),
        file: one_line(&file),
        digest: Sha256::of(bytes).to_string(),
    }
}

/// Says where a plan was saved, and how it is applied.
pub(crate) fn say_saved(session: &Session<'_>, SavedAs { file, command, .. }: &SavedAs) {
    let is_encrypted = session
        .location()
        .is_ok_and(|it| it.address().encryption().is_some());
    let how = match is_encrypted {
        true => "encrypted",
        false => "with the secrets that are in it",
    };
    session.note(&format!(
        "\nThe plan is saved in {file}, {how}. Apply it with `{command}`.\n"
    ));
}

/// Where a plan comes from that this invocation made.
pub(crate) async fn origin(
    session: &Session<'_>,
    program: &Program,
    plugins: &Plugins,
    callers: Vec<CallerIdentity>,
    made_at: Timestamp,
    flags: Vec<String>,
) -> Result<Origin, CommandError> {
    if let Some(unknown) = program.unknown_exports().next() {
        let unsaved = Diagnostic::error("the plan cannot be saved").detail(format!(
            "`{unknown}` is known only after {} is applied",
            unknown.producer()
        ));
        return Err(refusal(
            unsaved.hint("apply the producer first, then plan and save"),
        ));
    }
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
        modules: program.module_values(),
    })
}

/// Reads a plan file and runs the program that it was made from, as it was run then.
pub(crate) async fn open(
    session: &Session<'_>,
    file: &Path,
) -> Result<(Saved, Program), CommandError> {
    refuse_configuration(session)?;
    let place = one_line(&file.display().to_string());
    let bytes = PrivateFile::new(file).and_then(|file| file.read());
    let bytes = bytes.map_err(|error| run_error(&error.into()))?;
    let bytes = bytes.ok_or_else(|| Diagnostic::error(format!("there is no file {place}")))?;
    let name = format!("the plan in {place}");
    let backend = session.backend().await?;
    let opened = backend.unseal(StackFile::Plan, &name, bytes.clone().into());
    let opened = opened.await;
    let opened = opened.map_err(|error| run_error(&error.into()))?;
    let saved = SavedPlan::read(&opened)
        .map_err(|error| refused(format!("the plan in {place} cannot be used"), error).hint(AGAIN));
    let saved = saved.map_err(refusal)?;
    let file = saved_as(session, file, &bytes);
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
    let program = session.program_of(&origin).await?;
    let plan = saved
        .plan(&program)
        .map_err(|error| other_program(&error))?;
    for change in &plan.changes {
        session.redactor.learn(&change.before);
        session.redactor.learn(&change.after);
    }
    Ok((Saved { origin, plan, file }, program))
}

/// Applies a saved plan: exactly that, or nothing.
pub(crate) async fn apply(
    session: &Session<'_>,
    file: &Path,
    applying: Applying,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let files = applying.guard.files.clone();
    reported(session, &files, async |view| {
        let (saved, program) = open(session, file).await?;
        saved.check_place(session).await?;
        session.say(&changed_inputs(&saved.origin.inputs, &session.inputs()?));
        view.begin()?;
        let providers = session.providers_of_run(&program, &view).await?;
        saved.check_providers(&session.provider_builds(&program, &providers)?)?;
        let request = Request {
            operation: match saved.plan.mode {
                PlanMode::Destroy => Operation::Destroy,
                _ => Operation::Apply,
            },
            source: saved,
            confirmation: Confirmation::Given,
            question: "",
            applying,
        };
        carry_out(session, &request, view, &program, &providers, started).await
    })
    .await
}

impl Saved {
    /// Where it acts.
    pub(crate) fn place(&self, session: &Session<'_>, program: &Program) -> Place {
        session.saved_place(program, &self.origin)
    }

    /// One line about where the plan comes from.
    pub(crate) fn heading(&self) -> String {
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
}

impl PlanSource<Work<'_, Self>> for Saved {
    async fn plan<'s>(
        &'s self,
        held: HeldRun<'_>,
        _: &Work<'_, Self>,
    ) -> Result<Sourced<'s>, CommandError> {
        self.check_state(held.run)?;
        self.check_callers(held.engine, held.program).await?;
        self.check_objects(held.engine, held.program).await?;
        if held.cancellation.is_cancelled() {
            return Err(interrupted());
        }
        Ok(Sourced {
            plan: Cow::Borrowed(&self.plan),
            program: None,
            recovered: Recovered::default(),
            reads_everything: false,
            callers: self.origin.callers.clone(),
            // Nobody has approved more than is in the file.
            continues_with: None,
        })
    }

    /// Records, before anything is done, that the plan is used.
    async fn begin(&self, held: HeldRun<'_>, work: &Work<'_, Self>) -> Result<(), CommandError> {
        let plan = PlanUse {
            nonce: self.origin.nonce.clone(),
            who: work.session().who(),
            at: SystemClock::default().now(),
        };
        let used = held.run.use_plan(plan).await;
        used.map_err(|error| run_error(&error.into()))
    }
}
