//! Requests and responses about actions: what a provider does on demand, without an object of its own.

use terrane_core::{Diagnostics, Value};

use crate::deferred::Deferred;

/// Request of `PlanAction` and of `InvokeAction`.
#[derive(Debug, Clone, Copy)]
pub struct InvokeAction<'a> {
    /// The action's type.
    pub action_type: &'a str,
    /// The configuration; wholly known when it is invoked.
    pub config: &'a Value,
}

/// Response of `PlanAction`.
#[derive(Debug, Clone)]
pub struct PlanActionResponse {
    /// The provider defers it.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Takes what a running action says about its progress.
pub type Progress<'a> = &'a (dyn Fn(String) + Send + Sync);
