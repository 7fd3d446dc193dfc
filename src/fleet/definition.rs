//! A fleet under construction: its stacks, each with its function, its store and its age.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use terrane_config::ConfigValues;
use terrane_core::{Diagnostic, Diagnostics, Error, Exports, Location, Result, Stack, StackRef};
use terrane_state::BackendConfig;

use crate::family::Family;
use crate::order::Dependency;

/// Many stacks of one program.
///
/// ```
/// use terrane_core::{Output, Result, Stack};
/// use terrane_fleet::{Fleet, FleetStack};
/// # use terrane_config::ConfigValues;
/// # use terrane_macros::Exports;
///
/// #[derive(Exports)]
/// # #[exports(crate = "terrane_core")]
/// struct NetworkExports {
///     vpc_id: Output<String>,
/// }
///
/// fn fleet(fleet: &mut Fleet) -> Result<()> {
///     for environment in ["prod", "dev"] {
///         let network = fleet.stack(FleetStack::new(format!("network/{environment}"), |_: &mut Stack| {
///             Ok(NetworkExports { vpc_id: Output::known("vpc-1") })
///         }));
///         fleet.stack(FleetStack::new(format!("cluster/{environment}"), move |stack: &mut Stack| {
///             let network = stack.exports_of(&network);
///             stack.export("vpc", network.vpc_id);
///             Ok(())
///         }));
///     }
///     Ok(())
/// }
/// # assert_eq!(Fleet::from_fn(fleet, ConfigValues::new()).expect("a fleet").len(), 4);
/// ```
#[derive(Debug)]
pub struct Fleet {
    config: ConfigValues,
    pub(crate) stacks: Vec<Definition>,
    pub(crate) families: Vec<Family>,
    diagnostics: Diagnostics,
}

/// A stack's function, whose exports are declared with it.
pub type StackFunction = Arc<dyn Fn(&mut Stack) -> Result<()> + Send + Sync>;

/// What a fleet knows of one of its stacks.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) name: Arc<str>,
    pub(crate) function: StackFunction,
    pub(crate) backend: Option<BackendConfig>,
    pub(crate) config: ConfigValues,
    pub(crate) after: Vec<Dependency>,
    pub(crate) expires_after: Option<Duration>,
    location: Location,
}

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Definition({})", self.name)
    }
}

/// A stack for a fleet: its function returns its exports.
#[derive(Debug)]
#[must_use = "`Fleet::stack` adds it"]
pub struct FleetStack<E> {
    pub(crate) definition: Definition,
    exports: PhantomData<fn() -> E>,
}

impl<E: Exports> FleetStack<E> {
    /// The stack of that name: letters, digits, `-` and `_`, in parts between `/`. Its state lies in
    /// `.terrane/<name>/terraform.tfstate` unless [`backend`](Self::backend) says otherwise.
    #[track_caller]
    pub fn new(
        name: impl Into<Arc<str>>,
        function: impl Fn(&mut Stack) -> Result<E> + Send + Sync + 'static,
    ) -> Self {
        let declare = move |stack: &mut Stack| {
            let exports = function(stack)?;
            stack.exports(exports);
            Ok(())
        };
        Self {
            definition: Definition {
                name: name.into(),
                function: Arc::new(declare),
                backend: None,
                config: ConfigValues::new(),
                after: Vec::new(),
                expires_after: None,
                location: Location::caller(),
            },
            exports: PhantomData,
        }
    }

    /// Where its state is kept.
    pub fn backend(mut self, backend: impl Into<BackendConfig>) -> Self {
        self.definition.backend = Some(backend.into());
        self
    }

    /// The configuration that its function reads with `stack.config()`.
    pub fn config(mut self, values: ConfigValues) -> Self {
        self.definition.config = values;
        self
    }

    /// It waits for another stack none of whose exports it uses.
    #[track_caller]
    pub fn after<O>(mut self, other: &StackRef<O>) -> Self {
        self.definition.after.push(Dependency {
            producer: other.name().into(),
            location: Location::caller(),
        });
        self
    }

    /// It is short-lived: `destroy --expired` removes it when its last run began longer ago than that.
    pub fn expires_after(mut self, age: Duration) -> Self {
        self.definition.expires_after = Some(age);
        self
    }
}

impl Fleet {
    /// Runs a fleet's function with that configuration.
    ///
    /// # Errors
    /// The function's own error, names that cannot be, names that are taken.
    pub fn from_fn(
        function: impl FnOnce(&mut Self) -> Result<()>,
        config: ConfigValues,
    ) -> std::result::Result<Self, Diagnostics> {
        let mut fleet = Self {
            config,
            stacks: Vec::new(),
            families: Vec::new(),
            diagnostics: Diagnostics::new(),
        };
        if let Err(error) = function(&mut fleet) {
            fleet.diagnostics.extend(error.into_diagnostics());
        }
        let diagnostics = std::mem::take(&mut fleet.diagnostics);
        diagnostics.into_result(fleet).map(|(fleet, _)| fleet)
    }

    /// The fleet's configuration as a type of your own: `TERRANE_VAR_<NAME>`, then `--var-file`, then `--var`. Unknown keys are refused.
    ///
    /// # Errors
    /// When a key is unknown, missing or of the wrong type; each with its name and where it came from.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C> {
        self.config.deserialize().map_err(Error::from)
    }

    /// Whether its function read the configuration.
    pub fn has_read_config(&self) -> bool {
        self.config.was_read()
    }

    /// Adds a stack. The handle is for its consumers: [`Stack::exports_of`].
    pub fn stack<E>(&mut self, stack: FleetStack<E>) -> StackRef<E> {
        let definition = stack.definition;
        let (name, location) = (definition.name.clone(), definition.location);
        if let Err(reason) = check_name(&name) {
            let wrong = Diagnostic::error(format!("`{name}` is not a valid stack name: {reason}"));
            self.diagnostics.push(wrong.location(location));
        }
        if let Some(first) = self.stacks.iter().find(|known| known.name == name) {
            self.diagnostics.push(
                Diagnostic::error(format!("two stacks are named `{name}`"))
                    .detail(format!("the first is at {}", first.location))
                    .location(location)
                    .hint("put what tells them apart into the name: `network/prod`"),
            );
        }
        self.stacks.push(definition);
        StackRef::new(name)
    }

    /// How many stacks it has.
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }
}

/// Names become folders, keys of a bucket and parts of commands.
pub(crate) fn check_name(name: &str) -> std::result::Result<(), &'static str> {
    let is_part = |part: &str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(inside)
    };
    if name.len() > 90 || !name.split('/').all(is_part) {
        return Err("write letters, digits, `-` and `_`, at most 90, in parts between `/`");
    }
    match name.split('/').next() {
        Some("sandbox" | "replay") => Err("`sandbox` and `replay` are folders of terrane's own"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(names: &[&str]) -> Vec<String> {
        let declare = |fleet: &mut Fleet| {
            for name in names {
                fleet.stack(FleetStack::new(*name, |_| Ok(())));
            }
            Ok(())
        };
        match Fleet::from_fn(declare, ConfigValues::new()) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(|error| error.summary.clone()).collect(),
        }
    }

    #[test]
    fn a_name_is_a_path_of_plain_parts_and_has_one_stack() {
        assert!(errors(&["network/prod", "network/pr-12", "a_b"]).is_empty());
        assert_eq!(errors(&["a", "a"]), ["two stacks are named `a`"]);
        for wrong in ["", "/a", "a//b", "a/", "../a", "a b", "sandbox/prod", ".a"] {
            assert_eq!(errors(&[wrong]).len(), 1, "{wrong}");
        }
    }
}
