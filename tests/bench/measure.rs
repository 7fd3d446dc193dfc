//! One measurement: wall time, CPU time of this process and of the provider's, peak memory of this process.

use std::fmt;
use std::fs;
use std::str::FromStr;
use std::time::Instant;

use crate::{floor, stack};

/// What one process measured.
pub(crate) struct Figures {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) provider_cpu: f64,
    pub(crate) memory_kb: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {}",
            self.wall, self.cpu, self.provider_cpu, self.memory_kb
        )
    }
}

impl FromStr for Figures {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<&str> = line.split(' ').collect();
        let [wall, cpu, provider_cpu, memory_kb] = words[..] else {
            return Err(());
        };
        let float = |text: &str| text.parse().map_err(|_| ());
        Ok(Self {
            wall: float(wall)?,
            cpu: float(cpu)?,
            provider_cpu: float(provider_cpu)?,
            memory_kb: memory_kb.parse().map_err(|_| ())?,
        })
    }
}

/// Times one thing. What has to be there before is made before the clock starts.
pub(crate) fn run(what: &str, count: usize) -> Figures {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match what {
            "up" => stack::up(count).await,
            "preview" => stack::preview(count).await,
            "floor-up" => floor::calls(count, floor::Kind::Up).await,
            "floor-preview" => floor::calls(count, floor::Kind::Preview).await,
            other => panic!("no measurement `{other}`"),
        }
    })
}

/// A clock on this process and its children.
pub(crate) struct Meter {
    started: Instant,
    own: f64,
    children: f64,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            own: cpu("self"),
            children: children(),
        }
    }

    pub(crate) fn stop(&self) -> Figures {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Figures {
            wall: self.started.elapsed().as_secs_f64(),
            cpu: cpu("self") - self.own,
            provider_cpu: children() - self.children,
            memory_kb: peak.unwrap_or_default(),
        }
    }
}

/// User and system time of a process in seconds; the kernel counts in hundredths.
fn cpu(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; fields are counted behind it.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / 100.0
}

/// The same of every child that still runs.
fn children() -> f64 {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").expect("processes");
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_child = |name: &String| {
        let stat = fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1));
        parent == Some(own.as_str())
    };
    names.filter(is_child).map(|name| cpu(&name)).sum()
}
