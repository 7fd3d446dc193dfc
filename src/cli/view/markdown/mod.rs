//! The comment of a pull request: totals and losses on top, a table, a fold for each resource; never larger than a forge takes.

mod escape;
mod layout;
mod run;
mod size;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terrane_core::{Diagnostic, Diagnostics};

use super::format::{Flag, Format};
use super::outline::{Details, Outline};
use super::sink::Sink;
use super::{PlanView, ShownPlan};
use layout::Parts;

/// `--markdown`.
pub(super) static FORMAT: Format = Format {
    on_stdout: None,
    in_file: Some((
        Flag {
            name: "markdown",
            help: "Write the comment for a pull request into a file, and into `$GITHUB_STEP_SUMMARY` where that is set",
        },
        |path| {
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY");
            let summary = summary.filter(|path| !path.is_empty()).map(PathBuf::from);
            Arc::new(MarkdownView {
                to: Sink::file(path),
                summary,
                document: Mutex::new(Document {
                    commit: std::env::var_os("GITHUB_SHA").and_then(|it| it.into_string().ok()),
                    ..Document::default()
                }),
            })
        },
    )),
};

/// Writes a comment into a file, anew whenever there is more to say.
struct MarkdownView {
    to: Sink,
    /// Also appended to this file, once.
    summary: Option<PathBuf>,
    document: Mutex<Document>,
}

/// What there is to say so far.
#[derive(Default)]
struct Document {
    /// The commit that a job of a CI works on.
    commit: Option<String>,
    plan: Option<Parts>,
    diagnostics: Vec<Diagnostic>,
    /// Sentences about a run.
    result: Vec<String>,
    is_in_summary: bool,
}

impl Document {
    fn add(&mut self, diagnostics: &Diagnostics) {
        for one in diagnostics {
            if !self.diagnostics.contains(one) {
                self.diagnostics.push(one.clone());
            }
        }
    }

    fn show(&mut self, shown: &ShownPlan<'_>) {
        self.add(shown.diagnostics);
        // The text is folded by the reader, so it is all there.
        let outline = Outline::of(shown, Details::Folded);
        let parts = Parts::of(&outline, shown, self.commit.as_deref());
        match &mut self.plan {
            None => self.plan = Some(parts),
            // The plan of what the first one deferred.
            Some(first) => first.and(parts),
        }
    }

    fn text(&self) -> String {
        size::fitted(self.plan.as_ref(), &self.diagnostics, &self.result)
    }
}

impl MarkdownView {
    fn document(&self) -> MutexGuard<'_, Document> {
        self.document.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file as far as there is something to say.
    fn write(&self) -> Result<(), Diagnostics> {
        let text = self.document().text();
        self.to.document(text)
    }

    /// Adds the comment to the summary of the CI's job, once everything is said.
    fn add_to_summary(&self) -> Result<(), Diagnostics> {
        let mut document = self.document();
        let Some(path) = &self.summary else {
            return Ok(());
        };
        if document.is_in_summary {
            return Ok(());
        }
        document.is_in_summary = true;
        let text = format!("{}\n", document.text());
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| {
            let place = path.display();
            let unwritable = Diagnostic::warning(format!("cannot write {place}"));
            let unwritable = unwritable.detail(error.to_string());
            unwritable
                .hint("unset `GITHUB_STEP_SUMMARY`, which names that file")
                .into()
        })
    }
}

impl PlanView for MarkdownView {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.document().show(shown);
        self.write()?;
        self.add_to_summary()
    }

    fn no_plan(&self, why: &Diagnostics) -> Result<(), Diagnostics> {
        let known = self.document().diagnostics.len();
        self.document().add(why);
        if self.document().diagnostics.len() == known {
            return Ok(());
        }
        self.write()?;
        self.add_to_summary()
    }
}

impl Drop for MarkdownView {
    /// A run that failed early has no last word.
    fn drop(&mut self) {
        let has_something = {
            let document = self.document();
            document.plan.is_some() || !document.diagnostics.is_empty()
        };
        if has_something {
            // Nobody is left to tell.
            let _ = self.add_to_summary();
        }
    }
}

#[cfg(test)]
mod tests;
