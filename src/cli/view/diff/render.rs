//! Values on one line, with secrets hidden and unknowns named after where they come from.

use std::fmt::Write as _;

use terrane_core::value::Map;
use terrane_core::{Expr, Path, PathStep, Value};

use crate::view::hidden::Hidden;
use crate::view::printable::{LONGEST_NAME, LONGEST_VALUE, one_line, quoted, shortened};
use terrane_deploy::SENSITIVE;

/// How deep values are followed; deeper ones are cut.
const MAX_DEPTH: usize = 128;

/// One side of a comparison: its secret parts, and the program's arguments that decide its unknown ones.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    /// The parts that must not be shown.
    pub(crate) hidden: &'a Hidden,
    /// The arguments, if the program declares the object.
    pub(crate) arguments: Option<&'a Expr>,
}

impl<'a> Side<'a> {
    /// Whether the whole value at `path` is secret.
    pub(crate) fn hides(&self, path: &Path) -> bool {
        self.hidden.at(path).is_whole()
    }

    /// Whether something inside the value at `path` is secret.
    pub(crate) fn hides_inside(&self, path: &Path) -> bool {
        self.hidden.at(path).is_something()
    }

    /// The value on one line.
    pub(crate) fn inline(&self, value: &Value, path: &Path) -> String {
        let mut text = String::new();
        let place = Some(self.hidden.at(path));
        self.write(value, &mut path.clone(), place, &mut text);
        text
    }

    /// An element of a set on one line: its members have no paths of their own.
    pub(crate) fn element(&self, value: &Value, set: &Path) -> String {
        let mut text = String::new();
        self.write(value, &mut set.clone(), None, &mut text);
        text
    }

    /// A new element of a set on one line, without the members that are empty or that its provider will fill in.
    pub(crate) fn new_element(&self, value: &Value, set: &Path) -> String {
        let Some(members) = value.members() else {
            return self.element(value, set);
        };
        let side = Side {
            hidden: Hidden::NOTHING,
            arguments: self.element_arguments(members, set),
        };
        let is_set = |name: &str, member: &Value| match member {
            Value::Unknown(_) => side.argument(&Path::root().attribute(name)).is_some(),
            Value::String(text) => !text.is_empty(),
            member => !is_nothing(member),
        };
        let shown = members.iter().filter(|(name, member)| is_set(name, member));
        let shown = Value::map(shown.map(|(name, member)| (name.clone(), member.clone())));
        match shown.members().is_some_and(Map::is_empty) {
            true => self.element(value, set),
            false => side.inline(&shown, &Path::root()),
        }
    }

    /// The block of the program that an element of a set comes from: the one whose constants the element has.
    fn element_arguments(&self, members: &Map, set: &Path) -> Option<&'a Expr> {
        let (Expr::List(blocks), _) = self.argument(set)? else {
            return None;
        };
        let agrees =
            |(name, argument): (&std::sync::Arc<str>, &Expr)| match (argument, members.get(name)) {
                (Expr::Literal(constant), Some(member)) => {
                    member == constant
                        || !is_scalar(constant)
                        || self.element(member, set) == self.element(constant, set)
                }
                (Expr::Literal(_), None) => false,
                _ => true,
            };
        blocks.iter().find(|block| match block {
            Expr::Map(arguments) => arguments.iter().all(agrees),
            _ => false,
        })
    }

    /// `hidden` has the hidden parts of the value; none inside a set, whose elements have no paths.
    fn write(&self, value: &Value, path: &mut Path, hidden: Option<&Hidden>, text: &mut String) {
        if hidden.is_some_and(Hidden::is_whole) {
            return text.push_str(SENSITIVE);
        }
        if path.steps().len() > MAX_DEPTH {
            return text.push('…');
        }
        match value {
            Value::Null => text.push_str("null"),
            Value::Unknown(_) => text.push_str(&self.unknown(path)),
            Value::Bool(flag) => {
                let _ = write!(text, "{flag}");
            }
            Value::Number(number) => {
                let _ = write!(text, "{number}");
            }
            Value::String(string) => text.push_str(&quoted(&shortened(string, LONGEST_VALUE))),
            Value::List(elements) => {
                let unknown = self.unknown_elements(elements, path, hidden.is_some());
                let mut list = Listing::new(unknown, text);
                for (index, element) in elements.iter().enumerate() {
                    if !list.next(element) {
                        continue;
                    }
                    if hidden.is_some() {
                        path.push(PathStep::Index(index));
                    }
                    let inside = hidden.map(|hidden| hidden.element(index));
                    self.write(element, path, inside, list.text);
                    if hidden.is_some() {
                        path.pop();
                    }
                }
                text.push(']');
            }
            Value::Set(elements) => {
                // A secret inside a set hides the set.
                if hidden.is_some_and(Hidden::is_something) {
                    return text.push_str(SENSITIVE);
                }
                let unknown = self.unknown_elements(elements, path, false);
                let mut list = Listing::new(unknown, text);
                for element in elements.iter() {
                    if list.next(element) {
                        self.write(element, path, None, list.text);
                    }
                }
                text.push(']');
            }
            Value::Map(members) => {
                text.push('{');
                let shown = members.iter().filter(|(_, value)| !is_nothing(value));
                for (place, (name, member)) in shown.enumerate() {
                    let separator = if place > 0 { ", " } else { "" };
                    let _ = write!(text, "{separator}{} = ", member_name(name));
                    if hidden.is_some() {
                        path.push(PathStep::Attribute(name.clone()));
                    }
                    let inside = hidden.map(|hidden| hidden.member(name));
                    self.write(member, path, inside, text);
                    if hidden.is_some() {
                        path.pop();
                    }
                }
                text.push('}');
            }
            Value::Dynamic(dynamic) => self.write(&dynamic.1, path, hidden, text),
        }
    }

    /// An unknown value, as where it comes from.
    pub(crate) fn unknown(&self, path: &Path) -> String {
        let after = match self.unapplied(path) {
            Some(producers) => format!("known after {producers}"),
            None => "known after apply".to_owned(),
        };
        match self.origin(path) {
            Some(origin) => format!("({after}: {origin})"),
            None => format!("({after})"),
        }
    }

    /// The stacks that have to be applied before the value at `path` is known: `network/prod is applied`.
    fn unapplied(&self, path: &Path) -> Option<String> {
        let mut producers = Vec::new();
        self.argument(path)?.0.for_each_export(&mut |export| {
            let producer = export.producer().to_string();
            if export.value().is_none() && !producers.contains(&producer) {
                producers.push(producer);
            }
        });
        let are = if producers.len() > 1 { "are" } else { "is" };
        Some(format!("{} {are} applied", named(producers)?))
    }

    /// The expression of the program that decides the value at `path`, and the path that is left below it.
    pub(crate) fn argument(&self, path: &Path) -> Option<(&'a Expr, Path)> {
        self.arguments?.argument(path)
    }

    /// Whether something of the value at `path` comes from elsewhere in the program.
    pub(crate) fn has_references(&self, path: &Path) -> bool {
        let mut found = false;
        if let Some((expr, _)) = self.argument(path) {
            expr.for_each_reference(&mut |_| found = true);
        }
        found
    }

    /// How many elements of a list are unknown, and all of them in words: `(4 values known after apply: a.id, b.id)`.
    /// Elements of a set have no places of their own.
    pub(crate) fn unknown_elements(
        &self,
        elements: &[Value],
        list: &Path,
        have_places: bool,
    ) -> (usize, String) {
        let places = elements.iter().enumerate();
        let places = places.filter(|(_, element)| element.is_unknown());
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        if places.len() < 2 {
            return (places.len(), String::new());
        }
        let mut origins = Vec::new();
        for &place in &places {
            let path = match have_places {
                true => &list.clone().index(place),
                false => list,
            };
            self.origins(path, &mut origins);
            self.exports(path, &mut origins);
        }
        let known = format!("{} values known after apply", places.len());
        let text = match named(origins) {
            Some(origins) => format!("({known}: {origins})"),
            None => format!("({known})"),
        };
        (places.len(), text)
    }

    /// The references that decide the value at `path` in words; `None` where the program says nothing about it.
    fn origin(&self, path: &Path) -> Option<String> {
        let mut origins = Vec::new();
        self.origins(path, &mut origins);
        named(origins)
    }

    /// Adds the exports of other stacks that the value at `path` waits for, each once.
    fn exports(&self, path: &Path, origins: &mut Vec<String>) {
        let Some((expr, _)) = self.argument(path) else {
            return;
        };
        expr.for_each_export(&mut |export| {
            let origin = export.to_string();
            if export.value().is_none() && !origins.contains(&origin) {
                origins.push(origin);
            }
        });
    }

    /// Adds the references that decide the value at `path`, each once.
    fn origins(&self, path: &Path, origins: &mut Vec<String>) {
        let Some((expr, rest)) = self.argument(path) else {
            return;
        };
        expr.for_each_reference(&mut |reference| {
            let mut origin = reference.to_string();
            if matches!(expr, Expr::Reference(_)) && !rest.is_root() {
                let dot = matches!(rest.steps()[0], PathStep::Attribute(_));
                origin.push_str(if dot { "." } else { "" });
                origin.push_str(&rest.to_string());
            }
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        });
    }
}

/// The first few origins, and how many more there are.
fn named(mut origins: Vec<String>) -> Option<String> {
    /// More are counted instead of named.
    const NAMED: usize = 3;
    if origins.is_empty() {
        return None;
    }
    let more = origins.len().saturating_sub(NAMED);
    origins.truncate(NAMED);
    let mut text = one_line(&origins.join(", "));
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    Some(text)
}

/// The elements of a list on one line, of which several unknown ones are told once.
struct Listing<'a> {
    text: &'a mut String,
    unknown: (usize, String),
    is_first: bool,
    has_told: bool,
}

impl<'a> Listing<'a> {
    fn new(unknown: (usize, String), text: &'a mut String) -> Self {
        text.push('[');
        Self {
            text,
            unknown,
            is_first: true,
            has_told: false,
        }
    }

    /// Begins the next element; `false` when it is told already.
    fn next(&mut self, element: &Value) -> bool {
        let is_told_together = self.unknown.0 > 1 && element.is_unknown();
        if is_told_together && self.has_told {
            return false;
        }
        if !self.is_first {
            self.text.push_str(", ");
        }
        self.is_first = false;
        if is_told_together {
            self.text.push_str(&self.unknown.1);
            self.has_told = true;
        }
        !is_told_together
    }
}

/// Whether a member is left out of a line: absent, or an empty collection, which schemas are full of.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => false,
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

/// A member's name, quoted where it is no word.
pub(crate) fn member_name(name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '.');
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(word) {
        name.to_owned()
    } else {
        quoted(&shortened(name, LONGEST_NAME))
    }
}
