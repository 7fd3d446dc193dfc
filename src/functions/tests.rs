//! Every function beside Terraform's own answers.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, ObjectKey};
use terrane_core::value::{Map, Number};
use terrane_core::{Type, Value};

use crate::encoding::json;
use crate::*;

const ANSWERS: &str = include_str!("answers.txt");

/// An expression of the table: literals, lists, objects, `toset`.
fn value(expression: &Expression) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => (*value.value()).into(),
        Expression::Number(number) => {
            // As it is written: the value of `hcl-edit` is a float.
            let written = number.as_repr().expect("it was read");
            written
                .to_string()
                .parse::<Number>()
                .expect("a number")
                .into()
        }
        Expression::String(text) => Value::string(text.value()),
        Expression::UnaryOp(operation) => {
            let text = format!("-{}", text(&value(&operation.expr)));
            text.parse::<Number>().expect("a number").into()
        }
        Expression::Array(elements) => Value::list(elements.iter().map(value).collect()),
        Expression::Object(members) => {
            let name = |key: &ObjectKey| match key {
                ObjectKey::Ident(name) => name.to_string(),
                ObjectKey::Expression(key) => text(&value(key)),
            };
            Value::map(members.iter().map(|(key, of)| {
                let key = name(key).trim().to_owned();
                (key, value(of.expr()))
            }))
        }
        Expression::FuncCall(call) if call.name.name.as_str() == "toset" => {
            let elements = value(call.args.iter().next().expect("an argument"));
            let elements = elements.elements().expect("a list").to_vec();
            Value::set(elements, &Type::String)
        }
        other => panic!("the table has an expression that this test does not read: {other:?}"),
    }
}

/// A text, or the text of a number.
fn text(value: &Value) -> String {
    match value.convert(&Type::String).expect("it has a text") {
        Value::String(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

fn integer<T: std::str::FromStr>(value: &Value) -> T {
    let text = text(value);
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no such integer"))
}

fn strings(value: &Value) -> Vec<String> {
    value.elements().expect("a list").iter().map(text).collect()
}

fn list(texts: Vec<String>) -> Value {
    Value::list(texts.into_iter().map(Value::from).collect())
}

fn elements(value: &Value) -> Vec<Value> {
    value.elements().expect("a list").to_vec()
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    let of = |place: usize| text(&arguments[place]);
    Ok(match name {
        "cidrhost" => cidrhost(&of(0), integer(&arguments[1]))?.into(),
        "cidrnetmask" => cidrnetmask(&of(0))?.into(),
        "cidrsubnet" => cidrsubnet(&of(0), integer(&arguments[1]), integer(&arguments[2]))?.into(),
        "cidrsubnets" => {
            let newbits: Vec<u8> = arguments[1..].iter().map(integer).collect();
            list(cidrsubnets(&of(0), &newbits)?)
        }
        "element" => {
            let elements = elements(&arguments[0]);
            let found = element(&elements, integer(&arguments[1])).cloned();
            found.ok_or_else(|| FunctionError::new("element", "has none"))?
        }
        "flatten" => Value::list(flatten(&elements(&arguments[0]))),
        "format" => format(&of(0), &arguments[1..])?.into(),
        "formatdate" => formatdate(&of(0), &of(1))?.into(),
        "formatlist" => list(formatlist(&of(0), &arguments[1..])?),
        "indent" => indent(integer(&arguments[0]), &of(1)).into(),
        "jsonencode" => jsonencode(&arguments[0])?.into(),
        "lower" => lower(&of(0)).into(),
        "one" => one(elements(&arguments[0]))?.unwrap_or_default(),
        "setproduct" => {
            let lists: Vec<Vec<Value>> = arguments.iter().map(elements).collect();
            Value::list(setproduct(&lists).into_iter().map(Value::list).collect())
        }
        "strrev" => strrev(&of(0)).into(),
        "substr" => substr(&of(0), integer(&arguments[1]), of(2).parse().ok()).into(),
        "textencodebase64" => {
            let charset = match &*of(1).to_lowercase() {
                "utf-8" => Charset::Utf8,
                "utf-16le" => Charset::Utf16Le,
                "utf-16be" => Charset::Utf16Be,
                "iso-8859-1" => Charset::Latin1,
                other => panic!("{other} is not offered"),
            };
            textencodebase64(&of(0), charset)?.into()
        }
        "timeadd" => timeadd(&of(0), &of(1))?.into(),
        "timecmp" => i64::from(timecmp(&of(0), &of(1))? as i8).into(),
        "title" => title(&of(0)).into(),
        "transpose" => {
            let members = arguments[0].members().expect("a map");
            let map: BTreeMap<String, Vec<String>> = members
                .iter()
                .map(|(key, list)| (key.to_string(), strings(list)))
                .collect();
            let turned = transpose(&map).into_iter();
            let turned: Map = turned.map(|(key, keys)| (key.into(), list(keys))).collect();
            Value::map(turned)
        }
        "upper" => upper(&of(0)).into(),
        "urlencode" => urlencode(&of(0)).into(),
        "yamlencode" => yamlencode(&arguments[0])?.into(),
        other => panic!("the table has {other}, and this test does not call it"),
    })
}

#[test]
fn every_function_answers_as_terraform_does() {
    let mut lines = ANSWERS.lines().filter(|line| !line.starts_with('#'));
    let (mut wrong, mut called) = (Vec::new(), BTreeSet::new());
    while let (Some(expression), Some(answer)) = (lines.next(), lines.next()) {
        let parsed: Expression = expression.parse().expect("an expression");
        let Expression::FuncCall(function) = parsed else {
            panic!("{expression} calls no function");
        };
        let name = function.name.name.to_string();
        let arguments: Vec<Value> = function.args.iter().map(value).collect();
        let answered = match call(&name, &arguments) {
            Ok(value) => json("jsonencode", &value).expect("it is JSON"),
            Err(_) => "an error".to_owned(),
        };
        if answered != answer.trim_start() {
            wrong.push(format!(
                "{expression}\n  {}\n  not {answered}",
                answer.trim_start()
            ));
        }
        called.insert(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(called.len(), 24, "{called:?}");
}
