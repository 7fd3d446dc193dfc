//! A plan and its run in every format, without a process around them: for tests of what people see, and for benchmarks.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_core::{Diagnostics, Program};
use terrane_engine::{Applied, CallerIdentity, Event, EventSink as _, Plan};
use terrane_provider::Environment;
use terrane_state::{Closed, Timestamp};

use super::format::{MakeForFile, MakeForStdout};
use super::graph::ResourceGraph;
use super::text::TextView;
use super::{
    Annotations, AppliedRun, Approval, ChangeView, ClosedRun, Details, FORMATS, Feed, Outputs,
    Place, ProgramView as _, Secrets, ShownPlan,
};
use crate::args::GraphFormat;
use crate::streams::{Captured, Streams};
use crate::view::text::name;
use crate::workflow::advice;
use terrane_deploy::Redactor;

/// What there is to see.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The program that it was made from.
    pub program: &'a Program,
    /// The events of planning, and of applying where it was applied.
    pub events: &'a [Event],
    /// How applying it ended; none for a preview.
    pub applied: Option<&'a Applied>,
    /// The exported values at the end of the run.
    pub outputs: &'a Outputs,
    /// The serial of the state at the end of the run.
    pub serial: u64,
}

/// One way to see it.
pub struct Rendering {
    /// The format's name.
    pub name: &'static str,
    to: To,
}

#[derive(Clone, Copy)]
enum To {
    /// The view of stdout.
    Stdout(MakeForStdout, Details),
    File(MakeForFile),
    /// Rows that are redrawn.
    Terminal,
    Annotations,
    Graph(GraphFormat),
}

impl Rendering {
    /// Every format there is. Text, a terminal, annotations and graphs stand here; all others come from the list of formats.
    pub fn all() -> Vec<Self> {
        let text: MakeForStdout = |streams| Arc::new(TextView::new(streams));
        let mut all = vec![
            ("text", To::Stdout(text, Details::Folded)),
            ("details", To::Stdout(text, Details::All)),
            ("terminal", To::Terminal),
            ("annotations", To::Annotations),
            ("svg", To::Graph(GraphFormat::Svg)),
            ("dot", To::Graph(GraphFormat::Dot)),
            ("mermaid", To::Graph(GraphFormat::Mermaid)),
            ("graph-json", To::Graph(GraphFormat::Json)),
        ];
        for format in FORMATS {
            if let Some((flag, make)) = &format.on_stdout {
                all.push((flag.name, To::Stdout(*make, Details::Folded)));
            } else if let Some((flag, make)) = &format.in_file {
                all.push((flag.name, To::File(*make)));
            }
        }
        let all = all.into_iter();
        all.map(|(name, to)| Self { name, to }).collect()
    }

    /// What `preview` leaves there. A file is made in `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn plan(&self, scene: &Scene<'_>, folder: &Path) -> Result<String, Diagnostics> {
        if let To::Graph(form) = self.to {
            let (streams, captured) = captured();
            let graph = ResourceGraph::of_plan(scene.program, scene.plan);
            TextView::new(streams.clone()).graph(&graph, form);
            return Ok(captured.text(&streams));
        }
        let advice = advice::on(scene.plan, &[]);
        let mut diagnostics = scene.plan.diagnostics.clone();
        diagnostics.extend(advice.clone());
        self.with_view(folder, |view, details| {
            scene.shown(details, &diagnostics, |shown| view.plan(shown))
        })
    }

    /// What the run of `up` leaves there, event by event; none where it shows no runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn run(&self, scene: &Scene<'_>, folder: &Path) -> Result<Option<String>, Diagnostics> {
        if matches!(self.to, To::Graph(_)) {
            return Ok(None);
        }
        let told = self.with_view(folder, |view, details| scene.tell(view, details))?;
        Ok(Some(told))
    }

    fn with_view(
        &self,
        folder: &Path,
        show: impl FnOnce(Arc<dyn ChangeView>, Details) -> Result<(), Diagnostics>,
    ) -> Result<String, Diagnostics> {
        let (streams, captured) = match self.to {
            To::Terminal => {
                let (streams, captured) = Streams::captured_terminal();
                (Arc::new(streams), captured)
            }
            _ => self::captured(),
        };
        let file = folder.join(self.name);
        let mut details = Details::Folded;
        let view: Arc<dyn ChangeView> = match self.to {
            To::Stdout(make, with) => {
                details = with;
                make(streams.clone())
            }
            To::File(make) => make(file.clone(), &place().stack),
            To::Terminal | To::Graph(_) => Arc::new(TextView::new(streams.clone())),
            To::Annotations => Arc::new(Annotations::new(streams.clone())),
        };
        show(view, details)?;
        Ok(match self.to {
            To::File(_) => fs::read_to_string(file).unwrap_or_default(),
            _ => captured.text(&streams),
        })
    }
}

fn captured() -> (Arc<Streams>, Captured) {
    let (streams, captured) = Streams::captured();
    (Arc::new(streams), captured)
}

impl Scene<'_> {
    fn shown<T>(
        &self,
        details: Details,
        diagnostics: &Diagnostics,
        show: impl FnOnce(&ShownPlan<'_>) -> T,
    ) -> T {
        show(&ShownPlan {
            plan: self.plan,
            program: self.program,
            made_at: Timestamp::new(1_700_000_000, 0),
            secrets: Secrets::Hidden,
            is_partial: false,
            policies: &[],
            cost: None,
            place: &place(),
            details,
            approval: &Approval::by_command(|approving| format!("prod-stack up {approving}")),
            saved: None,
            diagnostics,
        })
    }

    /// A run, as the workflow of `up` tells it.
    fn tell(&self, view: Arc<dyn ChangeView>, details: Details) -> Result<(), Diagnostics> {
        let redactor = Arc::new(Redactor::new(&Environment::default()));
        for change in &self.plan.changes {
            redactor.learn(&change.before);
            redactor.learn(&change.after);
        }
        let feed = Feed::new(view.clone(), redactor.clone());
        view.begin()?;
        let begins = |event: &Event| matches!(event, Event::ApplyStarted { .. });
        let planning = self.events.iter().position(begins);
        let (planning, applying) = self.events.split_at(planning.unwrap_or(self.events.len()));
        let emit = |events: &[Event]| {
            for event in events {
                feed.emit(event.clone());
                view.tick(&feed.tracker());
            }
        };
        emit(planning);
        feed.pause();
        feed.planned(self.plan);
        let say = |diagnostics: &Diagnostics| {
            if !diagnostics.is_empty() {
                view.diagnostics(&redactor.diagnostics(diagnostics.clone()));
            }
        };
        say(&self.plan.diagnostics);
        self.shown(details, &Diagnostics::new(), |shown| view.planned(shown));
        say(&advice::on(self.plan, &[]));
        let Some(applied) = self.applied else {
            return Ok(());
        };
        emit(applying);
        feed.pause();
        let is_complete = applied.failed == 0 && !applied.diagnostics.has_errors();
        say(&applied.diagnostics);
        let nothing_read = self.plan.refreshed().same_content(&self.plan.prior);
        let is_done = !self.plan.is_empty() || !nothing_read;
        if is_done {
            view.applied(&AppliedRun {
                mode: self.plan.mode,
                recorded: self.plan.drift.len(),
                applied,
                is_complete,
            });
        }
        if is_complete {
            view.outputs(self.outputs);
        }
        let skipped = feed.tracker().skipped().iter().map(name).collect();
        view.closed(&ClosedRun {
            partial: (!is_complete).then_some((applied, skipped)),
            closed: Some(&Closed {
                serial: self.serial,
                place: place().state,
                written: is_done,
                open: Vec::new(),
            }),
            took: Duration::from_secs(7),
        });
        Ok(())
    }
}

/// A place without anything that differs between machines.
fn place() -> Place {
    Place {
        stack: "prod".to_owned(),
        state: "s3://states/prod?region=eu-west-1".to_owned(),
        providers: vec!["test 1.2.3".to_owned()],
        callers: vec![CallerIdentity {
            provider: "test".to_owned(),
            account: Some("123456789012".to_owned()),
            region: Some("eu-west-1".to_owned()),
        }],
        ..Place::default()
    }
}

/// How long each format takes for a plan, and how many characters it has.
pub fn timed(scene: &Scene<'_>, folder: &Path) -> Vec<(&'static str, Duration, usize)> {
    let all = Rendering::all().into_iter();
    let timed = all.map(|rendering| {
        let started = Instant::now();
        let text = rendering.plan(scene, folder).unwrap_or_default();
        (rendering.name, started.elapsed(), text.len())
    });
    timed.collect()
}
