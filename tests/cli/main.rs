//! The command line from outside: a stack program as a process, its streams and its exit code.

mod approval;
mod bad_input;
mod bindings;
mod completions;
mod convert;
mod damage;
mod deferred;
mod ends;
mod failures;
mod fleet;
mod guides;
mod habits;
mod hand_over;
mod import;
mod installing;
mod keys;
mod known;
mod life;
mod looking;
mod machine;
mod markdown;
mod policies;
mod portable;
mod private;
mod providers;
mod quiet;
mod recording;
mod recovery;
mod repair;
mod s3;
mod saved_plans;
mod scenes;
mod screen;
mod secrets;
mod stage;
mod state;
mod streams;
mod terminal;
mod waiting;
mod words;

// Not a program of its own: each takes its time to link.
#[path = "../browser/mod.rs"]
mod browser;
