//! `--trace`: where the time of a run went, by resource and call, in the format that Chrome and Perfetto read.
//!
//! The file holds names, times and addresses; no value of an object or of a configuration.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use terrane_engine::{Event, StepKind};
use terrane_provider::CallTime;

/// The times of one command.
pub(crate) struct Trace {
    file: PathBuf,
    began: Instant,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    spans: Vec<Span>,
    /// The phase that runs, and since when.
    phase: Option<(&'static str, Instant)>,
    /// Providers that are being started.
    starting: BTreeMap<String, Instant>,
}

/// A stretch of time.
struct Span {
    row: Row,
    name: String,
    kind: &'static str,
    began: Instant,
    took: Duration,
    failed: bool,
}

/// Where a span is drawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    /// The phases of the command.
    Command,
    /// Calls about no object, and starts.
    Provider(String),
    /// Operations and calls about it.
    Resource(String),
}

impl Row {
    /// The process of the format, and the name of the thread.
    fn place(&self) -> (u32, &str) {
        match self {
            Self::Command => (1, "phases"),
            Self::Provider(name) => (2, name),
            Self::Resource(address) => (3, address),
        }
    }
}

impl Trace {
    /// Begins now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn begin(file: &Path) -> io::Result<Self> {
        terrane_files::create_output(file)?;
        Ok(Self {
            file: file.to_owned(),
            began: Instant::now(),
            gathered: Mutex::default(),
        })
    }

    /// Takes note of an event of the engine.
    pub(crate) fn event(&self, event: &Event) {
        let mut gathered = self.gathered();
        match event {
            Event::RecoveryStarted { .. } => gathered.phase("recover"),
            Event::PlanStarted { .. } => gathered.phase("plan"),
            Event::ApplyStarted { .. } => gathered.phase("apply"),
            Event::ProviderStarting { provider } => {
                let name = provider.to_string();
                gathered.starting.insert(name, Instant::now());
            }
            Event::ProviderReady { provider, .. } => {
                let name = provider.to_string();
                if let Some(began) = gathered.starting.remove(&name) {
                    let row = Row::Provider(name);
                    gathered.add(row, "start".to_owned(), "provider", began, false);
                }
            }
            Event::StepDone { step, elapsed, .. } | Event::StepFailed { step, elapsed, .. } => {
                let name = match step.kind {
                    StepKind::Create => "create",
                    StepKind::Update => "update",
                    StepKind::Delete => "delete",
                    StepKind::Read => "read",
                    StepKind::Forget => "forget",
                };
                let now = Instant::now();
                let began = now.checked_sub(*elapsed).unwrap_or(self.began);
                let failed = matches!(event, Event::StepFailed { .. });
                let row = Row::Resource(step.address.to_string());
                gathered.add(row, name.to_owned(), "operation", began, failed);
            }
            // These take no time that a call does not show.
            Event::RecoveryWaiting { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_)
            | Event::StepStarted(_)
            | Event::StepSkipped(_)
            | Event::Action { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    /// Takes note of a call.
    pub(crate) fn call(&self, call: &CallTime<'_>) {
        let row = match &call.subject {
            Some(address) => Row::Resource(address.to_string()),
            None => Row::Provider(call.provider.to_owned()),
        };
        self.gathered().spans.push(Span {
            row,
            name: call.rpc.to_owned(),
            kind: "call",
            began: call.began,
            took: call.took,
            failed: call.is_lost,
        });
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self) -> io::Result<()> {
        let json = {
            let mut gathered = self.gathered();
            gathered.end_phase();
            gathered.json(self.began).to_string()
        };
        terrane_files::write_output(&self.file, json.as_bytes())
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn add(&mut self, row: Row, name: String, kind: &'static str, began: Instant, failed: bool) {
        self.spans.push(Span {
            row,
            name,
            kind,
            began,
            took: began.elapsed(),
            failed,
        });
    }

    fn phase(&mut self, name: &'static str) {
        self.end_phase();
        self.phase = Some((name, Instant::now()));
    }

    fn end_phase(&mut self) {
        if let Some((name, began)) = self.phase.take() {
            self.add(Row::Command, name.to_owned(), "phase", began, false);
        }
    }

    /// Complete events, and a name for each row. Spans of a row that overlap without one being in the other get rows of their own.
    fn json(&mut self, origin: Instant) -> Value {
        self.spans.sort_by(|a, b| {
            let key = |span: &Span| (span.began, std::cmp::Reverse(span.took));
            a.row.cmp(&b.row).then_with(|| key(a).cmp(&key(b)))
        });
        let processes = [(1, "command"), (2, "providers"), (3, "resources")];
        let mut events: Vec<Value> = processes
            .iter()
            .map(|(pid, name)| {
                json!({ "ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": { "name": name } })
            })
            .collect();
        let mut thread = 0;
        let mut row: Option<&Row> = None;
        // For each lane of the row: its thread, and the ends of the spans that are not over.
        let mut lanes: Vec<(u32, Vec<Instant>)> = Vec::new();
        for span in &self.spans {
            let (pid, name) = span.row.place();
            if row != Some(&span.row) {
                (row, lanes) = (Some(&span.row), Vec::new());
            }
            let end = span.began + span.took;
            for (_, open) in &mut lanes {
                while open.last().is_some_and(|last| *last <= span.began) {
                    open.pop();
                }
            }
            let fits = |open: &[Instant]| open.last().is_none_or(|last| end <= *last);
            let lane = lanes.iter().position(|(_, open)| fits(open));
            let lane = lane.unwrap_or_else(|| {
                thread += 1;
                events.push(json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": thread, "args": { "name": name } }));
                lanes.push((thread, Vec::new()));
                lanes.len() - 1
            });
            let (tid, open) = &mut lanes[lane];
            open.push(end);
            let mut event = json!({
                "ph": "X",
                "name": span.name,
                "cat": span.kind,
                "ts": micros(span.began.saturating_duration_since(origin)),
                "dur": micros(span.took),
                "pid": pid,
                "tid": tid,
            });
            if span.failed {
                event["args"] = json!({ "failed": true });
            }
            events.push(event);
        }
        json!({ "displayTimeUnit": "ms", "traceEvents": events })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(row: Row, name: &str, origin: Instant, began: u64, took: u64) -> Span {
        Span {
            row,
            name: name.to_owned(),
            kind: "call",
            began: origin + Duration::from_millis(began),
            took: Duration::from_millis(took),
            failed: name == "lost",
        }
    }

    #[test]
    fn spans_of_a_row_nest_and_those_that_only_overlap_stand_beside_each_other() {
        let origin = Instant::now();
        let vpc = || Row::Resource("aws_vpc.main".to_owned());
        let mut gathered = Gathered {
            spans: vec![
                span(vpc(), "inner", origin, 2, 3),
                span(vpc(), "outer", origin, 0, 10),
                span(vpc(), "lost", origin, 8, 10),
                span(Row::Provider("aws".to_owned()), "other", origin, 1, 1),
            ],
            ..Gathered::default()
        };
        let json = gathered.json(origin);
        let events = json["traceEvents"].as_array().expect("events");
        let shown: Vec<String> = events
            .iter()
            .map(|event| match event["ph"].as_str() {
                Some("X") => format!(
                    "{} {}..+{} on {}/{} {}",
                    event["name"],
                    event["ts"],
                    event["dur"],
                    event["pid"],
                    event["tid"],
                    event["args"]
                ),
                _ => format!(
                    "{}/{} is {}",
                    event["pid"], event["tid"], event["args"]["name"]
                ),
            })
            .collect();
        assert_eq!(
            shown,
            [
                r#"1/0 is "command""#,
                r#"2/0 is "providers""#,
                r#"3/0 is "resources""#,
                r#"2/1 is "aws""#,
                r#""other" 1000..+1000 on 2/1 null"#,
                r#"3/2 is "aws_vpc.main""#,
                r#""outer" 0..+10000 on 3/2 null"#,
                r#""inner" 2000..+3000 on 3/2 null"#,
                r#"3/3 is "aws_vpc.main""#,
                r#""lost" 8000..+10000 on 3/3 {"failed":true}"#,
            ]
        );
    }
}
