//! The logs of providers on stderr, and the times of calls to them: `--log`, `--trace`.

use std::sync::Arc;

use terrane_provider::{CallTime, LogLevel, LogRecord, LogSink};

use crate::args;
use crate::streams::Streams;
use crate::trace::Trace;
use crate::view::printable::printable;
use terrane_deploy::Redactor;

/// Writes each line to stderr.
pub(crate) struct Logs {
    level: LogLevel,
    streams: Arc<Streams>,
    redactor: Arc<Redactor>,
    trace: Option<Arc<Trace>>,
}

impl Logs {
    /// Lines of that level and above, without secrets; without a level nothing.
    pub(crate) fn new(
        level: Option<args::LogLevel>,
        streams: Arc<Streams>,
        redactor: Arc<Redactor>,
        trace: Option<Arc<Trace>>,
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
            trace,
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

    fn called(&self, call: &CallTime<'_>) {
        if let Some(trace) = &self.trace {
            trace.call(call);
        }
    }
}
