//! A stack full of secrets: those that the schema flags and others that only the program marks, plain, in a map, nested and in a dynamic value.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Deserialize;
use terrane_cli::{Age, AwsKms, Cli, EncryptedWith as _, Encryption};
use terrane_core::addr::ProviderSource;
use terrane_core::{
    BlockArguments, Output, ProviderDeclaration, Resource, Result, Secret, Stack, Value,
};

/// The configuration, for `--var`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Another one replaces the vault.
    name: String,
    /// Another one updates it; with `panic` and `fail` a closure of the program does so, with a secret in its words.
    team: String,
    /// Its contents, by place.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    /// Those of its contents that the configuration only names.
    #[serde(default)]
    named: BTreeMap<String, Secret>,
}

fn main() -> ExitCode {
    let cli = Cli::stack("vault").config_file("name = \"one\"\nteam = \"visible\"");
    match encryption() {
        Some(encryption) => {
            let place = PathBuf::from(".terrane/vault/terraform.tfstate");
            cli.backend(place.encrypted_with(encryption)).run(stack)
        }
        None => cli.run(stack),
    }
}

/// The keys of the state that a test names: the present one, an earlier one, and a word more.
#[expect(
    clippy::disallowed_methods,
    reason = "a test builds the program that it needs"
)]
fn encryption() -> Option<Encryption> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let with = |key: String| match key.strip_prefix("kms:") {
        Some(key) => Encryption::with(AwsKms::key(key)),
        None => Encryption::with(Age::recipients([key])),
    };
    let mut encryption = with(variable("VAULT_KEY")?);
    if let Some(earlier) = variable("VAULT_EARLIER_KEY") {
        encryption = encryption.also_reads(Age::recipients([earlier]));
    }
    if variable("VAULT_FORM").as_deref() == Some("sensitive") {
        encryption = encryption.sensitive_values_only();
    }
    Some(match variable("VAULT_ENCRYPTION").as_deref() {
        Some("begins") => encryption.accepting_clear(),
        Some("ends") => encryption.ending(),
        _ => encryption,
    })
}

fn stack(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    let secret = |place: &str| config.secrets.get(place).cloned().unwrap_or_default();
    let marked = |place| Output::known(secret(place)).sensitive();
    let named = |place: &str| match config.named.get(place) {
        Some(secret) => secret.output(),
        None => Output::known(secret(place)),
    };
    let source: ProviderSource = "terrane/fake".parse()?;
    stack.provider(ProviderDeclaration::dynamic(source.clone()).set("token", named("provider")));
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
    let tags = BlockArguments::new().set("team", team).set(
        "a key",
        config
            .named
            .get("tag")
            .map_or_else(|| marked("tag"), Secret::output),
    );
    let vault = Resource::dynamic("fake_vault", "v")
        .provider_source(source)
        .set("name", config.name.clone())
        .set("password", named("password"))
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
