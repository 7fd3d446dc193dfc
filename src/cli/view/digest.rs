//! The digest of a plan: SHA-256 of what a reader approves, the same whenever the same would be done in the same place.
//!
//! It covers where the plan acts and, of each object and exported value that changes, the values before and after. Of a hidden value it
//! covers only whether it changes: a digest is published, and a short secret could be found by trying. Times, source lines and objects
//! that stay as they are have no part in it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap as _, SerializeSeq as _, Serializer};
use terrane_core::value::saved::Borrowed;
use terrane_core::{Marked, Program, Value};
use terrane_engine::{Action, Drift, Invocation, OutputChange, Plan, PlanMode, ResourceChange};
use terrane_state::Sha256;

use super::Place;
use super::hidden::Hidden;

/// The version of this scheme: another one would give every plan another digest.
const SCHEME: u32 = 1;

/// The digest of a plan, and those of its parts, by which two plans are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanDigest {
    /// Of the whole plan.
    pub(crate) sha256: Sha256,
    /// Where it acts, as one line.
    pub(crate) place: String,
    /// The beginning of the digest of each part: by address, and `output.NAME`.
    pub(crate) parts: BTreeMap<String, String>,
}

/// How a plan is approved: by its digest, which is made when somebody asks for it.
#[derive(Default)]
pub(crate) struct Approval {
    digest: OnceCell<PlanDigest>,
    /// The command that applies what has the digest, before and after the digest.
    command: Option<(String, String)>,
}

impl Approval {
    /// The place of the digest in a command.
    const BLANK: char = '\0';

    /// By a command: `command` gets the arguments that approve, and makes a whole command line of them.
    pub(crate) fn by_command(command: impl Fn(&str) -> String) -> Self {
        let line = command(&format!("--plan-digest {}", Self::BLANK));
        let parts = line.split_once(Self::BLANK);
        Self {
            digest: OnceCell::new(),
            command: parts.map(|(before, after)| (before.to_owned(), after.to_owned())),
        }
    }

    /// The digest of the plan that is approved.
    pub(crate) fn digest(&self, plan: &Plan, program: &Program, place: &Place) -> &PlanDigest {
        self.digest
            .get_or_init(|| PlanDigest::of(plan, program, place))
    }

    /// The command that applies what has that digest, where there is one.
    pub(super) fn command(&self, digest: &PlanDigest) -> Option<String> {
        let (before, after) = self.command.as_ref()?;
        Some(format!("{before}{}{after}", digest.sha256))
    }
}

/// How many characters of a part's digest are kept: enough to see that two differ.
const PART: usize = 16;

impl PlanDigest {
    /// Of a plan that acts there.
    pub(crate) fn of(plan: &Plan, program: &Program, place: &Place) -> Self {
        let mut parts: BTreeMap<String, Sha256> = BTreeMap::new();
        let changing = plan.changes.iter();
        for change in changing.filter(|change| change.action != Action::NoOp) {
            let mut name = change.address.to_string();
            if let Some(key) = change.deposed {
                name = format!("{name} (deposed {key})");
            }
            parts.insert(name, of_change(change));
        }
        // Elsewhere drift is recorded without a question.
        if plan.mode == PlanMode::RefreshOnly {
            for drift in &plan.drift {
                parts.insert(drift.address.to_string(), of_drift(drift));
            }
        }
        for moved in &plan.moves {
            let name = format!("{} (moved)", moved.to);
            parts.insert(name, digest(&moved.from.to_string()));
        }
        for (address, by) in &plan.adoptions {
            parts.insert(format!("{address} (imported)"), digest(by));
        }
        for invocation in plan.invocations(program) {
            let Invocation {
                action,
                provider,
                address,
                when,
                ..
            } = invocation;
            let name = format!("{action} ({when} of {address})");
            parts.insert(name, digest(&provider.to_string()));
        }
        for deferred in &plan.deferred {
            let name = format!("{} (deferred)", deferred.address);
            parts.insert(name, digest(&deferred.action));
        }
        for module in &plan.deferred_modules {
            parts.insert(
                format!("{} (deferred)", module.address),
                digest(&module.action),
            );
        }
        let outputs = plan.outputs.iter();
        for output in outputs.filter(|output| output.action() != Action::NoOp) {
            parts.insert(format!("output.{}", output.name), of_output(output));
        }
        let mut parts: BTreeMap<String, String> = parts
            .into_iter()
            .map(|(name, digest)| (name, digest.to_string()))
            .collect();
        let sha256 = digest(&(SCHEME, mode(plan.mode), place, &parts));
        parts.values_mut().for_each(|digest| digest.truncate(PART));
        Self {
            sha256,
            place: place.line(),
            parts,
        }
    }
}

/// How the mode of a plan is called.
pub(super) fn mode(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Normal => "normal",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly => "refresh_only",
    }
}

fn of_change(change: &ResourceChange) -> Sha256 {
    let paths = change.replace_paths.iter().map(ToString::to_string);
    let identity = change.planned_identity.as_ref();
    digest(&(
        change.action,
        change.provider.to_string(),
        change.create_before_destroy,
        paths.collect::<Vec<_>>(),
        identity.map(|identity| Borrowed(&identity.value)),
        Sides::of(&change.before, &change.after),
    ))
}

fn of_drift(drift: &Drift) -> Sha256 {
    digest(&(
        drift.provider.to_string(),
        Sides::of(&drift.before, &drift.after),
    ))
}

fn of_output(output: &OutputChange) -> Sha256 {
    let absent = Marked::default();
    let [before, after] =
        [&output.before, &output.after].map(|side| side.as_ref().unwrap_or(&absent));
    digest(&(output.action(), Sides::of(before, after)))
}

fn digest(content: &impl Serialize) -> Sha256 {
    let bytes = serde_json::to_vec(content);
    Sha256::of(&bytes.expect("invariant: every part of a plan is serialisable"))
}

/// An object before and after.
struct Sides<'a> {
    sides: [&'a Marked; 2],
    hidden: [Hidden; 2],
}

impl<'a> Sides<'a> {
    fn of(before: &'a Marked, after: &'a Marked) -> Self {
        Self {
            sides: [before, after],
            hidden: Hidden::of_each([before, after]),
        }
    }
}

impl Serialize for Sides<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ([before, after], [hidden_before, hidden_after]) = (self.sides, &self.hidden);
        let shown = |value, hidden, other| Shown {
            value,
            hidden,
            other: Some(other),
        };
        (
            shown(&before.value, hidden_before, &after.value),
            shown(&after.value, hidden_after, &before.value),
            before.is_sensitive(),
            after.is_sensitive(),
        )
            .serialize(serializer)
    }
}

/// A value without its hidden parts; in place of each stands whether it is the same on the other side.
struct Shown<'a> {
    value: &'a Value,
    hidden: &'a Hidden,
    other: Option<&'a Value>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            value,
            hidden,
            other,
        } = *self;
        if hidden.is_whole() {
            return ("hidden", other == Some(value)).serialize(serializer);
        }
        match value {
            Value::Map(members) if hidden.is_something() => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members.iter() {
                    let inside = Shown {
                        value,
                        hidden: hidden.member(name),
                        other: other.and_then(|other| other.get(name)),
                    };
                    map.serialize_entry(name, &inside)?;
                }
                map.end()
            }
            Value::List(elements) if hidden.is_something() => {
                let mut sequence = serializer.serialize_seq(Some(elements.len() + 1))?;
                sequence.serialize_element("list")?;
                for (index, value) in elements.iter().enumerate() {
                    sequence.serialize_element(&Shown {
                        value,
                        hidden: hidden.element(index),
                        other: match other {
                            Some(Value::List(others)) => others.get(index),
                            _ => None,
                        },
                    })?;
                }
                sequence.end()
            }
            Value::Dynamic(dynamic) if hidden.is_something() => {
                let inside = Shown {
                    value: &dynamic.1,
                    hidden,
                    other: match other {
                        Some(Value::Dynamic(other)) => Some(&other.1),
                        _ => other,
                    },
                };
                ("dynamic", &dynamic.0, inside).serialize(serializer)
            }
            // Of a set either all is hidden or nothing.
            value => Borrowed(value).serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn part(before: &str, after: &str) -> Sha256 {
        let side = |json: &str| Marked {
            value: Value::from_json_untyped(json.as_bytes()).expect("JSON"),
            sensitive: BTreeSet::from(["secret".parse().expect("a path")]),
        };
        digest(&Sides::of(&side(before), &side(after)))
    }

    #[test]
    fn every_shown_value_counts_and_of_a_hidden_one_whether_it_changes() {
        let one = part(r#"{"a":1,"secret":"pin-1"}"#, r#"{"a":2,"secret":"pin-1"}"#);
        let shown = part(r#"{"a":1,"secret":"pin-1"}"#, r#"{"a":3,"secret":"pin-1"}"#);
        assert_ne!(one, shown);
        let changed = part(r#"{"a":1,"secret":"pin-1"}"#, r#"{"a":2,"secret":"pin-2"}"#);
        assert_ne!(one, changed);
        // Trying every secret finds nothing out.
        let other = part(r#"{"a":1,"secret":"pin-8"}"#, r#"{"a":2,"secret":"pin-9"}"#);
        assert_eq!(changed, other);
        // A copy is as hidden as its origin.
        let copied = |secret: &str| {
            let json = format!(r#"{{"secret":"{secret}","list":["x","{secret}"]}}"#);
            part("null", &json)
        };
        assert_eq!(copied("longer-pin-1"), copied("longer-pin-2"));
    }
}
