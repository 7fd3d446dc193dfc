//! The program: configuration in its layers, then the stack's function.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use terrane_config::{ConfigValues, VARIABLE_PREFIX};
use terrane_core::{Diagnostic, Diagnostics, KnownValues, Program, Stack};
use terrane_deploy::{Producers, declared, host_among, read_references, read_secrets, same_hosts};
use terrane_engine::{Engine, Inputs, Origin, PlanOptions};
use terrane_state::{Clock, State, SystemClock};

use super::{OwnConfig, Session};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::streams::Streams;
use crate::view::printable::one_line;

/// The variable that points everything at an emulator.
pub(crate) const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";

/// A stack's function; may run more than once.
pub(crate) type StackFunction<'a> = &'a dyn Fn(&mut Stack) -> terrane_core::Result<()>;

impl Session<'_> {
    /// Runs the stack's function, checks its declarations, resolves the hosts of its providers, and reads its secrets.
    pub(crate) async fn program(&self) -> Result<Program, CommandError> {
        let program = self.program_without_secrets().await?;
        self.read_secrets(&program).await?;
        Ok(program)
    }

    /// The same for commands that ask no provider about values: its secrets stay unknown.
    pub(crate) async fn program_without_secrets(&self) -> Result<Program, CommandError> {
        let mut program = self.declared()?;
        self.read_references(&program).await?;
        self.resolve_hosts(&mut program).await;
        Ok(program)
    }

    /// The same program again, where values are known that its modules take.
    pub(crate) async fn redeclared(
        &self,
        before: &Program,
        values: KnownValues,
    ) -> Result<Program, CommandError> {
        let mut program = self.declared_on(&self.inputs()?, self.endpoint(), values)?;
        self.read_references(&program).await?;
        self.read_secrets(&program).await?;
        same_hosts(&mut program, before);
        Ok(program)
    }

    /// The whole program, for commands that act on declarations and make no plan: where its function ended at a value, that is asked for.
    pub(crate) async fn expanded(
        &self,
        engine: &Engine<'_>,
        program: Program,
        state: &State,
    ) -> Result<Program, CommandError> {
        if program.unfinished().is_none() {
            return Ok(program);
        }
        let declare = async |values| self.redeclared(&program, values).await;
        let options = PlanOptions::default();
        let more = engine.expand(&program, state, &options, declare);
        Ok(more.await?.unwrap_or(program))
    }

    /// Reads what the program uses of other stacks' states. From then on their secrets are known.
    async fn read_references(&self, program: &Program) -> Result<(), CommandError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let producers = match &self.fleet {
            Some(fleet) => {
                let known = self.producers.borrow().clone();
                fleet.deployments.producers(fleet.id, known).await?
            }
            None => Producers::new(),
        };
        let backends = self.backends;
        let read = read_references(program, &producers, backends, &clock, &self.redactor).await;
        Ok(read?)
    }

    /// Reads the secrets that the program uses. From then on they are known.
    async fn read_secrets(&self, program: &Program) -> Result<(), CommandError> {
        let read = read_secrets(
            program,
            &self.environment,
            self.common.sandbox,
            &self.redactor,
        );
        Ok(read.await?)
    }

    /// The program as it is declared, for commands that need no provider.
    pub(crate) fn declared(&self) -> Result<Program, CommandError> {
        self.declared_on(&self.inputs()?, self.endpoint(), KnownValues::default())
    }

    /// The program of a saved plan: with its configuration, the values of its modules, its emulator, the hosts of its providers, and its secrets as
    /// they are now.
    pub(crate) async fn program_of(&self, origin: &Origin) -> Result<Program, CommandError> {
        let (endpoint, values) = (origin.endpoint.as_deref(), origin.known_values.clone());
        let mut program = self.declared_on(&origin.inputs, endpoint, values)?;
        self.read_references(&program).await?;
        self.read_secrets(&program).await?;
        let sources = || origin.providers.iter().map(|build| &build.source);
        program.resolve_hosts(|source| host_among(source, sources()));
        Ok(program)
    }

    fn declared_on(
        &self,
        inputs: &Inputs,
        endpoint: Option<&str>,
        values: KnownValues,
    ) -> Result<Program, CommandError> {
        let config = self.config(inputs).map_err(misconfigured)?;
        Ok(declared(
            self.function,
            config,
            endpoint,
            values,
            &self.redactor,
        )?)
    }

    /// The emulator that `AWS_ENDPOINT_URL` names; the sandbox needs none.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        let url = self.environment.get(ENDPOINT_VARIABLE);
        url.filter(|_| !self.common.sandbox)
    }

    /// The configuration that this invocation gives.
    pub(crate) fn inputs(&self) -> Result<Inputs, CommandError> {
        let vars = self.environment.vars.iter();
        let files = self.var_files.iter().map(|(name, text)| match text {
            Ok(text) => Ok((name.clone(), text.clone())),
            Err(reason) => {
                let unread = Diagnostic::error(format!("cannot read {name}"));
                Err(CommandError::usage(unread.detail(reason.clone())))
            }
        });
        let flags = self.common.vars.iter();
        Ok(Inputs {
            environment: vars
                .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            files: files.collect::<Result<_, _>>()?,
            flags: flags
                .map(|variable| format!("{}={}", variable.name, variable.value))
                .collect(),
        })
    }

    /// Default < `<stack>.toml` < `TERRANE_VAR_<NAME>` < `--var-file` < `--var`.
    fn config(&self, inputs: &Inputs) -> Result<ConfigValues, Diagnostics> {
        let mut values = ConfigValues::new();
        if let OwnConfig::Whole(values) = self.config {
            return Ok(values.clone());
        }
        if let OwnConfig::Toml(Some(text)) = self.config {
            values.add_toml(&format!("{}.toml", self.stack), text)?;
        }
        values.add_environment(inputs.environment.clone());
        for (name, text) in &inputs.files {
            values.add_file(name, text)?;
        }
        for flag in &inputs.flags {
            values.add_flag(flag)?;
        }
        Ok(values)
    }
}

fn misconfigured(diagnostics: Diagnostics) -> CommandError {
    CommandError {
        exit: Exit::USAGE,
        diagnostics,
    }
}

/// How long a file of `--var-file` may be.
const LONGEST: u64 = 16 << 20;
/// How long a pipe may be silent until a message names it.
const SILENCE: Duration = Duration::from_secs(1);

/// Reads a file of `--var-file`. Nothing is locked and no signal is caught yet, so an interrupt ends the wait for a pipe.
pub(crate) fn read_var_file(file: &Path, streams: &Streams) -> Result<String, String> {
    let read = match terrane_files::is_pipe(file) {
        false => terrane_files::read_text(file, LONGEST),
        true => {
            let (tell, told) = mpsc::channel();
            let path = file.to_owned();
            std::thread::spawn(move || tell.send(terrane_files::read_text(&path, LONGEST)));
            match told.recv_timeout(SILENCE) {
                Ok(read) => read,
                Err(_) => {
                    let path = one_line(&file.display().to_string());
                    streams.err(&format!(
                        "waiting for the writer of {path}, which is a pipe; press Ctrl-C to give up\n"
                    ));
                    told.recv()
                        .unwrap_or_else(|error| Err(io::Error::other(error)))
                }
            }
        }
    };
    read.map_err(|error| error.to_string())
}
