//! From a provider's address and a version constraint to the path of its binary: mirrors, registries, signatures, the lock file.

mod discovery;
mod hash;
mod http;
mod lock_file;
mod platform;
mod protocol;
mod signature;
mod sums;
mod unpack;

pub use hash::{PackageHash, ParseHashError};
pub use http::{HttpError, HttpOptions};
pub use lock_file::{LockFile, LockFileError, LockedProvider};
pub use platform::{ParsePlatformError, Platform};
pub use protocol::OfferedVersion;
pub use signature::{SignatureError, Signer};
pub use unpack::{UnpackError, UnpackLimits};
