//! The `use` declarations of a generated file, by the names in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::expr::mentions;

/// What a file imports, by the word that shows the need.
const IMPORTS: [(&str, &str); 27] = [
    ("BTreeMap", "std::collections::BTreeMap"),
    ("BTreeSet", "std::collections::BTreeSet"),
    ("ExitCode", "std::process::ExitCode"),
    ("Deserialize", "serde::Deserialize"),
    ("Serialize", "serde::Serialize"),
    ("json!", "serde_json::json"),
    ("BlockArguments", "terrane::BlockArguments"),
    ("Cli", "terrane::Cli"),
    ("Declaration", "terrane::Declaration"),
    ("Error", "terrane::Error"),
    ("Lifecycle", "terrane::Lifecycle"),
    ("Output", "terrane::Output"),
    ("ProviderDeclaration", "terrane::ProviderDeclaration"),
    ("ProviderHandle", "terrane::ProviderHandle"),
    ("Resource", "terrane::Resource"),
    ("ResourceType", "terrane::ResourceType"),
    ("Result", "terrane::Result"),
    ("S3Backend", "terrane::S3Backend"),
    ("Secret", "terrane::Secret"),
    ("Stack", "terrane::Stack"),
    ("Value", "terrane::Value"),
    ("interpolate!", "terrane::interpolate"),
    ("Constraint", "terrane_functions::dynamic::Constraint"),
    ("Dyn", "terrane_functions::dynamic::Dyn"),
    ("cidrsubnet", "terrane_functions::cidrsubnet"),
    ("cidrhost", "terrane_functions::cidrhost"),
    ("jsonencode", "terrane_functions::jsonencode"),
];

/// The `use` lines for a text, in groups: the standard library, crates, the project.
pub(crate) fn imports(text: &str, own: &[String]) -> String {
    // Texts of the configuration say nothing of what is used.
    let code = without_texts(text);
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |path: &str| {
        let (krate, rest) = path.split_once("::").unwrap_or((path, ""));
        let krate = match krate {
            "std" => "std",
            "serde" => "serde",
            "serde_json" => "serde_json",
            "terrane" => "terrane",
            _ => "terrane_functions",
        };
        groups.entry(krate).or_default().insert(rest.to_owned());
    };
    for (word, path) in IMPORTS {
        let is_used = match word.strip_suffix('!') {
            Some(name) => code.contains(&format!("{name}!(")),
            None => mentions(&code, word),
        };
        if is_used {
            add(path);
        }
    }
    if code.contains(" all((") || code.contains("(all((") {
        add("terrane::all");
    }
    if code.contains("(Path::new(") {
        add("std::path::Path");
    }
    if code.contains("::from_resource(") || code.contains("::binding()") {
        add("terrane::ResourceType");
    }
    if code.contains("dynamic::") {
        add("terrane_functions::dynamic::self");
    }
    let mut lines = String::new();
    for (krate, names) in &groups {
        if *krate == "std" {
            for name in names {
                let _ = writeln!(lines, "use std::{name};");
            }
            lines.push('\n');
        }
    }
    for (krate, names) in &groups {
        match *krate {
            "std" => {}
            "terrane_functions" => {
                let (dynamic, plain): (Vec<_>, Vec<_>) =
                    names.iter().partition(|it| it.starts_with("dynamic::"));
                if !dynamic.is_empty() {
                    let names: Vec<&str> = dynamic
                        .iter()
                        .filter_map(|it| it.strip_prefix("dynamic::"))
                        .collect();
                    let _ = writeln!(
                        lines,
                        "use terrane_functions::dynamic::{{{}}};",
                        names.join(", ")
                    );
                }
                if !plain.is_empty() {
                    let names: Vec<&str> = plain.iter().map(|it| it.as_str()).collect();
                    let _ = writeln!(lines, "use terrane_functions::{{{}}};", names.join(", "));
                }
            }
            krate => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let _ = writeln!(lines, "use {krate}::{{{}}};", names.join(", "));
            }
        }
    }
    let own: Vec<&String> = own.iter().filter(|it| begins_path(&code, it)).collect();
    if !own.is_empty() {
        let own: Vec<&str> = own.iter().map(|it| it.as_str()).collect();
        let _ = writeln!(lines, "\nuse crate::{{{}}};", own.join(", "));
    }
    lines
}

/// Whether the code has a path that begins with that module.
fn begins_path(code: &str, module: &str) -> bool {
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | ':');
    let path = format!("{module}::");
    code.match_indices(&path)
        .any(|(start, _)| !code[..start].ends_with(is_part))
}

/// The text without what is inside of quotes and comments, but for the names that a format string reads.
pub(crate) fn without_texts(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                plain.push('"');
                while let Some(inner) = letters.next() {
                    match inner {
                        '\\' => drop(letters.next()),
                        '"' => break,
                        '{' => {
                            plain.push('{');
                            while let Some(name) =
                                letters.next_if(|it| it.is_ascii_alphanumeric() || *it == '_')
                            {
                                plain.push(name);
                            }
                        }
                        _ => {}
                    }
                }
                plain.push('"');
            }
            '/' if letters.peek() == Some(&'/') => {
                for inner in letters.by_ref() {
                    if inner == '\n' {
                        break;
                    }
                }
                plain.push('\n');
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_used_where_code_reads_it() {
        for used in [
            "f(rule)",
            "rule.attr(\"a\")",
            "0..rule",
            "format!(\"{rule}\")",
            "format!(\"{rule:?}\")",
        ] {
            assert!(mentions(used, "rule"), "{used}");
        }
        for other in [
            "it.rule(1)",
            "aws::rule::Rule",
            "rule::Rule",
            "\"rule\"",
            "// rule",
            "rules",
            "format!(\"{}\", 1)",
        ] {
            assert!(!mentions(other, "rule"), "{other}");
        }
        assert!(mentions("Resource::all_in(it)", "Resource"));
        assert!(!mentions("null::Resource::builder(it)", "Resource"));
    }

    #[test]
    fn a_module_is_imported_where_a_path_begins_with_it() {
        assert!(begins_path("f(group::A)", "group"));
        for other in ["default_group::A", "aws::group::A", "group"] {
            assert!(!begins_path(other, "group"), "{other}");
        }
    }
}
