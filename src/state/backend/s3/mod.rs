//! States in S3: their options and URLs, and (feature `s3`) the store itself.

mod options;
mod url;

#[cfg(feature = "s3")]
mod address;
#[cfg(feature = "s3")]
mod bootstrap;
#[cfg(feature = "s3")]
mod client;
#[cfg(feature = "s3")]
mod error;
#[cfg(feature = "s3")]
mod journal;
#[cfg(feature = "s3")]
mod lock;
#[cfg(feature = "s3")]
mod object;
#[cfg(feature = "s3")]
mod snapshot;
#[cfg(feature = "s3")]
mod store;

#[cfg(feature = "s3")]
pub(crate) use address::S3Factory;
pub use options::{AssumeRole, Endpoints, InvalidOption, S3Backend};
