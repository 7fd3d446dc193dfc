//! The providers of a program as people look at them.

use std::fmt::Write as _;

use terrane_codegen::AddedBindings;
use terrane_core::addr::ProviderSource;
use terrane_registry::{LockChange, MirroredPackage, ProviderStatus, Via};

use super::TextView;
use super::painter::{Painter, Tone};
use crate::view::ProvidersView;
use crate::view::printable::{counted, one_line};

impl ProvidersView for TextView {
    fn providers(&self, statuses: &[ProviderStatus]) {
        let rows = statuses.iter().map(|status| {
            let accepted = status.versions.as_ref().map(ToString::to_string);
            let locked = status.locked.as_ref().map(ToString::to_string);
            let hashes = match status.hashes.len() {
                0 => None,
                hashes => Some(hashes.to_string()),
            };
            let place = status.installed.as_ref().map(|found| {
                let path = one_line(&found.path.display().to_string());
                match found.via {
                    Via::Override => format!("{path} (dev_overrides)"),
                    _ => path,
                }
            });
            [
                status.source.to_string(),
                accepted.unwrap_or_else(|| "any".to_owned()),
                locked.unwrap_or_else(|| "-".to_owned()),
                hashes.unwrap_or_else(|| "-".to_owned()),
                place.unwrap_or_else(|| "not installed".to_owned()),
            ]
        });
        let head = ["PROVIDER", "ACCEPTED", "LOCKED", "HASHES", "INSTALLED"];
        self.streams
            .out(table(head, rows.collect(), self.out_painter()));
    }

    fn locked(&self, changes: &[LockChange]) {
        let mut text = String::new();
        for change in changes {
            let LockChange {
                source,
                version,
                added,
                hashes,
                ..
            } = change;
            let _ = match (&change.before, added) {
                (Some(before), _) if before != version => {
                    writeln!(
                        text,
                        "{source} {before} -> {version}, {}",
                        counted(*hashes, "hash")
                    )
                }
                (Some(_), 0) => writeln!(text, "{source} {version} unchanged"),
                (Some(_), added) => {
                    writeln!(text, "{source} {version}, {} more", counted(*added, "hash"))
                }
                (None, _) => writeln!(text, "{source} {version}, {}", counted(*hashes, "hash")),
            };
        }
        self.streams.out(text);
    }

    fn mirrored(&self, packages: &[MirroredPackage]) {
        let mut text = String::new();
        for package in packages {
            let _ = writeln!(text, "{}", one_line(&package.file.display().to_string()));
        }
        self.streams.out(text);
    }

    fn schemas(&self, schemas: &[(ProviderSource, serde_json::Value)]) {
        let mut text = String::new();
        for (source, schema) in schemas {
            let _ = writeln!(text, "{source}");
            let kinds = [
                ("resource_schemas", "resource"),
                ("data_source_schemas", "data source"),
            ];
            for (member, kind) in kinds {
                let types = schema[member].as_object().into_iter().flatten();
                for (name, _) in types {
                    let _ = writeln!(text, "  {kind} {}", one_line(name));
                }
            }
        }
        self.streams.out(text);
    }

    fn verified(&self, statuses: &[ProviderStatus]) {
        let mut text = String::new();
        for status in statuses {
            let source = &status.source;
            let _ = match &status.installed {
                None => writeln!(text, "{source} not installed"),
                Some(found) => {
                    let version = found
                        .version
                        .as_ref()
                        .map_or_else(String::new, |it| format!(" {it}"));
                    let verdict = match (&found.via, &found.verdict) {
                        (Via::Override, _) => "under development, not verified",
                        (_, None) => "not in the lock file",
                        (_, Some(Ok(()))) => "verified",
                        (_, Some(Err(_))) => "refused",
                    };
                    writeln!(text, "{source}{version} {verdict}")
                }
            };
        }
        self.streams.out(text);
    }

    fn bindings(&self, origin: &str, added: &AddedBindings) {
        let changed = match added.changed.len() {
            0 => "unchanged".to_owned(),
            changed => format!("{} changed", counted(changed, "file")),
        };
        let folder = one_line(&added.folder.display().to_string());
        let types = counted(added.types, "type");
        self.streams.out(format!(
            "{folder}: bindings of {origin}, {types}, {changed}\n"
        ));
        if let Some(missing) = &added.missing {
            let file = one_line(&missing.file.display().to_string());
            let line = one_line(&missing.line);
            let place = match added.package {
                Some(_) => " to the dependencies in ",
                None => " to ",
            };
            self.streams
                .err(&format!("hint: add `{line}`{place}{file}\n"));
        }
    }
}

/// Columns as wide as they need to be, under a heading.
fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>, painter: Painter) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = head.map(str::to_owned);
    let rows: Vec<_> = [head].into_iter().chain(rows).collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let cells = rows.iter().map(|row| row[column].chars().count());
            let width = cells.max().unwrap_or_default();
            let _ = write!(line, "{cell:<width$}  ");
        }
        let line = line.trim_end();
        let _ = match place {
            0 => writeln!(text, "{}", painter.paint(Tone::Strong, line)),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}
