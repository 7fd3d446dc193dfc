//! Where a stack keeps its state, as a program or `--backend` says it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use terrane_state::S3Backend;
use terrane_state::backend::InvalidOption;

/// A place for a stack's state. Made from an [`S3Backend`] or a path; `--backend` takes the same as text.
///
/// ```
/// use terrane_cli::BackendConfig;
/// use terrane_state::S3Backend;
///
/// let here = BackendConfig::from(std::path::Path::new("prod.tfstate"));
/// let there = BackendConfig::from(S3Backend::new("acme-state", "prod.tfstate").lock_table("acme-locks"));
/// assert_eq!(there.to_string(), "s3://acme-state/prod.tfstate?dynamodb_table=acme-locks");
/// # assert_eq!(here.to_string(), "prod.tfstate");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendConfig {
    /// A file of this machine.
    Local(PathBuf),
    /// An object in S3.
    S3(Box<S3Backend>),
}

/// The text is no place for a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseBackendError {
    /// Nothing of this program keeps states there.
    #[error(
        "`{url}` is no backend: write `s3://BUCKET/KEY?region=…&dynamodb_table=…`, or the path of a file"
    )]
    Unknown {
        /// What was read.
        url: String,
    },
    /// It is in S3, and something about it does not fit.
    #[error(transparent)]
    S3(#[from] InvalidOption),
}

impl From<S3Backend> for BackendConfig {
    fn from(backend: S3Backend) -> Self {
        Self::S3(Box::new(backend))
    }
}

impl From<PathBuf> for BackendConfig {
    fn from(path: PathBuf) -> Self {
        Self::Local(path)
    }
}

impl From<&Path> for BackendConfig {
    fn from(path: &Path) -> Self {
        Self::Local(path.to_owned())
    }
}

impl FromStr for BackendConfig {
    type Err = ParseBackendError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("s3://") {
            let backend: S3Backend = text.parse()?;
            return Ok(backend.into());
        }
        if text.is_empty() || text.contains("://") {
            return Err(ParseBackendError::Unknown {
                url: text.to_owned(),
            });
        }
        Ok(Self::Local(text.into()))
    }
}

impl fmt::Display for BackendConfig {
    /// As `--backend` takes it, without what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::S3(backend) => backend.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_url_names_its_store() {
        let parse = |text: &str| text.parse::<BackendConfig>();
        assert_eq!(
            parse("a/b.tfstate"),
            Ok(BackendConfig::Local("a/b.tfstate".into()))
        );
        assert!(matches!(parse("s3://b/k"), Ok(BackendConfig::S3(_))));
        insta::assert_snapshot!(parse("gcs://b/k").expect_err("unknown"), @"`gcs://b/k` is no backend: write `s3://BUCKET/KEY?region=…&dynamodb_table=…`, or the path of a file");
        insta::assert_snapshot!(parse("s3://b").expect_err("no key"), @"S3 backend option `key`: it is missing: s3://bucket/key");
    }
}
