//! The standard error of a provider process: its log, and its last words when it crashes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::watch;

use crate::log::{LogLevel, LogRecord, LogSink};
use crate::timing::{CallTime, subject};
use crate::wire::Rpc;

/// Longer lines are taken in pieces of this many bytes, as go-plugin takes them.
const LONGEST_LINE: usize = 64 << 10;
/// Lines of a Go panic that are kept.
const PANIC_LINES: usize = 100;
/// Lines that are kept while there is no panic.
const TAIL_LINES: usize = 40;
/// Bytes that are kept of one line.
const KEPT_OF_LINE: usize = 2_000;

/// The last lines of one process, bounded.
pub(crate) struct Words {
    provider: String,
    sink: Arc<dyn LogSink>,
    kept: Mutex<Kept>,
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    tail: VecDeque<String>,
    panic: Vec<String>,
}

impl Words {
    pub(super) fn new(provider: String, sink: Arc<dyn LogSink>) -> Arc<Self> {
        Arc::new(Self {
            provider,
            sink,
            kept: Mutex::default(),
            ended: watch::Sender::new(false),
        })
    }

    /// Hands on the time of a call.
    pub(super) fn called(&self, rpc: Rpc, began: Instant, is_lost: bool) {
        self.sink.called(&CallTime {
            provider: &self.provider,
            rpc: rpc.name(),
            subject: subject(),
            began,
            took: began.elapsed(),
            is_lost,
        });
    }

    /// Reads until the process closes its end.
    pub(super) async fn read(self: Arc<Self>, stderr: impl AsyncRead + Unpin) {
        let mut reader = BufReader::with_capacity(LONGEST_LINE, stderr);
        // What `fill_buf` returns is at most the buffer, so a line without end arrives in pieces of its size.
        let mut line = Vec::new();
        while let Ok(chunk) = reader.fill_buf().await {
            if chunk.is_empty() {
                break;
            }
            let room = LONGEST_LINE - line.len();
            let (taken, whole) = match chunk.iter().take(room).position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend_from_slice(&chunk[..end]);
                    (end + 1, true)
                }
                None => {
                    let taken = chunk.len().min(room);
                    line.extend_from_slice(&chunk[..taken]);
                    (taken, line.len() == LONGEST_LINE)
                }
            };
            reader.consume(taken);
            if whole {
                self.line(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
        if !line.is_empty() {
            self.line(&String::from_utf8_lossy(&line));
        }
        self.ended.send_replace(true);
    }

    fn line(&self, line: &str) {
        let line = line.trim_end_matches('\r');
        if !is_chatter(line) {
            self.keep(line);
        }
        let least = self.sink.level();
        if least == LogLevel::Off {
            return;
        }
        if let Some(entry) = HclogEntry::parse(line) {
            if entry.level >= least {
                self.sink.log(&LogRecord {
                    provider: &self.provider,
                    level: entry.level,
                    module: &entry.module,
                    message: &entry.message,
                    fields: &entry.fields,
                });
            }
            return;
        }
        let (level, message) = plain_level(line);
        if level >= least {
            self.sink.log(&LogRecord {
                provider: &self.provider,
                level,
                module: "",
                message,
                fields: &[],
            });
        }
    }

    fn keep(&self, line: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let shortened = || {
            let mut end = line.len().min(KEPT_OF_LINE);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            line[..end].to_owned()
        };
        let starts_panic = line.starts_with("panic: ") || line.starts_with("fatal error: ");
        if starts_panic || !kept.panic.is_empty() {
            if kept.panic.len() < PANIC_LINES {
                kept.panic.push(shortened());
            }
            return;
        }
        if kept.tail.len() == TAIL_LINES {
            kept.tail.pop_front();
        }
        kept.tail.push_back(shortened());
    }

    /// Something that the process wrote to its standard output after the handshake, or through `GRPCStdio`.
    pub(super) fn printed(&self, data: &[u8]) {
        if self.sink.level() <= LogLevel::Debug {
            for line in String::from_utf8_lossy(data).lines() {
                self.sink.log(&LogRecord {
                    provider: &self.provider,
                    level: LogLevel::Debug,
                    module: "stdout",
                    message: line,
                    fields: &[],
                });
            }
        }
    }

    /// Something that we have to say about the process.
    pub(crate) fn note(&self, level: LogLevel, message: &str) {
        if level >= self.sink.level() {
            self.sink.log(&LogRecord {
                provider: &self.provider,
                level,
                module: "plugin",
                message,
                fields: &[],
            });
        }
    }

    /// Waits until everything that a process which has ended wrote has been read.
    pub(super) async fn complete(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// The panic, if there was one; else the last lines.
    pub(super) fn last(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.panic.is_empty() {
            Vec::from_iter(kept.tail.iter().map(String::as_str)).join("\n")
        } else {
            kept.panic.join("\n")
        }
    }
}

/// Whether a line is a log entry of a level that says nothing about a crash; there may be thousands of them a second.
fn is_chatter(line: &str) -> bool {
    line.starts_with("{\"@")
        && [
            r#""@level":"trace""#,
            r#""@level":"debug""#,
            r#""@level":"info""#,
        ]
        .iter()
        .any(|level| line.contains(level))
}

/// A line in hclog's JSON form.
struct HclogEntry {
    level: LogLevel,
    module: String,
    message: String,
    fields: Vec<(String, String)>,
}

impl HclogEntry {
    fn parse(line: &str) -> Option<Self> {
        if !line.starts_with('{') {
            return None;
        }
        let members: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_str(line).ok()?;
        let text = |name| -> Option<String> { serde_json::from_str(members.get(name)?.get()).ok() };
        Some(Self {
            level: match text("@level")?.as_str() {
                "trace" => LogLevel::Trace,
                "info" => LogLevel::Info,
                "warn" => LogLevel::Warn,
                "error" => LogLevel::Error,
                _ => LogLevel::Debug,
            },
            module: text("@module").unwrap_or_default(),
            message: text("@message")?,
            fields: members
                .iter()
                .filter(|(name, _)| !name.starts_with('@'))
                .map(|(name, value)| (name.clone(), value.get().to_owned()))
                .collect(),
        })
    }
}

/// The level that a line announces in brackets.
fn plain_level(line: &str) -> (LogLevel, &str) {
    const LEVELS: [(&str, LogLevel); 5] = [
        ("[TRACE]", LogLevel::Trace),
        ("[DEBUG]", LogLevel::Debug),
        ("[INFO]", LogLevel::Info),
        ("[WARN]", LogLevel::Warn),
        ("[ERROR]", LogLevel::Error),
    ];
    for (prefix, level) in LEVELS {
        if let Some(rest) = line.strip_prefix(prefix) {
            return (level, rest.trim_start());
        }
    }
    (LogLevel::Debug, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Everything(Mutex<Vec<String>>);

    impl LogSink for Everything {
        fn level(&self) -> LogLevel {
            LogLevel::Trace
        }

        fn log(&self, record: &LogRecord<'_>) {
            self.0.lock().expect("no panic").push(record.to_string());
        }
    }

    fn heard(stderr: &[u8]) -> (Vec<String>, String) {
        let sink = Arc::new(Everything(Mutex::default()));
        let words = Words::new("p".to_owned(), sink.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime
            .expect("a runtime")
            .block_on(words.clone().read(stderr));
        let lines = sink.0.lock().expect("no panic").clone();
        (lines, words.last())
    }

    #[test]
    fn log_lines_keep_their_level_and_fields_and_other_lines_are_debug() {
        let (lines, last) = heard(
            b"{\"@level\":\"warn\",\"@message\":\"slow\",\"@module\":\"aws\",\"tries\":3}\r\n[ERROR] boom\nhello\n{\"a\":1}\nend",
        );
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Warn p aws: slow tries=3
        Error p: boom
        Debug p: hello
        Debug p: {"a":1}
        Debug p: end
        "#);
        assert!(last.ends_with("hello\n{\"a\":1}\nend"), "{last}");
    }

    #[test]
    fn a_panic_is_kept_whole_and_a_flood_is_not() {
        let mut stderr = b"noise\n".repeat(100_000);
        stderr.extend_from_slice(b"panic: nil map\n\ngoroutine 1 [running]:\n");
        stderr.extend_from_slice(&b"frame\n".repeat(1_000));
        let (_, last) = heard(&stderr);
        assert!(last.starts_with("panic: nil map\n\ngoroutine 1"), "{last}");
        assert_eq!(last.lines().count(), PANIC_LINES);
    }

    #[test]
    fn log_entries_below_a_warning_are_no_last_words() {
        let entry = |level| format!("{{\"@level\":\"{level}\",\"@message\":\"{level}!\"}}\n");
        let stderr = ["warn", "trace", "error", "debug"].map(entry).concat();
        let (lines, last) = heard(stderr.as_bytes());
        assert_eq!(lines.len(), 4);
        assert!(last.contains("warn!") && last.contains("error!"), "{last}");
        assert!(
            !last.contains("trace!") && !last.contains("debug!"),
            "{last}"
        );
    }

    #[test]
    fn a_line_without_end_arrives_in_pieces() {
        let (lines, last) = heard(&b"x".repeat(3 * LONGEST_LINE + 1));
        assert_eq!(lines.len(), 4);
        assert!(last.len() < 4 * KEPT_OF_LINE);
    }
}
