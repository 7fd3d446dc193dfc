//! The digits of a number, rounded and laid out as Go does with a binary float of 512 bits.

use num_bigint::{BigInt, BigUint};
use terrane_core::value::Number;

/// The width of go-cty's mantissa.
const BITS: u64 = 512;

/// A number as `0.DIGITS × 10^exponent`.
pub(super) struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The digits of a number; `None` for an infinite one.
    pub(super) fn of(number: &Number) -> Option<Self> {
        if number.is_infinite() {
            return None;
        }
        let text = number.to_string();
        let magnitude = text.trim_start_matches('-');
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        // Lengths of texts fit an i64.
        let zeros = (all.len() - digits.len()) as i64;
        Some(Self {
            negative: text.starts_with('-'),
            exponent: whole.len() as i64 - zeros,
            digits: digits.trim_end_matches('0').bytes().collect(),
        })
    }

    /// As an integer, if it is one.
    pub(super) fn integer(&self) -> Option<BigInt> {
        let places = usize::try_from(self.exponent).unwrap_or_default();
        if self.digits.len() > places {
            return None;
        }
        let text = self.digits_up_to(places);
        let integer = BigInt::parse_bytes(&text, 10).unwrap_or_default();
        Some(if self.negative { -integer } else { integer })
    }

    /// With that many digits behind the point: `%f`.
    pub(super) fn fixed(&self, places: usize) -> String {
        let kept = self.exponent + i64::try_from(places).unwrap_or(i64::MAX);
        let rounded = self.rounded(kept);
        let whole = usize::try_from(rounded.exponent).unwrap_or_default();
        let mut text = rounded.sign();
        match whole {
            0 => text.push('0'),
            whole => text += &ascii(&rounded.digits_up_to(whole)),
        }
        if places > 0 {
            text.push('.');
            let zeros = usize::try_from(-rounded.exponent).unwrap_or_default();
            let mut fraction = "0".repeat(zeros.min(places));
            let digits = rounded.digits.get(whole..).unwrap_or_default();
            fraction += &ascii(digits);
            fraction += &"0".repeat(places.saturating_sub(fraction.len()));
            text += &fraction;
        }
        text
    }

    /// With one digit before the point and that many behind it: `%e`.
    pub(super) fn exponential(&self, places: usize, letter: char) -> String {
        let kept = i64::try_from(places).unwrap_or(i64::MAX).saturating_add(1);
        self.rounded(kept).scientific(places, letter)
    }

    /// In whichever form is shorter: `%g`. Without a precision, with as many digits as tell the number.
    pub(super) fn general(&self, precision: Option<usize>, letter: char) -> String {
        let rounded = match precision {
            None => self.rounded(i64::MAX),
            Some(precision) => self.rounded(i64::try_from(precision.max(1)).unwrap_or(i64::MAX)),
        };
        let digits = rounded.digits.len();
        let point = rounded.exponent;
        // From here on it is Go's rule, word by word.
        let most = match precision {
            None => 6,
            Some(precision) => {
                let has_all = i64::try_from(digits).is_ok_and(|digits| digits >= point);
                if precision > digits && has_all {
                    digits
                } else {
                    precision.max(1)
                }
            }
        };
        let exponent = point - 1;
        let is_far = exponent < -4 || exponent >= i64::try_from(most).unwrap_or(i64::MAX);
        match rounded.digits.is_empty() {
            true => format!("{}0", rounded.sign()),
            false if is_far => rounded.scientific(digits - 1, letter),
            false => {
                let places = i64::try_from(digits).unwrap_or(i64::MAX) - point;
                rounded.fixed(usize::try_from(places).unwrap_or_default())
            }
        }
    }

    fn scientific(&self, places: usize, letter: char) -> String {
        let mut text = self.sign();
        text.push(self.digits.first().map_or('0', |digit| char::from(*digit)));
        if places > 0 {
            text.push('.');
            let mut fraction = ascii(self.digits.get(1..).unwrap_or_default());
            fraction += &"0".repeat(places.saturating_sub(fraction.len()));
            text += &fraction;
        }
        let exponent = match self.digits.is_empty() {
            true => 0,
            false => self.exponent - 1,
        };
        let sign = if exponent < 0 { '-' } else { '+' };
        text + &format!("{letter}{sign}{:02}", exponent.abs())
    }

    fn sign(&self) -> String {
        if self.negative { "-" } else { "" }.to_owned()
    }

    /// The first digits, filled up with zeros.
    fn digits_up_to(&self, places: usize) -> Vec<u8> {
        let filled = self.digits.iter().copied().chain(std::iter::repeat(b'0'));
        filled.take(places).collect()
    }

    /// With at most that many digits.
    fn rounded(&self, kept: i64) -> Self {
        let same = |digits: &[u8], exponent| Self {
            negative: self.negative,
            digits: digits.to_vec(),
            exponent,
        };
        let Ok(kept) = usize::try_from(kept) else {
            return same(&[], 0);
        };
        if kept >= self.digits.len() {
            return same(&self.digits, self.exponent);
        }
        let is_half = self.digits[kept..] == *b"5";
        let up = match is_half {
            true => self.half_goes_up(kept),
            false => self.digits[kept] >= b'5',
        };
        let mut digits = self.digits[..kept].to_vec();
        let mut exponent = self.exponent;
        if up {
            while digits.last() == Some(&b'9') {
                digits.pop();
            }
            match digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    digits.push(b'1');
                    exponent += 1;
                }
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent = if digits.is_empty() { 0 } else { exponent };
        same(&digits, exponent)
    }

    /// Whether a number that ends halfway is rounded up. Most decimals are none in binary, and the float that stands for them lies above
    /// or below; a true half goes to the even neighbour.
    fn half_goes_up(&self, kept: usize) -> bool {
        let places = i64::try_from(self.digits.len()).unwrap_or(i64::MAX) - self.exponent;
        let digits = BigUint::parse_bytes(&self.digits, 10).unwrap_or_default();
        let last_is_odd = kept > 0 && self.digits[kept - 1] % 2 == 1;
        let Some(places) = u32::try_from(places).ok().filter(|places| *places > 0) else {
            return last_is_odd;
        };
        let ten = BigUint::from(10_u8).pow(places);
        // So many bits to the left that the quotient has the mantissa's.
        let mut shift = (BITS + ten.bits()).saturating_sub(digits.bits());
        if ((&digits << shift) / &ten).bits() > BITS {
            shift -= 1;
        }
        let rest = (&digits << shift) % &ten;
        match rest == BigUint::ZERO {
            true => last_is_odd,
            false => rest * 2_u8 > ten,
        }
    }
}

fn ascii(digits: &[u8]) -> String {
    digits.iter().copied().map(char::from).collect()
}
