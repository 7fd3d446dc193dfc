//! Why a state file cannot be used.

use thiserror::Error;

/// A state file that exists and cannot be used; every case is an integrity refusal (exit code 7), never "no state".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It holds no byte. Only a missing file means "no state".
    #[error(
        "the state file is empty (0 bytes): it was damaged while it was written, or by another program"
    )]
    Empty,
    /// No writer of version 4 writes this.
    #[error(
        "the state is damaged at line {line}, column {column}{}: {reason}",
        in_path(path)
    )]
    Damaged {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// The member, for example `resources[3].instances[0].deposed`; empty when the text is not JSON.
        path: String,
        /// The reason.
        reason: String,
    },
    /// It is of a version before Terraform 0.12.
    #[error(
        "the state has format version {version}, from before Terraform 0.12; let `terraform apply -refresh-only` of Terraform 0.12 or later rewrite it as version 4 first"
    )]
    OldVersion {
        /// 1, 2 or 3.
        version: u64,
    },
    /// It is of a version that does not exist yet.
    #[error(
        "the state has format version {version}; this program knows version 4 only, use a newer one"
    )]
    NewVersion {
        /// Above 4.
        version: u64,
    },
    /// It is an envelope of OpenTofu's state encryption.
    #[error(
        "the state is encrypted by OpenTofu (encryption_version {encryption_version}); decrypt it with OpenTofu first"
    )]
    Encrypted {
        /// The reason that the envelope gives.
        encryption_version: String,
    },
    /// It is encrypted by a program with a key.
    #[error(
        "the state is encrypted with `{key}`; only a program whose backend has `.encrypted_with(…)` and that key reads it"
    )]
    Sealed {
        /// The key service that encrypted it.
        key: String,
    },
    /// It is larger than any state should be.
    #[error("the state file has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

fn in_path(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" (`{path}`)")
    }
}
