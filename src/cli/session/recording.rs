//! `--record` and `--replay`: conversations with providers in files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use terrane_core::{Diagnostic, Marked};
use terrane_provider::{Plugins, RecordObserver, Recorder, Recording};

use super::Session;
use crate::error::CommandError;
use crate::streams::Streams;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;
use terrane_deploy::Redactor;

/// More than a recording of any run has.
const LONGEST: u64 = 1 << 30;

impl Session<'_> {
    /// The same, with the file of `--record` beside them.
    pub(super) fn recorded(&self, plugins: Plugins) -> Result<Plugins, CommandError> {
        let Some(path) = &self.common.record else {
            return Ok(plugins);
        };
        let recorder = match self.recorder.get() {
            Some(recorder) => recorder.clone(),
            None => {
                let observer = Observer {
                    redactor: self.redactor.clone(),
                    streams: self.streams.clone(),
                };
                let begun = terrane_files::create_output(path)
                    .and_then(|file| Recorder::new(file, observer));
                let recorder = Arc::new(begun.map_err(|error| unusable("write", path, &error))?);
                self.recorder.get_or_init(|| recorder).clone()
            }
        };
        Ok(plugins.recorded_by(recorder))
    }

    /// The same, with the file of `--replay` in their place; `None` without that flag.
    pub(super) fn recording(&self) -> Result<Option<Recording>, CommandError> {
        let Some(path) = &self.common.replay else {
            return Ok(None);
        };
        let text = terrane_files::read_text(path, LONGEST)
            .map_err(|error| unusable("read", path, &error))?;
        let recording = Recording::read(&text).map_err(|error| {
            let what = format!("cannot use the recording {}", path.display());
            let diagnostic = Diagnostic::error(what).detail(error.to_string());
            CommandError::usage(diagnostic.hint("name a file that `--record FILE` wrote"))
        })?;
        Ok(Some(recording))
    }
}

fn unusable(action: &str, path: &Path, error: &io::Error) -> CommandError {
    let what = format!("cannot {action} the recording {}", path.display());
    Diagnostic::error(what).detail(error.to_string()).into()
}

/// Hides what this invocation knows to be secret.
struct Observer {
    redactor: Arc<Redactor>,
    streams: Arc<Streams>,
}

impl RecordObserver for Observer {
    fn learn(&self, object: &Marked) {
        self.redactor.learn(object);
    }

    fn masked(&self, text: &str) -> String {
        self.redactor.text(text).into_owned()
    }

    fn stopped(&self, error: &io::Error) {
        let warning = Diagnostic::warning("the recording is not complete")
            .detail(format!("cannot write to it: {error}"));
        let text = diagnostics(&warning.into(), Painter(self.streams.err_style));
        self.streams.err(&text);
    }
}
