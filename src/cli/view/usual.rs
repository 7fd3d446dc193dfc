//! How long operations usually take, by type: the last few times of each, as earlier runs left them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use terrane_engine::StepKind;

/// So many runs count; the provider may have become faster since.
const RUNS: usize = 7;

/// The times of earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsualTimes {
    /// Milliseconds by type and operation, the latest last: one for each run, whatever it had of that type.
    times: BTreeMap<String, BTreeMap<Operation, Vec<u64>>>,
}

/// The operations whose times are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Create,
    Update,
    Delete,
    Read,
}

impl UsualTimes {
    /// How long that operation takes on that type.
    pub(super) fn of(&self, type_name: &str, kind: StepKind) -> Option<Duration> {
        let times = self.times.get(type_name)?.get(&Operation::of(kind)?)?;
        median(times.clone()).map(Duration::from_millis)
    }

    /// Adds the times of one run.
    pub(super) fn add(&mut self, type_name: &str, kind: StepKind, times: Vec<Duration>) {
        let Some(operation) = Operation::of(kind) else {
            return;
        };
        let times = times.into_iter().map(|time| time.as_millis());
        let times = times.map(|time| u64::try_from(time).unwrap_or(u64::MAX));
        let Some(time) = median(times.collect()) else {
            return;
        };
        let known = self.times.entry(type_name.to_owned()).or_default();
        let known = known.entry(operation).or_default();
        known.push(time);
        known.drain(..known.len().saturating_sub(RUNS));
    }
}

impl Operation {
    fn of(kind: StepKind) -> Option<Self> {
        match kind {
            StepKind::Create => Some(Self::Create),
            StepKind::Update => Some(Self::Update),
            StepKind::Delete => Some(Self::Delete),
            StepKind::Read => Some(Self::Read),
            // Nothing is asked of a provider.
            StepKind::Forget => None,
        }
    }
}

/// One outlier does not move it.
fn median(mut times: Vec<u64>) -> Option<u64> {
    let middle = times.len().checked_sub(1)? / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    Some(*median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: &[u64]) -> Vec<Duration> {
        times
            .iter()
            .map(|time| Duration::from_secs(*time))
            .collect()
    }

    #[test]
    fn the_usual_time_is_the_middle_one_of_the_last_runs() {
        let mut times = UsualTimes::default();
        let usual = |times: &UsualTimes| {
            let time = times.of("aws_vpc", StepKind::Create);
            time.map(|time| time.as_secs())
        };
        assert_eq!(usual(&times), None);
        times.add("aws_vpc", StepKind::Create, seconds(&[4, 5, 900]));
        assert_eq!(usual(&times), Some(5));
        for run in 0..20 {
            times.add("aws_vpc", StepKind::Create, seconds(&[100 + run]));
        }
        assert_eq!(usual(&times), Some(116));
        assert_eq!(times.of("aws_vpc", StepKind::Delete), None);
        times.add("aws_vpc", StepKind::Forget, seconds(&[1]));
        assert_eq!(times.of("aws_vpc", StepKind::Forget), None);
    }

    #[test]
    fn times_are_read_back_as_they_were_kept() {
        let mut times = UsualTimes::default();
        times.add("aws_vpc", StepKind::Update, seconds(&[3]));
        let text = serde_json::to_string(&times).expect("JSON");
        assert_eq!(text, r#"{"times":{"aws_vpc":{"update":[3000]}}}"#);
        let read: UsualTimes = serde_json::from_str(&text).expect("the same");
        assert_eq!(read, times);
    }
}
