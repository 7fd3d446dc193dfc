//! The two streams of a command: stdout is data, stderr is talk. Nothing else writes to them.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Standard output and standard error, and what is known of the terminal behind them.
///
/// Whoever reads may go away at any time (`preview | head`): what is written after that is dropped, and the command goes on.
pub(crate) struct Streams {
    out: Mutex<Sink>,
    err: Mutex<Sink>,
    /// What stdout can show.
    pub(crate) out_style: Ink,
    /// What stderr can show.
    pub(crate) err_style: Ink,
    /// Questions can be asked: somebody sees them and can answer.
    interactive: bool,
    /// Progress may be redrawn in place.
    live: bool,
}

/// Whether colour is welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

struct Sink {
    to: Box<dyn Write + Send>,
    state: SinkState,
}

enum SinkState {
    Open,
    /// Nobody reads any more; that is the reader's right.
    Closed,
    /// The disk is full, or worse: the data is not complete.
    Failed(io::Error),
}

impl Sink {
    fn new(to: impl Write + Send + 'static) -> Mutex<Self> {
        Mutex::new(Self {
            to: Box::new(to),
            state: SinkState::Open,
        })
    }

    fn write(&mut self, bytes: &[u8]) {
        if !matches!(self.state, SinkState::Open) {
            return;
        }
        let written = self.to.write_all(bytes);
        if let Err(error) = written.and_then(|()| self.to.flush()) {
            self.state = match error.kind() {
                io::ErrorKind::BrokenPipe => SinkState::Closed,
                _ => SinkState::Failed(error),
            };
        }
    }
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
        Self {
            out: Sink::new(io::stdout()),
            err: Sink::new(io::stderr()),
            out_style: ink(out),
            err_style: ink(err),
            interactive: err && io::stdin().is_terminal(),
            live: err && !dumb,
        }
    }

    /// Writes data.
    pub(crate) fn out(&self, text: &str) {
        lock(&self.out).write(text.as_bytes());
    }

    /// Writes data that may be anything.
    pub(crate) fn out_bytes(&self, bytes: &[u8]) {
        lock(&self.out).write(bytes);
    }

    /// Writes talk.
    pub(crate) fn err(&self, text: &str) {
        lock(&self.err).write(text.as_bytes());
    }

    /// Whether somebody sees questions and can answer them.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether progress may be redrawn in place.
    pub(crate) fn is_live(&self) -> bool {
        self.live
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

    /// Why the data on stdout is not complete, if it is not and the reader did not leave by itself.
    pub(crate) fn failure(&self) -> Option<String> {
        match &lock(&self.out).state {
            SinkState::Failed(error) => Some(error.to_string()),
            SinkState::Open | SinkState::Closed => None,
        }
    }
}

fn lock(sink: &Mutex<Sink>) -> MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Fails(io::ErrorKind, Arc<Mutex<usize>>);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            *self.1.lock().expect("not poisoned") += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn streams(kind: io::ErrorKind) -> (Streams, Arc<Mutex<usize>>) {
        let tries = Arc::new(Mutex::new(0));
        let streams = Streams {
            out: Sink::new(Fails(kind, tries.clone())),
            err: Sink::new(io::sink()),
            out_style: Ink::Plain,
            err_style: Ink::Plain,
            interactive: false,
            live: false,
        };
        (streams, tries)
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_is_not_written_to_again() {
        let (streams, tries) = streams(io::ErrorKind::BrokenPipe);
        streams.out("one\n");
        streams.out("two\n");
        assert_eq!(*tries.lock().expect("not poisoned"), 1);
        assert_eq!(streams.failure(), None);
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let (streams, _) = streams(io::ErrorKind::StorageFull);
        streams.out("one\n");
        assert!(streams.failure().is_some());
    }
}
