//! What became of one configuration.

use serde::Serialize;
use serde_json::Value as Json;

/// A configuration, and how far it came.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// Its path in the corpus.
    pub(crate) configuration: String,
    /// How many blocks it has; unknown where it is refused.
    pub(crate) blocks: Option<usize>,
    /// What the program cannot say, with the place.
    pub(crate) untranslated: Vec<String>,
    #[serde(flatten)]
    pub(crate) reached: Reached,
}

/// How far a configuration came.
#[derive(Debug, Serialize)]
#[serde(tag = "reached", rename_all = "snake_case")]
pub(crate) enum Reached {
    /// The converter refuses it.
    Refused { error: String },
    /// It has been converted, and nothing more was asked for.
    Converted,
    /// The compiler refuses the program.
    Written { errors: Vec<String> },
    /// The program makes no plan.
    Compiled { error: String },
    /// There are two plans.
    Planned {
        compared: u64,
        differing: u64,
        differences: Vec<Json>,
    },
}

impl Outcome {
    /// Whether it needs no hand's work at all.
    pub(crate) fn is_whole(&self) -> bool {
        self.untranslated.is_empty()
            && matches!(self.reached, Reached::Planned { differing: 0, .. })
    }

    /// Whether its program compiles; unknown where nothing has been compiled.
    pub(crate) fn compiles(&self) -> Option<bool> {
        match self.reached {
            Reached::Refused { .. } | Reached::Converted => None,
            Reached::Written { .. } => Some(false),
            Reached::Compiled { .. } | Reached::Planned { .. } => Some(true),
        }
    }
}
