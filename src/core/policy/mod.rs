//! Policies: checks of a plan that the program itself declares.
//!
//! ```
//! # use terrane_core::{Program, NoConfig, Resource};
//! # let program = Program::from_fn(|stack| {
//! stack.policy("no public buckets", |plan| {
//!     for bucket in plan.of_type("aws_s3_bucket") {
//!         let acl = bucket.attribute::<String>("acl");
//!         bucket.require(&acl, "everybody can read it", |acl| {
//!             acl.is_none_or(|acl| !acl.starts_with("public"))
//!         });
//!     }
//! });
//! # Ok(())
//! # }, NoConfig).unwrap();
//! # assert_eq!(program.policies().len(), 1);
//! ```
//!
//! A policy sees the objects as they are going to be. Whatever only an apply can tell is [`Fact::Unknown`], and a requirement on it is
//! *undecided*: neither kept nor broken.

mod attached;
mod fact;
mod plan;
mod planned;
mod report;

use std::fmt;
use std::sync::Arc;

pub use attached::Attached;
pub use fact::Fact;
pub use plan::{PlannedObject, PlannedStack, ReviewedPlan};
pub use planned::Planned;
pub use report::{PolicyFinding, PolicyOutcome, PolicyReport};

use crate::addr::{InstanceAddr, Pattern};
use crate::diagnostics::Location;

/// A check that every plan of a stack must pass, or that is worth knowing to have failed.
#[derive(Clone)]
pub struct Policy {
    name: Arc<str>,
    enforcement: Enforcement,
    hint: Option<Arc<str>>,
    exceptions: Vec<Exception>,
    check: Arc<Check>,
    location: Location,
    /// Texts given to [`except`](Self::except) that are no addresses; reported when the program is complete.
    pub(crate) invalid_exceptions: Vec<String>,
}

type Check = dyn Fn(&ReviewedPlan<'_>) + Send + Sync;

/// What a plan that breaks the policy leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// It is shown, and the plan can be applied.
    Advisory,
    /// The plan is refused.
    Mandatory,
}

impl Enforcement {
    /// As outputs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Mandatory => "mandatory",
        }
    }
}

/// Resources that may break a policy, and why.
#[derive(Debug, Clone)]
struct Exception {
    pattern: Pattern,
    reason: Arc<str>,
}

impl Policy {
    /// A mandatory policy with that name.
    ///
    /// The check must be pure: it runs on every plan, and again before a saved one is applied.
    #[track_caller]
    pub fn new(
        name: impl Into<Arc<str>>,
        check: impl Fn(&ReviewedPlan<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            enforcement: Enforcement::Mandatory,
            hint: None,
            exceptions: Vec::new(),
            check: Arc::new(check),
            location: Location::caller(),
            invalid_exceptions: Vec::new(),
        }
    }

    /// The same, shown when it is broken, without refusing the plan.
    #[must_use]
    pub fn advisory(mut self) -> Self {
        self.enforcement = Enforcement::Advisory;
        self
    }

    /// The same, with the remedy for those who break it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Arc<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, where the resources at these addresses may break it: an instance, a resource or a module, `*` for any text.
    #[must_use]
    pub fn except(mut self, addresses: &str, reason: impl Into<Arc<str>>) -> Self {
        match addresses.parse() {
            Ok(pattern) => self.exceptions.push(Exception {
                pattern,
                reason: reason.into(),
            }),
            Err(_) => self.invalid_exceptions.push(addresses.to_owned()),
        }
        self
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What breaking it leads to.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// Where the program declares it.
    pub fn location(&self) -> Location {
        self.location
    }

    /// The reason for which the resource at that address may break it, if it may.
    fn exception(&self, address: &InstanceAddr) -> Option<&Arc<str>> {
        let mut exceptions = self.exceptions.iter();
        let found = exceptions.find(|exception| exception.pattern.matches(address));
        found.map(|exception| &exception.reason)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("enforcement", &self.enforcement)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
