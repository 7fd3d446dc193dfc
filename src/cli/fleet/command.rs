//! The verbs of a fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use terrane_core::policy::PolicyReport;
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_deploy::{Decision, Proposal};
use terrane_engine::{Action, CallerIdentity, Plan, PlanMode};
use terrane_fleet::{Deployments, FleetResults, Matrix, StackId, StackResult};
use terrane_state::{Clock as _, SystemClock};

use super::args::{FleetCommand, Told as ToldArgs};
use super::progress::{Progress, TICK};
use super::report::{Report, Told};
use super::session::{FleetSession, wrong_selection};
use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::signals::{NOTHING_CHANGED, Signals};
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::{Painter, Tone};
use crate::view::text::stacks::jobs_table;
use crate::view::text::{shown_output, shown_text};
use crate::view::{Approval, Details, Place, Secrets, ShownPlan};

/// Runs one command.
pub(super) async fn run(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    command: FleetCommand,
) -> Result<Exit, CommandError> {
    match command {
        FleetCommand::Matrix { shards } => matrix(
            session,
            deployments,
            shards.map(std::num::NonZeroUsize::get),
        ),
        FleetCommand::Output { show_secrets } => {
            let secrets = Secrets::shown(show_secrets);
            output(session, deployments, secrets).await
        }
        FleetCommand::Preview {
            destroy,
            detailed_exitcode,
            told,
        } => {
            let chosen = session.chosen(deployments)?;
            let mode = match destroy {
                true => PlanMode::Destroy,
                false => PlanMode::Normal,
            };
            let work = Work::new(session, deployments, told);
            let (report, _) = work.preview(&chosen, mode).await?;
            Ok(report.exit(detailed_exitcode))
        }
        FleetCommand::Up { yes, told } => {
            let chosen = session.chosen(deployments)?;
            let work = Work::new(session, deployments, told);
            work.change(chosen, PlanMode::Normal, yes).await
        }
        FleetCommand::Destroy { yes, expired, told } => {
            let mut chosen = session.chosen(deployments)?;
            if expired {
                chosen = deployments.expired(&chosen).await?;
                if chosen.is_empty() {
                    session.streams.err("No stack has expired.\n");
                    return Ok(Exit::DONE);
                }
            }
            deployments.check_unused(&chosen).await?;
            let work = Work::new(session, deployments, told);
            work.change(chosen, PlanMode::Destroy, yes).await
        }
    }
}

fn matrix(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    shards: Option<usize>,
) -> Result<Exit, CommandError> {
    let order = deployments.order();
    let matrix = Matrix::of(order, &session.selection(), shards);
    let matrix = matrix.map_err(|error| wrong_selection(&error))?;
    if session.common.json {
        let json = serde_json::to_string(&matrix).expect("invariant: texts and numbers are JSON");
        session.streams.out(format!("{json}\n"));
        return Ok(Exit::DONE);
    }
    let painter = Painter(session.streams.out_style);
    session.streams.out(jobs_table(&matrix, painter));
    Ok(Exit::DONE)
}

async fn output(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    secrets: Secrets,
) -> Result<Exit, CommandError> {
    let painter = Painter(session.streams.out_style);
    let mut all = serde_json::Map::new();
    let mut text = String::new();
    for id in session.chosen(deployments)? {
        let name = deployments.order().name(id);
        let outputs = deployments.get(id).deployment.outputs().await?;
        let mut values = serde_json::Map::new();
        if outputs.names().next().is_some() {
            text.push_str(&format_heading(name, painter));
        }
        for (name, stored) in outputs.iter() {
            let shown = shown_output(stored, secrets);
            let _ = writeln!(text, "  {name} = {shown}");
            let value = match stored.sensitive && secrets == Secrets::Hidden {
                true => serde_json::Value::Null,
                false => serde_json::from_str(stored.value.as_str()).unwrap_or_default(),
            };
            let value = serde_json::json!({ "sensitive": stored.sensitive, "type": stored.ty, "value": value });
            values.insert(name.to_owned(), value);
        }
        all.insert(name.to_string(), values.into());
    }
    session.streams.out(match session.common.json {
        true => format!("{}\n", serde_json::Value::from(all)),
        false => text,
    });
    Ok(Exit::DONE)
}

fn format_heading(name: &str, painter: Painter) -> String {
    format!("{}\n", painter.paint(Tone::Strong, name))
}

/// The work of one command on stacks.
struct Work<'a> {
    session: &'a FleetSession<'a>,
    deployments: &'a Deployments,
    progress: Progress,
    files: Vec<PathBuf>,
    details: Details,
    /// The texts of plans, for the comment.
    plans: Arc<Mutex<BTreeMap<StackId, String>>>,
}

/// The changes of a plan as far as people confirm them: what is done to which object.
type Shape = BTreeMap<String, Action>;

impl<'a> Work<'a> {
    fn new(session: &'a FleetSession<'a>, deployments: &'a Deployments, told: ToldArgs) -> Self {
        Self {
            session,
            deployments,
            progress: Progress::new(session.streams.clone(), deployments),
            files: session.comment_files(told.markdown),
            details: match told.details {
                true => Details::All,
                false => Details::Folded,
            },
            plans: Arc::default(),
        }
    }

    /// Plans and shows.
    async fn preview(
        &self,
        chosen: &BTreeSet<StackId>,
        mode: PlanMode,
    ) -> Result<(Report, FleetResults), CommandError> {
        let options = self.session.options();
        let work = self
            .deployments
            .preview(chosen, mode, &options, &self.progress);
        let results = self.followed(work).await;
        for (&id, result) in &results {
            if let StackResult::Previewed(previewed) = result {
                let parts = PlanParts {
                    plan: &previewed.plan,
                    program: &previewed.program,
                    callers: &previewed.callers,
                    policies: &previewed.policies,
                    is_partial: !previewed.recovered.remaining.is_empty(),
                };
                self.show(id, &parts);
            }
        }
        let report = self.report(&results, Told::Preview)?;
        Ok((report, results))
    }

    /// Brings up or destroys, once a person confirmed.
    async fn change(
        &self,
        mut chosen: BTreeSet<StackId>,
        mode: PlanMode,
        Yes { yes }: Yes,
    ) -> Result<Exit, CommandError> {
        let streams = &self.session.streams;
        if !yes && (!streams.is_interactive() || self.session.common.json) {
            let refused = Diagnostic::error("confirmation required");
            let refused = refused.detail("there is no terminal to ask on");
            return Err(refused.hint("pass `--yes`").into());
        }
        let mut confirmed: BTreeMap<StackId, Shape> = BTreeMap::new();
        let mut before = Exit::DONE;
        if !yes {
            let (report, results) = self.preview(&chosen, mode).await?;
            before = report.exit(false);
            if !report.has_changes() {
                return Ok(before);
            }
            // What cannot be planned cannot be applied either; it is told already.
            for (id, result) in &results {
                match result {
                    StackResult::Previewed(previewed) => {
                        confirmed.insert(*id, shape(&previewed.plan));
                    }
                    _ => {
                        chosen.remove(id);
                    }
                }
            }
            self.ask(mode).await?;
        }
        let results = self
            .applied(&chosen, mode, (!yes).then_some(confirmed))
            .await;
        let report = self.report(&results, Told::Run)?;
        Ok(before.worse_of(report.exit(false)))
    }

    async fn applied(
        &self,
        chosen: &BTreeSet<StackId>,
        mode: PlanMode,
        confirmed: Option<BTreeMap<StackId, Shape>>,
    ) -> FleetResults {
        let options = self.session.options();
        let shower = self.shower();
        let approve = Arc::new(move |id: StackId, proposal: &Proposal<'_>| {
            let Some(confirmed) = &confirmed else {
                shower.show(
                    id,
                    &PlanParts {
                        plan: proposal.plan,
                        program: proposal.program,
                        callers: proposal.callers,
                        policies: &[],
                        is_partial: proposal.is_partial,
                    },
                );
                return Decision::Yes;
            };
            // Values that were unknown may have led to another plan, and the world may have changed.
            match proposal.is_continuation || confirmed.get(&id) == Some(&shape(proposal.plan)) {
                true => Decision::Yes,
                false => {
                    shower.changed(id);
                    Decision::No
                }
            }
        });
        match mode {
            PlanMode::Destroy => {
                let work = self
                    .deployments
                    .destroy(chosen, &options, &self.progress, approve);
                self.followed(work).await
            }
            _ => {
                let work = self
                    .deployments
                    .up(chosen, &options, &self.progress, approve);
                self.followed(work).await
            }
        }
    }

    /// Does that work, draws how it goes, and ends it in order after a signal.
    async fn followed(&self, work: impl Future<Output = FleetResults>) -> FleetResults {
        let signals = Signals::listening(self.session.streams.clone());
        let mut ticks = tokio::time::interval(TICK);
        let mut work = std::pin::pin!(work);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut work => break done,
                () = signals.wait(), if !self.session.cancellation.is_cancelled() => {
                    self.session.cancellation.cancel();
                }
                _ = ticks.tick() => self.progress.tick(),
            }
        };
        self.progress.pause();
        done
    }

    async fn ask(&self, mode: PlanMode) -> Result<(), CommandError> {
        let question = match mode {
            PlanMode::Destroy => "Destroy everything in these stacks? [yes/no] ",
            _ => "Apply these changes? [yes/no] ",
        };
        let streams = self.session.streams.clone();
        let asked = tokio::task::spawn_blocking(move || streams.ask(question));
        let signals = Signals::listening(self.session.streams.clone());
        let answer = tokio::select! {
            answer = asked => answer.ok().flatten(),
            () = signals.wait() => return Err(crate::signals::interrupted()),
        };
        match answer.as_deref().map(str::to_lowercase).as_deref() {
            Some("yes" | "y") => Ok(()),
            _ => Err(Diagnostic::error("not confirmed")
                .detail(NOTHING_CHANGED)
                .into()),
        }
    }

    fn shower(&self) -> Shower {
        let order = self.deployments.order();
        Shower {
            streams: self.session.streams.clone(),
            places: order
                .ids()
                .map(|id| {
                    let place = Place {
                        stack: order.name(id).to_string(),
                        is_sandbox: self.session.common.sandbox,
                        state: self.deployments.get(id).backend.to_string(),
                        ..Place::default()
                    };
                    (id, place)
                })
                .collect(),
            details: self.details,
            is_quiet: self.session.common.json,
            plans: self.plans.clone(),
        }
    }

    fn show(&self, id: StackId, parts: &PlanParts<'_>) {
        self.shower().show(id, parts);
    }

    /// Tells about every stack, on the streams and in the files.
    fn report(&self, results: &FleetResults, told: Told) -> Result<Report, CommandError> {
        let took = |id| self.progress.took(id);
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let report = Report::of(self.deployments, results, told, took, &plans);
        let streams = &self.session.streams;
        let painter = Painter(streams.err_style);
        for (name, found) in report.diagnostics() {
            let heading = format_heading(name, painter);
            streams.err(&format!("{heading}{}\n", diagnostics(found, painter)));
        }
        streams.out(match self.session.common.json {
            true => format!("{}\n", report.json()),
            false => report.text(Painter(streams.out_style)),
        });
        let comment = report.comment("Fleet");
        for file in &self.files {
            write(file, &comment)?;
        }
        Ok(report)
    }
}

fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(file, text).map_err(|error| {
        let unwritten = Diagnostic::error(format!("cannot write {}", file.display()));
        CommandError::usage(unwritten.detail(error.to_string()))
    })
}

/// What is done to which object.
fn shape(plan: &Plan) -> Shape {
    let changes = plan.changes.iter();
    let changes = changes.filter(|change| change.action != Action::NoOp);
    let named = changes.map(|change| {
        let deposed = change
            .deposed
            .map(|key| format!(" {key}"))
            .unwrap_or_default();
        (format!("{}{deposed}", change.address), change.action)
    });
    named.collect()
}

/// The parts of a plan that are shown.
struct PlanParts<'a> {
    plan: &'a Plan,
    program: &'a Program,
    callers: &'a [CallerIdentity],
    policies: &'a [PolicyReport],
    is_partial: bool,
}

/// Shows plans of stacks as they are made, from whichever thread.
struct Shower {
    streams: Arc<crate::streams::Streams>,
    places: BTreeMap<StackId, Place>,
    details: Details,
    is_quiet: bool,
    plans: Arc<Mutex<BTreeMap<StackId, String>>>,
}

impl Shower {
    fn show(&self, id: StackId, parts: &PlanParts<'_>) {
        let mut place = self.places.get(&id).cloned().unwrap_or_default();
        place.callers = parts.callers.to_vec();
        let shown = ShownPlan {
            plan: parts.plan,
            program: parts.program,
            made_at: SystemClock::default().now(),
            secrets: Secrets::Hidden,
            is_partial: parts.is_partial,
            policies: parts.policies,
            cost: None,
            place: &place,
            details: self.details,
            approval: &Approval::default(),
            saved: None,
            diagnostics: &Diagnostics::new(),
        };
        if parts.plan.is_empty() {
            return;
        }
        if !self.is_quiet {
            let text = shown_text(
                &shown,
                self.streams.out_columns(),
                Painter(self.streams.out_style),
            );
            self.streams.out(format!("{text}\n"));
        }
        let plain = shown_text(&shown, None, Painter::PLAIN);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.insert(id, plain);
    }

    /// A plan under the lock is not the one that was confirmed.
    fn changed(&self, id: StackId) {
        let name = self.places.get(&id).map_or("", |place| &*place.stack);
        let text = format!(
            "{name}: the plan is no longer the one that was confirmed; run again to review it\n"
        );
        self.streams.err(&text);
    }
}
