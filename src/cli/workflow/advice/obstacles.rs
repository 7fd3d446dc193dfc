//! Deletions that a cloud would refuse, so that a run would end half-way: protected objects, and those that must be empty.

use terrane_core::addr::Mode;
use terrane_core::{Diagnostic, Holding, Program, Value, When};
use terrane_engine::{Contents, ResourceChange};

use crate::session::quoted_if_needed;
use crate::view::outline::id;
use crate::view::printable::one_line;

/// Attributes by which a cloud protects an object from deletion while they are true.
const PROTECTIONS: [&str; 4] = [
    "deletion_protection",
    "deletion_protection_enabled",
    "enable_deletion_protection",
    "disable_api_termination",
];

/// Types whose objects can only be destroyed while they are empty, the attribute that empties them first, and the command that lists
/// their contents.
const CONTAINERS: [(&str, &str, &str); 2] = [
    (
        "aws_s3_bucket",
        "force_destroy",
        "aws s3 rm --recursive --dryrun s3://",
    ),
    (
        "aws_ecr_repository",
        "force_delete",
        "aws ecr list-images --repository-name ",
    ),
];

/// More are counted.
const NAMED: usize = 10;

/// A warning for each kind of obstacle. What the providers said of the contents is told; where they said nothing, that there may be some.
pub(super) fn found(changes: &[ResourceChange], contents: &[Contents]) -> Vec<Diagnostic> {
    let is_known = |change: &ResourceChange| {
        let inside = |one: &&Contents| matches!(one.rule.holds, Holding::Inside { .. });
        let mut asked = contents.iter().filter(inside);
        asked.any(|one| one.address == change.address && one.names.is_some())
    };
    let lost = changes.iter().filter(|change| {
        change.action.destroys()
            && change.address.resource.mode == Mode::Managed
            && change.deposed.is_none()
    });
    let (mut protected, mut filled, mut snapshots) = (Vec::new(), Vec::new(), Vec::new());
    for change in lost {
        let is = |name: &str, flag: bool| {
            change.before.value.get(name).and_then(Value::as_bool) == Some(flag)
        };
        if let Some(attribute) = PROTECTIONS.iter().find(|name| is(name, true)) {
            protected.push((change, *attribute));
        }
        let kind = &*change.address.resource.type_name;
        let container = CONTAINERS.iter().find(|(name, _, _)| *name == kind);
        if let Some((_, attribute, command)) = container
            && is(attribute, false)
            && !is_known(change)
        {
            filled.push((change, *attribute, *command));
        }
        let has_no_name = change.before.value.get("final_snapshot_identifier");
        if has_no_name.is_some_and(Value::is_null) && is("skip_final_snapshot", false) {
            snapshots.push(change);
        }
    }
    let mut warnings = attached(contents);
    if !protected.is_empty() {
        let names = protected.iter();
        let names = names.map(|(change, attribute)| named(change, attribute));
        let summary = "the plan destroys objects that are protected from it, and will fail there";
        warnings.push(
            Diagnostic::warning(summary)
                .detail(listed(names))
                .hint("turn the protection off in the program and run `up` first, or leave them out with `--exclude`"),
        );
    }
    if !snapshots.is_empty() {
        let names = snapshots.iter();
        let names = names.map(|change| named(change, "skip_final_snapshot = false"));
        let summary =
            "the plan destroys databases whose last snapshot has no name, and will fail there";
        warnings.push(Diagnostic::warning(summary).detail(listed(names)).hint(
            "set `final_snapshot_identifier` or `skip_final_snapshot` in the program and run `up` first",
        ));
    }
    if !filled.is_empty() {
        let names = filled.iter();
        let names =
            names.map(|(change, attribute, _)| named(change, &format!("{attribute} = false")));
        let commands = filled
            .iter()
            .take(NAMED)
            .filter_map(|(change, _, command)| {
                let id = id(&change.before)?;
                let (words, start) = command.rsplit_once(' ')?;
                let last = quoted_if_needed(&format!("{start}{id}"));
                Some(format!("see what is in it: `{words} {last}`"))
            });
        let summary = "the plan destroys containers that must be empty, and fails where one is not";
        warnings.push(
            Diagnostic::warning(summary)
                .detail(listed(names))
                .hints(commands)
                .hint(
                    "or set the attribute in the program and run `up` first: then they are emptied",
                ),
        );
    }
    warnings
}

/// Objects that hold something, which their provider refuses to delete: a run would end there, half-way. Those that an action of the
/// program may empty first are left out. `hints` say what else there is to do.
pub(super) fn full(program: &Program, contents: &[Contents]) -> Option<Diagnostic> {
    let may_be_emptied = |one: &Contents| {
        let id = program.position(&one.address);
        id.is_some_and(|id| program.triggered(id, When::BeforeDestroy).next().is_some())
    };
    let (mut inside, mut keys) = (Vec::new(), Vec::new());
    let mut left_out = Vec::new();
    for (one, names) in told(contents) {
        let Holding::Inside { emptied_by, .. } = one.rule.holds else {
            continue;
        };
        if may_be_emptied(one) {
            continue;
        }
        let address = one.address.to_string();
        inside.push(format!(
            "{} holds {}: {}",
            one_line(&address),
            counted(one, names),
            some_of(names)
        ));
        left_out.push(format!("--exclude {}", quoted_if_needed(&address)));
        let key = format!("`{emptied_by}`");
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if inside.is_empty() {
        return None;
    }
    let keys = keys.join(" and ");
    let lose = format!(
        "to lose all of it, set {keys} in the program and run `up` first: then the deletion empties them"
    );
    let keep = format!("to keep them, pass `{}`", left_out.join(" "));
    let summary = "the plan destroys containers that are not empty, which fails";
    let error = Diagnostic::error(summary).detail(inside.join("\n"));
    Some(error.hint(lose).hint(keep))
}

/// What others made and what uses an object that goes, as the providers told it.
fn attached(contents: &[Contents]) -> Vec<Diagnostic> {
    let users = told(contents).filter_map(|(one, names)| {
        let Holding::Attached { remedy } = one.rule.holds else {
            return None;
        };
        let address = one_line(&one.address.to_string());
        let (count, some) = (counted(one, names), some_of(names));
        let text = format!("{address} is used by {count} that the program did not make: {some}");
        let warning = Diagnostic::warning(text).detail("the deletion fails, or leaves them behind");
        Some(warning.hint(remedy))
    });
    users.collect()
}

/// The objects that hold something, with its names.
fn told(contents: &[Contents]) -> impl Iterator<Item = (&Contents, &[String])> {
    contents.iter().filter_map(|one| {
        let names = one.names.as_deref().filter(|names| !names.is_empty())?;
        Some((one, names))
    })
}

fn counted(one: &Contents, names: &[String]) -> String {
    let (singular, plural) = one.rule.words;
    match names.len() {
        1 => format!("1 {singular}"),
        count => format!("{count} {plural}"),
    }
}

fn some_of(names: &[String]) -> String {
    listed(names.iter().map(|name| one_line(name)))
}

fn named(change: &ResourceChange, attribute: &str) -> String {
    format!("{} ({attribute})", one_line(&change.address.to_string()))
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let mut text = all[..all.len().min(NAMED)].join(", ");
    if all.len() > NAMED {
        text = format!("{text} and {} more", all.len() - NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrane_core::Marked;
    use terrane_engine::Action;

    use super::*;
    use crate::view::outline::samples::{change, object};

    fn destroyed(address: &str, members: &[(&str, Value)]) -> ResourceChange {
        let nothing = Arc::new(Marked::plain(Value::Null));
        change(address, Action::Delete, object(members), nothing)
    }

    #[test]
    fn deletions_that_would_be_refused_are_named_before_they_begin() {
        let id = ("id", Value::from("models"));
        let changes = [
            destroyed(
                "aws_lb.a",
                &[("enable_deletion_protection", Value::from(true))],
            ),
            destroyed(
                "aws_lb.b",
                &[("enable_deletion_protection", Value::from(false))],
            ),
            destroyed(
                "aws_s3_bucket.models",
                &[id.clone(), ("force_destroy", Value::from(false))],
            ),
            destroyed(
                "aws_s3_bucket.other",
                &[id, ("force_destroy", Value::from(true))],
            ),
            destroyed(
                "aws_db_instance.db",
                &[
                    ("skip_final_snapshot", Value::from(false)),
                    ("final_snapshot_identifier", Value::Null),
                ],
            ),
        ];
        let told: Vec<(String, Vec<String>)> = found(&changes, &[])
            .into_iter()
            .map(|one| (one.detail, one.hints))
            .collect();
        let details: Vec<&str> = told.iter().map(|(detail, _)| &**detail).collect();
        assert_eq!(
            details,
            [
                "aws_lb.a (enable_deletion_protection)",
                "aws_db_instance.db (skip_final_snapshot = false)",
                "aws_s3_bucket.models (force_destroy = false)",
            ]
        );
        assert_eq!(
            told[2].1[0],
            "see what is in it: `aws s3 rm --recursive --dryrun s3://models`"
        );
        let kept = change(
            "aws_lb.a",
            Action::Update,
            object(&[("enable_deletion_protection", Value::from(true))]),
            object(&[]),
        );
        assert!(found(&[kept], &[]).is_empty());
    }
}
