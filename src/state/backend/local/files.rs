//! File work that never follows a link by surprise, never leaves half a file, never shows a file to others.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::backend::BackendError;
use crate::crash::{self, Point};
use crate::random::{Random, SystemRandom};

/// No stored file is larger than this.
const MAX_SIZE: u64 = 1 << 30;

pub(super) fn flags() -> i32 {
    // Without NONBLOCK the opening of a FIFO would wait for a writer.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BackendError + 'a {
    move |error| BackendError::store(action, path.display().to_string(), error)
}

/// The file that a path means: itself, or what a symbolic link of ours leads to.
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
        let _ = file.set_permissions(Permissions::from_mode(0o600));
    }
    Ok(())
}

/// The whole content of a regular file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, BackendError> {
    let Some(file) = open(path, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(MAX_SIZE)
        .read_to_end(&mut bytes)
        .map_err(failed("read", path))?;
    Ok(Some(bytes))
}

/// Makes the directory of a file, and those above it, for nobody else to look into.
pub(super) fn create_parent(path: &Path) -> Result<(), BackendError> {
    let parent = parent(path);
    if parent.is_dir() {
        return Ok(());
    }
    let built = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    built.map_err(failed("create", parent))?;
    // A umask can only take away, but it may take away what we need.
    let mode = Permissions::from_mode(0o700);
    std::fs::set_permissions(parent, mode).map_err(failed("create", parent))
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

/// A name beside `path` that nobody can guess.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    hidden_beside(
        path,
        &format!(
            ".{:08x}{:08x}.tmp",
            SystemRandom.bits(),
            SystemRandom.bits()
        ),
    )
}

/// Puts a whole file in the place of another, or leaves that one as it is. Durable on return.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    before_rename: impl FnOnce() -> io::Result<()>,
) -> Result<(), BackendError> {
    let temporary = temporary_beside(path);
    let written = write_new(&temporary, bytes)
        .and_then(|()| {
            crash::reach_blocking(Point::FileWritten);
            before_rename()
        })
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| {
            crash::reach_blocking(Point::FileRenamed);
            sync_directory(parent(path))
        });
    if let Err(error) = written {
        let _ = std::fs::remove_file(&temporary);
        return Err(failed("write", path)(error));
    }
    Ok(())
}

/// A new file with mode 0600, on the disk on return.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // `create_new` is O_EXCL, which follows no link either.
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes renames in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes what a crash left of [`replace`].
pub(super) fn remove_temporaries(path: &Path) {
    let prefix = hidden_beside(path, ".");
    let prefix = prefix
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let Ok(entries) = std::fs::read_dir(parent(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let middle = name
            .strip_prefix(&prefix)
            .and_then(|rest| rest.strip_suffix(".tmp"));
        if middle.is_some_and(|m| m.len() == 16 && m.bytes().all(|b| b.is_ascii_hexdigit())) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
