//! The dependency lock file, `.terraform.lock.hcl`: the version and the package hashes of each provider.
//!
//! The format is Terraform's, so that one file serves Terraform, OpenTofu and terrane. An entry that does not change keeps
//! its text byte for byte, with its comments.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use hcl_edit::Decorate as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body, Structure};
use semver::Version;
use terrane_core::addr::ProviderSource;
use thiserror::Error;

use crate::hash::PackageHash;

const HEADER: &str = "\
# This file records the providers of this program: their versions and the hashes of their packages.
# terrane, Terraform and OpenTofu maintain it; commit it.
";

/// A lock file in memory.
#[derive(Debug, Clone)]
pub struct LockFile {
    body: Body,
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

impl Default for LockFile {
    fn default() -> Self {
        Self {
            body: Body::new(),
            providers: BTreeMap::new(),
        }
    }
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
            Err(error) => Err(refused(error.to_string())),
        }
    }

    /// Writes the lock file in one step. It holds no secret, so that everybody may read it.
    ///
    /// # Errors
    /// When it cannot be written; the old one is still there.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension(format!("hcl.{}", std::process::id()));
        let written = fs::write(&new, self.to_string()).and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// When it is not HCL, or an entry is incomplete, wrong or there twice.
    pub fn parse(text: &str) -> Result<Self, LockFileError> {
        let body: Body = text.parse().map_err(|error: hcl_edit::parser::Error| {
            refused(format!(
                "line {}: {}",
                error.location().line(),
                error.message()
            ))
        })?;
        let mut providers = BTreeMap::new();
        for block in body.get_blocks("provider") {
            let [label] = block.labels.as_slice() else {
                return Err(refused(
                    "a `provider` block needs one label, the provider's address".to_owned(),
                ));
            };
            let source = full_source(label.as_str()).ok_or_else(|| {
                refused(format!(
                    "`{}` is not a provider's full address",
                    label.as_str()
                ))
            })?;
            let locked = LockedProvider::read(&block.body)
                .map_err(|reason| refused(format!("provider \"{source}\": {reason}")))?;
            if providers.insert(source.clone(), locked).is_some() {
                return Err(refused(format!("provider \"{source}\" is there twice")));
            }
        }
        Ok(Self { body, providers })
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
        if self.providers.get(source) == Some(&locked) {
            return false;
        }
        let mut block = locked.block(source);
        let known = self.position(|existing| existing == Some(source));
        if let Some(index) = known {
            let old = self.body.remove(index);
            *block.decor_mut() = old.decor().clone();
            self.body.insert(index, block);
        } else {
            // Terraform sorts entries by address.
            let next = self.position(|existing| existing.is_some_and(|other| other > source));
            let index = next.unwrap_or(self.body.len());
            let mut prefix = "\n";
            if index == 0 && self.body.is_empty() {
                block.decor_mut().set_prefix(format!("{HEADER}\n"));
            } else if index == 0 {
                // The comment at the top stays at the top.
                if let Some(first) = self.body.get_mut(0) {
                    let header = first
                        .decor()
                        .prefix()
                        .map_or_else(String::new, |raw| raw.to_string());
                    first.decor_mut().set_prefix("\n");
                    block.decor_mut().set_prefix(header);
                    prefix = "";
                }
            }
            if index > 0 {
                block.decor_mut().set_prefix(prefix);
            }
            self.body.insert(index, block);
        }
        self.providers.insert(source.clone(), locked);
        true
    }

    fn position(&self, wanted: impl Fn(Option<&ProviderSource>) -> bool) -> Option<usize> {
        self.body.iter().position(|structure| {
            let block = structure
                .as_block()
                .filter(|block| block.has_ident("provider"));
            let source = block.and_then(|block| full_source(block.labels.first()?.as_str()));
            wanted(source.as_ref())
        })
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}

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

    fn read(body: &Body) -> Result<Self, String> {
        let text = |name: &str| -> Result<Option<&str>, String> {
            match body.get_attribute(name).map(|attribute| &attribute.value) {
                None => Ok(None),
                Some(value) => {
                    (value.as_str().map(Some)).ok_or_else(|| format!("`{name}` must be a string"))
                }
            }
        };
        let version = text("version")?.ok_or("it has no `version`")?;
        let parsed = Version::parse(version)
            .map_err(|_| format!("`{version}` is not a full version such as `5.1.0`"))?;
        let mut hashes = Vec::new();
        if let Some(attribute) = body.get_attribute("hashes") {
            let Expression::Array(elements) = &attribute.value else {
                return Err("`hashes` must be a list of strings".to_owned());
            };
            for element in elements {
                let element = element
                    .as_str()
                    .ok_or("`hashes` must be a list of strings")?;
                hashes.push(
                    element
                        .parse::<PackageHash>()
                        .map_err(|error| error.to_string())?,
                );
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Ok(Self {
            version: parsed,
            constraints: text("constraints")?.map(str::to_owned),
            hashes,
        })
    }

    /// The entry as Terraform lays it out.
    fn block(&self, source: &ProviderSource) -> Block {
        let quoted = |text: &str| Expression::from(text).to_string();
        let version = quoted(&self.version.to_string());
        let mut text = match &self.constraints {
            None => format!("  version = {version}\n"),
            Some(constraints) => format!(
                "  version     = {version}\n  constraints = {}\n",
                quoted(constraints)
            ),
        };
        if !self.hashes.is_empty() {
            text.push_str("  hashes = [\n");
            for hash in &self.hashes {
                writeln!(text, "    {},", quoted(hash.as_str()))
                    .expect("invariant: a String takes every write");
            }
            text.push_str("  ]\n");
        }
        let text = format!("provider {} {{\n{text}}}\n", quoted(&source.to_string()));
        let body: Body = text.parse().expect("invariant: quoted strings are HCL");
        match body.into_iter().next() {
            Some(Structure::Block(block)) => block,
            _ => unreachable!("the text is one block"),
        }
    }
}

fn refused(reason: String) -> LockFileError {
    LockFileError { reason }
}

/// `HOST/NAMESPACE/TYPE`: lock files never leave out the host.
fn full_source(text: &str) -> Option<ProviderSource> {
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
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \n}\n"), @r#"line 2: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit"#);
        insta::assert_snapshot!(reason("provider \"a/b\" {}\n"), @"`a/b` is not a provider's full address");
        insta::assert_snapshot!(reason("provider \"a/b/c\" {}\n"), @r#"provider "a/b/c": it has no `version`"#);
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \"1.0\"\n}\n"), @r#"provider "a/b/c": `1.0` is not a full version such as `5.1.0`"#);
        insta::assert_snapshot!(reason("provider \"a/b/c\" {\n  version = \"1.0.0\"\n  hashes = [1]\n}\n"), @r#"provider "a/b/c": `hashes` must be a list of strings"#);
        let twice = "provider \"a/b/c\" {\n  version = \"1.0.0\"\n}\n".repeat(2);
        insta::assert_snapshot!(reason(&twice), @r#"provider "a/b/c" is there twice"#);
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
