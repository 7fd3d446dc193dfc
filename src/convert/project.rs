//! The new project: its manifest, `main.rs`, the configuration, a file a module, and the bindings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::json;
use terrane_codegen::{AddBindings, Origin, add_bindings, format};

use crate::ast::{Kind, Node};
use crate::bindings::{Bindings, Schemas};
use crate::deep::with_room;
use crate::expr::mentions;
use crate::model::{self, Configuration};
use crate::names::{Names, snake};
use crate::program::{Inputs, ModuleName, World, Written, handed, joined, type_name, variable_of};
use crate::scope::{ModuleOutputs, Untranslated, string};
use crate::sources::ConvertError;
use crate::ty::{Code, Struct, Ty};
use crate::variables::{Variable, constant, field, struct_text, toml};

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
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Names of Rust modules that the project has anyway.
const FILES: [&str; 3] = ["main", "config", "lib"];

/// Converts a configuration.
///
/// # Errors
/// When it is not valid, or a schema is missing; each names its place.
pub fn convert(options: &Options, schemas: &Schemas) -> Result<Project, ConvertError> {
    with_room(|| converted(options, schemas))
}

fn converted(options: &Options, schemas: &Schemas) -> Result<Project, ConvertError> {
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
    let world = World {
        configuration: &configuration,
        bindings: &bindings,
        names: &names,
        root_variables: variables.codes.clone(),
        stack: name.clone(),
    };
    let (written, inputs, outputs) = settle(&world)?;
    let mut untranslated: Vec<Untranslated> = Vec::new();
    let mut copies = BTreeMap::new();
    for one in written.values() {
        untranslated.extend(one.problems.iter().cloned());
        copies.extend(one.files.clone());
    }
    let checks = variables.checks(&world);
    untranslated.extend(checks.1);
    let main = main_file(&world, &written[&0], &variables, &mut untranslated);
    let mut files = BTreeMap::from([("src/main.rs".to_owned(), main)]);
    if !variables.all.is_empty() {
        files.insert("src/config.rs".to_owned(), variables.file(&checks.0));
    }
    for (place, one) in &written {
        if *place == 0 {
            continue;
        }
        let text = module_file(&world, *place, one, inputs.get(place), &outputs[place]);
        files.insert(format!("src/{}.rs", names[*place].file), text);
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
fn formatted(files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ConvertError> {
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

/// Writes all modules until the types of what they hand each other stay the same.
#[allow(clippy::type_complexity)]
fn settle(
    world: &World<'_>,
) -> Result<
    (
        BTreeMap<usize, Written>,
        HashMap<usize, Inputs>,
        HashMap<usize, ModuleOutputs>,
    ),
    ConvertError,
> {
    let count = world.configuration.modules.len();
    let mut inputs: HashMap<usize, Inputs> = HashMap::new();
    let mut outputs: HashMap<usize, ModuleOutputs> = HashMap::new();
    for round in 0.. {
        let mut written = BTreeMap::new();
        let mut asked: HashMap<usize, Inputs> = HashMap::new();
        for place in 0..count {
            let one = world.module(place, &outputs, &inputs)?;
            for (module, requests) in &one.requests {
                let own = asked.entry(*module).or_default();
                for request in requests {
                    for (name, ty) in request {
                        let joint = own
                            .get(name)
                            .map_or_else(|| ty.clone(), |other| joined(other, ty));
                        own.insert(name.clone(), joint);
                    }
                }
            }
            written.insert(place, one);
        }
        with_defaults(world, &mut asked)?;
        let mut made: HashMap<usize, ModuleOutputs> = written
            .iter()
            .map(|(place, one)| (*place, one.outputs.clone()))
            .collect();
        let mut is_settled = true;
        for place in 0..count {
            let (new, old) = (asked.entry(place).or_default(), inputs.get(&place));
            for (name, ty) in new.iter_mut() {
                let before = old.and_then(|it| it.get(name));
                if before != Some(ty) {
                    is_settled = false;
                    if round > 3 {
                        *ty = Ty::Dyn;
                    }
                }
                // Once without a type, always without.
                if round > 3 && before == Some(&Ty::Dyn) {
                    *ty = Ty::Dyn;
                }
            }
            let old = outputs.get(&place);
            for (name, (_, ty)) in &mut made
                .entry(place)
                .or_insert_with(|| ModuleOutputs {
                    fields: BTreeMap::new(),
                })
                .fields
            {
                let before = old.and_then(|it| it.fields.get(name)).map(|(_, ty)| ty);
                if round > 3 && before == Some(&Ty::Dyn) {
                    *ty = Ty::Dyn;
                }
                if before != Some(ty) {
                    is_settled = false;
                    if round > 3 {
                        *ty = Ty::Dyn;
                    }
                }
            }
        }
        if is_settled {
            return Ok((written, asked, made));
        }
        inputs = asked;
        outputs = made;
        if round > 16 {
            break;
        }
    }
    Err(ConvertError::Invalid {
        place: world.stack.clone(),
        reason: "the types of its modules do not settle".to_owned(),
    })
}

/// A variable that some calls set and others leave to its default has to hold both.
fn with_defaults(
    world: &World<'_>,
    asked: &mut HashMap<usize, Inputs>,
) -> Result<(), ConvertError> {
    for module in &world.configuration.modules {
        for call in &module.calls {
            let child = &world.configuration.modules[call.module];
            let Some(own) = asked.get_mut(&call.module) else {
                continue;
            };
            for block in &child.variables {
                let variable = variable_of(world.configuration, block)?;
                let Some(ty) = own.get_mut(&variable.name) else {
                    continue;
                };
                let is_given = call
                    .block
                    .body
                    .attribute(&variable.name)
                    .is_some_and(|it| !it.value.is_null());
                if is_given {
                    continue;
                }
                let Some(default) = variable.default else {
                    continue;
                };
                let fits = match (&*ty, default.is_null()) {
                    (Ty::Option(_), true) => true,
                    (Ty::Output(of), false) => constant(default, of).is_some() && **of == Ty::Text,
                    (_, true) => {
                        *ty = Ty::option(ty.clone());
                        matches!(ty, Ty::Option(of) if of.is_plain())
                    }
                    (ty, false) => constant(default, ty).is_some(),
                };
                if !fits {
                    *ty = Ty::Dyn;
                }
            }
        }
    }
    Ok(())
}

/// Files and types of all modules.
fn module_names(configuration: &Configuration, bindings: &Bindings) -> Vec<ModuleName> {
    let mut files = Names::with(&FILES);
    let mut types = Names::with(&[
        "Config",
        "Stack",
        "Result",
        "Output",
        "Error",
        "Cli",
        "Dyn",
        "Constraint",
        "Lifecycle",
        "Resource",
        "Value",
        "Vec",
    ]);
    for provider in bindings.providers.values() {
        files.take(&[&provider.module]);
    }
    let mut all: Vec<ModuleName> = configuration
        .modules
        .iter()
        .map(|module| match module.name.as_str() {
            "" => ModuleName::default(),
            name => {
                let file = files.take(&[name, &format!("{name}_module")]);
                let ty = type_name(&mut types, &file);
                ModuleName {
                    file,
                    ty,
                    ..ModuleName::default()
                }
            }
        })
        .collect();
    // From callers to those that they call; a module may be reached by several ways.
    for _ in 0..configuration.modules.len() {
        for (place, module) in configuration.modules.iter().enumerate() {
            let own = all[place].clone();
            for call in &module.calls {
                let child = &configuration.modules[call.module];
                let mut keys: BTreeSet<String> = BTreeSet::new();
                if let Some(Kind::Object(members)) =
                    call.block.body.value("providers").map(|it| &it.kind)
                {
                    for (key, value) in members {
                        let key = key
                            .text()
                            .map(str::to_owned)
                            .unwrap_or_else(|| key.names().unwrap_or_default().join("."));
                        let outer = value.names().unwrap_or_default().join(".");
                        if key != outer || key.contains('.') || own.providers.contains(&outer) {
                            keys.insert(key);
                        }
                    }
                }
                for key in &own.providers {
                    if !key.contains('.')
                        && handed(call, key) == *key
                        && !child.providers.iter().any(|it| it.labels[0] == *key)
                    {
                        keys.insert(key.clone());
                    }
                }
                let named = module
                    .resources
                    .iter()
                    .map(|it| &it.block.body)
                    .chain(module.calls.iter().map(|it| &it.block.body));
                let waited =
                    named.flat_map(|body| match body.value("depends_on").map(|it| &it.kind) {
                        Some(Kind::List(all)) => all
                            .iter()
                            .filter_map(Node::names)
                            .map(|it| it.join("."))
                            .collect(),
                        _ => Vec::new(),
                    });
                let mut waited = waited;
                let own_key = format!("module.{}", call.name);
                let is_waited =
                    waited.any(|it| it == own_key || it.starts_with(&format!("{own_key}.")));
                let target = &mut all[call.module];
                target.providers.extend(keys);
                target.declared |= is_waited || own.declared;
                target.after |= own.after || call.block.body.attribute("depends_on").is_some();
            }
        }
    }
    all
}

/// Values that no variable takes, and the workspaces that programs do not have.
fn notes(configuration: &Configuration) -> Vec<String> {
    let sources = &configuration.sources;
    let variables = &configuration.modules[0].variables;
    let mut notes = Vec::new();
    for value in &configuration.values {
        if !variables.iter().any(|it| it.labels[0] == value.name) {
            notes.push(format!(
                "{}: no variable is called `{}`: the value is left out",
                sources.shown(value.place),
                value.name
            ));
        }
    }
    for module in &configuration.modules {
        if let Some(place) = crate::program::workspace_of(module) {
            notes.push(format!(
                "{}: `terraform.workspace` is \"default\" in the program: convert each workspace that you have, or read a variable",
                sources.shown(place)
            ));
        }
    }
    notes
}

/// How many blocks there are.
fn blocks(configuration: &Configuration) -> usize {
    let of = |module: &model::Module| {
        module.variables.len()
            + module.locals.len()
            + module.resources.len()
            + module.calls.len()
            + module.outputs.len()
            + module.providers.len()
            + module.moved.len()
            + module.removed.len()
            + module.imports.len()
            + module.checks.len()
            + module.others.len()
            + usize::from(module.backend.is_some())
    };
    configuration.modules.iter().map(of).sum()
}

/// Where each resource stands in the original, by its address without keys.
fn origins(configuration: &Configuration) -> String {
    fn add(
        configuration: &Configuration,
        place: usize,
        before: &str,
        all: &mut serde_json::Map<String, serde_json::Value>,
    ) {
        let module = &configuration.modules[place];
        for resource in &module.resources {
            let shown = configuration.sources.shown(resource.block.place);
            all.insert(format!("{before}{}", resource.address()), json!(shown));
        }
        for call in &module.calls {
            add(
                configuration,
                call.module,
                &format!("{before}module.{}.", call.name),
                all,
            );
        }
    }
    let mut all = serde_json::Map::new();
    add(configuration, 0, "", &mut all);
    format!("{:#}\n", serde_json::Value::Object(all))
}

/// What a file imports, by the word that shows the need.
const IMPORTS: [(&str, &str); 27] = [
    ("BTreeMap", "std::collections::BTreeMap"),
    ("BTreeSet", "std::collections::BTreeSet"),
    ("ExitCode", "std::process::ExitCode"),
    ("Deserialize", "serde::Deserialize"),
    ("Serialize", "serde::Serialize"),
    ("json!", "serde_json::json"),
    ("BlockArguments", "terrane::BlockArguments"),
    ("Cli", "terrane::Cli"),
    ("Declaration", "terrane::Declaration"),
    ("Error", "terrane::Error"),
    ("Lifecycle", "terrane::Lifecycle"),
    ("Output", "terrane::Output"),
    ("ProviderDeclaration", "terrane::ProviderDeclaration"),
    ("ProviderHandle", "terrane::ProviderHandle"),
    ("Resource", "terrane::Resource"),
    ("ResourceType", "terrane::ResourceType"),
    ("Result", "terrane::Result"),
    ("S3Backend", "terrane::S3Backend"),
    ("Secret", "terrane::Secret"),
    ("Stack", "terrane::Stack"),
    ("Value", "terrane::Value"),
    ("interpolate!", "terrane::interpolate"),
    ("Constraint", "terrane_functions::dynamic::Constraint"),
    ("Dyn", "terrane_functions::dynamic::Dyn"),
    ("cidrsubnet", "terrane_functions::cidrsubnet"),
    ("cidrhost", "terrane_functions::cidrhost"),
    ("jsonencode", "terrane_functions::jsonencode"),
];

/// The `use` lines for a text, in groups: the standard library, crates, the project.
fn imports(text: &str, own: &[String]) -> String {
    // Texts of the configuration say nothing of what is used.
    let code = without_texts(text);
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |path: &str| {
        let (krate, rest) = path.split_once("::").unwrap_or((path, ""));
        let krate = match krate {
            "std" => "std",
            "serde" => "serde",
            "serde_json" => "serde_json",
            "terrane" => "terrane",
            _ => "terrane_functions",
        };
        groups.entry(krate).or_default().insert(rest.to_owned());
    };
    for (word, path) in IMPORTS {
        let is_used = match word.strip_suffix('!') {
            Some(name) => code.contains(&format!("{name}!(")),
            None => mentions(&code, word),
        };
        // Methods of terrane that are named as functions.
        let is_method = matches!(word, "cidrsubnet" | "cidrhost" | "jsonencode")
            && !code.contains(&format!("{word}("));
        if is_used && !is_method {
            add(path);
        }
    }
    if code.contains(" all((") || code.contains("(all((") {
        add("terrane::all");
    }
    if code.contains("::from_resource(") || code.contains("::binding()") {
        add("terrane::ResourceType");
    }
    if code.contains("dynamic::") {
        add("terrane_functions::dynamic::self");
    }
    let mut lines = String::new();
    for (krate, names) in &groups {
        if *krate == "std" {
            for name in names {
                let _ = writeln!(lines, "use std::{name};");
            }
            lines.push('\n');
        }
    }
    for (krate, names) in &groups {
        match *krate {
            "std" => {}
            "terrane_functions" => {
                let (dynamic, plain): (Vec<_>, Vec<_>) =
                    names.iter().partition(|it| it.starts_with("dynamic::"));
                if !dynamic.is_empty() {
                    let names: Vec<&str> = dynamic
                        .iter()
                        .filter_map(|it| it.strip_prefix("dynamic::"))
                        .collect();
                    let _ = writeln!(
                        lines,
                        "use terrane_functions::dynamic::{{{}}};",
                        names.join(", ")
                    );
                }
                if !plain.is_empty() {
                    let names: Vec<&str> = plain.iter().map(|it| it.as_str()).collect();
                    let _ = writeln!(lines, "use terrane_functions::{{{}}};", names.join(", "));
                }
            }
            krate => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let _ = writeln!(lines, "use {krate}::{{{}}};", names.join(", "));
            }
        }
    }
    let own: Vec<&String> = own
        .iter()
        .filter(|it| code.contains(&format!("{it}::")))
        .collect();
    if !own.is_empty() {
        let own: Vec<&str> = own.iter().map(|it| it.as_str()).collect();
        let _ = writeln!(lines, "\nuse crate::{{{}}};", own.join(", "));
    }
    lines
}

/// The text without what is inside of quotes and comments.
fn without_texts(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                while let Some(inner) = letters.next() {
                    match inner {
                        '\\' => drop(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                plain.push_str("\"\"");
            }
            '/' if letters.peek() == Some(&'/') => {
                for inner in letters.by_ref() {
                    if inner == '\n' {
                        break;
                    }
                }
                plain.push('\n');
            }
            other => plain.push(other),
        }
    }
    plain
}

fn main_file(
    world: &World<'_>,
    written: &Written,
    variables: &Variables<'_>,
    untranslated: &mut Vec<Untranslated>,
) -> String {
    let root = &world.configuration.modules[0];
    let function = match snake(&world.stack).as_str() {
        name @ ("main" | "stack" | "config") => format!("{name}_stack"),
        name => terrane_codegen::ident(name),
    };
    let name = string(&world.stack);
    let mut body = String::new();
    let config = !variables.all.is_empty();
    if config {
        let uses = mentions(&without_texts(&written.body), "config");
        let has_checks = variables.has_checks;
        body.push_str(match (uses, has_checks) {
            (true, _) => "let config: Config = stack.config()?;\n",
            (false, true) => "let config: Config = stack.config()?;\n",
            (false, false) => "stack.config::<Config>()?;\n",
        });
        if has_checks {
            body.push_str("config.check()?;\n");
        }
    }
    body.push_str(&written.body);
    let mut backend = String::new();
    if let Some(block) = &root.backend {
        backend = backend_of(world, block, untranslated);
    }
    let run = format!(
        "fn main() -> ExitCode {{\nCli::stack({name})\n.config_file(include_str!(\"../{}.toml\"))\n{backend}.run({function})\n}}\n\n\
         /// Declares everything.\nfn {function}(stack: &mut Stack) -> Result<()> {{\n{body}}}\n",
        world.stack
    );
    let mut modules: BTreeSet<String> = world
        .bindings
        .providers
        .values()
        .map(|it| it.module.clone())
        .collect();
    modules.extend(
        world
            .names
            .iter()
            .filter(|it| !it.file.is_empty())
            .map(|it| it.file.clone()),
    );
    if config {
        modules.insert("config".to_owned());
    }
    let modules: String = modules
        .iter()
        .map(|it| format!("mod {};\n", terrane_codegen::ident(it)))
        .collect();
    let about = match root.comments.is_empty() {
        true => format!("//! The stack `{}`.\n\n", world.stack),
        false => {
            root.comments
                .iter()
                .map(|it| format!("//! {it}\n"))
                .collect::<String>()
                + "\n"
        }
    };
    let mut uses = imports(&run, &[]);
    if config && mentions(&without_texts(&run), "Config") {
        uses.push_str("\nuse config::Config;\n");
    }
    // `mod` lines may not be sorted into the `use` lines of other files.
    format!("{about}{modules}\n{uses}\n{run}")
}

fn backend_of(
    world: &World<'_>,
    block: &crate::ast::Block,
    untranslated: &mut Vec<Untranslated>,
) -> String {
    let text = |name: &str| block.body.value(name).and_then(crate::scope::literal_text);
    let mut report = |place, reason: &str| {
        let sources = &world.configuration.sources;
        let one = Untranslated {
            place: sources.shown(place),
            reason: reason.to_owned(),
            text: sources.text(place).trim().to_owned(),
        };
        let said = crate::scope::compile_error(&one);
        untranslated.push(one);
        said
    };
    match block.labels.first().map(String::as_str) {
        Some("local") => {
            let path = text("path").unwrap_or_else(|| "terraform.tfstate".to_owned());
            format!(".backend({})\n", string(&path))
        }
        Some("s3") => {
            let (Some(bucket), Some(key)) = (text("bucket"), text("key")) else {
                return format!(
                    ".backend({{ {} }})\n",
                    report(
                        block.place,
                        "the backend's bucket and key are given elsewhere: write them here"
                    )
                );
            };
            let mut calls = String::new();
            for attribute in &block.body.attributes {
                let Some(value) = crate::scope::literal_text(&attribute.value) else {
                    let _ = write!(
                        calls,
                        ".region({{ {} }})",
                        report(attribute.place, "the program cannot say this of a backend")
                    );
                    continue;
                };
                let call = match (&*attribute.name, &*value) {
                    ("bucket" | "key", _) => continue,
                    ("region", value) => format!(".region({})", string(value)),
                    ("dynamodb_table", value) => format!(".lock_table({})", string(value)),
                    ("use_lockfile", "true") => ".lock_file()".to_owned(),
                    ("encrypt", "true") => ".encrypt()".to_owned(),
                    ("kms_key_id", value) => format!(".kms_key({})", string(value)),
                    ("profile", value) => format!(".profile({})", string(value)),
                    ("use_lockfile" | "encrypt", _) => continue,
                    _ => format!(
                        ".region({{ {} }})",
                        report(attribute.place, "write this as an option of `S3Backend`")
                    ),
                };
                let _ = write!(calls, "\n{call}");
            }
            format!(
                ".backend(S3Backend::new({}, {}){calls})\n",
                string(&bucket),
                string(&key)
            )
        }
        _ => format!(
            ".backend({{ {} }})\n",
            report(
                block.place,
                "terrane keeps states in files and in S3; others need `Cli::backends`"
            )
        ),
    }
}

fn module_file(
    world: &World<'_>,
    place: usize,
    written: &Written,
    inputs: Option<&Inputs>,
    outputs: &ModuleOutputs,
) -> String {
    let module = &world.configuration.modules[place];
    let name = &world.names[place];
    let ty = &name.ty;
    let title = match module.comments.is_empty() {
        true => format!("//! The module `{}` of `{}`.\n\n", module.name, module.path),
        false => {
            module
                .comments
                .iter()
                .map(|it| format!("//! {it}\n"))
                .collect::<String>()
                + "\n"
        }
    };
    let mut text = String::new();
    let about_of = |block: &crate::ast::Block, what: &str| {
        let mut about = block.comments.clone();
        let said = block
            .body
            .value("description")
            .and_then(Node::text)
            .map(str::trim)
            .filter(|it| !it.is_empty());
        about.extend(said.map(str::to_owned));
        if about.is_empty() {
            about.push(format!("{what} `{}`.", block.labels[0]));
        }
        let lines = about.iter().flat_map(|it| it.lines()).map(str::trim_end);
        lines
            .map(|it| format!("/// {it}\n").replace("/// \n", "///\n"))
            .collect::<String>()
    };
    let mut parameters = String::from("stack: &mut Stack");
    let empty = Inputs::new();
    let inputs = inputs.unwrap_or(&empty);
    if !inputs.is_empty() {
        let all_used = inputs.keys().all(|it| written.used_inputs.contains(it));
        let allow = if all_used {
            ""
        } else {
            "#[allow(dead_code)]\n"
        };
        let _ = writeln!(
            text,
            "/// What [`{ty}`] takes.\n#[derive(Debug, Clone)]\n{allow}pub struct {ty}Inputs {{"
        );
        for block in &module.variables {
            if let Some(of) = inputs.get(&block.labels[0]) {
                let _ = writeln!(
                    text,
                    "{}pub {}: {},",
                    about_of(block, "The variable"),
                    field(&block.labels[0]),
                    of.rust()
                );
            }
        }
        text.push_str("}\n\n");
        let used = mentions(&without_texts(&written.body), "inputs");
        let _ = write!(
            parameters,
            ", {}inputs: {ty}Inputs",
            if used { "" } else { "_" }
        );
    }
    if !name.providers.is_empty() {
        let _ = writeln!(
            text,
            "/// The configurations of providers that [`{ty}`] uses.\n#[derive(Debug, Clone)]\n#[allow(dead_code)]\npub struct {ty}Providers {{"
        );
        for key in &name.providers {
            let _ = writeln!(
                text,
                "/// `{key}`.\npub {}: ProviderHandle,",
                terrane_codegen::ident(&snake(key))
            );
        }
        text.push_str("}\n\n");
        let used = mentions(&without_texts(&written.body), "providers");
        let _ = write!(
            parameters,
            ", {}providers: &{ty}Providers",
            if used { "" } else { "_" }
        );
    }
    if name.after {
        let used = mentions(&without_texts(&written.body), "after");
        let _ = write!(
            parameters,
            ", {}after: &[&Resource]",
            if used { "" } else { "_" }
        );
    }
    let derive = if outputs.fields.is_empty() && !name.declared {
        "#[derive(Debug, Clone, Copy)]"
    } else {
        "#[derive(Debug, Clone)]"
    };
    let _ = writeln!(
        text,
        "/// What the module gives.\n{derive}\n#[allow(dead_code)]\npub struct {ty} {{"
    );
    for block in &module.outputs {
        if let Some((field, of)) = outputs.fields.get(&block.labels[0]) {
            let _ = writeln!(
                text,
                "{}pub {field}: {},",
                about_of(block, "The output"),
                of.rust()
            );
        }
    }
    if name.declared {
        text.push_str("/// All resources of the module, for those who come after it.\npub declared: Vec<Resource>,\n");
    }
    let _ = writeln!(
        text,
        "}}\n\nimpl {ty} {{\n/// Declares everything in the module.\npub fn declare({parameters}) -> Result<Self> {{\n{}}}\n}}",
        written.body
    );
    if is_valued(world, place) {
        let fields = outputs
            .fields
            .iter()
            .map(|(name, (field, _))| format!("({}, Dyn::from(&self.{field}))", string(name)));
        let _ = writeln!(
            text,
            "\nimpl AsDyn for {ty} {{\nfn as_dyn(&self) -> Dyn {{\nDyn::object([{}])\n}}\n}}",
            fields.collect::<Vec<_>>().join(", ")
        );
    }
    let mut own: Vec<String> = world
        .bindings
        .providers
        .values()
        .map(|it| it.module.clone())
        .collect();
    own.extend(
        world
            .names
            .iter()
            .map(|it| it.file.clone())
            .filter(|it| !it.is_empty() && *it != name.file),
    );
    let mut uses = imports(&text, &own);
    if text.contains("impl AsDyn") {
        uses.push_str("use terrane_functions::dynamic::AsDyn;\n");
    }
    format!("{title}{uses}\n{text}")
}

/// Whether something takes the module as a value: its outputs as one object.
fn is_valued(world: &World<'_>, place: usize) -> bool {
    !world.configuration.modules[place].outputs.is_empty() && !world.names[place].ty.is_empty()
}

/// The manifest of the project.
fn manifest(options: &Options, name: &str, files: &BTreeMap<String, String>) -> String {
    let dependency = |krate: &str, folder: &str, features: &str| match &options.terrane {
        Some(terrane) => {
            let path = terrane.join(folder);
            format!(
                "{krate} = {{ path = {}{features} }}\n",
                string(&path.display().to_string())
            )
        }
        None if features.is_empty() => format!("{krate} = \"{RELEASE}\"\n"),
        None => format!("{krate} = {{ version = \"{RELEASE}\"{features} }}\n"),
    };
    let uses = |name: &str| files.values().any(|text| text.contains(name));
    let mut text = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n"
    );
    if files.contains_key("src/config.rs") {
        text.push_str("serde = { version = \"1\", features = [\"derive\"] }\n");
    }
    if uses("serde_json::") {
        text.push_str("serde_json = \"1\"\n");
    }
    text.push_str(&dependency("terrane", "", ""));
    if uses("terrane_functions") {
        let features = if uses("terrane_functions::dynamic") {
            ", features = [\"dynamic\"]"
        } else {
            ""
        };
        text.push_str(&dependency("terrane-functions", "src/functions", features));
    }
    text
}

/// The variables of the root module: the struct `Config`.
struct Variables<'a> {
    all: Vec<(Variable<'a>, Ty)>,
    structs: Vec<Rc<Struct>>,
    codes: HashMap<String, Code>,
    has_checks: bool,
}

impl<'a> Variables<'a> {
    fn of(configuration: &'a Configuration) -> Result<Self, ConvertError> {
        let mut all = Vec::new();
        let mut structs = Vec::new();
        let mut codes = HashMap::new();
        let mut names = Names::with(&[
            "Config", "Dyn", "Result", "Error", "Vec", "Option", "String", "BTreeMap", "BTreeSet",
            "Secret",
        ]);
        let mut has_checks = false;
        for block in &configuration.modules[0].variables {
            let variable = variable_of(configuration, block)?;
            has_checks |= block.body.blocks_of("validation").next().is_some();
            let samples = variable.samples(&configuration.values);
            let mut ty = variable
                .constraint
                .ty(&variable.name, &samples, &mut names, &mut structs);
            // Whatever is set has to fit.
            if samples
                .iter()
                .any(|it| !it.is_null() && constant(it, &ty).is_none())
            {
                ty = Ty::Dyn;
            }
            if samples.iter().any(|it| it.is_null()) {
                ty = Ty::option(ty);
            }
            let place = format!("config.{}", field(&variable.name));
            let code = match (&ty, variable.is_secret) {
                (Ty::Text, true) if variable.default.is_none() => {
                    Code::owned(format!("{place}.output()"), Ty::output(Ty::Text))
                }
                (_, true) => Code::owned(format!("{place}()"), Ty::Dyn),
                _ => Code::place(place, ty.clone()),
            };
            codes.insert(format!("var.{}", variable.name), code);
            all.push((variable, ty));
        }
        Ok(Self {
            all,
            structs,
            codes,
            has_checks,
        })
    }

    /// The conditions of the variables, and what of them cannot be said.
    fn checks(&mut self, world: &World<'_>) -> (String, Vec<Untranslated>) {
        let mut codes = HashMap::new();
        for (key, code) in &self.codes {
            let text = code.text.replacen("config.", "self.", 1);
            codes.insert(
                key.clone(),
                Code {
                    text,
                    ..code.clone()
                },
            );
        }
        let mut text = String::new();
        let mut problems = Vec::new();
        world.with_scope(0, codes, |scope| {
            for (variable, _) in &self.all {
                for validation in variable.block.body.blocks_of("validation") {
                    text.push_str(&scope.condition(validation));
                }
            }
            problems = scope.problems.borrow().clone();
        });
        (text, problems)
    }

    fn file(&self, checks: &str) -> String {
        let mut text = String::from(
            "/// The configuration of the stack.\n#[derive(Debug, Clone, Deserialize)]\n#[serde(deny_unknown_fields)]\n#[allow(dead_code)]\npub struct Config {\n",
        );
        let mut defaults = String::new();
        let mut secrets = String::new();
        for (variable, ty) in &self.all {
            let about = match variable.about.is_empty() {
                true => vec![format!("The variable `{}`.", variable.name)],
                false => variable.about.clone(),
            };
            for line in about.iter().flat_map(|it| it.lines()) {
                let _ = writeln!(text, "/// {}", line.trim_end());
            }
            let ident = field(&variable.name);
            if ident.trim_start_matches("r#") != variable.name {
                let _ = writeln!(text, "#[serde(rename = {})]", string(&variable.name));
            }
            if variable.is_secret {
                let inner = match ty {
                    Ty::Text => "Secret",
                    _ => "Secret<Value>",
                };
                match variable.default {
                    None if *ty == Ty::Text => {
                        let _ = writeln!(text, "pub {ident}: Secret,");
                    }
                    None => {
                        let _ = writeln!(text, "pub {ident}: {inner},");
                        let _ = writeln!(
                            secrets,
                            "/// The value of `{0}`.\npub fn {ident}(&self) -> Dyn {{\nDyn::from(&self.{ident})\n}}",
                            variable.name
                        );
                    }
                    Some(default) => {
                        let _ = writeln!(text, "pub {ident}: Option<{inner}>,");
                        let default = constant_dyn(default);
                        let _ = writeln!(
                            secrets,
                            "/// The value of `{0}`, or its default.\npub fn {ident}(&self) -> Dyn {{\nself.{ident}.as_ref().map_or_else(|| {default}, Dyn::from)\n}}",
                            variable.name
                        );
                    }
                }
                continue;
            }
            match variable.default {
                Some(default) if !default.is_null() => {
                    let value = match ty {
                        Ty::Dyn => Some(constant_dyn(default)),
                        ty => constant(default, ty),
                    };
                    let value = value.unwrap_or_else(|| "Default::default()".to_owned());
                    let is_empty = matches!(
                        &*value,
                        "false"
                            | "0"
                            | "String::new()"
                            | "Vec::new()"
                            | "BTreeSet::new()"
                            | "BTreeMap::new()"
                    );
                    if is_empty {
                        text.push_str("#[serde(default)]\n");
                    } else {
                        let function = format!("default_{}", snake(&variable.name));
                        let _ = writeln!(text, "#[serde(default = \"{function}\")]");
                        let _ = writeln!(
                            defaults,
                            "\nfn {function}() -> {} {{\n{value}\n}}",
                            ty.rust()
                        );
                    }
                }
                Some(_) if *ty == Ty::Dyn => {
                    text.push_str("#[serde(default = \"default_null\")]\n");
                    if !defaults.contains("fn default_null()") {
                        defaults.push_str("\nfn default_null() -> Dyn {\nDyn::NULL\n}\n");
                    }
                }
                Some(_) => text.push_str("#[serde(default)]\n"),
                None => {}
            }
            let _ = writeln!(text, "pub {ident}: {},", ty.rust());
        }
        text.push_str("}\n");
        for one in &self.structs {
            let about = format!("One `{}`.", snake(&one.name));
            text.push_str(&struct_text(one, &about));
        }
        if self.has_checks || !secrets.is_empty() {
            let check = match self.has_checks {
                true => format!(
                    "/// Checks what types cannot say.\npub fn check(&self) -> Result<()> {{\n{checks}Ok(())\n}}\n"
                ),
                false => String::new(),
            };
            let _ = writeln!(text, "\nimpl Config {{\n{check}{secrets}}}");
        }
        text.push_str(&defaults);
        let uses = imports(&text, &[]);
        format!("//! The configuration of the stack.\n\n{uses}\n{text}")
    }

    /// What the files of values set.
    fn toml(&self, configuration: &Configuration, untranslated: &mut Vec<Untranslated>) -> String {
        let mut text = String::new();
        let mut tables = String::new();
        for value in &configuration.values {
            let variable = self.all.iter().find(|(it, _)| it.name == value.name);
            let Some((variable, _)) = variable else {
                continue;
            };
            for line in value.comments.iter().flat_map(|it| it.lines()) {
                let _ = writeln!(text, "# {line}");
            }
            if variable.is_secret {
                let _ = writeln!(
                    text,
                    "{} = \"env:{}\"",
                    variable.name,
                    variable.name.to_ascii_uppercase()
                );
                continue;
            }
            if value.value.is_null() {
                continue;
            }
            match toml(&value.value) {
                Some(it) => {
                    let one = ::toml::Table::from_iter([(variable.name.clone(), it.clone())]);
                    let shown = ::toml::to_string(&one).unwrap_or_default();
                    match it.is_table() || shown.contains("\n[") || shown.starts_with('[') {
                        true => {
                            let _ = write!(tables, "\n{shown}");
                        }
                        false => text.push_str(&shown),
                    }
                }
                None => untranslated.push(Untranslated {
                    place: configuration.sources.shown(value.place),
                    reason: "a file of values has constants alone".to_owned(),
                    text: configuration.sources.text(value.place).to_owned(),
                }),
            }
        }
        text + &tables
    }
}

/// A constant without a type.
fn constant_dyn(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "Dyn::NULL".to_owned(),
        Kind::List(all) if all.is_empty() => "Dyn::empty_list()".to_owned(),
        Kind::List(all) => format!(
            "Dyn::list([{}])",
            all.iter().map(constant_dyn).collect::<Vec<_>>().join(", ")
        ),
        Kind::Object(members) if members.is_empty() => "Dyn::empty_object()".to_owned(),
        Kind::Object(members) => {
            let members = members.iter().map(|(key, one)| {
                format!(
                    "({}, {})",
                    string(key.text().unwrap_or_default()),
                    constant_dyn(one)
                )
            });
            format!("Dyn::object([{}])", members.collect::<Vec<_>>().join(", "))
        }
        Kind::Text(text) => format!("Dyn::from({})", string(text)),
        Kind::Bool(truth) => format!("Dyn::from({truth})"),
        Kind::Number(number) => format!("Dyn::from({})", crate::expr::literal_number(number).text),
        _ => "Dyn::NULL".to_owned(),
    }
}
