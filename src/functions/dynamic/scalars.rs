//! Functions of texts, numbers, moments, networks and documents, whose arguments are known.

use regex::{Captures, Regex};
use terrane_core::value::Number;
use terrane_core::{Type, Value};

use unicode_segmentation::UnicodeSegmentation;

use super::calls::at;
use super::conversions::{members, number, plain, text, whole};
use super::{csv_document, exact, yaml_document};

type Result<T> = std::result::Result<T, String>;

fn said(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    // Errors of this crate begin with the function's name, which the caller says.
    text.split_once(' ')
        .map_or(text.clone(), |(_, reason)| reason.to_owned())
}

/// The answer of a function of this file.
pub(super) fn answer(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    texts(name, arguments)
        .or_else(|| numbers(name, arguments))
        .or_else(|| documents(name, arguments))
}

fn texts(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let one = || at(arguments, 0).and_then(text);
    let two = || Ok::<_, String>((one()?, text(at(arguments, 1)?)?));
    let made = match name {
        "lower" => one().map(|it| crate::lower(&it)),
        "upper" => one().map(|it| crate::upper(&it)),
        "title" => one().map(|it| crate::title(&it)),
        "strrev" => one().map(|it| crate::strrev(&it)),
        "chomp" => one().map(|it| it.trim_end_matches(['\r', '\n']).to_owned()),
        "trimspace" => one().map(|it| it.trim().to_owned()),
        "trim" => two().map(|(it, of)| it.trim_matches(|c| of.contains(c)).to_owned()),
        "trimprefix" => two().map(|(it, of)| it.strip_prefix(&*of).unwrap_or(&it).to_owned()),
        "trimsuffix" => two().map(|(it, of)| it.strip_suffix(&*of).unwrap_or(&it).to_owned()),
        "indent" => at(arguments, 0)
            .and_then(whole)
            .and_then(|spaces| Ok(crate::indent(spaces, &text(at(arguments, 1)?)?))),
        "substr" => substr(arguments),
        "replace" => replace(arguments),
        "join" => join(arguments),
        "format" => format(arguments),
        "urlencode" => one().map(|it| crate::urlencode(&it)),
        "tostring" => match at(arguments, 0).map(plain) {
            Ok(Value::Null) => return Some(Ok(Value::Null)),
            _ => one(),
        },
        "formatdate" => {
            two().and_then(|(format, at)| crate::formatdate(&format, &at).map_err(said))
        }
        "timeadd" => two().and_then(|(at, more)| crate::timeadd(&at, &more).map_err(said)),
        "cidrnetmask" => one().and_then(|it| crate::cidrnetmask(&it).map_err(said)),
        "cidrhost" => one().and_then(|prefix| {
            let host = at(arguments, 1).and_then(integer)?;
            crate::cidrhost(&prefix, host).map_err(said)
        }),
        "cidrsubnet" => one().and_then(|prefix| {
            let more = u8::try_from(whole(at(arguments, 1)?)?).map_err(said)?;
            let place = u128::try_from(integer(at(arguments, 2)?)?).map_err(said)?;
            crate::cidrsubnet(&prefix, more, place).map_err(said)
        }),
        _ => return split_up(name, arguments),
    };
    Some(made.map(Value::from))
}

fn split_up(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let one = || at(arguments, 0).and_then(text);
    let two = || Ok::<_, String>((one()?, text(at(arguments, 1)?)?));
    let list = |texts: Vec<String>| Value::list(texts.into_iter().map(Value::from).collect());
    Some(match name {
        "split" => two().map(|(by, it)| {
            // Every character, without what lies before and after them.
            if by.is_empty() {
                return list(it.graphemes(true).map(str::to_owned).collect());
            }
            list(it.split(&*by).map(str::to_owned).collect())
        }),
        "startswith" => two().map(|(it, with)| it.starts_with(&*with).into()),
        "endswith" => two().map(|(it, with)| it.ends_with(&*with).into()),
        "strcontains" => two().map(|(it, with)| it.contains(&*with).into()),
        "timecmp" => {
            two().and_then(|(a, b)| Ok((crate::timecmp(&a, &b).map_err(said)? as i64).into()))
        }
        "regex" => two().and_then(|(pattern, it)| {
            let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
            let found = pattern.captures(&it).ok_or("finds no match")?;
            Ok(captured(&pattern, &found))
        }),
        "regexall" => two().and_then(|(pattern, it)| {
            let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
            let all = pattern
                .captures_iter(&it)
                .map(|found| captured(&pattern, &found));
            Ok(Value::list(all.collect()))
        }),
        "formatlist" => one().and_then(|format| {
            let all = crate::formatlist(&format, arguments.get(1..).unwrap_or_default());
            Ok(list(all.map_err(said)?))
        }),
        "cidrsubnets" => one().and_then(|prefix| {
            let rest = arguments.get(1..).unwrap_or_default().iter();
            let more = rest.map(|one| u8::try_from(whole(one)?).map_err(said));
            let subnets = crate::cidrsubnets(&prefix, &more.collect::<Result<Vec<u8>>>()?);
            Ok(list(subnets.map_err(said)?))
        }),
        _ => return None,
    })
}

fn captured(pattern: &Regex, found: &Captures<'_>) -> Value {
    let part = |part: Option<regex::Match<'_>>| part.map_or(Value::Null, |it| it.as_str().into());
    if pattern.capture_names().flatten().next().is_some() {
        let names = pattern.capture_names().flatten();
        return Value::map(names.map(|name| (name, part(found.name(name)))));
    }
    match found.len() {
        1 => part(found.get(0)),
        _ => Value::list(found.iter().skip(1).map(part).collect()),
    }
}

fn substr(arguments: &[Value]) -> Result<String> {
    let it = text(at(arguments, 0)?)?;
    let offset = number(at(arguments, 1)?)?
        .as_i64()
        .ok_or("needs a whole number")?;
    let length = number(at(arguments, 2)?)?
        .as_i64()
        .ok_or("needs a whole number")?;
    Ok(crate::substr(&it, offset, usize::try_from(length).ok()))
}

fn replace(arguments: &[Value]) -> Result<String> {
    let (it, old, new) = (
        text(at(arguments, 0)?)?,
        text(at(arguments, 1)?)?,
        text(at(arguments, 2)?)?,
    );
    let pattern = old
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    match pattern {
        Some(pattern) if old.len() > 1 => {
            let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
            Ok(pattern.replace_all(&it, &*new).into_owned())
        }
        _ => Ok(it.replace(&*old, &new)),
    }
}

fn join(arguments: &[Value]) -> Result<String> {
    let between = text(at(arguments, 0)?)?;
    let mut all = Vec::new();
    for list in arguments.get(1..).unwrap_or_default() {
        let elements = plain(list).elements().ok_or("needs a list of texts")?;
        for element in elements {
            all.push(text(element)?);
        }
    }
    Ok(all.join(&between))
}

fn format(arguments: &[Value]) -> Result<String> {
    let format = text(at(arguments, 0)?)?;
    crate::format(&format, arguments.get(1..).unwrap_or_default()).map_err(said)
}

fn of_float(float: f64) -> Result<Value> {
    let number: std::result::Result<Number, _> = float.to_string().parse();
    number
        .map(Value::from)
        .map_err(|_| "has no result".to_owned())
}

fn numbers(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let one = || at(arguments, 0).and_then(number);
    let exactly = |of: fn(&Number) -> Result<Number>| one().and_then(|it| Ok(of(&it)?.into()));
    let extreme = |larger: bool| {
        let mut all = arguments.iter().map(number).collect::<Result<Vec<_>>>()?;
        all.sort_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
        let found = if larger {
            all.pop()
        } else {
            all.into_iter().next()
        };
        found
            .map(Value::from)
            .ok_or_else(|| "lacks a number".to_owned())
    };
    Some(match name {
        "abs" => exactly(exact::absolute),
        "ceil" => exactly(|it| exact::whole(it, true)),
        "floor" => exactly(|it| exact::whole(it, false)),
        "max" => extreme(true),
        "min" => extreme(false),
        "signum" => one().and_then(|it| Ok(exact::sign(&it)?.into())),
        "log" => one().and_then(|it| {
            let base = number(at(arguments, 1)?)?.to_f64();
            of_float(it.to_f64().ln() / base.ln())
        }),
        "pow" => {
            one().and_then(|it| of_float(it.to_f64().powf(number(at(arguments, 1)?)?.to_f64())))
        }
        "parseint" => at(arguments, 0).and_then(text).and_then(|it| {
            let base = u32::try_from(whole(at(arguments, 1)?)?).map_err(said)?;
            if !(2..=62).contains(&base) {
                return Err("needs a base from 2 to 62".to_owned());
            }
            Ok(exact::parsed(&it, base)?.into())
        }),
        "tonumber" => match at(arguments, 0).map(plain) {
            Ok(Value::Null) => Ok(Value::Null),
            _ => one().map(Value::from),
        },
        "tobool" => match at(arguments, 0).map(plain) {
            Ok(Value::Null) => Ok(Value::Null),
            _ => at(arguments, 0)
                .and_then(super::conversions::truth)
                .map(Value::from),
        },
        _ => return None,
    })
}

fn documents(name: &str, arguments: &[Value]) -> Option<Result<Value>> {
    let one = || at(arguments, 0);
    Some(match name {
        "jsonencode" => one().and_then(|it| Ok(crate::jsonencode(it).map_err(said)?.into())),
        "yamlencode" => one().and_then(|it| Ok(crate::yamlencode(it).map_err(said)?.into())),
        "jsondecode" => one().and_then(text).and_then(|it| {
            Value::from_json_untyped(it.as_bytes()).map_err(|error| error.to_string())
        }),
        "csvdecode" => one()
            .and_then(text)
            .and_then(|it| csv_document::decode(&it)),
        "yamldecode" => one()
            .and_then(text)
            .and_then(|it| yaml_document::decode(&it)),
        "textencodebase64" => charset(arguments).and_then(|(it, charset)| {
            let encoded = crate::textencodebase64(&it, charset);
            Ok(encoded.map_err(said)?.into())
        }),
        "textdecodebase64" => charset(arguments).and_then(|(it, charset)| {
            let decoded = crate::textdecodebase64(&it, charset);
            Ok(decoded.map_err(said)?.into())
        }),
        "type" => one().map(|it| type_name(plain(it)).into()),
        _ => return None,
    })
}

fn charset(arguments: &[Value]) -> Result<(String, crate::Charset)> {
    let (it, name) = (text(at(arguments, 0)?)?, text(at(arguments, 1)?)?);
    let charset = crate::Charset::named(&name);
    Ok((
        it,
        charset.ok_or_else(|| format!("knows no encoding `{name}`"))?,
    ))
}

/// A whole number of any size that an address has room for.
fn integer(value: &Value) -> Result<i128> {
    let number = number(value)?;
    let whole = number.to_string().parse();
    whole.map_err(|_| format!("needs a whole number, found {number}"))
}

fn type_name(value: &Value) -> String {
    match value {
        Value::Map(_) => {
            let members = members(value).unwrap_or_default().into_iter();
            let members = members.map(|(key, one)| format!("{key}: {}", type_name(plain(&one))));
            format!("object({{{}}})", members.collect::<Vec<_>>().join(", "))
        }
        other => match other.implied_type() {
            Type::String => "string".to_owned(),
            Type::Number => "number".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::List(_) | Type::Tuple(_) => "tuple".to_owned(),
            Type::Set(_) => "set".to_owned(),
            _ => "dynamic".to_owned(),
        },
    }
}
