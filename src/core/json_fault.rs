//! The fault of a JSON text, without showing any of it: it may hold secrets.

use serde_json::error::Category;

/// Kind and place of an error: `invalid type, expected a string at line 3 column 7`.
pub fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    let kind = match error.classify() {
        Category::Eof => "it ends too early".to_owned(),
        Category::Io => "it cannot be read".to_owned(),
        // These texts are serde_json's own.
        Category::Syntax => text.to_owned(),
        // The text that was found comes before the last comma, the expectation (our own words) after it.
        Category::Data => match text.rsplit_once(", expected ") {
            Some((found, expected)) => {
                let kind = found.split([':', '`']).next().unwrap_or_default();
                format!("{}, expected {expected}", kind.trim_end())
            }
            None if text.starts_with("missing field `") => text.to_owned(),
            None => "a value does not fit".to_owned(),
        },
    };
    format!("{kind} at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Form {
        number: u64,
        colour: Colour,
    }

    #[test]
    fn kind_and_place_are_said_and_no_content() {
        let faults = [
            r#"{"number": "hunter2, expected nothing"}"#,
            r#"{"number": 1, "colour": "hunter2"}"#,
            r#"{"number": 1}"#,
            r#"{"number": 1, "hunter2"#,
            "{\n \"number\": hunter2}",
        ];
        let said = faults.map(|text| {
            let error = serde_json::from_str::<Form>(text).expect_err("no form");
            json_fault(&error)
        });
        insta::assert_snapshot!(said.join("\n"), @r"
        invalid type, expected u64 at line 1 column 38
        unknown variant, expected `Red` at line 1 column 33
        missing field `colour` at line 1 column 13
        it ends too early at line 1 column 22
        expected value at line 2 column 12
        ");
    }
}
