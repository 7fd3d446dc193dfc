//! What a person can look at before they confirm a plan: all of its details, those of one resource, the graph.

use std::path::PathBuf;

use terrane_core::addr::Pattern;
use terrane_core::{Diagnostic, closest};

use crate::session::Session;
use crate::view::graph::{ResourceGraph, svg};
use crate::view::printable::one_line;
use crate::view::{RunViews, ShownPlan};

/// A plan that waits for its confirmation.
pub(crate) struct Inspection<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) view: &'a RunViews,
    pub(crate) shown: &'a ShownPlan<'a>,
}

impl Inspection<'_> {
    /// Shows the part of the plan that an answer asks for; `false` when it asks for none.
    pub(crate) fn shows(&self, answer: &str) -> bool {
        let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
        match (&*word.to_lowercase(), rest.trim()) {
            ("details" | "d", "") => self.view.details(self.shown),
            ("details" | "d", address) => self.details_of(address),
            ("graph" | "g", "") => self.graph(),
            _ => return false,
        }
        true
    }

    fn details_of(&self, text: &str) {
        let changes = self.shown.plan.changes.iter();
        let addresses = changes.map(|change| &*change.address);
        let pattern = match text.parse::<Pattern>() {
            Ok(pattern) => pattern.among(addresses.clone()),
            Err(error) => {
                let unread = Diagnostic::error(format!("{} is not an address", one_line(text)));
                return self.session.say(&unread.detail(error.to_string()).into());
            }
        };
        if addresses.clone().any(|address| pattern.matches(address)) {
            return self.view.details_of(self.shown, &pattern);
        }
        let missing = format!("the plan has no resource {}", one_line(text));
        let known: Vec<String> = addresses.map(ToString::to_string).collect();
        let missing = Diagnostic::error(missing);
        let missing = match closest(text, known.iter().map(|known| &**known)) {
            Some(close) => missing.detail(format!("did you mean `{}`?", one_line(close))),
            None => missing,
        };
        self.session.say(&missing.into());
    }

    /// Draws the plan into a file beside the local states, which Git ignores.
    fn graph(&self) {
        let ShownPlan { plan, program, .. } = self.shown;
        let folder: PathBuf = [".terrane", self.session.stack].iter().collect();
        let file = folder.join("graph.svg");
        let picture = svg(&ResourceGraph::of_plan(program, plan));
        let written = terrane_files::create_folder(&folder)
            .and_then(|()| terrane_files::write_output(&file, picture.as_bytes()));
        let place = one_line(&file.display().to_string());
        match written {
            Ok(()) => self.session.note(&format!("graph written to {place}\n")),
            Err(error) => {
                let unwritten = Diagnostic::error(format!("cannot write {place}"));
                self.session
                    .say(&unwritten.detail(error.to_string()).into());
            }
        }
    }
}
