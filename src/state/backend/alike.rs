//! States whose addresses differ in a name alone: which name stands in a path or key.

/// The places that differ from one in a name.
#[derive(Debug)]
pub(crate) struct Alike<'a> {
    /// The text before the name.
    pub(crate) before: &'a str,
    /// The text after it.
    pub(crate) after: &'a str,
    stem: &'a str,
}

impl<'a> Alike<'a> {
    /// The places like this one, whose last `name` is replaced by one that begins with `stem`. None where the place has no such name.
    pub(crate) fn of(place: &'a str, name: &str, stem: &'a str) -> Option<Self> {
        let (before, after) = place.rsplit_once(name)?;
        Some(Self {
            before,
            after,
            stem,
        })
    }

    /// How all of them begin.
    pub(crate) fn prefix(&self) -> String {
        format!("{}{}", self.before, self.stem)
    }

    /// The name in a place that belongs to one of them: the state itself, or what is kept beside it, such as its journal.
    pub(crate) fn name_in<'b>(&self, place: &'b str) -> Option<&'b str> {
        let rest = place.strip_prefix(self.before)?;
        let name = match self.after.is_empty() {
            true => rest,
            false => rest.split_once(self.after)?.0,
        };
        (name.starts_with(self.stem) && !name.contains('/')).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_the_place_of_a_state_and_of_its_journal() {
        let alike = Alike::of("envs/pr-0/terraform.tfstate", "pr-0", "pr-").expect("it has it");
        assert_eq!(alike.prefix(), "envs/pr-");
        for (place, name) in [
            ("envs/pr-12/terraform.tfstate", Some("pr-12")),
            ("envs/pr-12/terraform.tfstate.journal/1/2", Some("pr-12")),
            ("envs/prod/terraform.tfstate", None),
            ("envs/pr-12/other.tfstate", None),
            ("envs/pr-12/x/terraform.tfstate", None),
            ("other/pr-12/terraform.tfstate", None),
        ] {
            assert_eq!(alike.name_in(place), name, "{place}");
        }
        let alike = Alike::of("pr-0.tfstate", "pr-0", "pr-").expect("it has it");
        assert_eq!(alike.name_in("pr-7.tfstate"), Some("pr-7"));
        assert!(Alike::of("shared.tfstate", "pr-0", "pr-").is_none());
    }
}
