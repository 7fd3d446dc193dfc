//! Death at every place of a run, in a simulation that only a seed decides: nothing is lost, nothing is made twice.

mod cloud;
mod executor;
mod exhaustive;
mod fencing;
mod fleet;
mod judge;
mod life;
mod play;
mod program;
mod random;
mod schedule;
mod simulation;
mod store;
mod time;

use terrane_state::crash::{Layer, Point};

/// The test that passes every place of a layer and asserts that, here or in `deaths`. Every layer has one, so a registered place that
/// no run passes fails it.
fn test_of(layer: Layer) -> &'static str {
    match layer {
        Layer::Run => "every_death_at_every_place_loses_no_object_and_creates_none_twice",
        Layer::Local => "a_process_killed_at_any_place_loses_no_object_and_shows_no_secret",
        Layer::Transfer => "a_move_between_states_killed_at_any_place_moves_all_or_nothing",
        Layer::S3 => {
            "a_process_killed_at_any_place_in_s3_loses_no_object_and_its_lock_can_be_freed"
        }
    }
}

#[test]
fn every_layer_of_registered_places_has_a_test_that_passes_them_all() {
    let sources = [
        include_str!("exhaustive.rs"),
        include_str!("../deaths/places.rs"),
    ];
    for point in Point::ALL {
        let test = format!("fn {}()", test_of(point.layer()));
        let body = sources.iter().find_map(|text| text.split_once(&test));
        let asserted = format!("assert_all_passed(places(Layer::{:?}), ", point.layer());
        let (_, body) = body.unwrap_or_else(|| panic!("{}: no {test}", point.name()));
        assert!(body.contains(&asserted), "{}", point.name());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("simulation", include_str!("main.rs"));
}
