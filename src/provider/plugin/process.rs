//! One provider process: spawned from a thread that outlives it, reaped, and killed when it is no longer needed.

use std::io;
use std::process::ExitStatus;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{oneshot, watch};

/// A child process and the task that waits for it. Dropping it kills the child.
pub(super) struct Process {
    pid: u32,
    fate: Fate,
    /// Dropped or used: kill.
    kill: Option<oneshot::Sender<()>>,
}

/// How a process ended, as text: `exit status: 1`, `signal: 9 (SIGKILL)`.
pub(super) type Exit = String;

/// Knows how a process ended, once it has; outlives it.
#[derive(Clone)]
pub(super) struct Fate(watch::Receiver<Option<Exit>>);

impl Fate {
    /// How it ended, if it has.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.0.borrow().clone()
    }

    /// Waits for its end.
    async fn exited(&self) -> Exit {
        let mut exit = self.0.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.clone().unwrap_or_default(),
            Err(_) => "lost with its runtime".to_owned(),
        }
    }

    /// Waits that long for its end.
    pub(super) async fn exited_within(&self, limit: Duration) -> Option<Exit> {
        tokio::time::timeout(limit, self.exited()).await.ok()
    }
}

impl Process {
    /// Starts a command; a `leashed` one watches its standard input. Its output streams are still with the child that is returned beside.
    pub(super) async fn spawn(mut command: Command, leashed: bool) -> io::Result<(Self, Streams)> {
        // A launcher that watches a pipe ends the provider when the pipe does; killed itself, it could not.
        command.kill_on_drop(!leashed);
        let mut child = spawn_from_long_lived_thread(command).await?;
        let leash = child.stdin.take();
        let streams = Streams {
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        };
        let pid = child.id().unwrap_or_default();
        let (exited, exit) = watch::channel(None);
        let (kill, killed) = oneshot::channel();
        tokio::spawn(reap(child, leash, exited, killed));
        let process = Self {
            pid,
            fate: Fate(exit),
            kill: Some(kill),
        };
        Ok((process, streams))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Who knows how it ends.
    pub(super) fn fate(&self) -> &Fate {
        &self.fate
    }

    /// SIGKILL, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Exit {
        self.kill.take();
        self.fate.exited().await
    }
}

/// The output of a child.
pub(super) struct Streams {
    pub(super) stdout: Option<tokio::process::ChildStdout>,
    pub(super) stderr: Option<tokio::process::ChildStderr>,
}

/// `leash` is the pipe that a launcher watches, where one does: it ends with us, whatever ends us.
async fn reap(
    mut child: Child,
    leash: Option<ChildStdin>,
    exited: watch::Sender<Option<Exit>>,
    killed: oneshot::Receiver<()>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        _ = killed => {
            match (&leash, child.id()) {
                // The provider is a child of the launcher.
                (Some(_), Some(launcher)) => terrane_host::portable::kill_group(launcher),
                // It fails only when the process is gone already.
                _ => drop(child.start_kill()),
            }
            child.wait().await
        }
    };
    let exit = match status {
        Ok(status) => describe(status),
        Err(error) => format!("cannot wait for it: {error}"),
    };
    exited.send_replace(Some(exit));
}

fn describe(status: ExitStatus) -> Exit {
    status.to_string()
}

type Job = Box<dyn FnOnce() + Send>;

/// Spawns from a thread that lives as long as our process: the kernel sends the parent-death signal when the *thread* that
/// spawned ends, and a runtime's threads may end before the run does.
async fn spawn_from_long_lived_thread(mut command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, received) = mpsc::channel::<Job>();
        std::thread::spawn(move || received.into_iter().for_each(|job| job()));
        jobs
    });
    let runtime = tokio::runtime::Handle::current();
    let (answer, spawned) = oneshot::channel();
    let job: Job = Box::new(move || {
        let _entered = runtime.enter();
        // Nobody waits any more when the caller was cancelled; the child is then killed by being dropped.
        let _ = answer.send(command.spawn());
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    spawner.send(job).map_err(|_| gone())?;
    spawned.await.map_err(|_| gone())?
}
