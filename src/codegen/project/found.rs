//! The bindings that a project has: its own modules, and the crates that it depends on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use terrane_core::schema::{Block, FactsKind};

use super::SETTINGS;
use super::settings::TYPES;
use crate::bindings::describe;
use crate::catalogue::Catalogue;
use crate::names::ident;
use crate::program::TypeInProgram;

/// How deep in a project's sources bindings are looked for.
const DEPTH: usize = 4;

/// The bindings of a project.
#[derive(Debug, Default)]
pub struct ProjectBindings(Vec<(String, Catalogue)>);

impl ProjectBindings {
    /// Those of the project in that folder; none where Cargo does not say.
    pub fn of(project: &Path) -> Self {
        let mut found = Self::default();
        found.add_modules(&project.join("src"), "crate", DEPTH);
        for (name, folder) in packages(project) {
            found.add(&folder.join(SETTINGS), &name.replace('-', "_"));
        }
        found
    }

    fn add_modules(&mut self, folder: &Path, module: &str, depth: usize) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        for inner in folders.into_iter().filter(|path| path.is_dir()) {
            let Some(name) = inner.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let module = format!("{module}::{}", ident(name));
            let settings = inner.join(SETTINGS);
            match settings.exists() {
                true => self.add(&settings, &module),
                false if depth > 0 => self.add_modules(&inner, &module, depth - 1),
                false => {}
            }
        }
    }

    fn add(&mut self, settings: &Path, module: &str) {
        let catalogue = fs::read_to_string(settings).ok();
        let catalogue = catalogue.and_then(|text| Catalogue::parse(&text).ok());
        self.0.extend(catalogue.map(|it| (module.to_owned(), it)));
    }

    /// The bindings of a resource type of that provider (`hashicorp/aws`), if there are any.
    pub fn resource(&self, source: &str, type_name: &str, block: &Block) -> Option<TypeInProgram> {
        let mut found = self
            .0
            .iter()
            .filter(|(_, catalogue)| catalogue.source == source);
        found.find_map(|(module, catalogue)| {
            let service = catalogue.service_of(type_name).ok()??.to_owned();
            let names = describe(catalogue, FactsKind::Resource, type_name, block).ok()?;
            let module = match &*service {
                TYPES => module.clone(),
                service => format!("{module}::{}", ident(service)),
            };
            Some(TypeInProgram { module, names })
        })
    }
}

/// The packages that Cargo builds the project of, with their folders.
fn packages(project: &Path) -> Vec<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--offline"]);
    let folder = if project.as_os_str().is_empty() {
        Path::new(".")
    } else {
        project
    };
    let Ok(output) = cargo.current_dir(folder).output() else {
        return Vec::new();
    };
    let metadata = serde_json::from_slice::<Metadata>(&output.stdout);
    let packages = metadata
        .map(|metadata| metadata.packages)
        .unwrap_or_default();
    let folders = packages.into_iter().filter_map(|package| {
        let folder = package.manifest_path.parent()?.to_owned();
        Some((package.name, folder))
    });
    folders.collect()
}
