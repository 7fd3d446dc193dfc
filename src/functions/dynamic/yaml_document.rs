//! `yamldecode`: a document of YAML as a value, with the words that Terraform takes for booleans, numbers and dates.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use terrane_core::value::Number;
use terrane_core::{Type, Value};

type Result<T> = std::result::Result<T, String>;

/// How deep a document may nest.
const DEEPEST: usize = 128;
/// How many values aliases may make of a document: one that grows beyond it is meant to.
const MOST: usize = 1_000_000;

/// The only document of the text.
pub(super) fn decode(text: &str) -> Result<Value> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        values: 0,
    };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::Nothing => {}
            Event::DocumentStart(_) => break,
            _ => return Err("finds no document".to_owned()),
        }
    }
    let first = reader.next()?;
    let (value, _) = reader.value(first, 0)?;
    loop {
        match reader.next()? {
            Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => return Ok(value),
            _ => return Err("finds more than one document".to_owned()),
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// What was anchored, and how many values that is.
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>> {
        match self.events.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(fault(&error)),
            None => Ok(Event::StreamEnd),
        }
    }

    /// The value that begins with the event, and how many values are in it.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<(Value, usize)> {
        if depth > DEEPEST {
            return Err(format!("finds values deeper than {DEEPEST}"));
        }
        let before = self.values;
        self.values += 1;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, scalar(&text, style, tag.as_deref())?)
            }
            Event::SequenceStart(anchor, tag) => {
                collection(tag, "seq")?;
                let mut elements = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => elements.push(self.value(event, depth + 1)?.0),
                    }
                }
                (anchor, Value::list(elements))
            }
            Event::MappingStart(anchor, tag) => {
                collection(tag, "map")?;
                (anchor, self.mapping(depth)?)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (value, size) = known.ok_or("finds an alias inside of what it stands for")?;
                self.values += size;
                (0, value)
            }
            _ => return Err("finds an incomplete document".to_owned()),
        };
        if self.values > MOST {
            return Err(format!("finds aliases that make more than {MOST} values"));
        }
        let size = self.values - before;
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok((value, size))
    }

    /// The members up to the end of the mapping. A later key wins, and so does what is merged later.
    fn mapping(&mut self, depth: usize) -> Result<Value> {
        let mut members: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges = matches!(&event, Event::Scalar(key, ..) if key == "<<");
            let (key, _) = self.value(event, depth + 1)?;
            let event = self.next()?;
            let (value, _) = self.value(event, depth + 1)?;
            match (merges, &value) {
                (true, Value::Map(merged)) => {
                    members.extend(
                        merged
                            .iter()
                            .map(|(key, value)| (key.clone(), value.clone())),
                    );
                }
                (true, _) => return Err("can merge only a map".to_owned()),
                (false, _) => {
                    let key = key
                        .convert(&Type::String)
                        .map_err(|error| error.to_string())?;
                    let key = key
                        .as_str()
                        .ok_or("finds a key that is not text")?
                        .to_owned();
                    members.insert(key.into(), value);
                }
            }
        }
        Ok(Value::map(members))
    }
}

fn fault(error: &ScanError) -> String {
    let (place, why) = (error.marker(), error.info());
    format!("cannot read line {}: {why}", place.line())
}

fn collection(tag: Option<Cow<'_, Tag>>, expected: &str) -> Result<()> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => Err(unknown(&tag)),
        _ => Ok(()),
    }
}

fn unknown(tag: &Tag) -> String {
    format!("knows no tag `{}{}`", tag.handle, tag.suffix)
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value> {
    let plain = || plain(text);
    let needs = |kind: &str| format!("finds `{text}`, which is no {kind}");
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => plain(),
            _ => Ok(text.into()),
        };
    };
    if tag.handle == "!" && tag.suffix.is_empty() {
        return Ok(text.into());
    }
    if !tag.is_yaml_core_schema() {
        return Err(unknown(tag));
    }
    match &*tag.suffix {
        "str" | "binary" => Ok(text.into()),
        // Quotes say more than a tag.
        "int" | "float" | "bool" if style != ScalarStyle::Plain => Ok(text.into()),
        "null" => Ok(Value::Null),
        "bool" => plain().and_then(|value| match value {
            Value::Bool(_) => Ok(value),
            _ => Err(needs("boolean")),
        }),
        "int" | "float" => plain().and_then(|value| match value {
            Value::Number(_) => Ok(value),
            _ => Err(needs("number")),
        }),
        "timestamp" => Ok(date(text).ok_or_else(|| needs("date"))?.into()),
        _ => Err(unknown(tag)),
    }
}

/// A word without quotes.
fn plain(text: &str) -> Result<Value> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            true.into()
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            false.into()
        }
        _ if is_without_end(text) => return Err(format!("cannot use the number `{text}`")),
        _ => match (number(text), date(text)) {
            (Some(number), _) => number.into(),
            (None, Some(date)) => date.into(),
            (None, None) => text.into(),
        },
    })
}

/// `.inf`, `.nan`.
fn is_without_end(text: &str) -> bool {
    let word = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(word, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return Some(u64::from_str_radix(digits, 16).ok()?.into());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return Some(u64::from_str_radix(digits, 8).ok()?.into());
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let exponent = match exponent {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !are_digits(digits) {
                return None;
            }
            format!("e{exponent}")
        }
        None => String::new(),
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let part = match part {
        "" => String::new(),
        part => format!(".{part}"),
    };
    format!("{sign}{whole}{part}{exponent}").parse().ok()
}

/// A date, as Terraform writes it; a moment in RFC 3339 is a text that stays as it is.
fn date(text: &str) -> Option<String> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.next().is_some()
        || year.len() != 4
        || !fits(year, 4)
        || !fits(month, 2)
        || !fits(day, 2)
    {
        return None;
    }
    let moment = format!("{year}-{month:0>2}-{day:0>2}T{time}Z");
    // Only what is a day and a time is a date.
    crate::formatdate("YYYY", &moment).ok().map(|_| moment)
}
