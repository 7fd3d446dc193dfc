//! Views: whatever a command has to say, in the format that was asked for. Commands speak to the traits here and know no format.
//!
//! | module | holds |
//! |---|---|
//! | `format` | every format, its flags, and the one choice between them |
//! | `views` | the traits: plans, runs, the state, exports, edits, upkeep, the program, its providers |
//! | `many` | several views as one: a terminal and a file |
//! | `feed` | the engine's events, redacted, to every view of a run |
//! | `tracker` | the operations of a run as they stand, for every view that shows them |
//! | `usual` | how long operations took in earlier runs |
//! | `outline` | a plan as people see it, for every format that people read: nesting, folding, causes, losses |
//! | `digest` | what a reader of a plan approves, as a SHA-256 |
//! | `diff` | the differences between two states of an object, in rows |
//! | `text` | for people at a terminal |
//! | `markdown` | for people in a pull request |
//! | `html` | a page for people in a browser |
//! | `json` | for programs, in the shapes that Terraform gave them |
//! | `summary` | for scripts and agents: the same in at most 8 KB |
//! | `document` | a file with one document, written anew whenever there is more to say |
//! | `graph` | the resource graph in its own formats |
//! | `rendering` | all of them at once, for tests and benchmarks (feature `rendering`) |
//! | `hidden`, `stored`, `printable`, `lock` | shared by all formats |
//!
//! **A new format** is a folder here and its entry in `FORMATS`; the compiler names every trait that it lacks. **A new event** of the
//! engine does not compile until every view names it: no `match` on events has a wildcard.

mod annotations;
mod diff;
mod digest;
mod document;
mod feed;
mod format;
pub(crate) mod graph;
pub(crate) mod hidden;
mod html;
mod json;
pub(crate) mod lock;
mod many;
pub(crate) mod markdown;
pub(crate) mod outline;
pub(crate) mod printable;
#[cfg(feature = "rendering")]
pub(crate) mod rendering;
mod sink;
mod stored;
mod summary;
pub(crate) mod text;
mod tracker;
mod usual;
mod views;

/// Every format beside text for people, which needs no flag. A new one is a folder, and an entry here.
static FORMATS: &[&format::Format] = &[
    &json::FORMAT,
    &markdown::FORMAT,
    &html::FORMAT,
    &summary::FORMAT,
];

pub(crate) use annotations::{Annotations, annotations};
pub(crate) use digest::{Approval, PlanDigest};
pub(crate) use feed::Feed;
pub(crate) use format::{InFiles, OnStdout};
pub(crate) use many::{PlanViews, RunViews};
pub(crate) use outline::{Details, Place};
pub(crate) use stored::{attribute_of, part_of};
pub(crate) use text::{Installing, rows_of_planning};
pub(crate) use tracker::{Phase, Tracker};
pub(crate) use usual::UsualTimes;
pub(crate) use views::{
    AppliedRun, ChangeView, ClosedRun, EditView, Outputs, OutputsView, Past, PlanView, ProgramView,
    ProgressView, ProvidersView, RunStatus, RunView, SavedAs, ShownPlan, StateEdit, StateView,
    UpkeepView, Validity, Version, View,
};

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// They read `(sensitive)`.
    Hidden,
    /// They are printed, because the user asked for it.
    Shown,
}

impl Secrets {
    /// As `--show-secrets` says.
    pub(crate) fn shown(show: bool) -> Self {
        if show { Self::Shown } else { Self::Hidden }
    }
}
