//! Numbers as Terraform calculates with them: decimals are exact, and a quotient has 512 bits.

use std::cmp::Ordering;

use num_bigint::BigInt;
use terrane_core::value::Number;

type Result<T> = std::result::Result<T, String>;

/// How many digits a quotient has before it is rounded to 512 bits.
const DIGITS: u32 = 200;
/// How many zeros a number may stand for: one with more is no number that anybody calculates with.
const MOST_ZEROS: i64 = 10_000;

/// `digits` / 10^`places`.
struct Decimal {
    digits: BigInt,
    places: u32,
}

impl Decimal {
    fn of(number: &Number) -> Result<Self> {
        let text = number.to_string();
        let unusable = || format!("cannot calculate with {text}");
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| unusable())?),
            None => (&*text, 0_i64),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = i64::try_from(part.len()).map_err(|_| unusable())? - exponent;
        if places.abs() > MOST_ZEROS {
            return Err(unusable());
        }
        let digits: BigInt = format!("{whole}{part}").parse().map_err(|_| unusable())?;
        let shift = u32::try_from(places.unsigned_abs()).map_err(|_| unusable())?;
        Ok(match places < 0 {
            true => Self {
                digits: digits * power(shift),
                places: 0,
            },
            false => Self {
                digits,
                places: shift,
            },
        })
    }

    fn number(&self) -> Result<Number> {
        let text = format!("{}e-{}", self.digits, self.places);
        let number = text.parse();
        number.map_err(|_| format!("has no number for {text}"))
    }

    fn is_zero(&self) -> bool {
        self.digits == BigInt::ZERO
    }
}

fn power(of: u32) -> BigInt {
    BigInt::from(10).pow(of)
}

/// Both, with as many places.
fn aligned(a: &Number, b: &Number) -> Result<(BigInt, BigInt, u32)> {
    let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
    let places = a.places.max(b.places);
    let of = |one: Decimal| one.digits * power(places - one.places);
    Ok((of(a), of(b), places))
}

pub(super) fn sum(a: &Number, b: &Number) -> Result<Number> {
    let (a, b, places) = aligned(a, b)?;
    let digits = a + b;
    Decimal { digits, places }.number()
}

pub(super) fn difference(a: &Number, b: &Number) -> Result<Number> {
    let (a, b, places) = aligned(a, b)?;
    let digits = a - b;
    Decimal { digits, places }.number()
}

pub(super) fn product(a: &Number, b: &Number) -> Result<Number> {
    let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
    Decimal {
        digits: a.digits * b.digits,
        places: a.places + b.places,
    }
    .number()
}

pub(super) fn quotient(a: &Number, b: &Number) -> Result<Number> {
    let (a, b, _) = aligned(a, b)?;
    if b == BigInt::ZERO {
        return Err("cannot divide by zero".to_owned());
    }
    let scaled = a * power(DIGITS);
    let (digits, rest) = (&scaled / &b, &scaled % &b);
    // A digit for all that follow, so that rounding sees that there is more.
    let sticky = u8::from(rest != BigInt::ZERO);
    let sticky = match (digits < BigInt::ZERO) || (digits == BigInt::ZERO && scaled < BigInt::ZERO)
    {
        true => -i32::from(sticky),
        false => i32::from(sticky),
    };
    Decimal {
        digits: digits * 10 + sticky,
        places: DIGITS + 1,
    }
    .number()
}

pub(super) fn remainder(a: &Number, b: &Number) -> Result<Number> {
    let (left, right, places) = aligned(a, b)?;
    // Terraform leaves a number as it is that is divided by nothing.
    if right == BigInt::ZERO {
        return Ok(a.clone());
    }
    let digits = left % right;
    Decimal { digits, places }.number()
}

pub(super) fn order(a: &Number, b: &Number) -> Result<Ordering> {
    let (a, b, _) = aligned(a, b)?;
    Ok(a.cmp(&b))
}

/// The next whole number below, or above.
pub(super) fn whole(number: &Number, up: bool) -> Result<Number> {
    let decimal = Decimal::of(number)?;
    let scale = power(decimal.places);
    let (mut digits, rest) = (&decimal.digits / &scale, &decimal.digits % &scale);
    if rest != BigInt::ZERO && (decimal.digits > BigInt::ZERO) == up {
        digits += if up { 1 } else { -1 };
    }
    Decimal { digits, places: 0 }.number()
}

pub(super) fn absolute(number: &Number) -> Result<Number> {
    let decimal = Decimal::of(number)?;
    Decimal {
        digits: BigInt::from(decimal.digits.magnitude().clone()),
        places: decimal.places,
    }
    .number()
}

/// -1, 0 or 1.
pub(super) fn sign(number: &Number) -> Result<i64> {
    let decimal = Decimal::of(number)?;
    if decimal.places > 0 && &decimal.digits % power(decimal.places) != BigInt::ZERO {
        return Err("needs a whole number".to_owned());
    }
    Ok(match decimal.is_zero() {
        true => 0,
        false if decimal.digits > BigInt::ZERO => 1,
        false => -1,
    })
}

/// A whole number in another base: above 36, `A` comes after `z`.
pub(super) fn parsed(text: &str, base: u32) -> Result<Number> {
    let unreadable = || format!("cannot read `{text}` in base {base}");
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut value = BigInt::ZERO;
    for digit in digits.chars() {
        let of = match digit {
            'A'..='Z' if base > 36 => u32::from(digit) - u32::from('A') + 36,
            _ => digit.to_digit(36).ok_or_else(unreadable)?,
        };
        if of >= base {
            return Err(unreadable());
        }
        value = value * base + of;
    }
    if digits.is_empty() {
        return Err(unreadable());
    }
    let digits = if text.starts_with('-') { -value } else { value };
    Decimal { digits, places: 0 }.number()
}
