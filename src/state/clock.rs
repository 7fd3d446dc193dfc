//! Time behind a trait, so that a simulation can drive a run.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcDateTime};

/// The clock of a run.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time of day, for records that other machines read.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment that no correction of the clock moves; for intervals and deadlines.
    fn monotonic(&self) -> Duration;

    /// Waits that long.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock and tokio's timer.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that is injected"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A moment in UTC with nanoseconds; prints and parses as RFC 3339 in the form Go writes (no trailing zeros).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(UtcDateTime);

/// The text is not a moment in UTC after 1970.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a time in UTC (RFC 3339)")]
#[non_exhaustive]
pub struct ParseTimestampError {
    /// The text.
    pub text: String,
}

impl Timestamp {
    /// That many seconds and nanoseconds after 1970-01-01T00:00:00Z; at most the end of the year 9999.
    pub fn new(seconds: u64, nanos: u32) -> Self {
        Self(UtcDateTime::UNIX_EPOCH).after(Duration::new(seconds, 0) + Duration::new(0, nanos))
    }

    /// How long ago `earlier` was; nothing if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).try_into().unwrap_or_default()
    }

    /// The moment that much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let duration = duration.try_into().unwrap_or(time::Duration::MAX);
        Self(self.0.saturating_add(duration))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(UtcDateTime::UNIX_EPOCH).after(since)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `time` could do that with its feature `formatting`; without it the AWS SDK's own features of it suffice.
        let (hour, minute, second, nanos) = self.0.as_hms_nano();
        let (year, month, day) = (self.0.year(), u8::from(self.0.month()), self.0.day());
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if nanos > 0 {
            let fraction = format!("{nanos:09}");
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
        let utc = moment.filter(|moment| moment.offset().is_utc() && moment.unix_timestamp() >= 0);
        utc.map(|moment| Self(moment.to_utc()))
            .ok_or_else(|| ParseTimestampError {
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_print_as_go_prints_them() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_795_424_717, 539_919_072, "2026-11-23T09:05:17.539919072Z"),
            (1_709_251_199, 120_000_000, "2024-02-29T23:59:59.12Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00Z"),
        ] {
            let moment = Timestamp::new(seconds, nanos);
            assert_eq!(moment.to_string(), text);
            assert_eq!(text.parse(), Ok(moment));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-23T9:x:17Z",
            "2026-11-23T09:05:17+02:00",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_round_trip(seconds in 0u64..253_402_300_800, nanos in 0u32..1_000_000_000) {
            let moment = Timestamp::new(seconds, nanos);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }
}
