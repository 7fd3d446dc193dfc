//! The ways of Linux: signals on the death of a parent, `/proc`, and space that is set aside.

use std::fs::File;
use std::io;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

pub(crate) fn die_with(parent: u32) -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("cannot ask for a parent-death signal: {error}"))?;
    // The parent may have died before the signal was armed.
    let now = getppid().map(|pid| Pid::as_raw_pid(pid).unsigned_abs());
    match now == Some(parent) {
        true => Ok(()),
        false => Err("the engine ended before the provider started".to_owned()),
    }
}

/// The kernel's name for the time since it was started.
pub(crate) fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|boot| !boot.is_empty())
}

/// In ticks since boot.
pub(crate) fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a file name in parentheses, which may hold anything; field 22 is the twentieth behind it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let start = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| start.to_owned())
}

pub(crate) fn reserve(file: &File, length: u64, space: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::KEEP_SIZE, length, space) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
        // A file system that cannot do that is used without.
        _ => Ok(()),
    }
}
