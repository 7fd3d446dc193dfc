//! Many stacks from one program: their order, selections of them, and runs over all.

mod matrix;
mod order;
mod schedule;
mod selection;
mod shard;

pub use matrix::{Job, Matrix};
pub use order::{Dependency, Order, StackId};
pub use schedule::{Direction, Schedule, StackEnd};
pub use selection::{InvalidPattern, Selection, SelectionError, StackPattern};
pub use shard::{InvalidShard, Shard};
