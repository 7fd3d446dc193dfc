//! Newlines that HCL does not see: those between brackets, which the parser of `hcl-edit` refuses inside of conditions.

/// What a text is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// `(`, `[` or `{ for`: a newline says nothing.
    Brackets,
    /// An object or a block, whose members a newline separates.
    Members,
    /// `"…"`.
    Quotes,
}

/// The text with a space for each newline that says nothing, and for each byte of a comment there. All else stays where it is.
pub(crate) fn joined(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut made = bytes.to_vec();
    let mut inside: Vec<Inside> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if inside.last() == Some(&Inside::Quotes) {
            match rest {
                [b'\\', ..] => at += 1,
                [b'$' | b'%', b'$' | b'%', b'{', ..] => at += 2,
                [b'$' | b'%', b'{', ..] => {
                    inside.push(Inside::Members);
                    at += 1;
                }
                [b'"', ..] => {
                    inside.pop();
                }
                _ => {}
            }
            at += 1;
            continue;
        }
        let joins = inside.last() == Some(&Inside::Brackets);
        let mut length = 1;
        match rest {
            [b'"', ..] => inside.push(Inside::Quotes),
            [b'(' | b'[', ..] => inside.push(Inside::Brackets),
            [b'{', after @ ..] => inside.push(match begins_loop(after) {
                true => Inside::Brackets,
                false => Inside::Members,
            }),
            [b')' | b']' | b'}', ..] => {
                inside.pop();
            }
            [b'\n' | b'\r', ..] if joins => made[at] = b' ',
            [b'#', ..] | [b'/', b'/', ..] => {
                length = until(rest, b"\n");
                if joins {
                    made[at..at + length].fill(b' ');
                }
            }
            [b'/', b'*', ..] => {
                length = until(rest, b"*/") + 2;
                let end = (at + length).min(bytes.len());
                if joins {
                    made[at..end].fill(b' ');
                }
            }
            [b'<', b'<', ..] => length = heredoc(rest),
            _ => {}
        }
        at += length;
    }
    // Whole characters were replaced by spaces, or nothing was.
    String::from_utf8(made).unwrap_or_else(|_| text.to_owned())
}

fn begins_loop(after: &[u8]) -> bool {
    let word = after.trim_ascii_start();
    word.starts_with(b"for") && word.get(3).is_some_and(u8::is_ascii_whitespace)
}

/// How many bytes there are before the word.
fn until(text: &[u8], word: &[u8]) -> usize {
    let found = text.windows(word.len()).position(|here| here == word);
    found.unwrap_or(text.len())
}

/// The length of a heredoc up to the newline after its last line, or of `<<` where none begins.
fn heredoc(text: &[u8]) -> usize {
    let first = until(text, b"\n");
    let opening = text[2..first].trim_ascii();
    let name = opening.strip_prefix(b"-").unwrap_or(opening);
    if name.is_empty()
        || !name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    {
        return 2;
    }
    let mut at = first;
    while at < text.len() {
        let line = at + 1;
        let Some(rest) = text.get(line..) else { break };
        let length = until(rest, b"\n");
        if rest[..length].trim_ascii() == name {
            // Its newline ends it, whatever is around.
            return (line + length + 1).min(text.len());
        }
        at = line + length;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newlines_between_brackets_become_spaces_and_nothing_moves() {
        let text = "a = { for k in x : k => k == 1 ? [\n1] : # why\n 2\n}\nb = {\n c = 1\n}\n";
        let made = joined(text);
        assert_eq!(made.len(), text.len());
        assert_eq!(
            made,
            "a = { for k in x : k => k == 1 ? [ 1] :        2 }\nb = {\n c = 1\n}\n"
        );
        hcl_edit::parser::parse_body(&made).expect("it is read");
    }

    #[test]
    fn texts_heredocs_and_objects_keep_their_newlines() {
        for text in [
            "a = (\"(\" == \"${f(\"[\")}\") ? {\n b = 1\n} : 2\n",
            "a = [<<-EOT\n  (x\n  # no comment\n  EOT\n, 1]\n",
            "block {\n # (\n a = 1 /* [ */\n b = 2\n}\n",
            "a = \"$${x(\"\nb = 1\n",
            "a = f({\n b = 1\n c = 2\n})\n",
        ] {
            assert_eq!(joined(text), text);
        }
    }

    #[test]
    fn an_unfinished_text_is_no_reason_to_stop() {
        for text in [
            "a = <<",
            "a = <<EOT\nx",
            "/* x",
            "a = \"${",
            "# é",
            "(é\n// é\n",
            "))))",
            "\\",
        ] {
            assert_eq!(joined(text).len(), text.len());
        }
    }
}
