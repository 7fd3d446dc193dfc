//! Texts of others inside Markdown: they stand in code, where nothing in them means anything.

use crate::view::printable::shortened;

/// A text in a code span, and at most that many characters of it.
pub(super) fn code(text: &str, most: usize) -> String {
    let text = shortened(text, most).replace(['\n', '\r'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space on either side is taken off by every reader; without it a backtick at an end would be a part of the fence.
    let pad = match text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() {
        true => " ",
        false => "",
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The same in a cell of a table, where a bar ends a cell even in code.
pub(super) fn cell(text: &str, most: usize) -> String {
    code(text, most).replace('|', "\\|")
}

/// A text in HTML.
pub(super) fn html(text: &str, most: usize) -> String {
    shortened(text, most)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Lines in a fenced block of that language.
pub(super) fn fenced(language: &str, lines: &str) -> String {
    let fence = "`".repeat(longest_run(lines).max(2) + 1);
    format!(
        "{fence}{language}\n{}\n{fence}\n",
        lines.trim_end_matches('\n')
    )
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|character| character != '`');
    runs.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_any_text() {
        assert_eq!(code("plain", 9), "`plain`");
        assert_eq!(code("a`b``c", 9), "```a`b``c```");
        assert_eq!(code("`", 9), "`` ` ``");
        assert_eq!(cell("a|b", 9), "`a\\|b`");
        assert_eq!(html("</details>&\"", 20), "&lt;/details&gt;&amp;&quot;");
        assert_eq!(fenced("diff", "+ ````\n"), "`````diff\n+ ````\n`````\n");
    }
}
