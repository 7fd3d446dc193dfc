//! A stranger's way in: the packages as a registry would serve them, and the guide that is followed with them to the letter.

mod guide;
mod packages;
mod project;

use guide::{Guide, Step};
use project::Project;

const GUIDE: &str = include_str!("../../docs/getting-started.md");
const README: &str = include_str!("../../README.md");

#[test]
fn the_guide_works_word_for_word_in_a_project_of_its_own() {
    let guide = Guide::read(GUIDE);
    assert!(guide.steps.len() > 10, "the guide was not understood");
    let mut project = Project::new(&packages::unpacked());
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
