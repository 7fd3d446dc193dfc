//! `terrane-codegen`: turns a provider's schema into facts, and facts into typed bindings.
//!
//! ```text
//! terrane-codegen facts SCHEMA [PROVIDER-FOLDER]      # SCHEMA: output of `terraform providers schema -json`, `-` for stdin
//! terrane-codegen generate [--check] [PROVIDER-FOLDER]
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line of its own

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use terrane_codegen::{
    Catalogue, differences, extract, format, from_terraform_json, generate, write,
};

const USAGE: &str = "usage: terrane-codegen facts SCHEMA [PROVIDER-FOLDER]
       terrane-codegen generate [--check] [PROVIDER-FOLDER]

PROVIDER-FOLDER holds provider.toml; it is providers/aws unless given.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["facts", schema] => facts(schema, &folder(None)),
        ["facts", schema, provider] => facts(schema, &folder(Some(provider))),
        ["generate"] => bindings(&folder(None), Mode::Write),
        ["generate", "--check"] => bindings(&folder(None), Mode::Check),
        ["generate", "--check", provider] => bindings(&folder(Some(provider)), Mode::Check),
        ["generate", provider] if !provider.starts_with('-') => {
            bindings(&folder(Some(provider)), Mode::Write)
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

fn facts(schema: &str, provider: &Path) -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::parse(&fs::read_to_string(provider.join("provider.toml"))?)?;
    let mut json = Vec::new();
    if schema == "-" {
        std::io::stdin().read_to_end(&mut json)?;
    } else {
        json = fs::read(schema)?;
    }
    let providers = from_terraform_json(&json)?;
    // The host before the source depends on who printed the document.
    let wanted = format!("/{}", catalogue.source);
    let (_, schemas) = providers
        .iter()
        .find(|(source, _)| source.ends_with(&wanted))
        .ok_or_else(|| format!("the document has no schema of {}", catalogue.source))?;
    let files: BTreeMap<String, String> = extract(&catalogue, schemas)?
        .into_iter()
        .map(|(service, text)| (format!("{service}.facts"), text))
        .collect();
    let changed = write(&provider.join("schema"), &files)?;
    println!("{} files of facts, {changed} changed", files.len());
    Ok(())
}

fn bindings(provider: &Path, mode: Mode) -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::parse(&fs::read_to_string(provider.join("provider.toml"))?)?;
    let mut facts = BTreeMap::new();
    for service in catalogue
        .services
        .keys()
        .map(String::as_str)
        .chain(["provider"])
    {
        let path = provider.join("schema").join(format!("{service}.facts"));
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        facts.insert(service.to_owned(), text);
    }
    let files = format(&generate(&catalogue, &facts)?)?;
    let target = provider.join("src/generated");
    if mode == Mode::Check {
        let (changed, stale) = differences(&target, &files)?;
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
    let changed = write(&target, &files)?;
    println!("{} files, {changed} changed", files.len());
    Ok(())
}
