//! The differences between two states of an object, in rows with full paths.

mod align;
mod compare;
mod documents;
mod render;
mod row;
mod sets;
mod strings;

pub(crate) use compare::{Comparison, Kind, Occasion};
pub(crate) use render::{Side, member_name};
pub(crate) use row::{Mark, Row};

#[cfg(test)]
mod tests;
