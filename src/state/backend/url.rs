//! URLs of backends: nothing of the text is dropped or decoded twice.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// What stands for itself in the path and the options of an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b',')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=');

/// The URL that a text is. Refuses text that a URL would drop silently: the address would then be that of another state.
///
/// # Errors
/// Why it is none.
pub fn address_url(text: &str) -> Result<Url, String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let is_dots = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    };
    let reason = if text.contains(char::is_control) || text.trim_matches(' ') != text {
        "it holds control characters, or a space at an end: write them as `%` and two digits"
    } else if text.contains('#') {
        "it has a fragment: write `#` as `%23`"
    } else if path.split('/').any(is_dots) {
        "it has a segment `.` or `..`"
    } else {
        return Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"));
    };
    Err(format!("`{text}` is not an address of a state: {reason}"))
}

/// The options behind the `?` of an address, decoded, in their order. A `+` is a `+`.
///
/// # Errors
/// The option that has no value or is not encoded as it must be, and the reason.
pub fn url_options(url: &Url) -> Result<Vec<(String, String)>, (String, &'static str)> {
    let pairs = url.query().unwrap_or_default().split('&');
    let options = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let (option, value) = pair
            .split_once('=')
            .ok_or_else(|| (pair.to_owned(), "it has no value"))?;
        let value = url_decode(value).map_err(|reason| (option.to_owned(), reason))?;
        Ok((option.to_owned(), value))
    });
    options.collect()
}

/// The text that a part of an address stands for.
///
/// # Errors
/// Why it stands for none.
pub fn url_decode(text: &str) -> Result<String, &'static str> {
    let is_escape = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let decoded = percent_decode_str(text).decode_utf8();
    match (text.split('%').skip(1).all(is_escape), decoded) {
        (true, Ok(decoded)) => Ok(decoded.into_owned()),
        _ => Err("a `%` is followed by two hexadecimal digits"),
    }
}

/// The same text as a part of an address.
pub fn url_encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(path in "[^./][^/]*(/[^./][^/]*){0,3}", value in any::<String>()) {
            let text = format!("x://host/{}?option={}", url_encode(&path), url_encode(&value));
            let url = address_url(&text).expect("a URL");
            prop_assert_eq!(url_decode(&url.path()[1..]), Ok(path));
            prop_assert_eq!(url_options(&url), Ok(vec![("option".to_owned(), value)]));
        }
    }

    #[test]
    fn what_a_url_would_leave_out_is_refused() {
        let refusal = |text: &str| address_url(text).expect_err("refused");
        insta::assert_snapshot!(refusal("s3://b/a/../k"), @"`s3://b/a/../k` is not an address of a state: it has a segment `.` or `..`");
        insta::assert_snapshot!(refusal("s3://b/%2E/k"), @"`s3://b/%2E/k` is not an address of a state: it has a segment `.` or `..`");
        insta::assert_snapshot!(refusal("s3://b/k#1"), @"`s3://b/k#1` is not an address of a state: it has a fragment: write `#` as `%23`");
        insta::assert_snapshot!(refusal("s3://b/k "), @"`s3://b/k ` is not an address of a state: it holds control characters, or a space at an end: write them as `%` and two digits");
    }
}
