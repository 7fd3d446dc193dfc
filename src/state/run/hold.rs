//! Holding the lock of a state: taking it, waiting for it, saying that its holder lives.

use std::sync::Arc;
use std::time::Duration;

use super::{RecordError, RunError, RunOptions};
use crate::backend::{Backend, BackendError, Holder, LockError};
use crate::clock::Clock;
use crate::crash::{self, Point};
use crate::lock_info::LockInfo;
use crate::random::Random;

/// A waiter for a lock: is told of every refusal, and may lose patience.
pub trait Patience: Sync {
    /// The lock is another's; it is tried again soon.
    fn refused(&self, holder: &Holder);

    /// Whether waiting has no sense any more, as after Ctrl-C. Asked several times a second.
    fn is_over(&self) -> bool;
}

/// Waits in silence, as long as it may.
impl Patience for () {
    fn refused(&self, _: &Holder) {}

    fn is_over(&self) -> bool {
        false
    }
}

/// How often a lock that changes hands is looked at again, and after which time.
const BLINKS: usize = 5;
const BLINK: Duration = Duration::from_millis(100);

/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Between two looks at whether the waiter gave up.
const GLANCE: Duration = Duration::from_millis(200);

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) id: String,
}

impl Holding {
    /// Takes the lock, waiting for it if asked to.
    pub(super) async fn take(
        backend: Arc<dyn Backend>,
        options: &RunOptions,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        patience: &dyn Patience,
    ) -> Result<Self, RunError> {
        let path = backend.lock_path();
        let info = LockInfo::new(
            options.operation,
            &options.process.who,
            &path,
            &*clock,
            random,
        );
        let taken = acquire(&*backend, &info, options.lock_timeout, &*clock, patience).await;
        let holding = Self {
            backend,
            clock,
            id: info.id,
        };
        match taken {
            Ok(()) => Ok(holding),
            Err(error @ RunError::Locked { .. }) => Err(error),
            // Perhaps it was taken, and only the answer was lost.
            Err(error) => {
                holding.give_back().await;
                Err(error)
            }
        }
    }

    /// Frees a lock that is held for nothing. A failure to free it is not the first error.
    pub(super) async fn give_back(&self) {
        let _ = self.backend.unlock(&self.id).await;
    }

    /// Renews the heartbeat every few seconds, until the lock is no longer its own.
    pub(super) async fn keep_alive(&self) -> RecordError {
        loop {
            self.clock.sleep(HEARTBEAT).await;
            // Any other failure may pass, and the lock is a promise only: the journal is the fence.
            if let Err(error @ BackendError::NotHeld { .. }) =
                self.backend.heartbeat(&self.id, self.clock.now()).await
            {
                return RecordError::Fenced {
                    reason: error.to_string(),
                };
            }
        }
    }
}

/// Takes the lock, waiting for it if asked to.
async fn acquire(
    backend: &dyn Backend,
    info: &LockInfo,
    timeout: Duration,
    clock: &dyn Clock,
    patience: &dyn Patience,
) -> Result<(), RunError> {
    let deadline = clock.monotonic() + timeout;
    let mut pause = Duration::from_secs(1);
    let mut blinks = 0;
    loop {
        crash::reach(Point::LockBefore).await;
        let holder = match backend.lock(info).await {
            Ok(()) => {
                crash::reach(Point::LockTaken).await;
                return Ok(());
            }
            Err(LockError::Backend(error)) => return Err(error.into()),
            Err(LockError::Held(holder)) => holder,
        };
        // Freed at this moment, or just taken and not described yet: a second look tells.
        if holder.info.is_none() && holder.raw.is_empty() && blinks < BLINKS {
            blinks += 1;
            clock.sleep(BLINK).await;
            continue;
        }
        let left = deadline.saturating_sub(clock.monotonic());
        if left.is_zero() || patience.is_over() {
            return Err(RunError::Locked {
                place: backend.place(),
                holder,
            });
        }
        patience.refused(&holder);
        let again = clock.monotonic() + pause.min(left);
        while clock.monotonic() < again && !patience.is_over() {
            let rest = again.saturating_sub(clock.monotonic());
            clock.sleep(rest.min(GLANCE)).await;
        }
        pause = (pause * 2).min(Duration::from_secs(16));
    }
}
