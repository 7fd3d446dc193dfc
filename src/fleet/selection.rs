//! Which stacks of a fleet a command is about: `--only`, `--level`, `--shard`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use glob::Pattern;
use terrane_core::closest;
use thiserror::Error;

use crate::order::{Order, StackId};
use crate::shard::{self, Shard};

/// What a command is asked to work on; everything, if nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names or globs; stacks that match one of them.
    pub only: Vec<StackPattern>,
    /// Stacks of that level.
    pub level: Option<usize>,
    /// The part of one machine out of several.
    pub shard: Option<Shard>,
}

/// The name of a stack, or a glob of names: `*` stands for any text, `?` for a character, `[ab]` for one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPattern(Pattern);

/// The text is no pattern of names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a pattern of stack names: {reason}")]
pub struct InvalidPattern {
    text: String,
    reason: &'static str,
}

impl FromStr for StackPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        Pattern::new(text)
            .map(Self)
            .map_err(|error| InvalidPattern {
                text: text.to_owned(),
                reason: error.msg,
            })
    }
}

impl fmt::Display for StackPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The selection cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// A pattern names nothing.
    #[error("`--only {pattern}` matches no stack")]
    MatchesNothing {
        /// The pattern.
        pattern: String,
        /// The name that was probably meant.
        close: Option<String>,
    },
    /// There are fewer levels.
    #[error("there is no level {level}: the last is {last}")]
    NoSuchLevel {
        /// The level that was asked for.
        level: usize,
        /// The highest that there is.
        last: usize,
    },
}

impl Selection {
    /// The stacks, in the order of the program. A shard may have none.
    ///
    /// # Errors
    /// When a pattern matches no stack, or there is no such level.
    pub fn of(&self, order: &Order) -> Result<BTreeSet<StackId>, SelectionError> {
        for pattern in &self.only {
            let mut names = order.ids().map(|id| &**order.name(id));
            if !names.any(|name| pattern.0.matches(name)) {
                let names = order.ids().map(|id| &**order.name(id));
                return Err(SelectionError::MatchesNothing {
                    pattern: pattern.to_string(),
                    close: closest(pattern.0.as_str(), names).map(str::to_owned),
                });
            }
        }
        if let Some(level) = self.level {
            let last = order.ids().map(|id| order.level(id)).max().unwrap_or(0);
            if level > last {
                return Err(SelectionError::NoSuchLevel { level, last });
            }
        }
        let is_named = |id: &StackId| {
            let name = order.name(*id);
            self.only.is_empty() || self.only.iter().any(|pattern| pattern.0.matches(name))
        };
        let is_level = |id: &StackId| self.level.is_none_or(|level| order.level(*id) == level);
        let chosen: BTreeSet<StackId> = order.ids().filter(is_named).filter(is_level).collect();
        let Some(shard) = self.shard else {
            return Ok(chosen);
        };
        // Stacks of one level do not wait for each other, so each can go to a machine of its own.
        let groups = match self.level {
            Some(_) => chosen.iter().map(|&id| vec![id]).collect(),
            None => order.groups(),
        };
        let groups = groups.into_iter().map(|group| {
            let chosen = group.into_iter().filter(|id| chosen.contains(id));
            chosen.collect::<Vec<_>>()
        });
        let groups = groups.filter(|group| !group.is_empty()).collect();
        Ok(shard::of(groups, shard, |id| order.name(id))
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn order() -> Order {
        let names = ["network/prod", "cluster/prod", "network/dev", "cluster/dev"];
        let stacks = names.iter().map(|name| (Arc::from(*name), Vec::new()));
        Order::new(stacks.collect()).expect("an order")
    }

    fn chosen(only: &[&str]) -> Result<Vec<String>, String> {
        let only = only.iter().map(|text| text.parse().expect("a pattern"));
        let selection = Selection {
            only: only.collect(),
            ..Selection::default()
        };
        let order = order();
        let chosen = selection.of(&order).map_err(|error| format!("{error:?}"))?;
        Ok(chosen
            .into_iter()
            .map(|id| order.name(id).to_string())
            .collect())
    }

    #[test]
    fn a_glob_chooses_every_stack_whose_name_it_matches() {
        assert_eq!(
            chosen(&["*/prod"]),
            Ok(vec!["network/prod".into(), "cluster/prod".into()])
        );
        assert_eq!(
            chosen(&["cluster/dev", "network/*"]).expect("some").len(),
            3
        );
        assert_eq!(chosen(&[]).expect("all").len(), 4);
    }

    #[test]
    fn a_pattern_that_matches_no_stack_is_an_error_and_never_a_run_over_nothing() {
        let error = chosen(&["network/*", "network/prd"]).expect_err("a slip");
        insta::assert_snapshot!(error, @r#"MatchesNothing { pattern: "network/prd", close: Some("network/prod") }"#);
        let error = "network/[".parse::<StackPattern>().expect_err("no pattern");
        insta::assert_snapshot!(error, @"`network/[` is not a pattern of stack names: invalid range pattern");
    }
}
