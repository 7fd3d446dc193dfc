//! A plan as a page to look at: one file that needs no network, for the artifacts of a CI.
//!
//! | module | holds |
//! |---|---|
//! | `page` | the page from top to bottom |
//! | `tree` | changes and drift, nested by module, each with its diff |
//! | `graph` | the resources of the plan as a picture, and their dependencies for the script |
//! | `cost`, `policies` | a section each |
//! | `escape` | texts of others inside HTML |
//! | `page.css`, `page.js` | how it looks, and what it does; it reads well without the script |

mod cost;
mod escape;
mod graph;
mod page;
mod policies;
mod tree;

use std::sync::Arc;

use super::document::{Document, DocumentView, Said};
use super::format::{Flag, Format};
use super::outline::{Details, Outline};
use super::{Secrets, ShownPlan};
use page::{Body, Facts};

/// `--html`.
pub(super) static FORMAT: Format = Format {
    on_stdout: None,
    in_file: Some((
        Flag {
            name: "html",
            help: "Write the plan as a page for a browser into a file: changes, graph, costs, policies; it needs no network",
        },
        |path, _| {
            let commit = std::env::var_os("GITHUB_SHA").and_then(|it| it.into_string().ok());
            Arc::new(DocumentView::new(path, None, Page { commit }))
        },
    )),
};

/// The page.
struct Page {
    /// The commit that a job of a CI works on.
    commit: Option<String>,
}

impl Document for Page {
    type Plan = Body;

    fn plan(&self, shown: &ShownPlan<'_>) -> Body {
        // A page is handed on to people who may read no secret, whoever made it.
        let shown = ShownPlan {
            secrets: Secrets::Hidden,
            ..*shown
        };
        // The reader unfolds, so it is all there.
        let outline = Outline::of(&shown, Details::Folded);
        Body::new(outline, &Facts::of(&shown, self.commit.as_deref()))
    }

    fn continued(&self, first: &mut Body, next: Body) {
        first.and(&next);
    }

    fn text(&self, said: &Said<Body>) -> String {
        page::text(said.plan.as_ref(), &said.diagnostics, &said.result)
    }
}

#[cfg(test)]
mod tests;
