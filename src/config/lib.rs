//! Typed configuration of a stack, layered from files, environment and flags.
//!
//! ```
//! use serde::Deserialize;
//! use terrane_config::ConfigValues;
//!
//! #[derive(Deserialize)]
//! struct Config {
//!     region: String,
//!     sizes: Vec<u32>,
//! }
//!
//! let mut values = ConfigValues::new();
//! values.add_toml("prod.toml", "region = \"us-east-1\"\nsizes = [1]").expect("valid TOML");
//! values.add_flag("sizes=[2, 3]").expect("a name and a value");
//! let config: Config = values.deserialize().expect("a configuration");
//! assert_eq!((config.region.as_str(), config.sizes), ("us-east-1", vec![2, 3]));
//! ```
//!
//! The life of [`ConfigValues`]: the command line adds layer after layer; the program is made with them; `Stack::config` reads a type
//! of the program's from them; `was_read`, `was_refused` and `chosen` say afterwards how that went.
//!
//! | module | holds |
//! |---|---|
//! | `values` | the entries of all layers |
//! | `document` | TOML and JSON as entries |
//! | `layers` | the entry that wins for each key; diagnostics |
//! | `deserializer`, `access` | one value for the type that asks |
//! | `findings`, `mismatch` | the faults, with their paths |
//!
//! Why not in `core`: bindings stand on `core`, and none of them needs TOML. `core` knows only the trait
//! [`Configuration`](terrane_core::configuration::Configuration), through which a [`Stack`](terrane_core::Stack) reads a type.
//!
//! Why not `figment` or `config`: they merge tables key by key at every depth, do not report all faults at once, and repeat values in
//! their errors, where a value may be a secret.

mod access;
mod deserializer;
mod document;
mod findings;
mod layers;
mod mismatch;
#[cfg(test)]
mod tests;
mod values;

pub use values::{ConfigValues, VARIABLE_PREFIX};
