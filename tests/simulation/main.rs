//! Death at every place of a run, in a world that only a seed decides: nothing is lost, nothing is made twice.

mod cloud;
mod dice;
mod executor;
mod exhaustive;
mod fencing;
mod judge;
mod life;
mod play;
mod program;
mod random;
mod schedule;
mod store;
mod time;
mod world;

#[test]
fn no_test_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("simulation", include_str!("main.rs"));
}
