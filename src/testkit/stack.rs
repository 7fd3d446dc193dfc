//! A stack under test: its function and its configuration.

use std::sync::Arc;

use terrane_config::ConfigValues;
use terrane_core::{Diagnostics, KnownValues, Program, Result, Stack};

use crate::cloud::TestCloud;
use crate::plan::TestPlan;

/// A stack function with the configuration that it is run with. A clone with another value is another case of the same test.
#[derive(Clone)]
pub struct TestStack {
    function: Arc<StackFunction>,
    values: ConfigValues,
}

type StackFunction = dyn Fn(&mut Stack) -> Result<()> + Send + Sync;

impl TestStack {
    /// A stack without configuration values: each has its default.
    pub fn new(function: impl Fn(&mut Stack) -> Result<()> + Send + Sync + 'static) -> Self {
        Self {
            function: Arc::new(function),
            values: ConfigValues::new(),
        }
    }

    /// The same with the values of a TOML document: `include_str!("prod.toml")`.
    ///
    /// # Panics
    /// When it is not TOML.
    #[must_use]
    #[track_caller]
    pub fn config_file(mut self, toml: &str) -> Self {
        if let Err(faults) = self.values.add_toml("the test's TOML", toml) {
            panic!("{faults}");
        }
        self
    }

    /// The same with one value more, as `--var` takes it: `name=value`. It wins over those before it.
    ///
    /// # Panics
    /// When there is no name or no value.
    #[must_use]
    #[track_caller]
    pub fn var(mut self, name_and_value: &str) -> Self {
        if let Err(faults) = self.values.add_flag(name_and_value) {
            panic!("{faults}");
        }
        self
    }

    /// The same with these values in place of all so far.
    #[must_use]
    pub fn config(mut self, values: ConfigValues) -> Self {
        self.values = values;
        self
    }

    /// The plan of the stack where nothing exists yet.
    ///
    /// # Panics
    /// When there is none; the message says everything that is wrong.
    #[track_caller]
    pub fn plan(&self) -> TestPlan {
        match self.try_plan() {
            Ok(plan) => plan,
            Err(faults) => panic!("the stack cannot be planned:\n\n{faults}"),
        }
    }

    /// The same, for a stack that may be wrong.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn try_plan(&self) -> Result<TestPlan, Diagnostics> {
        TestCloud::new().try_preview(self)
    }

    /// Everything that is wrong with a stack that is to be refused before anything is done.
    ///
    /// # Panics
    /// When nothing is.
    #[track_caller]
    pub fn refused(&self) -> String {
        match self.try_plan() {
            Ok(plan) => panic!("the stack is not refused; its plan:\n\n{plan}"),
            Err(faults) => faults.to_string(),
        }
    }

    /// What the stack declares.
    ///
    /// # Errors
    /// Everything that is wrong with the declarations.
    pub fn program(&self) -> Result<Program, Diagnostics> {
        self.program_with(KnownValues::default())
    }

    /// The same where values are known that modules take.
    pub(crate) fn program_with(&self, values: KnownValues) -> Result<Program, Diagnostics> {
        Program::with_values(|stack| (self.function)(stack), self.values.clone(), values)
    }
}
