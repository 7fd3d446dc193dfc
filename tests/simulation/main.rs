//! Death at every place of a run, in a world that only a seed decides: nothing is lost, nothing is made twice.

mod cloud;
mod dice;
mod executor;
mod exhaustive;
mod fencing;
mod judge;
mod life;
mod play;
mod process;
mod program;
mod random;
mod schedule;
mod store;
mod time;
mod world;

/// How many schedules of chance were asked for, where more was asked for than an ordinary test run does; then everything else is
/// gone through in full, too.
fn in_full() -> Option<u64> {
    number("TERRANE_SIMULATION")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is a number")))
}

#[test]
fn no_test_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("simulation", include_str!("main.rs"));
}
