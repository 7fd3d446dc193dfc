//! Many stacks of one program: their order, selections of them, and work on all of them. Prints nothing.
//!
//! The life of a fleet: a [`Fleet`]'s function declares its stacks; [`Deployments`] runs each of their functions once, and finds in the
//! references between them the [`Order`]; a [`Selection`] chooses stacks; a [`Schedule`] says which is next; each is worked on by its
//! own [`Deployment`](terrane_deploy::Deployment), under its own lock, with its own journal.
//!
//! | module | holds |
//! |---|---|
//! | `definition` | [`Fleet`], [`FleetStack`]: what a program declares |
//! | `family` | stacks that come and go, found by their states |
//! | `order` | who waits for whom, in levels; circles are errors |
//! | `selection`, `shard`, `matrix` | `--only`, `--level`, `--shard`; the jobs of a CI |
//! | `schedule` | which stack is next, and which never; without the work itself |
//! | `deployments` | the stacks as deployments; who uses what; which have expired |
//! | `run` | previews and runs over many stacks, and how exports flow between them |
//!
//! **Why not** one plan over all stacks: each has its own state, lock and journal, so any number of machines can share the work, and a run
//! that dies leaves one stack to recover.

mod definition;
mod deployments;
mod family;
mod matrix;
mod order;
mod run;
mod schedule;
mod selection;
mod shard;

pub use definition::{Fleet, FleetStack, StackFunction};
pub use deployments::{Deployments, Member, Placement, Use};
pub use family::Family;
pub use matrix::{Job, Matrix};
pub use order::{Dependency, Order, StackId};
pub use run::{FleetObserver, FleetOptions, FleetResults, StackResult, planned_exports};
pub use schedule::{Direction, Schedule, StackEnd};
pub use selection::{InvalidPattern, Selection, SelectionError, StackPattern};
pub use shard::{InvalidShard, Shard};
