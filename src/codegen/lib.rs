//! Turns the schema of a provider into typed Rust bindings, by way of compact facts that are checked in.
//!
//! ```text
//! terraform providers schema -json ─► facts (schema/<service>.facts) ─► bindings (src/generated/<service>/<type>.rs)
//!                                        ▲ provider.toml: services, names ▲
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `terraform_json` | reads the document that Terraform and OpenTofu print |
//! | `catalogue` | `provider.toml`: services and names, which no schema has |
//! | `extract` | schemas to facts |
//! | `bindings` | facts to Rust |
//! | `tree` | formats, writes and compares files |
//!
//! Why not generate at build time: a fresh clone would need the provider or its schema, and every build would pay for
//! reading it. Why not a macro: macros over a thousand types cost seven times the compile time of the plain text.

mod bindings;
mod catalogue;
mod extract;
mod names;
mod terraform_json;
mod tree;

pub use bindings::{GenerateError, generate};
pub use catalogue::{Catalogue, CatalogueError, Service};
pub use extract::extract;
pub use terraform_json::{ParseSchemasError, from_terraform_json};
pub use tree::{differences, format, write};
