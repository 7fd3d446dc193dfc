//! The commands that the guides name: each exists, with its flags.

use std::collections::BTreeMap;
use std::path::Path;

use crate::stage::network;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
/// Guides write this name for the program of a stack.
const PROGRAM: &str = "prod-stack";
/// Commands that have commands of their own.
const GROUPS: [&str; 3] = ["state", "providers", "bindings"];

/// The command lines in a guide: in blocks, and between backticks.
fn command_lines(guide: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut is_block = false;
    for line in guide.lines() {
        let text = line.trim_start();
        if text.starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            let text = text.strip_prefix("$ ").unwrap_or(text);
            lines.extend(text.starts_with(PROGRAM).then_some(text));
        } else {
            let pieces = text.split('`').skip(1).step_by(2);
            lines.extend(pieces.filter(|piece| piece.starts_with(PROGRAM)));
        }
    }
    lines
}

#[test]
fn every_command_that_a_guide_names_exists_with_its_flags() {
    let stack = network();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut help = |command: &str| {
        let known = helps.entry(command.to_owned());
        let help = known.or_insert_with(|| {
            let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
            stack.run(&words).exits(0).stdout
        });
        help.clone()
    };
    let mut files = vec![Path::new(README).to_owned()];
    let pages = std::fs::read_dir(DOCS).expect("the guides");
    files.extend(pages.map(|page| page.expect("a page").path()));
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    let mut count = 0;
    for file in files {
        let guide = std::fs::read_to_string(&file).expect("a guide");
        for line in command_lines(&guide) {
            let words = line.split([' ', '\'', '|', ';']).skip(1);
            let words: Vec<&str> = words.take_while(|word| !word.starts_with('#')).collect();
            let Some(first) = words
                .first()
                .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            else {
                continue;
            };
            if first.is_empty() || first.starts_with('-') {
                continue;
            }
            let is_group = GROUPS.contains(first);
            let second = words.get(1).filter(|word| {
                is_group
                    && !word.is_empty()
                    && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                    && !word.starts_with('-')
            });
            let command = match second {
                Some(second) => format!("{first} {second}"),
                None => (*first).to_owned(),
            };
            let help = help(&command);
            for flag in words
                .iter()
                .filter(|word| word.starts_with("--") && word.len() > 2)
            {
                let flag = flag.split(['=', ',', ')', '.', ':']).next().unwrap_or(flag);
                let is_known = help
                    .split([' ', ',', '\n', '[', '<'])
                    .any(|word| word == flag);
                assert!(is_known, "{}: {line}: no {flag}", file.display());
            }
            count += 1;
        }
    }
    assert!(count > 70, "{count} commands");
}
