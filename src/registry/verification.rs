//! `providers` and `providers verify`: what is on this machine, and whether it is still what the lock file records.

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::installation::{RequiredProvider, Via};
use crate::installer::Installer;
use crate::locate::Package;
use crate::version::VersionRequirement;
use crate::words;

/// A provider as it stands: what the program needs, what the lock file records, what is on this machine.
#[derive(Debug)]
pub struct ProviderStatus {
    /// The provider.
    pub source: ProviderSource,
    /// The versions that the program accepts.
    pub versions: Option<VersionRequirement>,
    /// The recorded version.
    pub locked: Option<Version>,
    /// The recorded hashes.
    pub hashes: Vec<PackageHash>,
    /// What a run would start without a download; `None` when it is not installed.
    pub installed: Option<FoundPackage>,
}

/// A package on this machine.
#[derive(Debug)]
pub struct FoundPackage {
    /// Its version; `None` for one under development.
    pub version: Option<Version>,
    /// Its folder, or its zip.
    pub path: std::path::PathBuf,
    /// How it came here.
    pub via: Via,
    /// Whether it is what the lock file records; `None` if that was not asked, or nothing is recorded.
    pub verdict: Option<Result<(), InstallError>>,
}

impl Installer {
    /// How these providers stand, without any network. With `verify`, each byte of their packages is read.
    ///
    /// # Errors
    /// When the lock file cannot be read, or a provider under development is not where the configuration says.
    pub fn status(
        &self,
        required: &[RequiredProvider],
        verify: bool,
    ) -> Result<Vec<ProviderStatus>, InstallError> {
        let lock = self.lock_file()?;
        let statuses = required.iter().map(|required| {
            let locked = lock.get(&required.source);
            let installed = self.found(required, locked, verify);
            Ok(ProviderStatus {
                source: required.source.clone(),
                versions: required.versions.clone(),
                locked: locked.map(|locked| locked.version.clone()),
                hashes: locked.map_or_else(Vec::new, |locked| locked.hashes.clone()),
                installed: installed.map_err(|error| error.about(&required.source))?,
            })
        });
        statuses.collect()
    }

    fn found(
        &self,
        required: &RequiredProvider,
        locked: Option<&crate::lock_file::LockedProvider>,
        verify: bool,
    ) -> Result<Option<FoundPackage>, InstallError> {
        let source = &required.source;
        if let Some(found) = crate::locate::under_development(&self.config, source)? {
            return Ok(Some(FoundPackage {
                version: None,
                path: found.binary,
                via: Via::Override,
                verdict: None,
            }));
        }
        let Some((version, package, via)) = self.local(required, locked, &mut Vec::new()) else {
            return Ok(None);
        };
        let (Package::Unpacked(path) | Package::Packed(path)) = &package;
        let verdict = locked.filter(|_| verify).map(|locked| {
            let hashes = match &package {
                Package::Unpacked(folder) => self.records.hash_again(folder),
                Package::Packed(zip) => std::fs::File::open(zip)
                    .and_then(PackageHash::of_zip)
                    .map(|hash| vec![hash]),
            };
            let hashes =
                hashes.map_err(|error| words::unreadable(source, &version, path, &error))?;
            match locked.accepts(&hashes) {
                true => Ok(()),
                false => {
                    let lock_file = &self.settings.lock_file;
                    Err(
                        words::not_locked(source, locked, &hashes, Some(path), lock_file)
                            .about(source),
                    )
                }
            }
        });
        Ok(Some(FoundPackage {
            version: Some(version),
            path: path.clone(),
            via,
            verdict,
        }))
    }
}
