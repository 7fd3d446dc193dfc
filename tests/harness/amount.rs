//! How much a test run goes through: a sample, or as much as the environment asks for; and its figures.

use std::time::Duration;

/// The number in an environment variable, if it is set.
///
/// # Panics
/// When it is no number.
pub fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is a number")))
}

/// How many random schedules are asked for, where it is more than the sample of an ordinary test run; everything else is then gone
/// through in full, too.
pub fn in_full() -> Option<u64> {
    number_in("TERRANE_SIMULATION")
}

/// The number of schedules that were played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// All of them.
    pub schedules: usize,
    /// Those in which a person was asked.
    pub asked: usize,
}

impl Figures {
    /// Prints them, for `--nocapture`.
    #[expect(clippy::print_stdout, reason = "figures of a test are read by people")]
    pub fn report(self, name: &str, took: Duration) {
        println!(
            "{name}: {} schedules, {} of them asked a person, {:.1} s",
            self.schedules,
            self.asked,
            took.as_secs_f64()
        );
    }
}

/// Fails when one of these names is not among those that were passed.
///
/// # Panics
/// Then.
#[track_caller]
pub fn assert_all_passed<'a>(
    registered: impl Iterator<Item = &'a str>,
    passed: &std::collections::BTreeSet<&str>,
) {
    let missed: Vec<&str> = registered.filter(|name| !passed.contains(name)).collect();
    assert!(missed.is_empty(), "no run ended at {missed:?}");
}
