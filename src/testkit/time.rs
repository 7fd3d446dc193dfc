//! A clock and random numbers that are the same in every run of a test.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use terrane_state::{Clock, Random, Timestamp};

/// A clock that a look moves on by a millisecond, and that waits for nobody.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_700_000_000, 0).after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2);
        self.0.fetch_add(millis, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// Numbers that count: the ids of operations and of deposed objects.
#[derive(Debug, Default)]
pub(crate) struct TestRandom(AtomicU32);

impl Random for TestRandom {
    fn fill(&self, buffer: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        buffer.fill(0);
        for (byte, digit) in buffer.iter_mut().zip(number.to_le_bytes()) {
            *byte = digit;
        }
    }
}
