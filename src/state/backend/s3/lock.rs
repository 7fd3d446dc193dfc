//! Terraform's locks: an item in DynamoDB, an object in the bucket, or both.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use bytes::Bytes;

use super::error::{failure, is_missing, is_precondition};
use super::store::S3Store;
use crate::backend::{Answered, BackendError, Found, Holder, LockError, write_checked};
use crate::clock::Timestamp;
use crate::crash::{self, Point};
use crate::lock_info::LockInfo;

/// The attribute with the holder's last sign of life; Terraform looks at `Info` only.
const SEEN: &str = "TerraneSeen";

/// A lock as it is stored.
struct Stored {
    /// The description, or in its place what there is instead of one.
    raw: String,
    /// `Info` of an item, whatever it is.
    value: Option<AttributeValue>,
    /// The ETag of a lockfile.
    etag: Option<String>,
    seen: Option<Timestamp>,
}

impl Stored {
    fn info(&self) -> Option<LockInfo> {
        LockInfo::parse(self.raw.as_bytes()).ok()
    }

    /// Whether it is the one with that id.
    fn has_id(&self, id: &str) -> bool {
        match self.info() {
            Some(info) => info.id == id,
            None => Holder::unreadable_id(&self.raw) == id,
        }
    }

    fn into_holder(self) -> Holder {
        Holder {
            info: self.info(),
            last_seen: self.seen,
            raw: self.raw,
        }
    }
}

/// Whether the lock that is there is the one that was to be taken.
fn whose(there: Option<Stored>, info: &LockInfo) -> Result<Found<()>, LockError> {
    match there {
        Some(stored) if stored.has_id(&info.id) => Ok(Found::Ours(())),
        Some(stored) => Err(LockError::Held(Box::new(stored.into_holder()))),
        // Freed in between, or never stored.
        None => Ok(Found::Unchanged),
    }
}

impl S3Store {
    fn lockfile(&self) -> String {
        format!("{}.tflock", self.key)
    }

    fn not_held(&self, id: &str) -> BackendError {
        BackendError::NotHeld {
            place: self.options.lock_path(),
            id: id.to_owned(),
        }
    }

    pub(super) async fn take_lock(&self, info: &LockInfo) -> Result<(), LockError> {
        if self.options.locks_by_file() {
            self.take_lockfile(info).await?;
            crash::reach(Point::HalfLocked).await;
        }
        let Some(table) = &self.options.dynamodb_table else {
            return Ok(());
        };
        let taken = self.take_item(table, info).await;
        if taken.is_err() && self.options.locks_by_file() {
            // Half a lock is no lock.
            self.free_lockfile(&info.id).await?;
        }
        taken
    }

    async fn take_item(&self, table: &str, info: &LockInfo) -> Result<(), LockError> {
        let write = || async {
            let put = self
                .clients
                .dynamodb
                .put_item()
                .table_name(table)
                .item("LockID", AttributeValue::S(self.options.lock_path()))
                .item("Info", AttributeValue::S(info.to_json()))
                .condition_expression("attribute_not_exists(LockID)");
            match put.send().await {
                Ok(_) => Ok(Answered::Unproved),
                Err(error) => match error.as_service_error() {
                    // Also our own write, whose answer was lost.
                    Some(service) if service.is_conditional_check_failed_exception() => {
                        Ok(Answered::Unproved)
                    }
                    _ => Err(LockError::from(failure("lock", table, &error))),
                },
            }
        };
        let look = || async { whose(self.read_item(table).await?, info) };
        write_checked(&*self.clock, table, write, look).await
    }

    async fn read_item(&self, table: &str) -> Result<Option<Stored>, BackendError> {
        let found = self
            .item(table, &self.options.lock_path(), "read the lock in")
            .await?;
        let text =
            |value: Option<&AttributeValue>| value.and_then(|value| value.as_s().ok().cloned());
        Ok(found.map(|item| {
            let value = item.get("Info").cloned();
            let raw = match (text(value.as_ref()), &value) {
                (Some(raw), _) if !raw.is_empty() => raw,
                (Some(_), _) => "the `Info` of its item is empty".to_owned(),
                (None, Some(_)) => "the `Info` of its item is no text".to_owned(),
                (None, None) => "its item has no `Info`".to_owned(),
            };
            Stored {
                raw,
                value,
                etag: None,
                seen: text(item.get(SEEN)).and_then(|seen| seen.parse().ok()),
            }
        }))
    }

    async fn free_item(&self, table: &str, id: &str) -> Result<(), BackendError> {
        let stored = self
            .read_item(table)
            .await?
            .filter(|stored| stored.has_id(id));
        let stored = stored.ok_or_else(|| self.not_held(id))?;
        let delete = || async {
            let delete = self
                .clients
                .dynamodb
                .delete_item()
                .table_name(table)
                .key("LockID", AttributeValue::S(self.options.lock_path()))
                .return_values(ReturnValue::AllOld);
            let delete = match stored.value.clone() {
                Some(info) => delete
                    .condition_expression("Info = :info")
                    .expression_attribute_values(":info", info),
                None => delete.condition_expression("attribute_not_exists(Info)"),
            };
            match delete.send().await {
                // Only a store that deleted it knows the old item.
                Ok(answer) if answer.attributes.is_some() => Ok(Answered::Proof(())),
                Ok(_) => Ok(Answered::Unproved),
                Err(error) => match error.as_service_error() {
                    // It was ours a moment ago: gone now means that an earlier try arrived and its answer was lost.
                    Some(service) if service.is_conditional_check_failed_exception() => {
                        Ok(Answered::Unproved)
                    }
                    _ => Err(failure("unlock", table, &error)),
                },
            }
        };
        let look = || async { self.is_free(self.read_item(table).await?, id) };
        write_checked(&*self.clock, table, delete, look).await
    }

    /// Whether a lock that was ours is gone.
    fn is_free(&self, there: Option<Stored>, id: &str) -> Result<Found<()>, BackendError> {
        match there {
            None => Ok(Found::Ours(())),
            Some(stored) if stored.has_id(id) => Ok(Found::Unchanged),
            Some(_) => Err(self.not_held(id)),
        }
    }

    async fn take_lockfile(&self, info: &LockInfo) -> Result<(), LockError> {
        let key = self.lockfile();
        let place = self.object(&key);
        let bytes = Bytes::from(info.to_json());
        let write = || async {
            let created = self
                .create_object(&key, &bytes, Some("application/json"), "lock")
                .await;
            created.map_err(LockError::from)
        };
        let look = || async { whose(self.read_lockfile().await?, info) };
        write_checked(&*self.clock, &place, write, look).await
    }

    async fn read_lockfile(&self) -> Result<Option<Stored>, BackendError> {
        let key = self.lockfile();
        let Some(object) = self.read_object(&key, None).await? else {
            return Ok(None);
        };
        let raw = String::from_utf8_lossy(&object.bytes).into_owned();
        Ok(Some(Stored {
            raw: match raw.is_empty() {
                true => "its lockfile is empty".to_owned(),
                false => raw,
            },
            value: None,
            etag: Some(object.etag).filter(|etag| !etag.is_empty()),
            seen: None,
        }))
    }

    async fn free_lockfile(&self, id: &str) -> Result<(), BackendError> {
        let key = self.lockfile();
        let stored = self
            .read_lockfile()
            .await?
            .filter(|stored| stored.has_id(id));
        let stored = stored.ok_or_else(|| self.not_held(id))?;
        let place = self.object(&key);
        let delete = || async {
            let delete = self
                .clients
                .s3
                .delete_object()
                .bucket(&self.options.bucket)
                .key(&key)
                .set_if_match(stored.etag.clone());
            match delete.send().await {
                Ok(_) => Ok(Answered::Unproved),
                Err(error) if is_missing(&error) || is_precondition(&error) => {
                    Ok(Answered::Unproved)
                }
                Err(error) => Err(failure("unlock", &place, &error)),
            }
        };
        let look = || async { self.is_free(self.read_lockfile().await?, id) };
        write_checked(&*self.clock, &place, delete, look).await?;
        let seen = self
            .clients
            .s3
            .delete_object()
            .bucket(&self.options.bucket)
            .key(self.seen_key());
        // A sign of life that stays says nothing: it names its lock.
        let _ = seen.send().await;
        Ok(())
    }

    /// Where the holder of a lockfile leaves its last sign of life.
    fn seen_key(&self) -> String {
        format!("{}.seen", self.lockfile())
    }

    /// Frees both halves, and tries the second whatever becomes of the first: a run that died between them left one.
    pub(super) async fn free_lock(&self, id: &str) -> Result<(), BackendError> {
        let mut halves = Vec::new();
        if let Some(table) = &self.options.dynamodb_table {
            halves.push(self.free_item(table, id).await);
            crash::reach(Point::HalfUnlocked).await;
        }
        if self.options.locks_by_file() {
            halves.push(self.free_lockfile(id).await);
        }
        let not_held =
            |half: &Result<(), BackendError>| matches!(half, Err(BackendError::NotHeld { .. }));
        if halves.iter().all(not_held) {
            return Err(self.not_held(id));
        }
        halves.into_iter().filter(|half| !not_held(half)).collect()
    }

    pub(super) async fn sign_of_life(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        if let Some(table) = &self.options.dynamodb_table {
            let stored = self
                .read_item(table)
                .await?
                .filter(|stored| stored.has_id(id));
            let stored = stored.ok_or_else(|| self.not_held(id))?;
            let update = self
                .clients
                .dynamodb
                .update_item()
                .table_name(table)
                .key("LockID", AttributeValue::S(self.options.lock_path()))
                .update_expression("SET #seen = :seen")
                .condition_expression("Info = :info")
                .expression_attribute_names("#seen", SEEN)
                .expression_attribute_values(":seen", AttributeValue::S(now.to_string()))
                .expression_attribute_values(":info", AttributeValue::S(stored.raw));
            match update.send().await {
                Ok(_) => {}
                Err(error) => {
                    return Err(match error.as_service_error() {
                        Some(service) if service.is_conditional_check_failed_exception() => {
                            self.not_held(id)
                        }
                        _ => failure("write the sign of life to", table, &error),
                    });
                }
            }
        }
        if self.options.locks_by_file() {
            let stored = self.read_lockfile().await?;
            if !stored.is_some_and(|stored| stored.has_id(id)) {
                return Err(self.not_held(id));
            }
            let key = self.seen_key();
            let seen = Bytes::from(format!("{id} {now}"));
            let put = self.put(&key, &seen).send().await;
            put.map_err(|error| failure("write", &self.object(&key), &error))?;
        }
        Ok(())
    }

    pub(super) async fn read_holder(&self) -> Result<Option<Holder>, BackendError> {
        if let Some(table) = &self.options.dynamodb_table
            && let Some(stored) = self.read_item(table).await?
        {
            return Ok(Some(stored.into_holder()));
        }
        if !self.options.locks_by_file() {
            return Ok(None);
        }
        let Some(mut stored) = self.read_lockfile().await? else {
            return Ok(None);
        };
        stored.seen = self.read_seen(&stored).await;
        Ok(Some(stored.into_holder()))
    }

    /// When the holder of a lockfile was last seen; never a reason to fail.
    async fn read_seen(&self, stored: &Stored) -> Option<Timestamp> {
        let found = self.get(&self.seen_key()).send().await.ok()?;
        let bytes = found.body.collect().await.ok()?.into_bytes();
        let (id, seen) = std::str::from_utf8(&bytes).ok()?.split_once(' ')?;
        if stored.has_id(id) {
            seen.parse().ok()
        } else {
            None
        }
    }
}
