//! The value codec against go-cty itself: whatever we write, it reads as the same value and would have written the same.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Deserialize;
use terrane_core::value::{Bound, Number, Refinements};
use terrane_core::{Type, Value};
use terrane_provider::wire::msgpack;

use crate::processes::go_program;

/// A conversation with `cty-vectors check`.
struct GoCty {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Answer {
    msgpack: String,
    error: String,
}

impl GoCty {
    fn start() -> Self {
        let mut child = Command::new(go_program("cty-vectors"))
            .arg("check")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        Self {
            questions: child.stdin.take().expect("piped"),
            answers: BufReader::new(child.stdout.take().expect("piped")),
            child,
        }
    }

    /// The bytes that go-cty writes for the value it reads in these.
    fn rewrite(&mut self, ty: &Type, msgpack: &[u8]) -> Result<String, String> {
        let question = format!(
            "{{\"type\":{},\"msgpack\":\"{}\"}}\n",
            ty.to_json(),
            HEXLOWER.encode(msgpack)
        );
        self.questions
            .write_all(question.as_bytes())
            .expect("written");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("read");
        let answer: Answer = serde_json::from_str(&line).expect("an answer");
        if answer.error.is_empty() {
            Ok(answer.msgpack)
        } else {
            Err(answer.error)
        }
    }
}

impl Drop for GoCty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::String), Just(Type::Number), Just(Type::Bool)];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            vec(inner.clone(), 0..4).prop_map(|types| Type::Tuple(types.into())),
            btree_map("[a-c]{1,2}", inner, 0..4).prop_map(Type::object),
        ]
    })
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-200_i64..200).prop_map(Number::from),
        // Halves and quarters are floats on the wire; most decimals are text.
        (-1_000_000_i64..1_000_000).prop_map(|n| Number::from_f64(n as f64 / 4.0).expect("finite")),
        "-?[1-9][0-9]{0,25}(\\.[0-9]{0,10}[1-9])?".prop_map(|text| text.parse().expect("a number")),
        long_decimal().prop_map(|text| text.parse().expect("a number")),
    ]
}

/// More digits than the 512 bits of go-cty's numbers hold.
fn long_decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[1-9][0-9]{150,200}(\\.[0-9]{0,150}[1-9])?",
        "-?0\\.0{0,200}[1-9][0-9]{150,250}",
        "[1-9][0-9]{0,3}\\.(0{150,300}|9{150,300})[1-9]",
    ]
}

fn refinements(ty: &Type) -> BoxedStrategy<Refinements> {
    let not_null = Refinements {
        null: Some(false),
        ..Refinements::default()
    };
    match ty {
        Type::String => "[a-z:]{1,40}"
            .prop_map(move |prefix| Refinements {
                prefix: Some(prefix.into()),
                ..not_null.clone()
            })
            .boxed(),
        Type::Number => (number(), any::<bool>())
            .prop_map(move |(number, inclusive)| Refinements {
                lower: Some(Bound { number, inclusive }),
                ..not_null.clone()
            })
            .boxed(),
        // Equal ends would make go-cty know the value.
        Type::List(_) | Type::Set(_) | Type::Map(_) => (1_u64..5, 6_u64..9)
            .prop_map(move |(min, max)| Refinements {
                min_length: Some(min),
                max_length: Some(max),
                ..not_null.clone()
            })
            .boxed(),
        // At a dynamic place they are dropped.
        Type::Dynamic => Just(Refinements::default()).boxed(),
        _ => Just(not_null).boxed(),
    }
}

/// Values of that type, with nulls and unknowns anywhere.
fn values(ty: &Type) -> BoxedStrategy<Value> {
    let unknown = refinements(ty)
        .prop_map(|known| Value::Unknown((!known.is_empty()).then(|| Arc::new(known))));
    prop_oneof![
        1 => Just(Value::Null),
        1 => Just(Value::UNKNOWN),
        1 => unknown,
        12 => present(ty),
    ]
    .boxed()
}

fn present(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        // In a set of collections Go sorts by quoted text, so every character matters.
        Type::String => prop_oneof![
            "[ -~]{0,40}",
            "[\n\t\u{7f}-\u{17f}λж漢字한글🙂]{0,10}",
            any::<String>()
        ]
        .prop_map(Value::from)
        .boxed(),
        Type::Number => number().prop_map(Value::Number).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Type::Dynamic => types()
            .prop_flat_map(|ty| {
                present(&ty).prop_map(move |value| Value::Dynamic(Arc::new((ty.clone(), value))))
            })
            .boxed(),
        Type::List(element) => vec(values(element), 0..5).prop_map(Value::list).boxed(),
        Type::Set(element) => {
            let ty = element.clone();
            // The order of unknown elements among themselves is go's own affair; one of them is enough.
            vec(known(element), 0..5)
                .prop_map(move |all| Value::set(all, &ty))
                .boxed()
        }
        Type::Map(element) => btree_map("[ -~éλж漢🙂]{0,6}", values(element), 0..5)
            .prop_map(Value::map)
            .boxed(),
        Type::Tuple(types) => {
            let each: Vec<_> = types.iter().map(values).collect();
            each.prop_map(Value::list).boxed()
        }
        Type::Object(object) => {
            let names: Vec<_> = object.attributes.keys().cloned().collect();
            let each: Vec<_> = object.attributes.values().map(values).collect();
            each.prop_map(move |all| Value::map(names.clone().into_iter().zip(all)))
                .boxed()
        }
    }
}

/// Values of that type without unknowns.
fn known(ty: &Type) -> BoxedStrategy<Value> {
    present(ty)
        .prop_filter("known", Value::is_wholly_known)
        .boxed()
}

#[test]
fn go_cty_reads_what_we_write_and_would_have_written_the_same() {
    let mut go = GoCty::start();
    let mut runner = TestRunner::new(Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    });
    let typed =
        prop_oneof![9 => types(), 1 => Just(Type::list(Type::Dynamic)), 1 => Just(Type::Dynamic)]
            .prop_flat_map(|ty| values(&ty).prop_map(move |value| (ty.clone(), value)))
            // A list needs one type for all elements; a dynamic one with two is go's panic, not a value.
            .prop_filter("one type", |(ty, value)| {
                *ty != Type::list(Type::Dynamic) || value.elements().is_none_or(|all| all.len() < 2)
            });
    let go = std::cell::RefCell::new(&mut go);
    let outcome = runner.run(&typed, |(ty, value)| {
        let written = msgpack::encode(&value, &ty).expect("a value of its type");
        let read = msgpack::decode(&written, &ty).expect("our own bytes");
        prop_assert_eq!(&read, &value);
        let rewritten = go.borrow_mut().rewrite(&ty, &written);
        prop_assert_eq!(
            rewritten,
            Ok(HEXLOWER.encode(&written)),
            "{} as {}",
            ty,
            format!("{value:?}")
        );
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn a_long_decimal_is_rounded_as_go_cty_rounds_it() {
    let go = std::cell::RefCell::new(GoCty::start());
    let mut runner = TestRunner::new(Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&long_decimal(), |text| {
        let length = u16::try_from(text.len()).expect("short");
        let sent = [&[0xda][..], &length.to_be_bytes(), text.as_bytes()].concat();
        let read = msgpack::decode(&sent, &Type::Number).expect("a number");
        let written = msgpack::encode(&read, &Type::Number).expect("a number");
        let rewritten = go.borrow_mut().rewrite(&Type::Number, &sent);
        prop_assert_eq!(rewritten, Ok(HEXLOWER.encode(&written)), "{}", text);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
