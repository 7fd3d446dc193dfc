//! Generates the bindings of the services whose features are on from the facts in `schema/`.

#![allow(clippy::disallowed_methods)] // a build script is told by its environment

use std::env;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=provider.toml");
    println!("cargo::rerun-if-changed=schema");
    let package = env::var("CARGO_MANIFEST_DIR")?;
    let out_dir = env::var("OUT_DIR")?;
    terrane_codegen::build(Path::new(&package), Path::new(&out_dir), |service| {
        env::var_os(format!("CARGO_FEATURE_{}", service.to_uppercase())).is_some()
    })
}
