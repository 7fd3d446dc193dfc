//! The command line of a program with many stacks.
//!
//! | module | holds |
//! |---|---|
//! | `args` | commands and flags |
//! | `session` | the fleet of this invocation, ready to be deployed |
//! | `command` | the verbs; those of a single stack are [`crate::command`]'s |
//! | `work` | a preview or a run of many stacks: planned, shown, asked about once, applied |
//! | `moves` | declarations that went from one stack to another |
//! | `completions` | the words that a shell offers |
//! | `progress` | one live tree of all running stacks, or a line an event |
//! | `report` | what became of each stack; text, JSON and the comment are made of it |

mod args;
mod command;
mod completions;
mod moves;
mod progress;
mod report;
mod session;
mod work;

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory as _;
use terrane_core::Result;
use terrane_fleet::Fleet;
use terrane_state::{BackendFactory, Backends};

use self::args::{FleetArguments, FleetCommand};
use self::session::FleetSession;
use crate::args::{Subject, read_line};
use crate::cli::{begin_process, delivered, runtime};
use crate::exit_code::Exit;
use crate::streams::Streams;

/// A program of many stacks: built in `main`, ended by [`run`](Self::run).
///
/// ```no_run
/// use terrane_cli::FleetCli;
/// use terrane_fleet::{Fleet, FleetStack};
///
/// fn fleet(fleet: &mut Fleet) -> terrane_core::Result<()> {
///     for environment in ["prod", "staging", "dev"] {
///         fleet.stack(FleetStack::new(environment, move |stack| {
///             stack.export("environment", environment);
///             Ok(())
///         }));
///     }
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     FleetCli::new("platform").run(fleet)
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct FleetCli {
    name: Cow<'static, str>,
    backends: Backends,
}

impl FleetCli {
    /// A fleet with that name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            backends: Backends::default(),
        }
    }

    /// Adds a kind of store of your own, for the addresses of states that stacks read.
    pub fn backends(mut self, factory: impl BackendFactory + 'static) -> Self {
        self.backends.register(factory);
        self
    }

    /// Runs the command line, and returns the exit code of the process: that of the stack that went worst.
    ///
    /// To be called first thing in `main`: provider processes start as copies of this one.
    pub fn run(self, function: impl Fn(&mut Fleet) -> Result<()>) -> ExitCode {
        if let Some(exit) = begin_process() {
            return exit;
        }
        let streams = Arc::new(Streams::standard());
        self.run_with(&function, &streams).into()
    }

    fn run_with(
        &self,
        function: &dyn Fn(&mut Fleet) -> Result<()>,
        streams: &Arc<Streams>,
    ) -> Exit {
        let runtime = match runtime(streams) {
            Ok(runtime) => runtime,
            Err(exit) => return exit,
        };
        let exit = runtime.block_on(async {
            let exit = match self.parse(streams) {
                Ok(arguments) => self.run_command(arguments, function, streams).await,
                Err(exit) => exit,
            };
            delivered(exit, streams).await
        });
        // An open question would keep its thread, and with it the process.
        runtime.shutdown_background();
        exit
    }

    fn parse(&self, streams: &Streams) -> std::result::Result<FleetArguments, Exit> {
        let about = format!("The fleet `{}`: many stacks of one program.", self.name);
        let command = FleetArguments::command().about(about);
        let (mut arguments, given): (FleetArguments, _) =
            read_line(command, Subject::Fleet(&self.name), streams)?;
        arguments.common.given = given;
        Ok(arguments)
    }

    async fn run_command(
        &self,
        arguments: FleetArguments,
        function: &dyn Fn(&mut Fleet) -> Result<()>,
        streams: &Arc<Streams>,
    ) -> Exit {
        let FleetArguments { common, command } = arguments;
        let session = FleetSession::new(&self.name, common, &self.backends, streams.clone());
        let expired = matches!(&command, FleetCommand::Destroy(destroy) if destroy.expired);
        let done = match session.deployments(function, expired).await {
            Ok(deployments) => command::run(&session, &deployments, command).await,
            Err(error) => Err(error),
        };
        done.unwrap_or_else(|error| {
            session.say(&error.diagnostics);
            error.exit
        })
    }
}
