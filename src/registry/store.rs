//! The packages on this machine: one folder, shared by every process of a user.
//!
//! Layout `HOST/NAMESPACE/TYPE/VERSION/PLATFORM/`, which is that of Terraform's plugin cache and of its filesystem mirrors. A
//! package appears whole, by a rename; who makes one holds the lock of its place, so that two processes do not download twice.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::hash::PackageHash;
use crate::platform::Platform;
use crate::records::PackageRecords;

/// A folder of unpacked packages.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    records: PackageRecords,
}

/// The right to fill one place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    target: PathBuf,
    records: PackageRecords,
    /// Beside the target, so that a rename is enough.
    workshop: PathBuf,
    _lock: File,
}

/// What becomes of a package that is in its place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfThere {
    /// It stays, and nothing is fetched.
    Keep,
    /// The fetched one takes its place.
    Replace,
}

/// What came of asking for a place.
#[derive(Debug)]
pub(crate) enum Reservation {
    /// It is free, and now ours to fill.
    Free(Place),
    /// The package is there.
    Filled,
    /// Another process fills it.
    Busy,
}

impl Store {
    /// The store in that folder, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            records: PackageRecords::new(None),
        }
    }

    /// The same, which notes the hashes of each package that is put in there.
    pub(crate) fn noting_hashes_in(self, records: PackageRecords) -> Self {
        Self { records, ..self }
    }

    /// Where that package is, or would be.
    pub fn package(
        &self,
        source: &ProviderSource,
        version: &Version,
        platform: &Platform,
    ) -> PathBuf {
        (self.versions(source))
            .join(version.to_string())
            .join(platform.to_string())
    }

    /// The versions that are there for that platform.
    pub fn versions_of(&self, source: &ProviderSource, platform: &Platform) -> Vec<Version> {
        let entries = fs::read_dir(self.versions(source))
            .into_iter()
            .flatten()
            .flatten();
        let versions = entries.filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            entry
                .path()
                .join(platform.to_string())
                .is_dir()
                .then_some(version)
        });
        versions.collect()
    }

    fn versions(&self, source: &ProviderSource) -> PathBuf {
        self.root
            .join(&*source.host)
            .join(&*source.namespace)
            .join(&*source.type_name)
    }

    /// Takes the right to fill that place, if it is free.
    pub(crate) fn reserve(
        &self,
        source: &ProviderSource,
        version: &Version,
        platform: &Platform,
        if_there: IfThere,
    ) -> io::Result<Reservation> {
        let target = self.package(source, version, platform);
        let folder = self.versions(source).join(version.to_string());
        fs::create_dir_all(&folder)?;
        let lock = (File::options().create(true).write(true).truncate(false))
            .open(folder.join(format!(".{platform}.lock")))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Reservation::Busy),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if if_there == IfThere::Keep && target.is_dir() {
            return Ok(Reservation::Filled);
        }
        let workshop = folder.join(format!(".{platform}.incomplete"));
        // Left by a process that died; nobody works in it, for we hold the lock.
        match fs::remove_dir_all(&workshop) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir(&workshop)?;
        Ok(Reservation::Free(Place {
            target,
            records: self.records.clone(),
            workshop,
            _lock: lock,
        }))
    }
}

impl Place {
    /// Where the package will be.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A file for the download.
    pub(crate) fn zip(&self) -> PathBuf {
        self.workshop.join("package.zip")
    }

    /// A file for the download of the zip with that hash. It stays when the download breaks off, and the next one goes on with it.
    pub(crate) fn partial(&self, zip: &PackageHash) -> PathBuf {
        let digits: String = zip.as_str().chars().skip("zh:".len()).take(16).collect();
        self.workshop.with_extension(format!("{digits}.partial"))
    }

    /// The folder to unpack into, made.
    pub(crate) fn unpacked(&self) -> io::Result<PathBuf> {
        let folder = self.workshop.join("package");
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Puts the unpacked package, which has these hashes, in its place.
    pub(crate) fn publish(self, hashes: &[PackageHash]) -> io::Result<PathBuf> {
        let folder = self.workshop.join("package");
        sync(&folder)?;
        // A process that runs a binary of the old one keeps it.
        match fs::rename(&self.target, self.workshop.join("old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&folder, &self.target)?;
        // Before somebody who waits for it looks at it.
        self.records.remember(&self.target, hashes);
        if let Some(parent) = self.target.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(self.target.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The next one to fill the place removes what stays.
        let _ = fs::remove_dir_all(&self.workshop);
    }
}

/// A power loss must not leave a package in its place with files that are empty.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            File::open(path)?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> (tempfile::TempDir, Store, ProviderSource, Version, Platform) {
        let root = tempfile::tempdir().expect("a folder");
        let store = Store::new(root.path().to_owned());
        let source = ProviderSource::implied_by("null_resource");
        (
            root,
            store,
            source,
            Version::new(1, 0, 0),
            "linux_amd64".parse().expect("a platform"),
        )
    }

    fn free(reservation: io::Result<Reservation>) -> Place {
        match reservation.expect("asked") {
            Reservation::Free(place) => place,
            other => panic!("not free: {other:?}"),
        }
    }

    #[test]
    fn a_package_appears_whole_and_is_made_once() {
        let (_root, store, source, version, platform) = fixture();
        let reserve = || store.reserve(&source, &version, &platform, IfThere::Keep);
        let place = free(reserve());
        let unpacked = place.unpacked().expect("made");
        fs::write(unpacked.join("terraform-provider-null"), "binary").expect("written");
        assert!(store.versions_of(&source, &platform).is_empty());
        assert!(matches!(reserve(), Ok(Reservation::Busy)));
        let package = place.publish(&[]).expect("published");
        assert_eq!(package, store.package(&source, &version, &platform));
        assert_eq!(
            store.versions_of(&source, &platform),
            std::slice::from_ref(&version)
        );
        assert!(matches!(reserve(), Ok(Reservation::Filled)));
        let again = free(store.reserve(&source, &version, &platform, IfThere::Replace));
        let unpacked = again.unpacked().expect("made");
        fs::write(unpacked.join("other"), "binary").expect("written");
        assert_eq!(again.publish(&[]).expect("published"), package);
        assert!(package.join("other").exists());
        assert!(!package.join("terraform-provider-null").exists());
    }

    #[test]
    fn what_is_left_of_a_process_that_died_is_swept_by_the_next() {
        let (root, store, source, version, platform) = fixture();
        let folder = root
            .path()
            .join("registry.opentofu.org/hashicorp/null/1.0.0/.linux_amd64.incomplete/package");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("terraform-provider-null"), "half").expect("written");
        let place = free(store.reserve(&source, &version, &platform, IfThere::Keep));
        let unpacked = place.unpacked().expect("made");
        assert_eq!(fs::read_dir(unpacked).expect("readable").count(), 0);
    }

    #[test]
    fn a_place_that_is_given_up_is_free_again_and_empty() {
        let (root, store, source, version, platform) = fixture();
        let place = free(store.reserve(&source, &version, &platform, IfThere::Keep));
        fs::write(place.zip(), "half").expect("written");
        drop(place);
        let folder = root
            .path()
            .join("registry.opentofu.org/hashicorp/null/1.0.0");
        let left: Vec<_> = (fs::read_dir(folder).expect("readable"))
            .map(|entry| entry.expect("readable").file_name())
            .collect();
        assert_eq!(left, [".linux_amd64.lock"]);
        free(store.reserve(&source, &version, &platform, IfThere::Keep));
    }
}
