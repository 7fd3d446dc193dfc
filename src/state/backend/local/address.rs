//! The path of a file as the address of a state.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::LocalBackend;
use crate::backend::alike::Alike;
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

    async fn named_alike(
        &self,
        name: &str,
        stem: &str,
        _: Arc<dyn Clock>,
    ) -> Result<Option<BTreeSet<String>>, BackendError> {
        let place = self.0.display().to_string();
        let mut names = BTreeSet::new();
        if let Some(alike) = Alike::of(&place, name, stem) {
            let folder = alike
                .before
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            let levels = alike.after.matches('/').count();
            find(Path::new(folder), levels, &alike, &mut names)
                .map_err(|error| BackendError::store("list", folder, error))?;
        }
        Ok(Some(names))
    }
}

/// The names in the files of a folder, and of folders that many levels below.
fn find(
    folder: &Path,
    levels: usize,
    alike: &Alike<'_>,
    names: &mut BTreeSet<String>,
) -> io::Result<()> {
    let here = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = match here.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let text = path.display().to_string();
        if levels == 0 {
            names.extend(alike.name_in(&text).map(str::to_owned));
        } else if text.starts_with(&alike.prefix()) && path.is_dir() {
            find(&path, levels - 1, alike, names)?;
        }
    }
    Ok(())
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
