//! What each operating system does in its own way, with a portable way beside it.
//!
//! | question | Linux | elsewhere |
//! |---|---|---|
//! | A provider dies with us, even when we are killed | the kernel sends it a signal | a launcher watches a pipe that ends with us |
//! | Is that process the one of a record, or another with its number? | `/proc` says when it began | `ps` does |
//! | Was the machine started since? | the kernel's boot id | when process 1 began, by `ps` |
//! | Is there room for the results of running operations? | disk space is set aside | only the write itself says so |
//!
//! The portable way works on Linux, too: [`use_portable_ways`] makes a process take it, so that tests run both.

#[cfg(target_os = "linux")]
mod linux;
pub mod portable;

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static PORTABLE: AtomicBool = AtomicBool::new(false);

/// From here on this process takes the portable way in everything, also on Linux.
pub fn use_portable_ways() {
    PORTABLE.store(true, Ordering::Relaxed);
}

/// Whether this process takes the portable way.
pub fn is_portable() -> bool {
    !cfg!(target_os = "linux") || PORTABLE.load(Ordering::Relaxed)
}

/// A name for the time since the machine was started; `None` where nothing tells.
///
/// Names of the two ways have no form in common ([`are_comparable`]).
pub fn boot() -> Option<String> {
    #[cfg(target_os = "linux")]
    if !is_portable() {
        return linux::boot();
    }
    portable::boot()
}

/// When a process began, in a form to be compared alone; of one that runs, not of one that only waits to be taken note of.
pub fn start_of(pid: u32) -> Option<String> {
    #[cfg(target_os = "linux")]
    if !is_portable() {
        return linux::start_of(pid);
    }
    portable::start_of(pid)
}

/// Whether two names of boots or starts were made in the same way.
pub fn are_comparable(one: &str, other: &str) -> bool {
    portable::is_ours(one) == portable::is_ours(other)
}

/// Sets disk space aside behind that length of a file. Where that cannot be done, nothing is.
///
/// # Errors
/// When the disk is full.
pub fn reserve(file: &File, length: u64, space: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if !is_portable() {
        return linux::reserve(file, length, space);
    }
    let _ = (file, length, space);
    Ok(())
}

/// Makes the kernel kill this process when the thread that started it ends, also after it has become another program.
///
/// # Errors
/// The reason, when the kernel cannot, or when `parent` has ended already.
pub fn die_with(parent: u32) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    let armed = linux::die_with(parent);
    #[cfg(not(target_os = "linux"))]
    let armed = Err(format!(
        "nothing tells this system that process {parent} ended"
    ));
    armed
}
