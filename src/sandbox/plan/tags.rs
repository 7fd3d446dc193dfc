//! Tags: those that the provider configuration gives every resource, and `tags_all`.

use std::sync::Arc;

use terrane_core::Value;
use terrane_core::schema::Block;
use terrane_core::value::Map;

/// `default_tags` of the provider configuration.
pub(crate) type DefaultTags = Map;

/// Both kinds of tags together; the resource's own win. `None` while one of its own is unknown.
pub(crate) fn merged(tags: Option<&Value>, default_tags: &DefaultTags) -> Option<Map> {
    let mut all = default_tags.clone();
    match tags {
        None | Some(Value::Null) => {}
        Some(tags) => {
            let own = tags.members().filter(|_| tags.is_wholly_known())?;
            all.extend(
                own.iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
    }
    Some(all)
}

/// Plans `tags_all`.
pub(super) fn plan(block: &Block, prior: &Value, planned: &mut Map, default_tags: &DefaultTags) {
    let has = |name| block.attributes.contains_key(name);
    if !has("tags") || !has("tags_all") {
        return;
    }
    let planned_tags = match merged(planned.get("tags"), default_tags) {
        None => Value::UNKNOWN,
        Some(all) if all.is_empty() => match prior.get("tags_all") {
            Some(was) if super::is_empty(was) => was.clone(),
            _ => Value::UNKNOWN,
        },
        Some(all) => Value::Map(Arc::new(all)),
    };
    planned.insert("tags_all".into(), planned_tags);
}
