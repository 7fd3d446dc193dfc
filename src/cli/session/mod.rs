//! What a command works with: the program, the state, the providers; each made when it is first needed.

mod damage;
mod program;
mod providers;
mod rescue;
mod state;

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_core::{Diagnostic, Diagnostics};
use terrane_provider::Environment;
use terrane_state::BackendConfig;

use crate::args::Common;
use crate::redactor::Redactor;
use crate::streams::Streams;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;
use crate::view::{Feed, InFiles, PlanViews, RunViews, View, rows_of_planning};

use program::read_var_file;

pub(crate) use program::StackFunction;
pub(crate) use providers::own_digest;
pub(crate) use rescue::Aftermath;
pub(crate) use state::{replayed_text, run_error, working_folder};

/// One invocation of a stack program.
pub(crate) struct Session<'a> {
    pub(crate) stack: &'a str,
    config: Option<&'a str>,
    backend: Option<&'a BackendConfig>,
    pub(crate) common: Common,
    function: StackFunction<'a>,
    pub(crate) streams: Arc<Streams>,
    view: Arc<dyn View>,
    environment: Environment,
    /// What this invocation knows to be secret.
    pub(crate) redactor: Arc<Redactor>,
    /// How long people were waited for.
    asked: Cell<Duration>,
    /// Names and texts of the files of `--var-file`, or why there is none.
    var_files: Vec<(String, Result<String, String>)>,
}

impl<'a> Session<'a> {
    /// An invocation in this process's environment.
    pub(crate) fn new(
        stack: &'a str,
        config: Option<&'a str>,
        backend: Option<&'a BackendConfig>,
        common: Common,
        function: StackFunction<'a>,
        streams: Arc<Streams>,
    ) -> Self {
        // A variable that is not Unicode is none of ours, nor a provider's.
        let environment = environment();
        let view = common.format.view(streams.clone());
        Self {
            view,
            stack,
            config,
            backend,
            common,
            function,
            streams,
            redactor: Arc::new(Redactor::new(&environment)),
            environment,
            asked: Cell::default(),
            var_files: Vec::new(),
        }
    }

    /// How long a run took that began then, without what people took to answer.
    pub(crate) fn took(&self, started: Instant) -> Duration {
        started.elapsed().saturating_sub(self.asked.get())
    }

    /// A person was waited for that long.
    pub(crate) fn waited(&self, time: Duration) {
        self.asked.set(self.asked.get() + time);
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

    /// This program with those arguments on the same state, as a shell takes it: what to type next.
    pub(crate) fn again(&self, arguments: &str) -> String {
        let mut line = self.command(arguments);
        if let Some(backend) = &self.common.backend {
            let _ = write!(line, " --backend {}", shell_word(&backend.to_string()));
        }
        if self.common.sandbox {
            line.push_str(" --sandbox");
        }
        line
    }

    /// This program with those arguments and no other.
    pub(super) fn command(&self, arguments: &str) -> String {
        let program = std::env::current_exe().ok();
        let name = program
            .as_deref()
            .and_then(|path| path.file_name()?.to_str())
            .unwrap_or(self.stack);
        format!("{name} {arguments}")
    }

    /// The same diagnostics; a hint that names a command on the state names all of it, for this program and this state.
    pub(crate) fn with_commands(&self, diagnostics: Diagnostics) -> Diagnostics {
        let whole = |hint: String| {
            let parts = hint.split('`').enumerate().map(|(place, part)| {
                // Every second part stands between backticks.
                match place % 2 == 1 && part.starts_with("state ") {
                    true => self.again(part),
                    false => part.to_owned(),
                }
            });
            parts.collect::<Vec<_>>().join("`")
        };
        let diagnostics = diagnostics.into_iter().map(|diagnostic| Diagnostic {
            hints: diagnostic.hints.into_iter().map(whole).collect(),
            ..diagnostic
        });
        diagnostics.collect()
    }

    /// Where results go.
    pub(crate) fn view(&self) -> &dyn View {
        &*self.view
    }

    /// Where a plan goes as a result: to stdout, and to these files.
    pub(crate) fn plan_views(&self, files: &InFiles) -> PlanViews {
        PlanViews::new(self.view.clone(), files)
    }

    /// Where a run is told: on the streams, and in these files.
    pub(crate) fn run_views(&self, files: &InFiles) -> RunViews {
        RunViews::new(self.view.clone(), files, self.redactor.clone())
    }

    /// The progress of a command that plans and has no run: rows on a terminal.
    pub(crate) fn planning_feed(&self) -> Feed {
        Feed::new(
            rows_of_planning(self.streams.clone()),
            self.redactor.clone(),
        )
    }

    /// The progress of a command that shows none.
    pub(crate) fn silent_feed(&self) -> Feed {
        Feed::silent(self.redactor.clone())
    }

    /// Writes a note for people to stderr, whatever the format of the results.
    pub(crate) fn note(&self, text: &str) {
        self.streams.err(text);
    }

    /// Writes diagnostics to stderr, without secrets.
    pub(crate) fn say(&self, all: &Diagnostics) {
        if !all.is_empty() {
            let masked = self.redactor.diagnostics(all.clone());
            let text = diagnostics(&masked, Painter(self.streams.err_style));
            self.streams.err(&text);
        }
    }
}

/// A text as one word of a shell's command line.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The environment, as far as it is text.
pub(crate) fn environment() -> Environment {
    let vars = std::env::vars_os();
    vars.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
