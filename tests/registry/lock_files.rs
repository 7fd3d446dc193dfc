//! Lock files of Terraform and OpenTofu: kept byte for byte, changed in one place, with the same hashes.

use std::fs;

use proptest::prelude::*;
use terrane_registry::{LockFile, LockedProvider, PackageHash};

/// One entry of a file, with the lines that stand above it.
#[derive(Debug, Clone)]
struct Entry {
    above: String,
    name: &'static str,
    text: String,
}

/// Their order is that of their names, as Terraform keeps it.
const NAMES: [&str; 5] = [
    "registry.example.com/acme/null",
    "registry.opentofu.org/hashicorp/random",
    "registry.terraform.io/hashicorp/aws",
    "registry.terraform.io/hashicorp/tls",
    "registry.terraform.io/hashicorp/xyz",
];

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        1 => "# [a-zA-Z\u{e4} \"{}=]{0,12}\n",
        1 => "// [a-z ]{0,12}\n",
        1 => "/\\* [a-z]{0,6}\n   [a-z]{0,6} \\*/\n",
    ]
}

fn hash() -> impl Strategy<Value = String> {
    prop_oneof!["h1:[A-Za-z0-9+/]{43}=", "zh:[0-9a-f]{64}", "h9:[a-z]{3}"]
}

fn hashes() -> impl Strategy<Value = String> {
    let one_a_line = proptest::collection::vec((comment(), hash()), 0..4).prop_map(|lines| {
        let lines = lines.iter().map(|(comment, hash)| {
            let comment = comment.replace('\n', "\n    ");
            format!("    {comment}\"{hash}\",\n")
        });
        format!("[\n{}  ]", lines.collect::<String>())
    });
    let in_one_line = proptest::collection::vec(hash(), 0..3).prop_map(|hashes| {
        format!(
            "[{}]",
            hashes
                .iter()
                .map(|hash| format!("\"{hash}\""))
                .collect::<Vec<_>>()
                .join(" , ")
        )
    });
    prop_oneof![3 => one_a_line, 1 => in_one_line]
}

/// What stands between the braces, a line or more each.
fn lines() -> impl Strategy<Value = String> {
    let version = prop_oneof![
        Just("version     = \"1.2.3\""),
        Just("version=\"1.2.3\" # pinned"),
        Just("version = /* now */ \"1.2.3\""),
    ];
    let constraints = prop_oneof![
        Just(None),
        Just(Some("constraints = \"~> 1.2, != 1.2.4\"")),
        Just(Some("constraints=\">= 1.0.0-beta1\" // why")),
    ];
    let unknown = prop_oneof![
        3 => Just(None),
        1 => Just(Some("later = { a = [1, 2.50], \"b\" = null }")),
        1 => Just(Some("signed \"by\" \"us\" {\n    key = \"\\u0041${\"x\"}\"\n  }")),
        1 => Just(Some("text = <<EOT\n  a\nEOT")),
    ];
    let hashes = proptest::option::weighted(0.9, hashes());
    (
        version,
        constraints,
        unknown,
        hashes,
        [comment(), comment(), comment()],
        any::<bool>(),
    )
        .prop_map(
            |(version, constraints, unknown, hashes, [first, second, last], is_unknown_first)| {
                let hashes = hashes.map(|hashes| format!("hashes = {hashes}"));
                let mut lines = vec![version.to_owned()];
                lines.extend(constraints.map(str::to_owned));
                lines.extend(hashes);
                let unknown = unknown.map(str::to_owned);
                match is_unknown_first {
                    true => lines.splice(0..0, unknown).for_each(drop),
                    false => lines.extend(unknown),
                }
                let lines: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
                let first = first.replace('\n', "\n  ");
                format!(
                    "  {}{}{second}{}{last}",
                    first.trim_start(),
                    lines[0].trim_start(),
                    lines[1..].concat()
                )
            },
        )
}

fn entry(name: &'static str) -> impl Strategy<Value = Entry> {
    let one_line = Just(format!("provider \"{name}\" {{ version = \"1.2.3\" }}"));
    let text = prop_oneof![
        8 => lines().prop_map(move |lines| format!("provider \"{name}\" {{\n{lines}}}")),
        1 => one_line,
    ];
    (
        prop_oneof![Just(""), Just("\n"), Just("\n\n")],
        comment(),
        text,
    )
        .prop_map(move |(blank, comment, text)| Entry {
            above: format!("{blank}{comment}"),
            name,
            text,
        })
}

/// A file as its entries and what stands at its ends.
#[derive(Debug, Clone)]
struct File {
    top: String,
    entries: Vec<Entry>,
    bottom: String,
    has_crlf: bool,
}

fn file() -> impl Strategy<Value = File> {
    let entries = proptest::sample::subsequence(NAMES.to_vec(), 0..=4)
        .prop_flat_map(|names| names.into_iter().map(entry).collect::<Vec<_>>());
    let top = prop_oneof![
        Just(""),
        Just(
            "# This file is maintained automatically by \"terraform init\".\n# Manual edits may be lost in future updates.\n\n"
        ),
        Just("\u{feff}# A mark before it.\n"),
        Just("unknown \"block\" {\n}\n\nat_top = 1\n"),
    ];
    let bottom = prop_oneof![
        Just(""),
        Just("\n"),
        Just("\n# The end.\n"),
        Just("\n\nlast = true"),
        Just("\n/* end */\n\n")
    ];
    (top, entries, bottom, any::<bool>()).prop_map(|(top, entries, bottom, has_crlf)| File {
        top: top.to_owned(),
        entries,
        bottom: bottom.to_owned(),
        has_crlf,
    })
}

impl File {
    fn ends(&self, text: &str) -> String {
        match self.has_crlf {
            true => text.replace('\n', "\r\n"),
            false => text.to_owned(),
        }
    }

    /// What stands before that entry.
    fn before(&self, index: usize) -> String {
        let mut text = self.top.clone();
        for (at, entry) in self.entries[..=index].iter().enumerate() {
            // An entry needs its line to itself.
            text.extend([if at == 0 { "" } else { "\n" }, &entry.above]);
            if at < index {
                text.push_str(&entry.text);
            }
        }
        self.ends(&text)
    }

    fn text(&self) -> String {
        match self.entries.len() {
            0 => self.ends(&format!("{}{}", self.top, self.bottom)),
            count => {
                let last = &self.entries[count - 1].text;
                self.before(count - 1) + &self.ends(&format!("{last}{}", self.bottom))
            }
        }
    }
}

fn parsed(text: &str) -> LockFile {
    LockFile::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn locked(version: &str, constraints: Option<&str>, hashes: &[&str]) -> LockedProvider {
    let hashes = hashes.iter().map(|hash| hash.parse().expect("a hash"));
    LockedProvider {
        version: version.parse().expect("a version"),
        constraints: constraints.map(str::to_owned),
        hashes: hashes.collect(),
    }
}

/// The new values of a change.
fn change() -> impl Strategy<Value = LockedProvider> {
    prop_oneof![
        Just(locked("1.2.3", None, &[])),
        Just(locked(
            "1.2.3",
            Some(">= 1.0.0, < 2.0.0"),
            &["h1:bb=", "zh:aa"]
        )),
        Just(locked("2.0.0-rc.1", Some("2.0.0-rc.1"), &["h1:bb="])),
        Just(locked(
            "1.2.4",
            None,
            &["h1:${x}=".replace("${x}", "x").as_str()]
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_is_written_back_byte_for_byte(file in file()) {
        let text = file.text();
        prop_assert_eq!(parsed(&text).to_string(), text);
    }

    #[test]
    fn a_change_touches_only_its_entry(file in file(), which in any::<prop::sample::Index>(), to in change()) {
        prop_assume!(!file.entries.is_empty());
        let which = which.index(file.entries.len());
        let text = file.text();
        let before = file.before(which);
        let entry = file.ends(&file.entries[which].text);
        let after = &text[before.len() + entry.len()..];
        let mut lock = parsed(&text);
        let source = file.entries[which].name.parse().expect("a source");
        let is_changed = lock.get(&source) != Some(&to);
        prop_assert_eq!(lock.set(&source, to.clone()), is_changed);
        let changed = lock.to_string();
        prop_assert!(changed.starts_with(&before) && changed.ends_with(after), "{}", changed);
        let new = &changed[before.len()..changed.len() - after.len()];
        // What is not ours to know stays in it.
        for part in ["# pinned", "/* now */", "// why", "later =", "signed \"by\"", "<<EOT"] {
            let stays = part != "// why" || to.constraints.is_some();
            let stays = stays && part != "/* now */" && entry.contains(part);
            prop_assert!(!stays || new.contains(part), "{}", new);
        }
        // A file of one line does not show which line ends it likes.
        let stray = if text.contains("\r\n") { '\n' } else { '\r' };
        let stray = changed.replace("\r\n", "").contains(['\r', stray]);
        prop_assert!(!stray, "{:?}", changed);
        let (again, untouched) = (parsed(&changed), parsed(&text));
        prop_assert_eq!(again.get(&source), Some(&to));
        for other in file.entries.iter().filter(|entry| entry.name.parse() != Ok(source.clone())) {
            let other = other.name.parse().expect("a source");
            prop_assert_eq!(again.get(&other), untouched.get(&other));
        }
    }

    #[test]
    fn an_addition_is_an_insertion_in_the_order_of_names(file in file(), which in 0..NAMES.len(), new in change()) {
        let name = NAMES[which];
        prop_assume!(file.entries.iter().all(|entry| entry.name != name));
        let text = file.text();
        let mut lock = parsed(&text);
        let source = name.parse().expect("a source");
        prop_assert!(lock.set(&source, new.clone()));
        let changed = lock.to_string();
        let common = changed.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        let rest = changed.bytes().rev().zip(text.bytes().rev()).take_while(|(a, b)| a == b).count();
        prop_assert!(text.trim().is_empty() || common + rest >= text.len(), "{}", changed);
        let again = parsed(&changed);
        prop_assert_eq!(again.get(&source), Some(&new));
        prop_assert_eq!(again.providers().count(), file.entries.len() + 1);
        let places: Vec<usize> = NAMES.iter().filter_map(|name| changed.find(&format!("\"{name}\""))).collect();
        prop_assert!(places.is_sorted(), "{}", changed);
    }
}

#[test]
fn what_is_not_ours_stays_where_it_is() {
    let text = r#"# Ours.

# Pinned: 4.1 is broken.
provider "registry.terraform.io/hashicorp/tls" {
  # Since May.
  version = "4.0.0" # not 4.1
  later   = true
  hashes = [
    "h1:aa=",
  ]
  # The end.
}
"#;
    let mut lock = parsed(text);
    let source = |text: &str| text.parse().expect("a source");
    let tls = source("registry.terraform.io/hashicorp/tls");
    lock.set(&tls, locked("4.2.0", Some("~> 4.0"), &["h1:bb=", "zh:cc"]));
    lock.set(
        &source("registry.opentofu.org/acme/first"),
        locked("1.0.0", None, &["h1:dd="]),
    );
    insta::assert_snapshot!(lock.to_string(), @r#"
        # Ours.

        provider "registry.opentofu.org/acme/first" {
          version = "1.0.0"
          hashes = [
            "h1:dd=",
          ]
        }

        # Pinned: 4.1 is broken.
        provider "registry.terraform.io/hashicorp/tls" {
          # Since May.
          version     = "4.2.0" # not 4.1
          constraints = "~> 4.0"
          later   = true
          hashes = [
            "h1:bb=",
            "zh:cc",
          ]
          # The end.
        }
        "#);
    lock.set(&tls, locked("4.2.0", None, &[]));
    insta::assert_snapshot!(lock.to_string(), @r#"
        # Ours.

        provider "registry.opentofu.org/acme/first" {
          version = "1.0.0"
          hashes = [
            "h1:dd=",
          ]
        }

        # Pinned: 4.1 is broken.
        provider "registry.terraform.io/hashicorp/tls" {
          # Since May.
          version = "4.2.0" # not 4.1
          later   = true
          # The end.
        }
        "#);
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    let said = |text: &str| LockFile::parse(text).expect_err("refused").to_string();
    let block = |inside: &str| {
        said(&format!(
            "# A comment.\n\nprovider \"a.b/c/d\" {{\n{inside}\n}}\n"
        ))
    };
    let twice = "provider \"a.b/c/d\" {\n  version = \"1.0.0\"\n}\n".repeat(2);
    let mistakes = [
        said("provider \"a.b/c/d\" {\n  version = \"1.0.0\"\n"),
        said("<<<<<<< HEAD\n"),
        block("  version = 1.0.0"),
        block("  hashes = []"),
        block("  version = \"1.0\""),
        block("  version = \"1.0.0\"\n  hashes = [\n    \"h1:a\",\n    \"b\",\n  ]"),
        block("  version = \"1.0.0\"\n  version = \"1.0.0\""),
        said("\u{feff}provider {\n}\n"),
        said("provider \"null\" {\n}\n"),
        said(&twice),
    ];
    insta::assert_snapshot!(mistakes.join("\n"), @r#"
        line 2, column 20: invalid block body; expected `}`, newline or identifier
        line 1, column 1: unexpected token
        line 4, column 13: provider "a.b/c/d": `version` must be a string
        line 3, column 1: provider "a.b/c/d": it has no `version`
        line 4, column 13: provider "a.b/c/d": `1.0` is not a full version such as `5.1.0`
        line 7, column 5: provider "a.b/c/d": `b` is not a package hash such as `h1:…`
        line 5, column 3: invalid attribute; expected unique attribute key; found redefined attribute
        line 1, column 1: a `provider` block needs one label, the provider's address
        line 1, column 1: `null` is not a provider's full address
        line 4, column 1: provider "a.b/c/d" is there twice
        "#);
}

/// What `terraform providers lock` 1.11.4 says about the package below, for two platforms.
const THEIRS: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.example.com/acme/null" {
  version     = "1.2.3"
  constraints = "~> 1.2, != 1.2.4"
  hashes = [
    "h1:9E/YxeIfjwMV2plFeykpWcUnWUdQ0XoJEPC8a7CB4LA=",
    "h1:RFxKkeVSHoLYiHkLjgGA5onDTPG20Gjfslrk0d10UJ4=",
  ]
}
"#;

#[test]
fn our_tree_hashes_are_terraforms() {
    let hash = |platform: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, content: &str| {
            fs::write(folder.path().join(name), content).expect("written");
        };
        fs::create_dir(folder.path().join("docs")).expect("made");
        write(
            "terraform-provider-null_v1.2.3",
            &format!("#!/bin/sh\necho null 1.2.3 {platform}\n"),
        );
        write("LICENSE.txt", "Do as you like.\n");
        write("docs/\u{e4}rger.md", "");
        write("docs.txt", "Sorts between docs and docs/.\n");
        PackageHash::of_directory(folder.path()).expect("hashed")
    };
    let mut lock = LockFile::default();
    let source = "registry.example.com/acme/null".parse().expect("a source");
    let ours = LockedProvider {
        hashes: vec![hash("linux_amd64"), hash("darwin_arm64")],
        ..locked("1.2.3", Some("~> 1.2, != 1.2.4"), &[])
    };
    lock.set(&source, ours);
    let entry = |text: &str| {
        text.split_once("\n\n")
            .expect("a comment above")
            .1
            .to_owned()
    };
    assert_eq!(entry(&lock.to_string()), entry(THEIRS));
    assert_eq!(parsed(THEIRS).get(&source), lock.get(&source));
}
