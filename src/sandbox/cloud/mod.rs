//! What exists in the sandbox: kept in files that survive runs and that several provider processes share.
//!
//! The ledger is the truth: a change is done when its line is. `cloud.json` holds the objects as of some line, so that a start
//! need not read the whole ledger. A writer holds the ledger's lock and has read all that other processes wrote.

mod ledger;
mod objects;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use terrane_core::Value;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::kind::Kinds;

pub(crate) use ledger::{LedgerAction, LedgerEntry, Line};
pub(crate) use objects::Objects;

/// The file of objects, in the folder of a sandbox.
pub(crate) const SNAPSHOT: &str = "cloud.json";
/// The file of changes, in the folder of a sandbox.
pub(crate) const LEDGER: &str = "ledger.jsonl";
/// Changes after which a snapshot is due, when there are fewer objects than that.
const FEW: u64 = 64;

/// The files of a sandbox cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CloudError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file does not have the sandbox's form.
    #[error("{} is damaged at line {line}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1 at the beginning of the read part.
        line: usize,
        /// Why it cannot be read.
        #[source]
        source: serde_json::Error,
    },
    /// The process that started this one has died.
    #[error("the run has ended")]
    Orphaned,
}

/// The objects and their files.
pub(crate) struct Cloud {
    folder: PathBuf,
    /// The process whose requests are served, where there are files that another run may read. Once it has died, nothing changes any more.
    engine: Option<u32>,
    inner: Mutex<Inner>,
}

/// Where changes are written down.
enum Ledger {
    /// In a file that survives, and that several processes share.
    File(File),
    /// Here: the cloud ends with this process.
    Memory(Vec<Line>),
}

struct Inner {
    ledger: Ledger,
    /// How far the ledger has been read.
    offset: u64,
    sequence: u64,
    objects: Objects,
    since_snapshot: u64,
    /// How many objects the snapshot holds: the next one is due after as many changes, so that all of them together cost no
    /// more than a few times the last.
    in_snapshot: u64,
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) action: LedgerAction,
    pub(crate) type_name: String,
    pub(crate) id: String,
    /// The object afterwards; `None` when it is gone.
    pub(crate) object: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    /// The last line of the ledger that is in it.
    sequence: u64,
    /// Where the ledger goes on.
    offset: u64,
    objects: std::collections::BTreeMap<String, std::collections::BTreeMap<String, Box<RawValue>>>,
}

impl Cloud {
    /// Opens the cloud in that folder, which is made if need be.
    pub(crate) fn open(folder: &Path, kinds: &Kinds) -> Result<Self, CloudError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| CloudError::Io {
                action,
                path,
                source,
            }
        };
        terrane_files::create_folder(folder).map_err(io("make", folder))?;
        let path = folder.join(LEDGER);
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o600);
        let ledger = options.open(&path).map_err(io("open", &path))?;
        terrane_files::restrict(&ledger).map_err(io("protect", &path))?;
        let length = ledger.metadata().map_or(0, |metadata| metadata.len());
        let mut inner = Inner::new(Ledger::File(ledger));
        let path = folder.join(SNAPSHOT);
        match std::fs::read(&path) {
            Ok(json) => inner
                .load(&json, length, kinds)
                .map_err(|source| CloudError::Damaged {
                    line: source.line(),
                    path,
                    source,
                })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io("read", &path)(error)),
        }
        let cloud = Self {
            folder: folder.to_owned(),
            engine: Some(parent_id()),
            inner: Mutex::new(inner),
        };
        cloud.change(kinds, |_| None)?;
        Ok(cloud)
    }

    /// A cloud without files.
    pub(crate) fn in_memory() -> Self {
        Self {
            folder: PathBuf::new(),
            engine: None,
            inner: Mutex::new(Inner::new(Ledger::Memory(Vec::new()))),
        }
    }

    /// Another cloud without files, with the same in it.
    pub(crate) fn fork(&self) -> Self {
        let forked = Self::in_memory();
        {
            let (from, mut to) = (self.lock(), forked.lock());
            to.sequence = from.sequence;
            to.objects = from.objects.clone();
            if let Ledger::Memory(lines) = &from.ledger {
                to.ledger = Ledger::Memory(lines.clone());
            }
        }
        forked
    }

    /// Every change so far of a cloud without files.
    pub(crate) fn lines(&self) -> Vec<Line> {
        match &self.lock().ledger {
            Ledger::File(_) => Vec::new(),
            Ledger::Memory(lines) => lines.clone(),
        }
    }

    /// The number that the ids of the next change are drawn from, for a cloud without files.
    pub(crate) fn seed(&self) -> Option<u64> {
        let inner = self.lock();
        (!inner.is_shared()).then_some(inner.sequence)
    }

    /// Looks at the objects, as of the last change by whichever process, and perhaps makes a change of its own.
    pub(crate) fn change(
        &self,
        kinds: &Kinds,
        decide: impl FnOnce(&Objects) -> Option<Change>,
    ) -> Result<(), CloudError> {
        let mut inner = self.lock();
        let io = |action| {
            let path = self.folder.join(LEDGER);
            move |source| CloudError::Io {
                action,
                path,
                source,
            }
        };
        inner.ledger.lock().map_err(io("lock"))?;
        let done = (|| {
            self.catch_up(&mut inner, kinds)?;
            let Some(change) = decide(&inner.objects) else {
                return Ok(());
            };
            // Under the ledger's lock, so that whoever starts after that death sees all that was ever made.
            if self.engine.is_some_and(|engine| engine != parent_id()) {
                return Err(CloudError::Orphaned);
            }
            inner.append(change, kinds).map_err(io("write to"))?;
            if inner.is_shared() && inner.since_snapshot >= FEW.max(inner.in_snapshot) {
                self.save(&mut inner)?;
            }
            Ok(())
        })();
        inner.ledger.unlock().map_err(io("unlock"))?;
        done
    }

    /// Writes the snapshot.
    pub(crate) fn checkpoint(&self, kinds: &Kinds) -> Result<(), CloudError> {
        self.change(kinds, |_| None)?;
        let mut inner = self.lock();
        if inner.since_snapshot == 0 {
            return Ok(());
        }
        self.save(&mut inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in a rule happens before anything is written.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the new lines of the ledger; a last line that was cut off was never acknowledged and goes.
    fn catch_up(&self, inner: &mut Inner, kinds: &Kinds) -> Result<(), CloudError> {
        let path = || self.folder.join(LEDGER);
        let io = |action| {
            move |source| CloudError::Io {
                action,
                path: path(),
                source,
            }
        };
        let offset = inner.offset;
        let Ledger::File(ledger) = &mut inner.ledger else {
            return Ok(());
        };
        let length = ledger.metadata().map_err(io("read"))?.len();
        if length <= offset {
            return Ok(());
        }
        let mut text = String::new();
        (ledger.seek(SeekFrom::Start(offset))).map_err(io("read"))?;
        ledger.read_to_string(&mut text).map_err(io("read"))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let length = offset + whole as u64;
            ledger.set_len(length).map_err(io("shorten"))?;
        }
        for (number, line) in text[..whole].lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|source| CloudError::Damaged {
                path: path(),
                line: number + 1,
                source,
            })?;
            inner.sequence = line.entry.sequence;
            inner.since_snapshot += 1;
            inner.objects.replay(line, kinds);
        }
        inner.offset += whole as u64;
        Ok(())
    }

    fn save(&self, inner: &mut Inner) -> Result<(), CloudError> {
        let path = self.folder.join(SNAPSHOT);
        let io = |action| {
            let path = path.clone();
            move |source| CloudError::Io {
                action,
                path,
                source,
            }
        };
        let snapshot = Snapshot {
            version: 1,
            sequence: inner.sequence,
            offset: inner.offset,
            objects: inner.objects.to_json(),
        };
        let json = serde_json::to_vec_pretty(&snapshot)
            .map_err(|error| io("write")(io::Error::from(error)))?;
        terrane_files::replace(&path, &json).map_err(io("write"))?;
        inner.since_snapshot = 0;
        inner.in_snapshot = inner.objects.len() as u64;
        Ok(())
    }
}

impl Ledger {
    fn lock(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.lock(),
            Self::Memory(_) => Ok(()),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.unlock(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Adds a line; how many bytes of a file it takes.
    fn append(&mut self, line: &Line) -> io::Result<usize> {
        let file = match self {
            Self::File(file) => file,
            Self::Memory(lines) => {
                lines.push(line.clone());
                return Ok(0);
            }
        };
        let mut text = serde_json::to_string(line).map_err(io::Error::from)?;
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(text.len())
    }
}

impl Inner {
    fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            offset: 0,
            sequence: 0,
            objects: Objects::default(),
            since_snapshot: 0,
            in_snapshot: 0,
        }
    }

    fn is_shared(&self) -> bool {
        matches!(self.ledger, Ledger::File(_))
    }

    /// Takes the snapshot beside a ledger of that length.
    fn load(&mut self, json: &[u8], length: u64, kinds: &Kinds) -> Result<(), serde_json::Error> {
        let snapshot: Snapshot = serde_json::from_slice(json)?;
        self.sequence = snapshot.sequence;
        // A shorter ledger was replaced: the snapshot stands.
        self.offset = snapshot.offset.min(length);
        self.objects = Objects::from_json(&snapshot.objects, kinds);
        self.in_snapshot = self.objects.len() as u64;
        Ok(())
    }

    fn append(&mut self, change: Change, kinds: &Kinds) -> io::Result<()> {
        let ty = kinds
            .resource(&change.type_name)
            .map(|kind| kind.schema.ty().clone());
        let object = match (&change.object, ty) {
            (Some(object), Some(ty)) => {
                let json = object.to_json(&ty).map_err(io::Error::other)?;
                Some(RawValue::from_string(json).map_err(io::Error::from)?)
            }
            _ => None,
        };
        let line = Line {
            entry: LedgerEntry {
                sequence: self.sequence + 1,
                time: Timestamp::now().rfc3339(),
                action: change.action,
                type_name: change.type_name,
                id: change.id,
            },
            object,
        };
        self.offset += self.ledger.append(&line)? as u64;
        self.sequence += 1;
        self.since_snapshot += 1;
        let LedgerEntry { type_name, id, .. } = line.entry;
        self.objects.set(type_name, id, change.object, kinds);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
