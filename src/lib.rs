//! terrane: infrastructure as a Rust program, on unmodified Terraform providers.
//!
//! A stack is a binary. It declares resources; the engine inside it plans and applies them.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use terrane::{Cli, Resource, Result, Stack};
//!
//! fn main() -> ExitCode {
//!     Cli::stack("demo").run(demo)
//! }
//!
//! fn demo(stack: &mut Stack) -> Result<()> {
//!     let pet = Resource::dynamic("random_pet", "name").set("length", 2).declare(stack);
//!     stack.export("name", pet.attribute::<String>("id"));
//!     Ok(())
//! }
//! ```
//!
//! Types with bindings are named through those (`terrane_aws::ec2::Vpc`); [`Resource::dynamic`] is for the rest.
//!
//! | to | use |
//! |---|---|
//! | run a stack from the command line | [`Cli`] |
//! | keep its state in S3 | [`S3Backend`] |
//! | declare things, read configuration, publish values | [`Stack`] |
//! | use what the cloud decides | [`Output`], [`all`] |
//! | accept arguments in a component of your own | [`Input`] |
//! | say how the engine may treat an object | [`Lifecycle`] |
//! | test a stack without any cloud | [`Program::from_fn`] |
//!
//! Why not a prelude to glob-import: these names are few, and a reader of a stack should see where each comes from.

pub use terrane_cli::{BackendConfig, Cli, S3Backend};
pub use terrane_core::addr::InstanceKey;
pub use terrane_core::{
    ConfigValues, Diagnostic, Diagnostics, Error, Export, Expr, Input, IntoExpr, Lifecycle, Output,
    Program, ProviderDeclaration, ProviderHandle, Resource, ResourceInstance, Result, Stack, Value,
    all,
};
