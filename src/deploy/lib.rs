//! Stacks as values of a program: [`Deployment`]s that are previewed, brought up, refreshed and destroyed. Prints nothing, and reads no
//! environment that it is not given.
//!
//! The life of an operation: its [`DeploymentHost`] gives it a turn; the stack's function is run with its configuration; its providers
//! are found; [`Run`](terrane_state::Run) takes the lock and the state; [`attend`] recovers, plans, has the plan confirmed and applies
//! it; the run is closed, and its results are rescued if they could not be stored.
//!
//! | module | holds |
//! |---|---|
//! | `deployment` | [`Deployment`]: preview, up, refresh, destroy, outputs |
//! | `host` | [`DeploymentHost`]: the thread of operations, and how many run at once; stack functions have threads of their own |
//! | `options`, `deployed`, `error` | what an operation is asked, and what it answers |
//! | `cancellation` | [`Cancellation`] from elsewhere |
//! | `run` | the order of a run, whoever attends it |
//! | `saved` | [`PlanBytes`]: plans that are kept, and applied exactly or refused |
//! | `unresolved` | unresolved operations as diagnostics |
//! | `program` | the program of a stack, and the registries of its providers |
//! | `providers` | how they are installed and started |
//! | `sharing` | provider processes that the operations of a host share |
//! | `policies`, `callers` | what is asked about a plan |
//! | `transfers` | moves between states that were interrupted |
//! | `rescue` | results that no store took |
//! | `redactor`, `masked` | known secrets, masked in messages and events |
//! | `identity` | who runs this |
//!
//! **Why** operations have a thread of their own: the engine is one task that nothing interrupts, so its futures are not `Send`; the
//! handlers of a web server must be. So the work stays where it is, and messages travel.

use std::process::ExitCode;

mod callers;
mod cancellation;
mod deployed;
mod deployment;
mod error;
mod host;
pub mod identity;
mod masked;
mod options;
mod plan_cache;
pub mod policies;
mod program;
mod providers;
mod redactor;
mod rescue;
mod run;
pub mod saved;
mod sharing;
mod transfers;
pub mod unresolved;

pub use callers::known as known_callers;
pub use cancellation::Cancellation;
pub use deployed::{Deployed, Previewed, StackOutputs};
pub use deployment::Deployment;
pub use error::DeployError;
pub use host::DeploymentHost;
pub use masked::{MaskedEvents, masked};
pub use options::{Decision, PARALLELISM, Preview, Up};
pub use plan_cache::KeptCache;
pub use program::{
    Producers, declared, host_among, needs_state_for_hosts, read_references, read_secrets,
    resolve_hosts, same_hosts,
};
pub use providers::{
    LOCK_FILE, ProviderSetup, Sandbox, cache_folder, cli_config, not_installed, own_digest,
    own_program, provider_builds, required_providers,
};
pub use redactor::{Redactor, SENSITIVE};
pub use rescue::{Aftermath, RescueFolder, Unpushed, lost};
pub use run::{
    Attendant, Carried, Ended, FreshPlan, HeldRun, PlanSource, Proposal, Rehearsed, Sourced,
    attend, make_plan, rehearse,
};
pub use saved::PlanBytes;
pub use terrane_engine::{
    Action, Applied, CallerIdentity, DeferredChange, Event, EventSink, Plan, PlanOptions,
    RefreshPolicy, ResourceChange, Silent, Step, StepKind, Summary, Unresolved,
};
pub use terrane_provider::{Environment, Launch};
pub use terrane_state::model::OutputValue;
pub use terrane_state::{Backend, MemoryBackend, State};
pub use transfers::unfinished_moves;

/// Becomes a provider process if this program was started as one; then `main` returns the result. To be called first thing in `main`,
/// with the environment, by programs that use [`Launch::Reexec`] or a [`Sandbox`].
pub fn begin(environment: &Environment) -> Option<ExitCode> {
    terrane_provider::launcher::run_if_asked();
    terrane_sandbox::serve_if_asked(environment)
}
