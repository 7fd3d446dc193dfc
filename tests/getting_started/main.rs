//! A stranger's way in: the packages as a registry would serve them, and the guides that are followed with them to the letter.

mod guide;
mod packages;
mod project;

use std::sync::{Mutex, PoisonError};

use guide::{Guide, Step};
use project::Project;

const GUIDE: &str = include_str!("../../docs/getting-started.md");
const BINDINGS: &str = include_str!("../../docs/bindings.md");
const README: &str = include_str!("../../README.md");

/// Projects share a target folder, and each takes what is its own out of it at its end.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Does in a project of its own what a guide says.
fn follow(guide: &str) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let guide = Guide::read(guide);
    assert!(guide.steps.len() > 10, "the guide was not understood");
    let mut project = Project::new();
    for step in &guide.steps {
        match step {
            Step::Write { file, text } => project.write(file, text),
            Step::Append { file, text } => project.append(file, text),
            Step::Depend { text } => project.depend(text),
            Step::Edit { file, diff } => project.edit(file, diff),
            Step::Run { commands } => project.run(commands),
            Step::Expect { lines } => project.printed(lines),
        }
    }
    project.clean();
}

#[test]
fn the_guide_works_word_for_word_in_a_project_of_its_own() {
    follow(GUIDE);
}

#[test]
fn the_guide_to_bindings_works_with_a_provider_that_is_installed() {
    follow(BINDINGS);
}

#[test]
fn the_readme_has_the_program_of_the_guide() {
    let program = Guide::read(GUIDE)
        .steps
        .into_iter()
        .find_map(|step| match step {
            Step::Write { file, text } if file == "src/main.rs" => Some(text),
            _ => None,
        });
    let program = program.expect("the guide has a program");
    assert!(
        README.contains(&format!("```rust\n{program}```")),
        "{program}"
    );
}
