//! Schemas that are kept between runs: one request for each build of a provider, and none taken for another's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use terrane_provider::{CliConfig, Launch, Plugins, ProviderCommand, Providers as _};

use crate::processes::{FAKE, Lines, environment, go_program, source};

/// Starts that provider as a run of its own would, and says whether it was asked for its schema.
async fn is_asked(command: ProviderCommand, cache: &Path, type_name: &str) -> bool {
    let log: Arc<Lines> = Arc::default();
    let launch = Launch::Reexec(FAKE.into());
    let plugins = Plugins::new(environment(), CliConfig::default(), launch, log.clone())
        .with_command(source("x"), command)
        .keep_schemas_in(cache.to_owned());
    let provider = plugins.start(&source("x")).await.expect("starts");
    let schema = provider.resource_schema(type_name).expect("a schema");
    assert!(schema.is_some(), "there is no {type_name}");
    // It also answers without having been asked for its schema.
    let config = provider.config_schema().expect("a schema");
    let nothing = config.block.empty_value();
    let said = provider.validate_provider_config(&nothing).await;
    assert!(!said.expect("an answer").has_errors());
    provider.shutdown().await;
    let cached = "its schema comes from the cache";
    !log.all().iter().any(|line| line.ends_with(cached))
}

/// Does that, and lets so much time pass that the binary's times can be relied on.
fn run<T>(cache: &Path, work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let done = runtime.block_on(work);
    // As the command line ends: the cache must be written by then.
    runtime.shutdown_background();
    for record in fs::read_dir(cache.join("binaries")).into_iter().flatten() {
        let record = record.expect("an entry").path();
        let record = File::options().write(true).open(record).expect("there");
        let modified = record.metadata().and_then(|it| it.modified());
        let later = modified.expect("kept") + Duration::from_secs(10);
        record.set_modified(later).expect("set");
    }
    done
}

struct Rig {
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The provider's binary, of that build now.
    fn install(&self, build: &Path) -> PathBuf {
        let binary = self.folder.path().join("terraform-provider-x");
        // As a compiler does it: the file stays the same one.
        fs::copy(build, &binary).expect("copied");
        binary
    }

    fn is_asked(&self, command: impl Into<ProviderCommand>, type_name: &str) -> bool {
        let cache = self.cache();
        run(&cache, is_asked(command.into(), &cache, type_name))
    }
}

#[test]
fn a_provider_is_asked_for_its_schema_once_for_each_build_of_its_binary() {
    let rig = Rig::new();
    let binary = rig.install(FAKE.as_ref());
    assert!(rig.is_asked(binary.clone(), "fake_thing"));
    assert!(!rig.is_asked(binary.clone(), "fake_thing"));
    // It changes under its name.
    rig.install(&go_program("terraform-provider-conformance"));
    assert!(rig.is_asked(binary.clone(), "conformance_thing"));
    assert!(!rig.is_asked(binary.clone(), "conformance_thing"));
    // The first build again is known.
    rig.install(FAKE.as_ref());
    assert!(rig.is_asked(binary.clone(), "fake_thing"));
    assert!(!rig.is_asked(binary.clone(), "fake_thing"));
    fs::remove_dir_all(rig.cache()).expect("removed");
    assert!(rig.is_asked(binary, "fake_thing"));
}

#[test]
fn a_provider_that_must_be_asked_for_its_schema_is_asked_by_every_run() {
    let rig = Rig::new();
    let required = || ProviderCommand {
        vars: vec![("FAKE_SCHEMA".to_owned(), "required".to_owned())],
        ..PathBuf::from(FAKE).into()
    };
    assert!(rig.is_asked(required(), "fake_thing"));
    assert!(rig.is_asked(required(), "fake_thing"));
    assert!(!rig.cache().exists());
}

#[test]
fn nothing_is_kept_of_a_provider_that_is_a_part_of_another_program() {
    let rig = Rig::new();
    let part = || ProviderCommand {
        arguments: vec!["part".to_owned()],
        ..PathBuf::from(FAKE).into()
    };
    assert!(rig.is_asked(part(), "fake_thing"));
    assert!(rig.is_asked(part(), "fake_thing"));
    assert!(!rig.cache().exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_only_logged() {
    let rig = Rig::new();
    fs::write(rig.cache(), "no folder").expect("written");
    assert!(rig.is_asked(PathBuf::from(FAKE), "fake_thing"));
    assert!(rig.is_asked(PathBuf::from(FAKE), "fake_thing"));
}
