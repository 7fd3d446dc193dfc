//! Finds the binary of a provider on this machine.

use std::path::{Path, PathBuf};

use terrane_core::addr::ProviderSource;

use super::cli_config::{CliConfig, shown};
use super::trust;
use super::version::{Version, VersionRequirement};
use crate::provider::StartError;

/// A binary that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) binary: PathBuf,
    /// None for one under development, whose version is unknown.
    pub(crate) version: Option<Version>,
}

/// [`search`], refusing binaries that other users could replace.
pub(crate) fn find(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
) -> Result<Found, StartError> {
    let found = search(config, source, requirement)?;
    let user = rustix::process::geteuid().as_raw();
    trust::check(&found.binary, source, user)?;
    Ok(found)
}

/// The best binary of that provider: the one under development, else the newest version that will do in the first place that
/// has one.
fn search(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
) -> Result<Found, StartError> {
    if let Some(directory) = config.dev_overrides.get(source) {
        return match executable(directory, source) {
            Some(binary) => Ok(Found {
                binary,
                version: None,
            }),
            None => {
                let mut error =
                    StartError::new(format!("cannot find the binary of provider {source}"));
                error.detail = format!(
                    "{} is named by dev_overrides and holds no file terraform-provider-{}",
                    shown(directory),
                    source.type_name
                );
                Err(error)
            }
        };
    }
    let mut searched = Vec::new();
    for method in config
        .methods
        .iter()
        .filter(|method| method.applies_to(source))
    {
        let Some(mirror) = method.mirror.as_ref().or(config.plugin_cache_dir.as_ref()) else {
            continue;
        };
        let shelf = Shelf::read(mirror, source);
        let mut versions: Vec<&(Version, PathBuf)> = shelf.unpacked.iter().collect();
        versions.sort_by(|(a, _), (b, _)| b.cmp(a));
        let fits = |version: &Version| requirement.is_none_or(|wanted| wanted.allows(version));
        for (version, package) in versions.iter().filter(|(version, _)| fits(version)) {
            if let Some(binary) = executable(package, source) {
                return Ok(Found {
                    binary,
                    version: Some(version.clone()),
                });
            }
        }
        searched.push(shelf.described(mirror, &versions));
    }
    Err(not_found(config, source, requirement, &searched))
}

fn not_found(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
    searched: &[String],
) -> StartError {
    let wanted = requirement.map_or_else(String::new, |wanted| format!(" {wanted}"));
    let mut error = StartError::new(format!("provider {source}{wanted} is not installed"));
    error.detail = if searched.is_empty() {
        match &config.file {
            Some(file) => format!("{} names no directory for it", shown(file)),
            None => "there is no CLI configuration that names a directory for it".to_owned(),
        }
    } else {
        format!("searched:\n{}", searched.join("\n"))
    };
    error.hints = vec![
        format!(
            "put it under DIRECTORY/{source}/VERSION/{}/ and name DIRECTORY in a `filesystem_mirror` block, or name the \
             directory of its binary in `dev_overrides`, of the CLI configuration ({})",
            platform(),
            match &config.file {
                Some(file) => shown(file),
                None => "~/.terraformrc, or the file TF_CLI_CONFIG_FILE names".to_owned(),
            }
        ),
        format!(
            "`terraform providers mirror DIRECTORY` or `tofu providers mirror DIRECTORY` fetches {source} into that layout; unpack its zip"
        ),
    ];
    error
}

/// The versions of one provider in one mirror.
struct Shelf {
    unpacked: Vec<(Version, PathBuf)>,
    packed: Vec<String>,
}

impl Shelf {
    fn read(mirror: &Path, source: &ProviderSource) -> Self {
        let directory = (mirror.join(&*source.host))
            .join(&*source.namespace)
            .join(&*source.type_name);
        let mut shelf = Self {
            unpacked: Vec::new(),
            packed: Vec::new(),
        };
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.ends_with(&format!("_{}.zip", platform())) {
                shelf.packed.push(name.to_owned());
            } else if let Ok(version) = name.parse() {
                let package = entry.path().join(platform());
                if package.is_dir() {
                    shelf.unpacked.push((version, package));
                }
            }
        }
        shelf.packed.sort();
        shelf
    }

    fn described(&self, mirror: &Path, versions: &[&(Version, PathBuf)]) -> String {
        let mut text = format!("  {}", shown(mirror));
        if !versions.is_empty() {
            let versions: Vec<_> = versions
                .iter()
                .map(|(version, _)| version.to_string())
                .collect();
            text = format!("{text} (has {})", versions.join(", "));
        }
        if !self.packed.is_empty() {
            text = format!("{text} (has {}, not unpacked)", self.packed.join(", "));
        }
        text
    }
}

/// The provider's executable in a package: `terraform-provider-TYPE`, then the end, `_` or `.`; the first by name.
fn executable(directory: &Path, source: &ProviderSource) -> Option<PathBuf> {
    let prefix = format!("terraform-provider-{}", source.type_name);
    let entries = std::fs::read_dir(directory).ok()?;
    (entries.flatten())
        .filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            rest.is_some_and(|rest| matches!(rest.as_bytes().first(), None | Some(b'_' | b'.')))
        })
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .min()
}

/// This machine as registries name it: `linux_amd64`.
fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{arch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(versions: &[&str]) -> (tempfile::TempDir, CliConfig) {
        let mirror = tempfile::tempdir().expect("a directory");
        let shelf = mirror.path().join("registry.terraform.io/hashicorp/null");
        for version in versions {
            let package = shelf.join(version).join(platform());
            std::fs::create_dir_all(&package).expect("made");
            let binary = package.join(format!("terraform-provider-null_v{version}_x5"));
            std::fs::write(binary, "").expect("written");
        }
        let text = format!(
            "provider_installation {{ filesystem_mirror {{ path = {:?} }} }}",
            mirror.path()
        );
        let config = CliConfig::parse(&text).expect("readable");
        (mirror, config)
    }

    fn null() -> ProviderSource {
        ProviderSource::implied_by("null_resource")
    }

    #[test]
    fn the_newest_version_that_will_do_is_taken() {
        let (_mirror, config) = mirror(&["3.2.0", "3.10.0", "4.0.0-rc1"]);
        let version = |requirement: Option<&str>| {
            let requirement = requirement.map(|text| text.parse().expect("a requirement"));
            let found = find(&config, &null(), requirement.as_ref()).expect("found");
            found.version.expect("has one").to_string()
        };
        assert_eq!(version(Some("~> 3.1")), "3.10.0");
        assert_eq!(version(Some("3.2.0")), "3.2.0");
        assert_eq!(version(Some("4.0.0-rc1")), "4.0.0-rc1");
    }

    #[test]
    fn what_is_missing_says_where_we_looked_and_what_to_do() {
        let (mirror, config) = mirror(&["3.2.0"]);
        let shelf = mirror.path().join("registry.terraform.io/hashicorp/null");
        let zip = format!("terraform-provider-null_5.0.0_{}.zip", platform());
        std::fs::write(shelf.join(zip), "").expect("written");
        let requirement = "5.0.0".parse().expect("a requirement");
        let error = find(&config, &null(), Some(&requirement)).expect_err("not there");
        let detail = (error.detail)
            .replace(&mirror.path().display().to_string(), "MIRROR")
            .replace(&platform(), "PLATFORM");
        insta::assert_snapshot!(format!("{error}\n{detail}"), @"
        provider registry.terraform.io/hashicorp/null 5.0.0 is not installed
        searched:
          MIRROR (has 3.2.0) (has terraform-provider-null_5.0.0_PLATFORM.zip, not unpacked)
        ");
        assert!(error.hints[0].contains("dev_overrides"));
    }

    #[test]
    fn an_override_wins_over_every_version_and_must_hold_the_binary() {
        let (mirror, mut config) = mirror(&["3.2.0"]);
        let development = mirror.path().join("dev");
        std::fs::create_dir(&development).expect("made");
        config.dev_overrides.insert(null(), development.clone());
        assert!(find(&config, &null(), None).is_err());
        let binary = development.join("terraform-provider-null");
        std::fs::write(&binary, "").expect("written");
        std::fs::write(development.join("terraform-provider-nullable"), "").expect("written");
        let found = find(&config, &null(), None).expect("found");
        assert_eq!((found.binary, found.version), (binary, None));
    }
}
