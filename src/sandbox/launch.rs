//! How the sandbox becomes a provider process: this very program again, with a marker in its environment.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use terrane_core::ProviderBinding;
use terrane_core::addr::ProviderSource;
use terrane_provider::serve;
use terrane_provider::wire::Protocol;
use terrane_provider::{Environment, ProviderCommand};
use thiserror::Error;

use crate::clock::Speed;
use crate::cloud::Cloud;
use crate::kind::Kinds;
use crate::operations::Operations;
use crate::service::Sandbox;

/// Names the folder to serve; its presence is the marker.
const FOLDER: &str = "TERRANE_SANDBOX_FOLDER";
/// Names the file in it with the facts of the provider to serve.
const FACTS: &str = "TERRANE_SANDBOX_FACTS";
/// How many times faster than a cloud operations are (200 unless it is set); 0 does not wait at all.
const SPEED: &str = "TERRANE_SANDBOX_SPEED";
/// The region of a provider configuration that names none, when the environment does not either.
const REGION: &str = "us-east-1";

/// The sandbox's files cannot be written.
#[derive(Debug, Error)]
#[error("cannot write the sandbox in {}", folder.display())]
#[non_exhaustive]
pub struct PrepareError {
    /// Where it was to be.
    pub folder: PathBuf,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

/// Makes the folder of a sandbox ready, and says how to start it in place of that provider. All providers of a program share the
/// folder, and with it the objects. `speed` is the text of `TERRANE_SANDBOX_SPEED`, if it is set.
///
/// # Errors
/// When the folder cannot be written.
pub fn prepare(
    folder: &Path,
    source: &ProviderSource,
    binding: &ProviderBinding,
    program: PathBuf,
    speed: Option<&str>,
) -> Result<ProviderCommand, PrepareError> {
    let failed = |source| PrepareError {
        folder: folder.to_owned(),
        source,
    };
    let file = file_of(source);
    let write = || -> io::Result<PathBuf> {
        terrane_files::create_folder(folder)?;
        // The process that serves them has just started, and does not know which bindings the program will name.
        let (path, facts) = (folder.join(&file), binding.facts.join("\n"));
        if !fs::read_to_string(&path).is_ok_and(|there| there == facts) {
            // In one step, for another run may be reading it.
            terrane_files::replace(&path, facts.as_bytes())?;
        }
        fs::canonicalize(folder)
    };
    let folder = write().map_err(failed)?;
    let folder = folder.to_string_lossy().into_owned();
    let mut vars = vec![(FOLDER.to_owned(), folder), (FACTS.to_owned(), file)];
    vars.extend(speed.map(|speed| (SPEED.to_owned(), speed.to_owned())));
    Ok(ProviderCommand {
        binary: program,
        arguments: Vec::new(),
        vars,
    })
}

/// The file with the facts of a provider.
fn file_of(source: &ProviderSource) -> String {
    format!("{}.facts", source.to_string().replace(['/', ':'], "-"))
}

/// Serves the sandbox if this process was started as one; `None` otherwise. To be called first thing in `main`, with
/// the environment.
pub fn serve_if_asked(environment: &Environment) -> Option<ExitCode> {
    let folder = PathBuf::from(environment.get(FOLDER)?);
    Some(match serve(&folder, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Before the handshake, a provider's stderr is shown to the person.
            let _ = writeln!(
                io::stderr(),
                "the sandbox in {} failed: {}",
                folder.display(),
                told(&*error)
            );
            ExitCode::FAILURE
        }
    })
}

/// An error and what caused it, in one line.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", told(source)),
        None => error.to_string(),
    }
}

fn serve(folder: &Path, environment: &Environment) -> Result<(), Box<dyn std::error::Error>> {
    let speed = match environment.get(SPEED) {
        None => Speed::default(),
        Some(text) => Speed::read(text)
            .ok_or_else(|| format!("{SPEED} is `{text}`, which is not a number of at least 0"))?,
    };
    let region = (environment.get("AWS_REGION"))
        .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        .unwrap_or(REGION);
    let file = environment
        .get(FACTS)
        .ok_or("it is not told which provider it stands for")?;
    let kinds = Kinds::read(&fs::read_to_string(folder.join(file))?);
    // Only the newer protocol has a form for attributes with members of their own.
    let protocol = match kinds.has_nested_attributes() {
        true => Protocol::V6,
        false => Protocol::V5,
    };
    let cloud = Cloud::open(folder, &kinds)?;
    let operations = Arc::new(Operations::new(kinds, cloud));
    let service = Sandbox::new(operations.clone(), region, speed);
    serve::run(service, protocol, environment)?;
    // The engine has had its last answer; what follows is for the next start.
    operations.cloud.checkpoint(&operations.kinds)?;
    Ok(())
}
