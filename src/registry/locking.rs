//! `providers lock`: records the hashes of packages for any number of platforms, without installing them.

use std::path::Path;

use futures_util::future::join_all;
use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::cli_config::{InstallationMethod, InstallationPlace};
use crate::client::{Origin, RegistryClient};
use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::installation::{InstallObserver, Progress, RequiredProvider};
use crate::installer::Installer;
use crate::locate::{self, Package, Shelf};
use crate::lock_file::LockedProvider;
use crate::obtaining::{Sought, newest};
use crate::package::{self, FetchError, WantedPackage, blocking};
use crate::platform::Platform;
use crate::store::{IfThere, Store};
use crate::version::VersionRequirement;
use crate::words;

/// What changed in a provider's entry in the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange {
    /// The provider.
    pub source: ProviderSource,
    /// The version that was recorded before.
    pub before: Option<Version>,
    /// The version that is recorded now.
    pub version: Version,
    /// How many hashes are new.
    pub added: usize,
    /// How many there are now.
    pub hashes: usize,
}

impl Installer {
    /// Records the hashes of these providers for those platforms, and for all others whose hashes come without a download.
    ///
    /// # Errors
    /// Each provider that has no package for one of the platforms, or must not be used; nothing is recorded then.
    pub async fn lock(
        &self,
        required: &[RequiredProvider],
        platforms: &[Platform],
        upgrade: bool,
        observer: &dyn InstallObserver,
    ) -> Result<Vec<LockChange>, Vec<InstallError>> {
        let one = |error| vec![error];
        let lock = self.lock_file().map_err(one)?;
        let client = self.client().map_err(one)?;
        let scratch = tempfile::tempdir().map_err(|error| one(no_scratch(&error)))?;
        // What is under development has no hash that would last.
        let required: Vec<&RequiredProvider> = (required.iter())
            .filter(|one| !self.config.dev_overrides.contains_key(&one.source))
            .collect();
        let locking = required.iter().map(|required| {
            let locked = lock.get(&required.source).filter(|_| !upgrade);
            self.lock_one(
                required,
                locked,
                platforms,
                client,
                scratch.path(),
                observer,
            )
        });
        let (mut entries, mut failed) = (Vec::new(), Vec::new());
        for (required, outcome) in required.iter().zip(join_all(locking).await) {
            match outcome {
                Ok(entry) => entries.push((required.source.clone(), entry)),
                Err(error) => failed.push(error.about(&required.source)),
            }
        }
        if !failed.is_empty() {
            return Err(failed);
        }
        self.record(entries.clone()).map_err(one)?;
        let now = self.lock_file().map_err(one)?;
        let changes = entries.into_iter().filter_map(|(source, _)| {
            let (before, after) = (lock.get(&source), now.get(&source)?);
            let known = before.filter(|before| before.version == after.version);
            let known = known.map_or(&[][..], |before| &before.hashes);
            Some(LockChange {
                before: before.map(|before| before.version.clone()),
                version: after.version.clone(),
                added: after.hashes.iter().filter(|it| !known.contains(it)).count(),
                hashes: after.hashes.len(),
                source,
            })
        });
        Ok(changes.collect())
    }

    async fn lock_one(
        &self,
        required: &RequiredProvider,
        locked: Option<&LockedProvider>,
        platforms: &[Platform],
        client: Option<&RegistryClient>,
        scratch: &Path,
        observer: &dyn InstallObserver,
    ) -> Result<LockedProvider, InstallError> {
        if let (Some(locked), Some(versions)) = (locked, &required.versions)
            && !versions.allows(&locked.version)
        {
            let lock_file = &self.settings.lock_file;
            return Err(words::other_version_locked(
                required, versions, locked, lock_file,
            ));
        }
        let mut version = locked.map(|locked| locked.version.clone());
        let (mut hashes, mut whole) = (Vec::new(), Vec::new());
        for platform in platforms {
            let sought = Sought {
                required,
                version: version.as_ref(),
                platform,
                observer,
            };
            let (found, of, is_whole) = self.hashes_for(&sought, client, scratch).await?;
            if is_whole {
                whole.extend(found.iter().cloned());
            }
            hashes.extend(found);
            version.get_or_insert(of);
        }
        hashes.sort_unstable();
        hashes.dedup();
        let version = version.ok_or_else(|| InstallError::new("no platform is named"))?;
        let entry = LockedProvider {
            version,
            constraints: required
                .versions
                .as_ref()
                .map(VersionRequirement::canonical),
            hashes,
        };
        match locked.filter(|locked| are_replaced(&locked.hashes, &whole)) {
            Some(locked) => {
                let lock_file = &self.settings.lock_file;
                let source = &required.source;
                Err(words::replaced(source, locked, lock_file))
            }
            None => Ok(entry),
        }
    }

    /// The hashes that the first mirror or registry that has the package gives, the version they are of, and whether they are those of
    /// the whole release: a mirror may hold some platforms only.
    async fn hashes_for(
        &self,
        sought: &Sought<'_>,
        client: Option<&RegistryClient>,
        scratch: &Path,
    ) -> Result<(Vec<PackageHash>, Version, bool), InstallError> {
        let Sought {
            required,
            version,
            platform,
            ..
        } = *sought;
        let source = &required.source;
        let (mut searched, mut last) = (Vec::new(), None);
        for method in self.methods_for(source) {
            if let InstallationPlace::FilesystemMirror(mirror) = &method.place {
                let shelf = Shelf::read(mirror, source, platform);
                if let Some((version, package)) = shelf.best(version, required) {
                    let hashes = self.hashes_in(package, sought, version, scratch);
                    return Ok((hashes.await?, version.clone(), false));
                }
                searched.push(shelf.described(mirror));
                continue;
            }
            let Some(client) = client else { continue };
            match self.ask_hashes(sought, client, method, scratch).await {
                Ok(found) => return Ok(found),
                Err(error) if error.is_refusal => return Err(error),
                Err(error) => last = last.or(Some(error)),
            }
        }
        Err(last.unwrap_or_else(|| self.not_offered(required, version, &searched)))
    }

    /// The error about a provider that no method of the configuration could be asked for, after these places were searched.
    pub(crate) fn not_offered(
        &self,
        required: &RequiredProvider,
        version: Option<&Version>,
        searched: &[String],
    ) -> InstallError {
        if self.settings.is_offline {
            return words::offline(required, version, searched);
        }
        let versions = required.versions.as_ref();
        locate::not_installed(&self.config, &required.source, versions, searched)
    }

    /// The hashes of a package in a filesystem mirror.
    async fn hashes_in(
        &self,
        package: &Package,
        sought: &Sought<'_>,
        version: &Version,
        scratch: &Path,
    ) -> Result<Vec<PackageHash>, InstallError> {
        let source = &sought.required.source;
        match package {
            Package::Unpacked(folder) => {
                let (records, hashed) = (self.records.clone(), folder.clone());
                let hashes = blocking(move || records.hashes(&hashed)).await;
                hashes.map_err(|error| words::unreadable(source, version, folder, &error))
            }
            Package::Packed(zip) => {
                let store = Store::new(scratch.to_owned());
                let wanted = WantedPackage {
                    source,
                    version,
                    platform: sought.platform,
                    locked: None,
                };
                let taken = package::take(zip, &wanted, &store, &Quiet).await;
                let taken = taken.map_err(|error| words::not_fetched(&wanted, None, &error))?;
                Ok(taken.map_or_else(Vec::new, |taken| taken.own))
            }
        }
    }

    /// The hashes that one mirror or registry gives, if need be by a download.
    async fn ask_hashes(
        &self,
        sought: &Sought<'_>,
        client: &RegistryClient,
        method: &InstallationMethod,
        scratch: &Path,
    ) -> Result<(Vec<PackageHash>, Version, bool), InstallError> {
        let (origin, version) = self.offer(sought, client, method).await?;
        let host = origin.host();
        let wanted = WantedPackage {
            source: &sought.required.source,
            version: &version,
            platform: sought.platform,
            locked: None,
        };
        let failed = |error: FetchError| words::not_fetched(&wanted, Some(&host), &error);
        let described = client.describe(&origin, &wanted).await.map_err(failed)?;
        let mut hashes: Vec<PackageHash> = described.hashes().cloned().collect();
        if !described.has_tree_hash() {
            let store = Store::new(scratch.to_owned());
            let progress = Progress(sought.observer);
            let fetched = client
                .fetch(&origin, &wanted, &store, IfThere::Keep, &progress)
                .await;
            hashes.extend(fetched.map_err(failed)?.map_or_else(Vec::new, |it| it.own));
        }
        let is_whole = matches!(origin, Origin::Registry(_));
        Ok((hashes, version, is_whole))
    }

    /// The origin of a method, and the version that it is asked for: a given one, or the newest that will do.
    pub(crate) async fn offer(
        &self,
        sought: &Sought<'_>,
        client: &RegistryClient,
        method: &InstallationMethod,
    ) -> Result<(Origin, Version), InstallError> {
        let source = &sought.required.source;
        let origin = self.origin(source, client, method, sought.observer).await?;
        if let Some(version) = sought.version {
            return Ok((origin, version.clone()));
        }
        let offered = client.versions(&origin, source).await;
        let offered = offered.map_err(|error| words::unanswered(source, &error))?;
        let version = newest(&offered, sought.required, sought.platform, &origin.host())?;
        Ok((origin, version))
    }
}

/// Whether all zips of a whole release are others than those that are recorded.
fn are_replaced(recorded: &[PackageHash], found: &[PackageHash]) -> bool {
    let zips = |hashes: &[PackageHash]| -> Vec<PackageHash> {
        let zips = hashes.iter().filter(|hash| hash.scheme() == "zh");
        zips.cloned().collect()
    };
    let (recorded, found) = (zips(recorded), zips(found));
    !recorded.is_empty() && !found.is_empty() && !found.iter().any(|hash| recorded.contains(hash))
}

/// Nobody waits long for a file of this machine.
pub(crate) struct Quiet;

impl package::DownloadProgress for Quiet {
    fn downloaded(&self, _: &ProviderSource, _: u64, _: Option<u64>) {}

    fn waiting(&self, _: &ProviderSource) {}
}

pub(crate) fn no_scratch(error: &std::io::Error) -> InstallError {
    let folder = std::env::temp_dir();
    InstallError::new(format!("cannot use the folder {}", folder.display()))
        .detail(error.to_string())
}
