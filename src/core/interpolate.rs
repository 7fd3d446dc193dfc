//! `format!` over values that are not known yet.

use crate::expr::Expr;
use crate::output::Output;
use crate::typed::IntoValue as _;
use crate::value::Value;

/// Formats outputs and literals into one text: `format!` for values that the cloud decides.
///
/// The result is an [`Output<String>`], known when all of its arguments are and sensitive when one of them is. Strings, numbers and
/// bools have a text; a list, a map or null is an error at this line. Arguments are borrowed, as by `format!`, but cannot be named
/// inside the braces alone: write `{}` or `{name}` with `name = output`.
///
/// ```
/// # use terrane_core::{Output, interpolate};
/// # fn f(bucket: Output<String>, stage: &str) -> Output<String> {
/// interpolate!("s3://{}/{stage}/models", bucket, stage = stage)
/// # }
/// ```
#[macro_export]
macro_rules! interpolate {
    (@next $parts:ident $text:literal [$($value:expr,)*] [$($format:tt)*] $name:ident = $next:expr $(, $($rest:tt)*)?) => {
        $crate::interpolate!(@next $parts $text [$($value,)* $next,] [$($format)*, $name = $parts.next().expect("invariant: a part an argument")] $($($rest)*)?)
    };
    (@next $parts:ident $text:literal [$($value:expr,)*] [$($format:tt)*] $next:expr $(, $($rest:tt)*)?) => {
        $crate::interpolate!(@next $parts $text [$($value,)* $next,] [$($format)*, $parts.next().expect("invariant: a part an argument")] $($($rest)*)?)
    };
    (@next $parts:ident $text:literal [$($value:expr,)*] [$($format:tt)*]) => {
        $crate::interpolated(
            ::std::vec![$($crate::IntoExpr::into_expr(&$value)),*],
            |parts| {
                let $parts = &mut parts.iter();
                // A text without arguments uses none of them.
                let _ = &$parts;
                ::std::format!($text $($format)*)
            },
        )
    };
    ($text:literal $(, $($arguments:tt)*)?) => {
        $crate::interpolate!(@next parts $text [] [] $($($arguments)*)?)
    };
}

/// The expansion of [`interpolate!`].
#[doc(hidden)]
#[track_caller]
pub fn interpolated(
    parts: Vec<Expr>,
    format: impl Fn(&[String]) -> String + Send + Sync + 'static,
) -> Output<String> {
    Output::new(Expr::list(parts).apply(move |values| {
        let values = values.elements().unwrap_or_default();
        let texts: Result<Vec<_>, _> = values.iter().zip(1..).map(text).collect();
        Ok(format(&texts?).into_value())
    }))
}

fn text((value, place): (&Value, usize)) -> Result<String, String> {
    match value.convert(&crate::Type::String) {
        Ok(Value::String(text)) => Ok(text.to_string()),
        _ => Err(format!(
            "argument {place} is {}, which has no text",
            value.kind()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::addr::InstanceAddr;
    use crate::value::Value;
    use crate::{Marked, Output, Scope};

    struct Nothing;

    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }

    fn value(output: &Output<String>) -> Result<Marked, String> {
        let value = output.expr().evaluate(&Nothing);
        value.map_err(|error| error.to_string())
    }

    #[test]
    fn outputs_and_literals_become_one_text() {
        let name = Output::known("models");
        let text = interpolate!("s3://{}/{:>3}/{stage}{{}}", name, 7, stage = "prod");
        assert_eq!(
            value(&text).expect("a text").value,
            Value::from("s3://models/  7/prod{}")
        );
        assert_eq!(
            value(&interpolate!("plain")).expect("a text").value,
            Value::from("plain")
        );
    }

    #[test]
    fn the_text_of_something_sensitive_is_sensitive_and_of_something_unknown_unknown() {
        let secret = Output::known("hunter2").sensitive();
        let text = interpolate!("password={}", secret);
        assert!(value(&text).expect("a text").is_sensitive());
        let unknown: Output<String> = Output::known(Value::UNKNOWN).cast();
        let text = interpolate!("{}", unknown);
        assert_eq!(value(&text).expect("a text").value, Value::UNKNOWN);
    }

    #[test]
    fn what_has_no_text_is_an_error_that_names_the_argument() {
        let list = Output::known(["a"]);
        assert_eq!(
            value(&interpolate!("{}{}", 1, list)).expect_err("refused"),
            "a mapped value could not be computed: argument 2 is a list, which has no text"
        );
    }
}
