//! Readers that sleep: pipes that are full before anything is written to them.

use std::io::{PipeReader, Write as _, pipe};
use std::process::Stdio;

/// A pipe that is full of dots: a writer waits until it is read.
///
/// # Panics
/// When there is none.
pub fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, mut writer) = pipe().expect("a pipe");
    let size = rustix::pipe::fcntl_getpipe_size(&writer).expect("a size");
    writer.write_all(&vec![b'.'; size]).expect("it fits");
    (reader, writer.into())
}
