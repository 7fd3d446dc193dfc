//! `format` and `formatlist`: texts with verbs as in C and Go.

mod decimal;
mod verb;

use terrane_core::{Type, Value};

use crate::FunctionError;
use crate::encoding::json;
use decimal::Decimal;
use verb::{Piece, Verb, pieces};

type Result<T> = std::result::Result<T, String>;

/// A text in which verbs stand for arguments: `%s`, `%05d`, `%.2f`, `%[2]q`, `%v`.
///
/// # Errors
/// When a verb does not exist, or an argument is missing, left over, or not of the kind that its verb writes.
pub fn format(format: &str, arguments: &[Value]) -> std::result::Result<String, FunctionError> {
    let arguments: Vec<&Value> = arguments.iter().collect();
    formatted(format, &arguments).map_err(|reason| FunctionError::new("format", reason))
}

/// A text for each element of the lists among the arguments, in step; any other argument is the same in all.
///
/// # Errors
/// When lists have different lengths, and as [`format`](format()).
pub fn formatlist(
    format: &str,
    arguments: &[Value],
) -> std::result::Result<Vec<String>, FunctionError> {
    let failed = |reason| FunctionError::new("formatlist", reason);
    let mut length = None;
    for argument in arguments {
        if let Some(elements) = argument.elements() {
            let known = *length.get_or_insert(elements.len());
            if known != elements.len() {
                let (one, other) = (known, elements.len());
                return Err(failed(format!(
                    "has lists of {one} and of {other} elements"
                )));
            }
        }
    }
    let text = |place: usize| {
        let arguments: Vec<&Value> = arguments
            .iter()
            .map(|argument| argument.elements().map_or(argument, |list| &list[place]))
            .collect();
        formatted(format, &arguments).map_err(failed)
    };
    (0..length.unwrap_or(1)).map(text).collect()
}

fn formatted(format: &str, arguments: &[&Value]) -> Result<String> {
    let (mut text, mut used) = (String::new(), 0);
    for piece in pieces(format) {
        match piece? {
            Piece::Text(piece) => text += piece,
            Piece::Verb(verb) => {
                used = used.max(verb.argument + 1);
                let argument = arguments.get(verb.argument).ok_or_else(|| {
                    let (wanted, there) = (verb.argument + 1, arguments.len());
                    format!(
                        "has {there} arguments, and `{}` wants number {wanted}",
                        verb.raw
                    )
                })?;
                text += &written(&verb, argument)?;
            }
        }
    }
    match used < arguments.len() {
        true => Err(format!(
            "has {} arguments, and uses {used}",
            arguments.len()
        )),
        false => Ok(text),
    }
}

fn written(verb: &Verb<'_>, argument: &Value) -> Result<String> {
    let unfit = |kind: &str| format!("writes {kind} for `{}`, not {}", verb.raw, argument.kind());
    match verb.letter {
        'v' if verb.sharp => as_json(argument).map(|json| verb.padded_text(&json)),
        'v' => match argument {
            Value::Dynamic(dynamic) => written(verb, &dynamic.1),
            Value::String(text) => Ok(verb.padded_text(text)),
            Value::Bool(value) => Ok(verb.padded_text(&value.to_string())),
            Value::Number(number) => {
                let decimal = Decimal::of(number).ok_or_else(|| unfit("a finite number"))?;
                Ok(verb
                    .without_sign()
                    .padded_number(&decimal.general(None, 'e')))
            }
            other => as_json(other).map(|json| verb.padded_text(&json)),
        },
        't' => match argument.convert(&Type::Bool) {
            // Its width does not count, as in Terraform.
            Ok(Value::Bool(value)) => Ok(value.to_string()),
            _ => Err(unfit("a bool")),
        },
        's' | 'q' => match argument.convert(&Type::String) {
            Ok(Value::String(text)) => {
                let cut = verb.cut(&text);
                match verb.letter {
                    'q' => as_json(&Value::string(cut)).map(|json| verb.padded_text(&json)),
                    _ => Ok(verb.padded_text(cut)),
                }
            }
            _ => Err(unfit("a text")),
        },
        letter => {
            let Ok(Value::Number(number)) = argument.convert(&Type::Number) else {
                return Err(unfit("a number"));
            };
            let decimal = Decimal::of(&number).ok_or_else(|| unfit("a finite number"))?;
            Ok(match letter {
                'e' | 'E' => {
                    let places = verb.precision.unwrap_or(6);
                    verb.padded_number(&decimal.exponential(places, letter))
                }
                'f' => verb.padded_number(&decimal.fixed(verb.precision.unwrap_or(6))),
                'g' => verb.padded_number(&decimal.general(verb.precision, 'e')),
                'G' => verb.padded_number(&decimal.general(verb.precision, 'E')),
                _ => {
                    let integer = decimal.integer().ok_or_else(|| unfit("an integer"))?;
                    verb.padded_integer(&integer)
                }
            })
        }
    }
}

fn as_json(value: &Value) -> Result<String> {
    json("format", value).map_err(|error| error.reason)
}
