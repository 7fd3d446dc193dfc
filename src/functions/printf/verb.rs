//! A verb of a format: how it is read, and how what it writes is filled up to its width.

use num_bigint::{BigInt, Sign};
use unicode_segmentation::UnicodeSegmentation as _;

/// A part of a format.
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// A verb that stands for an argument.
    Verb(Verb<'a>),
}

/// A verb and its flags.
#[derive(Clone, Copy)]
pub(super) struct Verb<'a> {
    /// As it is written.
    pub(super) raw: &'a str,
    pub(super) letter: char,
    /// The place of its argument, from 0.
    pub(super) argument: usize,
    plus: bool,
    space: bool,
    pub(super) sharp: bool,
    minus: bool,
    zero: bool,
    width: usize,
    pub(super) precision: Option<usize>,
}

/// The parts of a format, in order; it ends with its first fault.
pub(super) fn pieces(format: &str) -> impl Iterator<Item = Result<Piece<'_>, String>> {
    let (mut rest, mut next) = (format, 0);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let text = rest.find('%').unwrap_or(rest.len());
        if text > 0 {
            let (text, after) = rest.split_at(text);
            rest = after;
            return Some(Ok(Piece::Text(text)));
        }
        if let Some(after) = rest.strip_prefix("%%") {
            rest = after;
            return Some(Ok(Piece::Text("%")));
        }
        let verb = Verb::read(rest, next);
        rest = match &verb {
            Ok(verb) => &rest[verb.raw.len()..],
            Err(_) => "",
        };
        Some(verb.map(|verb| {
            next = verb.argument + 1;
            Piece::Verb(verb)
        }))
    })
}

/// Digits at the beginning as a number, and what follows.
fn digits(text: &str) -> (Option<usize>, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (text[..text.len() - rest.len()].parse().ok(), rest)
}

impl<'a> Verb<'a> {
    fn read(text: &'a str, argument: usize) -> Result<Self, String> {
        let flags = text[1..].trim_start_matches([' ', '+', '-', '0', '#']);
        let flag = |flag: char| text[..text.len() - flags.len()].contains(flag);
        let (width, rest) = digits(flags);
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = digits(rest);
                (Some(precision.unwrap_or_default()), rest)
            }
            None => (None, rest),
        };
        let (argument, rest) = match rest.strip_prefix('[') {
            Some(index) => match digits(index) {
                (Some(index @ 1..), rest) if rest.starts_with(']') => (index - 1, &rest[1..]),
                _ => return Err(format!("has no argument with the number in `%{rest}`")),
            },
            None => (argument, rest),
        };
        let letter = rest.chars().next();
        let letter = letter.ok_or_else(|| format!("ends in the middle of the verb `{text}`"))?;
        let raw = &text[..text.len() - rest.len() + letter.len_utf8()];
        if !"vtbdoxXeEfgGsq".contains(letter) {
            return Err(format!("has no verb `{raw}`"));
        }
        /// As Go's: more would be a mistake, and fill the memory.
        const MOST: usize = 1_000_000;
        if width.max(precision).is_some_and(|number| number > MOST) {
            return Err(format!(
                "fills up to {MOST} characters, and `{raw}` wants more"
            ));
        }
        Ok(Self {
            raw,
            letter,
            argument,
            plus: flag('+'),
            space: flag(' '),
            sharp: flag('#'),
            minus: flag('-'),
            zero: flag('0') && !flag('-'),
            width: width.unwrap_or_default(),
            precision,
        })
    }

    /// The same, whatever it says of signs: `%+v` has none.
    pub(super) fn without_sign(self) -> Self {
        Self {
            plus: false,
            space: false,
            ..self
        }
    }

    /// As much of a text as the precision lets through, in characters as people see them; all of it where that is zero, as in Terraform.
    pub(super) fn cut<'t>(&self, text: &'t str) -> &'t str {
        let after = self
            .precision
            .filter(|most| *most > 0)
            .and_then(|most| text.grapheme_indices(true).nth(most));
        after.map_or(text, |(end, _)| &text[..end])
    }

    pub(super) fn padded_text(&self, text: &str) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        match (self.minus, self.zero) {
            (true, _) => format!("{text}{}", " ".repeat(missing)),
            (false, true) => format!("{}{text}", "0".repeat(missing)),
            (false, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }

    /// A decimal with its sign.
    pub(super) fn padded_number(&self, text: &str) -> String {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        self.filled(self.sign(negative), digits, self.zero)
    }

    /// An integer in the base of this verb.
    pub(super) fn padded_integer(&self, integer: &BigInt) -> String {
        let (base, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = integer.magnitude().to_str_radix(base);
        if self.letter == 'X' {
            digits.make_ascii_uppercase();
        }
        if let Some(fewest) = self.precision {
            digits.insert_str(0, &"0".repeat(fewest.saturating_sub(digits.len())));
        }
        let sign = self.sign(integer.sign() == Sign::Minus);
        let prefix = if self.sharp { prefix } else { "" };
        let zero = self.zero && self.precision.is_none();
        self.filled(&format!("{sign}{prefix}"), &digits, zero)
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    /// Zeros go between the sign and the digits.
    fn filled(&self, sign: &str, digits: &str, zero: bool) -> String {
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        match (self.minus, zero) {
            (true, _) => format!("{sign}{digits}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{digits}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{digits}", " ".repeat(missing)),
        }
    }
}
