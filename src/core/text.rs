//! Text as cty and Go treat it: in normal form C, and printable or not.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
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

/// Whether Go's `unicode.IsPrint` prints a character as it is: a letter, mark, number, punctuation or symbol of Unicode 15.0, or a space.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library keeps that table for `escape_debug`, which escapes a mark only where nothing precedes it.
    let mut buffer = [b'a'; 5];
    let end = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..end]);
    text.is_ok_and(|text| text.escape_debug().nth(1) == Some(c)) && !is_younger(c)
}

/// Whether a printable character came to Unicode after 15.0, which Go has had from 1.21 on.
fn is_younger(c: char) -> bool {
    let code = u32::from(c);
    let at = YOUNGER.partition_point(|range| *range.end() < code);
    YOUNGER.get(at).is_some_and(|range| range.contains(&code))
}

/// Printable characters of Unicode 15.1 to 17.0.
#[rustfmt::skip]
const YOUNGER: [RangeInclusive<u32>; 90] = [
    0x88f..=0x88f, 0x897..=0x897, 0xc5c..=0xc5c, 0xcdc..=0xcdc, 0x1acf..=0x1add, 0x1ae0..=0x1aeb, 0x1b4e..=0x1b4f, 0x1b7f..=0x1b7f,
    0x1c89..=0x1c8a, 0x20c1..=0x20c1, 0x2427..=0x2429, 0x2b96..=0x2b96, 0x2ffc..=0x2fff, 0x31e4..=0x31e5, 0x31ef..=0x31ef,
    0xa7cb..=0xa7cf, 0xa7d2..=0xa7d2, 0xa7d4..=0xa7d4, 0xa7da..=0xa7dc, 0xa7f1..=0xa7f1, 0xfbc3..=0xfbd2, 0xfd90..=0xfd91,
    0xfdc8..=0xfdce, 0x105c0..=0x105f3, 0x10940..=0x10959, 0x10d40..=0x10d65, 0x10d69..=0x10d85, 0x10d8e..=0x10d8f, 0x10ec2..=0x10ec7,
    0x10ed0..=0x10ed8, 0x10efa..=0x10efc, 0x11380..=0x11389, 0x1138b..=0x1138b, 0x1138e..=0x1138e, 0x11390..=0x113b5, 0x113b7..=0x113c0,
    0x113c2..=0x113c2, 0x113c5..=0x113c5, 0x113c7..=0x113ca, 0x113cc..=0x113d5, 0x113d7..=0x113d8, 0x113e1..=0x113e2, 0x116d0..=0x116e3,
    0x11b60..=0x11b67, 0x11bc0..=0x11be1, 0x11bf0..=0x11bf9, 0x11db0..=0x11ddb, 0x11de0..=0x11de9, 0x11f5a..=0x11f5a, 0x13460..=0x143fa,
    0x16100..=0x16139, 0x16d40..=0x16d79, 0x16ea0..=0x16eb8, 0x16ebb..=0x16ed3, 0x16ff2..=0x16ff6, 0x187f8..=0x187ff, 0x18cff..=0x18cff,
    0x18d09..=0x18d1e, 0x18d80..=0x18df2, 0x1cc00..=0x1ccfc, 0x1cd00..=0x1ceb3, 0x1ceba..=0x1ced0, 0x1cee0..=0x1cef0, 0x1e5d0..=0x1e5fa,
    0x1e5ff..=0x1e5ff, 0x1e6c0..=0x1e6de, 0x1e6e0..=0x1e6f5, 0x1e6fe..=0x1e6ff, 0x1f6d8..=0x1f6d8, 0x1f777..=0x1f77a, 0x1f8b2..=0x1f8bb,
    0x1f8c0..=0x1f8c1, 0x1f8d0..=0x1f8d8, 0x1fa54..=0x1fa57, 0x1fa89..=0x1fa8a, 0x1fa8e..=0x1fa8f, 0x1fabe..=0x1fabe, 0x1fac6..=0x1fac6,
    0x1fac8..=0x1fac8, 0x1facd..=0x1facd, 0x1fadc..=0x1fadc, 0x1fadf..=0x1fadf, 0x1fae9..=0x1faea, 0x1faef..=0x1faef, 0x1fbcb..=0x1fbef,
    0x1fbfa..=0x1fbfa, 0x2b73a..=0x2b73f, 0x2cea2..=0x2cead, 0x2ebf0..=0x2ee5d, 0x323b0..=0x33479,
];

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

    /// Counted with Go 1.26. A later standard library that knows more characters needs them in the table above.
    #[test]
    fn as_many_characters_are_printable_as_go_prints() {
        let count = |is: fn(char) -> bool| ('\0'..=char::MAX).filter(|c| is(*c)).count();
        assert_eq!(count(is_printable), 148_998);
        assert_eq!(count(is_younger), 10_615);
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
            '\u{1fae9}',
        ] {
            assert!(!is_printable(c), "{c:?}");
        }
    }
}
