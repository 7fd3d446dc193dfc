//! Where the log lines of provider processes go.

use std::fmt;

use crate::timing::CallTime;

/// Takes what provider processes write to their logs. Called from the tasks that read them: must not block for long.
pub trait LogSink: Send + Sync {
    /// The least level that is of interest; lines below it are not even parsed further.
    fn level(&self) -> LogLevel;

    /// Takes one line.
    fn log(&self, record: &LogRecord<'_>);

    /// Takes the time of a call.
    fn called(&self, call: &CallTime<'_>) {
        let _ = call;
    }
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every request and answer; holds secrets.
    Trace,
    /// For those who look for a mistake in the provider.
    Debug,
    /// Normal events.
    Info,
    /// Something odd.
    Warn,
    /// Something failed.
    Error,
    /// Nothing at all, as the least level of a sink.
    Off,
}

/// One line of a provider's log.
#[derive(Debug, Clone)]
pub struct LogRecord<'a> {
    /// The provider, as its source says.
    pub provider: &'a str,
    /// How important it is.
    pub level: LogLevel,
    /// The part of the provider that speaks; may be empty.
    pub module: &'a str,
    /// The line itself.
    pub message: &'a str,
    /// Names and values (JSON texts) that the provider gave with it.
    pub fields: &'a [(String, String)],
}

impl fmt::Display for LogRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.level, self.provider)?;
        if !self.module.is_empty() {
            write!(f, " {}", self.module)?;
        }
        write!(f, ": {}", self.message)?;
        for (name, value) in self.fields {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// A sink that wants nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLog;

impl LogSink for NoLog {
    fn level(&self) -> LogLevel {
        LogLevel::Off
    }

    fn log(&self, _: &LogRecord<'_>) {}
}
