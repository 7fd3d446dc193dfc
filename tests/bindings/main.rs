//! Bindings: what the generator makes of every form a schema can take, and that it compiles and means the right thing.
//!
//! `acme/` is a crate with the bindings of a provider that does not exist. After a change of the generator run
//! `cargo run -p terrane-codegen -- generate tests/bindings/acme` and read the difference.

mod drift;
mod meaning;
mod refusals;
