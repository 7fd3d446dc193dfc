//! Random bytes for every reader of a store's or a provider's data: no panic, no hang, no exhausted memory.
//!
//! Each target has seeds and a judge. A case is a seed input changed by some mutations, all drawn from one number, so that the number
//! says everything about a failure. The tests run a few thousand cases; for more:
//!
//! | set | to |
//! |---|---|
//! | `TERRANE_FUZZ_SECONDS=60` | go on for that long, with other numbers each time |
//! | `TERRANE_FUZZ_CASE=17` | run that one case only |
//!
//! Inputs that found a fault are kept as files under `corpus/`; they are seeds, too.

mod bombs;
mod drive;
mod journal;
mod lock_info;
mod msgpack;
mod mutate;
mod plan;
mod registry;
mod state;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    terrane_tests::assert_every_file_listed("fuzz", include_str!("main.rs"));
}
