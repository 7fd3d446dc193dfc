//! File work that never follows a link by surprise, never leaves half a file, never shows a file to others.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use terrane_files::Moment;

use crate::backend::BackendError;
use crate::crash::{self, Point};
use crate::digest::Sha256;

/// No stored file is larger than this.
const MAX_SIZE: u64 = 1 << 30;

pub(super) fn flags() -> i32 {
    // Without NONBLOCK the opening of a FIFO would wait for a writer.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BackendError + 'a {
    move |error| BackendError::store(action, path.display().to_string(), error)
}

/// The file that a path means: itself, or the target of a symbolic link of ours.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, BackendError> {
    let path = std::path::absolute(path).map_err(failed("find", path))?;
    let Ok(metadata) = path.symlink_metadata() else {
        return Ok(path);
    };
    if !metadata.is_symlink() {
        return Ok(path);
    }
    let unusable = |reason: &str| BackendError::Unusable {
        place: path.display().to_string(),
        reason: reason.to_owned(),
    };
    let target = path
        .canonicalize()
        .map_err(|_| unusable("it is a symbolic link that leads nowhere"))?;
    let ours = |metadata: &std::fs::Metadata| metadata.uid() == rustix::process::geteuid().as_raw();
    match target.metadata() {
        Ok(metadata) if ours(&metadata) => Ok(target),
        _ => Err(unusable("it is a symbolic link to a file of another user")),
    }
}

/// Opens an existing regular file; `None` when there is none.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, BackendError> {
    let file = match options.custom_flags(flags()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable_or_failed(path, error)),
    };
    check_regular(path, &file)?;
    Ok(Some(file))
}

/// Opens a regular file for appending, making it with mode 0600 where it is missing.
pub(super) fn open_or_create(path: &Path) -> Result<File, BackendError> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let file = options
        .custom_flags(flags())
        .open(path)
        .map_err(|error| unusable_or_failed(path, error))?;
    check_regular(path, &file)?;
    terrane_files::restrict(&file).map_err(failed("protect", path))?;
    Ok(file)
}

fn unusable_or_failed(path: &Path, error: io::Error) -> BackendError {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => not_regular(path, metadata.file_type()),
        _ => failed("open", path)(error),
    }
}

fn not_regular(path: &Path, kind: std::fs::FileType) -> BackendError {
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a device, pipe or socket"
    };
    BackendError::Unusable {
        place: path.display().to_string(),
        reason: format!("it is {what}, not a regular file"),
    }
}

fn check_regular(path: &Path, file: &File) -> Result<(), BackendError> {
    let metadata = file.metadata().map_err(failed("inspect", path))?;
    if !metadata.is_file() {
        return Err(not_regular(path, metadata.file_type()));
    }
    if metadata.mode() & 0o077 != 0 {
        // States that other tools wrote are often readable by everybody. Not being the owner is no reason to stop.
        let _ = terrane_files::restrict(file);
    }
    Ok(())
}

/// The whole content of a regular file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, BackendError> {
    let Some(file) = open(path, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    // Growing step by step takes twice the memory of a large file for a moment.
    let length = file.metadata().map_err(failed("inspect", path))?.len();
    let length = usize::try_from(length.min(MAX_SIZE)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(length + 1);
    file.take(MAX_SIZE)
        .read_to_end(&mut bytes)
        .map_err(failed("read", path))?;
    Ok(Some(bytes))
}

/// SHA-256 of a regular file; `None` when there is none.
pub(super) fn digest(path: &Path) -> Result<Option<Sha256>, BackendError> {
    let Some(file) = open(path, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    let digest = Sha256::of_reader(file.take(MAX_SIZE));
    digest.map(Some).map_err(failed("read", path))
}

/// Makes the directory of a file, and those above it, with mode 0700.
pub(super) fn create_parent(path: &Path) -> Result<(), BackendError> {
    let parent = parent(path);
    terrane_files::create_folder(parent).map_err(failed("create", parent))
}

pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// A file name beside `path`: `.<name><suffix>`.
pub(super) fn hidden_beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_prefix('.').unwrap_or(&name);
    path.with_file_name(format!(".{name}{suffix}"))
}

/// A file name beside `path`: `<name><suffix>`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Puts a whole file in the place of another, or leaves that one as it is. Durable on return.
pub(super) fn replace<'b>(
    path: &Path,
    pieces: impl IntoIterator<Item = &'b [u8]>,
    mut before_rename: impl FnMut() -> io::Result<()>,
) -> Result<(), BackendError> {
    let replaced = terrane_files::replace_at(path, pieces, |moment| match moment {
        Moment::Written => {
            crash::reach_blocking(Point::FileWritten);
            before_rename()
        }
        Moment::Renamed => {
            crash::reach_blocking(Point::FileRenamed);
            Ok(())
        }
    });
    replaced.map_err(failed("write", path))
}
