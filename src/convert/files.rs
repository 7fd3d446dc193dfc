//! The files of the new project: `Cargo.toml`, `main.rs` and a file a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::ast::{Kind, Node};
use crate::bindings::Bindings;
use crate::expr::mentions;
use crate::imports::imports;

use crate::model::Configuration;
use crate::names::{Names, snake};
use crate::program::{Inputs, ModuleCode, ModuleName, World, type_name};
use crate::project::RELEASE;
use crate::project::{FILES, Options};
use crate::provider_keys::provider_keys;
use crate::scope::{ModuleOutputs, Untranslated, string};
use crate::settings::Variables;
use crate::variables::field;

/// Files and types of all modules.
pub(crate) fn module_names(configuration: &Configuration, bindings: &Bindings) -> Vec<ModuleName> {
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
    for (name, keys) in all.iter_mut().zip(provider_keys(configuration)) {
        name.providers = keys;
    }
    // From callers to those that they call; a module may be reached by several ways.
    for _ in 0..configuration.modules.len() {
        for (place, module) in configuration.modules.iter().enumerate() {
            let own = all[place].clone();
            for call in &module.calls {
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
                target.declared |= is_waited || own.declared;
                target.after |= own.after || call.block.body.attribute("depends_on").is_some();
            }
        }
    }
    all
}

/// Whether the function may end at a value that only a plan knows, and run again.
fn looks_at_plan(module: &ModuleCode) -> bool {
    const LOOKS: [&str; 5] = [
        ".count()?",
        ".holds()?",
        ".instance_key()?",
        ".instances()?",
        ".text()?",
    ];
    LOOKS.iter().any(|look| module.body.contains(look))
}

/// The lines that name the providers which are configured, or used without a configuration, after other things.
fn required_providers(world: &World<'_>, root: &ModuleCode) -> String {
    let all = world.bindings.providers.iter();
    let later = all.filter(|(source, _)| {
        !root.configured_first.contains(*source) && !source.starts_with("terraform.io/builtin/")
    });
    let lines = later
        .map(|(_, provider)| format!("stack.require_provider(&{}::PROVIDER);\n", provider.module));
    lines.collect()
}

pub(crate) fn main_file(
    world: &World<'_>,
    all: &BTreeMap<usize, ModuleCode>,
    variables: &Variables<'_>,
    untranslated: &mut Vec<Untranslated>,
) -> String {
    let written = &all[&0];
    let root = &world.configuration.modules[0];
    let function = match snake(&world.stack).as_str() {
        name @ ("main" | "stack" | "config") => format!("{name}_stack"),
        name => terrane_codegen::ident(name),
    };
    let name = string(&world.stack);
    let mut body = String::new();
    let config = !variables.all.is_empty();
    if config {
        let uses = mentions(&written.body, "config");
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
    if all.values().any(looks_at_plan) {
        body.push_str(&required_providers(world, written));
    }
    body.push_str(&written.body);
    let mut backend = String::new();
    if let Some(block) = &root.backend {
        backend = backend_of(world, block, untranslated);
    }
    let run = format!(
        "fn main() -> ExitCode {{\nCli::stack({name})\n.config_file(include_str!(\"../{}.toml\"))\n{backend}.run({function})\n}}\n\n\
         /// Declares everything.\nfn {function}(stack: &mut Stack) -> Result<()> {{\n{body}}}\n{}",
        world.stack, written.functions
    );
    let mut modules: BTreeSet<&str> = rust_modules(world).collect();
    if config {
        modules.insert("config");
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
    if config && mentions(&run, "Config") {
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
            format!(".backend(Path::new({}))\n", string(&path))
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

pub(crate) fn module_file(
    world: &World<'_>,
    place: usize,
    written: &ModuleCode,
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
    let mut parameters = match mentions(&written.body, "stack") {
        true => String::from("stack: &mut Stack"),
        false => String::from("_stack: &mut Stack"),
    };
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
        let used = mentions(&written.body, "inputs");
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
        let used = mentions(&written.body, "providers");
        let _ = write!(
            parameters,
            ", {}providers: &{ty}Providers",
            if used { "" } else { "_" }
        );
    }
    if name.after {
        let used = mentions(&written.body, "after");
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
    text.push_str(&written.functions);
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
    let own = rust_modules(world).filter(|it| *it != name.file);
    let own: Vec<String> = own.map(str::to_owned).collect();
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

/// The project's Rust modules for bindings and for modules of the configuration.
fn rust_modules<'w>(world: &'w World<'_>) -> impl Iterator<Item = &'w str> {
    let bindings = world.bindings.providers.values();
    let files = world.names.iter().map(|it| it.file.as_str());
    let bindings = bindings.map(|it| it.module.as_str());
    bindings.chain(files.filter(|it| !it.is_empty()))
}

/// The manifest of the project.
pub(crate) fn manifest(options: &Options, name: &str, files: &BTreeMap<String, String>) -> String {
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
