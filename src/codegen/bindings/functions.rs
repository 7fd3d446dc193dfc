//! Writes the functions of a provider: one of Rust for each.

use std::fmt::Write;

use terrane_core::schema::{Function, Parameter};

use super::files::head;
use super::shape::rust_type;
use super::types::registry_page;
use crate::catalogue::Catalogue;
use crate::names::method;

/// The module with all of them.
pub(super) fn functions(catalogue: &Catalogue, functions: &[(&str, Function)]) -> String {
    let mut text = "use super::{PROVIDER, tr};\n".to_owned();
    for (name, function) in functions {
        one(catalogue, name, function, &mut text);
    }
    head(catalogue, &text)
}

fn one(catalogue: &Catalogue, name: &str, function: &Function, text: &mut String) {
    let page = registry_page(catalogue, &format!("functions/{name}"));
    let deprecated = match function.deprecation.is_empty() {
        true => "",
        false => "#[deprecated]\n",
    };
    let _ = write!(
        text,
        "\n/// The function `{name}`.\n///\n/// Its documentation: <{page}>.\n{deprecated}#[track_caller]\npub fn {}(",
        method(name, &[])
    );
    let names: Vec<String> = function
        .parameters
        .iter()
        .enumerate()
        .map(|(place, parameter)| argument(place, parameter))
        .collect();
    for (name, parameter) in names.iter().zip(&function.parameters) {
        let _ = write!(text, "{name}: {}, ", taken(parameter));
    }
    if let Some(rest) = &function.variadic {
        let _ = write!(text, "rest: impl IntoIterator<Item = {}>", taken(rest));
    }
    let result = rust_type(&function.result).unwrap_or_else(|| "tr::Value".to_owned());
    let mutable = if function.variadic.is_some() {
        "mut "
    } else {
        ""
    };
    let _ = write!(
        text,
        ") -> tr::Output<{result}> {{\nlet {mutable}arguments: Vec<tr::Expr> = vec!["
    );
    for (name, parameter) in names.iter().zip(&function.parameters) {
        let _ = write!(text, "{}, ", expression(name, parameter));
    }
    text.push_str("];\n");
    if let Some(rest) = &function.variadic {
        let _ = writeln!(
            text,
            "arguments.extend(rest.into_iter().map(|one| {}));",
            expression("one", rest)
        );
    }
    let _ = write!(text, "PROVIDER.function(\"{name}\", arguments)\n}}\n");
}

/// The name of a parameter, which a provider need not give.
fn argument(place: usize, parameter: &Parameter) -> String {
    match parameter.name.is_empty() {
        true => format!("argument_{place}"),
        false => method(&parameter.name, &["arguments", "rest"]),
    }
}

/// What it takes. Null has no type of its own, so that one that takes it takes anything.
fn taken(parameter: &Parameter) -> String {
    match known(parameter) {
        Some(ty) => format!("impl tr::IntoInput<{ty}>"),
        None => "impl tr::IntoExpr".to_owned(),
    }
}

fn expression(name: &str, parameter: &Parameter) -> String {
    match known(parameter) {
        Some(_) => format!("tr::IntoExpr::into_expr(tr::IntoInput::into_input({name}))"),
        None => format!("tr::IntoExpr::into_expr({name})"),
    }
}

fn known(parameter: &Parameter) -> Option<String> {
    rust_type(&parameter.ty).filter(|_| !parameter.allows_null)
}
