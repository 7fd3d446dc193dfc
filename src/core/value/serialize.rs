//! A value as serde sees it, so that a program can write one as JSON, TOML or YAML.

use serde::ser::{Error, Serialize, Serializer};

use super::{Number, Value};

impl Serialize for Value {
    /// Writes the value without its types: a set as a sequence, a dynamic value as its inner value.
    ///
    /// # Errors
    /// Where something is unknown, or a number has more digits than serde's numbers hold: nothing is rounded without a word.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Unknown(_) => Err(S::Error::custom("the value is not known yet")),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(elements) | Self::Set(elements) => serializer.collect_seq(elements.iter()),
            Self::Map(members) => serializer.collect_map(members.iter()),
            Self::Dynamic(dynamic) => dynamic.1.serialize(serializer),
        }
    }
}

impl Serialize for Number {
    /// Writes an integer, else the `f64` that reads as the same decimal.
    ///
    /// # Errors
    /// When there is neither.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(integer) = self.as_i64() {
            return serializer.serialize_i64(integer);
        }
        if let Ok(integer) = self.to_string().parse() {
            return serializer.serialize_u64(integer);
        }
        let nearest = self.to_f64();
        if Self::from_f64(nearest).as_ref() == Some(self) && nearest.is_finite() {
            serializer.serialize_f64(nearest)
        } else {
            Err(S::Error::custom(
                "the number has more digits than can be written",
            ))
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            // Whatever is a number in JSON is a decimal; only an exponent in the thousands is none of ours.
            serde_json::Value::Number(number) => {
                number.to_string().parse().map_or(Self::Null, Self::Number)
            }
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Array(elements) => {
                Self::list(elements.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(members) => Self::map(
                members
                    .into_iter()
                    .map(|(name, member)| (name, Self::from(member))),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_writes_reads_back_as_the_same_value() {
        let json = serde_json::json!({
            "null": null, "flag": true, "text": "é", "list": [1, -2, 0.1, 18_446_744_073_709_551_615_u64], "object": {"a": []},
        });
        let value = Value::from(json.clone());
        assert_eq!(serde_json::to_value(&value).expect("a document"), json);
        let dynamic = value.convert(&crate::Type::Dynamic).expect("a value");
        assert_eq!(serde_json::to_value(&dynamic).expect("a document"), json);
    }

    #[test]
    fn what_cannot_be_written_exactly_is_refused() {
        let refused = |value: &Value| {
            serde_json::to_string(value)
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(refused(&Value::UNKNOWN), "the value is not known yet");
        let wide: Number = "0.12345678901234567890123".parse().expect("a number");
        assert_eq!(
            refused(&Value::list(vec![wide.into()])),
            "the number has more digits than can be written"
        );
    }
}
