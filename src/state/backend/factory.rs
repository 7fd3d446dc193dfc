//! Kinds of stores: the meaning of a scheme's addresses, and the way from an address to its store.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use url::Url;

use super::{Backend, BackendError, address_url};
use crate::clock::Clock;
use crate::encryption::Encryption;

/// A kind of store, registered by the scheme of its addresses.
///
/// ```
/// use std::error::Error;
/// use terrane_state::{BackendConfig, BackendFactory, S3Backend};
/// use url::Url;
///
/// /// States in the bucket of this company: `acme://KEY`.
/// #[derive(Debug)]
/// struct Acme;
///
/// impl BackendFactory for Acme {
///     fn scheme(&self) -> &'static str {
///         "acme"
///     }
///
///     fn syntax(&self) -> &'static str {
///         "acme://KEY"
///     }
///
///     fn parse(&self, url: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>> {
///         let key = url.host_str().ok_or("the key is missing: acme://KEY")?;
///         Ok(S3Backend::new("acme-states", key).lock_table("acme-locks").into())
///     }
/// }
/// ```
pub trait BackendFactory: fmt::Debug + Send + Sync {
    /// The scheme of its addresses, in lower case: `s3` of `s3://…`.
    fn scheme(&self) -> &'static str;

    /// How its addresses are written, for help and errors: `s3://BUCKET/KEY?region=…`.
    fn syntax(&self) -> &'static str;

    /// Reads an address of its scheme. [`url_options`](super::url_options) reads what follows the `?`.
    ///
    /// # Errors
    /// When the address is incomplete or has an option that does not exist.
    fn parse(&self, url: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>>;
}

/// The address of a state in one kind of store. Prints as `--backend` takes it, without secrets.
#[async_trait]
pub trait BackendAddress: fmt::Display + fmt::Debug + Send + Sync {
    /// The same address, valid in every folder.
    fn absolute(&self) -> String {
        self.to_string()
    }

    /// Names the state itself: the same text whatever options the address has.
    fn identity(&self) -> String {
        self.absolute()
    }

    /// Whether the lock of a run that died stays until `force-unlock`.
    fn lock_outlives_process(&self) -> bool {
        true
    }

    /// The keys that its content is encrypted with.
    fn encryption(&self) -> Option<&Encryption> {
        None
    }

    /// The same address for a process with another environment than its own; `None` where that makes no difference.
    fn in_environment(&self, environment: &BTreeMap<String, String>) -> Option<BackendConfig> {
        let _ = environment;
        None
    }

    /// The store, ready to use.
    ///
    /// # Errors
    /// When the address cannot be used as it is, or credentials are missing.
    async fn connect(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Backend>, BackendError>;

    /// The names beginning with `stem` that stand in place of `name` in the addresses of other states which exist. `None` for a store
    /// that cannot list its states.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn named_alike(
        &self,
        name: &str,
        stem: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<BTreeSet<String>>, BackendError> {
        let _ = (name, stem, clock);
        Ok(None)
    }

    /// The steps before a state can be kept there; changes nothing. `None` for a store that never needs any.
    ///
    /// # Errors
    /// When it cannot be found out.
    async fn plan_bootstrap(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Vec<Box<dyn BootstrapStep>>>, BackendError> {
        let _ = clock;
        Ok(None)
    }
}

/// One thing that a store needs before a state can be kept there. Prints as its effect: `create bucket acme-states`.
#[async_trait]
pub trait BootstrapStep: fmt::Display + Send + Sync {
    /// Does it. Doing it twice is no error.
    ///
    /// # Errors
    /// When the store refuses it.
    async fn run(&self) -> Result<(), BackendError>;
}

/// Where a stack keeps its state: made from the address of a store, or from a path.
///
/// ```
/// use std::path::Path;
/// use terrane_state::{BackendConfig, S3Backend};
///
/// let here = BackendConfig::from(Path::new("prod.tfstate"));
/// let there = BackendConfig::from(S3Backend::new("acme-state", "prod.tfstate").lock_table("acme-locks"));
/// assert_eq!(here.to_string(), "prod.tfstate");
/// assert_eq!(there.to_string(), "s3://acme-state/prod.tfstate?dynamodb_table=acme-locks");
/// ```
#[derive(Debug, Clone)]
pub struct BackendConfig(Arc<dyn BackendAddress>);

impl BackendConfig {
    /// The address.
    pub fn address(&self) -> &dyn BackendAddress {
        &*self.0
    }

    /// The same for a process with that environment, which names the keys of its user.
    #[must_use]
    pub fn in_environment(&self, environment: &BTreeMap<String, String>) -> Self {
        let other = self.0.in_environment(environment);
        other.unwrap_or_else(|| self.clone())
    }
}

impl<A: BackendAddress + 'static> From<A> for BackendConfig {
    fn from(address: A) -> Self {
        Self(Arc::new(address))
    }
}

impl From<&Path> for BackendConfig {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl fmt::Display for BackendConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of stores that a program knows.
///
/// ```
/// # use terrane_state::Backends;
/// let backends = Backends::default();
/// assert_eq!(backends.parse("prod.tfstate").unwrap().to_string(), "prod.tfstate");
/// assert!(backends.parse("gcs://bucket/key").is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Backends(Vec<Arc<dyn BackendFactory>>);

/// The text is not an address of a state.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParseBackendError {
    /// No registered kind of store has that scheme.
    #[error("no backend has the scheme `{scheme}`; write {}", alternatives(known))]
    Unknown {
        /// The scheme.
        scheme: String,
        /// How the addresses of those that are registered are written.
        known: Vec<&'static str>,
    },
    /// It is no URL.
    #[error("{0}")]
    Malformed(String),
    /// The kind of store does not take it.
    #[error(transparent)]
    Refused(Box<dyn Error + Send + Sync>),
}

fn alternatives(known: &[&'static str]) -> String {
    let known: Vec<String> = known.iter().map(|syntax| format!("`{syntax}`")).collect();
    match known.is_empty() {
        true => "the path of a file".to_owned(),
        false => format!("{}, or the path of a file", known.join(", ")),
    }
}

impl Default for Backends {
    /// Those of this workspace.
    fn default() -> Self {
        Self(vec![
            #[cfg(feature = "s3")]
            Arc::new(super::s3::S3Factory),
        ])
    }
}

impl Backends {
    /// Adds a kind of store; it comes before an earlier one of the same scheme.
    pub fn register(&mut self, factory: impl BackendFactory + 'static) {
        self.0.retain(|known| known.scheme() != factory.scheme());
        self.0.push(Arc::new(factory));
    }

    /// How the addresses of each are written.
    pub fn syntaxes(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|factory| factory.syntax())
    }

    /// Reads an address: a URL with a registered scheme, or the path of a file.
    ///
    /// # Errors
    /// When the scheme is not registered, or the store does not take the address.
    pub fn parse(&self, text: &str) -> Result<BackendConfig, ParseBackendError> {
        if text.is_empty() {
            return Err(ParseBackendError::Malformed("the address is empty".into()));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(PathBuf::from(text).into());
        };
        let scheme = scheme.to_ascii_lowercase();
        let Some(factory) = self.0.iter().find(|factory| factory.scheme() == scheme) else {
            return Err(ParseBackendError::Unknown {
                scheme,
                known: self.syntaxes().collect(),
            });
        };
        let url = address_url(text).map_err(ParseBackendError::Malformed)?;
        factory.parse(&url).map_err(ParseBackendError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files below `/srv/states`.
    #[derive(Debug)]
    struct Folder;

    impl BackendFactory for Folder {
        fn scheme(&self) -> &'static str {
            "folder"
        }

        fn syntax(&self) -> &'static str {
            "folder://NAME"
        }

        fn parse(&self, url: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>> {
            let name = url.host_str().ok_or("the name is missing")?;
            Ok(Path::new("/srv/states").join(name).into())
        }
    }

    fn backends() -> Backends {
        let mut backends = Backends(Vec::new());
        backends.register(Folder);
        backends
    }

    fn refusal(backends: &Backends, text: &str) -> String {
        backends.parse(text).expect_err("refused").to_string()
    }

    #[test]
    fn a_path_is_a_file_and_a_url_names_its_store() {
        let parsed = |text: &str| backends().parse(text).expect("parsed").to_string();
        assert_eq!(parsed("a/b.tfstate"), "a/b.tfstate");
        assert_eq!(parsed("folder://prod"), "/srv/states/prod");
        assert_eq!(parsed("FOLDER://prod"), "/srv/states/prod");
    }

    #[test]
    fn a_refusal_names_the_registered_kinds() {
        insta::assert_snapshot!(refusal(&backends(), "gcs://b/k"), @"no backend has the scheme `gcs`; write `folder://NAME`, or the path of a file");
        insta::assert_snapshot!(refusal(&Backends(Vec::new()), "gcs://b/k"), @"no backend has the scheme `gcs`; write the path of a file");
        insta::assert_snapshot!(refusal(&backends(), "folder://"), @"the name is missing");
        insta::assert_snapshot!(refusal(&backends(), "folder://a b"), @"`folder://a b` is no URL: invalid domain character");
        insta::assert_snapshot!(refusal(&backends(), ""), @"the address is empty");
    }

    #[test]
    fn the_kind_registered_last_has_a_scheme() {
        /// The same scheme.
        #[derive(Debug)]
        struct Other;

        impl BackendFactory for Other {
            fn scheme(&self) -> &'static str {
                "folder"
            }

            fn syntax(&self) -> &'static str {
                "folder://other"
            }

            fn parse(&self, _: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>> {
                Ok(Path::new("other").into())
            }
        }

        let mut backends = backends();
        backends.register(Other);
        let syntaxes: Vec<_> = backends.syntaxes().collect();
        assert_eq!(syntaxes, ["folder://other"]);
        assert_eq!(
            backends.parse("folder://x").expect("parsed").to_string(),
            "other"
        );
    }
}
