//! An AWS inside the binary: a provider of its own process whose objects live in a file, for trying a stack without an account.
//!
//! The life of a sandbox:
//!
//! 1. the command line calls [`prepare`], which writes the facts of the program's bindings beside the objects and says how the
//!    provider is started: as this very program, with a marker in its environment;
//! 2. the engine starts that process as it starts every provider (handshake, mutual TLS, gRPC);
//! 3. there [`serve_if_asked`] finds the marker and serves until it is told to stop.
//!
//! | module | what |
//! |---|---|
//! | `kind` | the resource types served, from the facts |
//! | `behaviour` | which arguments replace an object, and what has a default |
//! | `plan` | what would become of an object, in the manner of HashiCorp's older SDK |
//! | `rules` | ids, ARNs and endpoints as AWS forms them, and what AWS refuses |
//! | `cloud` | the objects and the ledger |
//! | `server` | the provider |
//!
//! **Why not** a fake inside the engine's process: the sandbox is there to show what really happens, so it takes the same way.

mod behaviour;
mod cloud;
mod json_text;
mod kind;
mod launch;
mod plan;
mod rules;
mod server;

pub use launch::{PrepareError, prepare, serve_if_asked};
