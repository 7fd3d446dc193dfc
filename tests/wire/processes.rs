//! Shared by the tests of this folder: the programs, and how they are started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use terrane_core::addr::ProviderSource;
use terrane_provider::{
    CliConfig, Environment, Launch, LogLevel, LogRecord, LogSink, Plugins, Provider,
    ProviderCommand, Providers as _, StartError,
};

pub(crate) const FAKE: &str = env!("CARGO_BIN_EXE_fake-provider");

pub(crate) fn source(type_name: &str) -> ProviderSource {
    ProviderSource {
        host: "registry.terraform.io".into(),
        namespace: "terrane".into(),
        type_name: type_name.into(),
    }
}

/// Keeps every line of the providers' logs.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

impl LogSink for Lines {
    fn level(&self) -> LogLevel {
        LogLevel::Debug
    }

    fn log(&self, record: &LogRecord<'_>) {
        self.0.lock().expect("no panic").push(record.to_string());
    }
}

pub(crate) fn environment() -> Environment {
    let wanted = ["PATH", "HOME", "TMPDIR"];
    let vars = wanted
        .iter()
        .filter_map(|name| Some((*name, std::env::var_os(name)?.into_string().ok()?)));
    vars.collect()
}

/// Plugins with the fake provider under that environment.
pub(crate) fn fake_plugins(vars: &[(&str, &str)], log: Arc<Lines>) -> Plugins {
    let command = ProviderCommand {
        vars: (vars.iter())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..PathBuf::from(FAKE).into()
    };
    // The fake provider's own main begins with the launcher's hook.
    let launch = Launch::Reexec(FAKE.into());
    Plugins::new(environment(), CliConfig::default(), launch, log)
        .with_command(source("fake"), command)
}

/// A running fake provider under that environment.
pub(crate) async fn fake(vars: &[(&str, &str)]) -> Result<Arc<dyn Provider>, StartError> {
    let plugins = fake_plugins(vars, Arc::default());
    plugins.start(&source("fake")).await
}

/// The folder with the Go programs, built when first asked for.
fn go_programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new("sh")
            .arg(here.join("conformance/build.sh"))
            .output()
            .expect("a shell runs");
        assert!(
            output.status.success(),
            "the Go programs cannot be built: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        here.join("../target/conformance")
    })
}

pub(crate) fn go_program(name: &str) -> PathBuf {
    go_programs().join(name)
}

/// Plugins with the conformance provider of that protocol, whose objects lie in that directory.
pub(crate) fn conformance_plugins(version: u32, directory: &Path) -> Plugins {
    let type_name = conformance_name(version);
    let command = ProviderCommand {
        vars: vec![(
            "CONFORMANCE_DIRECTORY".to_owned(),
            directory.display().to_string(),
        )],
        ..go_program(&format!("terraform-provider-{type_name}")).into()
    };
    let launch = Launch::Reexec(FAKE.into());
    let (vars, log) = (environment(), Arc::<Lines>::default());
    Plugins::new(vars, CliConfig::default(), launch, log).with_command(source(type_name), command)
}

fn conformance_name(version: u32) -> &'static str {
    match version {
        6 => "conformance6",
        _ => "conformance",
    }
}

/// A running conformance provider of that protocol, whose objects lie in that directory.
pub(crate) async fn conformance(version: u32, directory: &Path) -> Arc<dyn Provider> {
    let plugins = conformance_plugins(version, directory);
    match plugins.start(&source(conformance_name(version))).await {
        Ok(provider) => provider,
        Err(error) => panic!("{error}\n{}", error.detail),
    }
}
