//! Where a saved plan comes from: everything that must be the same when it is applied.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use terrane_core::KnownValues;
use terrane_core::addr::ProviderSource;
use terrane_state::{Sha256, Timestamp};

use super::codec;
use super::fingerprint::Fingerprint;
use crate::caller::CallerIdentity;

/// Where a saved plan comes from. The state that it was made from is in the plan itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Names this plan alone: a plan is applied once.
    pub nonce: String,
    /// Which terrane made it.
    pub terrane: String,
    /// Who made it.
    pub who: String,
    /// When.
    #[serde(with = "codec::text")]
    pub made_at: Timestamp,
    /// The stack.
    pub stack: String,
    /// Where its state is.
    pub backend: String,
    /// Whether the sandbox stood in for its providers.
    pub sandbox: bool,
    /// The emulator that everything was pointed at.
    pub endpoint: Option<String>,
    /// The build of the program: SHA-256 of its file.
    #[serde(with = "codec::text")]
    pub executable: Sha256,
    /// The declarations of the program.
    pub program: Fingerprint,
    /// The configuration that the program was run with.
    pub inputs: Inputs,
    /// The flags that made it a plan of another kind than the usual one (`--target=…`).
    pub flags: Vec<String>,
    /// The providers that were used.
    pub providers: Vec<ProviderBuild>,
    /// In whose name they act, where they can say.
    pub callers: Vec<CallerIdentity>,
    /// The values of the cloud that decided what was declared.
    #[serde(
        with = "codec::values",
        default,
        skip_serializing_if = "KnownValues::is_empty"
    )]
    pub known_values: KnownValues,
}

/// Configuration values as they were given, layer by layer; they may hold secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Environment variables that set configuration keys.
    pub environment: BTreeMap<String, String>,
    /// Names and contents of `--var-file`s.
    pub files: Vec<(String, String)>,
    /// The arguments of `--var`.
    pub flags: Vec<String>,
}

impl fmt::Debug for Inputs {
    /// Names only: there may be secrets among the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("environment", &self.environment.keys())
            .field(
                "files",
                &self.files.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .field("flags", &self.flags.len())
            .finish()
    }
}

/// A provider as it was found on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderBuild {
    /// Which provider.
    #[serde(with = "codec::text")]
    pub source: ProviderSource,
    /// Its version, where that is known.
    pub version: Option<String>,
    /// SHA-256 of its binary; `None` for a running process that was attached to.
    pub sha256: Option<String>,
}
