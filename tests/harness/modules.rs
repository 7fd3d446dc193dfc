//! Finds test files that no module list names: a forgotten file is a test that never runs.

use std::fs;
use std::path::Path;

/// Checks that every `.rs` file of a folder of the tests crate is a module of its `main.rs`, whose text is given.
///
/// # Panics
/// When one is not.
#[track_caller]
pub fn assert_every_file_listed(folder: &str, main: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in fs::read_dir(path).expect("the folder of the tests") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else {
            continue;
        };
        assert!(
            main.contains(&format!("mod {module};")),
            "{folder}/{name} is not in its main.rs"
        );
    }
}
