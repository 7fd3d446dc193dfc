//! Rules: the parts that a resource is paid by, and the quantity of each.

use std::collections::BTreeMap;

use serde::Deserialize;
use terrane_core::value::Path;
use terrane_core::{FromValue as _, Value};

/// One part of what a resource costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The resource types that have it.
    pub(crate) types: Vec<String>,
    /// Its name.
    pub(crate) part: String,
    /// The name of its price, with attributes in braces: `ec2.{instance_type}`, or `{volume_type|gp2}` with a default.
    pub(crate) price: Option<String>,
    /// Why it has no price, instead of one, or where the table does not have that price.
    pub(crate) not_priced: Option<String>,
    /// The unit of its quantity, for people.
    #[serde(default)]
    pub(crate) unit: String,
    /// Whether it is paid by the hour.
    #[serde(default)]
    pub(crate) hours: bool,
    /// Attributes whose numbers multiply the quantity, each perhaps with a default: `scaling_config[0].desired_size`.
    #[serde(default)]
    pub(crate) times: Vec<String>,
    /// A factor of its own.
    pub(crate) factor: Option<f64>,
    /// A list of blocks: the part counts for each, and attributes are theirs.
    pub(crate) each: Option<String>,
    /// The figure of the usage file that multiplies the quantity.
    pub(crate) usage: Option<String>,
    /// It counts only where each of these attributes has one of these values; an absent one is the empty text.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, Vec<String>>,
    /// It does not count where one of these attributes has one of these values; `*` is any.
    #[serde(default)]
    pub(crate) unless: BTreeMap<String, Vec<String>>,
}

/// An object as a rule reads it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) value: &'a Value,
    /// Whether the program sets an argument itself. An unknown value that it does not set is the provider's default.
    pub(crate) sets: &'a dyn Fn(&str) -> bool,
}

/// A rule on an object.
pub(crate) enum Quantity {
    /// The part does not exist.
    None,
    /// So much at the price of that name; why there may be none.
    Of {
        price: String,
        quantity: f64,
        not_priced: Option<String>,
    },
    /// It cannot be known, for that reason.
    Unknown(String),
}

/// An attribute as text.
enum Found {
    Text(String),
    Absent,
    Unknown(String),
}

impl Rule {
    /// How much of the part the object has. `figure` is that of the usage file.
    pub(crate) fn quantity(
        &self,
        subject: Subject<'_>,
        hours: f64,
        figure: Option<f64>,
    ) -> Vec<Quantity> {
        let Some(each) = &self.each else {
            return vec![self.one(subject, hours, figure)];
        };
        let path: Path = parsed(each);
        match subject.value.at(&path) {
            Some(Value::Unknown(_)) if (subject.sets)(first(each)) => {
                vec![Quantity::Unknown(after_apply(each))]
            }
            Some(blocks) => {
                let blocks = blocks.elements().unwrap_or_default().iter();
                let one = |value| self.one(Subject { value, ..subject }, hours, figure);
                blocks.map(one).collect()
            }
            None => Vec::new(),
        }
    }

    /// Whether these quantities cost something where the part has a price.
    pub(crate) fn is_paid(&self, found: &[Quantity]) -> bool {
        let is_part = |one: &Quantity| !matches!(one, Quantity::None);
        self.price.is_some() && found.iter().any(is_part)
    }

    fn one(&self, subject: Subject<'_>, hours: f64, figure: Option<f64>) -> Quantity {
        match self.applies(subject) {
            Ok(true) => {}
            Ok(false) => return Quantity::None,
            Err(reason) => return Quantity::Unknown(reason),
        }
        let not_priced = self.not_priced.as_ref().map(|reason| {
            let filled = filled(reason, subject);
            filled.unwrap_or_else(|reason| reason)
        });
        let Some(template) = &self.price else {
            return Quantity::Unknown(not_priced.unwrap_or_default());
        };
        let price = match filled(template, subject) {
            Ok(price) => price,
            Err(reason) => return Quantity::Unknown(reason),
        };
        let mut quantity = self.factor.unwrap_or(1.0);
        if self.hours {
            quantity *= hours;
        }
        for path in &self.times {
            match number(path, subject) {
                Ok(Some(number)) => quantity *= number,
                Ok(None) => return Quantity::None,
                Err(reason) => return Quantity::Unknown(reason),
            }
        }
        if let Some(usage) = &self.usage {
            let Some(figure) = figure else {
                return Quantity::Unknown(format!("the usage file has no `{usage}`"));
            };
            quantity *= figure;
        }
        Quantity::Of {
            price,
            quantity,
            not_priced,
        }
    }

    fn applies(&self, subject: Subject<'_>) -> Result<bool, String> {
        for (path, wanted) in &self.when {
            let found = condition(path, subject)?;
            if !wanted.iter().any(|one| fits(one, &found)) {
                return Ok(false);
            }
        }
        for (path, excluded) in &self.unless {
            let found = condition(path, subject)?;
            if excluded.iter().any(|one| fits(one, &found)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// `*` is anything but nothing.
fn fits(wanted: &str, found: &str) -> bool {
    wanted == found || (wanted == "*" && !found.is_empty())
}

/// An attribute as a condition looks at it: nothing where it is absent, or left to the provider.
fn condition(path: &str, subject: Subject<'_>) -> Result<String, String> {
    match read(&format!("{path}|"), subject) {
        Found::Text(text) => Ok(text),
        Found::Absent => Ok(String::new()),
        Found::Unknown(reason) => Err(reason),
    }
}

/// The template with the values of attributes in place of the braces.
fn filled(template: &str, subject: Subject<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        match read(path, subject) {
            Found::Text(value) => text.push_str(&value),
            Found::Absent => return Err(format!("`{}` is not set", name(path))),
            Found::Unknown(reason) => return Err(reason),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn number(path: &str, subject: Subject<'_>) -> Result<Option<f64>, String> {
    match read(path, subject) {
        Found::Text(text) => text
            .parse()
            .map(Some)
            .map_err(|_| format!("`{}` is not a number", name(path))),
        Found::Absent => Ok(None),
        Found::Unknown(reason) => Err(reason),
    }
}

/// Reads `path` or `path|default`.
fn read(written: &str, subject: Subject<'_>) -> Found {
    let (path, default) = match written.split_once('|') {
        Some((path, default)) => (path, Some(default)),
        None => (written, None),
    };
    let or_default = |otherwise: Found| match default {
        Some(default) => Found::Text(default.to_owned()),
        None => otherwise,
    };
    match subject.value.at(&parsed(path)) {
        None | Some(Value::Null) => or_default(Found::Absent),
        Some(Value::Unknown(_)) => {
            let unknown = Found::Unknown(after_apply(path));
            match (subject.sets)(first(path)) {
                true => unknown,
                false => or_default(unknown),
            }
        }
        Some(value) => match text(value) {
            Some(text) => Found::Text(text),
            None => Found::Absent,
        },
    }
}

/// A number, a truth value or a text as the latter; a list, block or map that is not empty as `*`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => f64::from_value(&Value::Number(number.clone()))
            .ok()
            .map(|number| number.to_string()),
        Value::List(all) | Value::Set(all) if !all.is_empty() => Some("*".to_owned()),
        Value::Map(all) if !all.is_empty() => Some("*".to_owned()),
        _ => None,
    }
}

fn name(written: &str) -> &str {
    written.split('|').next().unwrap_or(written)
}

fn first(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

fn after_apply(path: &str) -> String {
    format!("`{}` is known after apply", name(path))
}

/// A path of the table; one that cannot be read leads nowhere.
fn parsed(path: &str) -> Path {
    path.parse()
        .unwrap_or_else(|_| Path::root().attribute(path))
}
