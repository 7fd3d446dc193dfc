//! The holder of a lock: Terraform's own description, byte for byte.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::{Clock, Timestamp};
use crate::model::RawJson;
use crate::random::Random;

/// The description of a lock's holder. The text is exactly that of Go's encoder for Terraform's structure, because OpenTofu
/// deletes a lock under the condition that its `Info` is byte for byte its own text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LockInfo {
    /// A UUID, which unlocks.
    #[serde(rename = "ID")]
    pub id: String,
    /// The holder's operation, for example `OperationTypeApply`.
    #[serde(default)]
    pub operation: String,
    /// Anything else; empty in Terraform's own locks.
    #[serde(default)]
    pub info: String,
    /// `user@host`.
    #[serde(default)]
    pub who: String,
    /// Version of the holding program.
    #[serde(default)]
    pub version: String,
    /// When it was taken, RFC 3339 in UTC.
    #[serde(default)]
    pub created: String,
    /// The locked state, for example `<bucket>/<key>`.
    #[serde(default)]
    pub path: String,
}

/// The bytes are not a lock's description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the lock holds no readable description of its holder: {reason}")]
#[non_exhaustive]
pub struct ParseLockInfoError {
    /// The reason.
    pub reason: String,
}

impl LockInfo {
    /// A new lock of ours on `path`.
    pub fn new(
        operation: Operation,
        who: &str,
        path: &str,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Self {
        Self {
            id: random.uuid(),
            operation: operation.as_str().into(),
            info: String::new(),
            who: who.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            created: clock.now().to_string(),
            path: path.into(),
        }
    }

    /// Reads a description by any writer.
    ///
    /// # Errors
    /// When it is not a JSON object with an `ID`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseLockInfoError> {
        serde_json::from_slice(bytes).map_err(|error| ParseLockInfoError {
            reason: error.to_string(),
        })
    }

    /// The text as Go writes it: seven members, no spaces, no newline.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string(self).expect("invariant: seven strings are serialisable");
        let text = RawJson::from_valid(&text).expect("invariant: serialised JSON is valid");
        text.to_string()
    }

    /// When it was taken, where that can be read.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created.parse().ok()
    }
}

/// The purpose of a lock, in Terraform's words as far as it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// `preview --lock`.
    Plan,
    /// `up`.
    Apply,
    /// `destroy`, and `up` of a saved plan that destroys everything. Terraform calls this an apply.
    Destroy,
    /// `invoke`, which Terraform does not have.
    Invoke,
    /// `refresh`.
    Refresh,
    /// `state` commands, `import`.
    State,
    /// `bootstrap` and first writes.
    Init,
}

impl Operation {
    /// The word in the lock and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "OperationTypePlan",
            Self::Apply => "OperationTypeApply",
            Self::Destroy => "destroy",
            Self::Invoke => "invoke",
            Self::Refresh => "OperationTypeRefresh",
            Self::State => "state",
            Self::Init => "init",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemClock, SystemRandom};

    /// What OpenTofu 1.12.6 put into its lock.
    const OPENTOFU: &str = r#"{"ID":"4c182652-9d06-4598-415f-2e06cb9d3b43","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.12.6","Created":"2026-11-23T09:05:17.539919072Z","Path":"mlops-platform-terraform-state/prod/terraform.tfstate"}"#;

    #[test]
    fn a_lock_of_opentofu_is_read_and_written_byte_for_byte() {
        let info = LockInfo::parse(OPENTOFU.as_bytes()).expect("readable");
        assert_eq!(info.who, "root@vm");
        assert_eq!(
            info.created_at().map(|at| at.to_string()),
            Some(info.created.clone())
        );
        assert_eq!(info.to_json(), OPENTOFU);
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        let mut info = LockInfo::new(
            Operation::Apply,
            "a<b>&\"c@host",
            "b/k",
            &SystemClock::default(),
            &SystemRandom,
        );
        info.id = "i".into();
        info.version = "1".into();
        info.created = "t".into();
        assert_eq!(
            info.to_json(),
            r#"{"ID":"i","Operation":"OperationTypeApply","Info":"","Who":"a\u003cb\u003e\u0026\"c@host","Version":"1","Created":"t","Path":"b/k"}"#
        );
    }

    #[test]
    fn half_a_description_is_an_error() {
        for text in ["", "{", "{\"Who\":\"x\"}", "[]", &OPENTOFU[..60]] {
            assert!(LockInfo::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_bytes_are_read_without_panic_and_what_we_write_is_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80), who in proptest::prelude::any::<String>()) {
            let _ = LockInfo::parse(&bytes);
            let mut info = LockInfo::parse(OPENTOFU.as_bytes()).expect("readable");
            info.who = who;
            proptest::prop_assert_eq!(LockInfo::parse(info.to_json().as_bytes()), Ok(info));
        }
    }
}
