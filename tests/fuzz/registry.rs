//! The files that an installation reads: lock files and CLI configurations.

use terrane_registry::{CliConfig, LockFile, LockedProvider};

use crate::drive::{Target, run};
use crate::mutate::Numbers;

pub(crate) struct LockFiles;

pub(crate) struct CliConfigs;

const LOCK_FILE: &str = r#"# This file is maintained automatically by "terraform init".

# Pinned.
provider "registry.terraform.io/hashicorp/null" {
  version     = "3.2.4" # not 3.2.5
  constraints = "~> 3.2"
  hashes = [
    "h1:L5V05xwp/Gto1leRryuesxjMfgZwjb7oool4WS1UEFQ=",
    /* of the
       zip */
    "zh:59f6b52ab4ff35739647f9509ee6d93d7c032985d9f8c6237d1f8a59471bbbe2",
  ]
  later = { a = [1, 2.5], "b" = null, c = "${d}" }
}

provider "registry.terraform.io/hashicorp/tls" {
  version = "4.1.0"
}
"#;

const NATIVE: &str = r#"
plugin_cache_dir = "$HOME/cache" // here
credentials "example.com" { token = "t" }
host "example.com" { services = { "providers.v1" = "https://example.com/p/" } }
provider_installation {
  dev_overrides { "hashicorp/null" = "/x" }
  filesystem_mirror {
    path    = "/mirror"
    include = ["example.com/*/*"]
  }
  network_mirror { url = "https://example.com/m/" }
  direct { exclude = ["a/*", "b/*",] }
}
"#;

const JSON: &str = r#"{"credentials": {"example.com": {"token": "t"}}, "provider_installation": [{"direct": {"exclude": ["a/*"]}}]}"#;

impl Target for LockFiles {
    fn name(&self) -> &'static str {
        "lock_file"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let crlf = LOCK_FILE.replace('\n', "\r\n");
        vec![LOCK_FILE.into(), crlf.into_bytes()]
    }

    fn judge(&self, input: &[u8], numbers: &mut Numbers) {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let mut lock = match LockFile::parse(text) {
            Ok(lock) => lock,
            Err(error) => return assert!(error.to_string().starts_with("line "), "{error}"),
        };
        assert_eq!(lock.to_string(), text);
        let before: Vec<_> = lock
            .providers()
            .map(|(source, locked)| (source.clone(), locked.clone()))
            .collect();
        let names = [
            "a.example/b/c",
            "registry.terraform.io/hashicorp/null",
            "registry.terraform.io/hashicorp/tls",
        ];
        let source = numbers.pick(&names).parse().expect("a source");
        let locked = LockedProvider {
            version: "9.9.9".parse().expect("a version"),
            constraints: (numbers.below(2) == 0).then(|| "~> 9.0".to_owned()),
            hashes: vec!["h1:x".parse().expect("a hash")],
        };
        lock.set(&source, locked.clone());
        let again = LockFile::parse(&lock.to_string()).expect("what was written is read");
        assert_eq!(again.get(&source), Some(&locked));
        for (other, locked) in before.iter().filter(|(other, _)| *other != source) {
            assert_eq!(again.get(other), Some(locked));
        }
    }
}

impl Target for CliConfigs {
    fn name(&self) -> &'static str {
        "cli_config"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![NATIVE.into(), JSON.into()]
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        if let Ok(text) = std::str::from_utf8(input)
            && let Err(reason) = CliConfig::parse(text)
        {
            assert!(!reason.is_empty());
        }
    }
}

#[test]
fn lock_files() {
    LockFile::parse(LOCK_FILE).expect("the seed is a lock file");
    run(&LockFiles);
}

#[test]
fn cli_configs() {
    CliConfig::parse(NATIVE).expect("the seed is a configuration");
    CliConfig::parse(JSON).expect("the seed is a configuration");
    run(&CliConfigs);
}
