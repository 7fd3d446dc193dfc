//! JSON documents in text arguments: the forms they are stored in, and when two of them mean the same.

use serde_json::Value as Json;
use terrane_core::go_json;

/// The document with the names of its members sorted and no space, as the provider stores it; `None` when it is no JSON.
pub(crate) fn normal(text: &str) -> Option<String> {
    let json: Json = serde_json::from_str(text).ok()?;
    Some(go_json::escaped(&json.to_string()).into_owned())
}

/// The same with `Version` first, as the older policy resources keep it.
pub(crate) fn version_first(text: &str) -> Option<String> {
    const VERSION: &str = r#""Version":"2012-10-17""#;
    let json = normal(text)?;
    let Some((before, after)) = json.split_once(VERSION) else {
        return Some(json);
    };
    let rest = format!("{}{after}", before.strip_suffix(',').unwrap_or(before));
    let rest = rest.strip_prefix('{').unwrap_or(&rest);
    let comma = if rest.starts_with(',') || rest == "}" {
        ""
    } else {
        ","
    };
    Some(format!("{{{VERSION}{comma}{rest}"))
}

/// Whether both are the same document, whatever the order of members and the space between them.
pub(crate) fn same_json(old: &str, new: &str) -> bool {
    let read = |text| serde_json::from_str::<Json>(text).ok();
    matches!((read(old), read(new)), (Some(old), Some(new)) if old == new)
}

/// Whether both are the same policy: one item or a list of one, and in any order, are the same.
pub(crate) fn same_policy(old: &str, new: &str) -> bool {
    let read = |text| {
        let mut json = serde_json::from_str::<Json>(text).ok()?;
        simplify(&mut json);
        Some(json)
    };
    matches!((read(old), read(new)), (Some(old), Some(new)) if old == new)
}

/// Sorts the lists of a policy, takes single items out of theirs and writes truth values as text.
fn simplify(json: &mut Json) {
    match json {
        Json::Object(members) => members.values_mut().for_each(simplify),
        Json::Array(items) => {
            items.iter_mut().for_each(simplify);
            items.sort_by_cached_key(Json::to_string);
            if let [only] = &mut items[..] {
                *json = only.take();
            }
        }
        Json::Bool(flag) => *json = Json::String(flag.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_the_same_whatever_their_order_and_lists_of_one() {
        let one = r#"{"Version":"2012-10-17","Statement":[{"Action":["s3:Get","s3:Put"],"Effect":"Allow","Resource":["*"]}]}"#;
        let other = r#"{ "Statement": {"Resource":"*","Effect":"Allow","Action":["s3:Put","s3:Get"]}, "Version": "2012-10-17" }"#;
        assert!(same_policy(one, other));
        assert!(!same_policy(one, &other.replace("Put", "Delete")));
        assert!(!same_json(one, other));
    }

    #[test]
    fn the_older_policy_resources_keep_the_version_first() {
        let text = r#"{"Statement":[{"Action":"a<b"}],"Version":"2012-10-17"}"#;
        assert_eq!(
            version_first(text).expect("JSON"),
            r#"{"Version":"2012-10-17","Statement":[{"Action":"a\u003cb"}]}"#
        );
        assert_eq!(
            normal(r#"{"b":1, "a":2}"#).expect("JSON"),
            r#"{"a":2,"b":1}"#
        );
        assert_eq!(normal("{"), None);
    }
}
