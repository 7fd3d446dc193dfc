//! One configuration, through all stages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::outcome::{Outcome, Reached};

/// The checkout that the programs depend on.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The converter of this checkout.
const CONVERTER: &str = env!("CARGO_BIN_EXE_terrane-convert");

/// Where things go, and how far to go.
pub(crate) struct Bench {
    projects: PathBuf,
    results: PathBuf,
    target: PathBuf,
    schema: Option<PathBuf>,
    only_convert: bool,
}

/// What the converter prints of a comparison.
#[derive(Deserialize)]
struct Compared {
    compared: u64,
    differing: u64,
    differences: Vec<Json>,
}

impl Bench {
    pub(crate) fn new(out: &Path, schema: Option<PathBuf>, only_convert: bool) -> Self {
        let folder = |name| {
            let folder = out.join(name);
            fs::create_dir_all(&folder).expect("a folder of one's own");
            // Cargo is started in other folders.
            fs::canonicalize(folder).expect("it is there")
        };
        Self {
            projects: folder("projects"),
            results: folder("results"),
            target: folder("target"),
            schema,
            only_convert,
        }
    }

    /// Takes a configuration as far as it comes, and writes down how far that is.
    pub(crate) fn run(&self, configuration: &str, folder: &Path) -> Outcome {
        let id: String = configuration
            .chars()
            .map(|it| if it.is_alphanumeric() { it } else { '-' })
            .collect();
        // Some configurations ask for the name of their folder.
        let name = folder.file_name().expect("a folder has a name");
        let project = self.projects.join(&id).join(name);
        let outcome = self.outcome(configuration, folder, &project);
        let json = serde_json::to_vec_pretty(&outcome).expect("plain data");
        fs::write(self.results.join(format!("{id}.json")), json).expect("a file of one's own");
        outcome
    }

    fn outcome(&self, configuration: &str, folder: &Path, project: &Path) -> Outcome {
        let mut outcome = Outcome {
            configuration: configuration.to_owned(),
            blocks: None,
            untranslated: Vec::new(),
            reached: Reached::Converted,
        };
        match self.convert(folder, project) {
            Ok((blocks, untranslated)) => {
                outcome.blocks = Some(blocks);
                outcome.untranslated = untranslated;
            }
            Err(error) => {
                outcome.reached = Reached::Refused { error };
                return outcome;
            }
        }
        if self.only_convert {
            return outcome;
        }
        let errors = self.compile(project);
        outcome.reached = match errors.is_empty() {
            false => Reached::Written { errors },
            true => self.compare(project, &folder.join("plan.json")),
        };
        outcome
    }

    /// How many blocks there are, and what cannot be said of them.
    fn convert(&self, folder: &Path, project: &Path) -> Result<(usize, Vec<String>), String> {
        if project.exists() {
            fs::remove_dir_all(project).expect("a folder of one's own");
        }
        let mut command = Command::new(CONVERTER);
        command.arg(folder).arg("--out").arg(project);
        command.args(["--terrane", CHECKOUT]);
        if let Some(schema) = &self.schema {
            command.arg("--schema").arg(schema);
        }
        let output = ran(&mut command);
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        let said = text(&output.stdout);
        let mut lines = said.lines();
        let figures = lines.next().and_then(|line| line.rsplit_once(": "));
        let figures: Vec<usize> = figures
            .iter()
            .flat_map(|(_, rest)| rest.split(' '))
            .filter_map(|word| word.parse().ok())
            .collect();
        let &[blocks, untranslated] = &*figures else {
            panic!("the converter says something new: {said}");
        };
        let untranslated = lines.take(untranslated).map(|line| line.trim().to_owned());
        Ok((blocks, untranslated.collect()))
    }

    /// What the compiler has against the program.
    fn compile(&self, project: &Path) -> Vec<String> {
        // The same versions as in the checkout: what is compiled already serves all programs.
        let lock = Path::new(CHECKOUT).join("Cargo.lock");
        fs::copy(lock, project.join("Cargo.lock")).expect("a copy");
        share_dependencies(&project.join("Cargo.toml"));
        let mut command = self.in_target(env!("CARGO"));
        command.current_dir(project);
        command.args(["build", "--quiet", "--message-format=json"]);
        let output = ran(&mut command);
        let said = text(&output.stdout);
        let messages = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut errors: Vec<String> = messages.filter_map(|message| error(&message)).collect();
        if !output.status.success() && errors.is_empty() {
            errors.push(text(&output.stderr));
        }
        errors
    }

    fn compare(&self, project: &Path, plan: &Path) -> Reached {
        let mut command = self.in_target(CONVERTER);
        command
            .arg(project)
            .arg("--against")
            .arg(plan)
            .arg("--json");
        let output = ran(&mut command);
        match serde_json::from_slice(&output.stdout) {
            Ok(Compared {
                compared,
                differing,
                differences,
            }) => Reached::Planned {
                compared,
                differing,
                differences,
            },
            Err(_) => Reached::Compiled {
                error: text(&output.stderr),
            },
        }
    }

    /// A command whose builds are small and shared.
    fn in_target(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    }
}

/// Gives a program all dependencies that any of them has: one build of terrane, with the features that they ask for, serves all.
fn share_dependencies(manifest: &Path) {
    let mut text = fs::read_to_string(manifest).expect("the converter has written it");
    let functions = format!("{{ path = \"{CHECKOUT}/src/functions\", features = [\"dynamic\"] }}");
    for (name, value) in [
        ("serde", "{ version = \"1\", features = [\"derive\"] }"),
        ("terrane-functions", &functions),
    ] {
        if !text.contains(&format!("\n{name} = ")) {
            text.extend([name, " = ", value, "\n"]);
        }
    }
    fs::write(manifest, text).expect("a file of one's own");
}

/// An error of the compiler on one line: its place, its code, its words.
fn error(message: &Json) -> Option<String> {
    let message = message.get("message")?;
    if message["level"] != "error" {
        return None;
    }
    let code = message["code"]["code"].as_str().unwrap_or_default();
    let words = message["message"].as_str().unwrap_or_default();
    let spans = message["spans"].as_array()?;
    // Without a place it is the summary of others.
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    let labels = spans.iter().filter_map(|span| span["label"].as_str());
    let labels: Vec<&str> = labels.collect();
    Some(format!(
        "{}:{}: {code} {words} ({})",
        span["file_name"].as_str().unwrap_or_default(),
        span["line_start"],
        labels.join("; ")
    ))
}

fn ran(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().to_string_lossy()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
