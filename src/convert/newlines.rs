//! The text as `hcl-edit` can read it: without newlines that HCL does not see, and without the `-` of heredocs.
//!
//! It refuses newlines between brackets inside of conditions. From the lines of `<<-` it takes more than the spaces that they share; the
//! [`literals`](crate::literals) are counted here instead.

/// What is done with newlines between brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newlines {
    /// They stay, and comments between them.
    Kept,
    /// A space stands for each, and for each byte of a comment there.
    Joined,
}

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

/// How many brackets and quotes may be around something: whoever reads it calls itself for each.
const DEEPEST: usize = 500;

/// The text with `<<` for `<<-`, a space before it. All stays where it is.
///
/// # Errors
/// With the place of a bracket that is inside of too many others.
pub(crate) fn readable(text: &str, newlines: Newlines) -> Result<String, usize> {
    let bytes = text.as_bytes();
    let mut made = bytes.to_vec();
    let mut inside: Vec<Inside> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if inside.len() > DEEPEST {
            return Err(at);
        }
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
        let joins = newlines == Newlines::Joined && inside.last() == Some(&Inside::Brackets);
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
            [b'<', b'<', after @ ..] => {
                length = heredoc(rest);
                if length > 2 && after.first() == Some(&b'-') {
                    made[at..at + 3].copy_from_slice(b" <<");
                }
            }
            _ => {}
        }
        at += length;
    }
    // Whole characters were replaced by spaces, or nothing was.
    Ok(String::from_utf8(made).unwrap_or_else(|_| text.to_owned()))
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
        let made = readable(text, Newlines::Joined).expect("it is not deep");
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
            "a = [<<EOT\n  (x\n  # no comment\n  EOT\n, 1]\n",
            "block {\n # (\n a = 1 /* [ */\n b = 2\n}\n",
            "a = \"$${x(\"\nb = 1\n",
            "a = f({\n b = 1\n c = 2\n})\n",
        ] {
            assert_eq!(readable(text, Newlines::Joined), Ok(text.to_owned()));
        }
    }

    #[test]
    fn the_dash_of_a_heredoc_goes_and_nothing_moves() {
        let text = "a = f(<<-EOT\n  <<-x\n  EOT\n)\nb = \"<<-x\n\" # <<-x\n";
        let made = text.replacen("<<-", " <<", 1);
        assert_eq!(readable(text, Newlines::Kept), Ok(made));
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
            let made = readable(text, Newlines::Joined).expect("it is not deep");
            assert_eq!(made.len(), text.len());
        }
    }
}
