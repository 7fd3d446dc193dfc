//! Checks that several policies share.

use terrane_core::policy::{Fact, Planned};
use terrane_core::{FromValue, Output, Resource};

/// The value at a path of a resource, as `"root_block_device[0].encrypted"` names it.
///
/// # Panics
/// When the text is no path, which a test finds.
pub(crate) fn at<T>(resource: &Resource, path: &str) -> Output<T> {
    resource.at(path.parse().expect("invariant: a path"))
}

/// Requires an argument that the program sets itself: what it leaves to the provider counts as not set, though it will have a value.
pub(crate) fn require_set<T: FromValue, R: AsRef<Resource>>(
    resource: &Planned<'_, R>,
    path: &str,
    otherwise: &str,
    holds: impl FnOnce(Option<T>) -> bool,
) {
    let handle: &Resource = (**resource).as_ref();
    let output = at::<T>(handle, path);
    let argument = path.split(['[', '.']).next().unwrap_or(path);
    let value = match resource.get(&output) {
        Fact::Known(value) => Some(value),
        Fact::Unknown if resource.sets(argument) => {
            return resource.undecided_in(&output, otherwise);
        }
        Fact::Unknown | Fact::Absent => None,
    };
    if !holds(value) {
        resource.violates_in(&output, otherwise);
    }
}

/// Requires a switch to be on.
pub(crate) fn require_on<R: AsRef<Resource>>(
    resource: &Planned<'_, R>,
    path: &str,
    otherwise: &str,
) {
    require_set(resource, path, otherwise, |on: Option<bool>| {
        on == Some(true)
    });
}
