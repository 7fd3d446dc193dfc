//! Finds the package of a provider on this machine, without any network.

use std::path::{Path, PathBuf};

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::cli_config::{CliConfig, InstallationPlace};
use crate::error::InstallError;
use crate::installation::RequiredProvider;
use crate::platform::Platform;
use crate::trust;
use crate::version::VersionRequirement;

/// A binary that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedProvider {
    /// The file that is started.
    pub binary: PathBuf,
    /// None for one under development, whose version is unknown.
    pub version: Option<Version>,
}

/// The best binary of that provider on this machine, refusing those that other users could replace: the one under development, else the
/// newest version that will do in the first place that has one.
///
/// # Errors
/// When there is none, with where it was looked for and what to do.
pub fn locate(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
) -> Result<LocatedProvider, InstallError> {
    let found = search(config, source, requirement)?;
    check_trust(&found.binary, source)?;
    Ok(found)
}

/// Refuses a binary that other users could replace.
pub(crate) fn check_trust(binary: &Path, source: &ProviderSource) -> Result<(), InstallError> {
    let user = rustix::process::geteuid().as_raw();
    trust::check(binary, source, user)
}

fn search(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
) -> Result<LocatedProvider, InstallError> {
    if let Some(found) = under_development(config, source)? {
        return Ok(found);
    }
    let mut searched = Vec::new();
    for method in (config.methods.iter()).filter(|method| method.applies_to(source)) {
        let mirror = match &method.place {
            InstallationPlace::FilesystemMirror(mirror) => mirror,
            InstallationPlace::NetworkMirror(_)
            | InstallationPlace::OciMirror
            | InstallationPlace::Direct => {
                let Some(cache) = &config.plugin_cache_dir else {
                    continue;
                };
                cache
            }
        };
        let shelf = Shelf::read(mirror, source, &Platform::current());
        for (version, package) in shelf.allowed(requirement) {
            if let Package::Unpacked(package) = package
                && let Some(binary) = executable(package, source)
            {
                return Ok(LocatedProvider {
                    binary,
                    version: Some(version.clone()),
                });
            }
        }
        searched.push(shelf.described(mirror));
    }
    Err(not_installed(config, source, requirement, &searched))
}

/// The binary that `dev_overrides` names.
pub(crate) fn under_development(
    config: &CliConfig,
    source: &ProviderSource,
) -> Result<Option<LocatedProvider>, InstallError> {
    let Some(directory) = config.dev_overrides.get(source) else {
        return Ok(None);
    };
    match executable(directory, source) {
        Some(binary) => Ok(Some(LocatedProvider {
            binary,
            version: None,
        })),
        None => {
            let error = InstallError::new(format!("cannot find the binary of provider {source}"));
            Err(error.detail(format!(
                "{} is named by dev_overrides and holds no file terraform-provider-{}",
                directory.display(),
                source.type_name
            )))
        }
    }
}

/// The error for a provider that is nowhere.
pub(crate) fn not_installed(
    config: &CliConfig,
    source: &ProviderSource,
    requirement: Option<&VersionRequirement>,
    searched: &[String],
) -> InstallError {
    let wanted = requirement.map_or_else(String::new, |wanted| format!(" {wanted}"));
    let error = InstallError::new(format!("provider {source}{wanted} is not installed"));
    let (place, said) = match &config.file {
        Some(file) => (file.display().to_string(), file.display().to_string()),
        None => (
            "~/.terraformrc, or the file TF_CLI_CONFIG_FILE names".to_owned(),
            "there is no CLI configuration that".to_owned(),
        ),
    };
    let error = error.detail(match searched {
        [] if config.file.is_some() => format!("{said} names no directory for it"),
        [] => format!("{said} names a directory for it"),
        _ => format!("searched:\n{}", searched.join("\n")),
    });
    error.hint(format!(
        "put it under DIRECTORY/{source}/VERSION/{}/ and name DIRECTORY in a `filesystem_mirror` block, or name the directory of its \
         binary in `dev_overrides`, of the CLI configuration ({place})",
        Platform::current(),
    ))
}

/// The versions of one provider in one mirror, newest first.
pub(crate) struct Shelf(Vec<(Version, Package)>);

/// How a mirror holds a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Package {
    /// A zip.
    Packed(PathBuf),
    /// A folder; it comes before a zip of the same version.
    Unpacked(PathBuf),
}

impl Shelf {
    /// What the mirror has for that platform.
    pub(crate) fn read(mirror: &Path, source: &ProviderSource, platform: &Platform) -> Self {
        let directory = (mirror.join(&*source.host))
            .join(&*source.namespace)
            .join(&*source.type_name);
        let prefix = format!("terraform-provider-{}_", source.type_name);
        let suffix = format!("_{platform}.zip");
        let mut packages = Vec::new();
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let packed = name
                .strip_prefix(&prefix)
                .and_then(|rest| rest.strip_suffix(&suffix));
            if let Some(version) = packed.and_then(|version| version.parse().ok()) {
                packages.push((version, Package::Packed(entry.path())));
            } else if let Ok(version) = name.parse() {
                let package = entry.path().join(platform.to_string());
                if package.is_dir() {
                    packages.push((version, Package::Unpacked(package)));
                }
            }
        }
        packages.sort_by(|a, b| b.cmp(a));
        Self(packages)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that the requirement allows.
    pub(crate) fn allowed(
        &self,
        requirement: Option<&VersionRequirement>,
    ) -> impl Iterator<Item = &(Version, Package)> {
        let packages = self.0.iter();
        packages.filter(move |(version, _)| requirement.is_none_or(|it| it.allows(version)))
    }

    /// The package of exactly that version, or the newest that will do.
    pub(crate) fn best(
        &self,
        version: Option<&Version>,
        required: &RequiredProvider,
    ) -> Option<&(Version, Package)> {
        (self.0.iter()).find(|(found, _)| match version {
            Some(version) => found == version,
            None => required.allows(found),
        })
    }

    /// A line for messages.
    pub(crate) fn described(&self, mirror: &Path) -> String {
        let versions: Vec<String> = (self.0.iter())
            .map(|(version, package)| match package {
                Package::Packed(_) => format!("{version} as a zip"),
                Package::Unpacked(_) => version.to_string(),
            })
            .collect();
        match versions[..] {
            [] => format!("  {}", mirror.display()),
            _ => format!("  {} (has {})", mirror.display(), versions.join(", ")),
        }
    }
}

/// The provider's executable in a package: `terraform-provider-TYPE`, then the end, `_` or `.`; the first by name.
pub(crate) fn executable(directory: &Path, source: &ProviderSource) -> Option<PathBuf> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(versions: &[&str]) -> (tempfile::TempDir, CliConfig) {
        let mirror = tempfile::tempdir().expect("a directory");
        let shelf = mirror.path().join(null().to_string());
        for version in versions {
            let package = shelf.join(version).join(Platform::current().to_string());
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
            let found = locate(&config, &null(), requirement.as_ref()).expect("found");
            found.version.expect("has one").to_string()
        };
        assert_eq!(version(Some("~> 3.1")), "3.10.0");
        assert_eq!(version(Some("3.2.0")), "3.2.0");
        assert_eq!(version(Some("4.0.0-rc1")), "4.0.0-rc1");
    }

    #[test]
    fn what_is_missing_says_where_we_looked_and_what_to_do() {
        let (mirror, config) = mirror(&["3.2.0"]);
        let shelf = mirror.path().join(null().to_string());
        let zip = format!("terraform-provider-null_5.0.0_{}.zip", Platform::current());
        std::fs::write(shelf.join(zip), "").expect("written");
        let requirement = "6.0.0".parse().expect("a requirement");
        let error = locate(&config, &null(), Some(&requirement)).expect_err("not there");
        let detail = (error.detail).replace(&mirror.path().display().to_string(), "MIRROR");
        let said = format!("{}\n{detail}", error.summary).replace(&null().to_string(), "NULL");
        insta::assert_snapshot!(said, @"
        provider NULL 6.0.0 is not installed
        searched:
          MIRROR (has 5.0.0 as a zip, 3.2.0)
        ");
        assert!(error.hints[0].contains("dev_overrides"));
    }

    #[test]
    fn an_override_wins_over_every_version_and_must_hold_the_binary() {
        let (mirror, mut config) = mirror(&["3.2.0"]);
        let development = mirror.path().join("dev");
        std::fs::create_dir(&development).expect("made");
        config.dev_overrides.insert(null(), development.clone());
        assert!(locate(&config, &null(), None).is_err());
        let binary = development.join("terraform-provider-null");
        std::fs::write(&binary, "").expect("written");
        std::fs::write(development.join("terraform-provider-nullable"), "").expect("written");
        let found = locate(&config, &null(), None).expect("found");
        assert_eq!((found.binary, found.version), (binary, None));
    }
}
