//! Reads the secrets of a program, each once, and says where one is named that cannot be read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use futures_util::future::join_all;
use terrane_core::{Diagnostic, Diagnostics, Program, SecretPlace, SecretReference, SecretSource};

use crate::{encrypted, local};

/// Where secrets are read from: an environment, this machine's files, and AWS as the environment names it.
#[derive(Debug)]
pub struct Vault {
    environment: BTreeMap<String, String>,
    #[cfg(feature = "aws")]
    aws: crate::aws::Aws,
    stands_in: bool,
}

/// Why there is no secret or key; without a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFault {
    reason: String,
    hint: Option<String>,
}

impl SecretFault {
    /// A failure of a key service of your own.
    pub fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { reason, hint: None }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.hint
            .as_ref()
            .map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for SecretFault {}

impl Vault {
    /// The secrets of that environment.
    pub fn new(environment: BTreeMap<String, String>) -> Self {
        Self {
            environment,
            #[cfg(feature = "aws")]
            aws: crate::aws::Aws::default(),
            stands_in: false,
        }
    }

    /// Stand-ins for the secrets of AWS, sops and age, for a sandbox: it has no account and no keys.
    #[must_use]
    pub fn with_stand_ins(mut self) -> Self {
        self.stands_in = true;
        self
    }

    /// Reads the secrets that a program uses, all at once, and a source that it names twice once.
    ///
    /// # Errors
    /// Every secret that cannot be read, or that is not of the program's type, with its key and the place where that was set.
    pub async fn read(&self, program: &Program) -> Result<(), Diagnostics> {
        let mut wanted: BTreeMap<&SecretSource, Vec<&SecretReference>> = BTreeMap::new();
        for expr in program.expressions() {
            expr.for_each_secret(&mut |secret| {
                let same = wanted.entry(secret.source()).or_default();
                if secret.value().is_none()
                    && !same.iter().any(|known| std::ptr::eq(*known, &**secret))
                {
                    same.push(secret);
                }
            });
        }
        wanted.retain(|_, secrets| !secrets.is_empty());
        let texts = join_all(wanted.keys().map(|source| self.text(source))).await;
        let mut unread = Diagnostics::default();
        for (text, secrets) in texts.into_iter().zip(wanted.into_values()) {
            for secret in secrets {
                let filled = text.as_ref().map_err(Clone::clone);
                let filled = filled.and_then(|text| secret.fill(text).map_err(SecretFault::new));
                if let Err(fault) = filled {
                    unread.push(diagnostic(secret, fault));
                }
            }
        }
        match unread.is_empty() {
            true => Ok(()),
            false => Err(unread),
        }
    }

    async fn text(&self, source: &SecretSource) -> Result<String, SecretFault> {
        if self.stands_in && !matches!(source, SecretSource::Env(_) | SecretSource::File(_)) {
            return Ok(format!("stand-in for {source}"));
        }
        match source {
            SecretSource::Env(name) => {
                local::variable(self.environment.get(name).map(String::as_str))
            }
            SecretSource::File(path) => local::file(Path::new(path)),
            #[cfg(feature = "aws")]
            SecretSource::AwsSecretsManager { id, key } => {
                self.aws.secret(id, key.as_deref()).await
            }
            #[cfg(feature = "aws")]
            SecretSource::AwsSsm(name) => self.aws.parameter(name).await,
            SecretSource::Sops { path, key } => {
                encrypted::sops(&self.environment, path, key.as_deref())
            }
            SecretSource::Age(path) => encrypted::age(&self.environment, path),
            _ => Err(SecretFault::new(
                "this program was built without such sources",
            )),
        }
    }
}

/// The message for a secret that cannot be read.
fn diagnostic(secret: &SecretReference, fault: SecretFault) -> Diagnostic {
    let source = secret.source();
    let mut unread = match secret.place() {
        SecretPlace::Configuration { key, set_in } => Diagnostic::error(format!(
            "cannot read the secret `{key}`, which is set in `{set_in}`"
        )),
        SecretPlace::Program(location) => {
            Diagnostic::error("cannot read a secret of the program").location(*location)
        }
        SecretPlace::Nowhere => Diagnostic::error("cannot read a secret of the configuration"),
    };
    unread = unread.detail(format!("`{source}`: {}", fault.reason));
    let variable = match (source, secret.place()) {
        (SecretSource::Env(name), _) => Some(format!("set the variable: `export {name}=…`")),
        _ => None,
    };
    match fault.hint.or(variable) {
        Some(hint) => unread.hint(hint),
        None => unread,
    }
}
