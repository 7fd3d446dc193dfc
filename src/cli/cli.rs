//! The entry point of a stack's `main`: its name, its configuration, its function.

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use terrane_core::{Diagnostic, Result, Stack};
use terrane_state::{BackendConfig, BackendFactory, Backends};
use tokio::runtime::Runtime;

use crate::args::{Arguments, Subject, read_line};
use crate::command;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::panics;
use crate::session::{OwnConfig, Session, StackFunction, StackOf, environment};
use crate::signals::read_to_the_end;
use crate::streams::Streams;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;

/// A stack as a program: built in `main`, ended by [`run`](Self::run).
///
/// ```no_run
/// # fn platform(_: &mut terrane_core::Stack) -> terrane_core::Result<()> { Ok(()) }
/// # fn main() -> std::process::ExitCode {
/// terrane_cli::Cli::stack("prod")
///     .config_file("region = \"us-east-1\"") // include_str!("prod.toml")
///     .run(platform)
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Cli {
    name: Cow<'static, str>,
    config: Option<Cow<'static, str>>,
    backend: Option<BackendConfig>,
    backends: Backends,
}

impl Cli {
    /// A stack with that name. Its state lies in `.terrane/<name>/terraform.tfstate` unless [`backend`](Self::backend) says otherwise.
    pub fn stack(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            config: None,
            backend: None,
            backends: Backends::default(),
        }
    }

    /// The stack's configuration as TOML, embedded so that the binary runs anywhere: `include_str!("prod.toml")`. Messages name it
    /// `<name>.toml`.
    pub fn config_file(mut self, toml: impl Into<Cow<'static, str>>) -> Self {
        self.config = Some(toml.into());
        self
    }

    /// Where the state is kept: an [`S3Backend`](terrane_state::S3Backend), another store's address, or a path. `--backend` and `--sandbox` come before it.
    pub fn backend(mut self, backend: impl Into<BackendConfig>) -> Self {
        self.backend = Some(backend.into());
        self
    }

    /// Adds a kind of store of your own, for `--backend scheme://…` and for [`backend`](Self::backend). One that has the scheme of an
    /// earlier one takes its place.
    pub fn backends(mut self, factory: impl BackendFactory + 'static) -> Self {
        self.backends.register(factory);
        self
    }

    /// Runs the command line, and returns the exit code of the process.
    ///
    /// To be called first thing in `main`: provider processes start as copies of this one.
    pub fn run(self, function: impl Fn(&mut Stack) -> Result<()>) -> ExitCode {
        if let Some(exit) = begin_process() {
            return exit;
        }
        let streams = Arc::new(Streams::standard());
        self.run_with(&function, &streams).into()
    }

    fn run_with(&self, function: StackFunction<'_>, streams: &Arc<Streams>) -> Exit {
        let runtime = match runtime(streams) {
            Ok(runtime) => runtime,
            Err(exit) => return exit,
        };
        let exit = match self.parse(streams) {
            Ok(arguments) => self.run_command(arguments, function, streams, &runtime),
            Err(exit) => exit,
        };
        let exit = runtime.block_on(delivered(exit, streams));
        // An open question would keep its thread, and with it the process.
        runtime.shutdown_background();
        exit
    }

    fn run_command(
        &self,
        arguments: Arguments,
        function: StackFunction<'_>,
        streams: &Arc<Streams>,
        runtime: &Runtime,
    ) -> Exit {
        let Arguments { common, command } = arguments;
        let stack = StackOf {
            name: &self.name,
            config: OwnConfig::Toml(self.config.as_deref()),
            backend: self.backend.as_ref(),
            backends: &self.backends,
            function,
            fleet: None,
        };
        let mut session = Session::new(stack, common, streams.clone());
        panics::mask(session.redactor.clone());
        session.read_var_files();
        let said = |CommandError { exit, diagnostics }| {
            session.say(&diagnostics);
            exit
        };
        if let Err(error) = session.begin_trace() {
            return said(error);
        }
        let done = runtime.block_on(command::run(&session, command));
        let exit = done.unwrap_or_else(said);
        session.end_trace();
        exit
    }

    fn parse(&self, streams: &Streams) -> std::result::Result<Arguments, Exit> {
        let about = format!(
            "The stack `{}`: plans and applies its infrastructure. The engine is inside.",
            self.name
        );
        let command = Arguments::with_backends(&self.backends).about(about);
        let (mut arguments, given): (Arguments, _) =
            read_line(command, Subject::Stack(&self.name), streams)?;
        arguments.common.given = given;
        Ok(arguments)
    }
}

/// What every process of a program begins with: it may be a copy that becomes a provider, or serves the sandbox.
pub(crate) fn begin_process() -> Option<ExitCode> {
    terrane_provider::launcher::run_if_asked();
    if environment().get("TERRANE_PORTABLE_HOST").is_some() {
        terrane_host::use_portable_ways();
    }
    if let Some(exit) = terrane_sandbox::serve_if_asked(&environment()) {
        return Some(exit);
    }
    #[cfg(feature = "crash-points")]
    if let Some(crash) = environment().get("TERRANE_CRASH_AT") {
        terrane_state::crash::arm(crash).expect("a test says where to end");
    }
    None
}

/// The runtime of a command.
pub(crate) fn runtime(streams: &Streams) -> std::result::Result<Runtime, Exit> {
    // One thread: the engine is one task, and waking another thread for each answer of a provider costs more than reading it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| {
        let error = Diagnostic::error("cannot start the runtime").detail(error.to_string());
        streams.err(&diagnostics(&error.into(), Painter(streams.err_style)));
        streams.written(Duration::MAX);
        Exit::FAILED
    })
}

/// Waits for the readers, when everything is recorded and unlocked: the last thing that can fail or be interrupted.
pub(crate) async fn delivered(exit: Exit, streams: &Arc<Streams>) -> Exit {
    if !read_to_the_end(streams).await {
        return exit.with_delivery(Exit::INTERRUPTED);
    }
    match streams.failure() {
        Some(reason) if exit.is_success() => {
            let error = Diagnostic::error("the output is not complete").detail(reason);
            streams.err(&diagnostics(&error.into(), Painter(streams.err_style)));
            read_to_the_end(streams).await;
            exit.with_delivery(Exit::FAILED)
        }
        _ => exit,
    }
}
