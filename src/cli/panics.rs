//! Panic messages without secrets: closures of a program see sensitive values, and their messages may repeat them.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use crate::view::printable::printable;
use terrane_deploy::Redactor;

/// Prints panics of this process from now on as Rust does, with known secrets masked.
pub(crate) fn mask(redactor: Arc<Redactor>) {
    std::panic::set_hook(Box::new(move |panic| {
        let mut text = panic.to_string();
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = write!(text, "\n{trace}");
        }
        let text = redactor.text(&text);
        // Past every buffer: after a panic no thread may be left to empty one. A closed terminal cannot be told.
        let _ = writeln!(std::io::stderr(), "\n{}", printable(&text));
    }));
}
