//! The past of a state as tables: its versions, and the runs on it.

use terrane_state::{PastRun, Tally};

use super::painter::Painter;
use super::table::{Side, table};
use crate::view::lock::operation;
use crate::view::printable::one_line;
use crate::view::{Past, RunStatus, Version};

/// One line a version.
pub(super) fn versions(versions: &[Version], painter: Painter) -> String {
    let row = |version: &Version| {
        [
            one_line(&version.id),
            written_at(version),
            serial(version.serial),
            version.size.to_string(),
            if version.is_current { "current" } else { "" }.to_owned(),
        ]
    };
    let head = [
        ("VERSION", Side::Left),
        ("WRITTEN", Side::Left),
        ("SERIAL", Side::Right),
        ("SIZE", Side::Right),
        ("", Side::Left),
    ];
    table(head, &versions.iter().map(row).collect::<Vec<_>>(), painter)
}

/// One line a run, or a version that none of them wrote.
pub(super) fn past(past: &[Past], painter: Painter) -> String {
    let row = |one: &Past| match one {
        Past::Run { run, status } => [
            to_the_second(&run.ended_at.unwrap_or(run.began_at).to_string()),
            one_line(&run.who),
            what(run, *status),
            done(&run.done),
            serial(run.serial),
            run.version.as_deref().map(one_line).unwrap_or_default(),
            run.ci_url.as_deref().map(one_line).unwrap_or_default(),
        ],
        Past::Version(version) => [
            written_at(version),
            "-".to_owned(),
            "-".to_owned(),
            String::new(),
            serial(version.serial),
            one_line(&version.id),
            String::new(),
        ],
    };
    let head = [
        ("WHEN", Side::Left),
        ("WHO", Side::Left),
        ("WHAT", Side::Left),
        ("DONE", Side::Left),
        ("SERIAL", Side::Right),
        ("VERSION", Side::Left),
        ("JOB", Side::Left),
    ];
    table(head, &past.iter().map(row).collect::<Vec<_>>(), painter)
}

fn what(run: &PastRun, status: RunStatus) -> String {
    let operation = run.operation.as_deref().map(|word| {
        let operation = operation(word);
        let name = operation
            .strip_prefix("an ")
            .or(operation.strip_prefix("a "));
        name.unwrap_or(&operation).to_owned()
    });
    match (status, operation) {
        (RunStatus::Ended, operation) => operation.unwrap_or_else(|| "-".to_owned()),
        (RunStatus::Running, _) => "is running".to_owned(),
        (RunStatus::Interrupted, _) => "interrupted".to_owned(),
    }
}

/// `2 created, 1 failed`
fn done(done: &Tally) -> String {
    let parts = [
        (done.created, "created"),
        (done.updated, "updated"),
        (done.deleted, "destroyed"),
        (done.imported, "imported"),
        (done.failed, "failed"),
        (done.unresolved, "unresolved"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

fn serial(serial: Option<u64>) -> String {
    serial.map_or_else(|| "-".to_owned(), |serial| serial.to_string())
}

fn written_at(version: &Version) -> String {
    let at = version.written_at;
    at.map_or_else(|| "-".to_owned(), |at| to_the_second(&at.to_string()))
}

/// A time without its fraction.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}
