//! How long calls take, for those who ask where the time of a run went.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_core::addr::InstanceAddr;

tokio::task_local! {
    static SUBJECT: Arc<InstanceAddr>;
}

/// The same future; the calls that it makes are about this object.
pub fn about<F: Future>(subject: Arc<InstanceAddr>, future: F) -> impl Future<Output = F::Output> {
    SUBJECT.scope(subject, future)
}

/// The time of one call to a provider process. It holds nothing of the request.
#[derive(Debug, Clone)]
pub struct CallTime<'a> {
    /// The provider, as its source says.
    pub provider: &'a str,
    /// The method, as protocol 6 calls it.
    pub rpc: &'static str,
    /// The object that it is about, where it is about one.
    pub subject: Option<Arc<InstanceAddr>>,
    /// When the request was sent.
    pub began: Instant,
    /// How long the response took.
    pub took: Duration,
    /// There was no response.
    pub is_lost: bool,
}

/// The object that the running future is about.
pub(crate) fn subject() -> Option<Arc<InstanceAddr>> {
    SUBJECT.try_with(Arc::clone).ok()
}
