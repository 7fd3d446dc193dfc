//! Turns a Terraform configuration into a Rust program on terrane, with a proof that both plan the same.
//!
//! ```text
//! *.tf, *.tf.json, *.tfvars ─► modules ─► bindings of the types in use ─► functions of Rust ─► a Cargo project
//! ```
//!
//! Expressions get types as far as they can be inferred: from the schema of an attribute, from the constraint of a variable, from what
//! functions give. What the cloud decides is an `Output`. Where no type is found, a value is a `Dyn` of `terrane-functions`, which follows
//! HCL's rules when the program runs; the program is right either way, and the types make it read as one that was written in Rust. What
//! cannot be said at all is a `compile_error!` with the original's place and text.
//!
//! | module | holds |
//! |---|---|
//! | `ast`, `native`, `newlines`, `repeated`, `literals`, `json` | HCL's expressions and bodies, read from both syntaxes |
//! | `model` | modules: what each declares and calls |
//! | `bindings` | the types in use, and their names in Rust |
//! | `ty`, `scope` | types of expressions; what names are in the program |
//! | `expr`, `reference`, `functions`, `dynamic` | expressions with types, and without |
//! | `templates` | files that expressions read |
//! | `variables`, `settings` | constraints and defaults; the configuration |
//! | `blocks`, `declare`, `calls`, `changes` | arguments, declarations, calls of modules, moves |
//! | `known`, `order`, `forwards`, `cycle` | what is declared before what, and what is used before it is declared |
//! | `program`, `settle` | a function a module, and the types that they hand each other |
//! | `provider_keys` | the configurations of providers that modules hand each other |
//! | `files`, `imports`, `survey`, `project` | files, what they use, what is reported, the whole |
//! | `deep` | the stack that all of this runs on |
//! | [`planned`], [`check`], [`against`] | the proof: that the program plans what Terraform plans |
//!
//! Why not types that a person writes by hand into a mapping: a conversion has to need nobody. Why not dynamic values everywhere: the
//! compiler checks types, and people leave HCL for that.

pub mod against;
mod ast;
mod bindings;
mod block_functions;
mod blocks;
mod calls;
mod changes;
pub mod check;
mod cycle;
mod declare;
mod deep;
mod dynamic;
mod expr;
mod files;
mod forwards;
mod functions;
mod imports;
mod json;
mod known;
mod literals;
mod model;
mod names;
mod native;
mod newlines;
mod order;
pub mod planned;
mod program;
mod project;
mod provider_keys;
mod reference;
mod repeated;
mod scope;
mod settings;
mod settle;
mod sources;
mod survey;
mod templates;
#[cfg(test)]
mod tests;
mod ty;
mod variables;

pub use bindings::Schemas;
pub use project::{Options, Project, convert};
pub use scope::Untranslated;
pub use sources::ConvertError;

/// The providers that a configuration uses: source and version requirement.
///
/// # Errors
/// When the configuration is not valid.
pub fn required_providers(folder: &std::path::Path) -> Result<Vec<(String, String)>, ConvertError> {
    deep::with_room(|| {
        let configuration = model::read(folder)?;
        Ok(bindings::required(&configuration))
    })
}
