//! (to be written)

mod terraform_json;

pub use terraform_json::{ParseSchemasError, from_terraform_json};
