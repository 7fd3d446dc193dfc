//! `providers mirror`: copies packages into a folder that serves as a filesystem mirror and, behind HTTPS, as a network mirror.
//!
//! ```text
//! HOST/NAMESPACE/TYPE/index.json                                         the versions
//! HOST/NAMESPACE/TYPE/VERSION.json                                       the packages of a version, with their hashes
//! HOST/NAMESPACE/TYPE/terraform-provider-TYPE_VERSION_OS_ARCH.zip        a package
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use semver::Version;
use serde::{Deserialize, Serialize};
use terrane_core::addr::ProviderSource;

use crate::cli_config::InstallationPlace;
use crate::client::RegistryClient;
use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::installation::{InstallObserver, Progress, RequiredProvider};
use crate::installer::Installer;
use crate::locate::{Package, Shelf};
use crate::lock_file::LockedProvider;
use crate::locking::{Quiet, no_scratch};
use crate::obtaining::Sought;
use crate::package::{self, WantedPackage, blocking};
use crate::platform::Platform;
use crate::store::Store;
use crate::words;

/// A package that lies in the mirror now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredPackage {
    /// The provider.
    pub source: ProviderSource,
    /// Its version.
    pub version: Version,
    /// The platform it was built for.
    pub platform: Platform,
    /// The zip.
    pub file: PathBuf,
}

/// `index.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    versions: BTreeMap<String, Nothing>,
}

/// `{}`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Nothing {}

/// `VERSION.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Archives {
    archives: BTreeMap<String, Archive>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Archive {
    #[serde(default)]
    hashes: Vec<String>,
    url: String,
}

impl Installer {
    /// Copies the packages of these providers for those platforms into a mirror: of the recorded version, or of the newest that will do.
    ///
    /// # Errors
    /// Each package that is nowhere, must not be used, or cannot be written.
    pub async fn mirror(
        &self,
        required: &[RequiredProvider],
        platforms: &[Platform],
        folder: &Path,
        observer: &dyn InstallObserver,
    ) -> Result<Vec<MirroredPackage>, Vec<InstallError>> {
        let one = |error| vec![error];
        let lock = self.lock_file().map_err(one)?;
        let client = self.client().map_err(one)?;
        let scratch = tempfile::tempdir().map_err(|error| one(no_scratch(&error)))?;
        let required: Vec<&RequiredProvider> = (required.iter())
            .filter(|one| !self.config.dev_overrides.contains_key(&one.source))
            .collect();
        let mirroring = required.iter().map(async |required| {
            let locked = lock.get(&required.source);
            let mut version = locked.map(|locked| locked.version.clone());
            let mut done = Vec::new();
            for platform in platforms {
                let scratch = scratch.path();
                let sought = Sought {
                    required,
                    version: version.as_ref(),
                    platform,
                    observer,
                };
                let package = self.copy(&sought, locked, client, folder, scratch).await?;
                version.get_or_insert_with(|| package.version.clone());
                done.push(package);
            }
            Ok(done)
        });
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (required, outcome) in required.iter().zip(join_all(mirroring).await) {
            match outcome {
                Ok(packages) => done.extend(packages),
                Err(error) => failed.push(InstallError::about(error, &required.source)),
            }
        }
        match failed.is_empty() {
            true => Ok(done),
            false => Err(failed),
        }
    }

    async fn copy(
        &self,
        sought: &Sought<'_>,
        locked: Option<&LockedProvider>,
        client: Option<&RegistryClient>,
        folder: &Path,
        scratch: &Path,
    ) -> Result<MirroredPackage, InstallError> {
        let Sought {
            required,
            version,
            platform,
            observer,
        } = *sought;
        let source = &required.source;
        let (mut searched, mut last) = (Vec::new(), None);
        for method in self.methods_for(source) {
            let wanted = |version| WantedPackage {
                source,
                version,
                platform,
                locked,
            };
            if let InstallationPlace::FilesystemMirror(mirror) = &method.place {
                let shelf = Shelf::read(mirror, source, platform);
                match shelf.best(version, required) {
                    Some((version, Package::Packed(zip))) => {
                        let file = Shelved::new(folder, source, version, platform);
                        let copied = file.make().and_then(|()| fs::copy(zip, &file.partial));
                        copied.map_err(|error| file.unwritten(&error))?;
                        return self.shelve(file, &wanted(version), None, scratch).await;
                    }
                    Some((_, Package::Unpacked(package))) => {
                        let error = InstallError::new(format!(
                            "provider {source} is there without its zip"
                        ));
                        last = Some(error.detail(format!(
                            "{} is a folder; copy the mirror that it lies in",
                            package.display()
                        )));
                    }
                    None => searched.push(shelf.described(mirror)),
                }
                continue;
            }
            let Some(client) = client else { continue };
            let (origin, version) = match self.offer(sought, client, method).await {
                Ok(offer) => offer,
                Err(error) => {
                    last = last.or(Some(error));
                    continue;
                }
            };
            let (host, wanted) = (origin.host(), wanted(&version));
            let failed = |error| words::not_fetched(&wanted, Some(&host), &error);
            let described = client.describe(&origin, &wanted).await.map_err(failed)?;
            let file = Shelved::new(folder, source, &version, platform);
            file.make().map_err(|error| file.unwritten(&error))?;
            let progress = Progress(observer);
            let downloaded = client
                .download(&described, source, &file.partial, &progress)
                .await;
            downloaded.map_err(failed)?;
            return self.shelve(file, &wanted, Some(&host), scratch).await;
        }
        Err(last.unwrap_or_else(|| self.not_offered(required, version, &searched)))
    }

    /// Checks a zip that was put there, gives it its name and writes it into the documents.
    async fn shelve(
        &self,
        file: Shelved,
        wanted: &WantedPackage<'_>,
        host: Option<&str>,
        scratch: &Path,
    ) -> Result<MirroredPackage, InstallError> {
        // Unpacking it proves that it can be, and gives the hash by which others recognise it.
        let store = Store::new(scratch.to_owned());
        let taken = package::take(&file.partial, wanted, &store, &Quiet).await;
        let taken = taken.map_err(|error| self.failed(wanted, host, error))?;
        let hashes = taken.map_or_else(Vec::new, |taken| taken.own);
        let (version, platform) = (wanted.version.clone(), wanted.platform.clone());
        let written = blocking(move || {
            file.finish(&version, &platform, &hashes)
                .map_err(|error| file.unwritten(&error))
        });
        Ok(MirroredPackage {
            source: wanted.source.clone(),
            version: wanted.version.clone(),
            platform: wanted.platform.clone(),
            file: written.await?,
        })
    }
}

/// The place of a zip in a mirror.
struct Shelved {
    folder: PathBuf,
    name: String,
    /// Where it is until it was checked.
    partial: PathBuf,
}

impl Shelved {
    fn new(mirror: &Path, source: &ProviderSource, version: &Version, platform: &Platform) -> Self {
        let folder = (mirror.join(&*source.host))
            .join(&*source.namespace)
            .join(&*source.type_name);
        let name = format!(
            "terraform-provider-{}_{version}_{platform}.zip",
            source.type_name
        );
        let partial = folder.join(format!(".{name}.{}", std::process::id()));
        Self {
            folder,
            name,
            partial,
        }
    }

    fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }

    fn finish(
        &self,
        version: &Version,
        platform: &Platform,
        hashes: &[PackageHash],
    ) -> io::Result<PathBuf> {
        let zip = self.folder.join(&self.name);
        File::open(&self.partial)?.sync_all()?;
        fs::rename(&self.partial, &zip)?;
        // Versions and platforms that others put there stay.
        let document = self.folder.join(format!("{version}.json"));
        let mut archives: Archives = read(&document)?;
        let archive = Archive {
            hashes: hashes.iter().map(ToString::to_string).collect(),
            url: self.name.clone(),
        };
        archives.archives.insert(platform.to_string(), archive);
        write(&document, &archives)?;
        let document = self.folder.join("index.json");
        let mut index: Index = read(&document)?;
        index.versions.insert(version.to_string(), Nothing {});
        write(&document, &index)?;
        Ok(zip)
    }

    fn unwritten(&self, error: &io::Error) -> InstallError {
        InstallError::new(format!("cannot write the mirror {}", self.folder.display()))
            .detail(error.to_string())
    }
}

impl Drop for Shelved {
    fn drop(&mut self) {
        // It is there only when something failed.
        let _ = fs::remove_file(&self.partial);
    }
}

fn read<T: Default + serde::de::DeserializeOwned>(path: &Path) -> io::Result<T> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, document: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    let new = path.with_extension(format!("json.{}", std::process::id()));
    fs::write(&new, text).and_then(|()| fs::rename(&new, path))
}
