//! Clouds inside the binary: for each provider a process that stands in for it, whose objects live in a file, for trying a stack
//! without an account.
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
//! | `launch` | how this program becomes a provider process |
//! | `service` | the provider: every RPC, and the time it takes |
//! | `kind`, `behaviour` | the types served, from the facts; which arguments replace an object, and which have a default |
//! | `plan` | what would become of an object, in the manner of HashiCorp's older SDK |
//! | `operations`, `draft` | create, read, update and delete |
//! | `rules` | ids, ARNs and endpoints as the cloud forms them, and what it refuses: one file a service |
//! | `ephemeral`, `functions` | values for one run, and functions of providers |
//! | `data`, `validate` | data sources; values that the provider refuses before it asks the cloud |
//! | `cloud` | the objects and the ledger |
//! | `chance` | random ids, the same in every run of a sandbox in memory |
//! | `in_memory` | all of it in the caller's process, for simulations and the tests of stacks |
//!
//! **Why not** a fake inside the engine's process: the sandbox is there to show what really happens, so it takes the same way.

mod behaviour;
mod chance;
mod clock;
mod cloud;
mod data;
mod draft;
mod ephemeral;
mod functions;
mod in_memory;
mod json_text;
mod kind;
mod launch;
mod operations;
mod plan;
mod rules;
#[cfg(test)]
mod samples;
mod service;
mod validate;

pub use in_memory::{Happened, InMemory, Types};
pub use launch::{PrepareError, prepare, serve_if_asked};
