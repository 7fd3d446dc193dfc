//! Moments as RFC 3339 writes them: how else they are written, and what lies between them.

use std::cmp::Ordering;

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::FunctionError;

type Result<T> = std::result::Result<T, FunctionError>;

/// A moment in another form: `YYYY`, `MMM`, `DD`, `EEEE`, `hh`, `mm`, `ss`, `ZZZZZ` and the like, and text of its own in single quotes.
///
/// # Errors
/// When `timestamp` is not as RFC 3339 writes it, or `format` has letters that mean nothing.
pub fn formatdate(format: &str, timestamp: &str) -> Result<String> {
    const NAME: &str = "formatdate";
    let moment = moment(NAME, timestamp)?;
    let written = write(format, moment);
    written.map_err(|token| FunctionError::new(NAME, format!("does not understand `{token}`")))
}

/// The moment that lies that long after another: `1h30m`, or before it: `-10m`. Units are those of Go's durations, up to the hour.
///
/// # Errors
/// When `timestamp` is not as RFC 3339 writes it, or `duration` is none.
pub fn timeadd(timestamp: &str, duration: &str) -> Result<String> {
    const NAME: &str = "timeadd";
    let moment = moment(NAME, timestamp)?;
    let Some(nanoseconds) = nanoseconds(duration) else {
        let reason = format!("needs a duration as `1h30m`, not `{duration}`");
        return Err(FunctionError::new(NAME, reason));
    };
    let sum = moment.checked_add(Duration::nanoseconds(nanoseconds));
    let sum = sum.ok_or_else(|| FunctionError::new(NAME, "leaves the years that dates have"))?;
    Ok(write("YYYY-MM-DD'T'hh:mm:ssZ", sum).expect("invariant: every piece means something"))
}

/// Which of two moments comes first.
///
/// # Errors
/// When one of them is not as RFC 3339 writes it.
pub fn timecmp(a: &str, b: &str) -> Result<Ordering> {
    const NAME: &str = "timecmp";
    Ok(moment(NAME, a)?.cmp(&moment(NAME, b)?))
}

/// The moment in that form, or the first piece of the form that means nothing.
fn write(format: &str, moment: OffsetDateTime) -> std::result::Result<String, &str> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let token = token(first, rest);
        rest = &rest[token.len()..];
        match first {
            '\'' => text += &literal(token).ok_or(token)?,
            letter if letter.is_ascii_alphabetic() => text += &part(token, moment).ok_or(token)?,
            _ => text += token,
        }
    }
    Ok(text)
}

/// The first piece of a format: a run of one letter, a text in quotes with them, or one other character.
fn token(first: char, format: &str) -> &str {
    let end = match first {
        '\'' => {
            let mut bytes = format.bytes().enumerate().skip(1).peekable();
            loop {
                match (bytes.next(), bytes.peek()) {
                    (None, _) => break format.len(),
                    // Two of them are one that belongs to the text; right at the beginning they are all of it.
                    (Some((at, b'\'')), Some((_, b'\''))) if at > 1 => {
                        bytes.next();
                    }
                    (Some((at, b'\'')), _) => break at + 1,
                    _ => {}
                }
            }
        }
        letter if letter.is_ascii_alphabetic() => {
            format.len() - format.trim_start_matches(letter).len()
        }
        other => other.len_utf8(),
    };
    &format[..end]
}

fn literal(token: &str) -> Option<String> {
    let inner = token.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(match inner {
        "" => "'".to_owned(),
        inner => inner.replace("''", "'"),
    })
}

/// What a run of letters says of a moment.
fn part(token: &str, moment: OffsetDateTime) -> Option<String> {
    let month = moment.month().to_string();
    let weekday = moment.weekday().to_string();
    let of_twelve = match moment.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if moment.hour() < 12 { "am" } else { "pm" };
    let (hours, minutes, _) = moment.offset().as_hms();
    let is_utc = moment.offset().is_utc();
    let offset = |between: &str| {
        let sign = if moment.offset().is_negative() {
            '-'
        } else {
            '+'
        };
        let (hours, minutes) = (hours.unsigned_abs(), minutes.unsigned_abs());
        format!("{sign}{hours:02}{between}{minutes:02}")
    };
    Some(match token {
        "YY" => format!("{:02}", moment.year() % 100),
        "YYYY" => format!("{:04}", moment.year()),
        "M" => u8::from(moment.month()).to_string(),
        "MM" => format!("{:02}", u8::from(moment.month())),
        "MMM" => month[..3].to_owned(),
        "MMMM" => month,
        "D" => moment.day().to_string(),
        "DD" => format!("{:02}", moment.day()),
        "EEE" => weekday[..3].to_owned(),
        "EEEE" => weekday,
        "h" => moment.hour().to_string(),
        "hh" => format!("{:02}", moment.hour()),
        "H" => of_twelve.to_string(),
        "HH" => format!("{of_twelve:02}"),
        "AA" => half.to_uppercase(),
        "aa" => half.to_owned(),
        "m" => moment.minute().to_string(),
        "mm" => format!("{:02}", moment.minute()),
        "s" => moment.second().to_string(),
        "ss" => format!("{:02}", moment.second()),
        "Z" if is_utc => "Z".to_owned(),
        "ZZZ" if is_utc => "UTC".to_owned(),
        "Z" | "ZZZZZ" => offset(":"),
        "ZZZ" | "ZZZZ" => offset(""),
        _ => return None,
    })
}

/// Reads what RFC 3339 writes, as strictly as Go does: capitals only, no 60th second.
fn moment(function: &'static str, text: &str) -> Result<OffsetDateTime> {
    read_moment(text).ok_or_else(|| {
        let reason = format!("needs a moment as `2018-01-02T23:12:01Z`, not `{text}`");
        FunctionError::new(function, reason)
    })
}

fn read_moment(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = text.split_once('T')?;
    let zone = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let offset = match zone {
        "Z" => UtcOffset::UTC,
        zone => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            UtcOffset::from_hms(
                sign * i8::try_from(hours).ok()?,
                sign * i8::try_from(minutes).ok()?,
                0,
            )
            .ok()?
        }
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let time = Time::from_hms_nano(
        u8::try_from(hour).ok()?,
        u8::try_from(minute).ok()?,
        u8::try_from(second).ok()?,
        is_fraction.then(|| digits.parse().ok()).flatten()?,
    )
    .ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset))
}

/// Numbers of so many digits each, and nothing else.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u16; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let fits = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = fits.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Reads a duration of Go's: numbers with units, without anything between them.
fn nanoseconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.split_at_checked(1) {
        Some(("-", rest)) => (-1, rest),
        Some(("+", rest)) => (1, rest),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let number = |digits: &str| match digits {
            "" => Some(0),
            digits => digits.parse::<i128>().ok(),
        };
        sum = sum.checked_add(number(whole)?.checked_mul(unit)?)?;
        // Digits below a nanosecond are of no use to any unit.
        let fraction = &fraction[..fraction.len().min(18)];
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        sum = sum.checked_add(number(fraction)? * unit / scale)?;
        rest = after;
    }
    i64::try_from(sign * sum).ok()
}
