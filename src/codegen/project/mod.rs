//! Bindings among a user's own sources: a module, or a crate of its own. Made anew they change what has changed, and never what
//! a person wrote.
//!
//! ```text
//! src/kubernetes/            bindings/kubernetes/
//!   provider.toml              provider.toml        which types, and their names; the user's to edit
//!                              Cargo.toml           written once
//!   mod.rs                     src/lib.rs           generated from here on, each file with a checksum
//!   provider.rs, *.facts       src/…
//!   types/…                    src/types/…
//! ```

mod cargo;
mod depth;
mod found;
mod seal;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use terrane_core::closest;
use terrane_core::schema::ProviderSchema;
use thiserror::Error;

use crate::bindings::{GenerateError, Layout, generate};
use crate::catalogue::{Catalogue, CatalogueError, fits};
use crate::extract::extract;
use crate::names::ident;
use crate::tree::format_with;
use settings::TYPES;

pub use found::ProjectBindings;

/// The file with the settings.
const SETTINGS: &str = "provider.toml";

/// What the root says about lints.
const ALLOWED: &str = "// The names in here are the provider's, and a program uses a part of them.
#![allow(clippy::all, clippy::pedantic, nonstandard_style)]
#![allow(dead_code, unreachable_pub, unused_imports)]
";

/// A provider, as bindings are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Where it comes from: `hashicorp/kubernetes`, with its host where that is not the default one.
    pub source: &'a str,
    /// The version of the schemas.
    pub version: &'a str,
    /// Its schemas.
    pub schemas: &'a ProviderSchema,
}

/// The bindings that a project is to have.
#[derive(Debug, Clone, Copy)]
pub struct AddBindings<'a> {
    /// The folder of the project, whose manifest depends on terrane.
    pub project: &'a Path,
    /// The folder of the bindings, relative to that of the project.
    pub folder: &'a Path,
    /// Whether they are a crate, and not a module of the project's own one. Those that are a crate already remain one.
    pub is_crate: bool,
    /// Names or patterns of types; those of the settings, or all, where there is none.
    pub patterns: &'a [String],
    /// Whether files are written that a person has edited.
    pub overwrite: bool,
}

/// Bindings that a project has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedBindings {
    /// The folder of the bindings, relative to that of the project.
    pub folder: PathBuf,
    /// The name of the module, or of the crate in Rust.
    pub name: String,
    /// The crate that they are, as a manifest names it.
    pub package: Option<String>,
    /// How many types they have: resource types, data sources, ephemeral resources.
    pub types: usize,
    /// How many lines of Rust they are.
    pub lines: usize,
    /// The files that were written or removed, relative to the folder.
    pub changed: Vec<PathBuf>,
    /// How the project comes to use them, if it does not yet: a line, and the file that lacks it.
    pub missing: Option<MissingLine>,
}

/// A line that a file of the project needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLine {
    /// The file, relative to the project's folder.
    pub file: PathBuf,
    /// The line.
    pub line: String,
}

/// The bindings cannot be added.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// The folder has bindings of another provider.
    #[error("{} holds bindings of {other}", folder.display())]
    OfAnother {
        /// The folder.
        folder: PathBuf,
        /// The provider that its settings name.
        other: String,
    },
    /// The settings in the folder cannot be used.
    #[error("{} cannot be used: {reason}", file.display())]
    Settings {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A pattern fits no type of the provider.
    #[error("no type of {provider} fits `{pattern}`")]
    Unfit {
        /// The pattern.
        pattern: String,
        /// The provider.
        provider: String,
        /// The type whose name is closest.
        closest: Option<String>,
    },
    /// Files would be overwritten that a person has edited or written.
    #[error("{} holds files that were edited, or that nothing generated", folder.display())]
    Edited {
        /// The folder of the bindings.
        folder: PathBuf,
        /// The files, relative to it.
        files: Vec<PathBuf>,
    },
    /// The schema and the settings contradict each other.
    #[error("no bindings can be made")]
    Generate(#[from] GenerateError),
    /// rustfmt does not do its work.
    #[error("cannot format the bindings")]
    Format(#[source] io::Error),
    /// A file cannot be read or written.
    #[error("cannot access {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// The catalogue that new bindings of these types are made by: it has their names in Rust.
///
/// # Errors
/// When a pattern fits no type, or the schema and the settings contradict each other.
pub fn catalogue_of(origin: &Origin<'_>, patterns: &[String]) -> Result<Catalogue, AddError> {
    let settings = settings::first(origin, patterns);
    let catalogue = Catalogue::parse(&settings).map_err(GenerateError::from)?;
    complete(catalogue, origin)
}

/// The catalogue with the trees that are too large to be typed.
fn complete(mut catalogue: Catalogue, origin: &Origin<'_>) -> Result<Catalogue, AddError> {
    check_patterns(&catalogue, origin)?;
    let chosen = settings::types(origin.schemas).filter(|(name, _)| {
        let mut patterns = catalogue.services.values().flat_map(|it| &it.types);
        patterns.any(|pattern| fits(pattern, name))
    });
    let deep = chosen.flat_map(|(name, schema)| depth::too_deep(name, &schema.block));
    let deep: Vec<String> = deep.collect();
    catalogue.untyped.extend(deep);
    Ok(catalogue)
}

/// Makes the bindings and writes them into the project.
///
/// # Errors
/// Nothing was written then, unless a file could not be.
pub fn add_bindings(
    origin: &Origin<'_>,
    wanted: &AddBindings<'_>,
) -> Result<AddedBindings, AddError> {
    let place = Place::of(origin, wanted);
    let before = read(&place.settings)?;
    let settings = match &before {
        Some(text) => place.again(text, origin, wanted.patterns)?,
        None => settings::first(origin, wanted.patterns),
    };
    let catalogue = Catalogue::parse(&settings).map_err(|error| place.unusable(&error))?;
    let catalogue = complete(catalogue, origin)?;
    let facts = extract(&catalogue, origin.schemas).map_err(GenerateError::from)?;
    let files = generated(&catalogue, &facts, &place)?;
    let changes = changes(&place.sources, &files)?;
    if !changes.edited.is_empty() && !wanted.overwrite {
        return Err(AddError::Edited {
            folder: place.folder,
            files: changes.edited.into_iter().collect(),
        });
    }
    let mut changed = Vec::new();
    let mut own = vec![(place.settings.clone(), settings)];
    let package = place.package.as_ref().map(|package| {
        let manifest = place.root.join("Cargo.toml");
        if !manifest.exists() {
            let about = format!("Bindings of {} for terrane", origin.source);
            let terrane = cargo::dependency(wanted.project);
            own.push((manifest, cargo::manifest(package, &terrane, &about)));
        }
        package.clone()
    });
    let generated = changes.write.iter();
    own.extend(generated.map(|path| (place.sources.join(path), files[path].clone())));
    for (path, text) in own {
        if read(&path)?.as_deref() == Some(&*text) {
            continue;
        }
        write(&path, &text)?;
        changed.push(place.relative(path));
    }
    for path in changes.remove {
        let path = place.sources.join(path);
        fs::remove_file(&path).map_err(failed(&path))?;
        // An empty folder goes with its last file.
        let _ = path.parent().map(fs::remove_dir);
        changed.push(place.relative(path));
    }
    let types = facts.values().flat_map(|text| text.lines());
    let types = types.filter(|line| !line.starts_with(['#', 'p', 'f']) && !line.is_empty());
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    Ok(AddedBindings {
        types: types.count(),
        lines: sources.map(|(_, text)| text.lines().count()).sum(),
        missing: place.missing(wanted.project),
        folder: place.folder,
        name: place.name,
        package,
        changed,
    })
}

/// Where bindings lie.
struct Place {
    /// As it was named.
    folder: PathBuf,
    root: PathBuf,
    /// The folder of everything that is generated.
    sources: PathBuf,
    settings: PathBuf,
    name: String,
    package: Option<String>,
    source: String,
}

impl Place {
    fn of(origin: &Origin<'_>, wanted: &AddBindings<'_>) -> Self {
        let root = wanted.project.join(wanted.folder);
        let is_crate = wanted.is_crate || root.join("Cargo.toml").exists();
        let name = wanted.folder.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or(origin.source).replace('-', "_");
        let package = is_crate.then(|| format!("{}-bindings", name.replace('_', "-")));
        Self {
            folder: wanted.folder.to_owned(),
            sources: if is_crate {
                root.join("src")
            } else {
                root.clone()
            },
            settings: root.join(SETTINGS),
            name: if is_crate {
                format!("{name}_bindings")
            } else {
                name
            },
            package,
            source: origin.source.to_owned(),
            root,
        }
    }

    /// The settings of bindings that are there already, for this provider and these patterns.
    fn again(
        &self,
        text: &str,
        origin: &Origin<'_>,
        patterns: &[String],
    ) -> Result<String, AddError> {
        let before = Catalogue::parse(text).map_err(|error| self.unusable(&error))?;
        if before.source != self.source {
            return Err(AddError::OfAnother {
                folder: self.folder.clone(),
                other: before.source,
            });
        }
        settings::again(text, origin.version, patterns).map_err(|reason| AddError::Settings {
            file: self.folder.join(SETTINGS),
            reason,
        })
    }

    fn unusable(&self, error: &CatalogueError) -> AddError {
        AddError::Settings {
            file: self.folder.join(SETTINGS),
            reason: match error {
                CatalogueError::Syntax { reason } => reason.clone(),
                other => other.to_string(),
            },
        }
    }

    fn relative(&self, path: PathBuf) -> PathBuf {
        let relative = path.strip_prefix(&self.root).map(Path::to_owned);
        relative.unwrap_or(path)
    }

    /// The line by which the project uses the bindings, unless it has it.
    fn missing(&self, project: &Path) -> Option<MissingLine> {
        if let Some(package) = &self.package {
            let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap_or_default();
            let folder = self.folder.display();
            return (!manifest.contains(package.as_str())).then(|| MissingLine {
                file: "Cargo.toml".into(),
                line: format!("{package} = {{ path = \"{folder}\" }}"),
            });
        }
        let parent = self.folder.parent()?;
        let roots = ["main.rs", "lib.rs", "mod.rs"].map(|root| parent.join(root));
        let texts = roots.iter().filter_map(|root| {
            let text = fs::read_to_string(project.join(root)).ok()?;
            Some((root, text))
        });
        let texts: Vec<_> = texts.collect();
        let line = format!("mod {};", ident(&self.name));
        let (root, _) = texts.first()?;
        let is_there = texts.iter().any(|(_, text)| text.contains(&line));
        (!is_there).then(|| MissingLine {
            file: root.to_path_buf(),
            line,
        })
    }
}

/// Every pattern fits a type of the provider.
fn check_patterns(catalogue: &Catalogue, origin: &Origin<'_>) -> Result<(), AddError> {
    let types = || settings::type_names(origin.schemas);
    for service in catalogue.services.values() {
        for pattern in &service.types {
            // A provider may have functions alone.
            if pattern == "*" || types().any(|name| fits(pattern, name)) {
                continue;
            }
            return Err(AddError::Unfit {
                pattern: pattern.clone(),
                provider: origin.source.to_owned(),
                closest: closest(pattern, types()).map(str::to_owned),
            });
        }
    }
    Ok(())
}

/// The generated files by path, formatted as the project is, with checksums.
fn generated(
    catalogue: &Catalogue,
    facts: &BTreeMap<String, String>,
    place: &Place,
) -> Result<BTreeMap<String, String>, AddError> {
    let mut files = generate(catalogue, facts, Layout::Source)?;
    let mut root = files.remove("mod.rs").unwrap_or_default();
    if catalogue.services.contains_key(TYPES) {
        root.extend(["\npub use ", TYPES, "::*;\n"]);
    }
    let name = if place.package.is_some() {
        "lib.rs"
    } else {
        "mod.rs"
    };
    files.insert(name.to_owned(), root);
    // Its configuration is looked for from that folder upwards, as for `cargo fmt`.
    let at = place.sources.ancestors().find(|folder| folder.is_dir());
    let mut rustfmt = Command::new("rustfmt");
    let edition = match &place.package {
        Some(_) if !place.root.join("Cargo.toml").exists() => cargo::EDITION.to_owned(),
        _ => cargo::edition(&place.sources),
    };
    rustfmt.args(["--edition", &edition]);
    rustfmt.current_dir(at.unwrap_or(Path::new(".")));
    let mut files = format_with(rustfmt, &files).map_err(AddError::Format)?;
    // Inner attributes, which may stand in no text that is several files.
    if let Some(root) = files.get_mut(name)
        && let Some((head, body)) = root.split_once('\n')
    {
        let (source, version) = (&catalogue.source, &catalogue.version);
        *root = format!("{head}\n//! Bindings of {source} {version}.\n\n{ALLOWED}{body}");
    }
    let sealed = files
        .into_iter()
        .map(|(path, text)| (path, seal::sealed(&text)));
    Ok(sealed.collect())
}

/// What is to be done to a folder, as paths relative to it.
#[derive(Default)]
struct Changes {
    write: BTreeSet<String>,
    remove: BTreeSet<PathBuf>,
    /// Those of both that hold what a person wrote.
    edited: BTreeSet<PathBuf>,
}

fn changes(folder: &Path, files: &BTreeMap<String, String>) -> Result<Changes, AddError> {
    let mut changes = Changes::default();
    for (path, text) in files {
        let there = read(&folder.join(path))?;
        if there.as_deref() == Some(&**text) {
            continue;
        }
        if there.is_some_and(|there| !seal::is_whole(&there)) {
            changes.edited.insert(path.into());
        }
        changes.write.insert(path.clone());
    }
    // Generated files of earlier bindings; what else lies there is the user's.
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let entries = fs::read_dir(folder.join(&below)).into_iter().flatten();
        for entry in entries {
            let entry = entry.map_err(failed(folder))?;
            let path = below.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
                continue;
            }
            if path.to_str().is_some_and(|path| files.contains_key(path)) {
                continue;
            }
            let text = fs::read(entry.path()).map_err(failed(&entry.path()))?;
            let text = String::from_utf8_lossy(&text);
            if seal::is_whole(&text) {
                changes.remove.insert(path);
            } else if seal::was_generated(&text) {
                changes.edited.insert(path.clone());
                changes.remove.insert(path);
            }
        }
    }
    Ok(changes)
}

fn read(path: &Path) -> Result<Option<String>, AddError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), AddError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    fs::write(path, text).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> AddError {
    let file = path.to_owned();
    move |source| AddError::Io { file, source }
}
