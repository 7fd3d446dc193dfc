//! How the sandbox becomes a provider process: this very program again, with a marker in its environment.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use terrane_core::Provider;
use terrane_provider::serve;
use terrane_provider::wire::Protocol;
use terrane_provider::{Environment, ProviderCommand};
use thiserror::Error;

use crate::cloud::Cloud;
use crate::kind::Kinds;
use crate::server::Sandbox;

/// Names the folder to serve; its presence is the marker.
const FOLDER: &str = "TERRANE_SANDBOX_FOLDER";
/// How much faster than AWS operations are; 0 does not wait at all.
const SPEED: &str = "TERRANE_SANDBOX_SPEED";
/// Fast enough to try things, slow enough to see what waits for what.
const DEFAULT_SPEED: f64 = 200.0;

const FACTS: &str = "schema.facts";

/// The sandbox's files cannot be written.
#[derive(Debug, Error)]
#[error("cannot write the sandbox in {}", folder.display())]
#[non_exhaustive]
pub struct PrepareError {
    /// Where it was to be.
    pub folder: PathBuf,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// Makes the folder of a sandbox ready, and says how to start it in place of the real provider. `speed` is the text of
/// `TERRANE_SANDBOX_SPEED`, if it is set.
///
/// # Errors
/// When the folder cannot be written.
pub fn prepare(
    folder: &Path,
    binding: &Provider,
    program: PathBuf,
    speed: Option<&str>,
) -> Result<ProviderCommand, PrepareError> {
    let failed = |source| PrepareError {
        folder: folder.to_owned(),
        source,
    };
    let write = || -> io::Result<PathBuf> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).write(true).truncate(true).mode(0o600);
        let mut file = options.open(folder.join(FACTS))?;
        for service in binding.facts {
            writeln!(file, "{service}")?;
        }
        fs::canonicalize(folder)
    };
    let folder = write().map_err(failed)?;
    let mut vars = vec![(FOLDER.to_owned(), folder.to_string_lossy().into_owned())];
    vars.extend(speed.map(|speed| (SPEED.to_owned(), speed.to_owned())));
    Ok(ProviderCommand {
        binary: program,
        arguments: Vec::new(),
        vars,
    })
}

/// Serves the sandbox if this process was started as one; `None` otherwise. To be called first thing in `main`, with
/// the environment.
pub fn serve_if_asked(environment: &Environment) -> Option<ExitCode> {
    let folder = PathBuf::from(environment.get(FOLDER)?);
    let speed = environment.get(SPEED).and_then(|text| text.parse().ok());
    Some(
        match serve(&folder, speed.unwrap_or(DEFAULT_SPEED), environment) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Before the handshake, what a provider writes to stderr is shown to the person.
                let _ = writeln!(
                    io::stderr(),
                    "the sandbox in {} failed: {error}",
                    folder.display()
                );
                ExitCode::FAILURE
            }
        },
    )
}

fn serve(
    folder: &Path,
    speed: f64,
    environment: &Environment,
) -> Result<(), Box<dyn std::error::Error>> {
    let kinds = Kinds::read(&fs::read_to_string(folder.join(FACTS))?);
    let cloud = Cloud::open(folder, &kinds)?;
    serve::run(Sandbox::new(kinds, cloud, speed), Protocol::V5, environment)?;
    Ok(())
}
