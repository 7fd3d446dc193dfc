//! Rescue files: results that a run could store nowhere, kept on this machine; no further run before they are pushed.

use std::path::{Path, PathBuf};

use terrane_core::{Diagnostic, Diagnostics};
use terrane_state::{Failure, Kept, Origin, Recorder as _, Run, RunError, Sha256};

use crate::error::DeployError;

/// The folder in which a stack's rescue files are: `.terrane/<stack>`.
#[derive(Debug, Clone)]
pub struct RescueFolder(pub PathBuf);

/// A file with results that no store took.
pub struct Unpushed {
    /// Where it is.
    pub path: PathBuf,
    /// Where its results belong; `None` when the file does not say it.
    pub origin: Option<Origin>,
}

impl RescueFolder {
    /// The rescue files in it.
    pub fn unpushed(&self) -> Vec<Unpushed> {
        let entries = self.0.read_dir().into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with("errored") && name.ends_with(".tfstate"))
            })
            .collect();
        paths.sort();
        let read = |path: &Path| Origin::of_file(&std::fs::read(path).ok()?);
        paths
            .into_iter()
            .map(|path| Unpushed {
                origin: read(&path),
                path,
            })
            .collect()
    }

    /// Saves the results that only this process has when a run could not be closed; `None` when there is nothing to tell.
    ///
    /// A fenced run saves nothing: the run that fenced it found its intents, and recovers them.
    pub async fn rescue(&self, run: &Run, error: &RunError, origin: Origin) -> Option<Aftermath> {
        if error.failure() != Failure::Unwritten {
            return None;
        }
        match run.kept().await {
            Kept::State => return Some(Aftermath::InState),
            Kept::Journal => return Some(Aftermath::InJournal),
            Kept::Nowhere => {}
        }
        let path = self.free_path(&origin, &run.state().lineage.to_string());
        Some(match run.rescue(&path, origin).await {
            Ok(()) => Aftermath::Saved(path),
            Err(error) => Aftermath::Lost(DeployError::from(error).diagnostics()),
        })
    }

    /// `errored-<digest>.tfstate`, one for each state, and never over another.
    fn free_path(&self, origin: &Origin, lineage: &str) -> PathBuf {
        let state = format!("{}\n{lineage}", origin.place);
        let digest = Sha256::of(state.as_bytes()).to_string();
        let name = |more: String| {
            let file = format!("errored-{}{more}.tfstate", &digest[..8]);
            self.0.join(file)
        };
        let mut path = name(String::new());
        let mut count = 2;
        while path.exists() {
            path = name(format!("-{count}"));
            count += 1;
        }
        path
    }
}

impl Unpushed {
    /// Whether its results belong to that state, as far as the file says where they belong.
    pub fn belongs_to(&self, place: &str) -> bool {
        let origin = self.origin.as_ref();
        origin.is_none_or(|origin| origin.place == place)
    }
}

/// Where the results of a run are that could not be closed.
#[derive(Debug)]
pub enum Aftermath {
    /// The stored state has all of them.
    InState,
    /// The journal has all of them; the next run puts them into the state.
    InJournal,
    /// They are in this rescue file only.
    Saved(PathBuf),
    /// They could not be stored anywhere, and why.
    Lost(Diagnostics),
}

/// The error of a run whose results could not be stored anywhere.
pub fn lost(why: &Diagnostics) -> Diagnostic {
    let why: Vec<String> = why.iter().map(ToString::to_string).collect();
    Diagnostic::error("the results of this run could not be stored anywhere")
        .detail(why.join("; "))
        .hint("the journal has every operation that was begun; the next run recovers them")
}
