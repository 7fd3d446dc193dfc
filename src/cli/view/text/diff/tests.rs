use std::fmt::Write as _;

use insta::assert_snapshot;
use terrane_core::{Expr, Marked, Reference, Type, Value};

use super::*;
use crate::view::hidden::Hidden;

fn json(text: &str) -> Value {
    Value::from_json_untyped(text.as_bytes()).expect("JSON")
}

fn write(rows: &[Row], depth: usize, text: &mut String) {
    for row in rows {
        let sign = crate::view::text::plan::sign(row.mark).0;
        let _ = writeln!(
            text,
            "{}{sign} {} | {}",
            "    ".repeat(depth),
            row.label,
            row.text
        );
        write(&row.inside, depth + 1, text);
    }
}

fn shown(
    before: Value,
    after: Value,
    ty: Option<&Type>,
    sensitive: &[&str],
    occasion: Occasion,
) -> String {
    let marked = |value: &Value| Marked {
        value: value.clone(),
        sensitive: sensitive
            .iter()
            .map(|p| p.parse().expect("a path"))
            .collect(),
    };
    let [hidden_before, hidden_after] = Hidden::of_each([&marked(&before), &marked(&after)]);
    let comparison = Comparison {
        before: Side {
            hidden: &hidden_before,
            arguments: None,
        },
        after: Side {
            hidden: &hidden_after,
            arguments: None,
        },
        occasion,
    };
    let mut text = String::new();
    write(&comparison.rows(&before, &after, ty), 0, &mut text);
    text
}

fn changed(before: &str, after: &str) -> String {
    shown(json(before), json(after), None, &[], Occasion::Difference)
}

fn set(elements: &[&str]) -> Value {
    Value::map([(
        "s",
        Value::Set(elements.iter().map(|e| json(e)).collect::<Vec<_>>().into()),
    )])
}

#[test]
fn only_what_differs_is_named_and_with_its_full_path() {
    let before =
        r#"{"name":"a","scaling":[{"min":1,"max":6}],"types":["t3.medium"],"tags":{"a b":"x"}}"#;
    let after = r#"{"name":"a","scaling":[{"min":2,"max":6}],"types":["t3.small"],"tags":{"a b":"y","team":"z"}}"#;
    assert_snapshot!(changed(before, after), @r#"
    ~ scaling[0].min | 1 -> 2
    ~ tags["a b"] | "x" -> "y"
    + tags.team | "z"
    ~ types | ["t3.medium"] -> ["t3.small"]
    "#);
}

#[test]
fn long_lists_show_the_elements_that_came_and_went() {
    let list = |items: &[&str]| {
        let items: Vec<_> = items
            .iter()
            .map(|i| format!("\"subnet-{i}-0123456789\""))
            .collect();
        format!("{{\"l\":[{}]}}", items.join(","))
    };
    assert_snapshot!(changed(&list(&["a", "b", "c"]), &list(&["a", "x", "b", "c"])), @r#"
    ~ l | 
        +  | "subnet-x-0123456789"
    "#);
}

#[test]
fn sets_are_compared_as_sets_and_elements_matched_by_likeness() {
    let https = r#"{"from":443,"to":443,"cidr":"0.0.0.0/0","text":"https"}"#;
    let narrowed = r#"{"from":443,"to":443,"cidr":"10.0.0.0/8","text":"https"}"#;
    let ssh = r#"{"from":22,"to":22,"cidr":"10.1.0.0/16","text":"ssh"}"#;
    let http = r#"{"from":80,"to":80,"cidr":"192.168.0.0/16","text":"http"}"#;
    let text = shown(
        set(&[https, ssh]),
        set(&[http, narrowed]),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(text, @r#"
    ~ s | 
        ~ {from = 443, text = "https", to = 443} | 
            ~ cidr | "0.0.0.0/0" -> "10.0.0.0/8"
        -  | {cidr = "10.1.0.0/16", from = 22, text = "ssh", to = 22}
        +  | {cidr = "192.168.0.0/16", from = 80, text = "http", to = 80}
    "#);
    let reordered = shown(
        set(&["\"a\"", "\"b\""]),
        set(&["\"b\"", "\"c\""]),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(reordered, @r#"
    ~ s | 
        -  | "a"
        +  | "c"
    "#);
}

#[test]
fn json_documents_differ_in_their_leaves() {
    let policy = |action: &str| {
        let document =
            format!(r#"{{"Statement":[{{"Action":["s3:Get","{action}"],"Effect":"Allow"}}]}}"#);
        Value::map([("policy", Value::from(document))])
    };
    let text = shown(
        policy("s3:Put"),
        policy("s3:List"),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(text, @r#"
    ~ policy | (json)
        ~ Statement[0].Action | ["s3:Get", "s3:Put"] -> ["s3:Get", "s3:List"]
    "#);
    let spaced = Value::map([("policy", Value::from("{ \"a\": 1 }"))]);
    let dense = Value::map([("policy", Value::from("{\"a\":1}"))]);
    assert_snapshot!(shown(spaced, dense, None, &[], Occasion::Difference), @"~ policy | (json, same content)");
}

#[test]
fn long_texts_differ_in_their_lines() {
    let text =
        |line: &str| Value::map([("data", Value::from(format!("#!/bin/sh\n{line}\nend\n")))]);
    assert_snapshot!(shown(text("one"), text("two\u{1b}[2J"), None, &[], Occasion::Difference), @r"
    ~ data | 
        -  | one
        +  | two\u{1b}[2J
    ");
}

#[test]
fn secrets_are_never_shown_wherever_they_are() {
    let value = |secret: &str| {
        let text = format!(
            r#"{{"password":"{secret}","auth":[{{"token":"{secret}","user":"u"}}],"all":{{"x":"{secret}"}}}}"#
        );
        let mut members = json(&text).members().expect("an object").clone();
        let element = json(&format!(r#"{{"key":"{secret}","name":"n"}}"#));
        members.insert("set".into(), Value::Set(vec![element].into()));
        Value::map(members)
    };
    let secrets = ["password", "auth[0].token", "all", "set"];
    let update = shown(
        value("hunter2"),
        value("hunter3"),
        None,
        &secrets,
        Occasion::Difference,
    );
    assert_snapshot!(update, @r"
    ~ all | (sensitive) -> (sensitive)
    ~ auth[0].token | (sensitive) -> (sensitive)
    ~ password | (sensitive) -> (sensitive)
    ~ set | (sensitive) -> (sensitive)
    ");
    let creation = shown(
        Value::Null,
        value("hunter2"),
        None,
        &secrets,
        Occasion::Creation,
    );
    assert!(!creation.contains("hunter"), "{creation}");
    let removal = shown(
        value("hunter2"),
        Value::map::<&str>([]),
        None,
        &secrets,
        Occasion::Difference,
    );
    assert!(!removal.contains("hunter"), "{removal}");
}

#[test]
fn unknowns_are_named_after_where_they_come_from_and_the_rest_of_a_new_object_is_left_out() {
    let reference = |text: &str, path: &str| {
        Expr::Reference(std::sync::Arc::new(Reference {
            address: std::sync::Arc::new(text.parse().expect("an address")),
            path: path.parse().expect("a path"),
            location: terrane_core::Location::caller(),
        }))
    };
    let nested = [("role".into(), reference("aws_iam_role.r", "arn"))].into();
    let arguments = Expr::map(
        [
            ("vpc_id".into(), reference("aws_vpc.main", "id")),
            ("tags".into(), reference("aws_vpc.main", "tags")),
            ("block".into(), Expr::list(vec![Expr::map(nested)])),
        ]
        .into(),
    );
    let block = Value::map([("role", Value::UNKNOWN), ("computed", Value::UNKNOWN)]);
    let tags = Value::map([("team", Value::UNKNOWN)]);
    let after = Value::map([
        ("vpc_id", Value::UNKNOWN),
        ("arn", Value::UNKNOWN),
        ("tags", tags),
        ("block", Value::list(vec![block])),
        ("empty", Value::list(Vec::new())),
        ("absent", Value::Null),
    ]);
    let comparison = Comparison {
        before: Side {
            hidden: Hidden::NOTHING,
            arguments: None,
        },
        after: Side {
            hidden: Hidden::NOTHING,
            arguments: Some(&arguments),
        },
        occasion: Occasion::Creation,
    };
    let mut text = String::new();
    write(&comparison.rows(&Value::Null, &after, None), 0, &mut text);
    assert_snapshot!(text, @r"
    + block[0].role | (known after apply: aws_iam_role.r.arn)
    + tags.team | (known after apply: aws_vpc.main.tags.team)
    + vpc_id | (known after apply: aws_vpc.main.id)
    ");
}

#[test]
fn what_a_provider_empties_on_reading_is_no_drift() {
    let text = shown(
        json(r#"{"a":null,"b":"","c":[],"d":"x"}"#),
        json(r#"{"a":"","b":null,"c":null,"d":"y"}"#),
        None,
        &[],
        Occasion::Drift,
    );
    assert_snapshot!(text, @r#"~ d | "x" -> "y""#);
}
