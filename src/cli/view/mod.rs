//! Renderings: for people on a terminal, for people in a log, for programs.

pub(crate) mod diagnostics;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod graph;
pub(crate) mod hidden;
pub(crate) mod history;
pub(crate) mod json;
pub(crate) mod lock;
pub(crate) mod outputs;
pub(crate) mod painter;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod repair;
pub(crate) mod state;
mod stored;
pub(crate) mod summary;
pub(crate) mod text;
