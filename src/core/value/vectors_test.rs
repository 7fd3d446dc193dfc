//! go-cty's own judgement of JSON and of the order of sets, from the vectors that its program in `tests/conformance` printed.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Type, Value};

const VECTORS: &str = include_str!("../../../tests/conformance/vectors/vectors.jsonl");

#[derive(Deserialize)]
struct Vector<'a> {
    note: String,
    #[serde(rename = "type")]
    ty: Type,
    #[serde(borrow)]
    value_json: &'a RawValue,
}

/// Vectors that have a JSON form which our values can hold.
fn vectors() -> impl Iterator<Item = Vector<'static>> {
    let vectors = VECTORS.lines().map(serde_json::from_str::<Vector<'_>>);
    // A null at a dynamic place keeps its type in cty; our null has no type.
    vectors
        .map(|vector| vector.expect("a vector"))
        .filter(|vector| {
            vector.value_json.get() != "null"
                && !vector.value_json.get().contains(r#"{"value":null"#)
        })
}

#[test]
fn json_is_what_go_cty_writes() {
    let mut seen = 0;
    for vector in vectors() {
        let json = vector.value_json.get();
        let value = Value::from_json(json.as_bytes(), &vector.ty);
        let value = value.unwrap_or_else(|error| panic!("{}: {error}", vector.note));
        assert_eq!(
            value.to_json(&vector.ty).expect("JSON"),
            json,
            "{}",
            vector.note
        );
        seen += 1;
    }
    assert!(seen > 200, "only {seen} vectors");
}

#[test]
fn a_set_has_go_cty_s_order_whatever_order_its_elements_came_in() {
    let mut seen = 0;
    for vector in vectors() {
        let Type::Set(element) = &vector.ty else {
            continue;
        };
        let value = Value::from_json(vector.value_json.get().as_bytes(), &vector.ty);
        let value = value.expect("a value");
        let mut elements = value.elements().expect("a set").to_vec();
        // As far from sorted as is easily said, and every element twice.
        elements.extend(elements.clone());
        elements.reverse();
        let half = elements.len() / 3;
        elements.rotate_left(half);
        let again = Value::set(elements, element)
            .to_json(&vector.ty)
            .expect("JSON");
        assert_eq!(again, vector.value_json.get(), "{}", vector.note);
        seen += 1;
    }
    assert!(seen > 10, "only {seen} sets");
}
