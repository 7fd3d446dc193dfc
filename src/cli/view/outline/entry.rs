//! One object of a plan as it is shown: sign, name, id, reason, source line, rows.

use terrane_core::addr::InstanceAddr;
use terrane_core::{Location, Marked};
use terrane_engine::{Action, Drift, Reason, ResourceChange};

use super::{Brief, Danger};
use crate::view::diff::Row;
use crate::view::hidden::Hidden;
use crate::view::printable::{self, one_line};

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Create,
    Read,
    Update,
    /// The old object goes first.
    DeleteThenCreate,
    /// The new object comes first.
    CreateThenDelete,
    Delete,
    Forget,
}

impl Sign {
    /// As it is written before a name.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Read => "<=",
            Self::Update => "~",
            Self::DeleteThenCreate => "-/+",
            Self::CreateThenDelete => "+/-",
            Self::Delete => "-",
            Self::Forget => ".",
        }
    }

    /// As it is said: `aws_vpc.main is replaced`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::DeleteThenCreate | Self::CreateThenDelete => "replace",
            Self::Delete => "destroy",
            Self::Forget => "forget",
        }
    }

    /// Whether all there is to say is new, so that it folds to a line.
    pub(super) fn folds(self) -> bool {
        matches!(self, Self::Create | Self::Read)
    }

    fn of(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Read => Self::Read,
            // An object that stays as it is has no entry.
            Action::Update | Action::NoOp => Self::Update,
            Action::DeleteThenCreate => Self::DeleteThenCreate,
            Action::CreateThenDelete => Self::CreateThenDelete,
            Action::Delete => Self::Delete,
            Action::Forget => Self::Forget,
        }
    }
}

/// One object of a plan.
pub(crate) struct Entry {
    pub(crate) sign: Sign,
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
            sign: Sign::of(change.action),
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
            sign: match is_gone {
                true => Sign::Delete,
                false => Sign::Update,
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

    /// The same as a line of the list of lost objects.
    pub(super) fn danger(&self, cause: Option<String>) -> Danger {
        Danger {
            sign: self.sign,
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
