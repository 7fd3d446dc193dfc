//! Exported values from the state: a table, one document, one bare value.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use terrane_core::{Type, Value};
use terrane_state::model::OutputValue;

use super::diff::{Secrets, Side};
use super::hidden::Hidden;
use super::painter::{Painter, Tone};
use super::text::{LONGEST_VALUE, one_line, shortened};
use crate::redactor::SENSITIVE;

/// All outputs of a state.
pub(crate) type Outputs = BTreeMap<Arc<str>, OutputValue>;

/// A table of names and values.
pub(crate) fn table(outputs: &Outputs, secrets: Secrets, painter: Painter) -> String {
    let width = outputs
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, output) in outputs {
        let value = match (output.sensitive, secrets) {
            (true, Secrets::Hidden) => SENSITIVE.to_owned(),
            _ => inline(output),
        };
        let name = painter.paint(Tone::Strong, &format!("{:<width$}", one_line(name)));
        let _ = writeln!(text, "{name}  {value}");
    }
    text
}

/// The value on one line, as tables show it.
pub(crate) fn inline(output: &OutputValue) -> String {
    let side = Side {
        hidden: Hidden::NOTHING,
        arguments: None,
    };
    match Value::from_json(output.value.as_str().as_bytes(), &output.ty) {
        Ok(value) => side.inline(&value, &terrane_core::Path::root()),
        Err(_) => one_line(&shortened(output.value.as_str(), LONGEST_VALUE)),
    }
}

/// `{NAME: {"sensitive": …, "type": …, "value": …}}`, as Terraform prints it. Without `--show-secrets` a sensitive value is null.
pub(crate) fn json(outputs: &Outputs, secrets: Secrets) -> String {
    let document: BTreeMap<&str, OutputJson<'_>> = outputs
        .iter()
        .map(|(name, output)| (&**name, one_json(output, secrets)))
        .collect();
    to_line(&document)
}

/// The bare value of one output as JSON.
pub(crate) fn value_json(output: &OutputValue, secrets: Secrets) -> String {
    format!("{}\n", shown(output, secrets))
}

/// The bare value: text as it is, anything else as JSON.
pub(crate) fn raw(output: &OutputValue) -> String {
    serde_json::from_str::<String>(output.value.as_str())
        .unwrap_or_else(|_| output.value.as_str().to_owned())
}

#[derive(Serialize)]
struct OutputJson<'a> {
    sensitive: bool,
    #[serde(rename = "type")]
    ty: &'a Type,
    value: Box<RawValue>,
}

fn one_json(output: &OutputValue, secrets: Secrets) -> OutputJson<'_> {
    let value = RawValue::from_string(shown(output, secrets).to_owned());
    OutputJson {
        sensitive: output.sensitive,
        ty: &output.ty,
        value: value.expect("invariant: stored values are JSON"),
    }
}

fn shown(output: &OutputValue, secrets: Secrets) -> &str {
    match (output.sensitive, secrets) {
        (true, Secrets::Hidden) => "null",
        _ => output.value.as_str(),
    }
}

/// A document as one line of JSON.
pub(crate) fn to_line(document: &impl Serialize) -> String {
    let json = serde_json::to_string(document);
    format!(
        "{}\n",
        json.expect("invariant: our documents are serialisable")
    )
}
