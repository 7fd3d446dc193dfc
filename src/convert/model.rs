//! A configuration as its modules: what each declares, and which modules it calls.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::ast::{Attribute, Block, Body, Kind, Node, Place};
use crate::sources::{ConvertError, Sources};
use crate::{json, native};

/// Everything that was read, the root module first.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) sources: Sources,
    pub(crate) modules: Vec<Module>,
    /// Values of variables, as the files of the folder set them.
    pub(crate) values: Vec<Attribute>,
}

/// One module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The name by which it is called first; empty for the root module.
    pub(crate) name: String,
    /// Its folder relative to the root's, as `path.module` says it.
    pub(crate) path: String,
    pub(crate) folder: PathBuf,
    pub(crate) variables: Vec<Block>,
    pub(crate) locals: Vec<Attribute>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) calls: Vec<Call>,
    pub(crate) outputs: Vec<Block>,
    pub(crate) providers: Vec<Block>,
    pub(crate) moved: Vec<Block>,
    pub(crate) removed: Vec<Block>,
    pub(crate) imports: Vec<Block>,
    pub(crate) checks: Vec<Block>,
    pub(crate) backend: Option<Block>,
    /// Settings that cannot be carried.
    pub(crate) others: Vec<Block>,
    /// Where providers come from, by local name: source and version requirement.
    pub(crate) required: BTreeMap<String, (String, String)>,
    /// The comments of the first `terraform` block and the like.
    pub(crate) comments: Vec<String>,
}

/// A resource, a data source or an ephemeral resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) mode: Mode,
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) block: Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Managed,
    Data,
    Ephemeral,
}

impl Resource {
    /// Its address without keys, as expressions write it.
    pub(crate) fn address(&self) -> String {
        let before = match self.mode {
            Mode::Managed => "",
            Mode::Data => "data.",
            Mode::Ephemeral => "ephemeral.",
        };
        format!("{before}{}.{}", self.type_name, self.name)
    }
}

/// A call of a module.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) block: Block,
    /// The place of the module among all.
    pub(crate) module: usize,
}

impl Call {
    /// Whether it has `count` or `for_each`.
    pub(crate) fn has_instances(&self) -> bool {
        let body = &self.block.body;
        body.attribute("count").is_some() || body.attribute("for_each").is_some()
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Modules", default)]
    modules: Vec<ManifestEntry>,
}

#[derive(Deserialize)]
struct ManifestEntry {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    dir: String,
}

/// Reads a configuration with all modules that it calls.
pub(crate) fn read(root: &Path) -> Result<Configuration, ConvertError> {
    let manifest = root.join(".terraform/modules/modules.json");
    let downloaded = match fs::read(&manifest) {
        Ok(bytes) => {
            let manifest: Manifest =
                serde_json::from_slice(&bytes).map_err(|error| ConvertError::Invalid {
                    place: manifest.display().to_string(),
                    reason: error.to_string(),
                })?;
            manifest
                .modules
                .into_iter()
                .map(|one| (one.key, one.dir))
                .collect()
        }
        Err(_) => BTreeMap::new(),
    };
    let mut reader = Reader {
        root,
        downloaded,
        sources: Sources::default(),
        modules: Vec::new(),
        places: HashMap::new(),
        around: Vec::new(),
    };
    reader.module(
        root.to_owned(),
        String::new(),
        String::new(),
        ".".to_owned(),
        None,
    )?;
    let values = reader.values()?;
    let Reader {
        sources, modules, ..
    } = reader;
    Ok(Configuration {
        sources,
        modules,
        values,
    })
}

struct Reader<'a> {
    root: &'a Path,
    downloaded: BTreeMap<String, String>,
    sources: Sources,
    modules: Vec<Module>,
    /// Modules that were read, by folder, or by content where they were downloaded.
    places: HashMap<String, usize>,
    /// Those that are being read.
    around: Vec<usize>,
}

impl Reader<'_> {
    fn module(
        &mut self,
        folder: PathBuf,
        key: String,
        name: String,
        path: String,
        call: Option<Place>,
    ) -> Result<usize, ConvertError> {
        let folder = tidy(&folder);
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(ConvertError::unread(&folder))? {
            let path = entry.map_err(ConvertError::unread(&folder))?.path();
            let file = path.file_name().map(|it| it.to_string_lossy().into_owned());
            let is_source = file.is_some_and(|file| {
                (file.ends_with(".tf") || file.ends_with(".tf.json")) && !file.starts_with('.')
            });
            if is_source && path.is_file() {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(ConvertError::NoConfiguration { path: folder });
        }
        files.sort();
        let mut texts = Vec::new();
        for file in files {
            let bytes = fs::read(&file).map_err(ConvertError::unread(&file))?;
            let text = String::from_utf8(bytes).map_err(|_| ConvertError::Invalid {
                place: file.display().to_string(),
                reason: "the file is not UTF-8 text".to_owned(),
            })?;
            texts.push((
                file,
                text.strip_prefix('\u{feff}')
                    .map(str::to_owned)
                    .unwrap_or(text),
            ));
        }
        // The same module in two places is one, where it was downloaded twice.
        let identity = match folder.components().any(|it| it.as_os_str() == ".terraform") {
            true => texts
                .iter()
                .map(|(_, text)| text.as_str())
                .collect::<Vec<_>>()
                .join("\0"),
            false => folder.display().to_string(),
        };
        if let Some(place) = self.places.get(&identity) {
            if self.around.contains(place) {
                let place = call.map(|it| self.sources.shown(it));
                return Err(ConvertError::Invalid {
                    place: place.unwrap_or_else(|| folder.display().to_string()),
                    reason: format!("module `{name}` calls itself, by this call"),
                });
            }
            return Ok(*place);
        }
        let place = self.modules.len();
        self.places.insert(identity, place);
        self.modules.push(Module {
            name,
            path,
            folder: folder.clone(),
            ..Module::default()
        });
        self.around.push(place);
        let mut module = Module::default();
        for (file, text) in texts {
            let shown = file.strip_prefix(self.root).unwrap_or(&file).to_owned();
            let is_json = file.extension().is_some_and(|it| it == "json");
            let number = self.sources.add(shown.clone(), text.clone());
            let body = match is_json {
                true => json::body(number, &text),
                false => native::body(number, &text),
            };
            let body = body.map_err(|error| ConvertError::Invalid {
                place: format!("{}:{}", shown.display(), error.line),
                reason: error.reason,
            })?;
            let stem = shown
                .file_name()
                .map(|it| it.to_string_lossy().into_owned());
            let overrides = stem.is_some_and(|stem| {
                let stem = stem.trim_end_matches(".json").trim_end_matches(".tf");
                stem == "override" || stem.ends_with("_override")
            });
            self.sort(body, overrides, &mut module)?;
        }
        self.unique(&module)?;
        for call in &mut module.calls {
            let inner = match key.as_str() {
                "" => call.name.clone(),
                key => format!("{key}.{}", call.name),
            };
            let source = call
                .block
                .body
                .value("source")
                .and_then(Node::text)
                .map(str::to_owned);
            let Some(source) = source else {
                return Err(ConvertError::at(
                    &self.sources,
                    call.block.place,
                    format!("module `{}` has no `source`", call.name),
                ));
            };
            let is_local = source.starts_with("./") || source.starts_with("../");
            let target = match (is_local, self.downloaded.get(&inner)) {
                (true, _) => folder.join(&source),
                (false, Some(dir)) => self.root.join(dir),
                (false, None) => {
                    return Err(ConvertError::at(
                        &self.sources,
                        call.block.place,
                        format!(
                            "module `{}` is not downloaded: run `terraform init` first",
                            call.name
                        ),
                    ));
                }
            };
            if !target.is_dir() {
                return Err(ConvertError::at(
                    &self.sources,
                    call.block.place,
                    format!("module `{}` has no folder {}", call.name, target.display()),
                ));
            }
            let target = tidy(&target);
            let path = relative(self.root, &target);
            let place = Some(call.block.place);
            call.module = self.module(target, inner, call.name.clone(), path, place)?;
        }
        self.around.pop();
        let known = std::mem::take(&mut self.modules[place]);
        self.modules[place] = Module {
            name: known.name,
            path: known.path,
            folder: known.folder,
            ..module
        };
        Ok(place)
    }

    fn sort(&self, body: Body, overrides: bool, module: &mut Module) -> Result<(), ConvertError> {
        let wrong = |place: Place, reason: String| ConvertError::at(&self.sources, place, reason);
        if let Some(stray) = body.attributes.first() {
            return Err(wrong(
                stray.place,
                format!("`{}` cannot stand outside of a block", stray.name),
            ));
        }
        for block in body.blocks {
            let (place, labels) = (block.place, block.labels.len());
            let wanted = match &*block.kind {
                "resource" | "data" | "ephemeral" => 2,
                "variable" | "output" | "module" | "provider" | "check" => 1,
                "locals" | "terraform" | "moved" | "import" | "removed" => 0,
                other => {
                    return Err(wrong(place, format!("`{other}` is not a block type")));
                }
            };
            if labels != wanted {
                return Err(wrong(
                    place,
                    format!("`{}` needs {wanted} labels, found {labels}", block.kind),
                ));
            }
            if overrides {
                module.others.push(block);
                continue;
            }
            match &*block.kind {
                "resource" => module.resources.push(resource(Mode::Managed, block)),
                "data" => module.resources.push(resource(Mode::Data, block)),
                "ephemeral" => module.resources.push(resource(Mode::Ephemeral, block)),
                "variable" => module.variables.push(block),
                "output" => module.outputs.push(block),
                "module" => module.calls.push(Call {
                    name: block.labels[0].clone(),
                    block,
                    module: 0,
                }),
                "provider" => module.providers.push(block),
                "check" => module.checks.push(block),
                "locals" => {
                    let Block {
                        mut body, comments, ..
                    } = block;
                    if let Some(first) = body.attributes.first_mut() {
                        first.comments.splice(0..0, comments);
                    }
                    module.locals.extend(body.attributes);
                }
                "moved" => module.moved.push(block),
                "import" => module.imports.push(block),
                "removed" => module.removed.push(block),
                _ => self.settings(block, module),
            }
        }
        Ok(())
    }

    fn settings(&self, block: Block, module: &mut Module) {
        module.comments.extend(block.comments);
        for inner in block.body.blocks {
            match &*inner.kind {
                "required_providers" => {
                    for one in inner.body.attributes {
                        let member = |name: &str| match &one.value.kind {
                            Kind::Object(members) => members
                                .iter()
                                .find(|(key, _)| key.text() == Some(name))
                                .and_then(|(_, value)| value.text())
                                .map(str::to_owned),
                            Kind::Text(version) if name == "version" => Some(version.clone()),
                            _ => None,
                        };
                        let source =
                            member("source").unwrap_or_else(|| format!("hashicorp/{}", one.name));
                        module
                            .required
                            .insert(one.name, (source, member("version").unwrap_or_default()));
                    }
                }
                "backend" => module.backend = Some(inner),
                _ => module.others.push(inner),
            }
        }
    }

    fn unique(&self, module: &Module) -> Result<(), ConvertError> {
        let mut seen: HashMap<String, Place> = HashMap::new();
        let named = module
            .variables
            .iter()
            .map(|it| (format!("var.{}", it.labels[0]), it.place));
        let named = named.chain(
            module
                .outputs
                .iter()
                .map(|it| (format!("output.{}", it.labels[0]), it.place)),
        );
        let named = named.chain(
            module
                .locals
                .iter()
                .map(|it| (format!("local.{}", it.name), it.place)),
        );
        let named = named.chain(
            module
                .resources
                .iter()
                .map(|it| (it.address(), it.block.place)),
        );
        let named = named.chain(
            module
                .calls
                .iter()
                .map(|it| (format!("module.{}", it.name), it.block.place)),
        );
        for (name, place) in named {
            if let Some(first) = seen.insert(name.clone(), place) {
                let first = self.sources.shown(first);
                return Err(ConvertError::at(
                    &self.sources,
                    place,
                    format!("`{name}` is declared twice; first at {first}"),
                ));
            }
        }
        Ok(())
    }

    /// What `terraform.tfvars` and its like set, the later file winning.
    fn values(&mut self) -> Result<Vec<Attribute>, ConvertError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.root).map_err(ConvertError::unread(self.root))? {
            let path = entry.map_err(ConvertError::unread(self.root))?.path();
            let name = path
                .file_name()
                .map(|it| it.to_string_lossy().into_owned())
                .unwrap_or_default();
            let rank = match &*name {
                "terraform.tfvars" => 0,
                "terraform.tfvars.json" => 1,
                name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => 2,
                _ => continue,
            };
            files.push((rank, name, path));
        }
        files.sort();
        let mut values: Vec<Attribute> = Vec::new();
        for (_, name, path) in files {
            let text = fs::read_to_string(&path).map_err(ConvertError::unread(&path))?;
            let number = self.sources.add(PathBuf::from(&name), text.clone());
            let place = Place {
                file: number,
                start: 0,
                end: 0,
            };
            let body = match name.ends_with(".json") {
                true => json::values(place, &text),
                false => native::body(number, &text),
            };
            let body = body.map_err(|error| ConvertError::Invalid {
                place: format!("{name}:{}", error.line),
                reason: error.reason,
            })?;
            for attribute in body.attributes {
                values.retain(|one| one.name != attribute.name);
                values.push(attribute);
            }
        }
        Ok(values)
    }
}

fn resource(mode: Mode, block: Block) -> Resource {
    Resource {
        mode,
        type_name: block.labels[0].clone(),
        name: block.labels[1].clone(),
        block,
    }
}

/// The path without `.` and `..` inside.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    match tidy.as_os_str().is_empty() {
        true => ".".into(),
        false => tidy,
    }
}

fn relative(root: &Path, folder: &Path) -> String {
    let root = tidy(root);
    let mut up = String::new();
    let mut base = root.as_path();
    loop {
        if let Ok(rest) = folder.strip_prefix(base) {
            return match up.as_str() {
                "" => rest.display().to_string(),
                up => format!("{up}{}", rest.display()),
            };
        }
        match base.parent() {
            Some(parent) => {
                up.push_str("../");
                base = parent;
            }
            None => return folder.display().to_string(),
        }
    }
}
