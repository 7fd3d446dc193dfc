//! The codec against go-cty's own vectors, and against arbitrary bytes.

use std::path::Path;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use terrane_core::{Type, Value};

use super::{decode, encode};

/// A line of the vectors.
#[derive(Deserialize)]
struct Vector {
    note: String,
    r#type: Box<RawValue>,
    msgpack: String,
    value_json: Box<RawValue>,
    /// What go-cty makes of its own bytes, where that is something else.
    round_trip: Option<String>,
}

fn unhex(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).expect("hex")
}

fn vectors() -> Vec<Vector> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/vectors/vectors.jsonl");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    (text.lines())
        .map(|line| serde_json::from_str(line).expect("a vector"))
        .collect()
}

fn ty(vector: &Vector) -> Type {
    Type::from_json(vector.r#type.get().as_bytes()).expect("a type")
}

/// A null or an unknown at a dynamic place keeps no type of its own with us.
fn loses_a_type(vector: &Vector) -> bool {
    let note = &vector.note;
    note.starts_with("dynamic: null of")
        || note.starts_with("dynamic: unknown")
        || (note.contains("dynamic") && note.ends_with("null string"))
        || (note.contains("dynamic") && note.ends_with("unknown string"))
}

#[test]
fn every_vector_of_go_cty_is_read_and_written_again_as_go_cty_writes_it() {
    let vectors = vectors();
    assert!(vectors.len() > 400, "only {} vectors", vectors.len());
    let mut exact = 0;
    for vector in vectors.iter().filter(|vector| !loses_a_type(vector)) {
        let ty = ty(vector);
        let value = match decode(&unhex(&vector.msgpack), &ty) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error}", vector.note),
        };
        let written = HEXLOWER.encode(&encode(&value, &ty).expect("it was read as that type"));
        let expected = vector.round_trip.as_ref().unwrap_or(&vector.msgpack);
        assert_eq!(&written, expected, "{}", vector.note);
        exact += 1;
    }
    assert!(exact > 350, "only {exact} vectors were compared");
}

#[test]
fn what_is_read_from_a_vector_has_the_json_form_that_go_cty_gives_it() {
    let mut compared = 0;
    for vector in vectors() {
        let ty = ty(&vector);
        let value = decode(&unhex(&vector.msgpack), &ty).expect("readable");
        let json = vector.value_json.get();
        // A null of some type at a dynamic place is just null with us; and a lone null may stand for having no JSON form.
        // go-cty also takes a denormal float for more precise than it is, and writes more digits of it than tell it apart.
        if vector.note.ends_with("5e-324") || json == "null" || json.contains(r#"{"value":null"#) {
            continue;
        }
        assert_eq!(value.to_json(&ty).expect("JSON"), json, "{}", vector.note);
        compared += 1;
    }
    assert!(compared > 200, "only {compared} vectors were compared");
}

#[test]
fn a_null_or_unknown_of_some_type_at_a_dynamic_place_is_just_null_or_unknown() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.note.starts_with("dynamic: "))
    {
        if !loses_a_type(vector) {
            continue;
        }
        let value = decode(&unhex(&vector.msgpack), &ty(vector)).expect("readable");
        let expected = if vector.note.starts_with("dynamic: null") {
            Value::Null
        } else {
            Value::UNKNOWN
        };
        assert_eq!(value, expected, "{}", vector.note);
    }
}

fn refused(hex: &str, ty: &Type) -> String {
    decode(&unhex(hex), ty).expect_err("refused").to_string()
}

#[test]
fn errors_say_where_and_what() {
    let object = Type::object([("a", Type::Number), ("b", Type::list(Type::Bool))]);
    insta::assert_snapshot!(refused("82a16101a16292c3a178", &object), @"b[1]: expected bool, found a string");
    insta::assert_snapshot!(refused("81a16101", &object), @"expected an object of 2 attributes, found 1");
    insta::assert_snapshot!(refused("82a16101a16101", &object), @"attribute `b` is missing");
    insta::assert_snapshot!(refused("82a16101a17801", &object), @"the type has no attribute `x`");
    insta::assert_snapshot!(refused("82a161a178a162c0", &object), @"a: `x` is not a number");
    insta::assert_snapshot!(refused("81a16bc3", &Type::map(Type::String)), @r#"["k"]: expected string, found a bool"#);
    insta::assert_snapshot!(refused("a2fffe", &Type::String), @"text that is not UTF-8");
    insta::assert_snapshot!(refused("", &Type::String), @"the message ends in the middle of a value");
    insta::assert_snapshot!(refused("0101", &Type::Number), @"1 bytes too many");
    insta::assert_snapshot!(refused("d50801ff", &Type::Number), @"extension 8 is no value");
    insta::assert_snapshot!(refused("c7060c8102a3617263", &Type::Number), @"refinement 2 does not apply to number");
    insta::assert_snapshot!(refused("cb7ff8000000000000", &Type::Number), @"NaN is no number");
    insta::assert_snapshot!(refused("92c40322786901", &Type::Dynamic), @r#"invalid type `"xi`: EOF while parsing a string at line 1 column 3"#);
}

#[test]
fn keys_are_normalised_and_of_two_that_become_one_the_later_counts() {
    let read = |hex: &str, ty: &Type| decode(&unhex(hex), ty).expect("a value");
    let two = read("82a365cc8101a2c3a902", &Type::map(Type::Number));
    assert_eq!(two, Value::map([("\u{e9}", Value::from(2))]));
    let object = Type::object([("e\u{301}", Type::Number)]);
    let one = Value::map([("\u{e9}", Value::from(1))]);
    assert_eq!(read("81a365cc8101", &object), one);
    assert_eq!(read("81a2c3a901", &object), one);
}

#[test]
fn a_length_that_the_message_cannot_hold_is_refused_before_anything_is_allocated() {
    for (header, ty) in [
        ("ddffffffff", Type::list(Type::String)),
        ("dfffffffff", Type::map(Type::String)),
        ("dbffffffff", Type::String),
    ] {
        let error = refused(header, &ty);
        assert!(
            error.contains("announced") || error.contains("ends in the middle"),
            "{error}"
        );
    }
}

#[test]
fn a_dynamic_value_that_nests_without_end_is_refused() {
    let level = unhex(&format!("92c409{}", HEXLOWER.encode(b"\"dynamic\"")));
    let bytes = level.repeat(100_000);
    let error = decode(&bytes, &Type::Dynamic).expect_err("refused");
    assert!(error.reason.contains("deeper than 64"), "{error}");
}

#[test]
fn encoding_says_what_does_not_fit() {
    let object = Type::object([("a", Type::String)]);
    let error = |value: Value| encode(&value, &object).expect_err("refused").to_string();
    insta::assert_snapshot!(error(Value::map([("a", Value::from(1))])), @"a: expected string, found a number");
    insta::assert_snapshot!(error(Value::map([("b", Value::from("x"))])), @"attribute `a` is missing");
    insta::assert_snapshot!(error(Value::map([("a", Value::Null), ("b", Value::Null)])), @"the type has no attribute `b`");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        pick in 0_usize..400,
    ) {
        let vectors = vectors();
        let ty = ty(&vectors[pick % vectors.len()]);
        let _ = decode(&bytes, &ty);
    }

    #[test]
    fn damaged_vectors_never_panic_and_what_is_read_can_be_written(
        pick in 0_usize..1000,
        at in 0_usize..100,
        byte in any::<u8>(),
    ) {
        let vectors = vectors();
        let vector = &vectors[pick % vectors.len()];
        let ty = ty(vector);
        let mut bytes = unhex(&vector.msgpack);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(value) = decode(&bytes, &ty) {
            let written = encode(&value, &ty).expect("it was read as that type");
            prop_assert_eq!(decode(&written, &ty).expect("it was written"), value);
        }
    }
}
