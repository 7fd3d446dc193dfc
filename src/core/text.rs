//! Text as cty and Go treat it: in normal form C, and printable or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// The text in Unicode normalisation form C, as every text and every key is; text that already is so is not copied.
pub fn nfc<T: AsRef<str> + Into<Arc<str>>>(text: T) -> Arc<str> {
    match is_nfc(text.as_ref()) {
        true => text.into(),
        false => text.as_ref().nfc().collect::<String>().into(),
    }
}

/// Whether the text is in normal form C, as far as that is seen without composing it.
fn is_nfc(text: &str) -> bool {
    // Nearly everything is ASCII, which needs no look into any table.
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Members by their names in normal form.
///
/// Where two names are one in that form, one of them stays as it was written: nothing is lost without a word, for conversion refuses it
/// with its path, see [`Value::repeated_key`](crate::Value::repeated_key).
pub(crate) fn by_name<T>(members: BTreeMap<Arc<str>, T>) -> BTreeMap<Arc<str>, T> {
    if members.keys().all(|name| is_nfc(name)) {
        return members;
    }
    let (mut named, others): (BTreeMap<_, _>, Vec<_>) = {
        let (normal, others): (Vec<_>, Vec<_>) =
            (members.into_iter()).partition(|(name, _)| nfc(name.clone()) == *name);
        (normal.into_iter().collect(), others)
    };
    for (written, member) in others {
        let name = nfc(written.clone());
        let name = if named.contains_key(&name) {
            written
        } else {
            name
        };
        named.insert(name, member);
    }
    named
}

/// Whether a character is a letter, mark, number, punctuation, symbol or space: what Go's `unicode.IsPrint` prints as it is.
///
/// Characters that are younger than Go's tables count as printable here and not there; both forms are read as the same text.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library keeps that table for `escape_debug`, which escapes a mark only where nothing precedes it.
    let mut buffer = [b'a'; 5];
    let end = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..end]);
    text.is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_composed_and_text_in_normal_form_is_not_copied() {
        assert_eq!(&*nfc("e\u{301}x"), "\u{e9}x");
        assert_eq!(&*nfc("a".to_owned()), "a");
        for text in ["plain", "\u{e9}x", "東京"] {
            let key: Arc<str> = text.into();
            assert!(Arc::ptr_eq(&nfc(key.clone()), &key), "{text}");
        }
    }

    #[test]
    fn marks_and_letters_are_printable_and_spaces_controls_and_formats_are_not() {
        for c in ['a', ' ', '~', 'é', '東', '\u{301}', '\u{fffd}', '🙂'] {
            assert!(is_printable(c), "{c:?}");
        }
        for c in [
            '\u{7f}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{2028}',
            '\u{3000}',
            '\u{378}',
            '\u{e000}',
            '\u{e0041}',
        ] {
            assert!(!is_printable(c), "{c:?}");
        }
    }
}
