//! Time that only passes when everyone waits.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use terrane_state::{Clock, Timestamp};

/// The clock of a simulation.
#[derive(Debug, Default)]
pub(crate) struct Time(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    now: Duration,
    /// The waiting tasks by their time; a number keeps equal times apart.
    waiting: BTreeMap<(Duration, u64), Option<Waker>>,
    next: u64,
}

impl Time {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next one wakes.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        let inner = self.lock();
        let mut waiting = inner.waiting.iter();
        // A woken task that was not polled yet does not wait.
        let next = waiting.find(|(_, waker)| waker.is_some());
        next.map(|((until, _), _)| *until)
    }

    /// Lets it become that late, and wakes the tasks that waited for it.
    pub(crate) fn advance(&self, to: Duration) {
        let mut inner = self.lock();
        inner.now = inner.now.max(to);
        let now = inner.now;
        for (_, waker) in inner.waiting.range_mut(..=(now, u64::MAX)) {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }
}

/// A wait, which ends when it is dropped.
struct Sleep<'a> {
    time: &'a Time,
    until: (Duration, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.time.lock();
        if inner.now >= self.until.0 {
            return Poll::Ready(());
        }
        inner
            .waiting
            .insert(self.until, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.time.lock().waiting.remove(&self.until);
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_800_000_000, 0).after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.lock().now
    }

    async fn sleep(&self, duration: Duration) {
        let until = {
            let mut inner = self.lock();
            inner.next += 1;
            (inner.now + duration, inner.next)
        };
        Sleep { time: self, until }.await;
    }
}
