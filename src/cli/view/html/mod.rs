//! A plan as a page to look at: one file that needs no network, for the artifacts of a CI.
//!
//! | module | holds |
//! |---|---|
//! | `page` | the page from top to bottom |
//! | `tree` | changes and drift, nested by module, each with its diff |
//! | `graph` | the resources of the plan as a picture, and their dependencies for the script |
//! | `cost`, `policies` | a section each |
//! | `run` | a run: the plan, then how it ended |
//! | `escape` | texts of others inside HTML |
//! | `page.css`, `page.js` | how it looks, and what it does; it reads well without the script |

mod cost;
mod escape;
mod graph;
mod page;
mod policies;
mod run;
mod tree;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terrane_core::{Diagnostic, Diagnostics};

use super::format::{Flag, Format};
use super::outline::{Details, Outline};
use super::sink::Sink;
use super::{PlanView, Secrets, ShownPlan};
use page::{Body, Facts};

/// `--html`.
pub(super) static FORMAT: Format = Format {
    on_stdout: None,
    in_file: Some((
        Flag {
            name: "html",
            help: "Write the plan as a page for a browser into a file: changes, graph, costs, policies; it needs no network",
        },
        |path| Arc::new(HtmlView::new(path)),
    )),
};

/// Writes a page into a file.
struct HtmlView {
    to: Sink,
    document: Mutex<Document>,
}

/// What there is to say so far.
#[derive(Default)]
struct Document {
    /// The commit that a job of a CI works on.
    commit: Option<String>,
    plan: Option<Body>,
    diagnostics: Vec<Diagnostic>,
    /// Sentences about a run.
    result: Vec<String>,
    /// Something was said since the file was written.
    is_news: bool,
}

impl Document {
    fn add(&mut self, diagnostics: &Diagnostics) {
        for one in diagnostics {
            if !self.diagnostics.contains(one) {
                self.diagnostics.push(one.clone());
                self.is_news = true;
            }
        }
    }

    fn show(&mut self, shown: &ShownPlan<'_>) {
        self.add(shown.diagnostics);
        // A page is handed on to people who may read no secret, whoever made it.
        let shown = ShownPlan {
            secrets: Secrets::Hidden,
            ..*shown
        };
        // The reader unfolds, so it is all there.
        let outline = Outline::of(&shown, Details::Folded);
        let facts = Facts::of(&shown, self.commit.as_deref());
        match &mut self.plan {
            None => self.plan = Some(Body::new(&outline, &facts)),
            // The plan of what the first one deferred.
            Some(first) => first.and(&outline),
        }
        self.is_news = true;
    }

    fn text(&mut self) -> String {
        self.is_news = false;
        page::text(self.plan.as_ref(), &self.diagnostics, &self.result)
    }
}

impl HtmlView {
    fn new(path: PathBuf) -> Self {
        let commit = std::env::var_os("GITHUB_SHA").and_then(|it| it.into_string().ok());
        Self {
            to: Sink::file(path),
            document: Mutex::new(Document {
                commit,
                ..Document::default()
            }),
        }
    }

    fn document(&self) -> MutexGuard<'_, Document> {
        self.document.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file as far as there is something to say.
    fn write(&self) -> Result<(), Diagnostics> {
        let text = self.document().text();
        self.to.document(text)
    }
}

impl PlanView for HtmlView {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.document().show(shown);
        self.write()
    }

    fn no_plan(&self, why: &Diagnostics) -> Result<(), Diagnostics> {
        self.document().add(why);
        match self.document().is_news {
            true => self.write(),
            false => Ok(()),
        }
    }
}

impl Drop for HtmlView {
    /// A run that failed early has no last word.
    fn drop(&mut self) {
        if self.document().is_news {
            // Nobody is left to tell.
            let _ = self.write();
        }
    }
}

#[cfg(test)]
mod tests;
