//! State files: Terraform's format v4, and refusals of everything else that name the place.

mod error;
pub(crate) mod node;
pub mod v4;

pub use error::FileError;
pub use v4::{Layout, Pieces, read, serial_in_start, write, write_pieces};
