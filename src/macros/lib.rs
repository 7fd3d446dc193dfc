//! The derive macro for the exports of a stack; `terrane` gives it out under the name of the trait.
//!
//! ```ignore
//! use terrane::{Exports, Output};
//!
//! #[derive(Exports)]
//! struct NetworkExports {
//!     vpc_id: Output<String>,
//!     subnet_ids: Output<Vec<String>>,
//!     // Published under another name than the field's.
//!     #[exports(name = "nat-ips")]
//!     nat_ips: Output<Vec<String>>,
//!     // May be missing: null then.
//!     waf_arn: Output<Option<String>>,
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `exports` | the implementation of `Exports` for a struct |
//!
//! Why not a macro for resources, too: bindings of 1,300 types must compile in seconds, and builders need none.

mod exports;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct whose fields are `Output`s the exports of a stack, each under the name of its field.
///
/// `#[exports(name = "…")]` on a field names it otherwise. `#[exports(crate = "path")]` on the struct says where terrane's core is.
#[proc_macro_derive(Exports, attributes(exports))]
pub fn derive_exports(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    exports::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
