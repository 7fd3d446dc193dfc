//! Counters that only grow: serials, epochs, segments, records.

/// Nobody counts up to here: a counter beyond it was made by hand or by damage, and soon has no next one.
const END: u64 = u64::MAX - (1 << 32);

/// Refuses a counter that leaves no room to count on; the message says so.
pub(crate) fn check(name: &str, counter: u64) -> Result<(), String> {
    match counter < END {
        true => Ok(()),
        false => Err(format!(
            "{name} {counter} is at the end of what can be counted (2^64 - 1)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_at_its_end_is_refused_by_name() {
        assert_eq!(check("serial", 7), Ok(()));
        insta::assert_snapshot!(check("serial", u64::MAX).expect_err("the end"), @"serial 18446744073709551615 is at the end of what can be counted (2^64 - 1)");
    }
}
