//! What the build script of a package of bindings does: the services whose features are on, generated into `OUT_DIR`.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use crate::bindings::{Layout, generate};
use crate::catalogue::Catalogue;
use crate::store::read_facts;
use crate::tree::write;

/// Generates bindings for the services whose features are on. `variable` gives the variables that Cargo sets for a build script; the text
/// is for Cargo, and says which files the bindings were made from.
///
/// # Errors
/// When a variable is missing, or the catalogue or the facts of the package cannot be read or contradict each other.
pub fn build(variable: impl Fn(&str) -> Option<OsString>) -> Result<String, Box<dyn Error>> {
    let folder = |name: &str| {
        let folder = variable(name).map(PathBuf::from);
        folder.ok_or_else(|| format!("{name} is not set; Cargo sets it for build scripts"))
    };
    let (package, out_dir) = (folder("CARGO_MANIFEST_DIR")?, folder("OUT_DIR")?);
    let is_on = |service: &str| {
        let feature = format!("CARGO_FEATURE_{}", service.to_uppercase());
        service == "provider" || variable(&feature).is_some()
    };
    let catalogue = Catalogue::parse(&fs::read_to_string(package.join("provider.toml"))?)?;
    let facts = read_facts(&package.join("schema"), is_on)?;
    write(&out_dir, &generate(&catalogue, &facts, Layout::OutDir)?)?;
    Ok("cargo::rerun-if-changed=provider.toml\ncargo::rerun-if-changed=schema\n".to_owned())
}
