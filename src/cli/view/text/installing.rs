//! Providers that are being installed: a line for each that is new here, and rows of downloads on a terminal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use terrane_core::Diagnostic;
use terrane_core::addr::ProviderSource;
use terrane_registry::{InstallError, InstallEvent, InstallObserver};

use super::diagnostics::diagnostics;
use super::painter::{Painter, Tone};
use crate::streams::Streams;
use crate::view::printable::one_line;

/// Rows are drawn no more often than that.
const INTERVAL: Duration = Duration::from_millis(100);
/// A download that takes that long is mentioned where no rows are drawn.
const STILL: Duration = Duration::from_secs(30);

/// Tells people on stderr what is installed, whatever the format of the results.
pub(crate) struct Installing {
    streams: Arc<Streams>,
    state: Mutex<State>,
}

struct State {
    /// What each provider is doing.
    rows: BTreeMap<ProviderSource, String>,
    drawn: Instant,
    mentioned: Instant,
}

impl Installing {
    /// On those streams.
    pub(crate) fn new(streams: Arc<Streams>) -> Self {
        let now = Instant::now();
        Self {
            streams,
            state: Mutex::new(State {
                rows: BTreeMap::new(),
                drawn: now,
                mentioned: now,
            }),
        }
    }

    fn row(&self, source: &ProviderSource, doing: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = state.rows.insert(source.clone(), doing.clone()).is_none();
        let now = Instant::now();
        if self.streams.is_live() {
            if is_new || now.duration_since(state.drawn) >= INTERVAL {
                state.drawn = now;
                self.draw(&state);
            }
        } else if now.duration_since(state.mentioned) >= STILL {
            state.mentioned = now;
            self.streams.progress(&format!("{source}: {doing}\n"));
        }
    }

    fn end(&self, source: &ProviderSource) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rows.remove(source);
        self.draw(&state);
    }

    fn draw(&self, state: &State) {
        let rows = state.rows.iter();
        let rows = rows.map(|(source, doing)| format!("  {source}  {doing}"));
        self.streams.rows(rows.collect());
    }
}

impl Drop for Installing {
    fn drop(&mut self) {
        self.streams.rows(Vec::new());
    }
}

impl InstallObserver for Installing {
    fn event(&self, event: InstallEvent<'_>) {
        let painter = Painter(self.streams.err_style);
        match event {
            InstallEvent::Asking { source, host } => self.row(source, format!("asking {host}")),
            InstallEvent::Waiting { source } => {
                self.row(
                    source,
                    "waiting for another run that installs it".to_owned(),
                );
            }
            InstallEvent::Downloading { source, bytes, of } => {
                let of = of.map_or_else(String::new, |of| format!(" of {}", megabytes(of)));
                self.row(source, format!("{}{of}", megabytes(bytes)));
            }
            InstallEvent::Installed {
                source,
                version,
                host,
                signer,
            } => {
                self.end(source);
                let signed = match signer {
                    Some(signer) => format!(", signed by {}", short(&signer.fingerprint)),
                    None => String::new(),
                };
                let line = format!("installed {source} {version} from {host}{signed}");
                let line = painter.paint(Tone::Faint, &one_line(&line));
                self.streams.progress(&format!("{line}\n"));
            }
            InstallEvent::Warning(error) => {
                let text = diagnostics(&install_warning(&error).into(), painter);
                self.streams.err(&text);
            }
        }
    }
}

/// Something to be told of an installation that goes on.
pub(crate) fn install_warning(error: &InstallError) -> Diagnostic {
    let warning = Diagnostic::warning(&error.summary).detail(&error.detail);
    warning.hints(error.hints.clone())
}

/// The last sixteen digits, by which people know a key.
fn short(fingerprint: &str) -> &str {
    let start = fingerprint.len().saturating_sub(16);
    fingerprint.get(start..).unwrap_or(fingerprint)
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
