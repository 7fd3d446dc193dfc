//! The provider dies with us, even when we are killed: our own binary, started again, asks the kernel for a parent-death signal and
//! then becomes the provider.
//!
//! The signal is a setting of the child that survives `exec`, and only the child itself can make it. A hook between fork and
//! exec would be unsafe code; a short detour through our own binary is not.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The first argument that makes a binary with the hook a launcher.
const MARKER: &str = "terrane:launch-provider";

/// To be called first thing in `main`: becomes a provider if this process was started to be one, else does nothing.
///
/// A binary whose `main` calls this may be given as [`Launch::Reexec`](super::Launch::Reexec).
#[expect(
    clippy::disallowed_methods,
    reason = "this process is no run of ours: it failed to become a provider"
)]
pub fn run_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(MARKER)) {
        return;
    }
    let parent = arguments
        .next()
        .and_then(|text| text.to_str()?.parse::<i32>().ok());
    let program = arguments.next();
    let complaint = match (parent, program) {
        (Some(parent), Some(program)) => become_provider(parent, &program, arguments),
        _ => "incomplete request to launch a provider".to_owned(),
    };
    // The engine reads our standard error and waits for a handshake that will not come.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), complaint.as_bytes());
    std::process::exit(127);
}

/// Returns only when it could not.
fn become_provider(
    parent: i32,
    program: &OsStr,
    arguments: impl Iterator<Item = OsString>,
) -> String {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return format!("cannot ask for a parent-death signal: {error}\n");
        }
        // The parent may have died before the signal was armed.
        if getppid().map(Pid::as_raw_pid) != Some(parent) {
            return "the engine ended before the provider started\n".to_owned();
        }
    }
    let error = Command::new(program).args(arguments).exec();
    format!("cannot execute {}: {error}\n", program.display())
}

/// The arguments of a launcher that becomes `program`; that program's own follow.
pub(super) fn arguments(program: &OsStr) -> [OsString; 3] {
    [
        MARKER.into(),
        std::process::id().to_string().into(),
        program.to_owned(),
    ]
}
