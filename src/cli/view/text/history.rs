//! The versions of a state as a table.

use std::fmt::Write as _;

use super::painter::{Painter, Tone};
use crate::view::Version;
use crate::view::printable::one_line;

/// One line a version, under a heading.
pub(super) fn table(versions: &[Version], painter: Painter) -> String {
    let head = ["VERSION", "WRITTEN", "SERIAL", "SIZE", ""].map(str::to_owned);
    let unknown = || "-".to_owned();
    let row = |version: &Version| {
        [
            one_line(&version.id),
            version
                .written_at
                .map_or_else(unknown, |at| to_the_second(&at.to_string())),
            version
                .serial
                .map_or_else(unknown, |serial| serial.to_string()),
            version.size.to_string(),
            if version.is_current { "current" } else { "" }.to_owned(),
        ]
    };
    if versions.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = [head].into_iter().chain(versions.iter().map(row)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let [id, at, serial, size] = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let [a, b, c, d, e] = row;
        let line = format!("{a:<id$}  {b:<at$}  {c:>serial$}  {d:>size$}  {e}");
        let line = line.trim_end();
        let _ = match place {
            0 => writeln!(text, "{}", painter.paint(Tone::Strong, line)),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// A time without its fraction.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}
