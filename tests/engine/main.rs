//! Scenarios: the engine against a provider in this process.

// A scenario's program is one expression that declares a resource and drops its handle.
#![allow(clippy::semicolon_if_nothing_returned)]

mod actions;
mod adoption;
mod apply_errors;
mod asked_provider;
mod callers;
mod changed_program;
mod create;
mod create_before_destroy;
mod data_source;
mod deferred;
mod dependencies;
mod deployment;
mod destroy;
mod ephemeral;
mod failure;
mod final_plans;
mod fleet;
mod functions;
mod import;
mod integrity;
mod interrupted;
mod known;
mod lifecycle;
mod moves;
mod outputs;
mod owner_tags;
mod places;
mod providers;
mod query;
mod recalled;
mod refresh;
mod removed;
mod replace;
mod selection;
mod sensitive;
mod service;
mod unresolved;
mod update;
mod values;
mod when_known;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    terrane_tests::assert_every_file_listed("engine", include_str!("main.rs"));
}
