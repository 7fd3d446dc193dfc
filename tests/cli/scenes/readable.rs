//! Documents cut and folded so that a person can review their snapshots.

use std::fmt::Write as _;

use serde_json::Value;

/// Longer lines are cut at their end.
const COLUMNS: usize = 2_000;
/// JSON that is no longer than this stays on one line.
const WIDTH: usize = 140;

/// The document of a format, cut in the middle where it has more lines.
pub(crate) fn readable(format: &str, text: &str, lines: usize) -> String {
    let text = match format {
        "json" | "summary-json" | "graph-json" => {
            text.lines().map(json).collect::<Vec<_>>().join("\n")
        }
        "html" => without_digests(&elided(&elided(text, "style"), "script")),
        _ => text.to_owned(),
    };
    folded(&lines_without_numbers(&text), lines)
}

/// A line of JSON, broken where it is long.
fn json(line: &str) -> String {
    let mut value: Value = serde_json::from_str(line).expect("each line is JSON");
    // They repeat the state and the program.
    for whole in ["configuration", "planned_values", "prior_state"] {
        if let Some(whole) = value.get_mut(whole) {
            *whole = "…".into();
        }
    }
    // A line for each change is enough to see what they are.
    if let Some(parts) = value.pointer_mut("/plan_digest/parts")
        && parts.as_object().is_some_and(|parts| parts.len() > 50)
    {
        *parts = "…".into();
    }
    let mut text = String::new();
    write(&value, 0, &mut text);
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let short = value.to_string();
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match value {
        Value::Array(elements) if short.len() > WIDTH => {
            text.push_str("[\n");
            for element in elements {
                text.push_str(&indent);
                write(element, depth + 1, text);
                text.push('\n');
            }
            let _ = write!(text, "{end}]");
        }
        Value::Object(members) if short.len() > WIDTH => {
            text.push_str("{\n");
            for (name, member) in members {
                let _ = write!(text, "{indent}{name:?}: ");
                write(member, depth + 1, text);
                text.push('\n');
            }
            let _ = write!(text, "{end}}}");
        }
        _ => text.push_str(&short),
    }
}

/// The page without the contents of its elements of that name, which are the same for every plan.
fn elided(page: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(&open) {
        let (attributes, after) = after.split_once('>').unwrap_or((after, ""));
        let (_, after) = after.split_once(&close).unwrap_or(("", ""));
        let _ = write!(text, "{before}{open}{attributes}>…{close}");
        rest = after;
    }
    text + rest
}

/// The digests of style and script change with these.
fn without_digests(page: &str) -> String {
    let mut pieces = page.split("'sha256-");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, after) = piece.split_once('\'').unwrap_or(("", piece));
        text.push_str("'sha256-…'");
        text.push_str(after);
    }
    text
}

/// The numbers of source lines that stand apart from their file.
fn lines_without_numbers(text: &str) -> String {
    let without = |text: String, mark: &str| -> String {
        let mut pieces = text.split(mark);
        let mut result = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
            result.push_str(mark);
            result.push_str("<line>");
            result.push_str(rest);
        }
        result
    };
    [".rs,line=", "\"line\":", "\"column\":"]
        .into_iter()
        .fold(text.to_owned(), without)
}

fn folded(text: &str, most: usize) -> String {
    let cut = |line: &str| match line.char_indices().nth(COLUMNS) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], line.len()),
    };
    let lines: Vec<String> = text.lines().map(cut).collect();
    if lines.len() <= most {
        return lines.join("\n");
    }
    let (first, last) = (&lines[..most / 2], &lines[lines.len() - most / 3..]);
    let left_out = lines.len() - first.len() - last.len();
    format!(
        "{}\n… ({left_out} lines)\n{}",
        first.join("\n"),
        last.join("\n")
    )
}

/// The text without ANSI escape sequences.
pub(crate) fn without_escapes(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            result.push(character);
        }
    }
    result
}
