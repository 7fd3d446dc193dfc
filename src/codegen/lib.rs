//! Turns the schema of a provider into typed Rust bindings, by way of compact facts that are checked in.
//!
//! ```text
//! terraform providers schema -json ─► facts (schema/<service>.facts.gz) ─► bindings (<service>/<type>.rs)
//!                                        ▲ provider.toml: services, names ▲
//! ```
//!
//! A package with many services generates in its build script those whose features are on ([`build`]); a small one, or a user's own
//! project, keeps the files among its sources ([`Layout::Source`]).
//!
//! | module | holds |
//! |---|---|
//! | `terraform_json` | reads the document that Terraform and OpenTofu print |
//! | `catalogue` | `provider.toml`: services and names, which no schema has |
//! | `extract` | schemas to facts |
//! | `store`, `features` | facts on disk; the features of a package |
//! | `bindings` | facts to Rust, and the names there |
//! | `build_script` | what a package's build script calls |
//! | `tree` | formats, writes and compares files |
//! | `program` | programs that declare objects which exist |
//! | `project` | bindings among a user's own sources: `bindings add` of a stack program |
//!
//! Why not commit the bindings of a large provider: those of AWS are a million lines that nobody reads, and every change of the
//! generator or of the provider's version would be a change of all of them. Why not a macro: macros over a thousand types cost seven
//! times the compile time of the plain text.

mod bindings;
mod build_script;
mod catalogue;
mod extract;
mod features;
mod names;
mod program;
mod project;
mod store;
mod terraform_json;
mod tree;

pub use bindings::{
    BoundKind, BoundMember, BoundObject, BoundType, GenerateError, Layout, describe, generate,
};
pub use build_script::build;
pub use catalogue::{Catalogue, CatalogueError, Service};
pub use extract::extract;
pub use features::with_features;
pub use names::ident;
pub use program::{
    DeclaredObject, ExistingObject, TypeInProgram, WrittenProgram, declare_existing,
};
pub use project::{
    AddBindings, AddError, AddedBindings, MissingLine, Origin, ProjectBindings, add_bindings,
    catalogue_of,
};
pub use store::{read_facts, write_facts};
pub use terraform_json::{ParseSchemasError, from_terraform_json};
pub use tree::{differences, format, write};
