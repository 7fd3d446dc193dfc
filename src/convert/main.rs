//! The command `terrane-convert`.

// A command line prints its results, and what is wrong.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use terrane_codegen::from_terraform_json;
use terrane_convert::{ConvertError, Options, Schemas, convert, required_providers};
use terrane_deploy::{Environment, ProviderSetup};
use terrane_registry::{InstallEvent, InstallObserver, RequiredProvider};

/// Turn a Terraform configuration into a Rust program
#[derive(Debug, Parser)]
#[command(name = "terrane-convert", version)]
struct Arguments {
    /// The folder of the root module
    dir: PathBuf,
    /// The new project's folder
    #[arg(long, value_name = "NEW")]
    out: PathBuf,
    /// The name of the stack and of the project; the folder's name by default
    #[arg(long)]
    name: Option<String>,
    /// A file that `terraform providers schema -json` printed, instead of the providers themselves
    #[arg(long, value_name = "FILE")]
    schema: Vec<PathBuf>,
    /// Depend on terrane's sources in that folder, and on no release
    #[arg(long, value_name = "DIR")]
    terrane: Option<PathBuf>,
}

fn main() -> ExitCode {
    // Providers are started as copies of this program.
    let environment = environment();
    if let Some(exit) = terrane_deploy::begin(&environment) {
        return exit;
    }
    let arguments = Arguments::parse();
    match run(&arguments, environment) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("error: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

/// The environment of the process; what is no text is nothing that a provider needs.
fn environment() -> Environment {
    let vars = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Environment {
        vars: vars.collect(),
        ..Environment::default()
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn run(arguments: &Arguments, environment: Environment) -> Result<ExitCode, Box<dyn Error>> {
    let required = required_providers(&arguments.dir)?;
    let schemas = match arguments.schema.is_empty() {
        true => installed(&arguments.dir, &required, environment)?,
        false => of_files(&arguments.dir, &arguments.schema)?,
    };
    let options = Options {
        from: arguments.dir.clone(),
        name: arguments.name.clone(),
        terrane: arguments.terrane.clone(),
    };
    let project = convert(&options, &schemas)?;
    project.write(&arguments.out, &schemas)?;
    println!(
        "{}: {} blocks, {} untranslated",
        arguments.out.display(),
        project.blocks,
        project.untranslated.len()
    );
    for one in &project.untranslated {
        println!("  {}: {}", one.place, one.reason);
    }
    Ok(ExitCode::SUCCESS)
}

/// The versions that a lock file records, by source.
fn locked(dir: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(dir.join(".terraform.lock.hcl")).unwrap_or_default();
    let mut all = Vec::new();
    let mut source = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("provider \"") {
            source = rest.split('"').next().map(str::to_owned);
        } else if let (Some(rest), Some(source)) = (line.strip_prefix("version"), &source) {
            let version = rest.trim_start_matches([' ', '=']).trim_matches('"');
            all.push((source.clone(), version.to_owned()));
        }
    }
    all
}

fn short(source: &str) -> String {
    let public = ["registry.terraform.io/", "registry.opentofu.org/"];
    let rest = public.iter().find_map(|host| source.strip_prefix(host));
    rest.unwrap_or(source).to_owned()
}

/// The source with the registry that the lock file records; Terraform's, where it says nothing.
fn hosted(source: &str, recorded: &[(String, String)]) -> String {
    let known = recorded.iter().find(|(one, _)| short(one) == source);
    match known {
        Some((whole, _)) => whole.clone(),
        None if source.matches('/').count() > 1 => source.to_owned(),
        None => format!("registry.terraform.io/{source}"),
    }
}

fn of_files(dir: &Path, files: &[PathBuf]) -> Result<Schemas, Box<dyn Error>> {
    let locked = locked(dir);
    let mut all = Schemas::new();
    for file in files {
        let json = fs::read(file).map_err(|source| ConvertError::Unread {
            path: file.clone(),
            source,
        })?;
        for (source, schema) in from_terraform_json(&json)? {
            let version = locked.iter().find(|(one, _)| short(one) == short(&source));
            let version =
                version.map_or_else(|| "0.0.0".to_owned(), |(_, version)| version.clone());
            all.insert(short(&source), (version, schema));
        }
    }
    Ok(all)
}

/// Says nothing of installations.
struct Unobserved;

impl InstallObserver for Unobserved {
    fn event(&self, _: InstallEvent<'_>) {}
}

/// The schemas of the providers themselves, which are installed first where need be.
fn installed(
    dir: &Path,
    required: &[(String, String)],
    environment: Environment,
) -> Result<Schemas, Box<dyn Error>> {
    let mut setup = ProviderSetup::of(environment)?;
    setup.lock_file = dir.join(".terraform.lock.hcl");
    let recorded = locked(dir);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut all = Schemas::new();
        for (source, versions) in required {
            let address: terrane_core::addr::ProviderSource = hosted(source, &recorded).parse()?;
            let one = RequiredProvider {
                source: address.clone(),
                versions: versions.parse().ok().filter(|_| !versions.is_empty()),
            };
            let plugins = setup.installed(vec![one], &[], &Unobserved).await;
            let plugins = plugins.map_err(|error| format!("{}", with_causes(&error)))?;
            let json = plugins.schemas_json(&address).await?;
            let version = plugins
                .locate(&address)?
                .version
                .map_or_else(|| "0.0.0".to_owned(), |it| it.to_string());
            let document = serde_json::json!({ "provider_schemas": { source: json } });
            for (_, schema) in from_terraform_json(document.to_string().as_bytes())? {
                all.insert(source.clone(), (version.clone(), schema));
            }
        }
        Ok(all)
    })
}
