//! Module addresses: the prefix of a component's declarations.

use std::fmt;
use std::sync::Arc;

use super::InstanceKey;

/// `module.network` or `module.region["eu"].module.network`; the root module prints as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleAddr(Arc<[ModuleStep]>);

/// One `module.<name>[key]` of a module address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The component's name.
    pub name: Arc<str>,
    /// Which instance of it, where there are several.
    pub key: Option<InstanceKey>,
}

impl ModuleAddr {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// A module inside this one.
    #[must_use]
    pub fn child(&self, name: impl Into<Arc<str>>, key: Option<InstanceKey>) -> Self {
        let step = ModuleStep {
            name: name.into(),
            key,
        };
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The same module without any instance keys, as stored dependencies name it.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        if self.0.iter().all(|step| step.key.is_none()) {
            return self.clone();
        }
        Self(
            self.0
                .iter()
                .map(|step| ModuleStep {
                    name: step.name.clone(),
                    key: None,
                })
                .collect(),
        )
    }

    /// Whether `other` is this module or lies inside it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromIterator<ModuleStep> for ModuleAddr {
    fn from_iter<I: IntoIterator<Item = ModuleStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for ModuleAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}
