//! One object of a plan as it is shown: sign, name, id, reason, source line, rows.

use terrane_core::addr::InstanceAddr;
use terrane_core::{Location, Marked};
use terrane_engine::{Action, Drift, Reason, ResourceChange};

use super::{Brief, Danger};
use crate::view::diff::Row;
use crate::view::hidden::Hidden;
use crate::view::printable::{self, one_line};

/// How an action is written before a name.
pub(crate) fn sign_of(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Read => "<=",
        // An object that stays as it is has no entry.
        Action::Update | Action::NoOp => "~",
        Action::DeleteThenCreate => "-/+",
        Action::CreateThenDelete => "+/-",
        Action::Delete => "-",
        Action::Forget => ".",
    }
}

/// How an action is said: `this plan would replace aws_vpc.main`.
pub(crate) fn verb_of(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Read => "read",
        Action::Update | Action::NoOp => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Delete => "destroy",
        Action::Forget => "forget",
    }
}

/// One object of a plan.
pub(crate) struct Entry {
    pub(crate) action: Action,
    /// Its whole address.
    pub(crate) address: String,
    /// The address without the module, which the tree shows.
    pub(crate) name: String,
    /// How many modules it is in.
    pub(crate) depth: usize,
    pub(crate) id: Option<String>,
    /// Why, where no row says so.
    pub(crate) reason: Option<&'static str>,
    pub(crate) location: Option<Location>,
    /// Everything that differs.
    pub(crate) rows: Vec<Row>,
    /// In place of the rows, when it is folded.
    pub(crate) brief: Option<Brief>,
}

impl Entry {
    /// Of a change.
    pub(super) fn of_change(change: &ResourceChange, rows: Vec<Row>) -> Self {
        let deposed = change.deposed.map(|key| format!(" (deposed {key})"));
        let deposed = deposed.unwrap_or_default();
        Self {
            action: change.action,
            address: format!("{}{deposed}", one_line(&change.address.to_string())),
            name: format!("{}{deposed}", name_in_module(&change.address)),
            depth: change.address.resource.module.steps().len(),
            id: id(&change.before),
            reason: reason(change),
            location: change.location,
            rows,
            brief: None,
        }
    }

    /// Of an object that changed outside of the program.
    pub(super) fn of_drift(drift: &Drift, rows: Vec<Row>) -> Self {
        let is_gone = drift.after.value.is_null();
        Self {
            action: match is_gone {
                true => Action::Delete,
                false => Action::Update,
            },
            address: one_line(&drift.address.to_string()),
            name: name_in_module(&drift.address),
            depth: drift.address.resource.module.steps().len(),
            id: id(&drift.before),
            reason: is_gone.then_some("it is gone"),
            location: drift.location,
            rows,
            brief: None,
        }
    }

    /// What changes in a few words: the arguments of a creation, the reason, or the names of the arguments that differ.
    pub(crate) fn telling(&self) -> String {
        /// More are counted.
        const NAMED: usize = 3;
        if let Some(brief) = &self.brief {
            return brief.line();
        }
        if let Some(reason) = self.reason {
            return reason.to_owned();
        }
        let names = self.rows.iter().take(NAMED);
        let names: Vec<&str> = names.map(|row| row.label.as_str()).collect();
        let names = names.join(", ");
        match self.rows.len().saturating_sub(NAMED) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }

    /// Whether all there is to say is new, so that it folds to a line.
    pub(super) fn folds(&self) -> bool {
        matches!(self.action, Action::Create | Action::Read)
    }

    /// The same as a line of the list of lost objects.
    pub(super) fn danger(&self, cause: Option<String>) -> Danger {
        Danger {
            action: self.action,
            address: self.address.clone(),
            id: self.id.clone(),
            why: self.reason.map(str::to_owned).or(cause),
            location: self.location,
        }
    }
}

fn name_in_module(address: &InstanceAddr) -> String {
    let resource = &address.resource;
    let data = resource.mode.prefix();
    let key = address.key.as_ref();
    let key = key.map(ToString::to_string).unwrap_or_default();
    let (kind, name) = (&resource.type_name, &resource.name);
    one_line(&format!("{data}{kind}.{name}{key}"))
}

/// The id of an object, if it has one that may be shown.
pub(crate) fn id(object: &Marked) -> Option<String> {
    if Hidden::of(object).member("id").is_something() {
        return None;
    }
    object.value.get("id")?.as_str().map(printable::id)
}

fn reason(change: &ResourceChange) -> Option<&'static str> {
    if change.deposed.is_some() {
        return Some("left over from a replacement");
    }
    match change.reason? {
        Reason::ReplaceBecauseTainted => Some("tainted: an earlier creation failed half-way"),
        Reason::ReplaceByRequest => Some("replaced by request"),
        Reason::ReplaceByTriggers => Some("replaced because of `replace_triggered_by`"),
        // The attribute that forces it says so.
        Reason::ReplaceBecauseCannotUpdate => None,
        Reason::DeleteBecauseNoResourceConfig => Some("no longer declared"),
        Reason::DeleteBecauseWrongRepetition => Some("declared with keys of another kind"),
        Reason::DeleteBecauseCountIndex | Reason::DeleteBecauseEachKey => {
            Some("this key is no longer declared")
        }
        Reason::DeleteBecauseNoModule => Some("its module is no longer declared"),
        Reason::ReadBecauseConfigUnknown => {
            Some("read during apply: its arguments are not known before")
        }
        Reason::ReadBecauseDependencyPending => Some("read during apply, after its dependencies"),
    }
}
