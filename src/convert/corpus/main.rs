//! Configurations that Terraform has planned: how many convert, compile, and plan the same.
//!
//! ```sh
//! cargo bench -p terrane-convert --bench corpus --profile dev -- DIR --out OUT
//! ```
//!
//! A configuration is a folder below DIR with a `plan.json` in it, as `terraform show -json` printed it; `terraform init` has been run
//! there. The environment is that of Terraform's run: the same cloud, the same providers.
//!
//! | argument | does |
//! |---|---|
//! | `--out OUT` | the converted projects go to OUT/projects, what became of each to OUT/results, what they build to OUT/target |
//! | `--schema FILE` | what `terraform providers schema -json` printed, which saves starting the providers for each conversion |
//! | `--convert` | only converts |
//! | any other word | only configurations with that word in their path |
//!
//! The table on stdout is Markdown. All programs share a target folder, so terrane is compiled once.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is for people, and this is its command line"
)]

mod outcome;
mod run;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use outcome::Outcome;
use run::Bench;

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut dir, mut out, mut schema, mut only_convert) = (None, None, None, false);
    let mut parts = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--out" => out = words.next().map(PathBuf::from),
            "--schema" => schema = words.next().map(PathBuf::from),
            "--convert" => only_convert = true,
            // Cargo's own.
            "--bench" => {}
            _ if dir.is_none() => dir = Some(PathBuf::from(word)),
            _ => parts.push(word),
        }
    }
    let (Some(dir), Some(out)) = (dir, out) else {
        panic!("which folder? see the head of src/convert/corpus/main.rs");
    };
    let bench = Bench::new(&out, schema, only_convert);
    let mut configurations = Vec::new();
    find(&dir, &mut configurations);
    let mut outcomes = Vec::new();
    for folder in configurations {
        let name = folder.strip_prefix(&dir).expect("it is below");
        let name = name.to_string_lossy().into_owned();
        if !parts.is_empty() && !parts.iter().any(|part| name.contains(part)) {
            continue;
        }
        let outcome: Outcome = bench.run(&name, &folder);
        eprintln!("{}", table::row(&outcome));
        outcomes.push(outcome);
    }
    println!("{}", table::of(&outcomes));
}

/// The folders with a plan, in the order of their names.
fn find(dir: &Path, found: &mut Vec<PathBuf>) {
    if dir.join("plan.json").is_file() {
        found.push(dir.to_owned());
    }
    let entries = fs::read_dir(dir).expect("a folder that can be read");
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| {
            let entry = entry.expect("an entry");
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let folder = entry.file_type().expect("a type").is_dir();
            (folder && !hidden).then(|| entry.path())
        })
        .collect();
    folders.sort();
    for folder in folders {
        find(&folder, found);
    }
}
