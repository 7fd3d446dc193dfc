//! What a run is asked to do.

use serde::{Deserialize, Serialize};
use terrane_core::addr::ParseAddrError;
use terrane_core::addr::{InstanceAddr, InstanceKey, ModuleAddr};

/// What kind of plan is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// Make the world as the program says.
    #[default]
    Normal,
    /// Remove everything in the state.
    Destroy,
    /// Only bring the state up to date with the world.
    RefreshOnly,
}

/// What is read before planning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// Every object.
    #[default]
    All,
    /// Nothing; the state is trusted.
    Nothing,
}

/// Options of a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// What is read first.
    pub refresh: RefreshPolicy,
    /// Only these and what they need; empty means everything.
    pub targets: Vec<Pattern>,
    /// Not these, and not what needs them.
    pub excludes: Vec<Pattern>,
    /// Replace these even if they could stay.
    pub replace: Vec<Pattern>,
    /// Where nobody knows what exists: left out like [`excludes`](Self::excludes).
    pub blocked: Vec<InstanceAddr>,
}

/// An address pattern of the command line: a module, a resource, an instance, each with `*` for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl std::str::FromStr for Pattern {
    type Err = ParseAddrError;

    /// Accepts any address of a module, resource or instance, and the same with `*` in it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains('*') && text.parse::<ModuleAddr>().is_err() {
            text.parse::<InstanceAddr>()?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Whether the pattern names this instance, its resource, or a module around it.
    pub fn matches(&self, address: &InstanceAddr) -> bool {
        let full = address.to_string();
        if glob(&self.0, &full) {
            return true;
        }
        if address.key.is_some() && glob(&self.0, &address.resource.to_string()) {
            return true;
        }
        let mut module = ModuleAddr::root();
        address.resource.module.steps().iter().any(|step| {
            let unkeyed = module.child(step.name.clone(), None::<InstanceKey>);
            module = module.child(step.name.clone(), step.key.clone());
            glob(&self.0, &module.to_string()) || glob(&self.0, &unkeyed.to_string())
        })
    }
}

/// Matches `*` against any run of characters, in linear space and without backtracking over more than the last star.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, star_t + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        let pattern: Pattern = pattern.parse().expect("a pattern");
        pattern.matches(&address.parse().expect("an address"))
    }

    #[test]
    fn a_pattern_names_instances_resources_and_modules() {
        let subnet = "module.network.aws_subnet.private[\"a\"]";
        assert!(matches(subnet, subnet));
        assert!(matches("module.network.aws_subnet.private", subnet));
        assert!(matches("module.network", subnet));
        assert!(matches("module.*.aws_subnet.*", subnet));
        assert!(matches("*private*", subnet));
        assert!(!matches("module.net", subnet));
        assert!(!matches("aws_subnet.private", subnet));
        assert!(!matches("module.network.aws_subnet.private[\"b\"]", subnet));
    }

    #[test]
    fn what_is_neither_an_address_nor_a_glob_is_refused() {
        assert!("aws_subnet".parse::<Pattern>().is_err());
        assert!("module.network".parse::<Pattern>().is_ok());
    }
}
