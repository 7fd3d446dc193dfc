//! Where operations run: one thread with its own runtime, shared provider processes, and a limit on how many operations run at once.

use std::num::NonZeroUsize;
use std::sync::Arc;

use terrane_core::Diagnostic;
use terrane_state::{Clock, Random, SystemClock, SystemRandom};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};

use crate::cancellation::Cancellation;
use crate::error::DeployError;
use crate::sharing::ProcessPool;

/// The operations of one program: deployments that share a host share its thread, its provider processes and its limit on operations at once.
///
/// Two operations use one provider process where the same build is configured equally in the same environment. A cancelled operation
/// does not stop a process that another one uses; its own requests to it end by themselves.
///
/// An operation that has begun goes on to its end in this thread, also when the future that waits for it is dropped: a web server
/// that drops the request of a client that left cuts nothing off. A [`Cancellation`] ends it in order.
#[derive(Clone)]
pub struct DeploymentHost(Arc<Inner>);

struct Inner {
    jobs: mpsc::UnboundedSender<Job>,
    slots: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pool: Arc<ProcessPool>,
}

/// Begins its work in the host's thread.
type Job = Box<dyn FnOnce() + Send>;

/// As many operations as a host runs at once unless it is told otherwise.
const OPERATIONS: usize = 8;

impl DeploymentHost {
    /// A host of its own thread.
    ///
    /// # Errors
    /// When the system has no thread or no runtime to give.
    pub fn new() -> Result<Self, DeployError> {
        Self::with_operations(NonZeroUsize::new(OPERATIONS).unwrap_or(NonZeroUsize::MIN))
    }

    /// The same with at most that many operations at once; the others wait for their turn.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_operations(most: NonZeroUsize) -> Result<Self, DeployError> {
        Self::begin(
            most,
            Arc::new(SystemClock::default()),
            Arc::new(SystemRandom),
        )
    }

    /// The same with another clock and another source of chance; for simulations.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn begin(
        most: NonZeroUsize,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, DeployError> {
        let failed = |error: std::io::Error| {
            let failed = Diagnostic::error("cannot start the thread of deployments");
            DeployError::from(failed.detail(error.to_string()))
        };
        // One thread: an operation is one task, and waking another thread for each answer of a provider costs more than reading it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (jobs, mut waiting) = mpsc::unbounded_channel::<Job>();
        let work = move || {
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, async {
                while let Some(job) = waiting.recv().await {
                    job();
                }
            });
            // Nobody can begin another operation; those that run end in order.
            runtime.block_on(tasks);
        };
        let thread = std::thread::Builder::new().name("terrane".to_owned());
        thread.spawn(work).map_err(failed)?;
        Ok(Self(Arc::new(Inner {
            jobs,
            slots: Arc::new(Semaphore::new(most.get())),
            clock,
            random,
            pool: Arc::default(),
        })))
    }

    /// Time, as its operations see it.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Chance, as its operations see it.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.0.random
    }

    /// The provider processes that its operations share.
    pub(crate) fn pool(&self) -> &Arc<ProcessPool> {
        &self.0.pool
    }

    /// Does that work in the host's thread when it is its turn.
    pub(crate) async fn run<T, F>(
        &self,
        cancellation: Cancellation,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, DeployError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeployError>> + 'static,
    {
        let (tell, told) = oneshot::channel();
        let slots = self.0.slots.clone();
        let job = move || {
            spawn_local(async move {
                let turn = tokio::select! {
                    biased;
                    () = cancellation.cancelled() => None,
                    turn = slots.acquire_owned() => turn.ok(),
                };
                let done = match turn {
                    None => Err(DeployError::Cancelled),
                    Some(_turn) => work().await,
                };
                // Nobody may be waiting any more.
                let _ = tell.send(done);
            });
        };
        // The thread ends after the last clone of this host.
        let _ = self.0.jobs.send(Box::new(job));
        told.await.unwrap_or_else(|_| {
            Err(Diagnostic::error("the operation panicked")
                .detail("the panic message names the line; the next run recovers the operations recorded in the journal")
                .into())
        })
    }
}

impl std::fmt::Debug for DeploymentHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeploymentHost").finish_non_exhaustive()
    }
}
