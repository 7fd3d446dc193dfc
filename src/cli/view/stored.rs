//! A stored object as a value with its marks, by its schema where that is at hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::schema::Schema;
use terrane_core::{Marked, Path, PathStep, Value};
use terrane_state::Object;
use terrane_state::model::{Attributes, OutputValue, SensitiveAttributes};

use super::Secrets;
use super::hidden::Hidden;

/// The object, read without a schema.
pub(crate) fn marked(object: &Object) -> Marked {
    let json = object.attributes.raw().as_str().as_bytes();
    let sensitive = marks(&object.sensitive_attributes);
    match &object.attributes {
        Attributes::Json(_) => Marked {
            value: Value::from_json_stored(json).unwrap_or_default(),
            sensitive,
        },
        Attributes::Flat(_) => {
            let value = Value::from_json_untyped(json).unwrap_or_default();
            let sensitive = flat_marks(&value, &sensitive);
            Marked { value, sensitive }
        }
    }
}

/// The object, read as its schema says, if that is the one it was stored with.
pub(crate) fn marked_by(object: &Object, schema: &Schema) -> Marked {
    let json = object.attributes.raw().as_str().as_bytes();
    let same = object.schema_version == schema.version;
    match (Value::from_json(json, schema.ty()), &object.attributes) {
        (Ok(value), Attributes::Json(_)) if same => {
            let mut sensitive = marks(&object.sensitive_attributes);
            sensitive.extend(schema.block.sensitive_paths(&value));
            Marked { value, sensitive }
        }
        _ => marked(object),
    }
}

/// A part of an object, and the hidden places in it; `None` where it has none such.
pub(crate) fn attribute_of(
    object: &Object,
    path: &Path,
    secrets: Secrets,
) -> Option<(Value, Hidden)> {
    part(&marked(object), path, secrets)
}

/// The same of an exported value.
pub(crate) fn part_of(
    output: &OutputValue,
    path: &Path,
    secrets: Secrets,
) -> Option<(Value, Hidden)> {
    let value = Value::from_json(output.value.as_str().as_bytes(), &output.ty).ok()?;
    let marked = match output.sensitive {
        true => Marked::sensitive(value),
        false => Marked::plain(value),
    };
    part(&marked, path, secrets)
}

fn part(marked: &Marked, path: &Path, secrets: Secrets) -> Option<(Value, Hidden)> {
    let value = marked.value.at(path)?.clone();
    let hidden = match secrets {
        Secrets::Hidden => Hidden::of(marked).at(path).clone(),
        Secrets::Shown => Hidden::default(),
    };
    Some((value, hidden))
}

/// Every path that may be secret. Of an entry in a form that is not known here its first step counts, or everything.
fn marks(stored: &SensitiveAttributes) -> BTreeSet<Path> {
    let first_step = |entry: &str| -> Option<PathStep> {
        let steps: serde_json::Value = serde_json::from_str(entry).ok()?;
        let first = steps.get(0)?;
        let name = first.get("value")?.as_str()?;
        (first.get("type")? == "get_attr").then(|| PathStep::Attribute(name.into()))
    };
    let unrecognised = stored.unrecognised.iter();
    let unrecognised = unrecognised.map(|entry| first_step(entry.as_str()).into_iter().collect());
    stored.paths.iter().cloned().chain(unrecognised).collect()
}

/// The keys of a flat map that belong to marked attributes: `a`, `a.#`, `a.0.b`.
fn flat_marks(value: &Value, marks: &BTreeSet<Path>) -> BTreeSet<Path> {
    let attributes: BTreeSet<Option<&str>> = marks
        .iter()
        .map(|mark| match mark.steps().first() {
            Some(PathStep::Attribute(name) | PathStep::Key(name)) => Some(&**name),
            _ => None,
        })
        .collect();
    let is_marked =
        |key: &&Arc<str>| attributes.contains(&None) || attributes.contains(&key.split('.').next());
    let keys = value.members().into_iter().flatten().map(|(key, _)| key);
    keys.filter(is_marked)
        .map(|key| Path::root().attribute(key.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use terrane_core::schema::Block;
    use terrane_state::RawJson;

    use super::*;

    fn object(attributes: &str, marks: &[&str]) -> Object {
        let mut object = Object::new(0, RawJson::new(attributes).expect("JSON"));
        object.sensitive_attributes = marks.iter().map(|m| m.parse().expect("a path")).collect();
        object
    }

    fn names(marked: &Marked) -> Vec<String> {
        marked.sensitive.iter().map(Path::to_string).collect()
    }

    #[test]
    fn a_path_in_a_form_of_another_writer_hides_the_attribute_it_begins_with() {
        let mut object = object(r#"{"set":["x"]}"#, &[]);
        let path = r#"[{"type":"get_attr","value":"set"},{"type":"index","value":{"value":{"a":1},"type":["object",{"a":"number"}]}}]"#;
        let unrecognised = [path, r#"["?"]"#].map(|text| RawJson::new(text).expect("JSON"));
        object.sensitive_attributes.unrecognised = unrecognised.into();
        assert_eq!(names(&marked(&object)), ["", "set"]);
    }

    #[test]
    fn flat_attributes_are_marked_by_the_attribute_they_are_part_of() {
        let mut object = object(
            r##"{"auth.#":"1","auth.0.token":"x","author":"y"}"##,
            &["auth[0].token"],
        );
        object.attributes = Attributes::Flat(object.attributes.raw().clone());
        assert_eq!(names(&marked(&object)), ["auth.#", "auth.0.token"]);
    }

    #[test]
    fn an_object_of_another_version_is_read_without_the_schema() {
        let object = object(r#"{"a":"x"}"#, &["a"]);
        let other = Schema::new(1, Block::default());
        assert_eq!(marked_by(&object, &other), marked(&object));
    }
}
