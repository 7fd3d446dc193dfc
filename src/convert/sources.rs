//! The files of a configuration, and errors that name a place in one.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::ast::Place;

/// Every file that was read.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: Vec<(PathBuf, String)>,
}

impl Sources {
    pub(crate) fn add(&mut self, path: PathBuf, text: String) -> usize {
        self.files.push((path, text));
        self.files.len() - 1
    }

    pub(crate) fn text(&self, place: Place) -> &str {
        let whole = self.files.get(place.file).map_or("", |(_, text)| text);
        whole.get(place.start..place.end).unwrap_or_default()
    }

    /// `main.tf:3`.
    pub(crate) fn shown(&self, place: Place) -> String {
        match self.files.get(place.file) {
            Some((path, text)) if text.get(..place.start).is_some() && place.end > 0 => {
                let line = text[..place.start].matches('\n').count() + 1;
                format!("{}:{line}", path.display())
            }
            Some((path, _)) => path.display().to_string(),
            None => "?".to_owned(),
        }
    }
}

/// Why a configuration cannot be converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The configuration is not valid.
    #[error("{place}: {reason}")]
    Invalid {
        /// The file and the line.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Unread {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritten {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The new project's folder has something in it.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has no configuration.
    #[error("{} has no configuration: no file ends in .tf or .tf.json", path.display())]
    NoConfiguration {
        /// The folder.
        path: PathBuf,
    },
    /// No schema of a provider that is used.
    #[error(
        "there is no schema of the provider {source_address}, which `{type_name}` needs ({place})"
    )]
    NoSchema {
        /// The provider.
        source_address: String,
        /// A type that needs it.
        type_name: String,
        /// Where that type is used.
        place: String,
    },
    /// The bindings of a provider cannot be made.
    #[error("the bindings of {provider} cannot be made: {reason}")]
    Bindings {
        /// The provider.
        provider: String,
        /// Why not.
        reason: String,
    },
    /// The generated program cannot be formatted.
    #[error("cannot format the program: {reason}")]
    Format {
        /// What the formatter says.
        reason: String,
    },
}

impl ConvertError {
    pub(crate) fn at(sources: &Sources, place: Place, reason: impl fmt::Display) -> Self {
        Self::Invalid {
            place: sources.shown(place),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn unread(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unread { path, source }
    }
}
