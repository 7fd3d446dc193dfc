//! Providers in domain terms, over the Terraform plugin protocol.
//!
//! Life of a provider: [`Plugins`] finds its binary (CLI configuration, mirrors, `dev_overrides`), starts it with only the
//! environment it needs, shakes hands, asks for its schema and hands it out as a [`Provider`]; the engine configures it and
//! calls it, many calls at once; [`Provider::shutdown`] ends it, and so does our own death.
//!
//! | module | holds |
//! | --- | --- |
//! | `provider` | the boundary with the engine: traits, requests, responses, errors |
//! | `function`, `ephemeral`, `listing`, `action`, `deferred` | the requests and responses of those features |
//! | `plugins` | which command is which provider |
//! | `cache` | schemas that an earlier process of the same binary gave |
//! | `builtin` | the one provider that is no process: `terraform_data` |
//! | `environment` | which variables a provider may see |
//! | `withheld` | and which it does not see, for when it misses one |
//! | `plugin` | processes: launch, handshake, TLS, gRPC channel, logs, last words, end |
//! | `client` | [`Provider`] over a plugin, for both protocol versions |
//! | [`wire`] | protobuf, method names, MessagePack |
//! | [`serve`] | the server half, for the embedded cloud and for tests |
//! | `log` | where the log lines of providers go |
//! | `recording` | conversations in files: recorded, and answered from |
//! | `bare` | a process without `client` around it, for benchmarks |
//!
//! Why not tonic's transport: a provider is one process behind one connection, so a pool, a balancer and a reconnect could only
//! do harm, and their queue would cost a task switch a call. Why not the generated client and server of each protocol version:
//! both versions have the same messages, so one table of method names says all that differs.

mod action;
mod bare;
mod builtin;
mod cache;
mod client;
mod deferred;
mod environment;
mod ephemeral;
mod function;
mod listing;
mod log;
mod plugin;
mod plugins;
mod provider;
mod recording;
pub mod serve;
mod timing;
pub mod wire;
mod withheld;

pub use action::{InvokeAction, PlanActionResponse, Progress};
#[doc(hidden)]
pub use bare::BareProvider;
pub use builtin::Builtin;
pub use deferred::Deferred;
pub use environment::Environment;
pub use ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
pub use function::{CallFunction, CallFunctionResponse, FunctionError};
pub use listing::{ListResource, ListedResource};
pub use log::{LogLevel, LogRecord, LogSink, NoLog};
pub use plugin::{Launch, launcher};
pub use plugins::{InstalledProvider, Plugins, ProviderCommand};
pub use provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, GarbledState,
    GenerateResourceConfigResponse, Identity, ImportResourceState, ImportResourceStateResponse,
    ImportedResource, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, Provider, Providers, RawState, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse, StartError,
    UpgradeResourceIdentity, UpgradeResourceIdentityResponse, UpgradeResourceState,
    UpgradeResourceStateResponse,
};
pub use recording::{RecordObserver, Recorder, Recording, RecordingError};
pub use terrane_registry::{CliConfig, Version, VersionRequirement};
pub use timing::{CallTime, about};
pub use wire::Protocol;
