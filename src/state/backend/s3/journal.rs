//! The journal in S3: one object a segment, each made by a conditional create.

use std::sync::PoisonError;
use std::time::Duration;

use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::error::{failure, is_missing, other};
use super::snapshot::timestamp;
use super::store::S3Store;
use crate::backend::{BackendError, Found, Position, Restart, Segment, write_checked};
use crate::clock::Timestamp;
use crate::crash::{self, Point};
use crate::journal::MAX_JOURNAL;

/// Segments that are read at once.
const READS: usize = 16;
/// Objects in one request to delete.
const DELETES: usize = 1000;
/// How long the place of an earlier run's last segment stays taken: longer than any run sleeps and goes on.
const TOMBSTONES: Duration = Duration::from_secs(30 * 24 * 3600);

/// A segment's object, by its listing.
struct Listed {
    at: Position,
    key: String,
    size: u64,
    modified: Option<Timestamp>,
}

impl Listed {
    /// An empty object only keeps its place from being used again.
    fn is_tombstone(&self) -> bool {
        self.size == 0
    }
}

impl S3Store {
    fn journal_prefix(&self) -> String {
        format!("{}.journal/", self.key)
    }

    fn segment_key(&self, at: Position) -> String {
        format!("{}{:08}/{:08}", self.journal_prefix(), at.epoch, at.segment)
    }

    fn listed(&self, object: &Object) -> Option<Listed> {
        let key = object.key()?;
        let (epoch, segment) = key.strip_prefix(&self.journal_prefix())?.split_once('/')?;
        Some(Listed {
            at: Position {
                epoch: epoch.parse().ok()?,
                segment: segment.parse().ok()?,
            },
            key: key.to_owned(),
            // An object without a size in the listing is read.
            size: object.size().map_or(1, i64::unsigned_abs),
            modified: object.last_modified().map(timestamp),
        })
    }

    /// Every object of the journal, in order.
    async fn list_segments(&self) -> Result<Vec<Listed>, BackendError> {
        let objects = self.list(&self.journal_prefix()).await?;
        let listed = objects.iter().filter_map(|object| self.listed(object));
        let mut listed: Vec<Listed> = listed.collect();
        listed.sort_by_key(|listed| listed.at);
        self.saw(listed.last().map(|listed| listed.at));
        Ok(listed)
    }

    /// Remembers the last position that is taken.
    fn saw(&self, at: Option<Position>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(at);
    }

    fn forget_last(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn last_seen(&self) -> Option<Position> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_segment(&self, key: &str) -> Result<Option<Bytes>, BackendError> {
        let place = self.object(key);
        // Records have checksums of their own: of an object that fails S3's, those are read that are whole.
        for unchecked in [false, false, true] {
            let get = self.get(key).customize();
            let get = match unchecked {
                true => get.config_override(
                    aws_sdk_s3::config::Builder::new()
                        .response_checksum_validation(ResponseChecksumValidation::WhenRequired),
                ),
                false => get,
            };
            let found = match get.send().await {
                Ok(found) => found,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(failure("read", &place, &error)),
            };
            match found.body.collect().await {
                Ok(body) => return Ok(Some(body.into_bytes())),
                Err(error) if unchecked => return Err(other("read", &place, &error)),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    pub(super) async fn read_segments(&self) -> Result<Vec<Segment>, BackendError> {
        let listed = self.list_segments().await?;
        let size: u64 = listed.iter().map(|listed| listed.size).sum();
        if size > MAX_JOURNAL {
            return Err(BackendError::Damaged {
                place: self.object(&self.journal_prefix()),
                reason: format!(
                    "its objects have {size} bytes; no journal has more than {MAX_JOURNAL}"
                ),
            });
        }
        let reads = listed.into_iter().map(async |listed| {
            let bytes = match listed.is_tombstone() {
                true => Some(Bytes::new()),
                false => self.read_segment(&listed.key).await?,
            };
            // Between listing and reading its run may have trimmed it.
            Ok::<_, BackendError>(bytes.map(|bytes| Segment {
                at: listed.at,
                bytes,
            }))
        });
        let segments: Vec<Option<Segment>> =
            stream::iter(reads).buffered(READS).try_collect().await?;
        Ok(segments.into_iter().flatten().collect())
    }

    /// Copies every object, ends the old journal, begins the new one behind it.
    pub(super) async fn restart_segments(&self, restart: Restart) -> Result<String, BackendError> {
        let Restart { copy, at, bytes } = restart;
        let listed = self.list_segments().await?;
        let copies = format!("{}.journal-damaged/{copy}/", self.key);
        for listed in &listed {
            let Some(bytes) = self.read_segment(&listed.key).await? else {
                continue;
            };
            let name = listed.key.strip_prefix(&self.journal_prefix());
            let key = format!("{copies}{}", name.unwrap_or(&listed.key));
            self.create_segment(&key, &bytes).await?;
        }
        // Places that no counting leads to would stay the last ones for ever.
        let beyond = listed.iter().filter(|listed| listed.at >= at);
        self.delete(beyond.map(|listed| listed.key.clone()).collect())
            .await?;
        // A run that only sleeps finds its next place taken.
        let last = listed.iter().rfind(|listed| listed.at < at);
        if let Some(last) = last.filter(|last| !last.is_tombstone())
            && let Some(segment) = last.at.segment.checked_add(1)
        {
            let key = self.segment_key(Position { segment, ..last.at });
            self.create_segment(&key, &Bytes::new()).await?;
        }
        self.forget_last();
        self.append_segment(at, bytes).await?;
        // The rest is not looked at any more, and goes with the next trimming.
        let _ = self.trim_segments(at).await;
        Ok(self.object(&copies))
    }

    pub(super) async fn append_segment(
        &self,
        at: Position,
        bytes: Bytes,
    ) -> Result<(), BackendError> {
        if self.last_seen().is_none() {
            self.list_segments().await?;
        }
        let key = self.segment_key(at);
        let last = self.last_seen();
        if last.is_some_and(|last| last >= at) {
            return self.is_ours(&key, &bytes).await;
        }
        if !at.follows(last) {
            return Err(self.conflict(&key));
        }
        self.create_segment(&key, &bytes).await?;
        self.saw(Some(at));
        if at.segment == 0 {
            // A run that slept while others came, ended and were trimmed finds its place free, but not the end of the journal.
            let end = self.list_segments().await?.last().map(|listed| listed.at);
            if end != Some(at) {
                self.delete(vec![key.clone()]).await?;
                return Err(self.conflict(&key));
            }
        }
        Ok(())
    }

    /// Creates a segment's object, or finds the same there already.
    async fn create_segment(&self, key: &str, bytes: &Bytes) -> Result<(), BackendError> {
        let write = || self.create_object(key, bytes, None, "write");
        let look = || async {
            match self.read_segment(key).await? {
                None => Ok(Found::Unchanged),
                Some(there) if there == *bytes => Ok(Found::Ours(())),
                Some(_) => Err(self.conflict(key)),
            }
        };
        write_checked(&*self.clock, &self.object(key), write, look).await
    }

    async fn is_ours(&self, key: &str, bytes: &Bytes) -> Result<(), BackendError> {
        match self.read_segment(key).await? {
            Some(there) if there == *bytes => Ok(()),
            _ => Err(self.conflict(key)),
        }
    }

    pub(super) async fn trim_segments(&self, before: Position) -> Result<(), BackendError> {
        let listed = self.list_segments().await?;
        let now = self.clock.now();
        let mut gone = Vec::new();
        for (place, segment) in listed.iter().enumerate() {
            let Some(next) = listed.get(place + 1) else {
                break;
            };
            if segment.at >= before {
                break;
            }
            let old = segment
                .modified
                .is_some_and(|modified| now.since(modified) > TOMBSTONES);
            let ends_epoch = next.at.epoch != segment.at.epoch;
            if segment.is_tombstone() && !old {
                continue;
            }
            if ends_epoch && !segment.is_tombstone() {
                // The run of that epoch may only sleep: its next place was taken by a seal, and stays taken.
                let put = self.put(&segment.key, &Bytes::new()).send().await;
                put.map_err(|error| failure("write", &self.object(&segment.key), &error))?;
            } else {
                gone.push(segment.key.clone());
            }
        }
        crash::reach(Point::TombstonesLaid).await;
        self.delete(gone).await
    }

    async fn delete(&self, keys: Vec<String>) -> Result<(), BackendError> {
        let place = self.object(&self.journal_prefix());
        for keys in keys.chunks(DELETES) {
            let objects = keys
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build());
            let objects: Vec<ObjectIdentifier> = objects
                .collect::<Result<_, _>>()
                .expect("invariant: every object has a key");
            let delete = Delete::builder()
                .set_objects(Some(objects))
                .quiet(true)
                .build();
            let deleted = self
                .clients
                .s3
                .delete_objects()
                .bucket(&self.options.bucket)
                .delete(delete.expect("invariant: there are objects"))
                .send()
                .await
                .map_err(|error| failure("delete from", &place, &error))?;
            if let Some(error) = deleted.errors().first() {
                return Err(BackendError::Unusable {
                    place: self.object(error.key().unwrap_or_default()),
                    reason: format!(
                        "it cannot be deleted: {}",
                        error.code().unwrap_or("no reason is given")
                    ),
                });
            }
        }
        Ok(())
    }
}
