//! What snapshot, journal and lock ask of bucket and table alike: objects read whole or created where there are none, items by their id.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;

use super::error::{failure, is_missing, is_precondition, is_race, other};
use super::store::S3Store;
use crate::backend::{Answered, BackendError};

/// An object as it was read.
pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) etag: String,
    pub(super) version: Option<String>,
}

impl S3Store {
    pub(super) async fn read_object(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<Object>, BackendError> {
        let place = self.object(key);
        let mut tries = 0;
        loop {
            let get = self.get(key).set_version_id(version.map(str::to_owned));
            let found = match get.send().await {
                Ok(found) => found,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(failure("read", &place, &error)),
            };
            let (etag, version) = (found.e_tag.unwrap_or_default(), found.version_id);
            match found.body.collect().await {
                Ok(body) => {
                    return Ok(Some(Object {
                        bytes: body.into_bytes(),
                        etag,
                        version,
                    }));
                }
                // The answer was cut off, or its checksum is wrong.
                Err(_) if tries < 2 => tries += 1,
                Err(error) => return Err(other("read", &place, &error)),
            }
        }
    }

    /// Tries to create an object where there is none. That there is one may be our own earlier try, whose answer was lost.
    pub(super) async fn create_object(
        &self,
        key: &str,
        bytes: &Bytes,
        content_type: Option<&str>,
        action: &'static str,
    ) -> Result<Answered<()>, BackendError> {
        let put = self.put(key, bytes).if_none_match("*");
        let put = put.set_content_type(content_type.map(str::to_owned));
        match put.send().await {
            Ok(answer) if Self::proves(&answer, bytes) => Ok(Answered::Proof(())),
            Ok(_) => Ok(Answered::Unproved),
            Err(error) if is_precondition(&error) || is_race(&error) => Ok(Answered::Unproved),
            Err(error) => Err(failure(action, &self.object(key), &error)),
        }
    }

    /// An item of the lock table.
    pub(super) async fn item(
        &self,
        table: &str,
        id: &str,
        action: &'static str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, BackendError> {
        let get = self.clients.dynamodb.get_item().table_name(table);
        let get = get.key("LockID", AttributeValue::S(id.to_owned()));
        let found = get.consistent_read(true).send().await;
        let found = found.map_err(|error| failure(action, table, &error))?;
        Ok(found.item)
    }
}
