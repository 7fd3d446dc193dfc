//! Where the usual times of operations are kept: a file a stack in the user's cache. Nothing about it can fail a run or hold it up.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use terrane_deploy::{cache_folder, identity};
use terrane_state::Sha256;

use super::Session;
use crate::view::UsualTimes;

/// A longer file is none of ours.
const LONGEST: u64 = 4 << 20;
/// How long a run waits for a folder that may lie on a slow disk.
const PATIENCE: Duration = Duration::from_millis(300);

impl Session<'_> {
    /// The times of earlier runs; none when they cannot be had at once.
    pub(crate) fn usual_times(&self) -> UsualTimes {
        let Some(file) = self.times_file() else {
            return UsualTimes::default();
        };
        in_time(move || read(&file)).flatten().unwrap_or_default()
    }

    /// Keeps them for later runs.
    pub(crate) fn keep_times(&self, times: UsualTimes) {
        if let Some(file) = self.times_file() {
            in_time(move || write(&file, &times));
        }
    }

    /// A sandbox and a real account differ in their states; two checkouts with a local state each, in their folders.
    fn times_file(&self) -> Option<PathBuf> {
        let cache = cache_folder(&self.environment).filter(|_| !self.common.no_cache)?;
        let state = self.location().ok()?.to_string();
        let folder = match state.contains("://") {
            true => String::new(),
            false => identity::working_folder()?,
        };
        let key = Sha256::of(format!("{}\0{state}\0{folder}", self.stack).as_bytes());
        Some(cache.join("times").join(format!("{key}.json")))
    }
}

fn read(file: &Path) -> Option<UsualTimes> {
    let bytes = terrane_files::read_own(file, LONGEST).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write(file: &Path, times: &UsualTimes) {
    let Ok(bytes) = serde_json::to_vec(times) else {
        return;
    };
    // A later run does without.
    let _ = file.parent().map(terrane_files::create_folder);
    let _ = terrane_files::replace(file, &bytes);
}

/// The result of some work on a file, unless it takes too long.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    result.recv_timeout(PATIENCE).ok()
}
