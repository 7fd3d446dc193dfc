//! The path of a file as the address of a state.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::LocalBackend;
use crate::backend::{Backend, BackendAddress, BackendConfig, BackendError};
use crate::clock::Clock;

/// The path of a state file.
#[derive(Debug)]
struct FileAddress(PathBuf);

impl From<PathBuf> for BackendConfig {
    fn from(path: PathBuf) -> Self {
        FileAddress(path).into()
    }
}

impl fmt::Display for FileAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[async_trait]
impl BackendAddress for FileAddress {
    fn absolute(&self) -> String {
        whole_path(&self.0).display().to_string()
    }

    /// The lock of a file ends with the process that holds it: there is never anything to break.
    fn lock_outlives_process(&self) -> bool {
        false
    }

    async fn connect(&self, _: Arc<dyn Clock>) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(Arc::new(LocalBackend::new(&self.0)?))
    }
}

/// The one path of a state file: from another folder a relative path would lead elsewhere, and so would one through a link.
fn whole_path(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path,
    }
}
