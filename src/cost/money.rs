//! Amounts of money: whole cents, so that shown amounts add up to shown sums.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

/// Cents of the table's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub i64);

impl Cents {
    /// The amount, rounded to cents.
    pub(crate) fn of(amount: f64) -> Self {
        // No plan costs so much that a cast could cut it off.
        #[allow(clippy::cast_possible_truncation)]
        Self((amount * 100.0).round() as i64)
    }

    /// With its sign, for changes: `+32.85`.
    pub fn signed(self) -> String {
        match self.0 {
            0.. => format!("+{self}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        let (whole, rest) = (cents / 100, cents % 100);
        f.pad(&format!("{sign}{whole}.{rest:02}"))
    }
}

impl Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}
