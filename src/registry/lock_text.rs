//! Edits of a lock file's text: one entry is written anew or added, and every other byte stays.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body, Structure};
use terrane_core::addr::ProviderSource;

use crate::hash::PackageHash;
use crate::lock_file::{LockFile, LockedProvider, full_source};

const HEADER: [&str; 2] = [
    "# This file records the providers of this program: their versions and the hashes of their packages.",
    "# terrane, Terraform and OpenTofu maintain it; commit it.",
];

/// Some editors begin every file with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where HCL begins.
pub(crate) fn start(text: &str) -> usize {
    match text.starts_with(BYTE_ORDER_MARK) {
        true => BYTE_ORDER_MARK.len_utf8(),
        false => 0,
    }
}

/// `line 3, column 7`, for people.
pub(crate) fn position(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}")
}

/// The text with that entry, in place of the known one if there is one.
pub(crate) fn with_entry(
    text: &str,
    source: &ProviderSource,
    known: Option<&LockedProvider>,
    locked: &LockedProvider,
) -> String {
    let start = start(text);
    let (mark, text) = text.split_at(start);
    let body: Body = text.parse().expect("invariant: the text was read before");
    let line_end = if text
        .split('\n')
        .next()
        .is_some_and(|line| line.ends_with('\r'))
    {
        "\r\n"
    } else {
        "\n"
    };
    let blocks = body.get_blocks("provider").filter_map(|block| {
        let source = full_source(block.labels.first()?.as_str())?;
        Some((source, block, block.span()?))
    });
    let blocks: Vec<(ProviderSource, &Block, Range<usize>)> = blocks.collect();
    let own = blocks.iter().find(|(other, ..)| other == source);
    // Terraform sorts entries by address.
    let next = blocks.iter().find(|(other, ..)| other > source);
    let entry = || new_entry(source, locked);
    let spliced = |span: Range<usize>, entry: &str| {
        let entry = lines_end_with(entry, line_end);
        [mark, &text[..span.start], &entry, &text[span.end..]].concat()
    };
    // A comment that begins in one line and ends in another can hide what is written beside it.
    let is_seen =
        |text: &String| LockFile::parse(text).is_ok_and(|file| file.get(source) == Some(locked));
    match (own, known, next) {
        (Some((_, block, span)), Some(known), _) => {
            let edited = edited_entry(text, block, span, known, locked);
            let edited = edited.map(|entry| spliced(span.clone(), &entry));
            (edited.filter(is_seen)).unwrap_or_else(|| spliced(span.clone(), &entry()))
        }
        (_, _, Some((.., span))) => {
            let entry = format!("{}\n\n", entry());
            let above = with_comment(text, span.start);
            let inserted = spliced(above..above, &entry);
            match is_seen(&inserted) {
                true => inserted,
                false => spliced(span.start..span.start, &entry),
            }
        }
        (_, _, None) if text.trim().is_empty() => {
            let header = HEADER.join("\n");
            spliced(0..text.len(), &format!("{header}\n\n{}\n", entry()))
        }
        (_, _, None) => {
            let blank = if text.ends_with('\n') { "\n" } else { "\n\n" };
            spliced(text.len()..text.len(), &format!("{blank}{}\n", entry()))
        }
    }
}

/// The start of the comment that stands directly above a block, which belongs to it.
fn with_comment(text: &str, block: usize) -> usize {
    let mut at = text[..block].rfind('\n').map_or(0, |end| end + 1);
    while at > 0 {
        let above = text[..at - 1].rfind('\n').map_or(0, |end| end + 1);
        let line = text[above..at].trim_start();
        if !line.starts_with('#') && !line.starts_with("//") {
            break;
        }
        at = above;
    }
    at
}

/// An entry as Terraform lays it out.
fn new_entry(source: &ProviderSource, locked: &LockedProvider) -> String {
    let mut lines = vec![format!("provider {} {{", quoted(&source.to_string()))];
    lines.push(format!("  {}", version(locked)));
    lines.extend(constraints(locked).map(|line| format!("  {line}")));
    lines.extend(hashes(&locked.hashes).map(|lines| format!("  {lines}")));
    lines.push("}".to_owned());
    lines.join("\n")
}

/// The entry with other values; what else stands in it stays. `None` when it has no lines to edit.
fn edited_entry(
    text: &str,
    block: &Block,
    span: &Range<usize>,
    known: &LockedProvider,
    locked: &LockedProvider,
) -> Option<String> {
    let line_end = |from: usize| Some(from + text[from..span.end].find('\n')? + 1);
    let mut at = line_end(span.start)?;
    let mut edited = text[span.start..at].to_owned();
    let mut missing = constraints(locked);
    let mut missing_hashes = hashes(&locked.hashes);
    for structure in &block.body {
        let place = structure.span()?;
        let end = line_end(place.end)?;
        edited.push_str(&text[at..place.start]);
        let name = match structure {
            Structure::Attribute(attribute) => attribute.key.as_str(),
            Structure::Block(_) => "",
        };
        let value = match name {
            "version" => Some(version(locked)),
            "constraints" => missing.take(),
            "hashes" if known.hashes == locked.hashes => {
                missing_hashes = None;
                Some(text[place.clone()].to_owned())
            }
            "hashes" => missing_hashes.take(),
            _ => Some(text[place.clone()].to_owned()),
        };
        match value {
            Some(value) => edited.extend([value.as_str(), &text[place.end..end]]),
            // Its line goes, with its indentation.
            None => edited.truncate(edited.trim_end_matches([' ', '\t']).len()),
        }
        at = end;
        let is_there = || block.body.has_attribute("constraints");
        if name == "version" && !is_there() {
            edited.extend(missing.take().map(|line| format!("  {line}\n")));
        }
    }
    edited.extend(missing_hashes.map(|lines| format!("  {lines}\n")));
    edited.push_str(&text[at..span.end]);
    Some(edited)
}

fn version(locked: &LockedProvider) -> String {
    // Terraform aligns it with the constraints.
    let blank = locked.constraints.as_ref().map_or("", |_| "    ");
    format!("version{blank} = {}", quoted(&locked.version.to_string()))
}

fn constraints(locked: &LockedProvider) -> Option<String> {
    let constraints = locked.constraints.as_ref()?;
    Some(format!("constraints = {}", quoted(constraints)))
}

fn hashes(hashes: &[PackageHash]) -> Option<String> {
    let lines = hashes
        .iter()
        .map(|hash| format!("    {},\n", quoted(hash.as_str())));
    (!hashes.is_empty()).then(|| format!("hashes = [\n{}  ]", lines.collect::<String>()))
}

/// A string in HCL.
fn quoted(text: &str) -> String {
    Expression::from(text).to_string()
}

fn lines_end_with(text: &str, line_end: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', line_end)
}
