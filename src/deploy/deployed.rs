//! The results of operations on a deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use terrane_core::policy::PolicyReport;
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::{
    Applied, CallerIdentity, DeferredChange, DeferredModule, Plan, ProviderBuild, Recovered,
    Summary, Unresolved,
};
use terrane_state::Timestamp;
use terrane_state::model::OutputValue;

use crate::error::DeployError;

/// The result of a preview.
#[derive(Debug)]
#[non_exhaustive]
pub struct Previewed {
    /// The plan.
    pub plan: Plan,
    /// The program that it was made for.
    pub program: Program,
    /// The report of each policy of the program.
    pub policies: Vec<PolicyReport>,
    /// In whose name it acts, as far as the providers say it soon.
    pub callers: Vec<CallerIdentity>,
    /// Unresolved operations of earlier runs, as a run would find them now.
    pub recovered: Recovered,
    /// Errors and warnings of planning, known secrets masked.
    pub diagnostics: Diagnostics,
    /// When it was made.
    pub made_at: Timestamp,
    /// The builds of its providers.
    pub(crate) providers: Vec<ProviderBuild>,
    /// Whether it was made without reading objects.
    pub(crate) unread: bool,
}

impl Previewed {
    /// How many objects the plan touches.
    pub fn summary(&self) -> Summary {
        self.plan.summary()
    }

    /// Whether applying it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// The mandatory policies that refuse it.
    pub fn refusals(&self) -> impl Iterator<Item = &PolicyReport> {
        self.policies.iter().filter(|report| report.refuses())
    }
}

/// The result of a run: of `up`, `refresh` or `destroy`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Deployed {
    /// The plan that was applied; the first one, where it deferred changes.
    pub plan: Plan,
    /// How applying went; `None` where there was nothing to apply.
    pub applied: Option<Applied>,
    /// Changes that no plan of the run has reached.
    pub deferred: Vec<DeferredChange>,
    /// Modules whose values no plan of the run has known.
    pub deferred_modules: Vec<DeferredModule>,
    /// Operations of earlier runs whose outcome is still unknown.
    pub unresolved: Vec<Unresolved>,
    /// The exported values after it.
    pub outputs: StackOutputs,
    /// The serial of the stored state; 0 when there is none.
    pub serial: u64,
    /// Errors and warnings, known secrets masked.
    pub diagnostics: Diagnostics,
    pub(crate) was_cancelled: bool,
}

impl Deployed {
    /// The changes that were made, counted as plans count.
    pub fn summary(&self) -> Summary {
        self.applied.as_ref().map(|it| it.done).unwrap_or_default()
    }

    /// Whether it was cancelled on the way.
    pub fn was_cancelled(&self) -> bool {
        self.was_cancelled || self.applied.as_ref().is_some_and(|it| it.interrupted)
    }

    /// Whether everything was done, and nothing waits for a person.
    pub fn is_complete(&self) -> bool {
        let applied = self.applied.as_ref().is_none_or(Applied::is_complete);
        applied && self.unresolved.is_empty() && !self.was_cancelled
    }
}

/// The exported values of a stack, as its state has them.
#[derive(Debug, Clone, Default)]
pub struct StackOutputs(pub(crate) BTreeMap<Arc<str>, OutputValue>);

impl StackOutputs {
    /// The value of that name, as a type that serde reads.
    ///
    /// # Errors
    /// When the stack exports no such value, or it is of another shape. The message holds no value.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, DeployError> {
        let Some(output) = self.0.get(name) else {
            let names: Vec<&str> = self.names().collect();
            let missing = Diagnostic::error(format!("the state has no output `{name}`"));
            return Err(match names.is_empty() {
                true => missing.hint("it has no outputs; run `up` first").into(),
                false => missing.hint(format!("it has {}", names.join(", "))).into(),
            });
        };
        serde_json::from_str(output.value.as_str()).map_err(|error| {
            let differs = Diagnostic::error(format!("the output `{name}` is of another type"));
            let place = format!("it is a {}", output.ty);
            // What serde says of a value repeats it.
            let detail = match output.sensitive {
                true => place,
                false => format!("{place}: {error}"),
            };
            differs.detail(detail).into()
        })
    }

    /// Whether the value of that name must not be shown.
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|output| output.sensitive)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    /// Each value as it is stored.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OutputValue)> {
        self.0.iter().map(|(name, output)| (&**name, output))
    }
}
