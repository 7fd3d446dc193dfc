//! From a provider's address and a version constraint to the path of its binary: mirrors, registries, signatures, the lock file.

mod client;
mod credentials;
mod discovery;
mod hash;
mod http;
mod lock_file;
mod network_mirror;
mod package;
mod platform;
mod protocol;
mod signature;
mod store;
mod sums;
mod unpack;

pub use client::{Origin, RegistryClient};
pub use credentials::Credentials;
pub use hash::{PackageHash, ParseHashError};
pub use http::{HttpError, HttpOptions};
pub use lock_file::{LockFile, LockFileError, LockedProvider};
pub use package::{DownloadProgress, FetchError, Fetched, WantedPackage};
pub use platform::{ParsePlatformError, Platform};
pub use protocol::OfferedVersion;
pub use signature::{SignatureError, Signer};
pub use store::Store;
pub use unpack::UnpackError;
