//! Sets: equal elements once, in the order in which cty iterates them.
//!
//! Two tools that store the same set must write the same bytes, and "the first element that matches" must be the same element, so the
//! order is cty's: text by bytes, numbers by value, false before true, anything else by a byte string that is made of the element
//! (`cty/set_internals.go`); after those the unknown elements, then null.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

use super::{Number, Type, Value};
use crate::text::is_printable;

impl Value {
    /// The set of those elements, which are of `element_type`: without duplicates, in cty's order.
    ///
    /// An element with an unknown in it is equal to nothing, so all of those are kept, in the order in which they came.
    pub fn set(mut elements: Vec<Self>, element_type: &Type) -> Self {
        match element_type {
            Type::String | Type::Number | Type::Bool => {
                elements.sort_by(compare_primitives);
                elements.dedup_by(|b, a| a.known_equal(b));
            }
            _ => elements = ordered_by_hash(elements, element_type),
        }
        Self::Set(Arc::new(elements))
    }
}

/// Known values, then unknown ones, then null.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Unknown(_) => 1,
        Value::Null => 2,
        _ => 0,
    }
}

fn compare_primitives(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn ordered_by_hash(elements: Vec<Value>, element_type: &Type) -> Vec<Value> {
    let mut keyed: Vec<((u8, String), Value)> = (elements.into_iter())
        .map(|element| {
            let mut hash = String::new();
            append_hash(&element, element_type, &mut hash);
            ((rank(&element), hash), element)
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut ordered: Vec<Value> = Vec::with_capacity(keyed.len());
    let mut run = 0;
    let mut last = None;
    for (key, element) in keyed {
        // Different elements may share a hash (numbers have ten digits in it), so look through all that do.
        if last.as_ref() != Some(&key) {
            run = ordered.len();
            last = Some(key);
        }
        let equal = |earlier: &Value| *earlier == element;
        if !element.is_wholly_known() || !ordered[run..].iter().any(equal) {
            ordered.push(element);
        }
    }
    ordered
}

fn append_hash(value: &Value, ty: &Type, hash: &mut String) {
    match (value, ty) {
        (Value::Unknown(_), _) => hash.push('?'),
        (Value::Null, _) => hash.push('~'),
        (Value::Bool(true), _) => hash.push('T'),
        (Value::Bool(false), _) => hash.push('F'),
        (Value::Number(number), _) => append_ten_digits(number, hash),
        (Value::String(text), _) => append_quoted(text, hash),
        (Value::Dynamic(dynamic), _) => append_hash(&dynamic.1, &dynamic.0, hash),
        (Value::List(elements), Type::Tuple(types)) => {
            hash.push('<');
            for (element, ty) in elements.iter().zip(types.iter()) {
                append_hash(element, ty, hash);
                hash.push(';');
            }
            hash.push('>');
        }
        (Value::List(elements) | Value::Set(elements), ty) => {
            let element_type = match ty {
                Type::List(element) | Type::Set(element) => element,
                other => other,
            };
            hash.push('[');
            for element in elements.iter() {
                append_hash(element, element_type, hash);
                hash.push(';');
            }
            hash.push(']');
        }
        (Value::Map(members), Type::Object(object)) => {
            hash.push('<');
            for (name, ty) in &object.attributes {
                append_hash(members.get(name).unwrap_or(&Value::Null), ty, hash);
                hash.push(';');
            }
            hash.push('>');
        }
        (Value::Map(members), ty) => {
            let element_type = match ty {
                Type::Map(element) => element,
                other => other,
            };
            hash.push('{');
            for (key, member) in members.iter() {
                append_quoted(key, hash);
                hash.push(':');
                append_hash(member, element_type, hash);
                hash.push(';');
            }
            hash.push('}');
        }
    }
}

/// Text as Go's `%q` writes it.
fn append_quoted(text: &str, hash: &mut String) {
    hash.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => hash.extend(['\\', c]),
            '\x07' => hash.push_str("\\a"),
            '\x08' => hash.push_str("\\b"),
            '\x0c' => hash.push_str("\\f"),
            '\n' => hash.push_str("\\n"),
            '\r' => hash.push_str("\\r"),
            '\t' => hash.push_str("\\t"),
            '\x0b' => hash.push_str("\\v"),
            _ if is_printable(c) => hash.push(c),
            _ => {
                let code = u32::from(c);
                let written = match code {
                    0..0x20 | 0x7f => write!(hash, "\\x{code:02x}"),
                    0x80..0x10000 => write!(hash, "\\u{code:04x}"),
                    _ => write!(hash, "\\U{code:08x}"),
                };
                written.expect("invariant: writing to a string never fails");
            }
        }
    }
    hash.push('"');
}

/// A number as Go's `%.10g` writes it.
fn append_ten_digits(number: &Number, hash: &mut String) {
    if number.is_infinite() {
        hash.push_str(if number.to_f64() > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        });
        return;
    }
    let text = number.exact_text();
    let magnitude = match text.strip_prefix('-') {
        Some(magnitude) => {
            hash.push('-');
            magnitude
        }
        None => &text,
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        hash.push('0');
        return;
    }
    // The number is 0.DIGITS × 10^exponent; the length of a text fits an i64.
    let leading_zeros = all.len() - significant.len();
    let mut exponent = whole.len() as i64 - leading_zeros as i64;
    let mut digits = significant.trim_end_matches('0').as_bytes().to_vec();
    if round(&mut digits, 10) {
        exponent += 1;
    }
    let digits = String::from_utf8(digits).expect("invariant: digits are ASCII");
    let count = digits.len() as i64;
    // Go's rule for `%g`: an exponent where plain digits would need zeros that are not significant, or many after the point.
    let precision = if 10 > count && count >= exponent {
        count
    } else {
        10
    };
    let written = if exponent - 1 < -4 || exponent > precision {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent > 0 { '+' } else { '-' };
        let power = (exponent - 1).unsigned_abs();
        write!(hash, "{first}{point}{rest}e{sign}{power:02}")
    } else if exponent <= 0 {
        let zeros = exponent.unsigned_abs() as usize;
        write!(hash, "0.{:0<zeros$}{digits}", "")
    } else if count <= exponent {
        let width = exponent as usize;
        write!(hash, "{digits:0<width$}")
    } else {
        let (whole, fraction) = digits.split_at(exponent as usize);
        write!(hash, "{whole}.{fraction}")
    };
    written.expect("invariant: writing to a string never fails");
}

/// Rounds to that many digits, a half to the even neighbour, without trailing zeros; whether it became one digit longer.
fn round(digits: &mut Vec<u8>, places: usize) -> bool {
    if digits.len() <= places {
        return false;
    }
    let half = digits[places] == b'5' && digits.len() == places + 1;
    let up = if half {
        digits[places - 1] % 2 == 1
    } else {
        digits[places] >= b'5'
    };
    digits.truncate(places);
    if up {
        while digits.last() == Some(&b'9') {
            digits.pop();
        }
        match digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                digits.push(b'1');
                return true;
            }
        }
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Value {
        Value::Number(text.parse().expect("a number"))
    }

    fn set(elements: Vec<Value>, ty: &Type) -> String {
        format!("{:?}", Value::set(elements, ty))
    }

    #[test]
    fn strings_sort_by_bytes_and_numbers_by_value() {
        let texts = ["b", "é", "B", "a", "b", ""].map(Value::from).to_vec();
        assert_eq!(set(texts, &Type::String), r#"set["", "B", "a", "b", "é"]"#);
        let numbers = ["10", "9", "-1", "0.5", "1e1"].map(number).to_vec();
        assert_eq!(set(numbers, &Type::Number), "set[-1, 0.5, 9, 10]");
        let flags = [true, false, true].map(Value::from).to_vec();
        assert_eq!(set(flags, &Type::Bool), "set[false, true]");
    }

    #[test]
    fn unknown_elements_stay_apart_after_the_known_ones_and_null_is_last() {
        let elements = || {
            vec![
                Value::Null,
                Value::UNKNOWN,
                "a".into(),
                Value::UNKNOWN,
                Value::Null,
            ]
        };
        let expected = r#"set["a", (unknown), (unknown), null]"#;
        assert_eq!(set(elements(), &Type::String), expected);
        let object = Type::object([("x", Type::String)]);
        let wrapped = vec![
            Value::Null,
            Value::map([("x", Value::UNKNOWN)]),
            Value::UNKNOWN,
            Value::map([("x", Value::UNKNOWN)]),
            Value::map([("x", Value::from("a"))]),
            Value::map([("x", Value::from("a"))]),
        ];
        assert_eq!(
            set(wrapped, &object),
            r#"set[{"x": "a"}, {"x": (unknown)}, {"x": (unknown)}, (unknown), null]"#
        );
    }

    #[test]
    fn objects_sort_by_their_hash_text() {
        let hash = |value: &Value, ty: &Type| {
            let mut hash = String::new();
            append_hash(value, ty, &mut hash);
            hash
        };
        let ty = Type::object([
            ("b", Type::Bool),
            ("l", Type::list(Type::String)),
            ("m", Type::map(Type::Number)),
            ("n", Type::Number),
            ("t", Type::Tuple(Arc::new([Type::String]))),
        ]);
        let value = Value::map([
            ("b", Value::from(true)),
            ("l", Value::list(vec!["x\n".into(), Value::Null])),
            ("m", Value::map([("k", number("1"))])),
            ("n", Value::UNKNOWN),
            ("t", Value::list(vec!["é\u{200b}\u{1d173}\u{7f}".into()])),
        ]);
        assert_eq!(
            hash(&value, &ty),
            r#"<T;["x\n";~;];{"k":1;};?;<"é\u200b\U0001d173\x7f";>;>"#
        );
    }

    #[test]
    fn numbers_hash_as_go_prints_ten_digits() {
        for (text, expected) in [
            ("0", "0"),
            ("-5", "-5"),
            ("100", "100"),
            ("1234567890", "1234567890"),
            ("12345678901", "1.23456789e+10"),
            ("99999999999", "1e+11"),
            ("10000000000", "1e+10"),
            ("9999999999.5", "1e+10"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("0.5", "0.5"),
            ("3.25", "3.25"),
            ("3.14159265358979", "3.141592654"),
            ("1e100", "1e+100"),
            ("1.5e-120", "1.5e-120"),
        ] {
            let mut hash = String::new();
            append_ten_digits(&text.parse().expect("a number"), &mut hash);
            assert_eq!(hash, expected, "{text}");
        }
    }

    #[test]
    fn different_numbers_with_the_same_ten_digits_are_both_kept() {
        let ty = Type::object([("n", Type::Number)]);
        let element = |text| Value::map([("n", number(text))]);
        let elements = ["12345678901", "12345678902", "12345678901"]
            .map(element)
            .to_vec();
        assert_eq!(
            set(elements, &ty),
            r#"set[{"n": 12345678901}, {"n": 12345678902}]"#
        );
    }
}
