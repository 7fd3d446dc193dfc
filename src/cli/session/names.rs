//! The names in a state for shell completions: at once, silently, and without a network.

use std::fmt::Write as _;
use std::path::PathBuf;

use terrane_deploy::cache_folder;
use terrane_state::{BackendConfig, Backends, Run, Sha256, State};

use super::Session;
use super::state::sandbox_path;
use crate::completion::Names;

/// Longer lists are not read.
const LONGEST: u64 = 16 << 20;

impl Session<'_> {
    /// Keeps the names of the state, if it is one that a shell would have to wait for.
    pub(crate) fn remember_names(&self, state: &State) {
        let Ok(location) = self.location() else {
            return;
        };
        let Some(file) = self.list(&location).filter(|_| is_remote(&location)) else {
            return;
        };
        let mut text = String::new();
        for address in state.resources.keys() {
            let _ = writeln!(text, "address {address}");
        }
        for output in state.outputs.keys() {
            let _ = writeln!(text, "output {output}");
        }
        // Nobody needs it who is not about to press the key.
        let folder = file.parent().map(terrane_files::create_folder);
        if let Some(Ok(())) = folder {
            let _ = terrane_files::replace(&file, text.as_bytes());
        }
    }

    /// The names in the state that a command line means. Nothing where they are not at hand.
    pub(crate) async fn names(&self, typed: &[String]) -> Names {
        let Some(location) = self.location_of(typed) else {
            return Names::default();
        };
        if is_remote(&location) {
            return self.remembered(&location).unwrap_or_default();
        }
        let clock = std::sync::Arc::new(terrane_state::SystemClock::default());
        let Ok(backend) = location.address().connect(clock).await else {
            return Names::default();
        };
        match Run::look(&*backend).await {
            Ok((state, _)) => Names {
                addresses: state.resources.keys().map(ToString::to_string).collect(),
                outputs: state.outputs.keys().map(ToString::to_string).collect(),
                ..Names::default()
            },
            Err(_) => Names::default(),
        }
    }

    fn remembered(&self, location: &BackendConfig) -> Option<Names> {
        let text = terrane_files::read_own(&self.list(location)?, LONGEST).ok()?;
        let mut names = Names::default();
        for line in String::from_utf8(text).ok()?.lines() {
            match line.split_once(' ') {
                Some(("address", name)) => names.addresses.push(name.to_owned()),
                Some(("output", name)) => names.outputs.push(name.to_owned()),
                _ => {}
            }
        }
        Some(names)
    }

    /// Where the state is that a command line means, by the flags on it.
    fn location_of(&self, typed: &[String]) -> Option<BackendConfig> {
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word.as_str(), None),
            };
            match flag {
                "--backend" => {
                    let address = value.or_else(|| words.next().map(String::as_str))?;
                    return Backends::default().parse(address).ok();
                }
                "--sandbox" => {
                    return Some(sandbox_path(self.stack).join("terraform.tfstate").into());
                }
                _ => {}
            }
        }
        self.location().ok()
    }

    /// The file that has the names in the state of that place.
    fn list(&self, location: &BackendConfig) -> Option<PathBuf> {
        let name = Sha256::of(location.to_string().as_bytes()).to_string();
        Some(cache_folder(&self.environment)?.join("names").join(name))
    }
}

fn is_remote(location: &BackendConfig) -> bool {
    location.to_string().contains("://")
}
