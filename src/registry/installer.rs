//! Makes the providers of a program available: finds each on this machine or downloads it, checks it against the lock file, and
//! records it there.
//!
//! In order: the directory that `dev_overrides` names, filesystem mirrors, packages that an earlier run has downloaded, network mirrors
//! and registries, as far as the CLI configuration allows them for that provider. The lock file decides the version; without an entry it is
//! the newest that the program accepts. Only a provider that is not on this machine, or has no entry yet, needs a network.

use std::path::PathBuf;
use std::sync::OnceLock;

use futures_util::future::join_all;
use terrane_core::addr::ProviderSource;

use crate::cli_config::CliConfig;
use crate::client::RegistryClient;
use crate::error::InstallError;
use crate::http::HttpOptions;
use crate::installation::{InstallEvent, InstallObserver, InstalledPackage, RequiredProvider, Via};
use crate::locate::{self, Package, executable, under_development};
use crate::lock_file::{LockFile, LockedProvider};
use crate::obtaining::Obtained;
use crate::package::blocking;
use crate::platform::Platform;
use crate::records::PackageRecords;
use crate::store::Store;
use crate::version::VersionRequirement;
use crate::words;

/// How providers are installed.
#[derive(Debug, Clone)]
pub struct InstallSettings {
    /// Where the lock file is, or will be.
    pub lock_file: PathBuf,
    /// Where downloaded packages and remembered hashes are kept; without a folder nothing can be downloaded.
    pub cache: Option<PathBuf>,
    /// Whether the network must not be used.
    pub is_offline: bool,
    /// How requests are made; the CLI configuration adds credentials and services.
    pub http: HttpOptions,
}

/// Installs providers by one CLI configuration.
#[derive(Debug)]
pub struct Installer {
    pub(crate) config: CliConfig,
    pub(crate) settings: InstallSettings,
    pub(crate) records: PackageRecords,
    pub(crate) store: Option<Store>,
    pub(crate) platform: Platform,
    client: OnceLock<Result<RegistryClient, InstallError>>,
}

/// A provider that is installed, and its entry in the lock file.
struct Done {
    package: InstalledPackage,
    entry: Option<LockedProvider>,
}

impl Installer {
    /// An installer; it looks at nothing yet.
    pub fn new(config: CliConfig, settings: InstallSettings) -> Self {
        let cache = settings.cache.as_ref();
        let downloads = config.plugin_cache_dir.clone();
        let downloads = downloads.or_else(|| cache.map(|cache| cache.join("providers")));
        let records = PackageRecords::new(cache.map(|cache| cache.join("packages")));
        let store = downloads.map(|root| Store::new(root).noting_hashes_in(records.clone()));
        Self {
            records,
            store,
            platform: Platform::current(),
            client: OnceLock::new(),
            config,
            settings,
        }
    }

    /// The lock file; an empty one if there is none.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn lock_file(&self) -> Result<LockFile, InstallError> {
        let path = &self.settings.lock_file;
        LockFile::load(path).map_err(|error| {
            let error = InstallError::new(format!("cannot use the lock file {}", path.display()))
                .detail(error.reason)
                .refusal();
            error.hint("restore it from version control, or delete it to have it made again")
        })
    }

    /// Makes these providers available, all at the same time, and records them in the lock file.
    ///
    /// # Errors
    /// Each provider that cannot be used; those that could be installed are installed and recorded all the same.
    pub async fn install(
        &self,
        required: &[RequiredProvider],
        observer: &dyn InstallObserver,
    ) -> Result<Vec<InstalledPackage>, Vec<InstallError>> {
        let lock = self.lock_file().map_err(|error| vec![error])?;
        let installing = (required.iter()).map(|one| self.install_one(one, &lock, observer));
        let (mut packages, mut entries, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (one, outcome) in required.iter().zip(join_all(installing).await) {
            match outcome {
                Ok(Done { package, entry }) => {
                    entries.extend(entry.map(|entry| (package.source.clone(), entry)));
                    packages.push(package);
                }
                Err(error) => failed.push(error.about(&one.source)),
            }
        }
        if let Err(error) = self.record(entries) {
            observer.event(InstallEvent::Warning(error));
        }
        match failed.is_empty() {
            true => Ok(packages),
            false => Err(failed),
        }
    }

    /// The client for this run; none when the network must not be used. It is made when it is first needed, for it reads the system's
    /// certificates.
    pub(crate) fn client(&self) -> Result<Option<&RegistryClient>, InstallError> {
        if self.settings.is_offline {
            return Ok(None);
        }
        let client = self.client.get_or_init(|| self.make_client());
        client.as_ref().map(Some).map_err(Clone::clone)
    }

    fn make_client(&self) -> Result<RegistryClient, InstallError> {
        let mut options = self.settings.http.clone();
        options.credentials.merge(self.config.credentials.clone());
        options.services.extend(self.config.services.clone());
        RegistryClient::new(&options).map_err(|error| InstallError::new(error.to_string()))
    }

    /// Puts entries into the lock file, if they change anything.
    pub(crate) fn record(
        &self,
        entries: Vec<(ProviderSource, LockedProvider)>,
    ) -> Result<bool, InstallError> {
        if entries.is_empty() {
            return Ok(false);
        }
        let _held = LockFile::hold(&self.settings.lock_file);
        // Read again: another run may have written it meanwhile.
        let mut lock = self.lock_file()?;
        let mut is_changed = false;
        for (source, mut entry) in entries {
            if let Some(known) = lock.get(&source)
                && known.version == entry.version
            {
                entry.hashes.extend(known.hashes.iter().cloned());
                entry.constraints = known.constraints.clone();
            }
            is_changed |= lock.set(&source, entry);
        }
        let path = &self.settings.lock_file;
        if is_changed {
            lock.save(path).map_err(|error| {
                InstallError::new(format!("cannot write the lock file {}", path.display()))
                    .detail(error.to_string())
                    .hint(
                        "without it, the next run takes what the registry has then, and trusts it",
                    )
            })?;
        }
        Ok(is_changed)
    }

    async fn install_one(
        &self,
        required: &RequiredProvider,
        lock: &LockFile,
        observer: &dyn InstallObserver,
    ) -> Result<Done, InstallError> {
        let source = &required.source;
        if let Some(found) = under_development(&self.config, source)? {
            locate::check_trust(&found.binary, source)?;
            let package = InstalledPackage {
                source: source.clone(),
                version: None,
                binary: found.binary,
                folder: None,
                via: Via::Override,
            };
            return Ok(Done {
                package,
                entry: None,
            });
        }
        let locked = lock.get(source);
        if let (Some(locked), Some(versions)) = (locked, &required.versions)
            && !versions.allows(&locked.version)
        {
            return Err(words::other_version_locked(
                required,
                versions,
                locked,
                &self.settings.lock_file,
            ));
        }
        let mut searched = Vec::new();
        let local = self.local(required, locked, &mut searched);
        let obtained = match local {
            Some((version, Package::Unpacked(folder), via)) => Obtained {
                version,
                folder,
                via,
                stated: Vec::new(),
            },
            Some((version, Package::Packed(zip), via)) => {
                self.unpack(source, version, &zip, via, locked, observer)
                    .await?
            }
            None => self.remote(required, locked, &searched, observer).await?,
        };
        self.finish(required, locked, obtained).await
    }

    /// Compares a package with the lock file.
    async fn finish(
        &self,
        required: &RequiredProvider,
        locked: Option<&LockedProvider>,
        obtained: Obtained,
    ) -> Result<Done, InstallError> {
        let source = &required.source;
        let Obtained {
            version,
            folder,
            via,
            stated,
        } = obtained;
        let binary = executable(&folder, source).ok_or_else(|| {
            let error = InstallError::new(format!(
                "the package of {source} {version} holds no provider"
            ));
            error.detail(format!(
                "{} has no file terraform-provider-{}",
                folder.display(),
                source.type_name
            ))
        })?;
        locate::check_trust(&binary, source)?;
        let (records, hashed) = (self.records.clone(), folder.clone());
        let own = blocking(move || records.hashes(&hashed)).await;
        let own = own.map_err(|error| words::unreadable(source, &version, &folder, &error))?;
        if let Some(locked) = locked.filter(|locked| !locked.accepts(&own)) {
            let lock_file = &self.settings.lock_file;
            return Err(words::not_locked(
                source,
                locked,
                &own,
                Some(&folder),
                lock_file,
            ));
        }
        let mut hashes = own;
        hashes.extend(stated);
        let constraints = required
            .versions
            .as_ref()
            .map(VersionRequirement::canonical);
        let entry = LockedProvider {
            version: version.clone(),
            constraints,
            hashes,
        };
        let package = InstalledPackage {
            source: source.clone(),
            version: Some(version),
            binary,
            folder: Some(folder),
            via,
        };
        Ok(Done {
            package,
            entry: Some(entry),
        })
    }
}
