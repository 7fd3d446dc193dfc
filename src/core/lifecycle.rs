//! The `lifecycle` meta-argument: how the engine may treat a resource instance.

use std::sync::Arc;

use crate::addr::InstanceAddr;
use crate::expr::Expr;
use crate::output::Output;
use crate::resource::Resource;
use crate::value::Path;

/// Limits on the engine's dealings with a resource instance.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// On a replacement, make the new object before the old one goes. Spreads to everything it depends on.
    pub create_before_destroy: bool,
    /// Refuse every plan that would delete or replace it.
    pub prevent_destroy: bool,
    /// Take in an object that exists already under the name that the arguments give it, instead of failing to make a second one.
    pub adopt_if_exists: bool,
    /// Differences that are none of our business.
    pub ignore_changes: IgnoreChanges,
    /// Attributes whose change replaces this too.
    pub replace_triggered_by: Vec<Trigger>,
    /// Texts given to [`Lifecycle::ignore_changes`] that are no paths; reported when the program is complete.
    pub(crate) invalid_paths: Vec<String>,
    /// Values whose change triggers a replacement; the program makes triggers of them when it is complete.
    pub(crate) triggering: Vec<Expr>,
}

/// Which differences between configuration and object are ignored after creation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IgnoreChanges {
    /// None: every difference is a change.
    #[default]
    Nothing,
    /// Those at and below these paths.
    Paths(Vec<Path>),
    /// All of them: the object is made once and never updated.
    Everything,
}

/// Something whose change triggers a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The resource instance.
    pub address: Arc<InstanceAddr>,
    /// The attribute, or the root path for any change of the instance.
    pub path: Path,
}

impl Lifecycle {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Make the new object before the old one goes.
    #[must_use]
    pub fn create_before_destroy(mut self) -> Self {
        self.create_before_destroy = true;
        self
    }

    /// Refuse every plan that would delete or replace the object.
    #[must_use]
    pub fn prevent_destroy(mut self) -> Self {
        self.prevent_destroy = true;
        self
    }

    /// Take in the object that exists already under the name that the arguments give (a bucket, a role, a repository), where the state has
    /// none; make it where there is none. The plan shows that it is taken in, and what differs. An object that another stack tagged as
    /// its own is never taken in.
    #[must_use]
    pub fn adopt_if_exists(mut self) -> Self {
        self.adopt_if_exists = true;
        self
    }

    /// Ignore differences at these paths (`"scaling_config[0].desired_size"`, `"tags[\"team\"]"`) once the object exists.
    #[must_use]
    pub fn ignore_changes<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = match self.ignore_changes {
            IgnoreChanges::Paths(paths) => paths,
            IgnoreChanges::Everything => return self,
            IgnoreChanges::Nothing => Vec::new(),
        };
        for text in paths {
            match text.parse() {
                Ok(path) => all.push(path),
                Err(_) => self.invalid_paths.push(text.to_owned()),
            }
        }
        self.ignore_changes = IgnoreChanges::Paths(all);
        self
    }

    /// Never update the object once it exists.
    #[must_use]
    pub fn ignore_all_changes(mut self) -> Self {
        self.ignore_changes = IgnoreChanges::Everything;
        self
    }

    /// Replace this whenever that resource is created, updated or replaced.
    #[must_use]
    pub fn replace_triggered_by(mut self, resource: &impl AsRef<Resource>) -> Self {
        let address = resource.as_ref().address().clone();
        self.replace_triggered_by.push(Trigger {
            address,
            path: Path::root(),
        });
        self
    }

    /// Replace this whenever an attribute in that output changes.
    #[must_use]
    pub fn replace_triggered_by_attribute<T>(mut self, output: &Output<T>) -> Self {
        self.triggering.push(output.expr().clone());
        self
    }

    /// Makes triggers of the attributes in the values that were given.
    pub(crate) fn find_triggers(&mut self) {
        for expr in std::mem::take(&mut self.triggering) {
            expr.for_each_reference(&mut |reference| {
                self.replace_triggered_by.push(Trigger {
                    address: reference.address.clone(),
                    path: reference.path.clone(),
                });
            });
        }
    }
}
