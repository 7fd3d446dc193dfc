//! Reads configuration documents into values, with the line of every key.

use terrane_core::value::{JsonError, Number};
use terrane_core::{Diagnostic, Diagnostics, Value};
use toml::de::{DeTable, DeValue};

use crate::values::{Entry, Given, KeyCase};

/// The keys of a TOML document.
pub(super) fn toml(source: &str, text: &str) -> Result<Vec<Entry>, Diagnostics> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line(text, span.start));
        invalid(&format!("{source}:{line}"), "TOML", error.message().trim())
    })?;
    let keys = table.into_inner().into_iter();
    let entries = keys.map(|(key, value)| {
        let source = format!("{source}:{}", line(text, key.span().start));
        let value = toml_value(value.get_ref())
            .ok_or_else(|| invalid(&source, "TOML", "a number is out of range"))?;
        Ok(entry(key.get_ref(), source, value))
    });
    entries.collect()
}

/// The keys of a JSON document.
pub(super) fn json(source: &str, text: &str) -> Result<Vec<Entry>, Diagnostics> {
    let value = Value::from_json_untyped(text.as_bytes()).map_err(|error| match error {
        JsonError::Syntax { source: error } => {
            let reason = error.to_string();
            // serde_json ends with the place, which is said before.
            let reason = reason.split(" at line ").next().unwrap_or_default();
            invalid(&format!("{source}:{}", error.line().max(1)), "JSON", reason)
        }
        error => invalid(source, "JSON", &error.to_string()),
    })?;
    let Some(members) = value.members() else {
        return Err(invalid(
            source,
            "a JSON object",
            &format!("it is {}", value.kind()),
        ));
    };
    let entries = members.iter();
    Ok(entries
        .map(|(key, value)| entry(key, source.to_owned(), value.clone()))
        .collect())
}

fn entry(key: &str, source: String, value: Value) -> Entry {
    Entry {
        key: key.to_owned(),
        source,
        given: Given::Value(value),
        case: KeyCase::Exact,
    }
}

fn invalid(place: &str, what: &str, reason: &str) -> Diagnostics {
    Diagnostic::error(format!("`{place}` is not {what}"))
        .detail(reason)
        .into()
}

/// The line, from 1, that a byte of the text is in.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// A value of TOML; `None` for a number that cannot be held. Dates and times become text.
fn toml_value(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::string(text),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            Value::Number(integer.as_str().parse().ok()?)
        }
        DeValue::Integer(integer) => Value::Number(
            i64::from_str_radix(integer.as_str(), integer.radix())
                .ok()?
                .into(),
        ),
        // The text rather than a float, so that 0.1 stays 0.1; infinities have no decimal.
        DeValue::Float(float) => Value::Number(
            float
                .as_str()
                .parse()
                .ok()
                .or_else(|| float.as_str().parse().ok().and_then(Number::from_f64))?,
        ),
        DeValue::Datetime(datetime) => Value::string(datetime.to_string()),
        DeValue::Array(array) => {
            let elements = array.iter().map(|element| toml_value(element.get_ref()));
            Value::list(elements.collect::<Option<_>>()?)
        }
        DeValue::Table(table) => {
            let members = table.iter().map(|(key, member)| {
                Some((key.get_ref().to_string(), toml_value(member.get_ref())?))
            });
            Value::map(members.collect::<Option<Vec<_>>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_becomes_values_and_its_numbers_keep_their_digits() {
        let text = "a = 0x1F\nb = 0.1\nc = [1_000, -2]\n[d]\ne = \"x\"\nf = 2024-05-01\ng = true";
        let entries = toml("x.toml", text).expect("TOML");
        let shown = entries.iter().map(|entry| match &entry.given {
            Given::Value(value) => format!("{} {}: {value:?}", entry.source, entry.key),
            Given::Text(_) => unreachable!("documents have values"),
        });
        insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
        x.toml:1 a: 31
        x.toml:2 b: 0.1
        x.toml:3 c: [1000, -2]
        x.toml:4 d: {"e": "x", "f": "2024-05-01", "g": true}
        "#);
    }

    #[test]
    fn damaged_documents_say_file_and_line() {
        let shown = [
            toml("x.toml", "a = 1\nb = \nc = 2"),
            toml("x.toml", "a = 1\n\na = 2"),
            json("x.json", "{\"a\": 1,\n \"b\": }"),
            json("x.json", "[1]"),
            json("x.json", "{\"a\": {\"b\": [{\"c\": 1, \"c\": 2}]}}"),
            json("x.json", "{\"e\u{301}\": 1, \"\u{e9}\": 2}"),
        ]
        .map(|read| read.err().expect("no document").to_string());
        insta::assert_snapshot!(shown.join("\n\n"), @r#"
        error: `x.toml:2` is not TOML: string values must be quoted, expected literal string

        error: `x.toml:3` is not TOML: duplicate key

        error: `x.json:2` is not JSON: expected value

        error: `x.json` is not a JSON object: it is a list

        error: `x.json` is not JSON: duplicate key at `a.b[0].c`

        error: `x.json` is not JSON: duplicate key at `é`
        "#);
    }
}
