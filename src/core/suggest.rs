//! "Did you mean": the known name that is closest to a mistyped one.

/// The candidate that `name` was probably meant to be, if one is close enough.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong; a short name allows one mistake.
    let allowed = (name.chars().count() / 3).max(1);
    let candidates = candidates.into_iter();
    let close = candidates
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed);
    close
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let names = ["cidr_block", "vpc_id", "tags"];
        assert_eq!(closest("cdir_block", names), Some("cidr_block"));
        assert_eq!(closest("tag", names), Some("tags"));
        assert_eq!(closest("region", names), None);
        assert_eq!(closest("tag", []), None);
    }
}
