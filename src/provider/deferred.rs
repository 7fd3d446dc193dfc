//! Why a provider defers something.

use std::fmt;

/// A provider's answer "not yet": the rest of the response is a best guess, and nothing of it may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deferred {
    /// It does not say why.
    Unknown,
    /// Parts of the configuration are not known yet.
    ResourceConfigUnknown,
    /// Parts of the provider's own configuration are not known yet.
    ProviderConfigUnknown,
    /// Something that must exist before does not exist yet.
    AbsentPrerequisite,
}

impl fmt::Display for Deferred {
    /// The reason, after `because`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the provider gives no reason",
            Self::ResourceConfigUnknown => "its configuration is only known after apply",
            Self::ProviderConfigUnknown => {
                "the configuration of its provider is only known after apply"
            }
            Self::AbsentPrerequisite => "something that it needs does not exist yet",
        })
    }
}
