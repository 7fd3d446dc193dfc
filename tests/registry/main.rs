//! Installation of providers from a registry on loopback, which is good, broken or hostile.

mod rig;

mod broken;
mod hostile;
mod lock_files;
mod processes;
mod sources;
mod stacks;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    terrane_tests::assert_every_file_listed("registry", include_str!("main.rs"));
}
