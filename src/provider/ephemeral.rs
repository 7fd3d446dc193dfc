//! Requests and responses about ephemeral resources: opened for a run, renewed while it lasts, closed at its end, and never stored.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use terrane_core::{Diagnostics, Value};

use crate::deferred::Deferred;

/// Request of `OpenEphemeralResource`.
#[derive(Debug, Clone, Copy)]
pub struct OpenEphemeralResource<'a> {
    /// The ephemeral resource type.
    pub type_name: &'a str,
    /// The configuration, wholly known.
    pub config: &'a Value,
}

/// Response of `OpenEphemeralResource`. It prints no value.
#[derive(Clone)]
pub struct OpenEphemeralResourceResponse {
    /// The object.
    pub result: Value,
    /// Goes into the requests that renew and close it.
    pub private: Option<Bytes>,
    /// When it must be renewed to stay valid.
    pub renew_at: Option<SystemTime>,
    /// The provider defers it.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `RenewEphemeralResource` and of `CloseEphemeralResource`.
#[derive(Debug, Clone, Copy)]
pub struct OpenedEphemeralResource<'a> {
    /// The ephemeral resource type.
    pub type_name: &'a str,
    /// The private bytes of the last response about it.
    pub private: Option<&'a Bytes>,
}

/// Response of `RenewEphemeralResource`.
#[derive(Debug, Clone)]
pub struct RenewEphemeralResourceResponse {
    /// Replaces the private bytes.
    pub private: Option<Bytes>,
    /// When it must be renewed again, if ever.
    pub renew_at: Option<SystemTime>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

impl fmt::Debug for OpenEphemeralResourceResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenEphemeralResourceResponse")
            .field("renew_at", &self.renew_at)
            .field("deferred", &self.deferred)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}
