//! Makes the providers of a program available: finds each on this machine or downloads it, checks it against the lock file, and
//! records it there.
//!
//! In order: the directory that `dev_overrides` names, filesystem mirrors, packages that an earlier run has downloaded, network mirrors
//! and registries, as far as the CLI configuration allows them for that provider. The lock file decides the version; without an entry it is
//! the newest that the program accepts. Only a provider that is not on this machine, or has no entry yet, needs a network.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use futures_util::future::join_all;
use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::cli_config::{CliConfig, InstallationMethod, InstallationPlace};
use crate::client::{Origin, RegistryClient};
use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::http::HttpOptions;
use crate::locate::{self, Package, Shelf, executable, under_development};
use crate::lock_file::{LockFile, LockedProvider};
use crate::package::{self, DownloadProgress, FetchError, Fetched, WantedPackage, blocking};
use crate::platform::Platform;
use crate::protocol::OfferedVersion;
use crate::records::PackageRecords;
use crate::signature::Signer;
use crate::store::{IfThere, Store};
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

/// A provider that a program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredProvider {
    /// Its address.
    pub source: ProviderSource,
    /// The versions that will do; `None` is any release.
    pub versions: Option<VersionRequirement>,
}

/// A provider that is there and may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its address.
    pub source: ProviderSource,
    /// Its version; `None` for one under development.
    pub version: Option<Version>,
    /// The file that is started.
    pub binary: PathBuf,
    /// The package's folder; `None` for one under development.
    pub folder: Option<PathBuf>,
    /// How it came here.
    pub via: Via,
}

/// How a package came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// It is under development.
    Override,
    /// It lies in, or was unpacked from, a filesystem mirror.
    Mirror(PathBuf),
    /// An earlier run had downloaded it.
    Cache,
    /// It was downloaded from that host.
    Download(String),
}

/// What happens while providers are installed.
#[derive(Debug)]
pub enum InstallEvent<'a> {
    /// A registry or a mirror is asked for versions or a package.
    Asking {
        /// The provider.
        source: &'a ProviderSource,
        /// The host.
        host: &'a str,
    },
    /// Another process installs the same package; this one waits for it.
    Waiting {
        /// The provider.
        source: &'a ProviderSource,
    },
    /// A download goes on.
    Downloading {
        /// The provider.
        source: &'a ProviderSource,
        /// How many bytes are there.
        bytes: u64,
        /// How many there will be, if that is known.
        of: Option<u64>,
    },
    /// A package was installed that was not on this machine.
    Installed {
        /// The provider.
        source: &'a ProviderSource,
        /// Its version.
        version: &'a Version,
        /// The host it came from.
        host: &'a str,
        /// Who signed its release; none for a mirror.
        signer: Option<&'a Signer>,
    },
    /// Something to be told that is no failure.
    Warning(InstallError),
}

/// Follows an installation.
pub trait InstallObserver: Send + Sync {
    /// Something happened.
    fn event(&self, event: InstallEvent<'_>);
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

/// A package that was found or fetched, before it is compared with the lock file.
struct Obtained {
    version: Version,
    folder: PathBuf,
    via: Via,
    /// Hashes of other platforms that something trusted stated.
    stated: Vec<PackageHash>,
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
    async fn unpack(
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
    async fn remote(
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

impl RequiredProvider {
    /// Whether that version will do. Without a requirement, every release will.
    pub(crate) fn allows(&self, version: &Version) -> bool {
        match &self.versions {
            Some(versions) => versions.allows(version),
            None => version.pre.is_empty(),
        }
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

/// Downloads as events of an installation.
pub(crate) struct Progress<'a>(pub(crate) &'a dyn InstallObserver);

impl DownloadProgress for Progress<'_> {
    fn downloaded(&self, source: &ProviderSource, bytes: u64, of: Option<u64>) {
        self.0
            .event(InstallEvent::Downloading { source, bytes, of });
    }

    fn waiting(&self, source: &ProviderSource) {
        self.0.event(InstallEvent::Waiting { source });
    }
}
