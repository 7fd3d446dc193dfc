//! From a provider's address and a version constraint to the path of its binary: mirrors, registries, signatures, the lock file.

mod cli_config;
mod client;
mod credentials;
mod discovery;
mod error;
mod hash;
mod hcl;
mod http;
mod installer;
mod locate;
mod lock_file;
mod lock_text;
mod locking;
mod mirroring;
mod network_mirror;
mod package;
mod platform;
mod protocol;
mod records;
mod signature;
mod source_pattern;
mod stamp;
mod store;
mod sums;
mod trust;
mod unpack;
mod verification;
mod version;
mod words;

pub use cli_config::{CliConfig, CliConfigError, InstallationMethod, InstallationPlace};
pub use client::{Origin, RegistryClient};
pub use credentials::Credentials;
pub use error::InstallError;
pub use hash::{PackageHash, ParseHashError};
pub use http::{HttpError, HttpOptions};
pub use installer::{
    InstallEvent, InstallObserver, InstallSettings, InstalledPackage, Installer, RequiredProvider,
    Via,
};
pub use locate::{LocatedProvider, locate};
pub use lock_file::{LockFile, LockFileError, LockedProvider};
pub use locking::LockChange;
pub use mirroring::MirroredPackage;
pub use package::{DownloadProgress, FetchError, Fetched, PackageDescription, WantedPackage};
pub use platform::{ParsePlatformError, Platform};
pub use protocol::OfferedVersion;
pub use semver::Version;
pub use signature::{SignatureError, Signer};
pub use source_pattern::SourcePattern;
pub use stamp::Stamp;
pub use store::{IfThere, Store};
pub use unpack::UnpackError;
pub use verification::{FoundPackage, ProviderStatus};
pub use version::{ParseVersionError, VersionRequirement};
