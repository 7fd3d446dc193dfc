//! From a provider's address and a version constraint to the path of its binary: mirrors, registries, signatures, the lock file.

mod hash;
mod lock_file;
mod platform;
mod signature;
mod unpack;

pub use hash::{PackageHash, ParseHashError};
pub use lock_file::{LockFile, LockFileError, LockedProvider};
pub use platform::{ParsePlatformError, Platform};
pub use signature::{SignatureError, Signer};
pub use unpack::{UnpackError, UnpackLimits};
