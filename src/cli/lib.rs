//! The command line that every stack program carries: arguments in, engine in the middle, views out. The only crate that prints.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use terrane_cli::Cli;
//! use terrane_core::{Result, Stack};
//!
//! fn main() -> ExitCode {
//!     Cli::stack("prod").config_file("region = \"us-east-1\"").run(platform)
//! }
//!
//! fn platform(stack: &mut Stack) -> Result<()> {
//!     // stack.provider(…), iam::Role::builder(…).declare(stack), stack.export(…)
//!     Ok(())
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `args` | commands and flags, parsed |
//! | `command` | one file a verb |
//! | `completion` | the words that fit where a shell completes a command line |
//! | `session` | one invocation: its program, state, providers |
//! | `view` | plans, states, progress and diagnostics, for people and for programs |
//! | `signals` | Ctrl-C once and twice |
//! | `trace` | where the time of a run went, for `--trace` |
//! | `streams` | results to stdout, everything else to stderr; a reader that leaves stops nothing |
//! | `workflow` | procedures that several commands share |
//! | [`Exit`] | every exit code |
//!
//! **Why not** a separate tool that loads programs: the program *is* the tool, so there is one binary to build, ship and trust, its
//! version cannot differ from the engine's, and nothing has to be installed or initialised before the first preview.

mod args;
mod cli;
mod command;
mod completion;
mod error;
mod exit_code;
mod fleet;
mod logs;
mod panics;
mod session;
mod signals;
mod streams;
mod trace;
mod view;
mod workflow;

#[cfg(feature = "rendering")]
#[doc(hidden)]
pub use view::rendering::{Rendering, Scene, timed};

pub use cli::Cli;
pub use exit_code::Exit;
pub use fleet::FleetCli;
pub use terrane_state::{BackendConfig, EncryptedWith, Encryption, S3Backend};
pub use terrane_vault::{Age, AwsKms, DataKey, KeyService, SecretFault};
#[doc(hidden)]
pub use view::text::plan_text;
