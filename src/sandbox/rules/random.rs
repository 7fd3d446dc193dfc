//! Values that are chosen once: the random provider asks no cloud.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use terrane_core::Value;

use super::view::{random_bytes, uuid};
use super::{CloudView, Rule, Verdict, refuse};
use crate::draft::{Draft, texts};

pub(super) const RULES: &[Rule] = &[
    Rule::new("random_bytes", "")
        .creates(bytes)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_id", "").creates(id).takes(0.0, 0.0, 0.0),
    Rule::new("random_integer", "")
        .creates(integer)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_password", "")
        .creates(password)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_pet", "")
        .creates(pet)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_shuffle", "")
        .creates(shuffle)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_string", "")
        .creates(string)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_uuid", "")
        .creates(unique)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_uuid4", "")
        .creates(unique)
        .takes(0.0, 0.0, 0.0),
    Rule::new("random_uuid7", "")
        .creates(unique_in_order)
        .takes(0.0, 0.0, 0.0),
];

const BEFORE: [&str; 8] = [
    "boldly", "gladly", "kindly", "mostly", "neatly", "openly", "surely", "warmly",
];
const HOW: [&str; 8] = [
    "brave", "calm", "eager", "fond", "quick", "solid", "sunny", "wise",
];
const WHO: [&str; 8] = [
    "badger", "falcon", "heron", "lynx", "marmot", "otter", "salmon", "wren",
];

/// A number below `limit`, which is not 0.
fn below(limit: u64) -> u64 {
    let bytes = random_bytes(8);
    let number = bytes
        .iter()
        .fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    number % limit
}

pub(crate) fn one_of<T: Copy>(choices: &[T]) -> T {
    // As long as the lists above, and far below 2^64.
    choices[below(choices.len() as u64) as usize]
}

fn number(draft: &Draft, name: &str) -> Option<i64> {
    match draft.get(name) {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn length(draft: &Draft, name: &str) -> usize {
    number(draft, name)
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(1)
}

pub(crate) fn bytes(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let bytes = random_bytes(length(draft, "length"));
    draft.put("base64", BASE64.encode(&bytes));
    draft.put("hex", HEXLOWER.encode(&bytes));
    Ok(())
}

fn id(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let bytes = random_bytes(length(draft, "byte_length"));
    let prefix = draft.text("prefix").to_owned();
    let id = BASE64URL_NOPAD.encode(&bytes);
    draft.put("b64_url", format!("{prefix}{id}"));
    draft.put("b64_std", format!("{prefix}{}", BASE64.encode(&bytes)));
    draft.put("hex", format!("{prefix}{}", HEXLOWER.encode(&bytes)));
    draft.put("dec", format!("{prefix}{}", decimal(&bytes)));
    draft.put("id", id);
    Ok(())
}

/// The number that bytes are, the first counting most.
fn decimal(bytes: &[u8]) -> String {
    // Digits, the last first.
    let mut digits = vec![0_u32];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let digits = digits.iter().rev();
    digits
        .filter_map(|digit| char::from_digit(*digit, 10))
        .collect()
}

fn integer(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let (Some(min), Some(max)) = (number(draft, "min"), number(draft, "max")) else {
        return refuse("", "min and max must be whole numbers of 64 bits");
    };
    if max < min {
        return refuse(
            "",
            "the minimum (min) value needs to be smaller than or equal to maximum (max) value",
        );
    }
    let choices = max.abs_diff(min).checked_add(1);
    let chosen = min.wrapping_add_unsigned(choices.map_or_else(|| below(u64::MAX), below));
    draft.put("result", Value::from(chosen));
    draft.put("id", chosen.to_string());
    Ok(())
}

fn pet(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let words = match length(draft, "length") {
        0 | 1 => vec![one_of(&WHO)],
        count => {
            let mut words: Vec<&str> = (2..count).map(|_| one_of(&BEFORE)).collect();
            words.extend([one_of(&HOW), one_of(&WHO)]);
            words
        }
    };
    let separator = match draft.get("separator").as_str() {
        Some(separator) => separator.to_owned(),
        None => "-".to_owned(),
    };
    let prefix = draft.text("prefix").to_owned();
    let parts = [prefix.as_str()]
        .into_iter()
        .filter(|prefix| !prefix.is_empty())
        .chain(words);
    let name: Vec<&str> = parts.collect();
    draft.put("id", name.join(&separator));
    Ok(())
}

fn shuffle(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let input = texts(draft.get("input"));
    let count = number(draft, "result_count").map_or(input.len(), |count| {
        usize::try_from(count).unwrap_or_default()
    });
    let mut result: Vec<Value> = Vec::new();
    let mut left = Vec::new();
    while result.len() < count && !input.is_empty() {
        if left.is_empty() {
            left = input.clone();
        }
        let chosen = left.swap_remove(below(left.len() as u64) as usize);
        result.push(chosen.into());
    }
    draft.put("result", Value::list(result));
    draft.put("id", "-");
    Ok(())
}

fn string(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let text = characters(draft)?;
    draft.put("id", text.as_str());
    draft.put("result", text);
    Ok(())
}

pub(crate) fn password(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let text = characters(draft)?;
    let made_up: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let hash: String = (0..53).map(|_| one_of(&made_up)).collect();
    draft.put("bcrypt_hash", format!("$2a$10${hash}"));
    draft.put("result", text);
    draft.put("id", "none");
    Ok(())
}

/// As many characters as asked for, of the kinds asked for.
fn characters(draft: &Draft) -> Result<String, super::Refusal> {
    let special = match draft.text("override_special") {
        "" => "!@#$%&*()-_=+[]{}<>:?",
        special => special,
    };
    let kinds = [
        ("lower", "abcdefghijklmnopqrstuvwxyz"),
        ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("numeric", "0123456789"),
        ("special", special),
    ];
    let mut chosen: Vec<char> = Vec::new();
    let mut all: Vec<char> = Vec::new();
    for (kind, letters) in kinds {
        let letters: Vec<char> = letters.chars().collect();
        let least = number(draft, &format!("min_{kind}")).unwrap_or_default();
        let asked = draft.get(kind).as_bool() != Some(false);
        chosen.extend((0..least).map(|_| one_of(&letters)));
        if asked {
            all.extend(letters);
        }
    }
    let length = length(draft, "length");
    if all.is_empty() && chosen.len() < length {
        return Err(super::Refusal {
            code: "",
            message: "at least one of lower, upper, numeric and special must be true".to_owned(),
            passing: false,
        });
    }
    while chosen.len() < length {
        chosen.push(one_of(&all));
    }
    // The demanded ones are not the first.
    let mut shuffled = String::new();
    while !chosen.is_empty() {
        shuffled.push(chosen.swap_remove(below(chosen.len() as u64) as usize));
    }
    Ok(shuffled)
}

fn unique(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let id = uuid();
    draft.put("id", id.as_str());
    draft.put("result", id);
    Ok(())
}

/// A UUID that says by its form that it begins with the time.
fn unique_in_order(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let (time, id) = (view.now.millis(), uuid());
    let id = format!("{:08x}-{:04x}-7{}", time >> 16, time & 0xffff, &id[15..]);
    draft.put("id", id.as_str());
    draft.put("result", id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_decimal_number() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 8]), u64::MAX.to_string());
    }
}
