//! `terrane-codegen`: turns a provider's schema into facts, and facts into typed bindings.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line of its own

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::read::GzDecoder;
use terrane_codegen::{
    AddBindings, Catalogue, Layout, Origin, add_bindings, differences, extract, format,
    from_terraform_json, generate, read_facts, with_features, write, write_facts,
};
use terrane_core::schema::ProviderSchema;

const USAGE: &str = "usage: terrane-codegen add SCHEMA PROVIDER@VERSION FOLDER [PATTERN]...
       terrane-codegen facts SCHEMA [PACKAGE]
       terrane-codegen generate [--check] [PACKAGE]
       terrane-codegen generate [--check] PACKAGE SERVICE FOLDER

`add` makes bindings a module of your project, or a crate where FOLDER has a Cargo.toml; `bindings add` of a stack program does the
same from an installed provider. The other two are for packages of bindings.

SCHEMA is the output of `terraform providers schema -json`, also compressed with gzip, or `-` for stdin. PROVIDER is NAMESPACE/TYPE.
PACKAGE holds provider.toml; it is providers/aws unless given. A package with a build script generates its bindings when it is
built: `generate` writes its features, and checks that bindings of every service can be made. With SERVICE the bindings of that
service alone go to FOLDER, to be read.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["-h" | "--help" | "help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["-V" | "--version"] => {
            println!("terrane-codegen {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let before = arguments.len();
    arguments.retain(|argument| *argument != "--check");
    let mode = match arguments.len() == before {
        true => Mode::Write,
        false => Mode::Check,
    };
    let result = match (arguments.as_slice(), mode) {
        (["add", schema, provider, target, patterns @ ..], Mode::Write) => {
            add(schema, provider, Path::new(target), patterns)
        }
        (["facts", schema], Mode::Write) => facts(schema, &folder(None)),
        (["facts", schema, package], Mode::Write) => facts(schema, &folder(Some(package))),
        (["generate"], mode) => bindings(&folder(None), mode),
        (["generate", package], mode) if !package.starts_with('-') => {
            bindings(&folder(Some(package)), mode)
        }
        (["generate", package, service, target], mode) => {
            one_service(&folder(Some(package)), service, Path::new(target), mode)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Whether files are changed or only compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Check,
}

fn folder(given: Option<&str>) -> PathBuf {
    given.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../providers/aws"),
        PathBuf::from,
    )
}

fn catalogue(package: &Path) -> Result<Catalogue, Box<dyn Error>> {
    let path = package.join("provider.toml");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Catalogue::parse(&text)?)
}

/// The schemas of a provider in a document.
fn schemas(document: &str, source: &str) -> Result<ProviderSchema, Box<dyn Error>> {
    let mut json = Vec::new();
    if document == "-" {
        std::io::stdin().read_to_end(&mut json)?;
    } else {
        json = fs::read(document).map_err(|error| format!("cannot read {document}: {error}"))?;
    }
    if json.starts_with(&[0x1f, 0x8b]) {
        let compressed = std::mem::take(&mut json);
        GzDecoder::new(&*compressed).read_to_end(&mut json)?;
    }
    // The host before the source depends on who printed the document.
    let wanted = format!("/{source}");
    let providers = from_terraform_json(&json)?.into_iter();
    let found = { providers }.find(|(name, _)| name == source || name.ends_with(&wanted));
    let (_, schemas) = found.ok_or_else(|| format!("the document has no schema of {source}"))?;
    Ok(schemas)
}

fn add(
    document: &str,
    provider: &str,
    folder: &Path,
    patterns: &[&str],
) -> Result<(), Box<dyn Error>> {
    let (source, version) = provider
        .split_once('@')
        .ok_or("the provider has no version; write it as NAMESPACE/TYPE@VERSION")?;
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    let origin = Origin {
        source,
        version,
        schemas: &schemas(document, source)?,
    };
    let wanted = AddBindings {
        project: Path::new(""),
        folder,
        is_crate: false,
        patterns: &patterns,
        overwrite: false,
    };
    let added = add_bindings(&origin, &wanted)?;
    println!(
        "{} types in {} lines, {} files changed",
        added.types,
        added.lines,
        added.changed.len()
    );
    Ok(())
}

fn facts(document: &str, package: &Path) -> Result<(), Box<dyn Error>> {
    let catalogue = catalogue(package)?;
    let facts = extract(&catalogue, &schemas(document, &catalogue.source)?)?;
    let changed = write_facts(&package.join("schema"), &facts)?;
    println!("{} files of facts, {changed} changed", facts.len());
    Ok(())
}

fn bindings(package: &Path, mode: Mode) -> Result<(), Box<dyn Error>> {
    let catalogue = catalogue(package)?;
    let facts = read_facts(&package.join("schema"), |_| true)?;
    for service in catalogue.services.keys() {
        if !facts.contains_key(service) {
            return Err(format!("there are no facts of `{service}`").into());
        }
    }
    if !package.join("build.rs").exists() {
        let files = format(&generate(&catalogue, &facts, Layout::Source)?)?;
        return put(&package.join("src/generated"), &files, mode);
    }
    let files = generate(&catalogue, &facts, Layout::OutDir)?;
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    let sizes = sources.map(|(_, text)| (text.len(), text.lines().count()));
    let (bytes, lines) = sizes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    println!(
        "{} files: {lines} lines, {bytes} bytes, generated when the package is built",
        files.len()
    );
    let path = package.join("Cargo.toml");
    let manifest = fs::read_to_string(&path)?;
    let wanted = with_features(&manifest, &catalogue)
        .ok_or_else(|| format!("{} has no place for features", path.display()))?;
    if wanted != manifest {
        if mode == Mode::Check {
            return Err(
                "the features do not match provider.toml; run `terrane-codegen generate`".into(),
            );
        }
        fs::write(&path, wanted)?;
    }
    Ok(())
}

fn one_service(
    package: &Path,
    service: &str,
    target: &Path,
    mode: Mode,
) -> Result<(), Box<dyn Error>> {
    let facts = read_facts(&package.join("schema"), |name| name == service)?;
    if facts.is_empty() {
        return Err(format!("there are no facts of `{service}`").into());
    }
    let files = format(&generate(&catalogue(package)?, &facts, Layout::Source)?)?;
    let files = files.into_iter().filter_map(|(path, text)| {
        let path = path.strip_prefix(service)?.strip_prefix('/')?;
        Some((path.to_owned(), text))
    });
    put(target, &files.collect(), mode)
}

/// Writes the files, or says which of them differ.
fn put(target: &Path, files: &BTreeMap<String, String>, mode: Mode) -> Result<(), Box<dyn Error>> {
    if mode == Mode::Check {
        let (changed, stale) = differences(target, files)?;
        if changed.is_empty() && stale.is_empty() {
            println!("{} files, none differs", files.len());
            return Ok(());
        }
        for path in changed {
            eprintln!("differs: {path}");
        }
        for path in stale {
            eprintln!("stale: {}", path.display());
        }
        return Err("the bindings do not match their facts; run `terrane-codegen generate`".into());
    }
    let changed = write(target, files)?;
    println!("{} files, {changed} changed", files.len());
    Ok(())
}
