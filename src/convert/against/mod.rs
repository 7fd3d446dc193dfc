//! A plan of terrane beside one of Terraform: what they would do differently.

mod document;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

pub(crate) use document::{Change, ResourceChange};
pub use document::{NotAPlan, PlanDocument};
pub use tree::Leaf;
use tree::{Flagged, forks, marks};

/// What two plans have in common, and where they differ.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// How many objects and outputs were compared.
    pub compared: usize,
    /// How many of them differ.
    pub differing: usize,
    /// Everything that differs, by address.
    pub differences: Vec<Difference>,
}

/// One way in which two plans differ.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The object's address; `output.NAME` for an output.
    pub address: String,
    /// What differs.
    #[serde(flatten)]
    pub what: What,
}

/// What differs of an object.
#[derive(Debug, Serialize)]
#[serde(tag = "differs", rename_all = "snake_case")]
pub enum What {
    /// Only one of the plans has the object.
    Presence {
        /// Which one.
        only_in: Side,
        /// What it plans for the object.
        actions: String,
    },
    /// A fact of the change itself: its actions, their reason, the paths that force a replacement, a move or an import.
    Fact {
        /// Its name.
        name: &'static str,
        /// As terrane plans it.
        terrane: String,
        /// As Terraform plans it.
        terraform: String,
    },
    /// A value before or after the change, or that of a data source.
    Value {
        /// Before or after.
        when: &'static str,
        /// Where in the object.
        path: String,
        /// As terrane plans it.
        #[serde(serialize_with = "as_text")]
        terrane: Leaf,
        /// As Terraform plans it.
        #[serde(serialize_with = "as_text")]
        terraform: Leaf,
    },
    /// A value that only one of the plans takes for sensitive.
    Sensitivity {
        /// Before or after.
        when: &'static str,
        /// Where in the object.
        path: String,
        /// Which plan.
        only_in: Side,
    },
}

/// One of the two plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Ours.
    Terrane,
    /// That of the document to compare with.
    Terraform,
}

/// Compares a plan of terrane with one of Terraform for the same configuration and state.
///
/// Objects are compared by address: actions, reasons, values, and what of them is unknown or sensitive; then outputs, and the
/// data sources that were read while planning.
#[must_use]
pub fn compare(ours: &PlanDocument, theirs: &PlanDocument) -> Comparison {
    let mut found = Comparison::default();
    let [ours_by, theirs_by] = [ours, theirs].map(|document| {
        let changes = document.resource_changes.iter();
        changes
            .map(|change| ((&*change.address, change.deposed.as_deref()), change))
            .collect::<BTreeMap<_, _>>()
    });
    for key in keys(&ours_by, &theirs_by) {
        let pair = (ours_by.get(key).copied(), theirs_by.get(key).copied());
        let address = match key.1 {
            Some(deposed) => format!("{} (deposed object {deposed})", key.0),
            None => key.0.to_owned(),
        };
        found.object(address, pair, |it| &it.change, resource);
    }
    let [our_outputs, their_outputs] = [ours, theirs].map(|it| &it.output_changes);
    for name in keys(our_outputs, their_outputs) {
        let pair = (our_outputs.get(name), their_outputs.get(name));
        found.object(format!("output.{name}"), pair, |it| it, change);
    }
    let (our_data, their_data) = (ours.data(), theirs.data());
    // Whatever only one of them has read while planning is among the changes of the other.
    for (address, theirs) in &their_data {
        if let Some(ours) = our_data.get(address) {
            let sides = [ours, theirs].map(|it| Flagged::known(&it.values, &it.sensitive_values));
            let mut whats = Vec::new();
            values("read", sides, &mut whats);
            found.add(address, whats);
        }
    }
    found
}

impl Comparison {
    /// Whether the plans are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    fn object<T>(
        &mut self,
        address: String,
        pair: (Option<&T>, Option<&T>),
        change: impl Fn(&T) -> &Change,
        compare: impl Fn(&T, &T, &mut Vec<What>),
    ) {
        let only = |side, it| What::Presence {
            only_in: side,
            actions: change(it).actions.join(", "),
        };
        let mut whats = Vec::new();
        match pair {
            (Some(ours), Some(theirs)) => compare(ours, theirs, &mut whats),
            (Some(ours), None) => whats.push(only(Side::Terrane, ours)),
            (None, Some(theirs)) => whats.push(only(Side::Terraform, theirs)),
            (None, None) => return,
        }
        self.add(&address, whats);
    }

    fn add(&mut self, address: &str, whats: Vec<What>) {
        self.compared += 1;
        self.differing += usize::from(!whats.is_empty());
        self.differences
            .extend(whats.into_iter().map(|what| Difference {
                address: address.to_owned(),
                what,
            }));
    }
}

fn keys<'a, K: Ord, V>(ours: &'a BTreeMap<K, V>, theirs: &'a BTreeMap<K, V>) -> BTreeSet<&'a K> {
    ours.keys().chain(theirs.keys()).collect()
}

fn resource(ours: &ResourceChange, theirs: &ResourceChange, whats: &mut Vec<What>) {
    let sides = [ours, theirs];
    fact("reason", sides.map(|it| it.action_reason.clone()), whats);
    let moved = sides.map(|it| it.previous_address.clone());
    fact("previous address", moved, whats);
    let imported = sides.map(|it| it.change.importing.as_ref().map(Json::to_string));
    fact("import", imported, whats);
    let forced = sides.map(|it| {
        let paths: BTreeSet<_> = it
            .change
            .replace_paths
            .iter()
            .map(Json::to_string)
            .collect();
        Some(Vec::from_iter(paths).join(", ")).filter(|paths| !paths.is_empty())
    });
    fact("paths that force a replacement", forced, whats);
    change(&ours.change, &theirs.change, whats);
}

fn change(ours: &Change, theirs: &Change, whats: &mut Vec<What>) {
    let sides = [ours, theirs];
    fact(
        "actions",
        sides.map(|it| Some(it.actions.join(", "))),
        whats,
    );
    let before = sides.map(|it| Flagged::known(&it.before, &it.before_sensitive));
    values("before", before, whats);
    let after = sides.map(|it| Flagged {
        value: &it.after,
        unknown: &it.after_unknown,
        sensitive: &it.after_sensitive,
    });
    values("after", after, whats);
}

fn fact(name: &'static str, [ours, theirs]: [Option<String>; 2], whats: &mut Vec<What>) {
    if ours != theirs {
        let text = |fact: Option<String>| fact.unwrap_or_else(|| "none".to_owned());
        whats.push(What::Fact {
            name,
            terrane: text(ours),
            terraform: text(theirs),
        });
    }
}

fn values(when: &'static str, [ours, theirs]: [Flagged<'_>; 2], whats: &mut Vec<What>) {
    let found = forks(ours, theirs).into_iter();
    whats.extend(found.map(|fork| What::Value {
        when,
        path: fork.path,
        terrane: fork.ours,
        terraform: fork.theirs,
    }));
    let (only_ours, only_theirs) = marks(ours.sensitive, theirs.sensitive);
    for (only_in, paths) in [(Side::Terrane, only_ours), (Side::Terraform, only_theirs)] {
        whats.extend(paths.into_iter().map(|path| What::Sensitivity {
            when,
            path,
            only_in,
        }));
    }
}

fn as_text<S: Serializer>(leaf: &Leaf, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(leaf)
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terrane => "terrane",
            Self::Terraform => "Terraform",
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |when: &str, path: &str| match path {
            "" => when.to_owned(),
            path => format!("{path} ({when})"),
        };
        match self {
            Self::Presence { only_in, actions } => write!(f, "only {only_in} plans it: {actions}"),
            Self::Fact {
                name,
                terrane,
                terraform,
            } => write!(f, "{name}: terrane {terrane}, Terraform {terraform}"),
            Self::Value {
                when,
                path,
                terrane,
                terraform,
            } => write!(
                f,
                "{}: terrane {terrane}, Terraform {terraform}",
                place(when, path)
            ),
            Self::Sensitivity {
                when,
                path,
                only_in,
            } => write!(f, "{}: sensitive only in {only_in}", place(when, path)),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for Difference { address, what } in &self.differences {
            if *address != last {
                writeln!(f, "{address}")?;
                last = address;
            }
            writeln!(f, "  {what}")?;
        }
        match (self.compared, self.differing) {
            (compared, 0) => write!(f, "The plans are the same: {compared} objects and outputs."),
            (compared, differing) => write!(
                f,
                "The plans differ: {differing} of {compared} objects and outputs."
            ),
        }
    }
}

/// The values that a change changes: where, and what is there before and after.
pub(crate) fn between(change: &Change) -> Vec<(String, Leaf, Leaf)> {
    let before = Flagged::known(&change.before, &change.before_sensitive);
    let after = Flagged {
        value: &change.after,
        unknown: &change.after_unknown,
        sensitive: &change.after_sensitive,
    };
    let found = forks(before, after).into_iter();
    found
        .map(|fork| (fork.path, fork.ours, fork.theirs))
        .collect()
}
