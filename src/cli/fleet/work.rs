//! The work of a command on many stacks: planned, shown, asked about once, applied.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use terrane_core::policy::PolicyReport;
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_deploy::{Decision, Proposal};
use terrane_engine::{Action, CallerIdentity, Plan, PlanMode, PlanOptions};
use terrane_fleet::{Deployments, FleetOptions, FleetResults, StackId, StackResult};
use terrane_state::{Clock as _, SystemClock};

use super::moves;
use super::progress::{Progress, TICK};
use super::report::{Report, Told};
use super::session::FleetSession;
use crate::args::{DenyKind, Yes};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::signals::{NOTHING_CHANGED, Signals};
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::{Painter, Tone};
use crate::view::text::shown_text;
use crate::view::{Approval, Details, Place, Secrets, ShownPlan};
use crate::workflow::plan::check_actions;

/// The name of a stack above what is said of it.
pub(super) fn heading(name: &str, painter: Painter) -> String {
    format!("{}\n", painter.paint(Tone::Strong, name))
}

/// How stacks are planned, checked and told about.
pub(super) struct WorkOptions {
    /// The kind of plan, and what is read before.
    pub(super) planning: PlanOptions,
    /// How many instances of each stack at once.
    pub(super) parallelism: NonZeroUsize,
    /// The kinds of changes that no plan may hold.
    pub(super) deny: Vec<DenyKind>,
    pub(super) details: Details,
    /// The file of the comment.
    pub(super) comment: Option<PathBuf>,
}

impl WorkOptions {
    /// That kind of plan, with everything else as it is without flags.
    pub(super) fn of(mode: PlanMode, parallelism: NonZeroUsize) -> Self {
        Self {
            planning: PlanOptions {
                mode,
                ..PlanOptions::default()
            },
            parallelism,
            deny: Vec::new(),
            details: Details::Folded,
            comment: None,
        }
    }
}

/// Plans that `--deny` refuses, and why.
type Denied = Arc<Mutex<BTreeMap<StackId, Diagnostics>>>;

/// The work of one command on stacks.
pub(super) struct Work<'a> {
    session: &'a FleetSession<'a>,
    deployments: &'a Deployments,
    progress: Progress,
    files: Vec<PathBuf>,
    options: WorkOptions,
    /// The texts of plans, for the comment.
    plans: Arc<Mutex<BTreeMap<StackId, String>>>,
    denied: Denied,
}

/// The changes of a plan as far as people confirm them: what is done to which object.
type Shape = BTreeMap<String, Action>;

impl<'a> Work<'a> {
    pub(super) fn new(
        session: &'a FleetSession<'a>,
        deployments: &'a Deployments,
        options: WorkOptions,
    ) -> Self {
        Self {
            session,
            deployments,
            progress: Progress::new(session.streams.clone(), deployments),
            files: session.comment_files(options.comment.clone()),
            options,
            plans: Arc::default(),
            denied: Arc::default(),
        }
    }

    fn mode(&self) -> PlanMode {
        self.options.planning.mode
    }

    fn fleet_options(&self) -> FleetOptions {
        let WorkOptions {
            planning,
            parallelism,
            ..
        } = &self.options;
        self.session.options(*parallelism, planning.clone())
    }

    /// Plans and shows.
    pub(super) async fn preview(
        &self,
        chosen: &BTreeSet<StackId>,
    ) -> Result<(Report, FleetResults), CommandError> {
        let options = self.fleet_options();
        let work = self
            .deployments
            .preview(chosen, self.mode(), &options, &self.progress);
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
                if let Err(denied) =
                    check_actions(&previewed.plan, &self.options.deny, NOTHING_CHANGED)
                {
                    note_denied(&self.denied, id, denied.diagnostics);
                }
            }
        }
        let report = self.report(&results, Told::Preview)?;
        // Below the plans, where it is read last.
        self.session.say(
            &moves::looked_for(self.deployments, &results)
                .into_iter()
                .collect(),
        );
        Ok((report, results))
    }

    /// Brings up or destroys, once a person confirmed.
    pub(super) async fn change(
        &self,
        mut chosen: BTreeSet<StackId>,
        Yes { yes }: Yes,
    ) -> Result<Exit, CommandError> {
        let streams = &self.session.streams;
        if !yes && (!streams.is_interactive() || !self.session.common.format.is_text()) {
            let refused = Diagnostic::error("confirmation required");
            let refused = refused.detail("there is no terminal to ask on");
            return Err(refused.hint("pass `--yes`").into());
        }
        let mut confirmed: BTreeMap<StackId, Shape> = BTreeMap::new();
        let mut before = Exit::DONE;
        if !yes {
            let (report, results) = self.preview(&chosen).await?;
            before = report.exit(false);
            if before == Exit::DENIED || !report.has_changes() {
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
            self.ask().await?;
        }
        let results = self.applied(&chosen, (!yes).then_some(confirmed)).await;
        let report = self.report(&results, Told::Run)?;
        Ok(before.worse_of(report.exit(false)))
    }

    async fn applied(
        &self,
        chosen: &BTreeSet<StackId>,
        confirmed: Option<BTreeMap<StackId, Shape>>,
    ) -> FleetResults {
        let options = self.fleet_options();
        let shower = self.shower();
        let (deny, denied) = (self.options.deny.clone(), self.denied.clone());
        let approve = Arc::new(move |id: StackId, proposal: &Proposal<'_>| {
            if let Err(refused) = check_actions(proposal.plan, &deny, NOTHING_CHANGED) {
                note_denied(&denied, id, refused.diagnostics);
                return Decision::No;
            }
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
        let (stacks, progress) = (self.deployments, &self.progress);
        match self.mode() {
            PlanMode::Destroy => {
                let work = stacks.destroy(chosen, &options, progress, approve);
                self.followed(work).await
            }
            PlanMode::RefreshOnly => {
                let work = stacks.refresh(chosen, &options, progress, approve);
                self.followed(work).await
            }
            PlanMode::Normal => {
                let work = stacks.up(chosen, &options, progress, approve);
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

    async fn ask(&self) -> Result<(), CommandError> {
        let question = match self.mode() {
            PlanMode::Destroy => "Destroy everything in these stacks? [yes/no] ",
            PlanMode::RefreshOnly => "Record this in the states? [yes/no] ",
            PlanMode::Normal => "Apply these changes? [yes/no] ",
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
            details: self.options.details,
            is_quiet: !self.session.common.format.is_text(),
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
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        let readable = |stack: &str, all| {
            let invocation = self.session.invocation(Some(stack));
            invocation.with_commands(all)
        };
        let report = Report::of(
            self.deployments,
            results,
            told,
            took,
            (&plans, &denied),
            readable,
        );
        let streams = &self.session.streams;
        let painter = Painter(streams.err_style);
        for (name, found) in report.diagnostics() {
            let above = heading(name, painter);
            streams.err(&format!("{above}{}\n", diagnostics(found, painter)));
        }
        streams.out(match self.session.common.format.is_text() {
            true => report.text(Painter(streams.out_style)),
            false => format!("{}\n", report.json()),
        });
        let comment = report.comment(self.session.fleet);
        for file in &self.files {
            write(file, &comment)?;
        }
        Ok(report)
    }
}

fn note_denied(denied: &Denied, id: StackId, why: Diagnostics) {
    let mut denied = denied.lock().unwrap_or_else(PoisonError::into_inner);
    denied.insert(id, why);
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
