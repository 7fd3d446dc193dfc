//! The rounding of a long decimal by go-cty, which reads numbers as binary floats with a mantissa of 512 bits.

use std::cmp::Ordering;

use num_bigint::BigUint;

/// The width of go-cty's mantissa.
const BITS: u64 = 512;

/// Two decimals of at most that many significant digits never become the same float: 10^153 < 2^511. They come back as they were written.
const DISTINCT_DIGITS: usize = 153;

/// Digits that can decide a rounding: the exact value halfway between two floats of the smallest exponent that is read has fewer.
const DECIDING_DIGITS: usize = 40_000;

/// A decimal as a float of 512 bits.
pub(super) struct Rounded {
    /// Every digit of the float.
    pub(super) exact: String,
    /// The shortest decimal that is read as that float: the form in which go-cty writes, compares and sends it.
    pub(super) shortest: String,
}

/// Rounds a plain decimal to the nearest float, a half to the even neighbour; `None` where the decimal stays as it is.
pub(super) fn round(plain: &str) -> Option<Rounded> {
    let (sign, magnitude) = match plain.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", plain),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    if digits.len() <= DISTINCT_DIGITS {
        return None;
    }
    let trailing = all.len() - all.trim_end_matches('0').len();
    // The decimal is DIGITS × 10^power; lengths of texts fit an i64.
    let mut power = trailing as i64 - fraction.len() as i64;
    let mut digits = digits.as_bytes().to_vec();
    if digits.len() > DECIDING_DIGITS {
        power += (digits.len() - DECIDING_DIGITS - 1) as i64;
        digits.truncate(DECIDING_DIGITS);
        // The digits that were cut off are not all zero.
        digits.push(b'1');
    }
    let digits = BigUint::parse_bytes(&digits, 10).expect("invariant: these are digits");
    let ten = ten_to(power.unsigned_abs());
    let (mantissa, places) = match power < 0 {
        true => nearest(&digits, &ten),
        false => nearest(&(digits * ten), &BigUint::from(1_u8)),
    };
    let (exact, shortest) = decimals(&mantissa, places);
    Some(Rounded {
        exact: format!("{sign}{exact}"),
        shortest: format!("{sign}{shortest}"),
    })
}

fn ten_to(power: u64) -> BigUint {
    BigUint::from(10_u8).pow(u32::try_from(power).unwrap_or(u32::MAX))
}

/// A number times two to that power.
fn shifted(number: &BigUint, power: i64) -> BigUint {
    match power < 0 {
        true => number >> power.unsigned_abs(),
        false => number << power.unsigned_abs(),
    }
}

/// The mantissa of the float nearest to a fraction, and how many binary places it has.
fn nearest(numerator: &BigUint, denominator: &BigUint) -> (BigUint, i64) {
    let width = |number: &BigUint| number.bits() as i64;
    let mut places = BITS as i64 - (width(numerator) - width(denominator));
    let (mut mantissa, rest, divisor) = loop {
        let (over, under) = (
            shifted(numerator, places.max(0)),
            shifted(denominator, (-places).max(0)),
        );
        let mantissa = &over / &under;
        // The guess is right or one too large.
        if mantissa.bits() <= BITS {
            break (mantissa.clone(), over - mantissa * &under, under);
        }
        places -= 1;
    };
    let up = match (rest * 2_u8).cmp(&divisor) {
        Ordering::Less => false,
        Ordering::Equal => mantissa.bit(0),
        Ordering::Greater => true,
    };
    if up {
        mantissa += 1_u8;
        if mantissa.bits() > BITS {
            mantissa >>= 1;
            places -= 1;
        }
    }
    (mantissa, places)
}

/// A float with all its digits, and with as few as tell it from its neighbours.
fn decimals(mantissa: &BigUint, places: i64) -> (String, String) {
    // In halves of the last place the float is even, and what is nearer to it than to its neighbours lies between the odd numbers beside it.
    // Those two are read as the float as well if its mantissa is even, since an odd one loses a tie.
    let places = places + 1;
    let value = mantissa * 2_u8;
    // The same as whole numbers with that many decimal places.
    let scale = match places > 0 {
        true => BigUint::from(5_u8).pow(u32::try_from(places).unwrap_or(u32::MAX)),
        false => BigUint::from(1_u8) << places.unsigned_abs(),
    };
    let point = usize::try_from(places.max(0)).unwrap_or(usize::MAX);
    let lower = (&value - 1_u8) * &scale;
    let upper = (&value + 1_u8) * &scale;
    let value = value * scale;
    let kept =
        Digits::of(&value).shortest(&Digits::of(&lower), &Digits::of(&upper), !mantissa.bit(0));
    (plain(&value, point), plain(&kept, point))
}

/// A whole number's decimal digits, as `math/big` of Go has them: without the zeros at the end, which only its exponent tells.
struct Digits {
    significant: Vec<u8>,
    /// How many digits the number has, the zeros at the end among them.
    width: usize,
}

impl Digits {
    fn of(number: &BigUint) -> Self {
        let mut significant = number.to_radix_be(10);
        let width = significant.len();
        while significant.last() == Some(&0) {
            significant.pop();
        }
        Self { significant, width }
    }

    fn at(&self, index: usize) -> u8 {
        self.significant.get(index).copied().unwrap_or(0)
    }

    /// The number to as few digits as Go's `math/big` keeps of a float between those bounds (`roundShortest` in `ftoa.go`).
    ///
    /// It looks at one digit after another and takes the first at which a bound is told apart, so that it does not always find the
    /// shortest or the nearest decimal. What it finds is what every peer compares and sends, so it is followed to the letter:
    /// numbers are compared digit by digit from the left even where a bound has one more of them.
    fn shortest(self, lower: &Self, upper: &Self, inclusive: bool) -> BigUint {
        for index in 0..self.significant.len() {
            let (low, digit, high) = (lower.at(index), self.at(index), upper.at(index));
            let kept = index + 1;
            let down = low != digit || (inclusive && kept == lower.significant.len());
            let up =
                digit != high && (inclusive || digit + 1 < high || kept < upper.significant.len());
            return match (down, up) {
                (false, false) => continue,
                (true, true) => self.nearest(kept),
                (true, false) => self.cut(kept, false),
                (false, true) => self.cut(kept, true),
            };
        }
        let all = self.significant.len();
        self.cut(all, false)
    }

    /// Cut to that many digits, up or down by what is nearer, a half to the even digit.
    fn nearest(self, kept: usize) -> BigUint {
        let half = self.at(kept) == 5 && kept + 1 == self.significant.len();
        let up = match half {
            true => self.at(kept - 1) % 2 == 1,
            false => self.at(kept) >= 5,
        };
        self.cut(kept, up)
    }

    fn cut(self, kept: usize, up: bool) -> BigUint {
        // A number that has no more digits than are kept is left as it is.
        let up = up && kept < self.significant.len();
        let kept = kept.min(self.significant.len());
        let number = BigUint::from_radix_be(&self.significant[..kept], 10)
            .expect("invariant: these are digits");
        (number + u8::from(up)) * ten_to((self.width - kept) as u64)
    }
}

/// A whole number with its point moved that many places to the left.
fn plain(number: &BigUint, places: usize) -> String {
    let digits = number.to_string();
    let width = places + 1;
    let digits = format!("{digits:0>width$}");
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    match fraction {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shortest(text: &str) -> String {
        round(text).expect("long enough").shortest
    }

    #[test]
    fn short_decimals_stay_as_they_are() {
        for text in ["0", "0.1", "-12345678901234567890.5"] {
            assert!(round(text).is_none());
        }
        assert!(round(&"9".repeat(153)).is_none());
        assert!(round(&format!("0.{}1", "0".repeat(1_000))).is_none());
        assert!(round(&format!("1{}", "0".repeat(1_000))).is_none());
    }

    #[test]
    fn what_is_no_longer_than_its_float_is_told_from_its_neighbours_by_few_digits() {
        // The float nearest to these is that of the short form.
        let nines = format!("0.1{}1", "0".repeat(300));
        assert_eq!(shortest(&nines), "0.1");
        let whole = format!("1.{}1", "0".repeat(300));
        let rounded = round(&whole).expect("long enough");
        assert_eq!((&*rounded.exact, &*rounded.shortest), ("1", "1"));
        assert_eq!(shortest(&format!("-0.{}", "9".repeat(200))), "-1");
    }

    #[test]
    fn halves_go_to_the_even_neighbour_and_anything_more_goes_up() {
        // 2^512 + 1 lies halfway between the floats 2^512 and 2^512 + 2.
        let power: BigUint = BigUint::from(1_u8) << 512_u32;
        let plus = |small: u8| (power.clone() + BigUint::from(small)).to_string();
        let half = plus(1);
        let exact = |text: &str| round(text).expect("long enough").exact;
        assert_eq!(exact(&half), power.to_string());
        assert_eq!(exact(&format!("{half}.{}1", "0".repeat(50_000))), plus(2));
        assert_eq!(exact(&plus(3)), plus(4));
    }

    #[test]
    fn digits_are_dropped_as_go_drops_them_even_where_others_would_be_nearer() {
        // Found by chance against go-cty: 1045570 at the end would be read as the same float, and is nearer.
        let text = format!("42905{}1045540", "0".repeat(144));
        let expected = format!("42905{}1045560", "0".repeat(144));
        assert_eq!(shortest(&text), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_shortest_form_is_read_as_the_same_float(text in "-?[1-9][0-9]{0,200}\\.[0-9]{154,400}[1-9]|-?0\\.0{0,300}[1-9][0-9]{154,200}[1-9]|[1-9][0-9]{160,400}[1-9]") {
            let rounded = round(&text).expect("long enough");
            let digits = rounded.shortest.trim_start_matches(['-', '0', '.']).trim_end_matches('0').replace('.', "");
            prop_assert!((1..=156).contains(&digits.len()), "{}", rounded.shortest);
            match round(&rounded.shortest) {
                Some(again) => {
                    prop_assert_eq!(again.exact, rounded.exact);
                    prop_assert_eq!(again.shortest, rounded.shortest);
                }
                None => prop_assert!(digits.len() <= DISTINCT_DIGITS),
            }
        }
    }
}
