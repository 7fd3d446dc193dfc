//! The parts of scenarios: a fake provider with a cloud in memory, and a world to run programs in.
//!
//! ```
//! use terrane_tests::{FakeProvider, World, new_thing};
//!
//! let mut world = World::new(FakeProvider::new());
//! world.up(|stack| drop(new_thing("a").declare(stack))).succeeds();
//! world.preview(|stack| drop(new_thing("a").declare(stack))).changes_nothing();
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `world` | [`World`]: provider, state, clock; runs programs and checks that nothing is lost |
//! | `run` | [`Run`]: the events and results of an operation, as text |
//! | `saved` | plans through their files |
//! | `fake_provider` | [`FakeProvider`]: types, cloud and hooks |
//! | `binding` | the facts that bindings of it would have |
//! | `calls` | the argument of a hook, and its answers |
//! | `fields` | resource types in a few words |
//! | `cli` | [`TestEnvironment`]: a stack program as a process |
//! | `go` | programs on HashiCorp's libraries |
//! | `moto` | [`Aws`]: moto's server behind a proxy that can lose requests |
//! | `registry` | [`TestRegistry`]: a provider registry with TLS, signatures and faults |
//! | `guides` | the guides, whose code is compiled |
//! | `ids` | the ids in a state |
//! | `dice` | [`Dice`]: randomness from a seed |
//! | `amount` | how much is gone through, and [`Figures`] of it |
//! | `packages` | the published crates as a registry would serve them, and homes of projects that depend on them |
//! | `modules` | that no test file is forgotten |
//! | `sleeper` | readers that do not read |
//! | `filters` | replaces ids, times and places in snapshots |

mod amount;
mod answers;
mod binding;
mod calls;
mod cli;
mod cloud;
mod dice;
mod fake_provider;
mod features;
mod fields;
mod filters;
mod go;
#[cfg(doctest)]
mod guides;
mod ids;
mod modules;
mod moto;
mod packages;
mod process;
mod registry;
mod run;
mod saved;
mod show;
mod sleeper;
mod world;

pub use amount::{Figures, assert_all_passed, in_full, number_in};
pub use binding::TEST;
pub use calls::{ApplyCall, ImportCall, PlanCall, ReadCall, ReadDataCall};
pub use cli::{Output, TestEnvironment};
pub use cloud::{Cloud, CloudObject, with_member};
pub use dice::Dice;
pub use fake_provider::FakeProvider;
pub use fields::{Fields, item, lookup, named, thing};
pub use filters::filtered;
pub use go::{ci_program, go_program, is_installed};
pub use ids::ids;
pub use modules::assert_every_file_listed;
pub use moto::{Aws, Fate, aws, md5_of};
pub use packages::{
    checkout, make_home, offline_cargo, packages, published, replace_what_differs, stdout_of,
};
pub use registry::{
    Fault, Proxy, Release, Request, Signer, Step, TestRegistry, renamed, zip_of, zip_with_link,
};
pub use run::Run;
pub use saved::origin;
pub use show::{attributes, value as show_value};
pub use sleeper::full_pipe;
pub use world::{FakeClock, FakeRandom, World};

/// A `test_thing` whose resource name is also its `name` in the cloud.
pub fn new_thing(name: &str) -> terrane_core::Declaration {
    terrane_core::Resource::dynamic("test_thing", name).set("name", name)
}
