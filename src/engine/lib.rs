//! Decides what has to happen (plan), then does it (apply); emits typed events and prints nothing.

mod apply;
mod caller;
mod change;
mod config;
mod diff;
mod engine;
mod event;
mod fingerprint;
mod ignore;
mod import;
mod lookup;
mod moved;
mod object;
mod options;
mod owner;
mod plan;
mod recover;
mod scope;
mod sessions;
mod steps;
mod stop;
mod validate;
mod walk;
mod write_only;

pub use apply::Applied;
pub use caller::CallerIdentity;
pub use change::{Action, Drift, OutputChange, Reason, ResourceChange, Summary};
pub use engine::{Engine, World};
pub use event::{Event, EventSink, Silent, Step, StepKind};
pub use import::Imported;
pub use options::{PlanMode, PlanOptions, RefreshPolicy};
pub use plan::Plan;
pub use plan::file::{Fingerprint, Inputs, Origin, PlanFileError, ProviderBuild, SavedPlan};
pub use recover::{Doubt, Resolved, Settled, Unresolved};
pub use steps::{PlannedStep, StepGraph, Work};
pub use stop::Stopper;
