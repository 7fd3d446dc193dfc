//! `--log`: the logs of providers, on stderr.

use std::sync::Arc;

use terrane_provider::{LogLevel, LogRecord, LogSink};

use crate::args;
use crate::redactor::Redactor;
use crate::streams::Streams;
use crate::view::printable::printable;

/// Writes each line to stderr.
pub(crate) struct Logs {
    level: LogLevel,
    streams: Arc<Streams>,
    redactor: Arc<Redactor>,
}

impl Logs {
    /// Lines of that level and above, without secrets; without a level nothing.
    pub(crate) fn new(
        level: Option<args::LogLevel>,
        streams: Arc<Streams>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let level = match level {
            None => LogLevel::Off,
            Some(args::LogLevel::Error) => LogLevel::Error,
            Some(args::LogLevel::Warn) => LogLevel::Warn,
            Some(args::LogLevel::Info) => LogLevel::Info,
            Some(args::LogLevel::Debug) => LogLevel::Debug,
            Some(args::LogLevel::Trace) => LogLevel::Trace,
        };
        Self {
            level,
            streams,
            redactor,
        }
    }
}

impl LogSink for Logs {
    fn level(&self) -> LogLevel {
        self.level
    }

    fn log(&self, record: &LogRecord<'_>) {
        let line = record.to_string();
        let line = self.redactor.text(&line);
        self.streams.progress(&format!("{}\n", printable(&line)));
    }
}
