//! The guides: each command is understood by its program, each file can be read, all of their Rust is compiled.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use tempfile::TempDir;
use terrane_tests::is_installed;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Guides whose commands other tests run one by one, in a project that they make and with the platform.
const FOLLOWED: [&str; 3] = ["bindings.md", "getting-started.md", "platform.md"];
/// Guides whose commands run here, in the sandbox. Those of the others want what is not there: an interrupted run, a registry, AWS.
const RUN: [&str; 4] = ["README.md", "ci.md", "cost.md", "index.md"];
/// Where guides become examples for rustdoc, or files of a project.
const COMPILED: [&str; 3] = [
    include_str!("../harness/guides.rs"),
    include_str!("../../src/testkit/lib.rs"),
    include_str!("../getting_started/main.rs"),
];

/// Guides write these names for the program of a stack.
const STACKS: [&str; 2] = ["prod-stack", "network-stack"];
/// Tools that nothing is asked of here: those of others, and our own whose arguments are parsed in their own tests.
const OTHERS: [&str; 7] = [
    "gh",
    "rustup",
    "sha256sum",
    "share-stack",
    "terraform",
    "terrane-codegen",
    "terrane-convert",
];

/// What stands in a command for a word of the reader's own.
const EXAMPLES: [(&str, &str); 4] = [
    ("ADDR", "aws_vpc.main"),
    ("ADDRESS", "aws_vpc.main"),
    ("FROM", "aws_vpc.main"),
    ("TO", "module.network.aws_vpc.main"),
];

/// In place of a stack's program. An argument that it does not know is an error before `--help` is reached.
const STACK: &str = r#"#!/bin/sh
[ -n "${RUN:-}" ] || exec "$PROGRAM" "$@" --help
case $1 in up | destroy) set -- "$@" --yes ;; esac
case " $* " in *" --sandbox "*) ;; *) set -- "$@" --sandbox ;; esac
"$PROGRAM" "$@" || [ $? = 2 ]
"#;

/// In place of cargo: `run` is a stack's program; of all else the packages and targets are looked up later.
const CARGO: &str = r#"#!/bin/sh
[ "$1" = run ] && [ "$2" != -p ] || { echo "$*" >>"$ASKED_OF_CARGO"; exit 0; }
shift
case $1 in
--bin) [ -d "$STACKS/${2%-stack}" ] || { echo "no stack $2" >&2; exit 1; }; shift 2 ;;
--example) exit 0 ;;
esac
[ "${1:-}" != -- ] || shift
exec prod-stack "$@"
"#;

const FLEET: &str = "#!/bin/sh\nTEST_FLEET=1 exec \"$FLEET\" \"$@\" --help\n";
const MORTAL: &str = "#!/bin/sh\nexec \"$MORTAL\" \"$@\" --help\n";
const CDKTF: &str = "#!/bin/sh\nmkdir -p cdktf.out/stacks/shop\n";
const NOTHING: &str = "#!/bin/sh\n";

/// A block of a guide: its language and its lines.
struct Block {
    language: String,
    text: String,
}

struct Page {
    name: String,
    blocks: Vec<Block>,
    /// Commands between backquotes in the text.
    named: Vec<String>,
}

fn pages() -> Vec<Page> {
    let root = Path::new(ROOT);
    let guides = std::fs::read_dir(root.join("docs")).expect("the guides");
    let mut files: Vec<PathBuf> = guides.map(|page| page.expect("a page").path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    files.extend(["README.md", "CONTRIBUTING.md"].map(|file| root.join(file)));
    files.sort();
    files.iter().map(|file| page(file)).collect()
}

fn page(file: &Path) -> Page {
    let text = std::fs::read_to_string(file).expect("a guide");
    let (mut blocks, mut named) = (Vec::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            // In a table a bar has a backslash before it.
            let line = line.replace("\\|", "|");
            let pieces = line.split('`').skip(1).step_by(2);
            // What follows a bar here is for other shells.
            let pieces = pieces.filter_map(|piece| piece.split(" | ").next());
            named.extend(pieces.filter(|piece| is_command(piece)).map(with_examples));
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block = block.map(|line| line.get(indent..).unwrap_or_default());
        blocks.push(Block {
            language: language.to_owned(),
            text: block.flat_map(|line| [line, "\n"]).collect(),
        });
    }
    let name = file.file_name().and_then(|name| name.to_str());
    Page {
        name: name.expect("a name").to_owned(),
        blocks,
        named,
    }
}

/// Whether text between backquotes is a whole command.
fn is_command(piece: &str) -> bool {
    let mut words = piece.split(' ').skip_while(|word| word.contains('='));
    let program = words.next().unwrap_or_default();
    let is_ours = STACKS.contains(&program) || ["cargo", "fleet-stack"].contains(&program);
    (is_ours || program.starts_with("scripts/")) && words.next().is_some() && !piece.contains('…')
}

/// A command with examples in place of words in capitals.
fn with_examples(command: &str) -> String {
    let example = |word: &str| EXAMPLES.iter().find(|(name, _)| *name == word);
    let words = command.split(' ');
    let words: Vec<&str> = words
        .map(|word| example(word).map_or(word, |(_, example)| example))
        .collect();
    words.join(" ")
}

impl Page {
    /// Its blocks of commands, and the commands that other blocks hold.
    fn scripts(&self) -> Vec<String> {
        let of_block = |block: &Block| match &*block.language {
            "sh" => Some(block.text.clone()),
            "text" => lines_after(&block.text, "$ "),
            "yaml" => lines_after(&block.text, "run: "),
            _ => None,
        };
        self.blocks.iter().filter_map(of_block).collect()
    }

    /// Its files: those that say their name in their first line.
    fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.blocks.iter().filter_map(|block| {
            let name = block.text.lines().next()?.strip_prefix("# ")?;
            let is_file = ["toml", "yaml"].contains(&&*block.language);
            is_file.then_some((name, &*block.text))
        })
    }
}

/// What follows a mark in the lines that have it, without the quotes of YAML; expressions of GitHub are a shard.
fn lines_after(text: &str, mark: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(mark));
    let lines: Vec<String> = lines
        .map(|(_, command)| match command.split_once("${{") {
            Some((before, after)) => {
                let after = after.split_once("}}").expect("an expression ends").1;
                format!("{before}1/16{after}\n")
            }
            None => format!("{command}\n"),
        })
        .collect();
    (!lines.is_empty()).then(|| lines.concat())
}

/// A folder with stand-ins for all programs of the guides.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        for name in STACKS {
            desk.program(&format!("bin/{name}"), STACK);
        }
        for name in OTHERS {
            desk.program(&format!("bin/{name}"), NOTHING);
        }
        desk.program("bin/cargo", CARGO);
        desk.program("bin/fleet-stack", FLEET);
        desk.program("bin/cdktf", CDKTF);
        desk.program("target/debug/mortal-stack", MORTAL);
        for folder in ["scripts", "tests/conformance"] {
            let scripts = std::fs::read_dir(Path::new(ROOT).join(folder)).expect("scripts");
            for script in scripts.map(|script| script.expect("an entry")) {
                let mode = script.metadata().expect("a file").permissions().mode();
                if script.path().is_file() && mode & 0o111 != 0 {
                    let name = script.file_name().into_string().expect("text");
                    desk.program(&format!("{folder}/{name}"), NOTHING);
                }
            }
        }
        desk
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(&file, text).expect("writable");
        file
    }

    fn program(&self, name: &str, script: &str) {
        let file = self.write(name, script);
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).expect("ours");
    }

    /// Runs commands as a shell understands them; what went wrong, if one of them fails.
    fn run(&self, page: &str, script: &str) -> Option<String> {
        let bin = self.folder.path().join("bin");
        let path = std::env::join_paths([&bin, Path::new("/usr/bin"), Path::new("/bin")]);
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-euo", "pipefail", "-c", script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path.expect("no colons"))
            .env("HOME", self.folder.path())
            .env("ASKED_OF_CARGO", self.folder.path().join("asked"))
            .env("GITHUB_OUTPUT", self.folder.path().join("github"))
            .env("STACKS", Path::new(ROOT).join("stacks"))
            .env("PROGRAM", env!("CARGO_BIN_EXE_sandbox-stack"))
            .env("FLEET", env!("CARGO_BIN_EXE_guarded-stack"))
            .env("MORTAL", env!("CARGO_BIN_EXE_mortal-stack"))
            .env("TERRANE_SANDBOX_SPEED", "0");
        if RUN.contains(&page) {
            command.env("RUN", "1");
        }
        let output = command.output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        (!output.status.success()).then(|| format!("{page}: {script}\n{said}\n"))
    }

    /// What cargo was asked for but to run a stack.
    fn asked_of_cargo(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("asked")).expect("commands of cargo")
    }
}

#[test]
fn every_command_of_the_guides_is_understood() {
    if !is_installed("bash") {
        return;
    }
    let (mut asked, mut failed) = (String::new(), String::new());
    let mut count = 0;
    for page in pages() {
        let desk = Desk::new();
        desk.write("asked", "");
        for (name, text) in page.files() {
            desk.write(name, text);
        }
        let mut scripts = page.named.clone();
        if !FOLLOWED.contains(&&*page.name) {
            scripts.extend(page.scripts());
        }
        for script in &scripts {
            failed.extend(desk.run(&page.name, script));
        }
        count += scripts.len();
        asked += &desk.asked_of_cargo();
    }
    assert_eq!(failed, "");
    assert!(count > 120, "{count} commands");
    let known = cargo_names();
    for line in asked.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        for pair in words.windows(2) {
            let names_ours = ["-p", "--test", "--bench", "--example"].contains(&pair[0]);
            let is_tool = pair[0] == "install" && pair[1].starts_with("terrane");
            let is_known = known.contains(pair[1]);
            assert!(is_known || !(names_ours || is_tool), "cargo {line}");
        }
    }
}

/// The packages of the workspace, and their targets.
fn cargo_names() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    let metadata: Json = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    let targets = packages
        .iter()
        .flat_map(|package| list(&package["targets"]));
    let named: Vec<Json> = targets.chain(packages.clone()).collect();
    let names = named.iter().filter_map(|named| named["name"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn every_file_in_the_guides_can_be_read() {
    let mut count = 0;
    for page in pages() {
        for Block { language, text } in &page.blocks {
            let fault = match &**language {
                "toml" => toml::from_str::<toml::Table>(text)
                    .err()
                    .map(|e| e.to_string()),
                "hcl" => hcl_edit::parser::parse_body(text)
                    .err()
                    .map(|e| e.to_string()),
                "yaml" => saphyr_parser::Parser::new_from_str(text)
                    .find_map(Result::err)
                    .map(|e| e.to_string()),
                "diff" | "rust" | "rust,no_run" | "sh" | "text" => continue,
                other => Some(format!("nothing is known of `{other}`")),
            };
            assert_eq!(fault, None, "{}: {text}", page.name);
            count += 1;
        }
    }
    assert!(count > 8, "{count} files");
}

#[test]
fn all_rust_of_the_guides_is_compiled() {
    let mut count = 0;
    for page in pages() {
        let has_rust = |block: &Block| block.language.starts_with("rust");
        if page.blocks.iter().any(has_rust) {
            let file = format!("/{}\")", page.name);
            let is_compiled = COMPILED.iter().any(|list| list.contains(&file));
            assert!(is_compiled, "{} is in none of the lists", page.name);
            count += 1;
        }
    }
    assert!(count > 10, "{count} guides");
}
