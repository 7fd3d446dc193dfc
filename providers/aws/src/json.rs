//! JSON documents in the form that AWS keeps: members in alphabetical order, no spaces, one entry instead of a list of one.

use serde_json::{Map, Value};

/// The text of a document.
pub(crate) fn text(document: &Value) -> String {
    let text = document.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    // The provider writes JSON with Go, which escapes characters that could end a script element.
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// One text as it is, several as a list.
#[cfg(feature = "iam")]
pub(crate) fn one_or_more(mut texts: Vec<Value>) -> Value {
    if texts.len() == 1 {
        texts.swap_remove(0)
    } else {
        Value::Array(texts)
    }
}

/// An object with those members.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_in_order_and_text_is_escaped_as_go_does() {
        let document = object([("b", "a<b&c".into()), ("a", true.into())]);
        assert_eq!(text(&document), r#"{"a":true,"b":"a\u003cb\u0026c"}"#);
    }
}
