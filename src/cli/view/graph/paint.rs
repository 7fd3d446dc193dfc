//! How each node looks in every form of the graph: a sign and a word for what the plan does to it, a fill and a line.

use terrane_core::Action;

use crate::view::outline::{sign_of, verb_of};

/// What a plan does to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) enum Fate {
    Planned(Action),
    /// It is planned later in the run; the action is the likely one.
    Deferred(Action),
}

/// The look of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) struct Look {
    /// The name of the class in Mermaid, and of the group in SVG.
    pub(super) class: &'static str,
    /// Before the name; colours alone tell nothing to some people.
    pub(super) sign: &'static str,
    /// In the legend.
    pub(in crate::view) word: &'static str,
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
}

/// One of each look that a plan has, in the order of the legend.
pub(super) const FATES: [Fate; 9] = [
    Fate::Planned(Action::Create),
    Fate::Planned(Action::Update),
    Fate::Planned(Action::DeleteThenCreate),
    Fate::Planned(Action::CreateThenDelete),
    Fate::Planned(Action::Delete),
    Fate::Planned(Action::Forget),
    Fate::Planned(Action::Read),
    Fate::Deferred(Action::Create),
    Fate::Planned(Action::NoOp),
];

/// The look of a node; without a fate where there is no plan.
pub(super) fn look(fate: Option<Fate>) -> Look {
    let (class, fill, line) = match fate {
        None => ("plain", "#ffffff", "#5b6472"),
        Some(Fate::Deferred(_)) => ("deferred", "#efeafc", "#6b4fb3"),
        Some(Fate::Planned(action)) => match action {
            Action::NoOp => ("kept", "#ffffff", "#9aa3b2"),
            Action::Create => ("create", "#e3f6e6", "#1f7a36"),
            Action::Read => ("read", "#e4f2fb", "#1b6a99"),
            Action::Update => ("update", "#fff3d6", "#946200"),
            Action::DeleteThenCreate | Action::CreateThenDelete => {
                ("replace", "#f9e3f6", "#9a2086")
            }
            Action::Delete => ("destroy", "#fde4e1", "#b3261e"),
            Action::Forget => ("forget", "#ececf0", "#5b6472"),
        },
    };
    let (sign, word) = match fate {
        None => ("", ""),
        Some(Fate::Deferred(_)) => ("?", "deferred"),
        Some(Fate::Planned(Action::NoOp)) => ("", "unchanged"),
        Some(Fate::Planned(action)) => (sign_of(action), verb_of(action)),
    };
    Look {
        class,
        sign,
        word,
        fill,
        line,
    }
}
