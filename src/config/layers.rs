//! Puts the layers on top of each other for the type that asks, and reports everything that does not fit.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde::de::{Deserializer, Error as _, Visitor};
use terrane_core::configuration::Read;
use terrane_core::{Diagnostic, Diagnostics, NoSecretSource, Path, PathStep, Value, closest};

use crate::access::Members;
use crate::deserializer::{Content, Node};
use crate::findings::Findings;
use crate::mismatch::{Kind, Mismatch};
use crate::values::{ConfigValues, Entry, Given, KeyCase, VARIABLE_PREFIX};

/// Reads a type from the values; returns the value that won for every key.
pub(super) fn read(
    values: &ConfigValues,
    read: &mut Read<'_>,
) -> Result<BTreeMap<String, Value>, Diagnostics> {
    let layers = Layers::new(values);
    let mut diagnostics = Diagnostics::default();
    // A type stops at the first value that does not fit, so go on without that key until nothing new turns up.
    let complete = loop {
        let Err(error) = read(&mut <dyn erased_serde::Deserializer<'_>>::erase(&layers)) else {
            break true;
        };
        layers.leaves(Mismatch::custom(error));
        let noted = layers.findings.take_mismatch();
        let (path, mismatch) = noted.expect("invariant: it was noted just now");
        let left_out = match (&mismatch.kind, top_key(&path)) {
            (Kind::Missing(key), None) if layers.left_out.borrow().contains(*key) => break false,
            (_, Some(key)) => layers.left_out.borrow_mut().insert(key),
            (_, None) => false,
        };
        diagnostics.push(layers.diagnostic(&path, &mismatch));
        if !left_out {
            break false;
        }
    };
    let mut all = layers.unknown_keys();
    all.extend(diagnostics);
    if !complete || !all.is_empty() {
        return Err(all);
    }
    let winners = layers.winners.borrow();
    let chosen = winners.iter();
    Ok(chosen
        .map(|(key, entry)| (key.clone(), entry.given.value()))
        .collect())
}

/// The key that a path starts with.
fn top_key(path: &Path) -> Option<String> {
    match path.steps().first()? {
        PathStep::Attribute(key) | PathStep::Key(key) => Some(key.to_string()),
        PathStep::Index(_) => None,
    }
}

/// The layers while a type reads them.
struct Layers<'v> {
    values: &'v ConfigValues,
    /// The keys the type says it has.
    known: Cell<Option<&'static [&'static str]>>,
    /// The entry that won, by key.
    winners: RefCell<BTreeMap<String, &'v Entry>>,
    /// Keys whose values did not fit.
    left_out: RefCell<BTreeSet<String>>,
    /// Entries whose key is none of the known ones.
    strange: RefCell<Vec<&'v Entry>>,
    findings: Findings,
}

impl<'v> Layers<'v> {
    fn new(values: &'v ConfigValues) -> Self {
        Self {
            values,
            known: Cell::new(None),
            winners: RefCell::default(),
            left_out: RefCell::default(),
            strange: RefCell::default(),
            findings: Findings::default(),
        }
    }

    /// Notes an error of the type that asks for the whole configuration.
    fn leaves(&self, mismatch: Mismatch) -> Mismatch {
        self.findings.mismatch(&Path::root(), mismatch)
    }

    /// Decides which entry each key has. `known` is absent for types that take any key.
    fn choose(&self, known: Option<&'static [&'static str]>) {
        self.known.set(known);
        let (mut winners, mut strange) = (BTreeMap::new(), Vec::new());
        for entry in &self.values.entries {
            match (known, entry.case) {
                (None, KeyCase::Exact) => winners.insert(entry.key.clone(), entry),
                (None, KeyCase::Any) => winners.insert(entry.key.to_lowercase(), entry),
                (Some(known), case) => {
                    let exact = known.iter().find(|name| **name == entry.key);
                    let name = exact.or_else(|| match case {
                        KeyCase::Exact => None,
                        KeyCase::Any => known
                            .iter()
                            .find(|name| name.eq_ignore_ascii_case(&entry.key)),
                    });
                    match name {
                        Some(name) => winners.insert((*name).to_owned(), entry),
                        None => {
                            strange.push(entry);
                            None
                        }
                    }
                }
            };
        }
        self.winners.replace(winners);
        self.strange.replace(strange);
    }

    fn visit<V: Visitor<'v>>(&'v self, visitor: V) -> Result<V::Value, Mismatch> {
        let left_out = self.left_out.borrow().clone();
        let winners = self.winners.borrow().clone();
        let members = winners
            .into_iter()
            .filter(|(key, _)| !left_out.contains(key));
        let members = Members::new(members.map(|(key, entry)| {
            let content = match &entry.given {
                Given::Value(value) => Content::Value(Cow::Borrowed(value)),
                Given::Text(text) => Content::Text(text),
            };
            let path = Path::root().attribute(key.as_str());
            (
                key,
                Node {
                    content,
                    path,
                    set_in: &entry.source,
                    findings: &self.findings,
                },
            )
        }));
        visitor
            .visit_map(members)
            .map_err(|mismatch| self.leaves(mismatch))
    }

    /// Where a key was set, for messages.
    fn source(&self, key: &str) -> Option<String> {
        let winners = self.winners.borrow();
        winners
            .get(key)
            .map(|entry| format!("set in `{}`", entry.source))
    }

    fn unknown_keys(&self) -> Diagnostics {
        let known = self.known.get().unwrap_or_default();
        let strange = self.strange.borrow();
        let strange = strange.iter().map(|entry| {
            let source = Some(format!("set in `{}`", entry.source));
            // The environment has it in capitals, the type does not.
            let name = match entry.case {
                KeyCase::Any => entry.key.to_lowercase(),
                KeyCase::Exact => entry.key.clone(),
            };
            unknown(&name, &name, known, source)
        });
        let unasked = self.findings.take_unasked().into_iter();
        let unasked = unasked.map(|(path, known)| {
            let name = match path.steps().last() {
                Some(PathStep::Attribute(name) | PathStep::Key(name)) => name.to_string(),
                _ => String::new(),
            };
            let source = top_key(&path).and_then(|key| self.source(&key));
            unknown(&path.to_string(), &name, known, source)
        });
        strange.chain(unasked).collect()
    }

    fn diagnostic(&self, path: &Path, mismatch: &Mismatch) -> Diagnostic {
        let source = top_key(path).and_then(|key| self.source(&key));
        let detailed = |diagnostic: Diagnostic| match &source {
            Some(source) => diagnostic.detail(source.clone()),
            None => diagnostic,
        };
        let wrong = || {
            let subject = match path.is_root() {
                true => "the configuration".to_owned(),
                false => format!("configuration key `{path}`"),
            };
            detailed(Diagnostic::error(format!("{subject}: {mismatch}")))
        };
        match &mismatch.kind {
            Kind::Missing(key) => {
                let whole = path.clone().attribute(*key);
                let diagnostic =
                    Diagnostic::error(format!("configuration key `{whole}` is missing"));
                match top_key(path).zip(source.as_ref()) {
                    Some((top, source)) => diagnostic.detail(format!("`{top}` is {source}")),
                    None => diagnostic.hint(self.how_to_set(key)),
                }
            }
            Kind::Expected { expected, found }
                if expected == "a string" && found.starts_with("a number") =>
            {
                wrong().hint("write it in quotes")
            }
            Kind::NoSecretSource(_) => wrong().hint(NoSecretSource::HINT),
            Kind::NotJson { .. } => {
                let key = top_key(path).unwrap_or_default();
                wrong().hint(format!(
                    "write lists and tables as JSON, for example `--var '{key}=[\"a\", \"b\"]'`"
                ))
            }
            Kind::Unknown { name, known } => match closest(name, known.iter().copied()) {
                Some(close) => wrong().hint(format!("did you mean `{close}`?")),
                None => wrong(),
            },
            _ => wrong(),
        }
    }

    fn how_to_set(&self, key: &str) -> String {
        let entries = self.values.entries.iter();
        let mut documents = entries.filter(|entry| matches!(entry.given, Given::Value(_)));
        let document = documents.next().map(|entry| {
            let name = entry
                .source
                .rsplit_once(':')
                .map_or(entry.source.as_str(), |(name, _)| name);
            format!("in `{name}`, ")
        });
        let variable = key.to_uppercase();
        let document = document.unwrap_or_default();
        format!("set it {document}with `{VARIABLE_PREFIX}{variable}` or with `--var {key}=VALUE`")
    }
}

fn unknown(path: &str, name: &str, known: &[&str], source: Option<String>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(format!("there is no configuration key `{path}`"));
    if let Some(source) = source {
        diagnostic = diagnostic.detail(source);
    }
    if let Some(close) = closest(name, known.iter().copied()) {
        diagnostic = diagnostic.hint(format!("did you mean `{close}`?"));
    }
    if known.is_empty() {
        return diagnostic;
    }
    diagnostic.hint(format!("the keys are {}", known.join(", ")))
}

impl<'v> Deserializer<'v> for &'v Layers<'v> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.choose(None);
        self.visit(visitor)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.choose(Some(fields));
        self.visit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.choose(Some(&[]));
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_unit(visitor)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct map enum
        identifier ignored_any
    }
}
