//! Names of objects and of the variables that hold them.

use std::collections::BTreeSet;

use terrane_core::Value;

use super::ExistingObject;
use crate::names::ident;

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    variables: BTreeSet<String>,
    addresses: BTreeSet<(String, String)>,
}

impl Names {
    /// The name of an object in its address, and its variable.
    pub(super) fn of(&mut self, object: &ExistingObject) -> (String, String) {
        let kind = kind(&object.type_name);
        let wanted = object.name.clone().or_else(|| own_name(&object.object));
        let wanted = wanted.map(|name| snake(&name)).unwrap_or_default();
        // The address says what it is already.
        let short = wanted
            .strip_suffix(&kind)
            .map(|rest| rest.trim_end_matches('_'));
        let short = match (short, &object.name) {
            (Some(rest), None) if !rest.is_empty() => rest.to_owned(),
            _ if wanted.is_empty() => "main".to_owned(),
            _ => wanted,
        };
        let name = free(&short, |name| {
            self.addresses
                .insert((object.type_name.clone(), name.to_owned()))
        });
        let variable = self.variable(&name, &object.type_name);
        (name, variable)
    }

    /// The variable of an object with that name.
    pub(super) fn variable(&mut self, name: &str, type_name: &str) -> String {
        let (name, kind) = (snake(name), kind(type_name));
        let wanted = match name.strip_prefix("main") {
            // One that has no name of its own.
            Some(number) if number.chars().all(|c| c == '_' || c.is_ascii_digit()) => {
                format!("{kind}{number}")
            }
            _ if name.ends_with(&kind) => name,
            _ => format!("{name}_{kind}"),
        };
        ident(&free(&wanted, |name| {
            name != "stack" && self.variables.insert(name.to_owned())
        }))
    }
}

/// The name that a person gave an object.
fn own_name(object: &Value) -> Option<String> {
    let tag = |tags: &str, name: &str| Some(object.get(tags)?.get(name)?.as_str()?.to_owned());
    let attribute = |name: &str| Some(object.get(name)?.as_str()?.to_owned());
    let metadata = || {
        let metadata = object.get("metadata")?;
        let first = metadata
            .elements()
            .and_then(<[Value]>::first)
            .unwrap_or(metadata);
        Some(first.get("name")?.as_str()?.to_owned())
    };
    let names = [
        tag("tags", "Name"),
        tag("tags", "name"),
        tag("labels", "name"),
        attribute("name"),
        attribute("bucket"),
        attribute("identifier"),
        metadata(),
    ];
    names
        .into_iter()
        .flatten()
        .find(|name| !snake(name).is_empty())
}

/// The words of a type behind its provider's name.
fn kind(type_name: &str) -> String {
    let (_, kind) = type_name.split_once('_').unwrap_or(("", type_name));
    snake(kind)
}

/// A name in small letters with `_` between its words; empty where nothing of it can stay.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            was_small = false;
            continue;
        }
        if letter.is_ascii_uppercase() && was_small {
            snake.push('_');
        }
        was_small = !letter.is_ascii_uppercase();
        snake.push(letter.to_ascii_lowercase());
    }
    let snake = snake.trim_end_matches('_');
    match snake.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("n{snake}"),
        false => snake.to_owned(),
    }
}

/// That name, or the first with a number that `take` accepts.
fn free(wanted: &str, mut take: impl FnMut(&str) -> bool) -> String {
    if take(wanted) {
        return wanted.to_owned();
    }
    let mut number = 2;
    loop {
        let name = format!("{wanted}_{number}");
        if take(&name) {
            return name;
        }
        number += 1;
    }
}
