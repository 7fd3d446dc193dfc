//! The values that flags take.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use terrane_engine::{Action, RefreshPolicy};
use terrane_registry::VersionRequirement;
use terrane_state::Sha256;

use crate::view::Details;

/// One `--var NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The key of the stack's configuration.
    pub(crate) name: String,
    /// The text after the first `=`.
    pub(crate) value: String,
}

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("write it as NAME=VALUE"),
        }
    }
}

/// A provider, and the version that it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderChoice {
    /// Its name, as far as it was given.
    pub(crate) name: String,
    /// The version as it was given.
    pub(crate) version: Option<String>,
}

impl FromStr for ProviderChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let parts = name.split('/').count();
        if name.split('/').any(str::is_empty) || parts > 3 {
            return Err("write it as `[[HOST/]NAMESPACE/]TYPE[@VERSION]`".to_owned());
        }
        if let Some(version) = version {
            let read: Result<VersionRequirement, _> = version.parse();
            read.map_err(|error| error.to_string())?;
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

/// A pattern of `--type`.
pub(super) fn type_pattern(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ['_', '-', '*'].contains(&c);
    match !text.is_empty() && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("a type's name has letters, digits and `_`; `*` matches any text"),
    }
}

/// `--yes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub(crate) struct Yes {
    /// Don't ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `--plan-digest`: what was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanDigestArg {
    /// The digest itself.
    Sha256(Sha256),
    /// A file that has it, and more.
    File(PathBuf),
}

impl FromStr for PlanDigestArg {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(sha256) => Self::Sha256(sha256),
            Err(_) => Self::File(text.into()),
        })
    }
}

/// The approval that a run is bound to.
#[derive(Debug, Args)]
pub(crate) struct Approving {
    /// Apply only the plan with this digest, without a question: 64 digits, or a file of `preview --json-file`
    #[arg(long, value_name = "SHA256|FILE")]
    pub(crate) plan_digest: Option<PlanDigestArg>,
}

/// `--details`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub(crate) struct AllDetails {
    /// Show every argument of every change; without it creations fold to a line each
    #[arg(long)]
    pub(crate) details: bool,
}

impl From<AllDetails> for Details {
    fn from(AllDetails { details }: AllDetails) -> Self {
        Self::all(details)
    }
}

/// `--refresh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RefreshChoice {
    /// Read every object
    True,
    /// Read what the plan changes, and what refers to that; trust the state of the rest
    Changed,
    /// Trust the state
    False,
}

impl From<RefreshChoice> for RefreshPolicy {
    fn from(choice: RefreshChoice) -> Self {
        match choice {
            RefreshChoice::True => Self::All,
            RefreshChoice::Changed => Self::Changed,
            RefreshChoice::False => Self::Nothing,
        }
    }
}

/// A kind of change that `--deny` refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DenyKind {
    /// Any creation
    Create,
    /// Any update in place
    Update,
    /// Any replacement
    Replace,
    /// Any destruction without replacement
    Delete,
}

impl DenyKind {
    /// Whether it refuses that action. A replacement is neither a creation nor a deletion.
    pub(crate) fn denies(self, action: Action) -> bool {
        match self {
            Self::Create => action == Action::Create,
            Self::Update => action == Action::Update,
            Self::Replace => action.is_replace(),
            Self::Delete => action == Action::Delete,
        }
    }
}

/// `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    /// Failures
    Error,
    /// And warnings
    Warn,
    /// And events
    Info,
    /// And reasons
    Debug,
    /// And everything else
    Trace,
}
