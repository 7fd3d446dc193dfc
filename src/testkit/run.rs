//! How a run ended: its steps, its diagnostics, and whether it lived to the end.

use std::fmt::Write as _;

use terrane_core::{Diagnostic, Diagnostics};

use crate::plan::TestPlan;

/// A run of `up`, `refresh` or `destroy` that has ended.
pub struct TestRun {
    pub(crate) plan: Option<TestPlan>,
    pub(crate) steps: Vec<String>,
    pub(crate) recovered: Vec<String>,
    pub(crate) diagnostics: Diagnostics,
    /// Operations of earlier runs that nothing proved the outcome of, with the doubt.
    pub(crate) unresolved: Vec<String>,
    pub(crate) died: bool,
}

impl TestRun {
    /// Asserts that the run did all of its plan, and that no operation waits for a person.
    ///
    /// # Panics
    /// When it did not, or one does; the message has its steps and its errors.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(!self.died, "the run died:\n\n{}", self.told());
        assert!(
            !self.diagnostics.has_errors() && self.unresolved.is_empty(),
            "the run failed:\n\n{}",
            self.told()
        );
        self
    }

    /// Asserts that the run ended with an error that has that text in it.
    ///
    /// # Panics
    /// When it succeeded, died, or failed for another reason.
    #[track_caller]
    pub fn fails(self, why: &str) -> Self {
        assert!(!self.died, "the run died:\n\n{}", self.told());
        let mut errors = self.diagnostics.iter().filter(|one| one.is_error());
        let found = errors.any(|error| error.to_string().contains(why));
        assert!(
            found,
            "the run did not fail with `{why}`:\n\n{}",
            self.told()
        );
        self
    }

    /// Asserts that the run died, as a [`Fault`](crate::Fault) asked for.
    ///
    /// # Panics
    /// When it came to its end.
    #[track_caller]
    pub fn dies(self) -> Self {
        assert!(self.died, "the run came to its end:\n\n{}", self.told());
        self
    }

    /// The plan that the run applied.
    ///
    /// # Panics
    /// When there was none.
    #[track_caller]
    pub fn plan(&self) -> &TestPlan {
        match &self.plan {
            Some(plan) => plan,
            None => panic!("the run made no plan:\n\n{}", self.told()),
        }
    }

    /// The steps in their order, a line each: `create aws_vpc.main: done`.
    pub fn steps(&self) -> String {
        self.steps.join("\n")
    }

    /// What became of the operations of earlier runs whose outcome was unknown, a line each.
    pub fn recovered(&self) -> String {
        self.recovered.join("\n")
    }

    /// The operations of earlier runs that are left to a person, and why, a line each.
    pub fn unresolved(&self) -> String {
        self.unresolved.join("\n")
    }

    /// Errors and warnings, without lines of the source: a text for snapshots.
    pub fn diagnostics(&self) -> String {
        let without_line = |diagnostic: &Diagnostic| {
            let mut diagnostic = diagnostic.clone();
            diagnostic.location = None;
            diagnostic.to_string()
        };
        let all: Vec<String> = self.diagnostics.iter().map(without_line).collect();
        all.join("\n\n")
    }

    fn told(&self) -> String {
        let mut text = self.steps();
        for unresolved in &self.unresolved {
            let _ = write!(text, "\n{unresolved}");
        }
        let _ = write!(text, "\n\n{}", self.diagnostics);
        text
    }
}
