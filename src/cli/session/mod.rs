//! One invocation: its program, state and providers, each made when it is first needed.

mod damage;
mod hosts;
mod invocation;
mod names;
mod place;
mod program;
mod providers;
mod recording;
mod rescue;
mod state;
mod times;

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_config::ConfigValues;
use terrane_core::{Diagnostic, Diagnostics, ProducedValues};
use terrane_engine::PROVIDER_PROCESSES;
use terrane_fleet::{Deployments, StackId};
use terrane_provider::{Environment, Recorder};
use terrane_state::{BackendConfig, Backends, Recovered, State};

use crate::args::Common;
use crate::error::CommandError;
use crate::streams::Streams;
use crate::trace::Trace;
use crate::view::printable::one_line;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;
use crate::view::{
    Annotations, Feed, InFiles, PlanViews, RunViews, View, annotations, rows_of_planning,
};
use terrane_deploy::{Producers, Redactor};

pub(crate) use program::{ENDPOINT_VARIABLE, read_var_file};

pub(crate) use invocation::{Invocation, program_name, quoted_if_needed, shell_word};
pub(crate) use program::StackFunction;
pub(crate) use rescue::Told;
pub(crate) use state::{replayed_text, run_error, sandbox_path};

/// The stack that an invocation is about.
pub(crate) struct StackOf<'a> {
    pub(crate) name: &'a str,
    pub(crate) config: OwnConfig<'a>,
    /// Where the program keeps its state, if it says so.
    pub(crate) backend: Option<&'a BackendConfig>,
    pub(crate) backends: &'a Backends,
    pub(crate) function: StackFunction<'a>,
    /// The fleet that it belongs to.
    pub(crate) fleet: Option<OfFleet<'a>>,
}

/// A stack as a part of a fleet.
pub(crate) struct OfFleet<'a> {
    pub(crate) deployments: &'a Deployments,
    pub(crate) id: StackId,
    /// The flags that lead to the same fleet.
    pub(crate) place: String,
}

/// The configuration that a program has without its command line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OwnConfig<'a> {
    /// Its file. The command line adds to it.
    Toml(Option<&'a str>),
    /// Everything, from the fleet that the stack belongs to.
    Whole(&'a ConfigValues),
}

/// One invocation of a stack program, or of a fleet's about one stack.
pub(crate) struct Session<'a> {
    pub(crate) stack: &'a str,
    config: OwnConfig<'a>,
    fleet: Option<OfFleet<'a>>,
    /// The exports of stacks of its fleet, where a command knows better than their states.
    producers: RefCell<Producers>,
    backend: Option<&'a BackendConfig>,
    /// The kinds of stores that the program knows.
    backends: &'a Backends,
    pub(crate) common: Common,
    function: StackFunction<'a>,
    pub(crate) streams: Arc<Streams>,
    view: Arc<dyn View>,
    invocation: Arc<Invocation>,
    environment: Environment,
    /// The known secrets of this invocation.
    pub(crate) redactor: Arc<Redactor>,
    /// The state that was read to resolve the hosts of providers.
    looked: RefCell<Option<(State, Recovered)>>,
    /// How long questions waited for an answer.
    asked: Cell<Duration>,
    /// The recording of `--record`, once it has begun.
    recorder: OnceCell<Arc<Recorder>>,
    /// The times of this invocation, with `--trace`.
    trace: OnceCell<Arc<Trace>>,
    /// Names and texts of the files of `--var-file`, or why there is none.
    var_files: Vec<(String, Result<String, String>)>,
}

impl<'a> Session<'a> {
    /// An invocation in this process's environment.
    pub(crate) fn new(stack: StackOf<'a>, common: Common, streams: Arc<Streams>) -> Self {
        let StackOf {
            name: stack,
            config,
            backend,
            backends,
            function,
            fleet,
        } = stack;
        // Neither terrane nor a provider reads a variable that is not Unicode.
        let environment = environment();
        let view = common.format.view(streams.clone());
        let place = fleet.as_ref().map(|it| &*it.place);
        let invocation = Arc::new(Invocation::new(stack, &common, place));
        Self {
            view,
            invocation,
            stack,
            config,
            fleet,
            producers: RefCell::default(),
            backend,
            backends,
            common,
            function,
            streams,
            redactor: Arc::new(Redactor::new(&environment)),
            environment,
            looked: RefCell::default(),
            asked: Cell::default(),
            recorder: OnceCell::new(),
            trace: OnceCell::new(),
            var_files: Vec::new(),
        }
    }

    /// The invocation of a fleet's program about that stack. `place` are the flags that lead to the same fleet.
    pub(crate) fn of_fleet(
        deployments: &'a Deployments,
        id: StackId,
        place: String,
        backends: &'a Backends,
        common: Common,
        streams: Arc<Streams>,
    ) -> Self {
        let member = deployments.get(id);
        let stack = StackOf {
            name: deployments.order().name(id),
            config: OwnConfig::Whole(&member.config),
            backend: Some(&member.backend),
            backends,
            function: &*member.function,
            fleet: Some(OfFleet {
                deployments,
                id,
                place,
            }),
        };
        Self::new(stack, common, streams)
    }

    /// The same invocation about another stack of the same fleet; none where there is no fleet, or no such stack.
    pub(crate) fn sibling(&self, name: &str) -> Option<Session<'_>> {
        let OfFleet {
            deployments, place, ..
        } = self.fleet.as_ref()?;
        let id = deployments.order().find(name)?;
        let (place, backends) = (place.clone(), self.backends);
        let (common, streams) = (self.common.clone(), self.streams.clone());
        Some(Session::of_fleet(
            deployments,
            id,
            place,
            backends,
            common,
            streams,
        ))
    }

    /// Whether it is about one stack of a fleet, which has a configuration of its own.
    pub(crate) fn is_of_fleet(&self) -> bool {
        self.fleet.is_some()
    }

    /// The names of the stacks of its fleet.
    pub(crate) fn siblings(&self) -> impl Iterator<Item = &str> {
        let order = self.fleet.iter().map(|it| it.deployments.order());
        order.flat_map(|order| order.ids().map(|id| &**order.name(id)))
    }

    /// Its place in the order of its fleet: producers come before consumers.
    pub(crate) fn level(&self) -> usize {
        let fleet = self.fleet.as_ref();
        fleet.map_or(0, |it| it.deployments.order().level(it.id))
    }

    /// Takes these exports of another stack of its fleet instead of those in its state.
    pub(crate) fn use_exports(&self, producer: &str, exports: ProducedValues) {
        self.producers.borrow_mut().insert(producer.into(), exports);
    }

    /// Begins to take times, if the command line says so.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn begin_trace(&self) -> Result<(), CommandError> {
        if let Some(file) = &self.common.trace {
            let begun = Trace::begin(file);
            let trace = begun.map_err(|error| CommandError::usage(unwritten(file, &error)))?;
            let _ = self.trace.set(Arc::new(trace));
        }
        Ok(())
    }

    /// Writes them. A run that is over is not failed by it.
    pub(crate) fn end_trace(&self) {
        let (Some(file), Some(trace)) = (&self.common.trace, self.trace.get()) else {
            return;
        };
        if let Err(error) = trace.write() {
            self.say(&unwritten(file, &error).into());
        }
    }

    /// The times of this invocation.
    pub(crate) fn trace(&self) -> Option<Arc<Trace>> {
        self.trace.get().cloned()
    }

    /// How long a run took since `started`, without the time that questions waited for an answer.
    pub(crate) fn took(&self, started: Instant) -> Duration {
        started.elapsed().saturating_sub(self.asked.get())
    }

    /// A question waited that long for its answer.
    pub(crate) fn waited(&self, time: Duration) {
        self.asked.set(self.asked.get() + time);
    }

    /// The region of the environment, for what says none itself.
    pub(crate) fn default_region(&self) -> Option<&str> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let mut set = variables
            .iter()
            .filter_map(|name| self.environment.vars.get(*name));
        set.next().map(String::as_str)
    }

    /// How many provider processes a run has at once, as far as fewer are busy: `TERRANE_PROVIDER_PROCESSES`.
    ///
    /// # Errors
    /// When that is no number from 1.
    pub(crate) fn provider_processes(&self) -> Result<usize, CommandError> {
        const NAME: &str = "TERRANE_PROVIDER_PROCESSES";
        let Some(text) = self.environment.get(NAME) else {
            return Ok(PROVIDER_PROCESSES);
        };
        text.parse::<NonZeroUsize>()
            .map(NonZeroUsize::get)
            .map_err(|error| {
                let wrong = Diagnostic::error(format!("`{NAME}` is not a number of processes"));
                let wrong = wrong.detail(format!("`{}`: {error}", one_line(text)));
                CommandError::usage(wrong.hint(format!("unset it, or say `{NAME}=8`")))
            })
    }

    /// Reads the files of `--var-file`, once: a pipe has its text only once.
    pub(crate) fn read_var_files(&mut self) {
        let files = self.common.var_files.iter();
        let files = files.map(|file| {
            let text = read_var_file(file, &self.streams);
            (file.display().to_string(), text)
        });
        self.var_files = files.collect();
    }

    /// The command line of this program with these arguments on the same state.
    pub(crate) fn again(&self, arguments: &str) -> String {
        self.invocation.again(arguments)
    }

    /// The command line of this program with these arguments and no others.
    pub(crate) fn command(&self, arguments: &str) -> String {
        self.invocation.command(arguments)
    }

    /// The name of this program, as people type it.
    pub(crate) fn program_name(&self) -> &str {
        self.invocation.program()
    }

    /// Where results go.
    pub(crate) fn view(&self) -> &dyn View {
        &*self.view
    }

    /// Where a plan goes as a result: to stdout, and to these files.
    pub(crate) fn plan_views(&self, files: &InFiles) -> PlanViews {
        PlanViews::new(self.view.clone(), (files, self.stack), self.annotations())
    }

    /// Where a run is told: on the streams, and in these files.
    pub(crate) fn run_views(&self, files: &InFiles) -> RunViews {
        RunViews::new(
            self.view.clone(),
            (files, self.stack),
            self.annotations(),
            self.readable(),
        )
    }

    /// Notes at lines of the source, where this is a job of GitHub Actions.
    fn annotations(&self) -> Option<Annotations> {
        let is_job = self.environment.get("GITHUB_ACTIONS") == Some("true");
        is_job.then(|| Annotations::new(self.streams.clone()))
    }

    /// The progress of a command that plans and has no run: rows on a terminal.
    pub(crate) fn planning_feed(&self) -> Feed {
        let rows = rows_of_planning(self.streams.clone());
        Feed::new(rows, self.redactor.clone()).traced(self.trace())
    }

    /// The progress of a command that shows none.
    pub(crate) fn silent_feed(&self) -> Feed {
        Feed::silent(self.redactor.clone()).traced(self.trace())
    }

    /// Writes a note for people to stderr, whatever the format of the results.
    pub(crate) fn note(&self, text: &str) {
        self.streams.err(text);
    }

    /// Makes diagnostics fit to be shown.
    pub(crate) fn readable(&self) -> Readable {
        Readable {
            redactor: self.redactor.clone(),
            invocation: self.invocation.clone(),
        }
    }

    /// Writes diagnostics to stderr.
    pub(crate) fn say(&self, all: &Diagnostics) {
        if !all.is_empty() {
            let readable = self.readable().diagnostics(all);
            let text = diagnostics(&readable, Painter(self.streams.err_style));
            self.streams.err(&text);
            if self.annotations().is_some() {
                self.streams.err(&annotations(&readable));
            }
        }
    }
}

fn unwritten(trace: &Path, error: &io::Error) -> Diagnostic {
    let unwritten = Diagnostic::error(format!("cannot write the trace {}", trace.display()));
    unwritten.detail(error.to_string())
}

/// Diagnostics as they are shown: without secrets, with commands that can be pasted.
pub(crate) struct Readable {
    redactor: Arc<Redactor>,
    invocation: Arc<Invocation>,
}

impl Readable {
    /// All of them.
    pub(crate) fn diagnostics(&self, all: &Diagnostics) -> Diagnostics {
        let masked = self.redactor.diagnostics(all.clone());
        self.invocation.with_commands(masked)
    }
}

/// The environment, as far as it is text.
pub(crate) fn environment() -> Environment {
    let vars = std::env::vars_os();
    vars.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
