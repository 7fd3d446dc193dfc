//! The scheme `share`, and what its addresses mean.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use terrane_state::backend::{url_decode, url_encode};
use terrane_state::{
    Backend, BackendAddress, BackendConfig, BackendError, BackendFactory, BootstrapStep, Clock,
};
use url::Url;

use crate::store::ShareStore;

/// The kind of store.
#[derive(Debug)]
pub struct ShareFactory;

/// A folder with one state.
#[derive(Debug, Clone)]
pub struct ShareAddress {
    folder: PathBuf,
}

impl ShareAddress {
    /// The state in that folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }
}

impl BackendFactory for ShareFactory {
    fn scheme(&self) -> &'static str {
        "share"
    }

    fn syntax(&self) -> &'static str {
        "share:///FOLDER"
    }

    fn parse(&self, url: &Url) -> Result<BackendConfig, Box<dyn Error + Send + Sync>> {
        if url.host().is_some() {
            return Err("the folder begins with `/`: share:///mnt/team/prod".into());
        }
        if let Some(options) = url.query() {
            return Err(format!("`share` has no options, and this is one: `{options}`").into());
        }
        match url_decode(url.path())? {
            path if path.len() > 1 => Ok(ShareAddress::new(path).into()),
            _ => Err("the folder is missing: share:///mnt/team/prod".into()),
        }
    }
}

impl fmt::Display for ShareAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "share://{}", url_encode(&self.folder.to_string_lossy()))
    }
}

#[async_trait]
impl BackendAddress for ShareAddress {
    async fn connect(&self, _: Arc<dyn Clock>) -> Result<Arc<dyn Backend>, BackendError> {
        let place = self.to_string();
        Ok(Arc::new(ShareStore::new(self.folder.clone(), place)))
    }

    async fn plan_bootstrap(
        &self,
        _: Arc<dyn Clock>,
    ) -> Result<Option<Vec<Box<dyn BootstrapStep>>>, BackendError> {
        let folder = self.folder.clone();
        Ok(Some(match folder.is_dir() {
            true => Vec::new(),
            false => vec![Box::new(CreateFolder(folder))],
        }))
    }
}

struct CreateFolder(PathBuf);

impl fmt::Display for CreateFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "create folder {}", self.0.display())
    }
}

#[async_trait]
impl BootstrapStep for CreateFolder {
    async fn run(&self) -> Result<(), BackendError> {
        std::fs::create_dir_all(&self.0)
            .map_err(|error| BackendError::store("create", self.0.display().to_string(), error))
    }
}
