//! Providers in domain terms, over the Terraform plugin protocol.

mod provider;

pub use provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, GarbledState,
    Identity, ImportResourceState, ImportResourceStateResponse, ImportedResource,
    MoveResourceState, MoveResourceStateResponse, PlanResourceChange, PlanResourceChangeResponse,
    Provider, Providers, RawState, ReadDataSource, ReadDataSourceResponse, ReadResource,
    ReadResourceResponse, StartError, UpgradeResourceIdentity, UpgradeResourceIdentityResponse,
    UpgradeResourceState, UpgradeResourceStateResponse,
};
