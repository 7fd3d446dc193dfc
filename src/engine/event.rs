//! The seam between the engine and its views: a stream of typed events.

use std::sync::Arc;
use std::time::Duration;

use terrane_core::addr::{InstanceAddr, ProviderConfigAddr};
use terrane_core::{Diagnostic, Diagnostics, Marked};
use terrane_state::{DeposedKey, Timestamp};

use crate::change::Action;
use crate::plan::DeferredChange;
use crate::steps::StepId;

/// One thing that happened. The engine prints nothing; every rendering is a consumer of these.
#[derive(Debug, Clone)]
pub enum Event {
    /// A provider process is being started and configured.
    ProviderStarting {
        /// Which configuration.
        provider: ProviderConfigAddr,
    },
    /// A provider is configured and ready.
    ProviderReady {
        /// Which configuration.
        provider: ProviderConfigAddr,
        /// How long that took.
        elapsed: Duration,
    },
    /// Recovery of unresolved operations begins.
    RecoveryStarted {
        /// How many.
        total: usize,
    },
    /// Some of them were not found and may still take effect. That is waited for, unless the run is stopped.
    RecoveryWaiting {
        /// Where they were asked for.
        addresses: Vec<Arc<InstanceAddr>>,
        /// From when on they cannot any more.
        until: Timestamp,
        /// How long that is from now.
        time: Duration,
    },
    /// Planning begins.
    PlanStarted {
        /// How many instances will be looked at.
        total: usize,
    },
    /// An object is being read.
    RefreshStarted {
        /// Which.
        address: Arc<InstanceAddr>,
    },
    /// An object was read.
    RefreshDone {
        /// Which.
        address: Arc<InstanceAddr>,
    },
    /// An instance was planned (refreshed, compared, decided).
    InstancePlanned {
        /// Which.
        address: Arc<InstanceAddr>,
        /// What will be done to it.
        action: Action,
    },
    /// A change is planned later in the run.
    InstanceDeferred(DeferredChange),
    /// Applying begins.
    ApplyStarted {
        /// How many steps there are.
        total: usize,
    },
    /// A step begins: its request is about to be sent.
    StepStarted(Step),
    /// A step is done, and its result is durable.
    StepDone {
        /// Which.
        step: Step,
        /// How long it took.
        elapsed: Duration,
        /// The object's id afterwards, where it has one.
        id: Option<String>,
        /// The provider's warnings that neither the plan nor an earlier step had.
        warnings: Diagnostics,
    },
    /// A step failed. It is recorded as far as it came.
    StepFailed {
        /// Which.
        step: Step,
        /// How long it took.
        elapsed: Duration,
        /// Why.
        diagnostics: Diagnostics,
    },
    /// A step is not attempted, because something it needs failed or the run was interrupted.
    StepSkipped(Step),
    /// An action of a provider.
    Action {
        /// Its address.
        action: Arc<str>,
        /// How far it is.
        stage: ActionStage,
    },
    /// Something to read, apart from the failures above.
    Diagnostic(Diagnostic),
    /// The first interrupt arrived: no operation is started, running ones end.
    Stopping {
        /// How many operations are still running.
        running: usize,
    },
}

/// How far an action is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionStage {
    /// It is about to be invoked.
    Started,
    /// The provider tells of its progress.
    Progress(String),
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// The step that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place in the plan's step graph.
    pub id: StepId,
    /// The resource instance.
    pub address: Arc<InstanceAddr>,
    /// The deposed object, when the step is about one.
    pub deposed: Option<DeposedKey>,
    /// The kind of its operation.
    pub kind: StepKind,
}

/// What one step does; a replacement is two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// Makes an object.
    Create,
    /// Changes an object.
    Update,
    /// Destroys an object.
    Delete,
    /// Reads a data source.
    Read,
    /// Takes an object out of the state.
    Forget,
}

/// A consumer of events. Called from the engine's one task; must not block.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);

    /// Takes an object with something sensitive in it, as soon as the engine knows it and before it is sent to a provider: what comes
    /// back in a diagnostic or a log may repeat it in any wording. A sink that shows those masks it there.
    fn conceal(&self, _object: &Marked) {}
}

/// A sink that drops everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn emit(&self, _: Event) {}
}

/// A sink for a walk that nobody sees: it passes on only what must not be shown.
pub(crate) struct Quiet<'a>(pub(crate) &'a dyn EventSink);

impl EventSink for Quiet<'_> {
    fn emit(&self, _: Event) {}

    fn conceal(&self, object: &Marked) {
        self.0.conceal(object);
    }
}
