//! The provider dies with us, even when we are killed: our own binary, started again, asks the kernel for a parent-death signal and
//! then becomes the provider. Where no kernel does that, it stays beside the provider and watches a pipe that ends with us.
//!
//! The signal is a setting of the child that survives `exec`, and only the child itself can make it. A hook between fork and
//! exec would be unsafe code; a short detour through our own binary is not.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use terrane_host::is_portable;
use terrane_host::portable::{end_like, run_on_leash};

/// The first argument that makes a binary with the hook a launcher.
const MARKER: &str = "terrane:launch-provider";
/// The same for one that stays, and watches.
const WATCH: &str = "terrane:watch-provider";

/// To be called first thing in `main`: becomes a provider if this process was started to be one, else does nothing.
///
/// A binary whose `main` calls this may be given as [`Launch::Reexec`](super::Launch::Reexec).
#[expect(
    clippy::disallowed_methods,
    reason = "this process is no run of ours: it failed to become a provider"
)]
pub fn run_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    let watches = match arguments.next() {
        Some(first) if first == OsStr::new(MARKER) => false,
        Some(first) if first == OsStr::new(WATCH) => true,
        _ => return,
    };
    let parent = arguments
        .next()
        .and_then(|text| text.to_str()?.parse::<u32>().ok());
    let program = arguments.next();
    let complaint = match (parent, program) {
        (Some(_), Some(program)) if watches => match run_on_leash(&program, arguments) {
            Ok(status) => std::process::exit(end_like(status)),
            Err(error) => unexecutable(&program, &error),
        },
        (Some(parent), Some(program)) => become_provider(parent, &program, arguments),
        _ => "incomplete request to launch a provider".to_owned(),
    };
    // The engine reads our standard error and waits for a handshake that will not come.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), complaint.as_bytes());
    std::process::exit(127);
}

/// Returns only when it could not.
fn become_provider(
    parent: u32,
    program: &OsStr,
    arguments: impl Iterator<Item = OsString>,
) -> String {
    if let Err(reason) = terrane_host::die_with(parent) {
        return format!("{reason}\n");
    }
    unexecutable(program, &Command::new(program).args(arguments).exec())
}

fn unexecutable(program: &OsStr, error: &std::io::Error) -> String {
    format!("cannot execute {}: {error}\n", program.display())
}

/// The arguments of a launcher that becomes `program`; that program's own follow.
pub(super) fn arguments(program: &OsStr) -> [OsString; 3] {
    let marker = if is_portable() { WATCH } else { MARKER };
    [
        marker.into(),
        std::process::id().to_string().into(),
        program.to_owned(),
    ]
}
