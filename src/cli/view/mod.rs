//! Renderings: for people on a terminal, for people in a log, for programs.

pub(crate) mod diagnostics;
pub(crate) mod diff;
pub(crate) mod painter;
pub(crate) mod plan;
pub(crate) mod text;
