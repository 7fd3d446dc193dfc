//! The guides: rustdoc takes their code for examples, which compile, and run where nothing stands in the way.
//!
//! Not here: `testing.md`, which the crate that it is about tests, and the guides that a test follows in a project of its own.

#[doc = include_str!("../../docs/convert.md")]
mod convert {}
#[doc = include_str!("../../docs/embedding.md")]
mod embedding {}
#[doc = include_str!("../../docs/fleet.md")]
mod fleet {}
#[doc = include_str!("../../docs/language.md")]
mod language {}
#[doc = include_str!("../../docs/policies.md")]
mod policies {}
#[doc = include_str!("../../docs/recording.md")]
mod recording {}
#[doc = include_str!("../../docs/recovery.md")]
mod recovery {}
#[doc = include_str!("../../docs/secrets.md")]
mod secrets {}
#[doc = include_str!("../../docs/state.md")]
mod state {}
