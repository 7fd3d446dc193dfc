//! The stacks of a fleet for a job queue: one entry a job, as GitHub Actions takes a matrix.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::order::{Order, StackId};
use crate::selection::{Selection, SelectionError};
use crate::shard::Shard;

/// A matrix of jobs. As JSON, `matrix: ${{ fromJSON(…) }}` of GitHub Actions takes it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// One entry a job.
    pub include: Vec<Job>,
}

/// One job: a stack, or one shard of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Job {
    /// One stack.
    Stack {
        /// Its name, for `--only`.
        stack: String,
        /// The stacks of a level are independent of each other, and wait for those of the levels before.
        level: usize,
        /// The stacks of the fleet whose exports it uses.
        after: Vec<String>,
    },
    /// A part of the stacks.
    Shard {
        /// Which one, for `--shard`.
        shard: String,
        /// The names of its stacks, in the order of the program.
        stacks: Vec<String>,
    },
}

impl Matrix {
    /// A job for each chosen stack, levels first, or for each of so many shards that has a stack.
    ///
    /// # Errors
    /// When the selection cannot be made.
    pub fn of(
        order: &Order,
        selection: &Selection,
        shards: Option<usize>,
    ) -> Result<Self, SelectionError> {
        let names = |ids: &BTreeSet<StackId>| -> Vec<String> {
            ids.iter().map(|&id| order.name(id).to_string()).collect()
        };
        let Some(count) = shards else {
            let mut chosen: Vec<StackId> = selection.of(order)?.into_iter().collect();
            chosen.sort_by_key(|&id| order.level(id));
            let jobs = chosen.into_iter().map(|id| Job::Stack {
                stack: order.name(id).to_string(),
                level: order.level(id),
                after: names(&order.producers(id).iter().copied().collect()),
            });
            return Ok(Self {
                include: jobs.collect(),
            });
        };
        let mut include = Vec::new();
        for index in 1..=count {
            let shard = Shard { index, count };
            let selection = Selection {
                shard: Some(shard),
                ..selection.clone()
            };
            let stacks = names(&selection.of(order)?);
            if !stacks.is_empty() {
                let shard = shard.to_string();
                include.push(Job::Shard { shard, stacks });
            }
        }
        Ok(Self { include })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrane_core::Location;

    use super::*;
    use crate::order::Dependency;

    fn matrix(shards: Option<usize>) -> String {
        let after = |producer: &str| Dependency {
            producer: producer.into(),
            location: Location::caller(),
        };
        let mut stacks: Vec<(Arc<str>, Vec<Dependency>)> = Vec::new();
        for environment in ["prod", "dev"] {
            let name = |part: &str| format!("{part}/{environment}");
            stacks.push((name("cluster").into(), vec![after(&name("network"))]));
            stacks.push((name("network").into(), Vec::new()));
        }
        let order = Order::new(stacks).expect("an order");
        let matrix = Matrix::of(&order, &Selection::default(), shards).expect("a matrix");
        let jobs = matrix.include.iter();
        let jobs = jobs.map(|job| serde_json::to_string(job).expect("JSON"));
        jobs.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_job_for_each_stack_says_its_level_and_what_it_waits_for() {
        insta::assert_snapshot!(matrix(None), @r#"
        {"stack":"network/prod","level":0,"after":[]}
        {"stack":"network/dev","level":0,"after":[]}
        {"stack":"cluster/prod","level":1,"after":["network/prod"]}
        {"stack":"cluster/dev","level":1,"after":["network/dev"]}
        "#);
    }

    #[test]
    fn a_shard_keeps_the_stacks_together_that_wait_for_each_other() {
        insta::assert_snapshot!(matrix(Some(2)), @r#"
        {"shard":"1/2","stacks":["cluster/prod","network/prod"]}
        {"shard":"2/2","stacks":["cluster/dev","network/dev"]}
        "#);
        insta::assert_snapshot!(matrix(Some(16)), @r#"
        {"shard":"1/16","stacks":["cluster/dev","network/dev"]}
        {"shard":"2/16","stacks":["cluster/prod","network/prod"]}
        "#);
    }
}
