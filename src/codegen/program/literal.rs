//! Values as expressions of Rust.

use terrane_core::{Type, Value};

/// What a literal is made of, for those who replace a part of it.
pub(super) enum Leaf<'a> {
    /// A text: the expression that stands for it, where another object has it.
    Text(&'a str),
    /// A name of terrane that the expression uses.
    Uses(&'static str),
}

/// A text as a literal: raw where that reads better.
pub(super) fn string(text: &str) -> String {
    let quotes = text.matches(['"', '\\']).count();
    let plain = text
        .chars()
        .all(|c| c == '\n' || c == '\t' || !c.is_control());
    if quotes < 2 || !plain || text.contains('\r') {
        return format!("{text:?}");
    }
    let mut fence = "#".to_owned();
    while text.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("r{fence}\"{text}\"{fence}")
}

/// A known value as what an argument of that type takes.
pub(super) fn literal(
    value: &Value,
    ty: &Type,
    leaf: &mut impl FnMut(Leaf<'_>) -> Option<String>,
) -> String {
    write(value, ty, true, leaf)
}

fn write(
    value: &Value,
    ty: &Type,
    is_outermost: bool,
    leaf: &mut impl FnMut(Leaf<'_>) -> Option<String>,
) -> String {
    match value {
        Value::Null | Value::Unknown(_) => {
            leaf(Leaf::Uses("Value"));
            "Value::Null".to_owned()
        }
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_literal(number),
        Value::String(text) => leaf(Leaf::Text(text)).unwrap_or_else(|| string(text)),
        Value::List(elements) | Value::Set(elements) => {
            let inner = match ty {
                Type::List(inner) | Type::Set(inner) => inner,
                _ => &Type::Dynamic,
            };
            list(elements, inner, is_outermost, leaf)
        }
        Value::Map(members) => match ty {
            Type::Map(inner) if members.is_empty() => {
                format!("std::collections::BTreeMap::<&str, {}>::new()", of(inner))
            }
            Type::Map(inner) => {
                let values: Vec<Value> = members.values().cloned().collect();
                let values = alike(&values, inner, leaf);
                let entries: Vec<String> = members
                    .keys()
                    .zip(values)
                    .map(|(key, value)| format!("({}, {value})", string(key)))
                    .collect();
                format!("[{}]", entries.join(", "))
            }
            _ => {
                leaf(Leaf::Uses("BlockArguments"));
                let members = members.iter().filter(|(_, value)| !value.is_null());
                let calls: String = members
                    .map(|(name, value)| {
                        let value = write(value, &Type::Dynamic, true, leaf);
                        format!(".set({}, {value})", string(name))
                    })
                    .collect();
                format!("BlockArguments::new(){calls}")
            }
        },
        Value::Dynamic(dynamic) => write(&dynamic.1, &Type::Dynamic, is_outermost, leaf),
    }
}

fn list(
    elements: &[Value],
    inner: &Type,
    is_outermost: bool,
    leaf: &mut impl FnMut(Leaf<'_>) -> Option<String>,
) -> String {
    if elements.is_empty() {
        return format!("Vec::<{}>::new()", of(inner));
    }
    let elements = alike(elements, inner, leaf).join(", ");
    match is_outermost {
        true => format!("[{elements}]"),
        // Lists within a list may be of different lengths.
        false => format!("vec![{elements}]"),
    }
}

/// The type of elements that are not there: an empty list has to have one.
fn of(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Number => "u32".to_owned(),
        Type::List(inner) | Type::Set(inner) => format!("Vec<{}>", of(inner)),
        Type::Map(inner) => format!("std::collections::BTreeMap<&str, {}>", of(inner)),
        _ => "&str".to_owned(),
    }
}

/// Expressions of one type: where one of them is another object's attribute, all are outputs.
fn alike(
    values: &[Value],
    ty: &Type,
    leaf: &mut impl FnMut(Leaf<'_>) -> Option<String>,
) -> Vec<String> {
    let references: Vec<Option<String>> = values
        .iter()
        .map(|value| leaf(Leaf::Text(value.as_str()?)))
        .collect();
    let is_mixed = references.iter().any(Option::is_some) && references.iter().any(Option::is_none);
    if is_mixed {
        leaf(Leaf::Uses("Output"));
    }
    let written = values
        .iter()
        .zip(references)
        .map(|(value, reference)| match reference {
            Some(reference) => reference,
            None if is_mixed => {
                let text = value
                    .as_str()
                    .map_or_else(|| write(value, ty, false, leaf), string);
                format!("Output::known({text}.to_owned())")
            }
            None => write(value, ty, false, leaf),
        });
    written.collect()
}

fn number_literal(number: &terrane_core::value::Number) -> String {
    match (number.as_i64(), number.as_exact_fraction()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(fraction)) => format!("{fraction:?}"),
        (None, None) => format!("{:?}", number.to_f64()),
    }
}
