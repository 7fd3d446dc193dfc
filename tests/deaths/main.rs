//! Real processes that die: at every place, at any moment before a changed program, and over a disk that fails.
//!
//! Only on Linux: the tests stop and count processes through `/proc`, and a library of theirs stands in for the disk.
#![cfg(target_os = "linux")]

mod changed;
mod disk;
mod mortal;
mod places;

#[test]
fn no_test_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("deaths", include_str!("main.rs"));
}
