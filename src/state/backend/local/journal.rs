//! The journal file: frames behind each other, synced as they are appended.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::files;
use super::store::Store;
use crate::backend::{BackendError, Position, Segment};
use crate::crash::{self, Point};
use crate::journal::frame::{self, EndReason};

/// The open journal.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    length: u64,
    last: Option<Position>,
    /// The bytes of the last append, to know a repeated one.
    last_bytes: Bytes,
    /// After a failed append nobody knows what is on the disk behind the length, and syncing again would say that all is well: that has
    /// to be cut off first.
    failed: bool,
}

impl Appender {
    /// Takes away what an append left that failed.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.failed = false;
        // What was set aside may be gone with it. If there is no room now, the next append says so.
        let _ = reserve(&self.file, self.length);
        Ok(())
    }
}

/// Room for the results of everything that can be under way: a disk that fills up meanwhile shall still take them.
const RESERVED: u64 = 256 * 1024;

/// Sets disk space aside behind the journal's end. A file system that cannot do that is used without.
fn reserve(file: &File, length: u64) -> std::io::Result<()> {
    match fallocate(file, FallocateFlags::KEEP_SIZE, length, RESERVED) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
        _ => Ok(()),
    }
}

impl Store {
    fn journal_path(&self) -> PathBuf {
        files::beside(&self.path, ".journal")
    }

    /// The whole file as one segment whose position is the last one's.
    pub(super) fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let Some(bytes) = files::read(&self.journal_path())? else {
            return Ok(Vec::new());
        };
        let bytes = Bytes::from(bytes);
        let (frames, _) = frame::decode(&bytes);
        let at = frames.last().map(|frame| frame.at).unwrap_or_default();
        Ok(if bytes.is_empty() {
            Vec::new()
        } else {
            vec![Segment { at, bytes }]
        })
    }

    fn appender(&mut self) -> Result<&mut Appender, BackendError> {
        if self.journal.is_none() {
            self.journal = Some(self.open_journal()?);
        }
        Ok(self.journal.as_mut().expect("invariant: opened above"))
    }

    /// Opens the file behind its last good frame: what a crash tore was never acknowledged.
    fn open_journal(&self) -> Result<Appender, BackendError> {
        let path = self.journal_path();
        let failed = |error| BackendError::store("open", path.display().to_string(), error);
        files::create_parent(&path)?;
        let file = files::open_or_create(&path)?;
        terrane_files::sync_folder(files::parent(&path)).map_err(failed)?;
        let bytes = Bytes::from(files::read(&path)?.unwrap_or_default());
        let (frames, end) = frame::decode(&bytes);
        if end.reason == EndReason::Damaged {
            return Err(BackendError::Damaged {
                place: path.display().to_string(),
                reason: format!(
                    "a record at byte {} can not be read, and others follow it",
                    end.offset
                ),
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
        let follows = match journal.last {
            Some(last) if last.epoch == at.epoch => last.segment + 1 == at.segment,
            Some(last) => last.epoch < at.epoch && at.segment == 0,
            None => at.segment == 0,
        };
        if !follows || journal.file.metadata().map_err(failed)?.len() != journal.length {
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
        let Some(bytes) = files::read(&path)?.map(Bytes::from) else {
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
            files::replace(&path, &bytes[start..end.offset], || Ok(()))?;
        }
        Ok(())
    }
}
