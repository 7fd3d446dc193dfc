//! The state's object: conditional writes that are checked, the digest item that Terraform checks, versions.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::ResponseChecksumValidation;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use md5::Digest as _;

use super::error::{failure, is_missing, is_precondition, is_race, other};
use super::store::S3Store;
use crate::backend::{
    Answered, BackendError, Expected, Found, Snapshot, StoredVersion, Token, Written, write_checked,
};
use crate::clock::Timestamp;
use crate::crash::{self, Point};
use crate::digest::Sha256;

/// Tries when the digest does not fit or another write is in progress: S3 is consistent, so only a writer that is just between
/// object and digest needs the wait.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(400);

impl S3Store {
    pub(super) async fn read_snapshot(&self) -> Result<Option<Snapshot>, BackendError> {
        let mut tries = 0;
        loop {
            let object = self.read_object(&self.key, None).await?;
            let digest = self.read_digest().await?;
            let doubt = match (&object, digest) {
                (_, None) => None,
                (Some(object), Some(digest)) => {
                    let found = md5_hex(&object.bytes);
                    (found != digest)
                        .then(|| format!("its MD5 is {found}, the lock table says {digest}"))
                }
                (None, Some(digest)) => Some(format!("the lock table has the MD5 {digest} of it")),
            };
            if doubt.is_some() && tries < TRIES {
                tries += 1;
                self.clock.sleep(PAUSE).await;
                continue;
            }
            return match (object, doubt) {
                (None, Some(reason)) => Err(BackendError::Missing {
                    place: self.object(&self.key),
                    reason,
                }),
                (None, None) => Ok(None),
                (Some(object), doubt) => Ok(Some(Snapshot {
                    sha256: Sha256::of(&object.bytes),
                    token: Token(object.etag.into()),
                    bytes: object.bytes,
                    version: object.version,
                    doubt,
                })),
            };
        }
    }

    pub(super) async fn write_snapshot(
        &self,
        bytes: Bytes,
        over: &Expected,
    ) -> Result<Written, BackendError> {
        let place = self.object(&self.key);
        let write = || async {
            let put = self.put(&self.key, &bytes).content_type("application/json");
            let put = match over {
                Expected::Absent => put.if_none_match("*"),
                Expected::Token(token) => put.if_match(&*token.0),
            };
            match put.send().await {
                Ok(put) if Self::proves(&put, &bytes) => Ok(Answered::Proof((
                    put.e_tag.unwrap_or_default(),
                    put.version_id,
                ))),
                Ok(_) => Ok(Answered::Unproved),
                Err(error) if is_race(&error) => Ok(Answered::Unproved),
                // With If-Match a missing object is answered by 404.
                Err(error) if is_precondition(&error) || is_missing(&error) => {
                    Err(self.conflict(&self.key))
                }
                Err(error) => Err(failure("write", &place, &error)),
            }
        };
        let look = || async {
            let object = self.read_object(&self.key, None).await?;
            match (object, over) {
                (Some(object), _) if object.bytes == bytes => {
                    Ok(Found::Ours((object.etag, object.version)))
                }
                (None, Expected::Absent) => Ok(Found::Unchanged),
                (Some(object), Expected::Token(token)) if object.etag == *token.0 => {
                    Ok(Found::Unchanged)
                }
                _ => Err(self.conflict(&self.key)),
            }
        };
        let (token, version) = write_checked(&*self.clock, &place, write, look).await?;
        crash::reach(Point::DigestBefore).await;
        self.put_digest(&bytes).await?;
        crash::reach(Point::DigestStored).await;
        Ok(Written {
            token: Token(token.into()),
            version,
        })
    }

    fn digest_id(&self) -> String {
        format!("{}-md5", self.options.lock_path())
    }

    /// The MD5 that the lock table has for the state; `None` without a table or a usable item.
    async fn read_digest(&self) -> Result<Option<String>, BackendError> {
        let Some(table) = &self.options.dynamodb_table else {
            return Ok(None);
        };
        let item = self
            .item(table, &self.digest_id(), "read the digest in")
            .await?;
        let digest = item.and_then(|mut item| item.remove("Digest"));
        let digest = digest.and_then(|digest| digest.as_s().ok().cloned());
        Ok(digest
            .filter(|digest| digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit())))
    }

    /// Tells the lock table the MD5 of the state: Terraform refuses a state whose MD5 is another.
    pub(super) async fn put_digest(&self, bytes: &[u8]) -> Result<(), BackendError> {
        let Some(table) = &self.options.dynamodb_table else {
            return Ok(());
        };
        let md5 = md5_hex(bytes);
        let write = || async {
            let put = self
                .clients
                .dynamodb
                .put_item()
                .table_name(table)
                .item("LockID", AttributeValue::S(self.digest_id()))
                .item("Digest", AttributeValue::S(md5.clone()));
            match put.send().await {
                Ok(_) => Ok(Answered::Unproved),
                Err(error) => Err(failure("write the digest to", table, &error)),
            }
        };
        // Only the holder of the lock writes it: another digest is the one from before.
        let look = || async {
            let there = self.read_digest().await?;
            Ok(match there.as_deref() == Some(&*md5) {
                true => Found::Ours(()),
                false => Found::Unchanged,
            })
        };
        write_checked(&*self.clock, table, write, look).await
    }

    pub(super) async fn versions(&self) -> Result<Vec<StoredVersion>, BackendError> {
        let place = self.object(&self.key);
        let mut versions = Vec::new();
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let list = self
                .clients
                .s3
                .list_object_versions()
                .bucket(&self.options.bucket)
                .prefix(&self.key)
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .send()
                .await
                .map_err(|error| failure("list the versions of", &place, &error))?;
            // Keys come in order, so the objects behind the state (its journal) are no versions of it.
            let mut passed = false;
            for version in list.versions() {
                if version.key() != Some(&*self.key) {
                    passed = true;
                    continue;
                }
                versions.push(StoredVersion {
                    id: version.version_id().unwrap_or("null").to_owned(),
                    written_at: version.last_modified().map(timestamp),
                    size: version.size().unwrap_or_default().unsigned_abs(),
                    current: version.is_latest().unwrap_or_default(),
                });
            }
            if passed || !list.is_truncated().unwrap_or_default() {
                return Ok(versions);
            }
            (key_marker, version_marker) = (list.next_key_marker, list.next_version_id_marker);
        }
    }

    /// The first bytes of a version that the listing named.
    pub(super) async fn version_start(
        &self,
        id: &str,
        length: usize,
    ) -> Result<Bytes, BackendError> {
        let place = self.object(&self.key);
        let get = self.get(&self.key).version_id(id);
        let get = get.range(format!("bytes=0-{}", length.max(1) - 1));
        // The stored checksum is that of the whole object.
        let unchecked = aws_sdk_s3::config::Builder::new()
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let found = get.customize().config_override(unchecked).send().await;
        let found = found.map_err(|error| failure("read a version of", &place, &error))?;
        let body = found.body.collect().await;
        let body = body.map_err(|error| other("read a version of", &place, &error))?;
        Ok(body.into_bytes())
    }

    pub(super) async fn version(&self, id: &str) -> Result<Bytes, BackendError> {
        let none = || BackendError::NoSuchVersion {
            place: self.object(&self.key),
            id: id.to_owned(),
        };
        // A malformed id is an error of the request for S3.
        if !self
            .versions()
            .await?
            .iter()
            .any(|version| version.id == id)
        {
            return Err(none());
        }
        let object = self.read_object(&self.key, Some(id)).await?;
        object.map(|object| object.bytes).ok_or_else(none)
    }
}

pub(super) fn md5_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&md5::Md5::digest(bytes))
}

pub(super) fn timestamp(time: &aws_sdk_s3::primitives::DateTime) -> Timestamp {
    Timestamp::new(
        u64::try_from(time.secs()).unwrap_or_default(),
        time.subsec_nanos(),
    )
}
