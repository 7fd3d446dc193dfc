//! Names in place of ids, durations, times, places and source lines in the output of a stack program: one list for all snapshots.

/// The text with ids, durations, times, places and source lines replaced.
pub fn filtered(text: &str, directory: &str) -> String {
    let text = text.replace(directory, "<dir>");
    let text = replaced(&text, "<time>", timestamp);
    let text = replaced(&text, "<uuid>", uuid);
    let text = replaced(&text, "<host>", host);
    let text = replaced(&text, "-<id>", hex_id);
    let text = replaced(&text, "<line>", line);
    replaced(&text, "<n>s", seconds)
}

/// Replaces whatever `find` recognises at a place by `name`; `find` returns the length.
fn replaced(text: &str, name: &str, find: fn(&str, &str) -> Option<usize>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (before, rest) = text.split_at(at);
        if let Some(length) = find(before, rest) {
            result.push_str(name);
            at += length;
        } else {
            let character = rest.chars().next().map_or(1, char::len_utf8);
            result.push_str(&rest[..character]);
            at += character;
        }
    }
    result
}

/// Matches `9` with digits and `f` with hexadecimal digits, everything else with itself.
fn shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, like)| match like {
                b'9' => byte.is_ascii_digit(),
                b'f' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                like => byte == like,
            })
}

/// `2026-11-24T00:57:37.60717077Z`
fn timestamp(_: &str, rest: &str) -> Option<usize> {
    const SECONDS: &str = "9999-99-99T99:99:99";
    if !shape(rest, SECONDS) {
        return None;
    }
    let fraction = rest[SECONDS.len()..].find('Z')?;
    Some(SECONDS.len() + fraction + 1)
}

/// The number of a source line: it moves with whatever stands above it.
fn line(before: &str, rest: &str) -> Option<usize> {
    if !before.ends_with(".rs:") {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(digits)
}

/// The name of this machine, behind that of the user.
fn host(before: &str, rest: &str) -> Option<usize> {
    // Asked first: a name is looked for to its end, and a long text may be one.
    if !before.ends_with("tester@") {
        return None;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let name = rest[..length].trim_end_matches('.');
    (!name.is_empty()).then_some(name.len())
}

fn uuid(_: &str, rest: &str) -> Option<usize> {
    const UUID: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    shape(rest, UUID).then_some(UUID.len())
}

/// The end of an id of the conformance provider: `-1a2b3c4d`.
fn hex_id(_: &str, rest: &str) -> Option<usize> {
    const ID: &str = "-ffffffff";
    let ends = rest.as_bytes().get(ID.len());
    let whole = !ends.is_some_and(u8::is_ascii_alphanumeric);
    (shape(rest, ID) && whole).then_some(ID.len())
}

/// Seconds, and minutes, after a word that says that they are a duration.
fn seconds(before: &str, rest: &str) -> Option<usize> {
    let words = [" in ", " after ", "Took ", " at most "];
    if !words.iter().any(|word| before.ends_with(word)) {
        return None;
    }
    if shape(rest, "9m99s") {
        return Some("9m99s".len());
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && rest[digits..].starts_with('s')).then_some(digits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_run_to_run_is_replaced() {
        let text = "one-1a2b3c4d in 12s at 2026-11-24T00:57:37.6Z, at most 1m59s, by tester@a-1.b. child-a-00000000: 3s left in /tmp/x";
        assert_eq!(
            filtered(text, "/tmp/x"),
            "one-<id> in <n>s at <time>, at most <n>s, by tester@<host>. child-a-<id>: 3s left in <dir>"
        );
    }
}
