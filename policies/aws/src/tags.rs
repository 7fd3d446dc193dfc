//! Tags.

use std::collections::BTreeMap;

use terrane_core::policy::Fact;
use terrane_core::{Policy, Value};

/// Everything that can have tags has these, its own or the provider's `default_tags`.
#[track_caller]
pub fn required(keys: &[&str]) -> Policy {
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    Policy::new("tags are there", move |plan| {
        for resource in plan.resources() {
            let tags = resource.attribute::<BTreeMap<String, Value>>("tags_all");
            let own = resource.attribute::<BTreeMap<String, Value>>("tags");
            let found = match resource.get(&tags) {
                Fact::Absent => resource.get(&own),
                Fact::Unknown => {
                    resource.undecided_in(&tags, "tags are missing");
                    continue;
                }
                known => known,
            };
            let can_have_tags = resource.has("tags_all") || resource.has("tags");
            if !can_have_tags || resource.address().resource.mode == terrane_core::addr::Mode::Data
            {
                continue;
            }
            let found = found.known().unwrap_or_default();
            let missing = keys.iter().filter(|key| !found.contains_key(*key));
            let missing: Vec<String> = missing.map(|key| format!("`{key}`")).collect();
            if !missing.is_empty() {
                resource.violates_in(&own, format!("it has no tag {}", missing.join(", ")));
            }
        }
    })
    .hint("set `tags`, or `default_tags` of the provider")
}
