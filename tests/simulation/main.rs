//! Death at every place of a run, in a world that only a seed decides: nothing is lost, nothing is made twice.

mod changed;
mod cloud;
mod dice;
mod disk;
mod executor;
mod exhaustive;
mod fencing;
mod judge;
mod life;
mod mortal;
mod play;
mod process;
mod program;
mod random;
mod schedule;
mod store;
mod time;
mod world;

use std::collections::BTreeSet;

use terrane_state::crash::{Layer, Point};

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

/// The test that passes every place of a layer, and says so by [`assert_every_place_is_passed`]. Every layer has one, so a place that
/// is registered and that no schedule passes fails it.
fn test_of(layer: Layer) -> &'static str {
    match layer {
        Layer::Run => "every_death_at_every_place_loses_nothing_and_makes_nothing_twice",
        Layer::Local => "a_process_that_is_killed_anywhere_loses_nothing_and_shows_nothing",
        Layer::S3 => {
            "a_process_that_is_killed_anywhere_in_s3_loses_nothing_and_its_lock_can_be_freed"
        }
    }
}

/// Fails when a registered place of the layer is not among those.
#[track_caller]
fn assert_every_place_is_passed(layer: Layer, passed: &BTreeSet<&str>) {
    let registered = Point::ALL.iter().filter(|it| it.layer() == layer);
    let missed: Vec<&str> = registered
        .map(|point| point.name())
        .filter(|name| !passed.contains(name))
        .collect();
    assert!(missed.is_empty(), "{layer:?} is never ended at {missed:?}");
}

#[test]
fn every_layer_of_registered_places_has_a_test_that_passes_them_all() {
    let sources = [include_str!("exhaustive.rs"), include_str!("process.rs")];
    for point in Point::ALL {
        let test = format!("fn {}()", test_of(point.layer()));
        let body = sources.iter().find_map(|text| text.split_once(&test));
        let asserted = format!("assert_every_place_is_passed(Layer::{:?}, ", point.layer());
        let (_, body) = body.unwrap_or_else(|| panic!("{}: no {test}", point.name()));
        assert!(body.contains(&asserted), "{}", point.name());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("simulation", include_str!("main.rs"));
}
