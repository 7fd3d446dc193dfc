//! What the build script of a package of bindings does: the services whose features are on, generated into `OUT_DIR`.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::bindings::{Layout, generate};
use crate::catalogue::Catalogue;
use crate::store::read_facts;
use crate::tree::write;

/// Generates bindings for the services that `is_on` says yes to, and tells Cargo which files they were made from.
///
/// # Errors
/// When the catalogue or the facts of the package cannot be read, or contradict each other.
pub fn build(
    package: &Path,
    out_dir: &Path,
    is_on: impl Fn(&str) -> bool,
) -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::parse(&fs::read_to_string(package.join("provider.toml"))?)?;
    let facts = read_facts(&package.join("schema"), |service| {
        service == "provider" || is_on(service)
    })?;
    write(out_dir, &generate(&catalogue, &facts, Layout::OutDir)?)?;
    Ok(())
}
