//! The page of `--html`.

use std::path::PathBuf;

use terrane_tests::TestEnvironment;

use super::chromium::Chromium;
use super::{browser, stack};

/// The page of a preview.
fn page(stack: &TestEnvironment, arguments: &[&str]) -> PathBuf {
    let all = [&["preview", "--html", "plan.html"], arguments].concat();
    stack.run(&all).exits(0);
    stack.path().join("plan.html")
}

/// How many changes are shown.
const SHOWN: &str =
    "[...document.querySelectorAll('#changes .change')].filter(it => !it.hidden).length";
const FOCUS: &str = "document.activeElement.closest('li').querySelector('.name').textContent";

/// What a reader does with the page of a plan with that many changes.
#[track_caller]
fn read(browser: &mut Chromium, count: u64) {
    browser.holds("document.querySelector('h1').textContent === 'test'");
    assert_eq!(
        browser.count("document.querySelectorAll('#changes .change').length"),
        count
    );

    // The filter.
    browser.press("/");
    browser.holds("document.activeElement.matches('.filter input')");
    browser.write("thing-2 10.0");
    let found = browser.count(SHOWN);
    assert!(found > 0 && found < count, "{found}");
    let said = browser.eval("document.querySelector('.filter [role=status]').textContent");
    assert_eq!(said, format!("{found} of {count} changes"));
    browser.holds("!document.querySelector('#changes .module:not([hidden]) > details').checkVisibility() || document.querySelector('#changes .module:not([hidden]) > details').open");
    browser.press("Escape");
    assert_eq!(browser.count(SHOWN), count);

    // A change unfolds, and shows its diff.
    browser.press("/");
    browser.write("thing-2");
    browser.press("Enter");
    browser.holds("document.activeElement.closest('details').open");
    browser.holds(
        "document.activeElement.closest('details').querySelector('.diff').checkVisibility()",
    );
    browser.holds("document.activeElement.closest('li').classList.contains('selected')");
    browser.press("Escape");

    // Keys: to the first line, down, into it and out of it again.
    browser.press("/");
    browser.press("ArrowDown");
    browser.press("Home");
    assert_eq!(browser.eval(FOCUS), "terraform_data.base");
    browser.holds("document.activeElement.getAttribute('role') === 'treeitem'");
    browser.holds("getComputedStyle(document.activeElement).outlineStyle === 'solid'");
    browser.press("ArrowRight");
    browser.holds("document.querySelector('#c0').open && document.activeElement.getAttribute('aria-expanded') === 'true'");
    browser.press("ArrowDown");
    assert_eq!(browser.eval(FOCUS), "module.part0");
    browser.press("ArrowLeft");
    browser.holds("!document.activeElement.parentElement.open");
    browser.press("ArrowRight");
    browser.press("ArrowDown");
    assert_eq!(browser.eval(FOCUS), "terraform_data.thing0");
    browser.press("ArrowLeft");
    assert_eq!(browser.eval(FOCUS), "module.part0");
    browser.press("Home");
    browser.press("ArrowLeft");
    browser.holds("!document.querySelector('#c0').open");
    browser.holds("document.querySelectorAll('.tree [tabindex=\"0\"]').length === document.querySelectorAll('.tree').length");

    // A change lights what it needs and what needs it: `thing0` needs `base`, and `thing1` needs `thing0`.
    browser.click("#c1 > summary");
    browser.holds("document.querySelector('#c1').open");
    browser.holds("document.querySelector('#c0').parentElement.classList.contains('upstream')");
    browser.holds("document.querySelector('#c2').parentElement.classList.contains('downstream')");
    browser.holds("document.querySelector('#graph .chosen')");
    browser.holds("document.querySelector('#c1 .neighbours a').getAttribute('href') === '#c0'");

    // A node opens its change: here the base, among the neighbours.
    browser.click(".tools button:nth-of-type(2)");
    browser.holds("document.querySelectorAll('#graph .node').length >= 3");
    browser.click("#graph a.node[href='#c0']");
    browser.holds("document.querySelector('#c0').open");
    browser.holds("document.querySelector('#c0').parentElement.classList.contains('selected')");
    browser.holds("document.querySelector('#c1').parentElement.classList.contains('downstream')");
    browser.press("Escape");
    browser.holds("!document.querySelector('.selected, .upstream, .downstream')");
    assert_eq!(browser.faults(), [""; 0]);
}

#[test]
fn five_changes_are_read_by_mouse_and_by_keys_and_by_a_browser_that_runs_no_script() {
    let Some(mut browser) = browser() else { return };
    let stack = stack(5);
    let file = page(&stack, &[]);
    browser.open(&file, true);
    browser.picture("5-light");
    // The graph has the first change in it, and opens it.
    browser.click("#graph a.node[href='#c2']");
    browser.holds("document.querySelector('#c2').open");
    browser.picture("5-selected");
    browser.press("Escape");
    browser.click("#c2 > summary");
    read(&mut browser, 5);

    // Without a script: everything can be read, nothing promises more.
    browser.open(&file, false);
    browser.holds("!document.querySelector('button, input')");
    browser.holds("document.querySelector('#c1 > summary').checkVisibility()");
    browser.click("#c1 > summary");
    browser.holds("document.querySelector('#c1 .diff').checkVisibility()");
    browser.holds("document.querySelector('#graph svg').checkVisibility()");
    assert_eq!(browser.faults(), [""; 0]);
    browser.picture("5-no-script");
}

#[test]
fn five_hundred_changes_show_losses_and_causes_dark_and_on_paper_too() {
    let Some(mut browser) = browser() else { return };
    let stack = stack(500);
    stack.run(&["up", "--yes"]).exits(0);
    let file = page(&stack, &["--var", "base=two", "--var", "cidr=10.9.0.0/16"]);
    browser.open(&file, true);
    browser.picture("500-light");
    browser.holds(
        "document.querySelector('.losses h2').textContent === '51 existing objects are destroyed'",
    );
    browser.holds("document.querySelectorAll('.losses li').length === 51");
    browser.holds(
        "/← terraform_data.base is replaced/.test(document.querySelector('.losses').textContent)",
    );
    browser.click(".losses .why a");
    browser.holds("document.querySelector('#c0').open && document.querySelector('#c0').parentElement.classList.contains('selected')");
    browser.holds("/forces replacement/.test(document.querySelector('#c0 .diff').textContent)");
    browser.picture("500-selected");
    browser.press("Escape");
    browser.click("#c0 > summary");
    read(&mut browser, 500);

    browser.media("screen", "dark");
    browser.holds("getComputedStyle(document.body).backgroundColor === 'rgb(14, 18, 24)'");
    browser.eval("scrollTo(0, 0)");
    browser.picture("500-dark");
    // On paper everything is unfolded and on white, and nothing is there to be clicked.
    browser.media("print", "dark");
    browser.holds("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'");
    browser.holds("!document.querySelector('.filter').checkVisibility()");
    browser.holds("document.querySelector('#c7 .diff').checkVisibility()");
    browser.picture("500-print");
    browser.media("screen", "light");
    assert_eq!(browser.faults(), [""; 0]);
}

#[test]
fn five_thousand_changes_are_read_like_five() {
    let Some(mut browser) = browser() else { return };
    let stack = stack(5_000);
    let file = page(&stack, &[]);
    browser.open(&file, true);
    browser.picture("5000-light");
    read(&mut browser, 5_000);
    browser.picture("5000-read");
}

#[test]
fn hostile_texts_are_texts() {
    let Some(mut browser) = browser() else { return };
    let stack = stack(5);
    let hostile = "</script></details></pre><script>document.title='hacked'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>\u{202e}\u{7}\u{2028}&amp;";
    let long = "x".repeat(1 << 20);
    let file = page(
        &stack,
        &[
            "--var",
            &format!("cidr=10.0{hostile}"),
            "--var",
            &format!("base={hostile}{}", &long[..100_000]),
        ],
    );
    browser.open(&file, true);
    browser.holds("document.title.startsWith('test: +5')");
    browser.holds(
        "document.querySelectorAll('script').length === 2 && !document.querySelector('img')",
    );
    browser.holds("document.querySelector('#c0 .diff').textContent.includes(\"</script></details></pre><script>\")");
    browser.holds("document.querySelector('#c0 .diff').textContent.includes('\\\\u{202e}\\\\u{7}\\\\u{2028}&amp;')");
    browser.holds("!/[\\u202e\\u0007\\u2028]/.test(document.body.textContent)");
    browser.holds("document.body.textContent.length < 200000");
    // The page is whole: its last part is where it belongs.
    browser.holds(
        "document.querySelector('main > footer') && document.querySelector('body > script')",
    );
    read(&mut browser, 5);
}
