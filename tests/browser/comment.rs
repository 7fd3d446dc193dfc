//! The comment of `--markdown`, as a forge renders it.

use std::path::PathBuf;

use pulldown_cmark::{Options, Parser, html};

use super::{browser, stack};

/// The comment of a preview, rendered as GitHub's Markdown is.
fn comment(count: usize, arguments: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let stack = stack(count);
    if !arguments.is_empty() {
        stack.run(&["up", "--yes"]).exits(0);
    }
    let all = [&["preview", "--markdown", "comment.md"], arguments].concat();
    stack.run(&all).exits(0);
    let text = std::fs::read_to_string(stack.path().join("comment.md")).expect("a comment");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("comment.html");
    let mut page = String::from(
        "<!DOCTYPE html><meta charset=utf-8><style>body { font: 14px sans-serif; max-width: 60rem } \
         td, th { border: 1px solid #ccc; padding: 4px } table { border-collapse: collapse }</style><body>",
    );
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM;
    html::push_html(&mut page, Parser::new_ext(&text, options));
    std::fs::write(&file, page).expect("a file");
    (folder, file)
}

#[test]
fn the_comment_of_a_pull_request_unfolds_to_diffs_and_hostile_names_stay_text() {
    let Some(mut browser) = browser() else { return };
    let hostile = "cidr=</code></summary></details>```|<script>document.title='hacked'</script>@everyone\n# heading";
    for (count, arguments, name) in [
        (
            5,
            ["--var", "base=two", "--var", hostile].as_slice(),
            "comment-5",
        ),
        (500, &["--var", "base=two"], "comment-500"),
        (5_000, &[], "comment-5000"),
    ] {
        let (_folder, file) = comment(count, arguments);
        browser.open(&file, true);
        browser.holds("document.querySelector('h3').textContent.startsWith('test ')");
        browser.holds("!document.querySelector('h1, h2, script, img, a')");
        browser.holds("document.title === ''");
        // All of it stands at the top level: no fold or fence holds what comes after it.
        browser.holds("[...document.querySelectorAll('table, details, sub')].every(it => it.closest('body > *') === it || it.parentElement.matches('body > p'))");
        browser.holds("document.querySelectorAll('tr').length > 4");
        browser.picture(name);
        browser.click("details > summary");
        browser.holds("document.querySelector('details').open && document.querySelector('details pre').checkVisibility()");
        assert_eq!(browser.faults(), [""; 0]);
    }
}
