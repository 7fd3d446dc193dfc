//! Saved plans: written by `preview --out`, read by `show` and `up`; applied exactly, once, or refused with the reason.

mod checks;

use std::path::Path;
use std::time::Instant;

use terrane_core::{Diagnostic, Program};
use terrane_deploy::saved::{
    ActsIn, FixedPlan, check_build, check_place, check_providers, check_saveable, check_stack,
    is_plan, read_plan, write_plan,
};
use terrane_deploy::{PlanBytes, own_digest, provider_builds};
use terrane_engine::{CallerIdentity, Fingerprint, Origin, Plan, PlanMode};
use terrane_provider::Plugins;
use terrane_state::{Operation, PrivateFile, Random as _, SystemRandom, Timestamp};

use super::apply::{Applying, Request, carry_out, reported};
use super::confirmation::Confirmation;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, quoted_if_needed, run_error};
use crate::view::printable::one_line;
use crate::view::{Place, RunView as _, SavedAs};
use checks::{changed_inputs, refuse_configuration};

/// A saved plan, where it comes from, and its file.
pub(crate) struct Saved {
    pub(crate) fixed: FixedPlan,
    /// Its file.
    pub(crate) file: SavedAs,
}

/// Refuses a file for a plan that is another file already, before any work is done for it.
pub(crate) fn check_target(file: &Path) -> Result<(), CommandError> {
    let checked = PrivateFile::new(file).and_then(|file| file.check_replaceable(is_plan));
    checked.map_err(|error| run_error(&error.into()))
}

/// Writes a plan into that file, with all that it comes from; encrypted, if the state is.
pub(crate) async fn write(
    session: &Session<'_>,
    file: &Path,
    plan: &Plan,
    origin: Origin,
) -> Result<SavedAs, CommandError> {
    let bytes = write_plan(&*session.backend().await?, plan, origin).await?;
    let written = PrivateFile::new(file).and_then(|file| file.replace(bytes.as_bytes(), is_plan));
    written.map_err(|error| run_error(&error.into()))?;
    Ok(saved_as(session, file, &bytes))
}

fn saved_as(session: &Session<'_>, file: &Path, bytes: &PlanBytes) -> SavedAs {
    let file = file.display().to_string();
    SavedAs {
        command: session.again(&format!("up {}", quoted_if_needed(&file))),
        file: one_line(&file),
        digest: bytes.digest(),
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
    check_saveable(program)?;
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
        providers: provider_builds(program, plugins)?,
        callers,
        known_values: program.known_values().clone(),
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
    let bytes = PlanBytes::new(bytes);
    let saved = read_plan(&*session.backend().await?, &bytes, &place).await?;
    let file = saved_as(session, file, &bytes);
    drop(bytes);
    // Another stack's binary is no other build of this program.
    check_stack(&saved.origin, session.stack)?;
    check_build(&saved.origin, own_digest()?)?;
    let program = session.program_of(&saved.origin).await?;
    let fixed = FixedPlan::of(saved, &program, session.who())?;
    for change in &fixed.plan.changes {
        session.redactor.learn(&change.before);
        session.redactor.learn(&change.after);
    }
    Ok((Saved { fixed, file }, program))
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
        let (Saved { fixed, .. }, program) = open(session, file).await?;
        let now = ActsIn {
            sandbox: session.common.sandbox,
            backend: &session.backend().await?.place(),
            endpoint: session.endpoint(),
        };
        check_place(&fixed.origin, now)?;
        session.say(&changed_inputs(&fixed.origin.inputs, &session.inputs()?));
        view.begin()?;
        let providers = session.providers_of_run(&program, &view).await?;
        check_providers(&fixed.origin, &provider_builds(&program, &providers)?)?;
        let request = Request {
            operation: match fixed.plan.mode {
                PlanMode::Destroy => Operation::Destroy,
                _ => Operation::Apply,
            },
            source: fixed,
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
        session.saved_place(program, &self.fixed.origin)
    }

    /// One line about where the plan comes from.
    pub(crate) fn heading(&self) -> String {
        let Origin {
            who,
            made_at,
            backend,
            flags,
            ..
        } = &self.fixed.origin;
        let state = match self.fixed.plan.prior.serial {
            0 => format!("for {backend}, where there was no state"),
            serial => format!("from the state {backend} at serial {serial}"),
        };
        let kind = match self.fixed.plan.mode {
            PlanMode::Normal => "",
            PlanMode::Destroy => " --destroy",
            PlanMode::RefreshOnly => " --refresh-only",
        };
        let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
        let line = format!("Planned by {who} at {made_at} {state} (preview{kind}{flags})");
        format!("{}\n\n", one_line(&line))
    }
}
