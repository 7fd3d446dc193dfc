//! Changes: the action that a plan takes on each object, and the reason.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
pub use terrane_core::Action;
use terrane_core::addr::{InstanceAddr, ProviderConfigAddr};
use terrane_core::schema::Schema;
use terrane_core::{Location, Marked, Path, id_type};
use terrane_provider::Identity;
use terrane_state::DeposedKey;

id_type! {
    /// The place of a change in a plan.
    pub struct ChangeId;
}

/// Why an action was chosen, where that is not plain from the action itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An earlier creation ended half-way.
    ReplaceBecauseTainted,
    /// An attribute changed that cannot be changed in place.
    ReplaceBecauseCannotUpdate,
    /// `--replace` names it.
    ReplaceByRequest,
    /// Something in its `replace_triggered_by` changes.
    ReplaceByTriggers,
    /// The program does not declare it any more.
    DeleteBecauseNoResourceConfig,
    /// The program declares the resource without keys, or with keys of the other kind.
    DeleteBecauseWrongRepetition,
    /// The program declares fewer numbered instances.
    DeleteBecauseCountIndex,
    /// The program does not declare this key any more.
    DeleteBecauseEachKey,
    /// The program does not declare anything in its module any more.
    DeleteBecauseNoModule,
    /// Part of the configuration is not known before apply.
    ReadBecauseConfigUnknown,
    /// Something in its `depends_on` has changes to make first.
    ReadBecauseDependencyPending,
}

/// The change planned for one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceChange {
    /// The resource instance.
    pub address: Arc<InstanceAddr>,
    /// The deposed object this is about; `None` for the current one.
    pub deposed: Option<DeposedKey>,
    /// The provider configuration that serves it.
    pub provider: ProviderConfigAddr,
    /// The operation.
    pub action: Action,
    /// Why.
    pub reason: Option<Reason>,
    /// The object before; null on creation.
    pub before: Arc<Marked>,
    /// The object after, with unknowns; null on deletion.
    pub after: Arc<Marked>,
    /// The attributes that force the replacement, where there is one.
    pub replace_paths: Vec<Path>,
    /// The schema of the resource type.
    pub schema: Arc<Schema>,
    /// The provider's private bytes of this plan.
    pub private: Bytes,
    /// The identity before.
    pub before_identity: Option<Identity>,
    /// The identity that the provider means to give it.
    pub planned_identity: Option<Identity>,
    /// The new object comes before the old one goes, by its own wish or because a dependent needs it.
    pub create_before_destroy: bool,
    /// Where the program declares it; `None` when it no longer does.
    pub location: Option<Location>,
}

/// An object that differs from the one in the state.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The resource instance.
    pub address: Arc<InstanceAddr>,
    /// The provider configuration that serves it.
    pub provider: ProviderConfigAddr,
    /// As the state has it.
    pub before: Arc<Marked>,
    /// As it is; null when it is gone.
    pub after: Arc<Marked>,
    /// The schema of the resource type.
    pub schema: Arc<Schema>,
    /// Where the program declares it.
    pub location: Option<Location>,
}

/// The change of one exported value.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputChange {
    /// Its name.
    pub name: Arc<str>,
    /// The stored value; `None` when there is none.
    pub before: Option<Marked>,
    /// The planned value; `None` when it goes.
    pub after: Option<Marked>,
    /// Where the program exports it.
    pub location: Option<Location>,
}

impl OutputChange {
    /// Whether it is sensitive, before or after.
    pub fn is_sensitive(&self) -> bool {
        let sides = [&self.before, &self.after];
        sides.into_iter().flatten().any(Marked::is_sensitive)
    }

    /// `Create`, `Update`, `Delete` or `NoOp`.
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            // No state holds an export that is null.
            (None, Some(after)) if after.value.is_null() => Action::NoOp,
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after))
                if before.value.known_equal(&after.value)
                    && before.is_sensitive() == after.is_sensitive() =>
            {
                Action::NoOp
            }
            (Some(_), Some(_)) => Action::Update,
            (None, None) => Action::NoOp,
        }
    }
}

/// How many objects a plan touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects made, replacements not counted.
    pub create: usize,
    /// Objects changed in place.
    pub update: usize,
    /// Objects replaced.
    pub replace: usize,
    /// Objects destroyed, replacements not counted.
    pub delete: usize,
    /// Data sources read during apply.
    pub read: usize,
    /// Objects taken out of the state.
    pub forget: usize,
}

impl Summary {
    /// The sum of both.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            create: self.create + other.create,
            update: self.update + other.update,
            replace: self.replace + other.replace,
            delete: self.delete + other.delete,
            read: self.read + other.read,
            forget: self.forget + other.forget,
        }
    }

    /// Counts changes.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a ResourceChange>) -> Self {
        let mut summary = Self::default();
        for change in changes {
            match change.action {
                Action::NoOp => {}
                Action::Create => summary.create += 1,
                Action::Read => summary.read += 1,
                Action::Update => summary.update += 1,
                Action::DeleteThenCreate | Action::CreateThenDelete => summary.replace += 1,
                Action::Delete => summary.delete += 1,
                Action::Forget => summary.forget += 1,
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use terrane_core::Value;

    use super::*;

    #[test]
    fn an_export_that_is_null_and_was_not_stored_does_not_change() {
        let export = |before: Option<Value>, after: Option<Value>| OutputChange {
            name: "subnet".into(),
            before: before.map(Marked::plain),
            after: after.map(Marked::plain),
            location: None,
        };
        let text = || Some(Value::from("subnet-1"));
        for (before, after, action) in [
            (None, Some(Value::Null), Action::NoOp),
            (None, Some(Value::UNKNOWN), Action::Create),
            (None, text(), Action::Create),
            (text(), Some(Value::Null), Action::Update),
            (text(), text(), Action::NoOp),
            (text(), None, Action::Delete),
        ] {
            assert_eq!(export(before, after).action(), action);
        }
    }
}
