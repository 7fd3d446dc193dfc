use std::fmt::Write as _;

use insta::assert_snapshot;
use terrane_core::{
    Expr, Marked, NoConfig, Output, Program, Reference, Resource, Stack, StackRef, Type, Value, all,
};

use super::*;
use crate::view::hidden::Hidden;

fn json(text: &str) -> Value {
    Value::from_json_untyped(text.as_bytes()).expect("JSON")
}

fn write(rows: &[Row], depth: usize, text: &mut String) {
    for row in rows {
        let sign = match row.mark {
            Mark::Add => '+',
            Mark::Remove => '-',
            Mark::Change => '~',
        };
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
        kind: Kind::Object,
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
        ~ Statement[0].Action | 
            -  | "s3:Put"
            +  | "s3:List"
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
            planned: None,
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
        kind: Kind::Object,
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

#[test]
fn policies_differ_statement_by_statement() {
    let policy = |statements: &str| {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        Value::map([("policy", Value::from(document))])
    };
    let read =
        r#"{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:List"],"Resource":"*"}"#;
    let write = r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::a/*"}"#;
    // Another order of statements and actions, one action more, a list of one for a value, a statement in front.
    let wider = r#"{"Sid":"Read","Effect":"Allow","Action":["s3:List","s3:GetObject","s3:GetAcl"],"Resource":["*"]}"#;
    let deny = r#"{"Sid":"Deny","Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    let text = shown(
        policy(&format!("{read},{write}")),
        policy(&format!("{deny},{write},{wider}")),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(text, @r#"
    ~ policy | (json)
        + Statement["Deny"].Action | "s3:*"
        + Statement["Deny"].Effect | "Deny"
        + Statement["Deny"].Resource | "*"
        + Statement["Deny"].Sid | "Deny"
        ~ Statement["Read"].Action | 
            +  | "s3:GetAcl"
    "#);
    // The order of statements, actions and members means nothing.
    let reordered =
        r#"{"Resource":["*"],"Sid":"Read","Effect":"Allow","Action":["s3:List","s3:GetObject"]}"#;
    let text = shown(
        policy(&format!("{read},{write}")),
        policy(&format!("{write},{reordered}")),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(text, @"~ policy | (json, same content)");
}

#[test]
fn rules_of_a_lifecycle_document_belong_together_by_their_names() {
    let document =
        |rules: &str| Value::map([("policy", Value::from(format!("{{\"rules\":[{rules}]}}")))]);
    let keep = |priority: u8, count: u8| {
        format!(
            r#"{{"rulePriority":{priority},"selection":{{"countNumber":{count}}},"action":{{"type":"expire"}}}}"#
        )
    };
    let text = shown(
        document(&[keep(1, 10), keep(2, 20)].join(",")),
        document(&[keep(2, 30), keep(1, 10)].join(",")),
        None,
        &[],
        Occasion::Difference,
    );
    assert_snapshot!(text, @r#"
    ~ policy | (json)
        ~ rules["2"].selection.countNumber | 20 -> 30
    "#);
}

#[test]
fn several_unknown_elements_of_a_list_are_told_once() {
    let reference = |text: &str| {
        Expr::Reference(std::sync::Arc::new(Reference {
            address: std::sync::Arc::new(text.parse().expect("an address")),
            path: "id".parse().expect("a path"),
            location: terrane_core::Location::caller(),
            planned: None,
        }))
    };
    let names = ["t_subnet.a", "t_subnet.b", "t_subnet.c", "t_subnet.d"];
    let arguments = Expr::map(
        [(
            "subnets".into(),
            Expr::list(names.iter().map(|name| reference(name)).collect()),
        )]
        .into(),
    );
    let unknown = |count| Value::list(vec![Value::UNKNOWN; count]);
    let shown = |before: Value, after: Value| {
        let comparison = Comparison {
            before: Side {
                hidden: Hidden::NOTHING,
                arguments: None,
            },
            after: Side {
                hidden: Hidden::NOTHING,
                arguments: Some(&arguments),
            },
            occasion: Occasion::Difference,
            kind: Kind::Object,
        };
        let mut text = String::new();
        write(&comparison.rows(&before, &after, None), 0, &mut text);
        text
    };
    let after = Value::map([("subnets", unknown(4))]);
    assert_snapshot!(shown(Value::Null, after.clone()), @"+ subnets | [(4 values known after apply: t_subnet.a.id, t_subnet.b.id, t_subnet.c.id and 1 more)]");
    let long: Vec<Value> = (0..4)
        .map(|i| format!("subnet-0123456789abcde-{i}").into())
        .collect();
    let before = Value::map([("subnets", Value::list(long))]);
    assert_snapshot!(shown(before, after), @r#"
    ~ subnets | 
        -  | "subnet-0123456789abcde-0"
        -  | "subnet-0123456789abcde-1"
        -  | "subnet-0123456789abcde-2"
        -  | "subnet-0123456789abcde-3"
        +  | (4 values known after apply: t_subnet.a.id, t_subnet.b.id, t_subnet.c.id and 1 more)
    "#);
}

#[test]
fn what_another_stack_exports_is_unknown_until_that_stack_is_applied() {
    #[derive(terrane_macros::Exports)]
    #[exports(crate = "terrane_core")]
    struct NetworkExports {
        vpc_id: Output<String>,
        subnets: Output<Vec<String>>,
    }
    let declare = |stack: &mut Stack| {
        let network = stack.exports_of(&StackRef::<NetworkExports>::new("network/prod"));
        let zones = stack.exports_of(&StackRef::<NetworkExports>::new("zones"));
        let vpc = Resource::dynamic("aws_vpc", "own").declare(stack);
        let both = all((network.vpc_id.clone(), zones.vpc_id));
        let own = all((network.vpc_id.clone(), vpc.attribute::<String>("id")));
        Resource::dynamic("aws_thing", "main")
            .set("vpc_id", network.vpc_id)
            .set("both", both.map(|(one, other)| format!("{one} {other}")))
            .set("own", own.map(|(one, other)| format!("{one} {other}")))
            .set("list", [network.subnets.index(0), network.subnets.index(1)])
            .declare(stack);
        Ok(())
    };
    let program = Program::from_fn(declare, NoConfig).expect("a program");
    let thing = program.resources().get(1).expect("two are declared");
    let after = Value::map([
        ("vpc_id", Value::UNKNOWN),
        ("both", Value::UNKNOWN),
        ("own", Value::UNKNOWN),
        ("list", Value::list(vec![Value::UNKNOWN, Value::UNKNOWN])),
    ]);
    let comparison = Comparison {
        before: Side {
            hidden: Hidden::NOTHING,
            arguments: None,
        },
        after: Side {
            hidden: Hidden::NOTHING,
            arguments: Some(&thing.arguments),
        },
        occasion: Occasion::Creation,
        kind: Kind::Object,
    };
    let mut text = String::new();
    write(&comparison.rows(&Value::Null, &after, None), 0, &mut text);
    assert_snapshot!(text, @"
    + both | (known after network/prod, zones are applied)
    + list | [(2 values known after apply: network/prod.subnets)]
    + own | (known after network/prod is applied: aws_vpc.own.id)
    + vpc_id | (known after network/prod is applied)
    ");
}
