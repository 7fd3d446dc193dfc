//! Interrupts: the first one ends a run in order, a second one ends the process.

use std::sync::Arc;
use std::time::Duration;

use terrane_core::Diagnostic;
use terrane_deploy::Cancellation;
use terrane_engine::Stopper;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::streams::Streams;

/// How long the last line of a run waits for a reader after a second signal.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long a reader that reads at all takes.
const AT_ONCE: Duration = Duration::from_millis(20);
/// How long a reader may stand still after a signal until the process ends without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Said of a run that stops before it has changed anything.
pub(crate) const NOTHING_CHANGED: &str = "nothing was changed";
/// Said of a run that stops after a plan that it applied.
pub(crate) const EARLIER_CHANGES_STAY: &str = "the changes before are made and recorded";

/// A signal that asks this process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Interrupt,
    Terminate,
    HangUp,
}

/// Listens for signals during a run. Dropping it ends the listening, not the effect of a signal that was heard.
pub(crate) struct Signals {
    heard: Cancellation,
    listening: JoinHandle<()>,
}

impl Signals {
    /// The first signal stops the run. After it a second SIGINT exits at once; so does a SIGTERM after a SIGTERM. A SIGTERM after
    /// a SIGINT does not: GitHub sends both.
    pub(crate) fn stopping(stopper: Stopper, streams: Arc<Streams>) -> Self {
        Self::heard_by(streams, async move { stopper.stop().await })
    }

    /// The same for a command that has no engine to stop: it looks at [`heard`](Self::heard) and [`wait`](Self::wait) itself.
    pub(crate) fn listening(streams: Arc<Streams>) -> Self {
        Self::heard_by(streams, std::future::ready(()))
    }

    fn heard_by(streams: Arc<Streams>, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let heard = Cancellation::new();
        let tell = heard.clone();
        let listening = tokio::spawn(async move {
            // Without signals a run cannot be stopped in order, but it can run.
            let Ok(mut signals) = Listener::new() else {
                return;
            };
            let first = signals.next().await;
            tell.cancel();
            streams.stop();
            streams.err(
                "\nstopping: waiting for running operations to finish; press Ctrl-C again to exit at once\n",
            );
            let stop = tokio::spawn(stop);
            loop {
                let exit = match (first, signals.next().await) {
                    (_, Kind::Interrupt) => Exit::KILLED_BY_INTERRUPT,
                    (Kind::Terminate, Kind::Terminate) => Exit::KILLED_BY_TERMINATE,
                    _ => continue,
                };
                streams.err(
                    "\nexited; the next run recovers the operations recorded in the journal\n",
                );
                stop.abort();
                // No reader may keep a process that was told twice to end.
                streams.written(LAST_WORDS);
                leave(exit);
            }
        });
        Self { heard, listening }
    }

    /// Cancelled by the first signal.
    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.heard
    }

    /// Whether a signal was heard.
    pub(crate) fn heard(&self) -> bool {
        self.heard.is_cancelled()
    }

    /// Returns when the first signal is heard.
    pub(crate) async fn wait(&self) {
        self.heard.cancelled().await;
    }
}

/// Waits until all output is read; `false` when a signal ends the wait. After a signal it waits only while a reader still reads.
pub(crate) async fn read_to_the_end(streams: &Arc<Streams>) -> bool {
    let signals = Listener::new();
    // Most readers are as fast as this: no thread has to wait for them.
    if streams.written(AT_ONCE) {
        return true;
    }
    let reading = streams.clone();
    let mut reading = tokio::task::spawn_blocking(move || reading.written(Duration::MAX));
    let signal = async {
        match signals {
            Ok(mut signals) => signals.next().await,
            Err(_) => std::future::pending().await,
        }
    };
    let asleep = async {
        let mut taken = None;
        while !streams.is_stopping() || taken != Some(streams.taken()) {
            taken = Some(streams.taken());
            tokio::time::sleep(PATIENCE).await;
        }
    };
    tokio::select! {
        _ = &mut reading => true,
        _ = signal => false,
        () = asleep => false,
    }
}

/// Interrupted before anything was changed.
pub(crate) fn interrupted() -> CommandError {
    interrupted_after(NOTHING_CHANGED)
}

/// The same, with the changes that were made before.
pub(crate) fn interrupted_after(so_far: &str) -> CommandError {
    let error = Diagnostic::error("interrupted").detail(so_far);
    CommandError::new(Exit::INTERRUPTED, error)
}

/// Ends the process on the spot.
#[expect(
    clippy::disallowed_methods,
    reason = "after a second signal nothing may run any more, no destructor either, and the journal holds everything"
)]
fn leave(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

struct Listener {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Listener {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Kind {
        tokio::select! {
            _ = self.interrupt.recv() => Kind::Interrupt,
            _ = self.terminate.recv() => Kind::Terminate,
            _ = self.hang_up.recv() => Kind::HangUp,
        }
    }
}
