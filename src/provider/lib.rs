//! Providers in domain terms, over the Terraform plugin protocol.

mod client;
mod environment;
mod log;
mod plugin;
mod plugins;
mod provider;
mod registry;
pub mod serve;
pub mod wire;

pub use environment::Environment;
pub use log::{LogLevel, LogRecord, LogSink, NoLog};
pub use plugin::{Launch, launcher};
pub use plugins::{InstalledProvider, Plugins, ProviderCommand};
pub use provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, GarbledState,
    Identity, ImportResourceState, ImportResourceStateResponse, ImportedResource,
    MoveResourceState, MoveResourceStateResponse, PlanResourceChange, PlanResourceChangeResponse,
    Provider, Providers, RawState, ReadDataSource, ReadDataSourceResponse, ReadResource,
    ReadResourceResponse, StartError, UpgradeResourceIdentity, UpgradeResourceIdentityResponse,
    UpgradeResourceState, UpgradeResourceStateResponse,
};
pub use registry::{
    CliConfig, CliConfigError, InstallationMethod, ParseVersionError, SourcePattern, Version,
    VersionRequirement,
};
pub use wire::Protocol;
