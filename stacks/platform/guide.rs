//! The tables of the guide to the platform, generated from the program: keys, costs and the checklist.
//!
//! `UPDATE_GUIDE=1 cargo test -p terrane-platform guide` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use terrane::{Enforcement, PlannedStack};
use terrane_cost::{Cents, Estimate, NotPriced, PriceTable, Usage, estimate};

use crate::Config;
use crate::tests::{PARTS, on, platform};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/platform.md");

/// The table between its marks in the guide is this one.
#[track_caller]
fn has_table(name: &str, table: &str) {
    let path = Path::new(GUIDE);
    let guide = std::fs::read_to_string(path).expect("the guide");
    let (start, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = guide.split_once(&start).expect("a mark");
    let (found, after) = rest.split_once(&end).expect("its end");
    if std::env::var_os("UPDATE_GUIDE").is_some() {
        let text = format!("{before}{start}{table}{end}{after}");
        return std::fs::write(path, text).expect("writable");
    }
    assert_eq!(
        found, table,
        "write it anew: UPDATE_GUIDE=1 cargo test -p terrane-platform guide"
    );
}

/// The fields of the configuration in the source, each with what its comment says and its type.
fn fields() -> Vec<(String, String, String)> {
    let source = include_str!("config.rs");
    let (_, body) = source.split_once("pub struct Config {").expect("a struct");
    let (body, _) = body.split_once("\n}").expect("its end");
    let (mut fields, mut says) = (Vec::new(), Vec::new());
    for line in body.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            says.push(comment.trim());
        } else if let Some(field) = line.strip_prefix("pub ") {
            let (name, of) = field
                .trim_end_matches(',')
                .split_once(": ")
                .expect("a type");
            fields.push((name.to_owned(), of.to_owned(), says.join(" ")));
            says.clear();
        }
    }
    fields
}

/// A type of the configuration in the words of TOML.
fn kind(of: &str) -> &str {
    let inner = of
        .strip_prefix("Option<")
        .and_then(|rest| rest.strip_suffix('>'));
    match inner.unwrap_or(of) {
        "bool" => "switch",
        "u32" => "number",
        "String" => "text",
        "Vec<String>" => "list of texts",
        "Ipv4Net" => "addresses",
        "Secret" => "secret",
        other => panic!("a type that the guide has no word for: {other}"),
    }
}

#[test]
fn the_guide_has_every_key_with_its_type_and_its_default() {
    let defaults = serde_json::to_value(Config::default()).expect("JSON");
    let mut table = "| key | is | by default | |\n|---|---|---|---|\n".to_owned();
    for (name, of, says) in fields() {
        assert!(!says.is_empty(), "{name} has no comment");
        let default = match &defaults[&name] {
            serde_json::Value::Null => "not set".to_owned(),
            value => format!("`{value}`"),
        };
        let says = says.replace('|', "\\|");
        writeln!(table, "| `{name}` | {} | {default} | {says} |", kind(&of)).expect("text");
    }
    has_table("keys", &table);
}

fn cost(flags: &[&str]) -> Estimate {
    let program = platform(flags).program().expect("a program");
    let plan = PlannedStack::creating(&program);
    let prices = PriceTable::built_in();
    estimate(&plan, Some("us-east-1"), &prices, &Usage::default())
}

/// By what a stack is paid beside that, which only its users know; without what another estimate has as well.
fn by_use(estimate: &Estimate, but: Option<&Estimate>) -> String {
    let known = but.map_or(&[][..], |but| &but.not_priced);
    let is_known = |one: &NotPriced| {
        let mut known = known.iter();
        known.any(|other| other.address == one.address && other.part == one.part)
    };
    let new = estimate.not_priced.iter().filter(|one| !is_known(one));
    let parts: BTreeSet<String> = new
        // A version that nobody can have is no use.
        .filter(|one| one.part.as_deref() != Some("extended support"))
        .map(|one| match &one.part {
            Some(part) => part.clone(),
            None => format!("`{}`", one.address.resource.type_name),
        })
        .collect();
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[test]
fn the_guide_says_what_each_part_costs() {
    let bare = cost(&[]);
    let mut table = "| switched on by | USD a month | and by |\n|---|---:|---|\n".to_owned();
    let mut row = |what: &str, amount: Cents, parts: String| {
        writeln!(table, "| {what} | {amount} | {parts} |").expect("text");
    };
    let itself = "nothing: the platform itself";
    row(itself, bare.after(), by_use(&bare, None));
    let parts: Vec<String> = PARTS.iter().map(|part| on(part)).collect();
    for flag in parts
        .iter()
        .map(String::as_str)
        .chain(["single_nat_gateway=false"])
    {
        let with = cost(&[flag]);
        let more = with.after() - bare.after();
        let key = flag.replacen('=', " = ", 1);
        row(&format!("`{key}`"), more, by_use(&with, Some(&bare)));
    }
    let mut all: Vec<&str> = parts.iter().map(String::as_str).collect();
    all.push("single_nat_gateway=false");
    let all = cost(&all);
    row("**all of it**", all.after(), String::new());
    has_table("costs", &table);
}

#[test]
fn the_guide_has_every_policy_of_the_checklist() {
    let all: Vec<String> = PARTS.iter().map(|part| on(part)).collect();
    let flags = |part: &str| -> Vec<&str> {
        let mut flags: Vec<&str> = all.iter().map(String::as_str).collect();
        flags.retain(|flag| flag.starts_with(part));
        flags
    };
    let checks = |flags: &[&str]| -> Vec<(String, bool)> {
        let program = platform(flags).program().expect("a program");
        let policies = program.policies().iter();
        let is_notice = |policy: &terrane::Policy| policy.enforcement() == Enforcement::Advisory;
        policies
            .map(|policy| (policy.name().to_string(), is_notice(policy)))
            .collect()
    };
    let always = checks(&[]);
    let mut table = "| policy | checked |\n|---|---|\n".to_owned();
    let forced = checks(&["force_destroy=true"]);
    for (name, is_notice) in &always {
        let when = match (forced.iter().any(|(kept, _)| kept == name), is_notice) {
            (false, _) => "unless `force_destroy`",
            (true, true) => "always; a notice",
            (true, false) => "always",
        };
        writeln!(table, "| {name} | {when} |").expect("text");
    }
    for part in PARTS {
        let key = part.split('=').next().unwrap_or_default();
        for (name, _) in checks(&flags(key)) {
            if !always.iter().any(|(known, _)| *known == name) {
                writeln!(table, "| {name} | with `{key}` |").expect("text");
            }
        }
    }
    has_table("checklist", &table);
}
