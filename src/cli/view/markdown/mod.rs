//! The comment of a pull request: totals and losses on top, a table, a fold for each resource; never larger than a forge takes.

mod escape;
mod layout;
mod size;
pub(crate) mod stacks;

use std::path::PathBuf;
use std::sync::Arc;

use super::ShownPlan;
use super::document::{Document, DocumentView, Said};
use super::format::{Flag, Format};
use super::outline::{Details, Outline};
use layout::Parts;

/// `--markdown`.
pub(super) static FORMAT: Format = Format {
    on_stdout: None,
    in_file: Some((
        Flag {
            name: "markdown",
            help: "Write the comment for a pull request into a file, and into `$GITHUB_STEP_SUMMARY` where that is set",
        },
        |path, stack| {
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY");
            let summary = summary.filter(|path| !path.is_empty()).map(PathBuf::from);
            let commit = std::env::var_os("GITHUB_SHA").and_then(|it| it.into_string().ok());
            let stack = stack.to_owned();
            Arc::new(DocumentView::new(path, summary, Comment { stack, commit }))
        },
    )),
};

/// The comment of a pull request.
struct Comment {
    stack: String,
    /// The commit that a job of a CI works on.
    commit: Option<String>,
}

impl Document for Comment {
    type Plan = Parts;

    fn plan(&self, shown: &ShownPlan<'_>) -> Parts {
        // The text is folded by the reader, so it is all there.
        let outline = Outline::of(shown, Details::Folded);
        Parts::of(&outline, shown, self.commit.as_deref())
    }

    fn continued(&self, first: &mut Parts, next: Parts) {
        first.and(next);
    }

    fn text(&self, said: &Said<Parts>) -> String {
        let title = layout::Title::of(&self.stack);
        size::fitted(&title, said.plan.as_ref(), &said.diagnostics, &said.result)
    }
}

#[cfg(test)]
mod tests;
