//! Cancelling operations from elsewhere.

use std::sync::Arc;

use tokio::sync::watch;

/// Cancels every operation that was given a clone of it, in order: running operations of providers end and are recorded, none begins.
///
/// ```
/// use terrane_deploy::Cancellation;
///
/// let cancellation = Cancellation::new();
/// let given = cancellation.clone();
/// cancellation.cancel();
/// assert!(given.is_cancelled());
/// ```
#[derive(Debug, Clone)]
pub struct Cancellation(Arc<watch::Sender<bool>>);

impl Cancellation {
    /// One that nobody has cancelled yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Cancels; a second time changes nothing.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is cancelled.
    pub async fn cancelled(&self) {
        let mut told = self.0.subscribe();
        // The sender lives as long as this borrow of it.
        let _ = told.wait_for(|cancelled| *cancelled).await;
    }
}

impl Default for Cancellation {
    fn default() -> Self {
        Self::new()
    }
}
