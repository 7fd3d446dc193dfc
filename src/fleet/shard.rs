//! Splits stacks over machines: the same stacks always to the same machine, as many to each as possible.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::order::StackId;

/// One machine out of several: `3/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// Out of how many.
    pub count: usize,
}

/// The text is no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write it as I/N, from 1/N to N/N, for example 3/16")]
pub struct InvalidShard;

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let (index, count) = text.split_once('/').ok_or(InvalidShard)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| InvalidShard);
        let (index, count) = (number(index)?, number(count)?);
        match (1..=count).contains(&index) {
            true => Ok(Self { index, count }),
            false => Err(InvalidShard),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// The stacks of a shard. A group stays together, so that its order needs no word between machines.
///
/// Each group has an order of preference among the shards, by its name alone, and goes to the first that still has room. So a new stack
/// moves few others, and no shard has more than its part, except where one group is larger than that.
pub(crate) fn of<'a>(
    groups: Vec<Vec<StackId>>,
    shard: Shard,
    name: impl Fn(StackId) -> &'a str,
) -> Vec<StackId> {
    let total: usize = groups.iter().map(Vec::len).sum();
    let room = total.div_ceil(shard.count);
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|group| (hash(name(group[0]), 0), group))
        .collect();
    // Large ones first: they fit in fewer places.
    groups.sort_by_key(|(hash, group)| (Reverse(group.len()), *hash));
    let mut loads = vec![0; shard.count];
    let mut chosen = Vec::new();
    for (_, group) in groups {
        let first = name(group[0]);
        let preferred = (0..shard.count)
            .filter(|&place| loads[place] + group.len() <= room)
            .max_by_key(|&place| hash(first, place + 1));
        let emptiest = || (0..shard.count).min_by_key(|&place| loads[place]);
        let place = preferred.or_else(emptiest).unwrap_or(0);
        loads[place] += group.len();
        if place + 1 == shard.index {
            chosen.extend(group);
        }
    }
    chosen
}

/// FNV-1a with a final mix: the same on every machine and in every version, for machines agree by it.
fn hash(name: &str, salt: usize) -> u64 {
    let bytes = name.bytes().chain(salt.to_le_bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use terrane_core::Id as _;

    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("env-{number}")).collect()
    }

    fn shards(names: &[String], sizes: &[usize], count: usize) -> Vec<Vec<StackId>> {
        let mut ids = (0..names.len()).map(StackId::at);
        let groups: Vec<Vec<StackId>> = sizes
            .iter()
            .map(|&size| ids.by_ref().take(size).collect::<Vec<_>>())
            .filter(|group| !group.is_empty())
            .collect();
        let of = |index| {
            of(groups.clone(), Shard { index, count }, |id| {
                &names[id.place()]
            })
        };
        (1..=count).map(of).collect()
    }

    proptest! {
        #[test]
        fn every_stack_is_in_one_shard_and_no_shard_has_more_than_its_part(
            sizes in prop::collection::vec(1_usize..4, 1..60),
            count in 1_usize..17,
        ) {
            let names = names(sizes.iter().sum());
            let shards = shards(&names, &sizes, count);
            let mut all: Vec<StackId> = shards.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..names.len()).map(StackId::at).collect::<Vec<_>>());
            let largest = sizes.iter().max().copied().unwrap_or(0);
            let part = names.len().div_ceil(count);
            let most = shards.iter().map(Vec::len).max().unwrap_or(0);
            prop_assert!(most < part + largest, "{most} of {}", names.len());
        }

        #[test]
        fn single_stacks_are_split_evenly(stacks in 1_usize..300, count in 1_usize..17) {
            let names = names(stacks);
            let shards = shards(&names, &vec![1; stacks], count);
            let most = shards.iter().map(Vec::len).max().unwrap_or(0);
            prop_assert_eq!(most, stacks.div_ceil(count));
        }
    }

    #[test]
    fn a_new_stack_moves_few_others() {
        let names = names(1_001);
        let before = shards(&names[..1_000], &[1; 1_000], 16);
        let after = shards(&names, &[1; 1_001], 16);
        let stayed: usize = before
            .iter()
            .zip(&after)
            .map(|(before, after)| before.iter().filter(|id| after.contains(id)).count())
            .sum();
        assert!(stayed > 900, "{} of 1,000 moved", 1_000 - stayed);
    }

    #[test]
    fn a_shard_is_written_as_one_of_several() {
        assert_eq!(
            "3/16".parse(),
            Ok(Shard {
                index: 3,
                count: 16
            })
        );
        for wrong in ["0/4", "5/4", "4", "1/0", "a/b", ""] {
            assert_eq!(wrong.parse::<Shard>(), Err(InvalidShard), "{wrong}");
        }
    }
}
