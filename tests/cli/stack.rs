//! The stack program that the tests of the command line run: small, and as wrong as its configuration says.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Deserialize;
use terrane_cli::Cli;
use terrane_core::addr::ProviderSource;
use terrane_core::{
    BlockArguments, Error, Lifecycle, LookupRules, NameLookup, ProviderBinding,
    ProviderDeclaration, Resource, Result, Stack, Value,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Which of the functions below declares the stack.
    scene: Scene,
    /// Name of the base; another one replaces it and its dependents.
    base: String,
    size: i64,
    zones: Vec<String>,
    cidr: String,
    /// An action in the base's policy.
    action: String,
    #[serde(default)]
    prevent_destroy: bool,
    /// Passed to the things of these names as they are: knobs of the conformance provider.
    #[serde(default)]
    knobs: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether a binding knows by which name things are found.
    #[serde(default)]
    named: bool,
}

/// A binding of the conformance provider. It is wrong: ids have more than the name in them, so nothing is ever found by it.
static BINDING: ProviderBinding = ProviderBinding {
    source: "terrane/conformance",
    version: "1.0.0",
    versions: "~> 1.0",
    facts: &[],
    redirect: None,
    lookup: LookupRules {
        by_name: &[NameLookup::new("conformance_sdk_thing", &["{name}"])],
        ..LookupRules::NONE
    },
    stateful: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scene {
    /// A base, a module with a thing a zone, exports.
    Network,
    /// One thing of the provider that misbehaves on demand.
    Fake,
    /// Two things that need each other.
    Cycle,
    /// A thing in a folder that an object of somebody else names.
    Elsewhere,
    /// Nothing at all; if `named`, a thing, and another in the region that the first one names.
    Nothing,
    /// A provider that is not installed.
    Missing,
    /// Objects of the built-in provider.
    Builtin,
    /// As many of them as the size says, in modules, some of which need others.
    Many,
    /// A provider that needs a variable which is not meant for it.
    Withheld,
    /// A thing with actions, and things that their provider defers until there is a file `ready`.
    Waiting,
    /// A list of the zones, and an object for each in a module that takes the list once it is made.
    Waves,
    /// Subnets that an attribute counts.
    Counted,
    /// A thing in a module for each of the zones, all with that key, and a number wider than providers have.
    Keys,
}

const CONFIG: &str = r#"
scene = "network"
base = "one"
size = 1
zones = ["a", "b"]
cidr = "10.0.0.0/8"
action = "get"
"#;

fn main() -> ExitCode {
    Cli::stack("test").config_file(CONFIG).run(stack)
}

fn stack(stack: &mut Stack) -> Result<()> {
    let config: Config = stack.config()?;
    match config.scene {
        Scene::Network => network(stack, &config),
        Scene::Fake => fake(stack),
        Scene::Cycle => cycle(stack),
        Scene::Elsewhere => elsewhere(stack),
        Scene::Nothing => nothing(stack, &config),
        Scene::Missing => missing(stack),
        Scene::Builtin => builtin(stack, &config),
        Scene::Many => many(stack, &config),
        Scene::Withheld => withheld(stack, &config),
        Scene::Waiting => waiting(stack),
        Scene::Waves => waves(stack, &config),
        Scene::Counted => counted(stack, &config),
        Scene::Keys => keys(stack, &config),
    }
}

fn thing(name: &str, config: &Config) -> Result<terrane_core::Declaration> {
    let mut thing = Resource::dynamic("conformance_sdk_thing", name)
        .provider_source("terrane/conformance".parse()?);
    for (knob, value) in config.knobs.get(name).into_iter().flatten() {
        thing = thing.set(knob, value.clone());
    }
    Ok(thing)
}

fn network(stack: &mut Stack, config: &Config) -> Result<()> {
    if config.named {
        stack.provider(ProviderDeclaration::new(&BINDING));
    }
    let policy = format!(
        r#"{{"Statement":[{{"Action":["{}","list"],"Effect":"Allow"}}]}}"#,
        config.action
    );
    let mut lifecycle = Lifecycle::new();
    if config.prevent_destroy {
        lifecycle = lifecycle.prevent_destroy();
    }
    let base = thing("base", config)?
        .set("name", config.base.clone())
        .set("size", config.size)
        .set("secret", "hunter2")
        .set("policy", policy)
        .lifecycle(lifecycle)
        .declare(stack);
    stack.module("network", |stack| {
        for zone in &config.zones {
            let rule = BlockArguments::new()
                .set("port", 443)
                .set("cidr", config.cidr.clone());
            let ssh = BlockArguments::new().set("port", 22);
            thing("child", config)?
                .instance_key(zone)
                .set("name", format!("child-{zone}"))
                .set("kind", base.attribute::<String>("id"))
                .push_block("rule", rule)
                .push_block("rule", ssh)
                .declare(stack);
        }
        Ok::<_, Error>(())
    })?;
    stack.export("base_id", base.attribute::<String>("id"));
    stack.export("secret", base.attribute::<String>("secret"));
    stack.export("zones", config.zones.clone());
    Ok(())
}

fn fake(stack: &mut Stack) -> Result<()> {
    Resource::dynamic("fake_thing", "one")
        .provider_source("terrane/fake".parse()?)
        .set("name", "one")
        .declare(stack);
    Ok(())
}

fn cycle(stack: &mut Stack) -> Result<()> {
    let second = stack.resource("fake_thing.second")?;
    let first = Resource::dynamic("fake_thing", "first")
        .provider_source("terrane/fake".parse()?)
        .set("name", second.attribute::<String>("id"))
        .declare(stack);
    Resource::dynamic("fake_thing", "second")
        .provider_source("terrane/fake".parse()?)
        .set("name", first.attribute::<String>("id"))
        .declare(stack);
    Ok(())
}

fn keys(stack: &mut Stack, config: &Config) -> Result<()> {
    let wide: terrane_core::value::Number = format!("0.{}", "1234567890".repeat(17)).parse()?;
    let source: ProviderSource = "terrane/conformance".parse()?;
    for key in &config.zones {
        stack.module_instance("home", key, |stack| {
            Resource::dynamic("conformance_thing", "x")
                .provider_source(source.clone())
                .instance_key(key)
                .set("name", key)
                .set("amount", wide.clone())
                .set("tags", BTreeMap::from([(key.clone(), "1")]))
                .declare(stack);
        });
    }
    Ok(())
}

fn missing(stack: &mut Stack) -> Result<()> {
    Resource::dynamic("nowhere_thing", "one")
        .provider_source("terrane/nowhere".parse()?)
        .declare(stack);
    Ok(())
}

fn builtin(stack: &mut Stack, config: &Config) -> Result<()> {
    let first = Resource::dynamic("terraform_data", "first")
        .set("input", (config.base.clone(), config.size))
        .declare(stack);
    let second = Resource::dynamic("terraform_data", "second")
        .set("input", first.attribute::<Value>("output"))
        .set("triggers_replace", config.size)
        .declare(stack);
    stack.export("output", second.attribute::<Value>("output"));
    stack.export("nothing", None::<String>);
    Ok(())
}

fn waves(stack: &mut Stack, config: &Config) -> Result<()> {
    let network = Resource::dynamic("terraform_data", "network")
        .set("input", config.zones.clone())
        .declare(stack);
    let zones = network.attribute::<Vec<String>>("output");
    stack.module_when_known("subnets", zones, |stack, zones| {
        for zone in &zones {
            Resource::dynamic("terraform_data", "subnet")
                .instance_key(zone.as_str())
                .set("input", zone.clone())
                .declare(stack);
        }
        stack.export("subnets", zones.len().to_string());
        Ok(())
    })
}

/// As many subnets as an attribute has zones that the configuration gives.
fn counted(stack: &mut Stack, config: &Config) -> Result<()> {
    let network = Resource::dynamic("terraform_data", "network")
        .set("input", config.zones.clone())
        .declare(stack);
    for zone in stack.known(&network.attribute::<Vec<String>>("input"))? {
        Resource::dynamic("terraform_data", "subnet")
            .instance_key(zone.as_str())
            .set("input", zone)
            .declare(stack);
    }
    stack.export("subnets", network.attribute::<Vec<String>>("input"));
    Ok(())
}

fn many(stack: &mut Stack, config: &Config) -> Result<()> {
    const IN_A_MODULE: i64 = 50;
    let base = Resource::dynamic("terraform_data", "base")
        .set("input", config.base.clone())
        .set("triggers_replace", config.base.clone())
        .declare(stack);
    let count = config.size - 1;
    for first in (0..count).step_by(50) {
        stack.module(&format!("part{}", first / IN_A_MODULE), |stack| {
            let mut last: Option<Resource> = None;
            for number in first..count.min(first + IN_A_MODULE) {
                let input = BTreeMap::from([
                    ("cidr", config.cidr.clone()),
                    ("name", format!("thing-{number}")),
                    ("zone", config.zones[0].clone()),
                ]);
                let mut thing = Resource::dynamic("terraform_data", format!("thing{number}"));
                thing = match &last {
                    Some(last) if number % 5 == 1 => {
                        thing.set("input", last.attribute::<Value>("output"))
                    }
                    _ => thing.set("input", input),
                };
                if number % 10 == 0 {
                    thing = thing.set("triggers_replace", base.attribute::<String>("id"));
                }
                last = Some(thing.declare(stack));
            }
        });
    }
    Ok(())
}

fn withheld(stack: &mut Stack, config: &Config) -> Result<()> {
    let source: ProviderSource = "terrane/conformance6".parse()?;
    let mut provider = ProviderDeclaration::dynamic(source.clone());
    // Its type is `conformance6`, and so `CONFORMANCE_DIRECTORY` is not its own.
    if config.size > 1 {
        provider = provider.pass_env(["CONFORMANCE_DIR*"]);
    }
    stack.provider(provider);
    Resource::dynamic("conformance_thing", "a")
        .provider_source(source)
        .set("name", "a")
        .declare(stack);
    Ok(())
}

fn elsewhere(stack: &mut Stack) -> Result<()> {
    let source: ProviderSource = "terrane/conformance".parse()?;
    let base = Resource::dynamic_data("conformance_lookup", "base")
        .provider_source(source.clone())
        .set("name", "base")
        .declare(stack);
    let folder = base.attribute::<String>("found");
    let there = ProviderDeclaration::dynamic(source).alias("there");
    let there = stack.provider(there.set("directory", folder));
    Resource::dynamic("conformance_thing", "one")
        .set("name", "one")
        .provider(&there)
        .declare(stack);
    Ok(())
}

fn nothing(stack: &mut Stack, config: &Config) -> Result<()> {
    if config.named {
        return within(stack);
    }
    Ok(())
}

fn within(stack: &mut Stack) -> Result<()> {
    let source: ProviderSource = "terrane/fake".parse()?;
    let outer = Resource::dynamic("fake_thing", "outer")
        .provider_source(source.clone())
        .set("name", "outer")
        .declare(stack);
    let inside = ProviderDeclaration::dynamic(source).alias("inside");
    let inside = stack.provider(inside.set("region", outer.attribute::<String>("id")));
    Resource::dynamic("fake_thing", "inner")
        .set("name", "inner")
        .provider(&inside)
        .declare(stack);
    Ok(())
}

fn waiting(stack: &mut Stack) -> Result<()> {
    let conformance: ProviderSource = "terrane/conformance".parse()?;
    let latest: ProviderSource = "terrane/latest".parse()?;
    let a = Resource::dynamic("conformance_thing", "a")
        .provider_source(conformance.clone())
        .set("name", "a")
        .declare(stack);
    let note = |name| {
        terrane_core::ProviderAction::dynamic("conformance_note", name)
            .provider_source(conformance.clone())
    };
    let id = a.attribute::<String>("id");
    note("after")
        .set("text", "made")
        .after_create(&a)
        .declare(stack);
    note("by_hand").set("text", id).declare(stack);
    note("fails")
        .set("text", "x")
        .set("fails", "no ink")
        .declare(stack);
    note("crashes")
        .set("text", "x")
        .set("crash", true)
        .declare(stack);
    let late = Resource::dynamic("latest_thing", "late")
        .provider_source(latest.clone())
        .set("name", "late")
        .set("until", "ready")
        .declare(stack);
    Resource::dynamic("latest_thing", "later")
        .provider_source(latest)
        .set("name", late.attribute::<String>("id"))
        .declare(stack);
    Ok(())
}
