//! The JSON form of a value of a known type: how states, plans and saved values keep it.

mod members;
mod read;
mod write;

pub use members::{RawMembers, RawString};

use thiserror::Error;

use super::{ParseTypeError, Path, Type, Value};

/// Deepest nesting of values that is read; deeper nesting is an accident or an attack.
const MAX_DEPTH: usize = 128;

/// A value has no JSON form, or JSON is no value of a type.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not JSON at all.
    #[error("invalid JSON")]
    Syntax {
        /// The reader's message, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The type that came with a dynamic value is none.
    #[error("the type of a dynamic value is none{}", at(path))]
    Type {
        /// Where the value is.
        path: Path,
        /// The fault of the type.
        #[source]
        source: ParseTypeError,
    },
    /// A part of the value does not fit.
    #[error("{reason}{}", at(path))]
    Value {
        /// Where that part is.
        path: Path,
        /// The fault.
        reason: String,
    },
}

fn at(path: &Path) -> String {
    if path.is_root() {
        String::new()
    } else {
        format!(" at `{path}`")
    }
}

impl Value {
    /// The type that a value has by itself: sequences are tuples and members are objects, as their elements may differ.
    ///
    /// A null, an unknown and an empty set have no type of their own: they are of any type.
    pub fn implied_type(&self) -> Type {
        match self {
            Self::Null | Self::Unknown(_) => Type::Dynamic,
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::String(_) => Type::String,
            Self::List(elements) => Type::Tuple(elements.iter().map(Self::implied_type).collect()),
            Self::Set(elements) => {
                let first = elements.first().map_or(Type::Dynamic, Self::implied_type);
                let same = elements
                    .iter()
                    .all(|element| element.implied_type() == first);
                Type::set(if same { first } else { Type::Dynamic })
            }
            Self::Map(members) => Type::object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.implied_type())),
            ),
            Self::Dynamic(dynamic) => dynamic.0.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::samples::{typed, types};
    use super::*;

    fn read(json: &str, ty: &str) -> Result<Value, String> {
        let ty = Type::from_json(ty.as_bytes()).expect("a type");
        Value::from_json(json.as_bytes(), &ty).map_err(|error| error.to_string())
    }

    fn printed(json: &str, ty: &str) -> String {
        format!("{:?}", read(json, ty).expect("a value"))
    }

    proptest! {
        #[test]
        fn a_value_reads_back_as_it_was_written((ty, value) in typed()) {
            let json = value.to_json(&ty).expect("JSON");
            prop_assert_eq!(Value::from_json(json.as_bytes(), &ty).expect("a value"), value);
        }

        #[test]
        fn json_is_the_same_bytes_when_written_again((ty, value) in typed()) {
            let json = value.to_json(&ty).expect("JSON");
            let again = Value::from_json(json.as_bytes(), &ty).expect("a value");
            prop_assert_eq!(again.to_json(&ty).expect("JSON"), json);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:0-9a-zA-Z\\\\ ]{0,20}", ty in types()) {
            let _ = Value::from_json(text.as_bytes(), &ty);
            let _ = Value::from_json_untyped(text.as_bytes());
        }
    }

    #[test]
    fn digits_survive_reading_and_writing() {
        for number in ["0.1", "12345678901234567890.123456789", "1e400", "-7"] {
            let value = read(number, r#""number""#).expect("a number");
            let untyped = Value::from_json_untyped(number.as_bytes()).expect("a number");
            assert_eq!(value, untyped);
            assert_eq!(value, Value::Number(number.parse().expect("a number")));
        }
    }

    #[test]
    fn primitives_are_read_leniently() {
        assert_eq!(printed(r#""0.50""#, r#""number""#), "0.5");
        assert_eq!(printed("1.50", r#""string""#), r#""1.50""#);
        assert_eq!(printed("true", r#""string""#), r#""true""#);
        assert_eq!(printed(r#""0""#, r#""bool""#), "false");
        assert!(read(r#""TRUE""#, r#""bool""#).is_err());
        assert!(read("1", r#""bool""#).is_err());
    }

    #[test]
    fn a_missing_attribute_is_null_and_an_extra_one_is_refused_by_name() {
        let ty = r#"["object",{"a":"string","b":["list",["object",{"c":"number"}]]}]"#;
        assert_eq!(printed("{}", ty), r#"{"a": null, "b": null}"#);
        assert_eq!(
            read(r#"{"b":[{"c":1},{"d":1}]}"#, ty),
            Err("the type has no such attribute at `b[1].d`".into())
        );
        assert_eq!(
            read(r#"{"b":[{"c":"x"}]}"#, ty),
            Err("expected a number, found a text that is none at `b[0].c`".into())
        );
        assert_eq!(
            read(r#"{"b":3}"#, ty),
            Err("expected list(object({c: number})), found a number at `b`".into())
        );
    }

    #[test]
    fn dynamic_values_bring_their_type_before_or_after_them() {
        let expected = r#"dynamic(set(string): set["a", "b"])"#;
        assert_eq!(
            printed(
                r#"{"value":["b","a"],"type":["set","string"]}"#,
                r#""dynamic""#
            ),
            expected
        );
        assert_eq!(
            printed(
                r#"{"type":["set","string"],"value":["b","a"]}"#,
                r#""dynamic""#
            ),
            expected
        );
        assert_eq!(printed("null", r#""dynamic""#), "null");
        assert!(read(r#"{"value":1}"#, r#""dynamic""#).is_err());
        assert_eq!(
            read(
                r#"[{"value":["x"],"type":["list","number"]}]"#,
                r#"["list","dynamic"]"#
            ),
            Err("expected a number, found a text that is none at `[0][0]`".into())
        );
    }

    #[test]
    fn what_json_cannot_say_is_refused_with_its_path() {
        let ty = Type::object([("a", Type::list(Type::Number))]);
        let with = |value| Value::map([("a", Value::list(vec![value]))]).to_json(&ty);
        let error = with(Value::UNKNOWN).expect_err("no JSON");
        assert_eq!(
            error.to_string(),
            "an unknown value cannot be stored at `a[0]`"
        );
        let infinite = super::super::Number::from_f64(f64::INFINITY).expect("a number");
        assert!(with(infinite.into()).is_err());
        assert!(with("text".into()).is_err());
    }

    #[test]
    fn keys_are_normalised_and_two_that_become_one_are_refused() {
        let one = "{\"e\u{301}\":1}";
        assert_eq!(printed(one, r#"["map","number"]"#), "{\"\u{e9}\": 1}");
        let both = "{\"e\u{301}\":1,\"\u{e9}\":2}";
        let refused = "this key occurs twice, because keys are compared in Unicode normal form C at `[\"\u{e9}\"]`";
        assert_eq!(read(both, r#"["map","number"]"#), Err(refused.into()));
        assert!(Value::from_json_untyped(both.as_bytes()).is_err());
        let value = Value::map([("e\u{301}", Value::from(1)), ("\u{e9}", Value::from(2))]);
        let wanted = ["[\"map\",\"number\"]", "\"dynamic\""];
        for ty in wanted.map(|ty| Type::from_json(ty.as_bytes()).expect("a type")) {
            let error = value.convert(&ty).expect_err("refused");
            assert_eq!(error.to_string(), refused);
        }
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        let value = Value::from("<a & \"b\">\u{2028}\u{1}\n");
        let expected = "\"\\u003ca \\u0026 \\\"b\\\"\\u003e\\u2028\\u0001\\n\"";
        assert_eq!(value.to_json(&Type::String).expect("JSON"), expected);
    }

    #[test]
    fn a_stored_value_with_its_type_is_told_from_an_object_that_looks_like_one() {
        let stored = |json: &str| {
            let value = Value::from_json_stored(json.as_bytes()).expect("a value");
            format!("{value:?}")
        };
        // As cty writes it, and as a tool that sorts members leaves it.
        let dynamic = r#"{"a": dynamic(object({k: string}): {"k": "v"})}"#;
        assert_eq!(
            stored(r#"{"a":{"value":{"k":"v"},"type":["object",{"k":"string"}]}}"#),
            dynamic
        );
        assert_eq!(
            stored(r#"{"a":{"type":["object",{"k":"string"}],"value":{"k":"v"}}}"#),
            dynamic
        );
        assert_eq!(
            stored(r#"{"value":"v","type":"string"}"#),
            r#"dynamic(string: "v")"#
        );
        assert_eq!(stored(r#"{"value":null,"type":["list","string"]}"#), "null");
        // Objects: members in order, no type, a value of another type, one member more.
        for object in [
            r#"{"type":"string","value":"v"}"#,
            r#"{"value":"v","type":"A"}"#,
            r#"{"type":["list","number"],"value":"v"}"#,
            r#"{"name":"n","type":"string","value":"v"}"#,
        ] {
            let untyped = Value::from_json_untyped(object.as_bytes()).expect("a value");
            assert_eq!(stored(object), format!("{untyped:?}"));
        }
    }

    proptest! {
        #[test]
        fn a_stored_dynamic_value_reads_back_without_a_schema((ty, value) in typed()) {
            let dynamic = match value {
                Value::Null => Value::Null,
                value => Value::Dynamic(Arc::new((ty, value))),
            };
            let json = dynamic.to_json(&Type::Dynamic).expect("JSON");
            prop_assert_eq!(Value::from_json_stored(json.as_bytes()).expect("a value"), dynamic);
        }
    }

    #[test]
    fn text_that_is_not_json_or_too_deep_is_refused() {
        for text in ["", "[", "[1,]", "{\"a\":}", "1 2", "nul"] {
            assert!(read(text, r#"["list","number"]"#).is_err(), "{text}");
            assert!(Value::from_json_untyped(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(Value::from_json_untyped(deep.as_bytes()).is_err());
    }

    #[test]
    fn untyped_json_has_tuples_and_objects_for_types() {
        let value = Value::from_json_untyped(br#"{"a":[1,"x",null],"b":{"c":true}}"#);
        insta::assert_snapshot!(
            value.expect("a value").implied_type(),
            @"object({a: tuple([number, string, any]), b: object({c: bool})})"
        );
    }
}
