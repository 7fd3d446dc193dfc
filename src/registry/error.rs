//! Why a provider cannot be installed, with what to do about it.

use terrane_core::addr::ProviderSource;
use thiserror::Error;

/// A provider is not there, cannot be fetched, or must not be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{summary}")]
#[non_exhaustive]
pub struct InstallError {
    /// What failed, a lowercase fragment: `provider … is not installed`.
    pub summary: String,
    /// Evidence: folders that were searched, what a registry answered.
    pub detail: String,
    /// Remedies, one sentence each.
    pub hints: Vec<String>,
    /// The provider it is about.
    pub provider: Option<Box<ProviderSource>>,
    /// A package is not what the lock file, its registry or its author says: it must not be used.
    pub is_refusal: bool,
}

impl InstallError {
    /// An error with that summary.
    pub(crate) fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            detail: String::new(),
            hints: Vec::new(),
            provider: None,
            is_refusal: false,
        }
    }

    /// The same, with that detail.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same, with one more remedy.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, about that provider.
    pub(crate) fn about(mut self, provider: &ProviderSource) -> Self {
        self.provider = Some(Box::new(provider.clone()));
        self
    }

    /// The same, of something that must not be used.
    pub(crate) fn refusal(mut self) -> Self {
        self.is_refusal = true;
        self
    }
}
