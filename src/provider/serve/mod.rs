//! The server half: a provider written in Rust, for the embedded cloud and for tests of the client.
//!
//! Implement [`Service`] and give it to [`run`] in the `main` of a binary: it prints the handshake line, serves one engine over
//! a socket with mutual TLS, and returns when the engine asks it to shut down.

mod action;
mod dispatch;
mod ephemeral;
mod function;
mod identity;
mod listen;
mod listing;
mod service;

pub use listen::{ServeError, run};
pub use service::Service;
