//! A guide as a list of steps: its code blocks, and the file that the sentence before each one names.
//!
//! | block | step |
//! |---|---|
//! | `sh` | commands to run |
//! | `text` | lines that the commands before print, in this order, perhaps with others between them |
//! | `rust`, `toml` | a file; after a sentence that says "at the end of", more of one; `[dependencies]` of the manifest |
//! | `diff` | an edit of a file |

/// What a reader is to do or to see.
pub(crate) enum Step {
    Write { file: String, text: String },
    Append { file: String, text: String },
    Depend { text: String },
    Edit { file: String, diff: String },
    Run { commands: Vec<String> },
    Expect { lines: Vec<String> },
}

pub(crate) struct Guide {
    pub(crate) steps: Vec<Step>,
}

impl Guide {
    /// The steps of a guide in Markdown.
    pub(crate) fn read(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut paragraph = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                // The sentence before a block reaches back to the blank line before it.
                match line {
                    "" if paragraph.ends_with(":\n") => {}
                    "" => paragraph.clear(),
                    _ => paragraph.extend([line, "\n"]),
                }
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            steps.push(step(language, &paragraph, &block));
            paragraph.clear();
        }
        Self { steps }
    }
}

fn step(language: &str, paragraph: &str, block: &[&str]) -> Step {
    let owned = || block.iter().map(|line| (*line).to_owned()).collect();
    let text = || block.iter().flat_map(|line| [line, "\n"]).collect();
    // The last name in backquotes that has a dot in it.
    let quoted = || paragraph.split('`').skip(1).step_by(2);
    let file = || {
        let file = quoted().filter(|word| word.contains('.')).last();
        file.unwrap_or_else(|| panic!("no file is named before {block:?}"))
            .to_owned()
    };
    match language {
        "sh" => Step::Run { commands: owned() },
        "text" => Step::Expect { lines: owned() },
        "toml" if block[0] == "[dependencies]" => Step::Depend { text: text() },
        "diff" => Step::Edit {
            file: file(),
            diff: text(),
        },
        "rust" | "toml" if paragraph.to_lowercase().contains("at the end of") => Step::Append {
            file: file(),
            text: text(),
        },
        "rust" | "toml" => Step::Write {
            file: file(),
            text: text(),
        },
        other => panic!("a block in {other}, of which the test knows nothing"),
    }
}
