//! terrane: infrastructure as a Rust program, on unmodified Terraform providers.
//!
//! A stack is a binary. It declares resources; the engine inside it plans and applies them.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use terrane::{Cli, Resource, Result, Stack};
//!
//! fn main() -> ExitCode {
//!     Cli::stack("demo").run(demo)
//! }
//!
//! fn demo(stack: &mut Stack) -> Result<()> {
//!     let pet = Resource::dynamic("random_pet", "name").set("length", 2).declare(stack);
//!     stack.export("name", pet.attribute::<String>("id"));
//!     Ok(())
//! }
//! ```
//!
//! Everything that a program can receive has a name here, so that a component can take it and give it back:
//!
//! ```
//! use terrane::{BlockArguments, Declaration, IntoInput, Output, Program, Resource, Stack, interpolate};
//!
//! /// The arguments that all our queues share.
//! fn queue(name: impl IntoInput<String>, retention_days: usize) -> Declaration {
//!     let retention = BlockArguments::new().set("days", retention_days);
//!     Resource::dynamic("acme_queue", "main")
//!         .set("name", name.into_input())
//!         .set("token", Output::known("hunter2").sensitive())
//!         .push_block("retention", retention)
//! }
//!
//! fn arn(stack: &mut Stack) -> Output<String> {
//!     let queue = queue("jobs", 7).declare(stack);
//!     interpolate!("arn:acme:{}", queue.attribute::<String>("id"))
//! }
//! # let program = Program::from_fn(|stack| { let arn = arn(stack); stack.export("arn", arn); Ok(()) }, terrane::ConfigValues::new());
//! # assert_eq!(program.unwrap().resources().len(), 1);
//! ```
//!
//! Types with bindings are named through those (`terrane_aws::ec2::Vpc`); [`Resource::dynamic`] is for the rest.
//!
//! | to | use |
//! |---|---|
//! | run a stack from the command line | [`Cli`] |
//! | keep its state in S3 | [`S3Backend`] |
//! | keep it encrypted | [`EncryptedWith`], [`AwsKms`], [`Age`] |
//! | keep it in a store of one's own | [`Cli::backends`] |
//! | declare things, read configuration, publish values | [`Stack`] |
//! | use values that the cloud decides | [`Output`], [`all`], [`interpolate!`] |
//! | use a value before the component that gives it was declared | [`Stack::forward`] |
//! | call a provider's function | [`ProviderHandle::function`] |
//! | use a secret that no state holds | [`EphemeralResource`], [`Ephemeral`], [`Declaration::set_write_only`] |
//! | invoke an action of a provider | [`ProviderAction`] |
//! | tell a provider about a module (`provider_meta`) | [`ProviderMeta`] |
//! | rename, give up or take in what exists | [`Stack::moved`], [`Stack::removed`], [`Stack::import`] |
//! | accept arguments in a component of your own | [`Input`], [`IntoInput`] |
//! | name a secret in the configuration | [`Secret`] |
//! | hide a value | [`Output::known`] and [`Output::sensitive`] |
//! | say how the engine may treat an object | [`Lifecycle`] |
//! | refuse plans that break a rule | [`Stack::policy`], [`Policy`] |
//! | test a stack without any cloud | the crate `terrane-testkit`; [`Program::from_fn`] for the declarations alone |
//! | drive stacks from a program of one's own | [`deploy::Deployment`] |
//!
//! Why not a prelude to glob-import: these names are few, and a reader of a stack should see where each comes from.

/// The names that generated bindings are made of; a program needs none of them itself.
#[doc(no_inline)]
pub use terrane_core as bindings;

pub use terrane_cli::{
    Age, AwsKms, BackendConfig, Cli, DataKey, EncryptedWith, Encryption, FleetCli, KeyService,
    S3Backend, SecretFault,
};
pub use terrane_config::ConfigValues;
pub use terrane_core::addr::{
    InstanceAddr, InstanceKey, KeyTooLarge, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource,
    ResourceAddr,
};
pub use terrane_core::policy::{
    Attached, Enforcement, Fact, Planned, PlannedObject, PlannedStack, Policy, PolicyFinding,
    PolicyOutcome, PolicyReport, ReviewedPlan,
};
pub use terrane_core::value::{Map, Number};
pub use terrane_core::{
    Action, Arguments, BlockArguments, Call, Configuration, Declaration, Diagnostic, Diagnostics,
    Ephemeral, EphemeralDeclaration, EphemeralResource, Error, EvalError, Export, Exports, Expr,
    Forward, FromValue, IgnoreChanges, ImportBy, Input, IntoEphemeralExpr, IntoExpr, IntoInput,
    IntoValue, IntoWriteOnly, Lifecycle, Literal, Location, Marked, Nested, NestedList, NestedOnly,
    Output, Outputs, Path, PathStep, Program, ProviderConfig, ProviderDeclaration, ProviderHandle,
    Reference, Resource, ResourceInstance, ResourceType, Result, Scope, Secret, SecretSource,
    Severity, Stack, Trigger, Type, TypeMismatch, Value, WriteOnly, all, interpolate,
};
pub use terrane_core::{OnFailure, ProviderAction, ProviderMeta, When};
pub use terrane_core::{Producer, StackRef, StackReference, StateReads};
pub use terrane_fleet::{Fleet, FleetStack};
pub use terrane_macros::Exports;

/// Stacks as values of a program: previewed, brought up and destroyed in a web service, a test or a tool.
///
/// ```
/// use std::sync::Arc;
/// use terrane::deploy::{Deployment, DeploymentHost, MemoryBackend, Preview};
/// use terrane::{Resource, Stack};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), terrane::deploy::DeployError> {
/// let demo = |stack: &mut Stack| {
///     Resource::dynamic("terraform_data", "greeting").set("input", "hello").declare(stack);
///     Ok(())
/// };
/// let host = DeploymentHost::new()?;
/// let demo = Deployment::new("demo", demo, &host).store(Arc::new(MemoryBackend::new()));
/// assert_eq!(demo.preview(Preview::default()).await?.summary().create, 1);
/// # Ok(()) }
/// ```
///
/// Operations are methods of [`Deployment`](deploy::Deployment); they run on a [`DeploymentHost`](deploy::DeploymentHost), which shares provider
/// processes among them. `docs/embedding.md` is the guide.
pub mod deploy {
    pub use terrane_deploy::{
        Action, Applied, Backend, CallerIdentity, Cancellation, Decision, DeferredChange,
        DeployError, Deployed, Deployment, DeploymentHost, Environment, Event, EventSink, Launch,
        MemoryBackend, OutputValue, Plan, PlanBytes, PlanOptions, Preview, Previewed, Producers,
        Proposal, ProviderSetup, RefreshPolicy, ResourceChange, Sandbox, Silent, StackOutputs,
        State, Step, StepKind, Summary, Unresolved, Up, begin,
    };
}
