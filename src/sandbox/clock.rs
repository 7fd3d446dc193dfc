//! Time: the sandbox's clock, in the forms that services write, and how long its operations pretend to take.

use std::time::{Duration, SystemTime};

/// A moment in UTC, as RFC 3339 writes it down to the nanosecond.
#[derive(Debug, Clone)]
pub(crate) struct Timestamp(String);

/// How many times faster than AWS the sandbox is; 0 does not wait at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speed(f64);

impl Default for Speed {
    /// Fast enough to try things, slow enough to see what waits for what.
    fn default() -> Self {
        Self(200.0)
    }
}

impl Speed {
    /// `None` unless it is a number of at least zero.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let times: f64 = text.trim().parse().ok()?;
        (times.is_finite() && times >= 0.0).then_some(Self(times))
    }

    /// How long something takes here that takes AWS that long.
    pub(crate) fn scaled(self, seconds: f64) -> Duration {
        if self.0 == 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(seconds / self.0).unwrap_or(Duration::MAX)
    }
}

impl Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox is a process of its own, with the real time"
    )]
    pub(crate) fn now() -> Self {
        Self(humantime::format_rfc3339_nanos(SystemTime::now()).to_string())
    }

    /// `2026-11-23T08:49:48Z`
    pub(crate) fn rfc3339(&self) -> String {
        format!("{}Z", &self.0[..19])
    }

    /// `2026-11-23 08:50:09.183 +0000 UTC`, as Go prints a time.
    pub(crate) fn go(&self) -> String {
        format!("{} {} +0000 UTC", &self.0[..10], &self.0[11..23])
    }

    /// `202611230849486464`: digits down to a ten-thousandth of a second, as the SDK makes unique names.
    pub(crate) fn digits(&self) -> String {
        self.0
            .chars()
            .filter(char::is_ascii_digit)
            .take(18)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_each_service_does() {
        let moment = Timestamp("2026-11-23T08:50:09.183000000Z".to_owned());
        assert_eq!(moment.rfc3339(), "2026-11-23T08:50:09Z");
        assert_eq!(moment.go(), "2026-11-23 08:50:09.183 +0000 UTC");
        assert_eq!(moment.digits(), "202611230850091830");
        assert_eq!(Timestamp::now().0.len(), moment.0.len());
    }

    #[test]
    fn the_speed_is_how_many_times_faster_and_zero_is_at_once() {
        let speed = Speed::read("2").expect("a speed");
        assert_eq!(speed.scaled(10.0), Duration::from_secs(5));
        assert_eq!(
            Speed::read("0").expect("a speed").scaled(600.0),
            Duration::ZERO
        );
        assert_eq!(Speed::default().scaled(540.0), Duration::from_millis(2700));
        assert_eq!(Speed::read("-1"), None);
        assert_eq!(Speed::read("fast"), None);
    }
}
