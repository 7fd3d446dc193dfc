//! The new project: its manifest, `main.rs`, the configuration, a file a module, and the bindings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use terrane_codegen::{AddBindings, Origin, add_bindings, format};

use crate::bindings::{Bindings, Schemas};
use crate::cycle::check_cycles;
use crate::deep::with_room;
use crate::files::{main_file, manifest, module_file, module_names};
use crate::known::Known;
use crate::model;
use crate::names::snake;
use crate::program::World;
use crate::scope::Untranslated;
use crate::settings::Variables;
use crate::settle::settle;
use crate::sources::ConvertError;
use crate::survey::{blocks, notes, origins};

/// What a conversion is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the root module.
    pub from: PathBuf,
    /// The name of the stack and of the project; the folder's, unless it is given.
    pub name: Option<String>,
    /// The folder with terrane's sources, for a project that uses those and no release.
    pub terrane: Option<PathBuf>,
}

/// A converted configuration, not written yet.
#[derive(Debug)]
pub struct Project {
    /// The name of the stack.
    pub name: String,
    /// Its own files, by their paths in the project.
    pub files: BTreeMap<String, String>,
    /// Files that are taken over as they are, by their paths in the project.
    pub copies: BTreeMap<String, PathBuf>,
    /// What the program cannot say: each is a `compile_error!` in it.
    pub untranslated: Vec<Untranslated>,
    /// What the program does not do as the configuration did, by place; it compiles all the same.
    pub notes: Vec<String>,
    /// How many blocks the configuration has, those of its modules among them.
    pub blocks: usize,
    bindings: Vec<(String, String, Vec<String>)>,
}

/// The edition of the project, and the release of terrane that it depends on.
pub(crate) const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Names of Rust modules that the project has anyway.
pub(crate) const FILES: [&str; 3] = ["main", "config", "lib"];

/// Converts a configuration.
///
/// # Errors
/// When it is not valid, or a schema is missing; each names its place.
pub fn convert(options: &Options, schemas: &Schemas) -> Result<Project, ConvertError> {
    with_room(|| converted(options, schemas))
}

pub(crate) fn converted(options: &Options, schemas: &Schemas) -> Result<Project, ConvertError> {
    let configuration = model::read(&options.from)?;
    let bindings = Bindings::of(&configuration, schemas)?;
    let name = options.name.clone().unwrap_or_else(|| {
        let folder = fs::canonicalize(&options.from).unwrap_or_else(|_| options.from.clone());
        let name = folder
            .file_name()
            .map(|it| snake(&it.to_string_lossy()).replace('_', "-"));
        name.unwrap_or_else(|| "stack".to_owned())
    });
    let mut variables = Variables::of(&configuration)?;
    let names = module_names(&configuration, &bindings);
    let known = Known::of(&configuration);
    let world = World {
        known: &known,
        configuration: &configuration,
        bindings: &bindings,
        names: &names,
        root_variables: variables.codes.clone(),
        stack: name.clone(),
    };
    let (written, inputs, outputs) = settle(&world)?;
    if written.values().any(|it| it.has_forwards) {
        check_cycles(&configuration)?;
    }
    let mut untranslated: Vec<Untranslated> = Vec::new();
    let mut copies = BTreeMap::new();
    for one in written.values() {
        untranslated.extend(one.problems.iter().cloned());
        copies.extend(one.files.clone());
    }
    let checks = variables.checks(&world);
    untranslated.extend(checks.1);
    let main = main_file(&world, &written, &variables, &mut untranslated);
    let mut files = BTreeMap::from([("src/main.rs".to_owned(), main)]);
    if !variables.all.is_empty() {
        files.insert("src/config.rs".to_owned(), variables.file(&checks.0));
    }
    for (place, one) in &written {
        if *place == 0 {
            continue;
        }
        let text = module_file(&world, *place, one, inputs.get(place), &outputs[place]);
        // The file of `mod r#in` is `in.rs`.
        let file = names[*place].file.trim_start_matches("r#");
        files.insert(format!("src/{file}.rs"), text);
    }
    let mut files = formatted(&files)?;
    files.insert("Cargo.toml".to_owned(), manifest(options, &name, &files));
    files.insert(".gitignore".to_owned(), "/target\n/.terrane\n".to_owned());
    files.insert(
        format!("{name}.toml"),
        variables.toml(&configuration, &mut untranslated),
    );
    files.insert("origins.json".to_owned(), origins(&configuration));
    let providers = bindings.providers.iter();
    Ok(Project {
        name,
        blocks: blocks(&configuration),
        files,
        copies,
        untranslated,
        notes: notes(&configuration),
        bindings: providers
            .map(|(source, it)| (source.clone(), it.module.clone(), it.patterns.clone()))
            .collect(),
    })
}

/// The files as rustfmt writes them. It gets all in one text, where inner documentation could not stand.
pub(crate) fn formatted(
    files: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ConvertError> {
    let mut heads = BTreeMap::new();
    let mut bodies = BTreeMap::new();
    for (path, text) in files {
        let end = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line.len() + 1)
            .sum();
        let (head, body) = text.split_at(end);
        heads.insert(path, head);
        bodies.insert(path.clone(), body.to_owned());
    }
    let formatted = format(&bodies).map_err(|error| ConvertError::Format {
        reason: error.to_string(),
    })?;
    let whole = formatted.into_iter().map(|(path, body)| {
        let head = heads.get(&path).copied().unwrap_or_default();
        let text = format!("{head}\n{}", body.trim_start());
        (path, text)
    });
    Ok(whole.collect())
}

impl Project {
    /// Writes the project into a new or empty folder, with its bindings.
    ///
    /// # Errors
    /// When the folder has something in it, or cannot be written.
    pub fn write(&self, folder: &Path, schemas: &Schemas) -> Result<(), ConvertError> {
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(ConvertError::NotEmpty {
                path: folder.to_owned(),
            });
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ConvertError::Unwritten { path, source }
        };
        for (path, text) in &self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed(parent))?;
            }
            fs::write(&path, text).map_err(failed(&path))?;
        }
        for (path, from) in &self.copies {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed(parent))?;
            }
            fs::copy(from, &path).map_err(failed(&path))?;
        }
        for (source, module, patterns) in &self.bindings {
            let Some((version, schema)) = schemas.get(source) else {
                continue;
            };
            let wanted = AddBindings {
                project: folder,
                folder: &Path::new("src").join(module),
                is_crate: false,
                patterns,
                overwrite: false,
            };
            let origin = Origin {
                source,
                version,
                schemas: schema,
            };
            add_bindings(&origin, &wanted).map_err(|error| ConvertError::Bindings {
                provider: source.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }
}
