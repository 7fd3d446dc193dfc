//! Exact numbers, up to the precision that providers have: no value passes through a float that cannot hold it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::binary;

/// A number of any size, kept exactly: as exactly as providers can, who read text as binary floats with a mantissa of 512 bits.
///
/// A decimal of up to 153 digits is kept as it was written. A longer one becomes the shortest decimal of the float that go-cty makes of it:
/// sent to a provider and back, it is the same number.
///
/// Two numbers are equal when they are written with the same shortest decimal, as in cty (`rawNumberEqual`): the `f64` nearest to 0.1
/// equals the number written `0.1`, although each travels in its own form. The representation is canonical: an integer that fits is
/// `Int`; else an exact non-integer `f64` is `Float`; else it is the plain decimal.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Int(i64),
    /// Bits of a finite, non-integer `f64`, or of an infinity.
    Float(u64),
    /// Plain decimal without exponent, leading zeros or trailing fraction zeros.
    Decimal(Arc<str>),
}

/// The text is not a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a number")]
#[non_exhaustive]
pub struct ParseNumberError {
    /// The text.
    pub text: String,
}

/// Largest exponent that is written out as plain digits; beyond it a number is refused rather than expanded to megabytes of zeros.
const MAX_EXPONENT: i64 = 10_000;

impl Number {
    /// The number as an `i64`, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The number as an `f64`, only where that is exact and it is not an integer (the wire's float form).
    pub fn as_exact_fraction(&self) -> Option<f64> {
        match self.0 {
            Repr::Float(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The nearest `f64`, for display and for typed getters.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            // This method promises the nearest.
            Repr::Int(number) => *number as f64,
            Repr::Float(bits) => f64::from_bits(*bits),
            Repr::Decimal(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether this is +∞ or −∞, which cty has and JSON has not.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Float(bits) if f64::from_bits(bits).is_infinite())
    }

    /// The exact number an `f64` stands for; `None` for NaN.
    pub fn from_f64(float: f64) -> Option<Self> {
        if float.is_nan() {
            return None;
        }
        if float.is_infinite() || float.fract() != 0.0 {
            return Some(Self(Repr::Float(float.to_bits())));
        }
        // `{:.0}` writes every digit of an integral float exactly.
        format!("{float:.0}").parse().ok()
    }

    /// The exact value as a plain decimal, every digit of it.
    pub(crate) fn exact_text(&self) -> String {
        match &self.0 {
            Repr::Int(number) => number.to_string(),
            Repr::Decimal(text) => text.to_string(),
            Repr::Float(bits) => exact_decimal(f64::from_bits(*bits)),
        }
    }
}

/// Every decimal digit of a finite float: a fraction m/2^k has k of them, and k is at most 1,074.
fn exact_decimal(float: f64) -> String {
    let text = format!("{float:.1074}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

macro_rules! from_small_integers {
    ($($int:ty),*) => {
        $(impl From<$int> for Number {
            fn from(number: $int) -> Self {
                Self(Repr::Int(number.into()))
            }
        })*
    };
}
from_small_integers!(u8, u16, u32, i8, i16, i32, i64);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self(Repr::Int(number)),
            Err(_) => Self(Repr::Decimal(number.to_string().into())),
        }
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        // Lossless on every platform Rust has.
        Self::from(number as u64)
    }
}

impl From<isize> for Number {
    fn from(number: isize) -> Self {
        // Lossless on every platform Rust has.
        Self::from(number as i64)
    }
}

impl FromStr for Number {
    type Err = ParseNumberError;

    /// Reads a decimal number, with or without an exponent, to the 512 bits of precision that go-cty has.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse::<i64>()
            && !text.starts_with('+')
        {
            return Ok(Self(Repr::Int(number)));
        }
        let error = || ParseNumberError {
            text: text.chars().take(64).collect(),
        };
        let plain = plain_decimal(text).ok_or_else(error)?;
        let (exact, shortest) = match binary::round(&plain) {
            Some(rounded) => (rounded.exact, rounded.shortest),
            None => (plain.clone(), plain),
        };
        if let Ok(number) = shortest.parse::<i64>() {
            return Ok(Self(Repr::Int(number)));
        }
        if exact.contains('.') {
            let float: f64 = exact.parse().map_err(|_| error())?;
            // A fraction of more than 1,074 digits is no f64; the comparison below would only cost time.
            if float.is_finite() && exact.len() <= 1_100 && exact_decimal(float) == exact {
                return Ok(Self(Repr::Float(float.to_bits())));
            }
        }
        Ok(Self(Repr::Decimal(shortest.into())))
    }
}

/// Rewrites `[-+]digits[.digits][e[-+]digits]` as canonical plain decimal.
fn plain_decimal(text: &str) -> Option<String> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits_only(whole) || !digits_only(fraction) {
        return None;
    }
    if exponent.abs() > MAX_EXPONENT {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    // Where the point falls in `digits`; the length of a text fits an i64.
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let (whole, fraction) = if point <= 0 {
        (
            String::new(),
            format!("{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
        )
    } else {
        let point = usize::try_from(point).ok()?;
        if point >= digits.len() {
            (
                format!("{digits}{}", "0".repeat(point - digits.len())),
                String::new(),
            )
        } else {
            (digits[..point].to_owned(), digits[point..].to_owned())
        }
    };
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut plain = String::with_capacity(whole.len() + fraction.len() + 2);
    if negative && !(whole == "0" && fraction.is_empty()) {
        plain.push('-');
    }
    plain.push_str(whole);
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    Some(plain)
}

impl fmt::Display for Number {
    /// The shortest plain decimal, as cty converts a number to a string: no exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(number) => write!(f, "{number}"),
            Repr::Decimal(text) => f.write_str(text),
            Repr::Float(bits) => write!(f, "{}", f64::from_bits(*bits)),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a == b,
            // Different floats are written differently.
            (Repr::Float(a), Repr::Float(b)) => a == b,
            (Repr::Decimal(a), Repr::Decimal(b)) => a == b,
            (Repr::Float(bits), Repr::Decimal(text)) | (Repr::Decimal(text), Repr::Float(bits)) => {
                f64::from_bits(*bits).to_string() == **text
            }
            (Repr::Int(_), _) | (_, Repr::Int(_)) => false,
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Int(number) => number.hash(state),
            Repr::Decimal(text) => text.hash(state),
            Repr::Float(bits) => f64::from_bits(*bits).to_string().hash(state),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    /// Orders by the shortest decimal, so that equal numbers have one place.
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        if self.is_infinite() || other.is_infinite() {
            return self.to_f64().total_cmp(&other.to_f64());
        }
        compare_decimals(&self.to_string(), &other.to_string())
    }
}

fn compare_decimals(a: &str, b: &str) -> Ordering {
    match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (Some(a), Some(b)) => compare_magnitudes(b, a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_magnitudes(a, b),
    }
}

fn compare_magnitudes(a: &str, b: &str) -> Ordering {
    let (a_whole, a_fraction) = a.split_once('.').unwrap_or((a, ""));
    let (b_whole, b_fraction) = b.split_once('.').unwrap_or((b, ""));
    // Canonical texts have no leading zeros, so the longer whole part is the larger, and fractions compare as texts.
    (a_whole.len().cmp(&b_whole.len()))
        .then_with(|| a_whole.cmp(b_whole))
        .then_with(|| a_fraction.cmp(b_fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect("a number")
    }

    #[test]
    fn the_same_number_has_one_representation() {
        assert_eq!(number("1e3"), Number::from(1000));
        assert_eq!(number("0.50"), Number::from_f64(0.5).expect("not NaN"));
        assert_eq!(
            number("18446744073709551616.0"),
            number("18446744073709551616")
        );
        assert_eq!(number("-0"), Number::from(0));
        assert_eq!(number("1E-2").to_string(), "0.01");
    }

    #[test]
    fn a_decimal_equals_the_float_that_is_written_the_same_but_keeps_its_form() {
        let float = Number::from_f64(0.1).expect("not NaN");
        assert_eq!(number("0.1"), float);
        assert_eq!(number("0.1").cmp(&float), Ordering::Equal);
        assert_eq!(number("0.1").as_exact_fraction(), None);
        assert_ne!(number("0.1000000000000000055511151231257827"), float);
        let set = std::collections::HashSet::from([number("0.1"), float]);
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn more_than_512_bits_are_rounded_as_the_peers_round_them() {
        let wide = number(&format!("0.{}", "1234567890".repeat(17)));
        let text = wide.to_string();
        // Terraform 1.11.4's result.
        assert_eq!(text, format!("0.{}12346", "1234567890".repeat(15)));
        assert_eq!(number(&text), wide);
        // The rest may be an integer or a float.
        assert_eq!(number(&format!("7.{}1", "0".repeat(200))), Number::from(7));
        let half = number(&format!("0.5{}1", "0".repeat(200)));
        assert_eq!(half.as_exact_fraction(), Some(0.5));
    }

    #[test]
    fn order_is_by_value() {
        let mut numbers = ["1e30", "-2", "0.1", "3", "-9223372036854775809", "0.5"]
            .map(number)
            .to_vec();
        numbers.push(Number::from_f64(0.1).expect("not NaN"));
        numbers.push(Number::from_f64(f64::NEG_INFINITY).expect("not NaN"));
        numbers.sort();
        let texts: Vec<_> = numbers.iter().map(Number::to_string).collect();
        let expected = [
            "-inf",
            "-9223372036854775809",
            "-2",
            "0.1",
            "0.1",
            "0.5",
            "3",
            "1000000000000000000000000000000",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn text_that_is_no_number_or_absurdly_large_is_refused() {
        for text in [
            "", "-", ".", "1e", "1e999999", "0x10", "1_000", "NaN", "1.2.3",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }
}
