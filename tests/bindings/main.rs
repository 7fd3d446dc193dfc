//! Bindings of every form that a schema can take: they compile, and mean the right thing.
//!
//! `acme/` is a crate with the bindings of a provider that does not exist. After a change of the generator run
//! `cargo run -p terrane-codegen -- generate tests/bindings/acme` and read the difference.

mod drift;
mod meaning;
mod project;
mod refusals;
