//! The plan of a converted project, made by its own program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use thiserror::Error;

use crate::against::{Comparison, PlanDocument, compare};
use crate::check::{CheckReport, ORIGINS, Origins, report};

/// A project that the converter has written.
#[derive(Clone, Debug)]
pub struct ConvertedProject {
    dir: PathBuf,
    arguments: Vec<OsString>,
}

/// Why a converted project has no plan, or nothing to compare it with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The folder holds no project.
    #[error(
        "{} holds no Rust project\nhint: `terrane-convert DIR --out NEW` writes one, and NEW is the folder to name here",
        dir.display()
    )]
    NoProject {
        /// The folder.
        dir: PathBuf,
    },
    /// Cargo cannot be started.
    #[error("cannot start cargo")]
    NoCargo(#[source] io::Error),
    /// The program did not compile, or could not be planned; it has said why.
    #[error("the program in {} made no plan", dir.display())]
    NoPlan {
        /// The project's folder.
        dir: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConvertedProject {
    /// The project in that folder; the arguments go to its `preview`: `--backend`, `--var`.
    pub fn new(dir: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            dir: dir.into(),
            arguments: arguments.into_iter().collect(),
        }
    }

    /// Its plan beside the one that Terraform made.
    ///
    /// # Errors
    /// When the program makes no plan, or the file holds none.
    pub fn against(&self, plan: &Path) -> Result<Comparison, ProofError> {
        // What is wrong with the file is known before anything is compiled.
        let theirs = read_plan(plan)?;
        Ok(compare(&self.plan()?, &theirs))
    }

    /// What its plan would change in what exists. Nothing is written, nothing is locked.
    ///
    /// # Errors
    /// When the program makes no plan, or its file of origins is damaged.
    pub fn check(&self) -> Result<CheckReport, ProofError> {
        let path = self.dir.join(ORIGINS);
        let origins = match fs::read(&path) {
            Ok(json) => Origins::parse(&json).map_err(|source| unusable(&path, source))?,
            // Whoever moves on deletes it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Origins::default(),
            Err(source) => return Err(ProofError::Unread { path, source }),
        };
        Ok(report(&self.plan()?, &origins))
    }

    fn plan(&self) -> Result<PlanDocument, ProofError> {
        let (dir, manifest) = (self.dir.clone(), self.dir.join("Cargo.toml"));
        if !manifest.is_file() {
            return Err(ProofError::NoProject { dir });
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let ran = Command::new(cargo)
            .current_dir(&self.dir)
            // Secrets are compared, and never shown.
            .args([
                "run",
                "--quiet",
                "--",
                "preview",
                "--json",
                "--show-secrets",
            ])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(ProofError::NoCargo)?;
        if !ran.status.success() {
            return Err(ProofError::NoPlan { dir });
        }
        PlanDocument::parse(&ran.stdout).map_err(|source| unusable(&self.dir, source))
    }
}

/// The plan in a file.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read_plan(path: &Path) -> Result<PlanDocument, ProofError> {
    let json = fs::read(path).map_err(|source| ProofError::Unread {
        path: path.to_owned(),
        source,
    })?;
    PlanDocument::parse(&json).map_err(|source| unusable(path, source))
}

fn unusable(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ProofError {
    ProofError::Unusable {
        path: path.to_owned(),
        source: source.into(),
    }
}
