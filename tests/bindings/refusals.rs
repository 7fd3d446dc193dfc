//! Schemas that the generator refuses, and those that it has to help along.

use std::collections::BTreeMap;

use terrane_codegen::{Catalogue, Layout, generate};

const CATALOGUE: &str = r#"
source = "example/t"
version = "1.0.0"
prefix = "t_"
[services.net]
title = "Net"
types = ["t_*"]
[services.other]
title = "Other"
"#;

/// The error that a line of facts leads to, with its causes.
fn refused(facts: &str) -> String {
    let catalogue = Catalogue::parse(CATALOGUE).expect("a catalogue");
    let facts = BTreeMap::from([("net".to_owned(), facts.to_owned())]);
    let error = generate(&catalogue, &facts, Layout::Source).expect_err("refused");
    let mut text = error.to_string();
    let mut error: &dyn std::error::Error = &error;
    while let Some(cause) = error.source() {
        text = format!("{text}: {cause}");
        error = cause;
    }
    text
}

/// The text of the bindings of a type.
fn generated(facts: &str) -> String {
    let catalogue = Catalogue::parse(CATALOGUE).expect("a catalogue");
    let facts = BTreeMap::from([("net".to_owned(), facts.to_owned())]);
    let mut files = generate(&catalogue, &facts, Layout::Source).expect("bindings");
    files.remove("net/x.rs").expect("a type")
}

#[test]
fn names_that_the_bindings_need_end_in_an_underscore() {
    for name in [
        "declare",
        "builder",
        "instance_key",
        "depends_on",
        "lifecycle",
        "provider",
    ] {
        let text = generated(&format!("resource t_x 0 {{{name}:o string}}"));
        assert!(
            text.contains(&format!("pub fn {name}_(mut self, ")),
            "{text}"
        );
        assert!(text.contains(&format!("set(\"{name}\", ")), "{text}");
    }
    let text = generated("resource t_x 0 {a=list{builder:o string}}");
    assert!(text.contains("pub fn builder_(mut self, "), "{text}");
}

#[test]
fn names_that_rust_cannot_have_are_made_fit() {
    let text = generated(r#"resource t_x 0 {"3d-max":o string,cidrBlock:o string}"#);
    assert!(text.contains("pub fn _3d_max(mut self, "), "{text}");
    assert!(text.contains("pub fn cidrBlock(mut self, "), "{text}");
    assert_eq!(
        refused(r#"resource t_x 0 {"a-b":o string,a_b:o string}"#),
        "`t_x` would define `a_b` twice; name one of them in provider.toml"
    );
    assert_eq!(
        refused(r#"resource t_x 0 {"a\"b":o string}"#),
        "`t_x` has `a\"b`, which cannot be a Rust name"
    );
}

#[test]
fn nested_names_that_come_to_the_same_differ() {
    let text = generated("resource t_x 0 {a_b=list{c:o string},a=list{b=list{d:o string}}}");
    for name in ["A", "AB", "ABBlock"] {
        assert!(text.contains(&format!("pub struct {name}(")), "{text}");
    }
}

#[test]
fn more_required_arguments_than_there_are_letters_are_told_apart() {
    let required: Vec<String> = (0..30)
        .map(|place| format!("a{place:02}:r string"))
        .collect();
    let text = generated(&format!("resource t_x 0 {{{}}}", required.join(",")));
    assert!(text.contains("Z: tr::IsSet, A26: tr::IsSet"), "{text}");
}

#[test]
fn facts_that_do_not_belong_are_refused() {
    assert_eq!(
        refused("data t_other_x 0 {}"),
        "`t_other_x` is in the facts of `net`, which does not claim it"
    );
    assert_eq!(
        refused("resource t_x 0 {a}"),
        "the facts of `net` are damaged: expected `:` or `=` at `}`"
    );
}
