//! The command `terrane-convert`.

// A command line prints its results, and what is wrong.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use serde::Serialize;
use terrane_codegen::from_terraform_json;
use terrane_convert::planned::ConvertedProject;
use terrane_convert::{ConvertError, Options, Schemas, convert, required_providers};
use terrane_deploy::{Environment, ProviderSetup};
use terrane_registry::{InstallEvent, InstallObserver, RequiredProvider};

/// Turn a Terraform configuration into a Rust program, and prove that both plan the same
#[derive(Debug, Parser)]
#[command(name = "terrane-convert", version)]
struct Arguments {
    /// The folder of the root module; with `--against` or `--check`, of the converted project
    dir: PathBuf,
    /// The new project's folder
    #[arg(long, value_name = "NEW", required_unless_present = "proof")]
    out: Option<PathBuf>,
    #[command(flatten)]
    proof: Proof,
    /// Print the proof's result as JSON
    #[arg(long, requires = "proof")]
    json: bool,
    /// Arguments of the project's `preview`: `--backend`, `--var`
    #[arg(last = true, requires = "proof")]
    preview: Vec<OsString>,
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

/// What is proved of a converted project.
#[derive(Debug, Args)]
#[group(id = "proof", multiple = false, conflicts_with = "out")]
struct Proof {
    /// Compare the project's plan with the one that `terraform show -json` printed
    #[arg(long, value_name = "PLAN.json")]
    against: Option<PathBuf>,
    /// Plan the project on the state as it is, and name each change with its line of Rust and of HCL
    #[arg(long)]
    check: bool,
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
    let Some(out) = &arguments.out else {
        return prove(arguments);
    };
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
    project.write(out, &schemas)?;
    println!(
        "{}: {} blocks, {} untranslated",
        out.display(),
        project.blocks,
        project.untranslated.len()
    );
    for one in &project.untranslated {
        println!("  {}: {}", one.place, one.reason);
    }
    for note in &project.notes {
        println!("  {note}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The proof that was asked for; its exit code is 2 where there is a difference.
fn prove(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let project = ConvertedProject::new(&arguments.dir, arguments.preview.clone());
    match &arguments.proof.against {
        Some(plan) => {
            let comparison = project.against(plan)?;
            proved(arguments, &comparison, comparison.is_same())
        }
        None => {
            let report = project.check()?;
            proved(arguments, &report, report.is_empty())
        }
    }
}

fn proved<R: Serialize + Display>(
    arguments: &Arguments,
    result: &R,
    holds: bool,
) -> Result<ExitCode, Box<dyn Error>> {
    match arguments.json {
        true => println!("{}", serde_json::to_string(result)?),
        false => println!("{result}"),
    }
    Ok(ExitCode::from(if holds { 0 } else { 2 }))
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
            let plugins = plugins.map_err(|error| with_causes(&error).to_string())?;
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::Arguments;

    #[test]
    fn the_guide_calls_the_command_as_it_can_be_called() {
        let guide = include_str!("../../docs/convert.md");
        let pieces = guide.split(['`', '\n']).map(str::trim);
        let lines: Vec<&str> = pieces
            .filter(|piece| piece.starts_with("terrane-convert "))
            .collect();
        assert!(lines.len() > 4, "{lines:?}");
        for line in lines {
            let parsed = Arguments::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }
}
