//! The two streams of a command: results go to stdout, everything else to stderr. Nothing else writes to them.

#[cfg(feature = "rendering")]
mod captured;
mod editor;
mod outlet;
mod rows;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(feature = "rendering")]
pub(crate) use captured::Captured;
use outlet::Outlet;
use rows::{Narrowing, Rows};

pub(crate) use rows::Size;

/// Standard output and standard error, and the abilities of the terminal behind them.
///
/// No caller ever waits for a reader: each outlet has a thread that writes. A reader may leave at any time (`preview | head`): the
/// rest of the output is dropped, and the command continues.
pub(crate) struct Streams {
    out: Arc<Outlet>,
    /// The same outlet where both streams lead to one place, so that all lines keep their order.
    err: Arc<Outlet>,
    /// The colours of stdout.
    pub(crate) out_style: Ink,
    /// The colours of stderr.
    pub(crate) err_style: Ink,
    /// Questions can be asked: a person sees them and can answer.
    interactive: bool,
    /// Rows may be redrawn in place.
    live: bool,
    /// The size of the terminal that they stand on.
    size: fn() -> Size,
    /// How wide the terminal at stdout is, where there is one.
    out_columns: Option<fn() -> usize>,
    /// A signal was heard.
    stopping: AtomicBool,
}

/// Whether colour is welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

impl Streams {
    /// The process's own streams.
    pub(crate) fn standard() -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let ink = |terminal: bool| match terminal && colour && !dumb {
            true => Ink::Coloured,
            false => Ink::Plain,
        };
        let live = err && !dumb;
        let talk = Arc::new(match live {
            true => {
                let narrowing =
                    Narrowing::of_terminal(|name| std::env::var_os(name)?.into_string().ok());
                Outlet::with_rows(io::stderr(), Rows::new(rows::stderr_size, narrowing))
            }
            false => Outlet::new(io::stderr()),
        });
        Self {
            out: match lead_to_one_place() {
                true => talk.clone(),
                false => Arc::new(Outlet::new(io::stdout())),
            },
            err: talk,
            out_style: ink(out),
            err_style: ink(err),
            interactive: err && io::stdin().is_terminal(),
            live,
            size: rows::stderr_size,
            out_columns: out.then_some(rows::stdout_columns),
            stopping: AtomicBool::new(false),
        }
    }

    /// Writes results: text or any bytes. They are kept until they are read, however long that takes.
    pub(crate) fn out(&self, text: impl Into<Vec<u8>>) {
        self.out.keep(text.into());
    }

    /// Writes everything beside the results: warnings, errors, summaries, questions.
    pub(crate) fn err(&self, text: &str) {
        self.err.keep(text.into());
    }

    /// Writes lines that tell how things go. They are left out when too many of them wait for a reader.
    pub(crate) fn progress(&self, lines: &str) {
        self.err.progress(lines.into());
    }

    /// Replaces the rows at the bottom of the terminal, below all other output.
    pub(crate) fn rows(&self, rows: Vec<String>) {
        if self.live {
            self.err.rows(rows);
        }
    }

    /// The size of the terminal that the rows stand on.
    pub(crate) fn size(&self) -> Size {
        (self.size)()
    }

    /// How many columns results have; `None` where no terminal shows them.
    pub(crate) fn out_columns(&self) -> Option<usize> {
        self.out_columns.map(|columns| columns())
    }

    /// Whether a person sees questions and can answer them.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether rows may be redrawn in place.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Remembers that a signal was heard: from now on no reader is waited for.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether a signal was heard.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Asks and waits for a line; `None` at the end of the input.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        self.err(question);
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_owned()),
        }
    }

    /// Waits until everything is written or its reader left; `false` when `patience` ends before that.
    pub(crate) fn written(&self, patience: Duration) -> bool {
        let until = Instant::now().checked_add(patience);
        self.err.written(until) && self.out.written(until)
    }

    /// How many bytes were written so far.
    pub(crate) fn taken(&self) -> u64 {
        self.err.taken() + self.out.taken()
    }

    /// Why the results on stdout are not complete, if they are not and the reader did not leave by itself.
    pub(crate) fn failure(&self) -> Option<String> {
        self.out.failure()
    }
}

/// Whether both streams are the same terminal, pipe or file.
fn lead_to_one_place() -> bool {
    let (out, err) = (io::stdout(), io::stderr());
    match (
        rustix::fs::fstat(out.as_fd()),
        rustix::fs::fstat(err.as_fd()),
    ) {
        (Ok(out), Ok(err)) => {
            (out.st_dev, out.st_ino, out.st_rdev) == (err.st_dev, err.st_ino, err.st_rdev)
        }
        _ => false,
    }
}
