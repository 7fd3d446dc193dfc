//! The store in S3 with everything that is needed to use it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Object, ObjectCannedAcl, ServerSideEncryption};

use super::S3Backend;
use super::client::Clients;
use super::error::failure;
use super::snapshot::md5_hex;
use crate::backend::{
    Backend, BackendError, Expected, Holder, LockError, Position, Restart, Segment, Snapshot,
    StoredVersion, Written,
};
use crate::clock::{Clock, Timestamp};
use crate::digest::Sha256;
use crate::file::Layout;
use crate::lock_info::LockInfo;

/// A state in S3, connected.
#[derive(Debug)]
pub(crate) struct S3Store {
    pub(super) options: S3Backend,
    pub(super) clients: Clients,
    pub(super) clock: Arc<dyn Clock>,
    /// The object key of the state.
    pub(super) key: String,
    /// The last position that is known to be taken.
    pub(super) last: Mutex<Option<Position>>,
}

const REGION_HINT: &str = "if it is in another region, set the option `region`: bucket and lock table are expected in the same one";

impl S3Store {
    /// Finds credentials and makes the clients; reads nothing yet.
    ///
    /// # Errors
    /// When the options make no sense together, no region is named, or the credentials are of an excluded account.
    pub(super) async fn new(
        options: &S3Backend,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BackendError> {
        Ok(Self {
            clients: options.clients().await?,
            key: options.object_key(),
            options: options.clone(),
            clock,
            last: Mutex::new(None),
        })
    }

    /// An object as messages name it.
    pub(super) fn object(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.options.bucket)
    }

    pub(super) fn conflict(&self, key: &str) -> BackendError {
        BackendError::Conflict {
            place: self.object(key),
        }
    }

    /// Every object whose key begins so.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Object>, BackendError> {
        let mut pages = self
            .clients
            .s3
            .list_objects_v2()
            .bucket(&self.options.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure("list", &self.object(prefix), &error))?;
            listed.extend(page.contents.unwrap_or_default());
        }
        Ok(listed)
    }

    /// The keys of those objects.
    pub(super) async fn keys(&self, prefix: &str) -> Result<Vec<String>, BackendError> {
        let objects = self.list(prefix).await?.into_iter();
        Ok(objects.filter_map(|object| object.key).collect())
    }

    /// A write of an object, encrypted as the options say, with its checksum.
    pub(super) fn put(&self, key: &str, bytes: &Bytes) -> PutObjectFluentBuilder {
        let mut put = self
            .clients
            .s3
            .put_object()
            .bucket(&self.options.bucket)
            .key(key)
            .body(ByteStream::from(bytes.clone()));
        if !self.options.skip_s3_checksum {
            put = put.checksum_sha256(BASE64.encode(Sha256::of(bytes).as_bytes()));
        }
        if let Some(acl) = &self.options.acl {
            put = put.acl(ObjectCannedAcl::from(acl.as_str()));
        }
        match (&self.options.kms_key_id, &self.options.sse_customer_key) {
            (Some(key), _) => put
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key),
            (None, Some(key)) => put
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key)
                .sse_customer_key_md5(customer_key_md5(key)),
            (None, None) if self.options.encrypt => {
                put.server_side_encryption(ServerSideEncryption::Aes256)
            }
            (None, None) => put,
        }
    }

    /// Whether the answer to a put is one that only a store of these very bytes can give: it names their checksum, or as their ETag
    /// their MD5.
    pub(super) fn proves(answer: &PutObjectOutput, bytes: &[u8]) -> bool {
        let Some(etag) = answer.e_tag() else {
            return false;
        };
        match answer.checksum_sha256() {
            Some(echo) => echo == BASE64.encode(Sha256::of(bytes).as_bytes()),
            None => etag.trim_matches('"') == md5_hex(bytes),
        }
    }

    /// An error with the region in which something was looked for and not found.
    fn located(&self, error: BackendError) -> BackendError {
        match error {
            BackendError::NotMade { what, .. } => BackendError::NotMade {
                what,
                looked_in: Some(self.clients.region.clone()),
                hint: Some(REGION_HINT.to_owned()),
            },
            error => error,
        }
    }

    /// The key of a file beside the state.
    fn beside(&self, name: &str) -> String {
        format!("{}.{name}", self.key)
    }

    /// A read of an object, with the customer's key where there is one.
    pub(super) fn get(&self, key: &str) -> GetObjectFluentBuilder {
        let get = self
            .clients
            .s3
            .get_object()
            .bucket(&self.options.bucket)
            .key(key);
        match &self.options.sse_customer_key {
            Some(key) => get
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key)
                .sse_customer_key_md5(customer_key_md5(key)),
            None => get,
        }
    }
}

fn customer_key_md5(key: &str) -> String {
    use md5::Digest as _;
    BASE64.encode(md5::Md5::digest(BASE64.decode(key).unwrap_or_default()))
}

#[async_trait]
impl Backend for S3Store {
    fn place(&self) -> String {
        self.object(&self.key)
    }

    fn lock_path(&self) -> String {
        self.options.lock_path()
    }

    fn layout(&self) -> Layout {
        Layout::Compact
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        let read = self.read_snapshot().await;
        read.map_err(|error| self.located(error))
    }

    async fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        let object = self.read_object(&self.beside(name), None).await?;
        Ok(object.map(|object| object.bytes))
    }

    async fn write_beside(&self, name: &str, bytes: Bytes) -> Result<(), BackendError> {
        let key = self.beside(name);
        let put = self.put(&key, &bytes).send().await;
        let failed = |error| failure("write", &self.object(&key), &error);
        put.map(drop).map_err(failed)
    }

    async fn vouch(&self, snapshot: &Snapshot) -> Result<(), BackendError> {
        self.put_digest(&snapshot.bytes).await
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        self.write_snapshot(bytes, over).await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        self.read_segments().await
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        self.append_segment(at, bytes).await
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        self.trim_segments(before).await
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        self.restart_segments(restart).await
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        self.take_lock(info).await.map_err(|error| match error {
            LockError::Backend(error) => LockError::Backend(self.located(error)),
            held => held,
        })
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        self.free_lock(id).await
    }

    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        self.sign_of_life(id, now).await
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        let holder = self.read_holder().await;
        holder.map_err(|error| self.located(error))
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.free_lock(id).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        self.versions().await
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        self.version(id).await
    }

    async fn read_version_start(&self, id: &str, length: usize) -> Result<Bytes, BackendError> {
        self.version_start(id, length).await
    }
}
