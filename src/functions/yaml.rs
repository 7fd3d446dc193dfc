//! YAML as Terraform writes it: keys in order and in quotes, lists not indented, texts of several lines as blocks.

use serde::Serialize;
use terrane_core::Value;
use terrane_core::value::Map;

use crate::FunctionError;
use crate::encoding::value_of;

/// Long texts are broken at the first space behind this column.
const WIDTH: usize = 80;
/// A key of more bytes than this stands behind a question mark.
const SIMPLE_KEY: usize = 128;

/// A value as YAML, with the bytes of Terraform's.
///
/// # Errors
/// When the value cannot be said in YAML: a map whose keys are no texts.
pub fn yamlencode(value: &impl Serialize) -> Result<String, FunctionError> {
    let value = value_of("yamlencode", value)?;
    let mut writer = Writer::default();
    writer.value(&value, None, false);
    writer.text.push('\n');
    // A plain word at the top has no end of its own.
    let is_plain = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_));
    Ok(match is_plain {
        true => writer.text + "...\n",
        false => writer.text,
    })
}

#[derive(Default)]
struct Writer {
    text: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.text += text;
        self.column += text.chars().count();
    }

    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text += &" ".repeat(indent);
        self.column = indent;
    }

    /// Writes a value whose parent is indented by `parent`; `inline` says that it begins on a line that its parent's dash began.
    fn value(&mut self, value: &Value, parent: Option<usize>, inline: bool) {
        let inner = parent.map_or(0, |parent| parent + 2);
        match value {
            Value::Map(members) if !members.is_empty() => self.map(members, inner, parent, inline),
            Value::List(elements) | Value::Set(elements) if !elements.is_empty() => {
                // In a map a list stands as far left as the map's keys.
                let indent = match (parent, inline) {
                    (Some(parent), false) => parent,
                    _ => inner,
                };
                self.list(elements, indent, parent, inline);
            }
            Value::Dynamic(dynamic) => self.value(&dynamic.1, parent, inline),
            single => {
                if parent.is_some() {
                    self.put(" ");
                }
                self.single(single, parent.map_or(2, |parent| parent + 2));
            }
        }
    }

    fn map(&mut self, members: &Map, indent: usize, parent: Option<usize>, inline: bool) {
        for (place, (key, value)) in members.iter().enumerate() {
            match (place, parent, inline) {
                (0, None, _) => {}
                (0, Some(_), true) => self.put(" "),
                _ => self.line(indent),
            }
            let is_simple = !key.contains(is_break) && key.len() <= SIMPLE_KEY;
            if is_simple {
                self.quoted(key, indent + 2, true);
            } else {
                self.put("? ");
                self.single(&Value::string(key), indent + 2);
                self.line(indent);
            }
            self.put(":");
            self.value(value, Some(indent), false);
        }
    }

    fn list(&mut self, elements: &[Value], indent: usize, parent: Option<usize>, inline: bool) {
        for (place, element) in elements.iter().enumerate() {
            match (place, parent, inline) {
                (0, None, _) => {}
                (0, Some(_), true) => self.put(" "),
                _ => self.line(indent),
            }
            self.put("-");
            self.value(element, Some(indent), true);
        }
    }

    fn single(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::Number(number) => self.put(&number.to_string()),
            Value::String(text) if text.contains('\n') && may_be_block(text) => {
                self.block(text, indent);
            }
            Value::String(text) => self.quoted(text, indent, false),
            Value::List(_) | Value::Set(_) => self.put("[]"),
            Value::Map(_) => self.put("{}"),
            _ => self.put("null"),
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let body = match text.strip_suffix('\n') {
            None => {
                self.put("-");
                text
            }
            Some(rest) => {
                if rest.is_empty() || rest.ends_with('\n') {
                    self.put("+");
                }
                rest
            }
        };
        for line in body.split('\n') {
            self.line(if line.is_empty() { 0 } else { indent });
            self.put(line);
        }
    }

    fn quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put("\"");
        let characters: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (place, &character) in characters.iter().enumerate() {
            let is_inside = place > 0 && place + 1 < characters.len();
            match character {
                ' ' if !is_key && !after_space && self.column > WIDTH && is_inside => {
                    self.line(indent);
                    if characters[place + 1] == ' ' {
                        self.put("\\");
                    }
                }
                ' ' => self.put(" "),
                other => self.put(&escaped(other)),
            }
            after_space = character == ' ';
        }
        self.put("\"");
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character stands for itself between quotes.
fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && !matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// Whether a text of several lines can be a block: nothing to escape, and no line that ends in a space.
fn may_be_block(text: &str) -> bool {
    let is_plain = |character| character == '\n' || is_printable(character);
    text.chars().all(is_plain) && !text.contains(" \n") && !text.ends_with(' ')
}

fn escaped(character: char) -> String {
    let short = match character {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        other if is_printable(other) => return other.to_string(),
        other => {
            return match u32::from(other) {
                code @ ..0x100 => format!("\\x{code:02X}"),
                code @ ..0x1_0000 => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    short.to_owned()
}
