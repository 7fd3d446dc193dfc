//! The ways of every Unix: `ps`, and a launcher that watches a pipe.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process, kill_process_group};

/// How each name of a start begins, so that none is compared with one of another way.
const OURS: &str = "ps ";

/// Whether this way made the name.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with(OURS)
}

/// A name for the time since the machine was started: when its first process began.
pub fn boot() -> Option<String> {
    start_of(1)
}

/// When a process began, to the second, by `ps`; of one that runs, not of one that only waits to be taken note of.
pub fn start_of(pid: u32) -> Option<String> {
    // Without these the text depends on who asks, and where.
    let output = Command::new("ps")
        .args(["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_ascii_whitespace();
    let state = words.next().filter(|state| !state.starts_with('Z'))?;
    let start: Vec<&str> = words.collect();
    (!state.is_empty() && !start.is_empty()).then(|| format!("{OURS}{}", start.join(" ")))
}

/// Runs a program that ends with whoever holds the other end of this process's standard input; returns how it ended.
///
/// To be called in a process that leads a group of its own and has no other children: the whole group is killed.
///
/// # Errors
/// When the program cannot be started or waited for.
pub fn run_on_leash(
    program: &OsStr,
    arguments: impl IntoIterator<Item = OsString>,
) -> io::Result<ExitStatus> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut child = command.spawn()?;
    std::thread::spawn(|| {
        // Nobody writes: the read ends when the engine does, however that was.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = kill_process_group(getpgrp(), Signal::KILL);
    });
    child.wait()
}

/// The code with which to end like that; one that a signal ended is followed by the same signal.
pub fn end_like(status: ExitStatus) -> i32 {
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        let _ = kill_process(getpid(), signal);
    }
    status.code().unwrap_or(1)
}

/// Kills a process and all others of the group that it leads.
pub fn kill_group(leader: u32) {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    // It fails only when they are gone already.
    let _ = leader.map(|leader| kill_process_group(leader, Signal::KILL));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_began_once_and_another_with_its_number_at_another_time() {
        let own = std::process::id();
        let start = start_of(own).expect("this process runs");
        assert_eq!(start_of(own).as_ref(), Some(&start));
        assert!(is_ours(&start) && start.split(' ').count() >= 5, "{start}");
        assert!(boot().is_some_and(|boot| is_ours(&boot)));
    }

    #[test]
    fn a_process_that_ended_and_that_nobody_waited_for_does_not_run() {
        let mut child = Command::new("true").spawn().expect("a process");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while start_of(child.id()).is_some() {
            assert!(std::time::Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
        child.wait().expect("an end");
        assert_eq!(start_of(child.id()), None);
    }
}
