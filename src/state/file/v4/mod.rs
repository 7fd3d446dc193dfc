//! Terraform's state format, version 4: read with every tolerance its writers need, written as Terraform writes it.

mod instance;
mod json;
mod paths;
mod pieces;
mod read;
mod sensitive;
mod write;

pub(crate) use instance::{read_instance, write_instance};
pub use json::Layout;
pub use pieces::Pieces;
pub use read::{read, serial_in_start};
pub(crate) use sensitive::sensitive_places;
pub use write::{write, write_pieces};

#[cfg(test)]
pub(crate) mod tests;
