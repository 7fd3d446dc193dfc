//! Room for expressions that are nested deeply: every step from text to program calls itself for each level.

use std::panic::resume_unwind;
use std::thread;

/// Of memory that is taken only where it is needed.
const ROOM: usize = 512 << 20;

/// Runs on a stack of its own, which is large.
pub(crate) fn with_room<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .stack_size(ROOM)
            .spawn_scoped(scope, run);
        match thread
            .expect("invariant: a process can start a thread")
            .join()
        {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    })
}
