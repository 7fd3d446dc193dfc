//! Wall time, CPU time and peak memory of this process, and the same of the provider process, if one runs.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The measurement of one process; times in seconds, memory in kilobytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// From beginning to end.
    pub(crate) wall: f64,
    /// User and system time of this process.
    pub(crate) cpu: f64,
    /// The most memory that this process ever had.
    pub(crate) peak: u64,
    /// User and system time of the provider process.
    pub(crate) provider_cpu: f64,
    /// The most memory that the provider process ever had.
    pub(crate) provider_peak: u64,
}

impl Measured {
    /// Each figure at its least.
    pub(crate) fn keep_best(best: &mut Option<Self>, one: Self) {
        let Some(kept) = best else {
            *best = Some(one);
            return;
        };
        kept.wall = kept.wall.min(one.wall);
        kept.cpu = kept.cpu.min(one.cpu);
        kept.peak = kept.peak.min(one.peak);
        kept.provider_cpu = kept.provider_cpu.min(one.provider_cpu);
        kept.provider_peak = kept.provider_peak.min(one.provider_peak);
    }
}

/// A running measurement.
pub(crate) struct Meter {
    provider: Option<u32>,
    started: Instant,
    cpu: Duration,
    provider_cpu: f64,
}

impl Meter {
    /// Of this process and the provider that it has started, if any.
    ///
    /// # Panics
    /// When there is more than one child process.
    pub(crate) fn start() -> Self {
        let provider = match children()[..] {
            [] => None,
            [provider] => Some(provider),
            ref more => panic!("at most one provider process should run: {more:?}"),
        };
        Self {
            provider,
            provider_cpu: provider.map_or(0.0, cpu_of),
            cpu: cpu(),
            started: Instant::now(),
        }
    }

    pub(crate) fn stop(&self) -> Measured {
        let (wall, cpu) = (self.started.elapsed(), cpu() - self.cpu);
        Measured {
            wall: wall.as_secs_f64(),
            cpu: cpu.as_secs_f64(),
            peak: peak("self"),
            provider_cpu: self.provider.map_or(0.0, cpu_of) - self.provider_cpu,
            provider_peak: self.provider.map_or(0, |pid| peak(&pid.to_string())),
        }
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |part: i64| part.unsigned_abs();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// The fields of `/proc/PID/stat` behind the name, which may hold spaces; the first is the third of the manual page.
fn stat(pid: &str) -> Vec<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .map(|field| field.parse().unwrap_or_default())
        .collect()
}

/// User and system time of another process; the kernel gives it in hundredths.
fn cpu_of(pid: u32) -> f64 {
    let stat = stat(&pid.to_string());
    let ticks: u64 = stat.get(11..13).expect("the process runs").iter().sum();
    Duration::from_millis(ticks * 10).as_secs_f64()
}

pub(crate) fn children() -> Vec<u32> {
    let own = u64::from(std::process::id());
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| stat(&pid.to_string()).get(1) == Some(&own))
        .collect()
}

fn peak(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the kernel counts memory")
}
