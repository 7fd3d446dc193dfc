//! Terraform's functions by their names.

use terrane_core::Value;

use super::{Dyn, Inner, collections, files, hashes, scalars};

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

/// Calls one of Terraform's functions, with Terraform's result. A fault is a value, which `try` replaces and any use reports.
pub fn call(name: &'static str, arguments: impl IntoIterator<Item = Dyn>) -> Dyn {
    let arguments: Vec<Dyn> = arguments.into_iter().collect();
    match name {
        "try" => return Dyn::first_without_fault(arguments),
        "can" => {
            let without: Vec<Dyn> = arguments.iter().map(|_| false.into()).collect();
            let tried = arguments.into_iter().map(|one| match one.0 {
                Inner::Failed(_) => one,
                Inner::Deferred(_) => Dyn::defer(vec![one], |_| Ok(true.into())),
                _ => true.into(),
            });
            return Dyn::first_without_fault(tried.chain(without).collect());
        }
        _ => {}
    }
    if let Some(failed) = arguments.iter().find(|one| one.is_failed()) {
        return failed.clone();
    }
    match answer(name, &arguments) {
        Ok(Answer::Is(value)) => value,
        Err(reason) => Dyn::failed(format!("{name} {reason}")),
        Ok(Answer::Waits) => Dyn::defer(arguments, move |values| {
            let values: Vec<Dyn> = values.iter().map(Dyn::from).collect();
            match answer(name, &values) {
                Ok(Answer::Is(value)) => value.known().map_err(|error| error.to_string()),
                Ok(Answer::Waits) => Err(format!("{name} cannot use its arguments")),
                Err(reason) => Err(format!("{name} {reason}")),
            }
        }),
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
        None => Err("is no function that programs have".to_owned()),
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
