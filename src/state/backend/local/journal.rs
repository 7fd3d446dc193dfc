//! The journal file: frames behind each other, synced as they are appended.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use bytes::Bytes;

use super::files;
use super::lock::is_at;
use super::store::Store;
use crate::backend::{BackendError, Position, Restart, Segment};
use crate::crash::{self, Point};
use crate::journal::MAX_JOURNAL;
use crate::journal::frame::{self, EndReason, HEADER};

/// The open journal.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    length: u64,
    last: Option<Position>,
    /// The bytes of the last append, to know a repeated one.
    last_bytes: Bytes,
    /// After a failed append the disk may hold anything behind the length, and syncing again would report success: that has
    /// to be cut off first.
    failed: bool,
}

impl Appender {
    /// Takes away the rest of a failed append.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.failed = false;
        // The reserved space may be gone with it. If there is no room now, the next append says so.
        let _ = reserve(&self.file, self.length);
        Ok(())
    }
}

/// Room for the results of all operations that can be running: a disk that fills up meanwhile shall still take them.
const RESERVED: u64 = 256 * 1024;

/// Sets disk space aside behind the journal's end, where that can be done.
fn reserve(file: &File, length: u64) -> std::io::Result<()> {
    terrane_host::reserve(file, length, RESERVED)
}

/// How much is read of what follows the records and is none.
const SEARCHED: u64 = 64 * 1024 * 1024;

/// The file as far as it holds records, and the beginning of anything behind them: a file that is no journal is not read whole.
fn read_records(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        file.take(HEADER as u64).read_to_end(&mut bytes)?;
        let payload = frame::payload_length(&bytes[start..]).map(|length| length as u64);
        let rest = payload.unwrap_or(SEARCHED);
        let read = file.take(rest).read_to_end(&mut bytes)? as u64;
        if payload.is_none() || read < rest || bytes.len() as u64 > MAX_JOURNAL {
            return Ok(bytes);
        }
    }
}

impl Store {
    /// The journal as far as it can be read; `None` when there is none.
    fn journal_bytes(&self) -> Result<Option<Bytes>, BackendError> {
        let path = self.journal_path();
        let failed = |error| BackendError::store("read", path.display().to_string(), error);
        let Some(mut file) = files::open(&path, OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let bytes = read_records(&mut file).map_err(failed)?;
        if bytes.len() as u64 > MAX_JOURNAL {
            return Err(BackendError::Damaged {
                place: path.display().to_string(),
                reason: format!("no journal has more than {MAX_JOURNAL} bytes"),
            });
        }
        Ok(Some(bytes.into()))
    }

    fn journal_path(&self) -> PathBuf {
        files::beside(&self.path, ".journal")
    }

    /// The file as one segment whose position is the last one's. A torn record at its end was never acknowledged.
    pub(super) fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let Some(mut bytes) = self.journal_bytes()? else {
            return Ok(Vec::new());
        };
        let (frames, end) = frame::decode(&bytes);
        if end.reason == EndReason::Torn {
            bytes.truncate(end.offset);
        }
        let at = frames.last().map(|frame| frame.at).unwrap_or_default();
        Ok(match bytes.is_empty() {
            true => Vec::new(),
            false => vec![Segment { at, bytes }],
        })
    }

    fn appender(&mut self) -> Result<&mut Appender, BackendError> {
        if self.journal.is_none() {
            self.journal = Some(self.open_journal()?);
        }
        Ok(self.journal.as_mut().expect("invariant: opened above"))
    }

    /// Opens the file behind its last good frame: a torn record was never acknowledged.
    fn open_journal(&self) -> Result<Appender, BackendError> {
        let path = self.journal_path();
        let failed = |error| BackendError::store("open", path.display().to_string(), error);
        files::create_parent(&path)?;
        let file = files::open_or_create(&path)?;
        terrane_files::sync_folder(files::parent(&path)).map_err(failed)?;
        let bytes = self.journal_bytes()?.unwrap_or_default();
        let (frames, end) = frame::decode(&bytes);
        if let EndReason::Damaged(flaw) = end.reason {
            return Err(BackendError::Damaged {
                place: path.display().to_string(),
                reason: format!("{flaw} byte {}", end.offset),
            });
        }
        let length = end.offset as u64;
        if end.reason == EndReason::Torn {
            let writable = files::open(&path, OpenOptions::new().write(true))?;
            let cut = |file: File| file.set_len(length).and_then(|()| file.sync_all());
            writable.map_or(Ok(()), cut).map_err(failed)?;
        }
        reserve(&file, length).map_err(failed)?;
        let last = frames.last().map(|frame| frame.at);
        let first_of_last = frames
            .iter()
            .rev()
            .take_while(|frame| Some(frame.at) == last);
        let last_length: usize = first_of_last.map(frame::Frame::encoded_length).sum();
        Ok(Appender {
            file,
            length,
            last,
            last_bytes: bytes.slice(end.offset - last_length..end.offset),
            failed: false,
        })
    }

    pub(super) fn append_journal(
        &mut self,
        at: Position,
        bytes: &Bytes,
    ) -> Result<(), BackendError> {
        self.still_owned()?;
        let path = self.journal_path();
        let conflict = self.conflict(&path);
        let failed = |error| BackendError::store("append to", path.display().to_string(), error);
        let journal = self.appender()?;
        if journal.failed {
            journal.cut().map_err(failed)?;
        }
        if journal.last == Some(at) {
            return if journal.last_bytes == *bytes {
                Ok(())
            } else {
                Err(conflict)
            };
        }
        let metadata = journal.file.metadata().map_err(failed)?;
        // Another may have put a new journal in its place, or written into this one.
        let is_ours = is_at(&journal.file, &path) && metadata.len() == journal.length;
        if !at.follows(journal.last) || !is_ours {
            return Err(conflict);
        }
        let written = journal.file.write_all(bytes).and_then(|()| {
            crash::reach_blocking(Point::SegmentUnsynced);
            journal.file.sync_data()
        });
        if let Err(error) = written {
            journal.failed = true;
            let _ = journal.cut();
            return Err(failed(error));
        }
        journal.length += bytes.len() as u64;
        journal.last = Some(at);
        journal.last_bytes = bytes.clone();
        Ok(())
    }

    pub(super) fn trim_journal(&mut self, before: Position) -> Result<(), BackendError> {
        self.still_owned()?;
        let path = self.journal_path();
        let Some(bytes) = self.journal_bytes()? else {
            return Ok(());
        };
        let (frames, end) = frame::decode(&bytes);
        let last = frames.last().map(|frame| frame.at);
        let gone = frames
            .iter()
            .take_while(|frame| frame.at < before && Some(frame.at) != last);
        let start: usize = gone.map(frame::Frame::encoded_length).sum();
        if start > 0 {
            self.journal = None;
            files::replace(&path, [&bytes[start..end.offset]], || Ok(()))?;
        }
        Ok(())
    }
    /// Keeps the file under another name and puts the new journal in its place.
    pub(super) fn restart_journal(&mut self, restart: &Restart) -> Result<String, BackendError> {
        self.still_owned()?;
        let path = self.journal_path();
        let copy = files::beside(&path, &format!(".damaged-{}", restart.copy));
        let failed = |error| BackendError::store("copy", path.display().to_string(), error);
        // A second name is enough: the file itself is not written any more. Not every file system has them.
        match std::fs::hard_link(&path, &copy) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(failed(error)),
            Err(_) => {
                let copied = std::fs::copy(&path, &copy);
                let synced = copied.and_then(|_| File::open(&copy)?.sync_all());
                synced.map_err(failed)?;
            }
        }
        self.journal = None;
        files::replace(&path, [&*restart.bytes], || Ok(()))?;
        Ok(copy.display().to_string())
    }
}
