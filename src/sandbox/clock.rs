//! Time: the sandbox's clock, in the forms that services write, and how long its operations pretend to take.

use std::time::Duration;

use time::UtcDateTime;

/// A moment in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timestamp(UtcDateTime);

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
        Self(std::time::SystemTime::now().into())
    }

    /// Milliseconds since 1970, of which UUIDs keep 48 bits.
    pub(crate) fn millis(self) -> u64 {
        let nanos = self.0.unix_timestamp_nanos() / 1_000_000;
        u64::try_from(nanos).unwrap_or_default() & 0xffff_ffff_ffff
    }

    fn parts(self) -> (String, String) {
        let (moment, month) = (self.0, u8::from(self.0.month()));
        let date = format!("{:04}-{month:02}-{:02}", moment.year(), moment.day());
        let (hour, minute, second) = moment.as_hms();
        (date, format!("{hour:02}:{minute:02}:{second:02}"))
    }

    /// `2026-11-23T08:49:48Z`
    pub(crate) fn rfc3339(self) -> String {
        let (date, time) = self.parts();
        format!("{date}T{time}Z")
    }

    /// `2026-11-23 08:50:09.183 +0000 UTC`, as Go prints a time.
    pub(crate) fn go(self) -> String {
        let (date, time) = self.parts();
        format!("{date} {time}.{:03} +0000 UTC", self.0.millisecond())
    }

    /// `202611230849486464`: digits down to a ten-thousandth of a second, as the SDK makes unique names.
    pub(crate) fn digits(self) -> String {
        let (date, time) = self.parts();
        let digits = format!("{date}{time}{:04}", self.0.nanosecond() / 100_000);
        digits.replace(['-', ':'], "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_each_service_does() {
        let moment = UtcDateTime::from_unix_timestamp_nanos(1_795_423_809_183_000_000);
        let moment = Timestamp(moment.expect("a moment"));
        assert_eq!(moment.rfc3339(), "2026-11-23T08:50:09Z");
        assert_eq!(moment.go(), "2026-11-23 08:50:09.183 +0000 UTC");
        assert_eq!(moment.digits(), "202611230850091830");
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
