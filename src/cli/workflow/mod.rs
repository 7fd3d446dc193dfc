//! Procedures that several commands share, a file each. Commands import from here and never from one another.

pub(crate) mod advice;
pub(crate) mod apply;
pub(crate) mod approval;
pub(crate) mod confirmation;
pub(crate) mod cost;
pub(crate) mod declaring;
pub(crate) mod edit;
pub(crate) mod inspection;
pub(crate) mod look_up;
pub(crate) mod plan;
pub(crate) mod proof;
pub(crate) mod saved;
pub(crate) mod unresolved;
