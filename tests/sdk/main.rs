//! The engine against providers on HashiCorp's own libraries: SDK v2, plugin framework and mux, over protocols 5 and 6; and one on
//! the wire alone, for what those libraries lack.

mod actions;
mod breaches;
mod drafts;
mod failures;
mod latest;
mod lifecycle;
mod rig;
mod values;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    terrane_tests::assert_every_file_listed("sdk", include_str!("main.rs"));
}
