//! Where a package comes from: mirrors on this machine, packages of earlier runs, network mirrors, registries.

use std::path::{Path, PathBuf};

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::cli_config::{InstallationMethod, InstallationPlace};
use crate::client::{Origin, RegistryClient};
use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::installation::{InstallEvent, InstallObserver, Progress, RequiredProvider, Via};
use crate::installer::Installer;
use crate::locate::{self, Package, Shelf};
use crate::lock_file::LockedProvider;
use crate::package::{self, FetchError, Fetched, WantedPackage, blocking};
use crate::platform::Platform;
use crate::protocol::OfferedVersion;
use crate::store::{IfThere, Store};
use crate::words;

/// A package that was found or fetched, before it is compared with the lock file.
pub(crate) struct Obtained {
    pub(crate) version: Version,
    pub(crate) folder: PathBuf,
    pub(crate) via: Via,
    /// Hashes of other platforms that something trusted stated.
    pub(crate) stated: Vec<PackageHash>,
}

/// A package that mirrors and registries are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    pub(crate) required: &'a RequiredProvider,
    /// `None` is the newest that will do.
    pub(crate) version: Option<&'a Version>,
    pub(crate) platform: &'a Platform,
    pub(crate) observer: &'a dyn InstallObserver,
}

impl Installer {
    /// The methods for a provider. Without a configuration, one that lies in a usual directory is taken from there only.
    pub(crate) fn methods_for(&self, source: &ProviderSource) -> Vec<&InstallationMethod> {
        let methods = self.config.methods.iter();
        let mut methods: Vec<_> = methods.filter(|method| method.applies_to(source)).collect();
        if self.config.is_implied {
            let holds = |method: &&InstallationMethod| match &method.place {
                InstallationPlace::FilesystemMirror(mirror) => {
                    !Shelf::read(mirror, source, &self.platform).is_empty()
                }
                _ => false,
            };
            let holding: Vec<_> = methods.iter().copied().filter(holds).collect();
            if !holding.is_empty() {
                methods = holding;
            }
        }
        methods
    }

    /// The package that is taken without a network, if there is one.
    pub(crate) fn local(
        &self,
        required: &RequiredProvider,
        locked: Option<&LockedProvider>,
        searched: &mut Vec<String>,
    ) -> Option<(Version, Package, Via)> {
        let source = &required.source;
        for method in self.methods_for(source) {
            let InstallationPlace::FilesystemMirror(mirror) = &method.place else {
                // Which version it is without an entry is for the registry to say.
                if let (Some(locked), Some(store)) = (locked, &self.store) {
                    let folder = store.package(source, &locked.version, &self.platform);
                    if folder.is_dir() {
                        let version = locked.version.clone();
                        return Some((version, Package::Unpacked(folder), Via::Cache));
                    }
                }
                continue;
            };
            let shelf = Shelf::read(mirror, source, &self.platform);
            let version = locked.map(|locked| &locked.version);
            if let Some((version, package)) = shelf.best(version, required) {
                let via = Via::Mirror(mirror.clone());
                return Some((version.clone(), package.clone(), via));
            }
            searched.push(shelf.described(mirror));
        }
        None
    }

    /// Unpacks the zip of a filesystem mirror into the store.
    pub(crate) async fn unpack(
        &self,
        source: &ProviderSource,
        version: Version,
        zip: &Path,
        via: Via,
        locked: Option<&LockedProvider>,
        observer: &dyn InstallObserver,
    ) -> Result<Obtained, InstallError> {
        let store = self.store_for_downloads(source)?;
        let wanted = WantedPackage {
            source,
            version: &version,
            platform: &self.platform,
            locked,
        };
        let taken = package::take(zip, &wanted, store, &Progress(observer)).await;
        let taken = taken.map_err(|error| self.failed(&wanted, None, error))?;
        Ok(self.obtained(&wanted, taken, via, store))
    }

    /// What is in the store now.
    fn obtained(
        &self,
        wanted: &WantedPackage<'_>,
        fetched: Option<Fetched>,
        via: Via,
        store: &Store,
    ) -> Obtained {
        let version = wanted.version.clone();
        match fetched {
            Some(fetched) => Obtained {
                version,
                folder: fetched.folder,
                via,
                stated: fetched.hashes,
            },
            None => Obtained {
                folder: store.package(wanted.source, &version, wanted.platform),
                version,
                via: Via::Cache,
                stated: Vec::new(),
            },
        }
    }

    /// Downloads the package from the first mirror or registry that has it.
    pub(crate) async fn remote(
        &self,
        required: &RequiredProvider,
        locked: Option<&LockedProvider>,
        searched: &[String],
        observer: &dyn InstallObserver,
    ) -> Result<Obtained, InstallError> {
        let source = &required.source;
        let methods = self.methods_for(source);
        let is_remote = |method: &&&InstallationMethod| {
            !matches!(method.place, InstallationPlace::FilesystemMirror(_))
        };
        let methods: Vec<_> = methods.iter().filter(is_remote).collect();
        if methods.is_empty() {
            let versions = required.versions.as_ref();
            let error = locate::not_installed(&self.config, source, versions, searched);
            return Err(words::with_lock(error, locked));
        }
        let version = locked.map(|locked| &locked.version);
        let Some(client) = self.client()? else {
            return match locked {
                None => self
                    .newest_stored(required)
                    .ok_or_else(|| words::offline(required, version, searched)),
                Some(_) => Err(words::offline(required, version, searched)),
            };
        };
        let store = self.store_for_downloads(source)?;
        let mut last = None;
        for method in methods {
            match self
                .ask(required, locked, client, method, store, observer)
                .await
            {
                Ok(obtained) => return Ok(obtained),
                Err(error) if error.is_refusal => return Err(error),
                // The first method's reason is the one that a person will look for.
                Err(error) => last = last.or(Some(error)),
            }
        }
        let error = last.unwrap_or_else(|| words::offline(required, version, searched));
        match (locked, self.newest_stored(required)) {
            (None, Some(obtained)) => {
                observer.event(InstallEvent::Warning(words::stored_instead(
                    &error,
                    source,
                    &obtained.version,
                )));
                Ok(obtained)
            }
            _ => Err(error),
        }
    }

    /// Asks one mirror or registry.
    async fn ask(
        &self,
        required: &RequiredProvider,
        locked: Option<&LockedProvider>,
        client: &RegistryClient,
        method: &InstallationMethod,
        store: &Store,
        observer: &dyn InstallObserver,
    ) -> Result<Obtained, InstallError> {
        let source = &required.source;
        let sought = Sought {
            required,
            version: locked.map(|locked| &locked.version),
            platform: &self.platform,
            observer,
        };
        let (origin, version) = self.offer(&sought, client, method).await?;
        let host = origin.host();
        let wanted = WantedPackage {
            source,
            version: &version,
            platform: &self.platform,
            locked,
        };
        let failed = |error| self.failed(&wanted, Some(&host), error);
        let progress = Progress(observer);
        let fetch = |if_there| client.fetch(&origin, &wanted, store, if_there, &progress);
        let mut fetched = fetch(IfThere::Keep).await.map_err(failed)?;
        if fetched.is_none() && locked.is_none() {
            // Nothing vouches yet for the package that an earlier run, or another tool, has put there.
            let stated = client.describe(&origin, &wanted).await.map_err(failed)?;
            let own = self.own_hashes(&wanted, store).await;
            if stated.hashes().any(|hash| own.contains(hash)) {
                let stated = stated.hashes().cloned().collect();
                let stored = self.obtained(&wanted, None, Via::Cache, store);
                return Ok(Obtained { stated, ..stored });
            }
            fetched = fetch(IfThere::Replace).await.map_err(failed)?;
        }
        if let Some(fetched) = &fetched {
            if fetched.signer.is_none() && matches!(origin, Origin::Registry(_)) {
                let warning = words::unsigned(source, &version, &host);
                observer.event(InstallEvent::Warning(warning));
            }
            observer.event(InstallEvent::Installed {
                source,
                version: &version,
                host: &host,
                signer: fetched.signer.as_ref(),
            });
        }
        Ok(self.obtained(&wanted, fetched, Via::Download(host), store))
    }

    /// The hashes of a package in the store; none when it cannot be read.
    async fn own_hashes(&self, wanted: &WantedPackage<'_>, store: &Store) -> Vec<PackageHash> {
        let folder = store.package(wanted.source, wanted.version, wanted.platform);
        let records = self.records.clone();
        blocking(move || records.hashes(&folder).unwrap_or_default()).await
    }

    /// The mirror or registry of a method.
    pub(crate) async fn origin(
        &self,
        source: &ProviderSource,
        client: &RegistryClient,
        method: &InstallationMethod,
        observer: &dyn InstallObserver,
    ) -> Result<Origin, InstallError> {
        match &method.place {
            InstallationPlace::NetworkMirror(url) => {
                let origin = Origin::Mirror(url.clone());
                let host = &origin.host();
                observer.event(InstallEvent::Asking { source, host });
                Ok(origin)
            }
            InstallationPlace::OciMirror => {
                Err(words::oci_mirror(source, self.config.file.as_deref()))
            }
            InstallationPlace::Direct | InstallationPlace::FilesystemMirror(_) => {
                let host = &*source.host;
                observer.event(InstallEvent::Asking { source, host });
                let found = client.registry(host).await;
                found.map_err(|error| words::unanswered(source, &error))
            }
        }
    }

    /// The newest package of an earlier run that will do.
    fn newest_stored(&self, required: &RequiredProvider) -> Option<Obtained> {
        let store = self.store.as_ref()?;
        let source = &required.source;
        let versions = store.versions_of(source, &self.platform).into_iter();
        let allowed = versions.filter(|version| required.allows(version));
        let version = allowed.max()?;
        Some(Obtained {
            folder: store.package(source, &version, &self.platform),
            version,
            via: Via::Cache,
            stated: Vec::new(),
        })
    }

    pub(crate) fn store_for_downloads(
        &self,
        source: &ProviderSource,
    ) -> Result<&Store, InstallError> {
        self.store.as_ref().ok_or_else(|| {
            let error = InstallError::new(format!("provider {source} cannot be kept"));
            error
                .detail("neither TERRANE_CACHE_DIR, XDG_CACHE_HOME nor HOME names a folder")
                .hint("set TERRANE_CACHE_DIR to a folder that lasts")
        })
    }

    pub(crate) fn failed(
        &self,
        wanted: &WantedPackage<'_>,
        host: Option<&str>,
        error: FetchError,
    ) -> InstallError {
        if let (FetchError::NotLocked { found }, Some(locked)) = (&error, wanted.locked) {
            let lock_file = &self.settings.lock_file;
            return words::not_locked(wanted.source, locked, found, None, lock_file);
        }
        words::not_fetched(wanted, host, &error)
    }
}

/// The newest version that the program accepts, this machine runs and we can speak with.
pub(crate) fn newest(
    offered: &[OfferedVersion],
    required: &RequiredProvider,
    platform: &Platform,
    host: &str,
) -> Result<Version, InstallError> {
    if offered.is_empty() {
        return Err(words::unknown(&required.source, host));
    }
    let allowed = offered.iter().filter(|it| required.allows(&it.version));
    let allowed: Vec<&OfferedVersion> = allowed.collect();
    if allowed.is_empty() {
        return Err(words::no_version(required, host, offered));
    }
    let usable = allowed
        .iter()
        .filter(|it| it.speaks_ours() && it.is_for(platform));
    let newest = usable.map(|it| &it.version).max();
    newest
        .cloned()
        .ok_or_else(|| words::no_build(required, host, platform, &allowed))
}
