//! The state: where it is, read without a lock or held by a run.

use std::path::PathBuf;
use std::sync::Arc;

use terrane_core::Diagnostic;
use terrane_deploy::{DeployError, identity, unfinished_moves};
use terrane_state::backend::Holder;
use terrane_state::{
    Backend, BackendConfig, BackendError, Clock, EncryptedWith as _, LocalBackend, Operation,
    Patience, Recovered, Repair, Run, RunError, RunOptions, State, SystemClock, SystemRandom,
    TransferEnd, finish_transfers,
};

use super::Session;
use super::invocation::shell_word;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::signals::{Signals, interrupted};
use crate::streams::Streams;
use crate::view::lock::{LIKELY_DEAD, holder_text};
use crate::view::printable::{counted, one_line};

impl Session<'_> {
    /// Where the state is kept: `--backend`, the own place of the sandbox or of replays, the program's wish, or the default.
    pub(crate) fn location(&self) -> Result<BackendConfig, CommandError> {
        if let (Some(_), Some(placed)) = (&self.fleet, self.backend) {
            // Its fleet has minded the flags.
            return Ok(placed.in_environment(&self.environment.vars));
        }
        if let Some(backend) = &self.common.backend {
            if self.common.replay.is_some() && backend.to_string().contains("://") {
                let backend = shell_word(&backend.to_string());
                let copy = self.command("state pull --out copy.tfstate");
                let refused = Diagnostic::error("`--replay` works on a state in a file alone")
                    .detail("results of a replay are not those of real objects")
                    .hint(format!("copy the state with `{copy} --backend {backend}`"))
                    .hint("then name the copy: `--backend copy.tfstate`");
                return Err(CommandError::usage(refused));
            }
            // Elsewhere, it is as secret as it is at the program's place.
            let encryption = self.backend.and_then(|it| it.address().encryption());
            let flag = backend.clone();
            let flag = match encryption.filter(|_| !self.common.sandbox) {
                Some(encryption) => flag.encrypted_with(encryption.clone()),
                None => flag,
            };
            return Ok(flag.in_environment(&self.environment.vars));
        }
        // Names become paths; this is where they are checked.
        let default = LocalBackend::default_path(self.stack)
            .map_err(|error| CommandError::usage(Diagnostic::error(error.to_string())))?;
        if self.common.sandbox {
            return Ok(sandbox_path(self.stack).join("terraform.tfstate").into());
        }
        if self.common.replay.is_some() {
            return Ok(replay_path(self.stack).join("terraform.tfstate").into());
        }
        let own = self.backend.cloned().unwrap_or_else(|| default.into());
        Ok(own.in_environment(&self.environment.vars))
    }

    /// The store of the state, connected.
    pub(crate) async fn backend(&self) -> Result<Arc<dyn Backend>, CommandError> {
        let failed = |error: BackendError| run_error(&error.into());
        let clock = Arc::new(SystemClock::default());
        let location = self.location()?;
        location.address().connect(clock).await.map_err(failed)
    }

    /// The state as it is, without a lock.
    pub(crate) async fn look(&self) -> Result<(State, Recovered), CommandError> {
        self.say_unpushed()?;
        let found = self.look_past_unpushed().await?;
        self.say_unfinished_moves(&found.1).await;
        Ok(found)
    }

    /// The same without the warning about results that are not stored yet.
    pub(super) async fn look_past_unpushed(&self) -> Result<(State, Recovered), CommandError> {
        // What was read to resolve the hosts of providers is young enough.
        if let Some(found) = self.looked.take() {
            return Ok(found);
        }
        let backend = self.backend().await?;
        match Run::look(&*backend).await {
            Ok(found) => {
                self.remember_names(&found.0);
                Ok(found)
            }
            Err(error) => Err(self.state_error(&*backend, &error).await),
        }
    }

    /// Tells about moves between states that were interrupted, and that this command does not finish.
    async fn say_unfinished_moves(&self, recovered: &Recovered) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let told = unfinished_moves(&recovered.transfers, self.backends, &clock);
        self.say(&told.await);
    }

    /// Takes the lock and the state.
    pub(crate) async fn open(
        &self,
        operation: Operation,
    ) -> Result<(Run, Recovered), CommandError> {
        self.refuse_unpushed()?;
        self.open_to_push(operation).await
    }

    /// The same for a command that stores the results that an earlier run on this machine could not.
    pub(crate) async fn open_to_push(
        &self,
        operation: Operation,
    ) -> Result<(Run, Recovered), CommandError> {
        let options = self.run_options(operation);
        let backend = self.backend().await?;
        let clock = Arc::new(SystemClock::default());
        // Only until the lock is held and the state is read: the run itself listens again.
        let signals = Signals::listening(self.streams.clone());
        let waiting = Waiting {
            streams: &self.streams,
            signals: &signals,
        };
        let opened = Run::open(
            Arc::clone(&backend),
            options,
            clock,
            Arc::new(SystemRandom),
            &waiting,
        );
        let opened = opened.await;
        if signals.heard() {
            if let Ok((run, _)) = opened {
                run.close().await.map_err(|error| run_error(&error))?;
            }
            return Err(interrupted());
        }
        match opened {
            Ok((run, recovered)) => {
                self.finish_transfers(&run, operation, &waiting).await?;
                Ok((run, recovered))
            }
            Err(error) => Err(self.state_error(&*backend, &error).await),
        }
    }

    /// Finishes the moves to other states that earlier commands did not; the run is closed where that fails.
    async fn finish_transfers(
        &self,
        run: &Run,
        operation: Operation,
        waiting: &Waiting<'_>,
    ) -> Result<(), CommandError> {
        let options = self.run_options(operation);
        let finished = finish_transfers(run, self.backends, &options, waiting).await;
        let finished = match finished {
            Ok(finished) => finished,
            Err(error) => {
                let mut refused = run_error(&error);
                if let Err(unclosed) = run.close().await {
                    refused = refused.and(run_error(&unclosed));
                }
                return Err(refused);
            }
        };
        for (transfer, end) in finished {
            let count = counted(transfer.addresses.len(), "instance");
            let other = one_line(&transfer.other);
            self.note(&match end {
                TransferEnd::Left => format!("finished an interrupted move of {count} to {other}\n"),
                TransferEnd::Stayed => {
                    format!("an interrupted move of {count} to {other} never arrived there; nothing was moved\n")
                }
            });
        }
        Ok(())
    }

    /// Takes the lock of another stack's state.
    pub(crate) async fn open_other(&self, location: &BackendConfig) -> Result<Run, CommandError> {
        let clock = Arc::new(SystemClock::default());
        let failed = |error: BackendError| run_error(&error.into());
        let connected = location.address().connect(clock.clone()).await;
        let backend = connected.map_err(failed)?;
        let signals = Signals::listening(self.streams.clone());
        let waiting = Waiting {
            streams: &self.streams,
            signals: &signals,
        };
        let options = self.run_options(Operation::State);
        let opened = Run::open(backend, options, clock, Arc::new(SystemRandom), &waiting).await;
        let (run, _) = opened.map_err(|error| run_error(&error))?;
        self.finish_transfers(&run, Operation::State, &waiting)
            .await?;
        Ok(run)
    }

    /// The address of a state of another stack, as `--backend` takes it.
    pub(crate) fn parse_location(&self, address: &str) -> Result<BackendConfig, CommandError> {
        self.backends.parse(address).map_err(|error| {
            CommandError::usage(Diagnostic::error(format!(
                "`{address}` is not the address of a state: {error}"
            )))
        })
    }

    /// Takes the lock to repair the journal.
    pub(crate) async fn open_repair(&self) -> Result<Repair, CommandError> {
        let options = self.run_options(Operation::State);
        let clock = Arc::new(SystemClock::default());
        let signals = Signals::listening(self.streams.clone());
        let waiting = Waiting {
            streams: &self.streams,
            signals: &signals,
        };
        let backend = self.backend().await?;
        let opened = Repair::open(
            Arc::clone(&backend),
            options,
            clock,
            &SystemRandom,
            &waiting,
        )
        .await;
        if signals.heard() {
            if let Ok(repair) = opened {
                repair.close().await.map_err(|error| run_error(&error))?;
            }
            return Err(interrupted());
        }
        match opened {
            Ok(opened) => Ok(opened),
            Err(error) => Err(self.state_error(&*backend, &error).await),
        }
    }

    pub(super) fn run_options(&self, operation: Operation) -> RunOptions {
        RunOptions {
            operation,
            engine: format!("terrane {}", env!("CARGO_PKG_VERSION")),
            process: identity::process(&self.environment),
            lock_timeout: self.common.lock_timeout.unwrap_or_default(),
        }
    }

    /// Why the state cannot be read or held, with the commands that help.
    pub(crate) async fn state_error(
        &self,
        backend: &dyn Backend,
        error: &RunError,
    ) -> CommandError {
        if let RunError::Locked { holder, .. } = error {
            return self.locked(error, holder);
        }
        let way_out = self.way_out(backend, error).await;
        let mut refused = way_out.unwrap_or_else(|| run_error(error));
        let hints = match error {
            RunError::Journal { .. } => vec![format!(
                "nothing was changed; `{}` shows which records can be saved, keeps a copy, and starts a new journal",
                self.again("state repair")
            )],
            RunError::Backend(BackendError::NotMade { hint, .. }) => {
                let create = format!("create it with `{}`", self.again("bootstrap"));
                [create].into_iter().chain(hint.clone()).collect()
            }
            _ => Vec::new(),
        };
        for hint in hints {
            let diagnostics = refused.diagnostics.into_iter();
            refused.diagnostics = diagnostics.map(|it| it.hint(&*hint)).collect();
        }
        refused
    }

    /// The error for a state that another run holds: its holder, since when, and the remedies.
    fn locked(&self, error: &RunError, holder: &Holder) -> CommandError {
        let now = SystemClock::default().now();
        let mut diagnostic = Diagnostic::error(error.to_string()).detail(holder_text(holder, now));
        let is_dead = holder
            .last_seen
            .is_some_and(|seen| now.since(seen) > LIKELY_DEAD);
        if !is_dead {
            let flag = "--lock-timeout 10m";
            diagnostic = diagnostic.hint(match self.invocation.repeated(flag) {
                Some(command) => format!("wait for it with `{command}`"),
                None => format!("wait for it with `{flag}`"),
            });
        }
        let outlives = |location: BackendConfig| location.address().lock_outlives_process();
        if self.location().is_ok_and(outlives) {
            let id = holder.lock_id();
            let command = self.again(&format!("force-unlock {id}"));
            diagnostic = diagnostic.hint(match is_dead {
                true => format!("free it with `{command}`"),
                false => format!("if that run is dead, free it with `{command}`"),
            });
        }
        CommandError::new(Exit::LOCKED, diagnostic)
    }

    /// `user@host`.
    pub(crate) fn who(&self) -> String {
        identity::who(&self.environment)
    }
}

/// Waits for a lock, and names its holder.
pub(super) struct Waiting<'a> {
    pub(super) streams: &'a Streams,
    pub(super) signals: &'a Signals,
}

impl Patience for Waiting<'_> {
    fn refused(&self, holder: &Holder) {
        let who = holder_text(holder, SystemClock::default().now());
        self.streams
            .err(&format!("waiting for the lock of the state: {who}\n"));
    }

    fn is_over(&self) -> bool {
        self.signals.heard()
    }
}

/// The folder of the state that replays of a stack work on.
fn replay_path(stack: &str) -> PathBuf {
    [".terrane", "replay", stack].iter().collect()
}

/// The folder of a stack's sandbox.
pub(crate) fn sandbox_path(stack: &str) -> PathBuf {
    [".terrane", "sandbox", stack].iter().collect()
}

/// Results that the journal gave back to the state, for people; `None` when there were none.
pub(crate) fn replayed_text(recovered: &Recovered) -> Option<String> {
    if recovered.replayed == 0 {
        return None;
    }
    let results = crate::view::printable::counted(recovered.replayed, "result");
    let who = recovered
        .interrupted
        .as_ref()
        .map_or("an earlier run", |open| &open.process.who);
    Some(format!(
        "recovered {results} of an interrupted run by {who}\n"
    ))
}

/// An error of a state operation, with its exit code and its causes.
pub(crate) fn run_error(error: &RunError) -> CommandError {
    DeployError::from(error.clone()).into()
}
