//! Schemas that the generator refuses.

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

#[test]
fn names_that_the_bindings_need_are_refused_loudly() {
    for name in [
        "declare",
        "builder",
        "instance_key",
        "depends_on",
        "lifecycle",
        "provider",
    ] {
        assert_eq!(
            refused(&format!("resource t_x 0 {{{name}:o string}}")),
            format!("`t_x` has `{name}`, which the bindings use themselves")
        );
    }
    assert_eq!(
        refused("resource t_x 0 {a=list{builder:o string}}"),
        "`t_x` has `builder`, which the bindings use themselves"
    );
}

#[test]
fn names_that_rust_cannot_have_are_refused() {
    assert_eq!(
        refused(r#"resource t_x 0 {"a-b":o string}"#),
        "`t_x` has `a-b`, which cannot be a Rust name"
    );
    assert_eq!(
        refused("resource t_x 0 {a_b=list{c:o string},a=list{b=list{c:o string}}}"),
        "`t_x` would define `AB` twice; name one of them in provider.toml"
    );
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
