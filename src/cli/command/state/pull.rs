//! `state pull`: the stored state, byte for byte, or decrypted.

use std::path::Path;

use terrane_core::Diagnostic;
use terrane_state::{BackendError, PrivateFile, Run};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::view::printable::{counted, one_line};

pub(super) async fn run(
    session: &Session<'_>,
    version: Option<&str>,
    decrypt: bool,
    out: Option<&Path>,
) -> Result<Exit, CommandError> {
    let file = out.map(PrivateFile::new).transpose().map_err(failed)?;
    if let Some(file) = &file {
        file.check_replaceable(|_| false).map_err(failed)?;
    }
    let backend = session.backend().await?;
    let stored = match backend.beneath() {
        Some(ciphertext) if !decrypt => ciphertext,
        _ => &*backend,
    };
    let bytes = match version {
        Some(version) => stored.read_version(version).await.map_err(failed)?,
        None => match stored.read().await {
            Ok(Some(snapshot)) => snapshot.bytes,
            Ok(None) => {
                let place = backend.place();
                return Err(Diagnostic::error(format!("there is no state at {place}")).into());
            }
            Err(error) => return Err(session.state_error(&*backend, &error.into()).await),
        },
    };
    match file {
        Some(file) => file.replace(&bytes, |_| false).map_err(failed)?,
        None => session.streams.out(bytes),
    }
    if version.is_some() {
        return Ok(Exit::DONE);
    }
    // A state that cannot be used can be pulled all the same, to see why.
    match Run::look(&*backend).await {
        Ok((_, recovered)) if recovered.replayed > 0 => {
            let results = counted(recovered.replayed, "result");
            session.note(&format!(
                "this is the state as stored; its journal has {results} more, which the next run puts into it\n"
            ));
        }
        Ok(_) => {}
        Err(error) => {
            let why = one_line(&error.to_string());
            session.note(&format!("this is the stored file; runs refuse it: {why}\n"));
        }
    }
    Ok(Exit::DONE)
}

fn failed(error: BackendError) -> CommandError {
    run_error(&error.into())
}
