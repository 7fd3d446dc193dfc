//! Terraform's functions by their names.

use terrane_core::{Type, Value};

use super::shape::Shape;
use super::{Dyn, Inner, collections, files, hashes, scalars, signatures};

/// What a function makes of its arguments.
pub(super) enum Answer {
    /// A value, whose parts may be unknown.
    Is(Dyn),
    /// It has to wait until its arguments are known.
    Waits,
}

pub(super) type Answered = Result<Answer, String>;

/// A known value.
pub(super) fn is(value: impl Into<Value>) -> Answered {
    Ok(Answer::Is(Dyn(Inner::Known(value.into()))))
}

/// Every function that [`call`] knows.
pub(super) const KNOWN: &[&str] = &[
    "abs",
    "abspath",
    "alltrue",
    "anytrue",
    "base64decode",
    "base64encode",
    "base64sha256",
    "base64sha512",
    "basename",
    "can",
    "ceil",
    "chomp",
    "chunklist",
    "cidrhost",
    "cidrnetmask",
    "cidrsubnet",
    "cidrsubnets",
    "coalesce",
    "coalescelist",
    "compact",
    "concat",
    "contains",
    "csvdecode",
    "dirname",
    "distinct",
    "element",
    "endswith",
    "ephemeralasnull",
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "fileset",
    "filesha1",
    "filesha256",
    "filesha512",
    "flatten",
    "floor",
    "format",
    "formatdate",
    "formatlist",
    "indent",
    "index",
    "issensitive",
    "join",
    "jsondecode",
    "jsonencode",
    "keys",
    "length",
    "log",
    "lookup",
    "lower",
    "matchkeys",
    "max",
    "md5",
    "merge",
    "min",
    "nonsensitive",
    "one",
    "parseint",
    "pathexpand",
    "pow",
    "range",
    "regex",
    "regexall",
    "replace",
    "reverse",
    "sensitive",
    "setintersection",
    "setproduct",
    "setsubtract",
    "setunion",
    "sha1",
    "sha256",
    "sha512",
    "signum",
    "slice",
    "sort",
    "split",
    "startswith",
    "strcontains",
    "strrev",
    "substr",
    "sum",
    "textdecodebase64",
    "textencodebase64",
    "timeadd",
    "timecmp",
    "title",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "toset",
    "tostring",
    "transpose",
    "trim",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "try",
    "type",
    "upper",
    "urlencode",
    "uuidv5",
    "values",
    "yamldecode",
    "yamlencode",
    "zipmap",
];

/// Whether [`call`] knows the function.
pub fn is_known_function(name: &str) -> bool {
    KNOWN.binary_search(&name).is_ok()
}

/// Joins the objects of a loop's rounds, whose members are lists.
pub(super) const GROUPS: &str = "for … in … : … => …...";

/// The functions that leave the parts of their arguments as sensitive as they are; a result of the others is sensitive as a whole.
const KEEPING_PARTS: &[&str] = &[
    "chunklist",
    "concat",
    "element",
    "flatten",
    GROUPS,
    "keys",
    "length",
    "lookup",
    "merge",
    "reverse",
    "setproduct",
    "slice",
    "tolist",
    "tomap",
    "values",
    "zipmap",
];

/// Calls one of Terraform's functions, with Terraform's result. A fault is a value, which `try` replaces and any use reports.
pub fn call(name: &'static str, arguments: impl IntoIterator<Item = Dyn>) -> Dyn {
    let arguments: Vec<Dyn> = arguments.into_iter().collect();
    call_with(name, &arguments)
}

/// The same with a list of arguments at the end: `f(a, list...)`.
pub fn call_expanded(name: &'static str, fixed: impl IntoIterator<Item = Dyn>, rest: &Dyn) -> Dyn {
    let mut arguments: Vec<Dyn> = fixed.into_iter().collect();
    match &rest.0 {
        Inner::Failed(_) => rest.clone(),
        Inner::Sensitive(rest) => call_expanded(name, arguments, rest).sensitive(),
        Inner::Unknown(_) => Dyn::UNKNOWN,
        Inner::Early(..) | Inner::Deferred(_) => {
            arguments.push(rest.clone());
            Dyn::when_known(&arguments, Shape::ANY, move |mut now| {
                let rest = now.pop().unwrap_or_else(Dyn::empty_list);
                call_expanded(name, now, &rest)
            })
        }
        _ => match rest.elements() {
            Some(rest) => {
                arguments.extend(rest);
                call_with(name, &arguments)
            }
            None => Dyn::failed(format!("{name} needs a list of arguments")),
        },
    }
}

fn call_with(name: &'static str, arguments: &[Dyn]) -> Dyn {
    match name {
        "try" => return Dyn::first_without_fault(arguments),
        "can" => return can(arguments),
        _ => {}
    }
    if let Some(failed) = arguments.iter().find(|one| one.is_failed()) {
        return failed.clone();
    }
    if let Err(reason) = signatures::check(name, arguments) {
        return Dyn::failed(format!("{name} {reason}"));
    }
    let keeps_parts = KEEPING_PARTS.contains(&name);
    match name {
        "sensitive" | "nonsensitive" | "issensitive" => marks(name, arguments),
        _ if keeps_parts
            && arguments
                .iter()
                .any(|one| matches!(one.0, Inner::Early(..))) =>
        {
            later(name, arguments)
        }
        _ if keeps_parts => {
            let is_sensitive = |one: &Dyn| matches!(one.0, Inner::Sensitive(_));
            if !arguments.iter().any(is_sensitive) {
                return answered(name, arguments);
            }
            let arguments: Vec<Dyn> = arguments
                .iter()
                .map(|one| one.unwrapped().clone())
                .collect();
            answered(name, &arguments).sensitive()
        }
        _ if arguments.iter().any(Dyn::is_deferred) => {
            // What it knows already may be sensitive for another argument's sake.
            let now: Vec<Dyn> = arguments.iter().map(Dyn::now).collect();
            Dyn::unmarked(&now, |now| answered(name, &now)).early_of(later(name, arguments))
        }
        _ => Dyn::unmarked(arguments, |arguments| answered(name, &arguments)),
    }
}

fn answered(name: &'static str, arguments: &[Dyn]) -> Dyn {
    match answer(name, arguments) {
        Ok(Answer::Is(value)) => value,
        Err(reason) => Dyn::failed(format!("{name} {reason}")),
        Ok(Answer::Waits) if arguments.iter().any(Dyn::is_deferred) => later(name, arguments),
        Ok(Answer::Waits) => Dyn(Inner::Unknown(signatures::result(name, arguments))),
    }
}

/// What the function makes of its arguments when the engine knows more of them.
pub(super) fn later(name: &'static str, arguments: &[Dyn]) -> Dyn {
    let shape = signatures::result(name, arguments);
    Dyn::when_known(arguments, shape, move |now| call_with(name, &now))
}

fn can(arguments: &[Dyn]) -> Dyn {
    match arguments {
        [one] if one.is_failed() => false.into(),
        [one] if one.is_deferred() => later("can", arguments),
        [one] if one.is_wholly_known() => true.into(),
        [_] => Dyn(Inner::Unknown(Shape::never_null(Type::Bool))),
        _ => Dyn::failed("can needs one argument"),
    }
}

/// The functions that ask for the mark of a value, or set it.
fn marks(name: &'static str, arguments: &[Dyn]) -> Dyn {
    let [one] = arguments else {
        return Dyn::failed(format!("{name} needs one argument"));
    };
    match (name, &one.0) {
        ("sensitive", _) => one.sensitive(),
        (_, Inner::Early(..) | Inner::Deferred(_)) => later(name, arguments),
        // What is under the mark may turn out to have one of its own.
        ("nonsensitive", Inner::Sensitive(of)) if of.is_deferred() => {
            marks(name, std::slice::from_ref(&**of))
        }
        ("nonsensitive", _) => one.unwrapped().clone(),
        (_, Inner::Sensitive(_)) => true.into(),
        (_, Inner::Unknown(_)) => Dyn(Inner::Unknown(Shape::never_null(Type::Bool))),
        _ => false.into(),
    }
}

fn answer(name: &'static str, arguments: &[Dyn]) -> Answered {
    if let Some(answer) = collections::answer(name, arguments) {
        return answer;
    }
    let known: Option<Vec<Value>> = arguments.iter().map(Dyn::as_known).collect();
    let Some(known) = known else {
        return Ok(Answer::Waits);
    };
    let value = scalars::answer(name, &known)
        .or_else(|| hashes::answer(name, &known))
        .or_else(|| files::answer(name, &known));
    match value {
        Some(value) => is(value?),
        None => Err("is not a function that programs have".to_owned()),
    }
}

/// The argument at that place.
pub(super) fn at<T>(arguments: &[T], place: usize) -> Result<&T, String> {
    let missing = || format!("lacks argument {}", place + 1);
    arguments.get(place).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_functions_are_in_order() {
        assert!(KNOWN.is_sorted());
        assert!(is_known_function("merge") && !is_known_function("merg"));
    }
}
