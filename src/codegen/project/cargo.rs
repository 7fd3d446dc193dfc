//! What the manifests around a folder say: the edition of its sources, and how the project depends on terrane.

use std::fs;
use std::ops::Range;
use std::path::Path;

use toml::{Spanned, Table, Value};

/// The edition of a new crate.
pub(super) const EDITION: &str = "2024";

/// The manifest of a new crate of bindings.
pub(super) fn manifest(name: &str, terrane: &str, about: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{EDITION}\"\ndescription = \"{about}\"\npublish = false\n\n\
         [lib]\ndoctest = false\n\n[dependencies]\nterrane = {terrane}\n"
    )
}

/// How the project of that folder depends on terrane, as its manifest writes it; the released version where a new crate could not
/// say the same.
pub(super) fn dependency(project: &Path) -> String {
    let released = || format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    let written = fs::read_to_string(project.join("Cargo.toml"));
    let written = written.ok().and_then(|text| {
        let place = place_of_dependency(&text)?;
        Some(text[place].to_owned())
    });
    // Paths are relative to the manifest that has them.
    written
        .filter(|text| !text.contains("path"))
        .unwrap_or_else(released)
}

fn place_of_dependency(text: &str) -> Option<Range<usize>> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        dependencies: Dependencies,
    }
    #[derive(serde::Deserialize)]
    struct Dependencies {
        terrane: Spanned<Value>,
    }
    let manifest: Manifest = toml::from_str(text).ok()?;
    Some(manifest.dependencies.terrane.span())
}

/// The edition of the sources in a folder, by the closest manifest, or by that of its workspace.
pub(super) fn edition(folder: &Path) -> String {
    let mut folders = folder.ancestors();
    let read = |folder: &Path| -> Option<Table> {
        fs::read_to_string(folder.join("Cargo.toml"))
            .ok()?
            .parse()
            .ok()
    };
    let edition = folders.find_map(read).and_then(|manifest| {
        match manifest.get("package")?.get("edition")? {
            Value::String(edition) => Some(edition.clone()),
            _ => std::iter::once(manifest.clone())
                .chain(folders.filter_map(read))
                .find_map(|manifest| {
                    let workspace = manifest.get("workspace")?.get("package")?;
                    Some(workspace.get("edition")?.as_str()?.to_owned())
                }),
        }
    });
    edition.unwrap_or_else(|| EDITION.to_owned())
}
