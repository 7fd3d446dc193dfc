//! Interrupts: the first one ends a run in order, without cutting off running operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use crate::running::Processes;

/// Whether the run was asked to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Stops a run from another task: a signal handler, a program that drives many stacks.
#[derive(Clone)]
pub struct Stopper {
    pub(crate) flag: StopFlag,
    pub(crate) processes: Processes,
}

impl Stopper {
    /// Starts no new operation, and asks every provider to end what it does early. Waits for running operations and records their results.
    pub async fn stop(&self) {
        self.flag.set();
        let running: Vec<_> = self
            .processes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        // A provider that cannot stop simply goes on to its end; there is nothing else to do about it.
        join_all(running.iter().map(|provider| async move {
            let _ = provider.stop().await;
        }))
        .await;
    }

    /// Whether the run was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.flag.is_stopped()
    }
}
