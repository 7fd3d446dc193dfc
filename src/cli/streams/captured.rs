//! Streams that end in memory, for tests of what people see.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::outlet::Outlet;
use super::rows::{Narrowing, Rows, Size};
use super::{Ink, Streams};

/// The text that went to both streams, in order.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// All of it so far.
    pub(crate) fn text(&self, streams: &Streams) -> String {
        streams.written(Duration::MAX);
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Streams {
    /// A log: no colours, no rows.
    pub(crate) fn captured() -> (Self, Captured) {
        let captured = Captured::default();
        let outlet = Arc::new(Outlet::new(captured.clone()));
        (Self::into_one(outlet, Ink::Plain), captured)
    }

    /// A terminal of 80 × 24 in colours.
    pub(crate) fn captured_terminal() -> (Self, Captured) {
        let captured = Captured::default();
        let rows = Rows::new(size, Narrowing::Wraps);
        let outlet = Arc::new(Outlet::with_rows(captured.clone(), rows));
        (Self::into_one(outlet, Ink::Coloured), captured)
    }

    fn into_one(outlet: Arc<Outlet>, ink: Ink) -> Self {
        Self {
            out: outlet.clone(),
            err: outlet,
            out_style: ink,
            err_style: ink,
            interactive: false,
            live: ink == Ink::Coloured,
            size,
            out_columns: None,
            stopping: AtomicBool::new(false),
        }
    }
}

fn size() -> Size {
    Size {
        columns: 80,
        lines: 24,
    }
}
