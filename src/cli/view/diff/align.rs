//! Which elements of two sequences belong together.

/// One place of two aligned sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aligned {
    /// The same element in both: its two indexes.
    Same(usize, usize),
    /// Only in the first.
    Removed(usize),
    /// Only in the second.
    Added(usize),
}

/// Sequences whose differing middle parts span more than this many comparisons are not aligned but swapped whole.
const MAX_CELLS: usize = 250_000;

/// The longest common subsequence of both, as a sequence of steps.
pub(crate) fn align<T: PartialEq>(before: &[T], after: &[T]) -> Vec<Aligned> {
    let prefix = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before_rest, after_rest) = (&before[prefix..], &after[prefix..]);
    let both = before_rest.iter().rev().zip(after_rest.iter().rev());
    let suffix = both.take_while(|(a, b)| a == b).count();
    let middle_before = &before_rest[..before_rest.len() - suffix];
    let middle_after = &after_rest[..after_rest.len() - suffix];

    let mut steps: Vec<Aligned> = (0..prefix).map(|i| Aligned::Same(i, i)).collect();
    middle(middle_before, middle_after, prefix, &mut steps);
    steps.extend(
        (0..suffix).map(|i| Aligned::Same(before.len() - suffix + i, after.len() - suffix + i)),
    );
    steps
}

fn middle<T: PartialEq>(before: &[T], after: &[T], offset: usize, steps: &mut Vec<Aligned>) {
    let (rows, columns) = (before.len(), after.len());
    if rows.saturating_mul(columns) > MAX_CELLS {
        steps.extend((0..rows).map(|i| Aligned::Removed(offset + i)));
        steps.extend((0..columns).map(|j| Aligned::Added(offset + j)));
        return;
    }
    // length[i][j]: of the longest common subsequence of before[i..] and after[j..].
    let width = columns + 1;
    let mut length = vec![0_u32; (rows + 1) * width];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            length[i * width + j] = if before[i] == after[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < rows || j < columns {
        if i < rows && j < columns && before[i] == after[j] {
            steps.push(Aligned::Same(offset + i, offset + j));
            i += 1;
            j += 1;
        } else if j == columns
            || (i < rows && length[(i + 1) * width + j] >= length[i * width + j + 1])
        {
            steps.push(Aligned::Removed(offset + i));
            i += 1;
        } else {
            steps.push(Aligned::Added(offset + j));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let (before, after): (Vec<_>, Vec<_>) = (before.chars().collect(), after.chars().collect());
        let steps = align(&before, &after);
        let step = |step: &Aligned| match *step {
            Aligned::Same(i, _) => before[i].to_string(),
            Aligned::Removed(i) => format!("-{}", before[i]),
            Aligned::Added(j) => format!("+{}", after[j]),
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn what_is_common_stays() {
        assert_eq!(shown("abcd", "abcd"), "abcd");
        assert_eq!(shown("abcd", "abxcd"), "ab+xcd");
        assert_eq!(shown("abcd", "acd"), "a-bcd");
        assert_eq!(shown("abc", "xbz"), "-a+xb-c+z");
        assert_eq!(shown("", "ab"), "+a+b");
        assert_eq!(shown("aa", "a"), "a-a");
    }
}
