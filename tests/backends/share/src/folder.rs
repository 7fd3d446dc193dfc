//! A folder of files that are created once and never changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

/// Tells the unfinished files of one process apart.
static UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// One folder of a state. Its names are numbers with eight digits or more, so their order is that of the numbers.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Creates a file where there is none, whole and durable; whether it did. Of several who try, one succeeds, on whichever machine:
    /// a link is made or not, in the protocols of shared file systems too.
    pub(crate) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let unfinished = self.write_unfinished(bytes)?;
        let linked = fs::hard_link(&unfinished, self.0.join(name));
        let _ = fs::remove_file(&unfinished);
        match linked {
            Ok(()) => {
                File::open(&self.0)?.sync_all()?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts a file in the place of another, or of none.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.write_unfinished(bytes)?;
        fs::rename(&unfinished, self.0.join(name))
    }

    fn write_unfinished(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        // The folder of the state must be there: a share that is not mounted is no new state.
        match fs::create_dir(&self.0) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let count = UNFINISHED.fetch_add(1, Ordering::Relaxed);
        let host = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let (host, process) = (host.trim(), std::process::id());
        let path = self.0.join(format!(".{host}-{process}-{count}"));
        // Whoever shares the folder by their group shares the state.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o660)
            .open(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(path)
    }

    /// The bytes of a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Bytes>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The finished files, in order.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The highest number, if there is any.
    pub(crate) fn last(&self) -> io::Result<Option<u64>> {
        let names = self.names()?;
        Ok(names.iter().rev().find_map(|name| name.parse().ok()))
    }
}

/// The name of a number.
pub(crate) fn numbered(number: u64) -> String {
    format!("{number:08}")
}
