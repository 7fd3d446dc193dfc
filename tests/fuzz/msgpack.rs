//! Values on the wire, against any type.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::Type;
use terrane_provider::wire::msgpack;

use crate::drive::{Target, run};
use crate::mutate::Numbers;

pub(crate) struct Values;

/// The vectors that go-cty wrote.
fn vectors() -> Vec<(Type, Vec<u8>)> {
    #[derive(serde::Deserialize)]
    struct Vector {
        r#type: Box<serde_json::value::RawValue>,
        msgpack: String,
    }
    let text = include_str!("../conformance/vectors/vectors.jsonl");
    let vector = |line: &str| {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let ty = Type::from_json(vector.r#type.get().as_bytes()).expect("a type");
        let pairs = vector.msgpack.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16);
        (ty, pairs.map(|pair| byte(pair).expect("hex")).collect())
    };
    text.lines().map(vector).collect()
}

/// Any type, up to a depth.
fn any_type(numbers: &mut Numbers, depth: usize) -> Type {
    let kinds = if depth == 0 { 4 } else { 9 };
    match numbers.below(kinds) {
        0 => Type::String,
        1 => Type::Number,
        2 => Type::Bool,
        3 => Type::Dynamic,
        4 => Type::list(any_type(numbers, depth - 1)),
        5 => Type::set(any_type(numbers, depth - 1)),
        6 => Type::Map(Arc::new(any_type(numbers, depth - 1))),
        7 => {
            let types = (0..numbers.below(4)).map(|_| any_type(numbers, depth - 1));
            Type::Tuple(types.collect())
        }
        _ => {
            let member =
                |name: &str, numbers: &mut Numbers| (name.to_owned(), any_type(numbers, depth - 1));
            let names = ["id", "name", "tags", "rule"];
            let count = numbers.below(names.len());
            let members: BTreeMap<String, Type> = names[..count]
                .iter()
                .map(|name| member(name, numbers))
                .collect();
            Type::object(members)
        }
    }
}

impl Target for Values {
    fn name(&self) -> &'static str {
        "msgpack"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vectors().into_iter().map(|(_, bytes)| bytes).collect()
    }

    fn judge(&self, input: &[u8], numbers: &mut Numbers) {
        let vectors = vectors();
        for _ in 0..4 {
            let ty = match numbers.below(2) {
                0 => numbers.pick(&vectors).0.clone(),
                _ => any_type(numbers, 4),
            };
            let Ok(value) = msgpack::decode(input, &ty) else {
                continue;
            };
            let written = msgpack::encode(&value, &ty).expect("it was read as that type");
            let again = msgpack::decode(&written, &ty).expect("what we write is read");
            assert!(again == value, "a value changes by being written");
        }
    }
}

#[test]
fn values() {
    run(&Values);
}
