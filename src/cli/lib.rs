//! The command line that every stack program carries: arguments in, engine in the middle, views out. The only crate that prints.

mod args;
mod error;
mod exit_code;
mod streams;
mod view;

pub use exit_code::Exit;
