//! What an installation is given, what it tells, and what comes of it.

use std::path::PathBuf;

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::error::InstallError;
use crate::package::DownloadProgress;
use crate::signature::Signer;
use crate::version::VersionRequirement;

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

impl RequiredProvider {
    /// Whether that version will do. Without a requirement, every release will.
    pub(crate) fn allows(&self, version: &Version) -> bool {
        match &self.versions {
            Some(versions) => versions.allows(version),
            None => version.pre.is_empty(),
        }
    }
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
