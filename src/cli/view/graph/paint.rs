//! How each action looks in every form of the graph: a sign and a word for it, a fill and a line.

use terrane_core::Action;

use crate::view::outline::{sign_of, verb_of};

/// The look of a node.
pub(super) struct Look {
    /// The name of the class in Mermaid, and of the group in SVG.
    pub(super) class: &'static str,
    /// Before the name; colours alone tell nothing to some people.
    pub(super) sign: &'static str,
    /// In the legend.
    pub(super) word: &'static str,
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
}

/// Every look that a plan has, in the order of the legend.
pub(super) const ACTIONS: [Action; 8] = [
    Action::Create,
    Action::Update,
    Action::DeleteThenCreate,
    Action::CreateThenDelete,
    Action::Delete,
    Action::Forget,
    Action::Read,
    Action::NoOp,
];

/// The look of a node with that action; without one where there is no plan.
pub(super) fn look(action: Option<Action>) -> Look {
    let (class, fill, line) = match action {
        None => ("plain", "#ffffff", "#5b6472"),
        Some(Action::NoOp) => ("kept", "#ffffff", "#9aa3b2"),
        Some(Action::Create) => ("create", "#e3f6e6", "#1f7a36"),
        Some(Action::Read) => ("read", "#e4f2fb", "#1b6a99"),
        Some(Action::Update) => ("update", "#fff3d6", "#946200"),
        Some(Action::DeleteThenCreate | Action::CreateThenDelete) => {
            ("replace", "#f9e3f6", "#9a2086")
        }
        Some(Action::Delete) => ("destroy", "#fde4e1", "#b3261e"),
        Some(Action::Forget) => ("forget", "#ececf0", "#5b6472"),
    };
    let (sign, word) = match action {
        None => ("", ""),
        Some(Action::NoOp) => ("", "unchanged"),
        Some(action) => (sign_of(action), verb_of(action)),
    };
    Look {
        class,
        sign,
        word,
        fill,
        line,
    }
}
