//! Files that become others: their names say whose they are, and a lock says that their writer lives.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::fs::OFlags;

use crate::whole::restrict;

/// The end of the name of every temporary file of ours.
const SUFFIX: &str = ".terrane-tmp";

/// Random characters in a name.
const RANDOM: usize = 16;

/// A new private file under a name of its own, which goes with this value unless it was renamed.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) file: File,
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    /// A file in the same folder: `.<name>.<random>.terrane-tmp`.
    pub(crate) fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_prefix('.').unwrap_or(&name);
        loop {
            let temporary = path.with_file_name(format!(".{name}.{}{SUFFIX}", random(RANDOM)?));
            // `create_new` is O_EXCL, which follows no link either.
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)?;
            let new = Self {
                file,
                path: temporary,
                renamed: false,
            };
            restrict(&new.file)?;
            match new.file.try_lock() {
                // Where there are no locks, no sweep can take the file for a dead writer's.
                Ok(()) | Err(TryLockError::Error(_)) if is_at(&new.file, &new.path) => {
                    return Ok(new);
                }
                // Between its creation and its lock a sweep found it.
                _ => {}
            }
        }
    }

    /// Gives it its name, in the place of the file that has it now.
    pub(crate) fn rename_to(&mut self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, path)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the temporary files in a folder whose writers died. A file whose writer may live stays: no lock, another owner, no regular file.
pub fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name()) {
            let _ = remove_if_dead(&entry.path());
        }
    }
}

fn is_temporary(name: &OsStr) -> bool {
    let middle = name
        .to_str()
        .and_then(|name| name.strip_prefix('.')?.strip_suffix(SUFFIX));
    let random = middle.and_then(|middle| middle.rsplit_once('.'));
    random.is_some_and(|(_, random)| is_random(random, RANDOM))
}

fn remove_if_dead(path: &Path) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    // Some network file systems lock only what may be written.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file()
        && is_ours(&metadata)
        && file.try_lock().is_ok()
        // While it was opened, its writer may have given it its name.
        && is_at(&file, path)
    {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

pub(crate) fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

/// Whether the open file is the one that has this name.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata().map(identity);
    let there = path.symlink_metadata().map(identity);
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

/// That many random hexadecimal digits.
pub(crate) fn random(length: usize) -> io::Result<String> {
    let mut bytes = vec![0; length.div_ceil(2)];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(HEXLOWER.encode(&bytes))
}

pub(crate) fn is_random(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_dead_writer_s_files_are_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let alive = Temporary::beside(&at("state")).expect("a file");
        let dead = at(".plan.0123456789abcdef.terrane-tmp");
        let kept = [
            ".plan.0123456789abcde.terrane-tmp",
            ".plan.0123456789abcdeX.terrane-tmp",
            ".0123456789abcdef.terrane-tmp",
            "plan.0123456789abcdef.terrane-tmp",
            ".plan.0123456789abcdef.tmp",
        ];
        std::fs::write(&dead, "half").expect("written");
        for name in kept {
            std::fs::write(at(name), "somebody's").expect("written");
        }
        let link = at(".link.0123456789abcdef.terrane-tmp");
        symlink(at(kept[0]), &link).expect("a link");
        let inside = at(".folder.0123456789abcdef.terrane-tmp");
        std::fs::create_dir(&inside).expect("a folder");
        sweep(folder.path());
        assert!(!dead.exists());
        assert!(kept.iter().all(|name| at(name).exists()));
        assert!(link.symlink_metadata().is_ok() && inside.exists());
        assert!(alive.path.exists(), "its writer lives");
        let path = alive.path.clone();
        drop(alive);
        assert!(!path.exists());
    }

    #[test]
    fn writers_and_sweepers_of_one_folder_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for n in 0..2 {
                let path = folder.path().join(format!("file{n}"));
                scope.spawn(move || {
                    for round in 0..200 {
                        let text = format!("{n} {round}");
                        crate::replace(&path, text.as_bytes()).expect("written");
                        assert_eq!(std::fs::read_to_string(&path).expect("there"), text);
                    }
                });
            }
        });
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 2);
    }
}
