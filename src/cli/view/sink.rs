//! Where a format goes: stdout, or a file of its own.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use terrane_core::{Diagnostic, Diagnostics};

use crate::streams::Streams;

/// Takes a document or a stream of lines.
pub(in crate::view) enum Sink {
    Stdout(Arc<Streams>),
    File {
        path: PathBuf,
        /// Open once there is a line: a document takes the file's place in one step instead.
        lines: Mutex<Option<File>>,
    },
}

impl Sink {
    /// A file that is written when there is something to write.
    pub(in crate::view) fn file(path: PathBuf) -> Self {
        let lines = Mutex::new(None);
        Self::File { path, lines }
    }

    /// Writes a whole document.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(in crate::view) fn document(&self, text: String) -> Result<(), Diagnostics> {
        match self {
            Self::Stdout(streams) => {
                streams.out(text);
                Ok(())
            }
            Self::File { path, .. } => terrane_files::write_output(path, text.as_bytes())
                .map_err(|error| self.unwritable(&error)),
        }
    }

    /// Makes sure that lines can be written.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(in crate::view) fn open(&self) -> Result<(), Diagnostics> {
        let opened = self.with_file(|_| Ok(()));
        opened.map_err(|error| self.unwritable(&error))
    }

    /// Writes a line.
    pub(in crate::view) fn line(&self, text: String) {
        match self {
            Self::Stdout(streams) => streams.out(text),
            Self::File { .. } => {
                // A full disk must not end a run that changes objects.
                let _ = self.with_file(|file| file.write_all(text.as_bytes()));
            }
        }
    }

    fn with_file(&self, use_it: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let Self::File { path, lines } = self else {
            return Ok(());
        };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match lines.take() {
            Some(file) => file,
            None => terrane_files::create_output(path)?,
        };
        use_it(lines.insert(file))
    }

    fn unwritable(&self, error: &io::Error) -> Diagnostics {
        let place = match self {
            Self::Stdout(_) => "stdout".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        };
        let unwritable = Diagnostic::error(format!("cannot write {place}"));
        unwritable.detail(error.to_string()).into()
    }
}
