//! The dependency lock file, `.terraform.lock.hcl`: the version and the package hashes of each provider.
//!
//! The format is Terraform's, so that one file serves Terraform, OpenTofu and terrane. The text is kept as it is; a change is an edit
//! of one entry in it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Body};
use semver::Version;
use terrane_core::addr::ProviderSource;
use thiserror::Error;

use crate::hash::PackageHash;
use crate::lock_text;

/// A lock file in memory.
#[derive(Debug, Clone, Default)]
pub struct LockFile {
    text: String,
    providers: BTreeMap<ProviderSource, LockedProvider>,
}

/// One provider's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedProvider {
    /// The selected version.
    pub version: Version,
    /// The constraint that led to it, in canonical form.
    pub constraints: Option<String>,
    /// Hashes of the version's packages, for any number of platforms; sorted and unique.
    pub hashes: Vec<PackageHash>,
}

/// A lock file cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct LockFileError {
    /// Where and why.
    pub reason: String,
}

impl LockFile {
    /// Reads a lock file; one that does not exist is empty.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn load(path: &Path) -> Result<Self, LockFileError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(LockFileError {
                reason: error.to_string(),
            }),
        }
    }

    /// Writes the lock file in one step. It holds no secret, so that everybody may read it.
    ///
    /// # Errors
    /// When it cannot be written; the old one is still there.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension(format!("hcl.{}", std::process::id()));
        let written = fs::write(&new, &self.text).and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// The right to change a lock file, as long as it is held: two runs that read it and write it back would lose an entry. A file
    /// system that cannot lock a folder gives it to everybody.
    pub(crate) fn hold(path: &Path) -> Option<File> {
        let folder = (path.parent()).filter(|parent| !parent.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).ok()?;
        folder.lock().ok()?;
        Some(folder)
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// When it is not HCL, or an entry is incomplete, wrong or there twice.
    pub fn parse(text: &str) -> Result<Self, LockFileError> {
        let start = lock_text::start(text);
        let refused = |at: usize, reason: String| LockFileError {
            reason: format!("{}: {reason}", lock_text::position(&text[start..], at)),
        };
        let body: Body = text[start..]
            .parse()
            .map_err(|error: hcl_edit::parser::Error| {
                refused(error.location().offset(), error.message().to_owned())
            })?;
        let mut providers = BTreeMap::new();
        for block in body.get_blocks("provider") {
            let at = block.span().map_or(0, |span| span.start);
            let [label] = block.labels.as_slice() else {
                let reason = "a `provider` block needs one label, the provider's address";
                return Err(refused(at, reason.to_owned()));
            };
            let label = label.as_str();
            let source = full_source(label).ok_or_else(|| {
                refused(at, format!("`{label}` is not a provider's full address"))
            })?;
            let locked = LockedProvider::read(&block.body).map_err(|(place, reason)| {
                refused(
                    place.unwrap_or(at),
                    format!("provider \"{source}\": {reason}"),
                )
            })?;
            if providers.insert(source.clone(), locked).is_some() {
                return Err(refused(at, format!("provider \"{source}\" is there twice")));
            }
        }
        Ok(Self {
            text: text.to_owned(),
            providers,
        })
    }

    /// The entry of that provider.
    pub fn get(&self, source: &ProviderSource) -> Option<&LockedProvider> {
        self.providers.get(source)
    }

    /// All entries, by address.
    pub fn providers(&self) -> impl Iterator<Item = (&ProviderSource, &LockedProvider)> {
        self.providers.iter()
    }

    /// Records a provider; reports whether that changed anything.
    pub fn set(&mut self, source: &ProviderSource, mut locked: LockedProvider) -> bool {
        locked.hashes.sort_unstable();
        locked.hashes.dedup();
        let known = self.providers.get(source);
        if known == Some(&locked) {
            return false;
        }
        self.text = lock_text::with_entry(&self.text, source, known, &locked);
        self.providers.insert(source.clone(), locked);
        true
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong with an entry, and at which byte if that is known.
type EntryError = (Option<usize>, String);

impl LockedProvider {
    /// Whether a package with one of these hashes is the recorded one. Without a hash of a scheme that both have, it cannot be told.
    pub fn matches(&self, package: &[PackageHash]) -> Option<bool> {
        let comparable = (self.hashes.iter())
            .any(|known| package.iter().any(|hash| hash.scheme() == known.scheme()));
        comparable.then(|| package.iter().any(|hash| self.hashes.contains(hash)))
    }

    /// Whether a package with these hashes may be used. An entry without hashes records only the version.
    pub fn accepts(&self, package: &[PackageHash]) -> bool {
        self.hashes.is_empty() || self.matches(package) == Some(true)
    }

    fn read(body: &Body) -> Result<Self, EntryError> {
        let at = |attribute: &Attribute| attribute.value.span().map(|span| span.start);
        let text = |name: &str| -> Result<Option<(&Attribute, &str)>, EntryError> {
            let Some(attribute) = body.get_attribute(name) else {
                return Ok(None);
            };
            match attribute.value.as_str() {
                Some(text) => Ok(Some((attribute, text))),
                None => Err((at(attribute), format!("`{name}` must be a string"))),
            }
        };
        let (attribute, version) =
            text("version")?.ok_or_else(|| (None, "it has no `version`".to_owned()))?;
        let version = Version::parse(version).map_err(|_| {
            let reason = format!("`{version}` is not a full version such as `5.1.0`");
            (at(attribute), reason)
        })?;
        let mut hashes = Vec::new();
        if let Some(attribute) = body.get_attribute("hashes") {
            let no_list = || {
                (
                    at(attribute),
                    "`hashes` must be a list of strings".to_owned(),
                )
            };
            let Expression::Array(elements) = &attribute.value else {
                return Err(no_list());
            };
            for element in elements {
                let hash = element.as_str().ok_or_else(no_list)?;
                let place = element.span().map(|span| span.start);
                let hash = hash.parse::<PackageHash>();
                hashes.push(hash.map_err(|error| (place, error.to_string()))?);
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Ok(Self {
            version,
            constraints: text("constraints")?.map(|(_, text)| text.to_owned()),
            hashes,
        })
    }
}

/// `HOST/NAMESPACE/TYPE`: lock files never leave out the host.
pub(crate) fn full_source(text: &str) -> Option<ProviderSource> {
    (text.split('/').count() == 3).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/null" {
  version     = "3.2.4"
  constraints = "~> 3.2"
  hashes = [
    "h1:L5V05xwp/Gto1leRryuesxjMfgZwjb7oool4WS1UEFQ=",
    "zh:59f6b52ab4ff35739647f9509ee6d93d7c032985d9f8c6237d1f8a59471bbbe2",
  ]
}

# Pinned: 4.0 is broken.
provider "registry.terraform.io/hashicorp/tls" {
  version = "4.1.0"
  hashes = [
    "h1:zEv9tY1KR5vaLSyp2lkrucNJ+Vq3c+sTFK9GyQGLtFs=",
  ]
}
"#;

    fn source(text: &str) -> ProviderSource {
        full_source(text).expect("a source")
    }

    fn locked(version: &str, constraints: Option<&str>, hashes: &[&str]) -> LockedProvider {
        LockedProvider {
            version: version.parse().expect("a version"),
            constraints: constraints.map(str::to_owned),
            hashes: hashes
                .iter()
                .map(|hash| hash.parse().expect("a hash"))
                .collect(),
        }
    }

    #[test]
    fn a_lock_file_of_terraform_is_read_and_written_back_unchanged() {
        let mut file = LockFile::parse(THEIRS).expect("readable");
        let null = source("registry.terraform.io/hashicorp/null");
        let entry = file.get(&null).expect("there").clone();
        assert_eq!(entry.version, Version::new(3, 2, 4));
        assert_eq!(entry.constraints.as_deref(), Some("~> 3.2"));
        assert_eq!(entry.hashes.len(), 2);
        assert!(!file.set(&null, entry));
        assert_eq!(file.to_string(), THEIRS);
    }

    #[test]
    fn entries_that_do_not_change_keep_their_text_and_new_ones_stand_in_order() {
        let mut file = LockFile::parse(THEIRS).expect("readable");
        let changed = locked("4.2.0", Some("~> 4.0"), &["zh:aa", "h1:bb=", "zh:aa"]);
        assert!(file.set(&source("registry.terraform.io/hashicorp/tls"), changed));
        let first = locked("1.0.0", None, &["h1:cc="]);
        assert!(file.set(&source("registry.opentofu.org/acme/first"), first.clone()));
        assert!(file.set(&source("registry.terraform.io/hashicorp/random"), first));
        insta::assert_snapshot!(file.to_string(), @r#"
        # This file is maintained automatically by "terraform init".
        # Manual edits may be lost in future updates.

        provider "registry.opentofu.org/acme/first" {
          version = "1.0.0"
          hashes = [
            "h1:cc=",
          ]
        }

        provider "registry.terraform.io/hashicorp/null" {
          version     = "3.2.4"
          constraints = "~> 3.2"
          hashes = [
            "h1:L5V05xwp/Gto1leRryuesxjMfgZwjb7oool4WS1UEFQ=",
            "zh:59f6b52ab4ff35739647f9509ee6d93d7c032985d9f8c6237d1f8a59471bbbe2",
          ]
        }

        provider "registry.terraform.io/hashicorp/random" {
          version = "1.0.0"
          hashes = [
            "h1:cc=",
          ]
        }

        # Pinned: 4.0 is broken.
        provider "registry.terraform.io/hashicorp/tls" {
          version     = "4.2.0"
          constraints = "~> 4.0"
          hashes = [
            "h1:bb=",
            "zh:aa",
          ]
        }
        "#);
        let again = LockFile::parse(&file.to_string()).expect("readable");
        assert_eq!(again.providers, file.providers);
    }

    #[test]
    fn a_new_file_explains_itself() {
        let mut file = LockFile::default();
        let entry = locked(
            "1.0.0-beta.1",
            Some(">= 1.0.0-beta.1, < 2.0.0"),
            &["h1:cc="],
        );
        file.set(&source("registry.opentofu.org/acme/one"), entry.clone());
        file.set(&source("registry.opentofu.org/acme/two"), entry);
        insta::assert_snapshot!(file.to_string(), @r#"
        # This file records the providers of this program: their versions and the hashes of their packages.
        # terrane, Terraform and OpenTofu maintain it; commit it.

        provider "registry.opentofu.org/acme/one" {
          version     = "1.0.0-beta.1"
          constraints = ">= 1.0.0-beta.1, < 2.0.0"
          hashes = [
            "h1:cc=",
          ]
        }

        provider "registry.opentofu.org/acme/two" {
          version     = "1.0.0-beta.1"
          constraints = ">= 1.0.0-beta.1, < 2.0.0"
          hashes = [
            "h1:cc=",
          ]
        }
        "#);
    }

    #[test]
    fn damaged_files_are_refused_with_the_reason() {
        let reason = |text: &str| LockFile::parse(text).expect_err("refused").reason;
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \n}\n"), @r#"line 2, column 13: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit"#);
        insta::assert_snapshot!(reason("provider \"a/b\" {}\n"), @"line 1, column 1: `a/b` is not a provider's full address");
        insta::assert_snapshot!(reason("provider \"a/b/c\" {}\n"), @r#"line 1, column 1: provider "a/b/c": it has no `version`"#);
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \"1.0\"\n}\n"), @r#"line 2, column 13: provider "a/b/c": `1.0` is not a full version such as `5.1.0`"#);
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \"1.0.0\"\n  hashes = [1]\n}\n"), @r#"line 3, column 12: provider "a/b/c": `hashes` must be a list of strings"#);
        let twice = "provider \"a/b/c\" {\n  version = \"1.0.0\"\n}\n".repeat(2);
        insta::assert_snapshot!(reason(&twice), @r#"line 4, column 1: provider "a/b/c" is there twice"#);
    }

    #[test]
    fn a_package_matches_by_any_hash_of_a_scheme_that_both_have() {
        let entry = locked("1.0.0", None, &["h1:aa=", "h1:bb=", "zh:cc"]);
        let package = |hashes: &[&str]| -> Vec<PackageHash> {
            hashes
                .iter()
                .map(|hash| hash.parse().expect("a hash"))
                .collect()
        };
        assert_eq!(entry.matches(&package(&["h1:bb="])), Some(true));
        assert_eq!(entry.matches(&package(&["h1:dd=", "zh:cc"])), Some(true));
        assert_eq!(entry.matches(&package(&["h1:dd="])), Some(false));
        assert_eq!(entry.matches(&package(&["h9:dd="])), None);
    }
}
