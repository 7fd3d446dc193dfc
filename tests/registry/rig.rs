//! A project folder, a cache and a registry; what an installation says, as text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use terrane_core::addr::ProviderSource;
use terrane_registry::{
    CliConfig, Credentials, HttpOptions, InstallError, InstallEvent, InstallObserver,
    InstallSettings, InstalledPackage, Installer, RequiredProvider,
};
use terrane_tests::TestRegistry;

pub(crate) struct Rig {
    pub(crate) registry: TestRegistry,
    folder: TempDir,
    pub(crate) config: String,
    pub(crate) http: HttpOptions,
    pub(crate) is_offline: bool,
    events: Events,
}

/// The lines of what happened, without progress.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<String>>);

impl Events {
    /// Those since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl InstallObserver for Events {
    fn event(&self, event: InstallEvent<'_>) {
        let line = match event {
            InstallEvent::Asking { .. } | InstallEvent::Downloading { .. } => return,
            InstallEvent::Waiting { source } => format!("waiting for {source}"),
            InstallEvent::Installed {
                source,
                version,
                host,
                signer,
            } => {
                let signed = signer.map_or("not signed", |_| "signed");
                format!("installed {source} {version} from {host}, {signed}")
            }
            InstallEvent::Warning(error) => format!("warning: {}", said(&error)),
        };
        self.0.lock().expect("no panic").push(line);
    }
}

/// An error as the command line shows it.
fn said(error: &InstallError) -> String {
    let mut text = error.summary.clone();
    for line in error.detail.lines() {
        let _ = write!(text, "\n  {line}");
    }
    for hint in &error.hints {
        let _ = write!(text, "\nhint: {hint}");
    }
    text
}

/// Installs; failures are one text.
pub(crate) fn install(
    config: &str,
    lock_file: PathBuf,
    cache: PathBuf,
    http: HttpOptions,
    is_offline: bool,
    required: &[RequiredProvider],
    events: &Events,
) -> Result<Vec<InstalledPackage>, String> {
    let settings = InstallSettings {
        lock_file,
        cache: Some(cache),
        is_offline,
        http,
    };
    let config = CliConfig::parse(config).expect("a configuration");
    let installer = Installer::new(config, settings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let installing = installer.install(required, events);
    let outcome = runtime.expect("a runtime").block_on(installing);
    outcome.map_err(|errors| {
        let texts = errors.iter().map(|error| format!("error: {}", said(error)));
        texts.collect::<Vec<_>>().join("\n")
    })
}

impl Rig {
    pub(crate) fn new() -> Self {
        let http = HttpOptions {
            timeout: Duration::from_millis(400),
            retries: 1,
            pause: Duration::from_millis(1),
            authorities: vec![TestRegistry::authority().into()],
            ..HttpOptions::default()
        };
        Self {
            registry: TestRegistry::start(),
            folder: tempfile::tempdir().expect("a folder"),
            config: "provider_installation {\n  direct {}\n}\n".to_owned(),
            http,
            is_offline: false,
            events: Events::default(),
        }
    }

    /// The same cache and registry, and another project.
    pub(crate) fn move_to_another_project(&self) {
        std::fs::remove_file(self.lock_file()).expect("a lock file");
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder.path().join(".terraform.lock.hcl")
    }

    /// The text of the lock file, with names in place of what differs each time.
    pub(crate) fn lock(&self) -> String {
        let text = std::fs::read_to_string(self.lock_file());
        self.filtered(&text.unwrap_or_else(|error| error.to_string()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Uses the network mirror alone.
    pub(crate) fn use_mirror(&mut self) {
        let url = self.registry.mirror();
        self.config = format!(
            "provider_installation {{\n  network_mirror {{\n    url = \"{url}\"\n  }}\n}}\n"
        );
    }

    pub(crate) fn use_token(&mut self, host: &str, token: &str) {
        let mut credentials = Credentials::default();
        credentials.insert(host, token.to_owned());
        self.http.credentials = credentials;
    }

    pub(crate) fn require(&self, type_name: &str, versions: &str) -> RequiredProvider {
        RequiredProvider {
            source: self.registry.source(type_name),
            versions: Some(versions.parse().expect("a requirement")),
        }
    }

    /// Installs; the outcome is the packages.
    pub(crate) fn install(
        &self,
        required: &[RequiredProvider],
    ) -> Result<Vec<InstalledPackage>, String> {
        let http = self.http.clone();
        let (lock, cache) = (self.lock_file(), self.cache());
        install(
            &self.config,
            lock,
            cache,
            http,
            self.is_offline,
            required,
            &self.events,
        )
        .map_err(|said| self.filtered(&said))
    }

    /// Installs the provider `null` and expects that it can be started.
    #[track_caller]
    pub(crate) fn installs(&self, versions: &str) -> InstalledPackage {
        let required = [self.require("null", versions)];
        let installed = self
            .install(&required)
            .unwrap_or_else(|said| panic!("{said}"));
        let [package] = <[InstalledPackage; 1]>::try_from(installed).expect("one package");
        let run = std::process::Command::new(&package.binary).output();
        let output = String::from_utf8(run.expect("it starts").stdout).expect("text");
        let version = package.version.as_ref().expect("a version");
        assert_eq!(output, format!("null {version}\n"));
        self.assert_nothing_half_done();
        package
    }

    /// The reason why the provider `null` is not installed; nothing of it is left.
    #[track_caller]
    pub(crate) fn refuses(&self, versions: &str) -> String {
        let required = [self.require("null", versions)];
        let said = self.install(&required).expect_err("not installed");
        assert_eq!(self.packages(), Vec::<PathBuf>::new(), "{said}");
        assert!(!self.lock_file().exists(), "nothing is recorded: {said}");
        self.assert_nothing_half_done();
        said
    }

    /// What happened since the last call.
    pub(crate) fn take_events(&self) -> String {
        self.filtered(&self.events.take().join("\n"))
    }

    /// The folders of packages in the store.
    pub(crate) fn packages(&self) -> Vec<PathBuf> {
        let packages = self.in_store().into_iter();
        packages.filter(|path| path.is_dir()).collect()
    }

    /// The downloads that broke off, and that a later run can go on with.
    pub(crate) fn partial_downloads(&self) -> Vec<PathBuf> {
        let partial = |path: &PathBuf| path.extension().is_some_and(|end| end == "partial");
        self.in_store().into_iter().filter(partial).collect()
    }

    /// Everything that lies in the folder of a version.
    fn in_store(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.cache().join("providers")];
        // Host, namespace, type, version, platform.
        for _ in 0..5 {
            let entries = paths.iter().flat_map(std::fs::read_dir);
            let entries = entries.flat_map(|entries| entries.filter_map(Result::ok));
            paths = entries.map(|entry| entry.path()).collect();
        }
        paths
    }

    #[track_caller]
    pub(crate) fn assert_nothing_half_done(&self) {
        for package in self.packages() {
            let name = package
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            assert!(!name.starts_with('.'), "{} is left", package.display());
        }
    }

    /// The text with names in place of what differs from run to run.
    pub(crate) fn filtered(&self, text: &str) -> String {
        let port = self.registry.host();
        let port = port.split(':').nth(1).expect("a port");
        let platform = terrane_registry::Platform::current().to_string();
        let text = text
            .replace(&self.folder.path().display().to_string(), "FOLDER")
            .replace(&format!(":{port}"), ":PORT")
            .replace(&platform, "PLATFORM")
            .replace(&platform.replace('_', "/"), "OS/ARCH");
        let words = text.split_inclusive([' ', '\n', '"', ',']).map(|word| {
            let end = word.trim_end_matches([' ', '\n', '"', ',']).len();
            match word.starts_with("zh:") && end == 67 {
                // The bytes of a zip are the library's choice.
                true => format!("zh:SUM{}", &word[end..]),
                false => word.to_owned(),
            }
        });
        let text: String = words.collect();
        match text.split_once(" bytes came in ") {
            Some((before, after)) => {
                let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
                format!("{before}N bytes came in {after}")
            }
            None => text,
        }
    }

    pub(crate) fn package_folder(&self, version: &str) -> PathBuf {
        let ProviderSource {
            host,
            namespace,
            type_name,
        } = self.registry.source("null");
        let folder = self
            .cache()
            .join("providers")
            .join(&*host)
            .join(&*namespace);
        folder
            .join(&*type_name)
            .join(version)
            .join(terrane_registry::Platform::current().to_string())
    }
}
