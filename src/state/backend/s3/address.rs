//! The kind of store that S3 is: its scheme, and how a state is reached from its address.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::S3Backend;
use super::bootstrap::steps;
use super::store::S3Store;
use crate::backend::alike::Alike;
use crate::backend::{
    Backend, BackendAddress, BackendConfig, BackendError, BackendFactory, BootstrapStep,
};
use crate::clock::Clock;

/// States in S3.
#[derive(Debug)]
pub(crate) struct S3Factory;

impl BackendFactory for S3Factory {
    fn scheme(&self) -> &'static str {
        "s3"
    }

    fn syntax(&self) -> &'static str {
        "s3://BUCKET/KEY?region=…&dynamodb_table=…"
    }

    fn parse(&self, url: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>> {
        Ok(S3Backend::try_from(url)?.into())
    }
}

#[async_trait]
impl BackendAddress for S3Backend {
    fn identity(&self) -> String {
        format!("s3://{}", self.lock_path())
    }

    async fn connect(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(Arc::new(S3Store::new(self, clock).await?))
    }

    async fn named_alike(
        &self,
        name: &str,
        stem: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<BTreeSet<String>>, BackendError> {
        let key = self.object_key();
        let Some(alike) = Alike::of(&key, name, stem) else {
            return Ok(Some(BTreeSet::new()));
        };
        let store = S3Store::new(self, clock).await?;
        let keys = store.keys(&alike.prefix()).await?;
        let names = keys.iter().filter_map(|key| alike.name_in(key));
        Ok(Some(names.map(str::to_owned).collect()))
    }

    async fn plan_bootstrap(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Vec<Box<dyn BootstrapStep>>>, BackendError> {
        let store = Arc::new(S3Store::new(self, clock).await?);
        steps(&store).await.map(Some)
    }
}
