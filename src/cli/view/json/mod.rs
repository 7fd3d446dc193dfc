//! Renderings for programs, in the shapes that Terraform gave them.

mod checks;
mod configuration;
mod plan;
mod value;
mod values;
mod variables;

pub(crate) mod state;
pub(crate) mod stream;
pub(crate) mod validate;

pub(crate) use plan::plan;
