//! A stack full of secrets: those that the schema flags and others that only the program marks, plain, in a map, nested and in a dynamic value.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Deserialize;
use terrane_cli::Cli;
use terrane_core::addr::ProviderSource;
use terrane_core::{BlockArguments, Output, ProviderDeclaration, Resource, Result, Stack, Value};

/// The configuration, for `--var`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Another one replaces the vault.
    name: String,
    /// Another one updates it; with `panic` and `fail` a closure of the program does so, with a secret in its words.
    team: String,
    /// Its contents, by place.
    secrets: BTreeMap<String, String>,
}

fn main() -> ExitCode {
    Cli::stack("vault")
        .config_file("name = \"one\"\nteam = \"visible\"")
        .run(stack)
}

fn stack(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    let secret = |place: &str| config.secrets.get(place).cloned().unwrap_or_default();
    let marked = |place| Output::known(secret(place)).sensitive();
    let source: ProviderSource = "terrane/fake".parse()?;
    stack.provider(ProviderDeclaration::dynamic(source.clone()).set("token", secret("provider")));
    let found = Resource::dynamic_data("fake_lookup", "l")
        .provider_source(source.clone())
        .set("name", marked("lookup"))
        .declare(stack);
    let team = match config.team.as_str() {
        "panic" => marked("password").map(|text: String| -> String { panic!("cannot use {text}") }),
        "fail" => marked("password")
            .try_map(|text: String| Err::<String, _>(format!("cannot use {text}"))),
        team => Output::known(team.to_owned()),
    };
    let spec = BlockArguments::new()
        .set("token", marked("dynamic"))
        .set("open", "visible");
    let list = [Output::known("visible".to_owned()), marked("element")];
    let anything = BlockArguments::new().set("spec", spec).set("a list", list);
    let nested = BlockArguments::new()
        .set("open", "visible")
        .set("token", secret("nested"));
    let tags = BlockArguments::new()
        .set("team", team)
        .set("a key", marked("tag"));
    let vault = Resource::dynamic("fake_vault", "v")
        .provider_source(source)
        .set("name", config.name.clone())
        .set("password", secret("password"))
        .set("anything", anything)
        .set("nested", [nested])
        .set("tags", tags)
        .declare(stack);
    stack.export("password", vault.attribute::<String>("password"));
    stack.export("copy", vault.attribute::<Value>("tags_all"));
    stack.export("found", found.attribute::<String>("found"));
    stack.export("name", vault.attribute::<String>("name"));
    Ok(())
}
