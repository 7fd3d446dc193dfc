//! Names, values and messages that attack whoever reads them: harmless in every format.
//!
//! **A new format** needs its entry in `RULES`; **a new attack** is one in `ATTACKS`.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser};
use terrane_cli::Rendering;
use terrane_core::{Expr, Lifecycle, Output, Resource, Stack};

use super::Played;
use super::readable::without_escapes;
use super::types::world;

/// Texts that somebody obeys.
const ATTACKS: &[&str] = &[
    // Terminals: the screen, the title, colours, the cursor, a link.
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\u{7f}",
    "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    // Eyes: text that is read in another order than it has, and text that is not seen.
    "user\u{202e}nimda\u{2066}x\u{2069}\u{200f}\u{200b}\u{feff}\u{e0041}",
    // The jobs of a CI.
    "a\n::set-output name=x::y\n  ::error file=a::b\n::stop-commands::t\n##[error]q",
    // Pages.
    "</code></details></td></svg></script><script>alert(1)</script><img src=x onerror=alert(1)><!--",
    "\" onmouseover=\"alert(1)\" ' onfocus='alert(1)",
    // Markdown.
    "```\n# big\n````\n| a | b |\n[x](javascript:alert(1)) ![y](https://evil.example/p.png) ~~~\n\n`` ` `` @everyone",
    // Graphs.
    "\"]; evil [label=\"x\"]; }\n%%{init: {}}%%\nclick n0 href \"https://evil.example\"\nend",
    // Shells, in commands that are to be pasted.
    "'; reboot #$(reboot)`reboot`\n!!",
];

/// What a format of its own must not let through, beside what none may; `None` for a format without rules of its own.
type Rule = fn(&str) -> Option<String>;

const RULES: &[(&str, Rule)] = &[
    ("text", |_| None),
    ("details", |_| None),
    ("terminal", |_| None),
    ("annotations", only_annotations),
    ("json", json_lines),
    ("summary-json", json_lines),
    ("graph-json", json_lines),
    ("markdown", markdown),
    ("html", page),
    ("svg", page),
    ("dot", |text| {
        text.contains("\n%%{").then(|| "a directive".to_owned())
    }),
    ("mermaid", mermaid),
];

#[test]
fn hostile_text_is_harmless_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for attack in ATTACKS {
        for played in attacked(attack) {
            let scene = played.scene();
            for format in Rendering::all() {
                let rule = RULES.iter().find(|(name, _)| *name == format.name);
                let (_, rule) = rule.unwrap_or_else(|| panic!("`{}` has no rule", format.name));
                let shown = format.plan(&scene, folder.path()).expect("it is written");
                let told = format.run(&scene, folder.path()).expect("it is written");
                for text in [shown].into_iter().chain(told) {
                    let broken = obeyed(format.name, &text).or_else(|| rule(&text));
                    if let Some(broken) = broken {
                        panic!("{} of {attack:?}: {broken} in\n{text}", format.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_long_text_does_not_flood_what_people_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "x".repeat(1 << 20);
    let mut made = world();
    let run = made.preview(declare(&long, "one", 1, "a")).succeeds();
    let played = Played { world: made, run };
    let scene = played.scene();
    for format in Rendering::all() {
        let most = match format.name {
            "markdown" => 60_000,
            "summary-json" => 8 << 10,
            "text" | "details" | "annotations" | "html" => 1_000_000,
            "svg" | "dot" | "mermaid" => 100_000,
            // Programs read all of it; rows of a terminal depend on time.
            "json" | "graph-json" | "terminal" => continue,
            other => panic!("`{other}` has no bound"),
        };
        let shown = format.plan(&scene, folder.path()).expect("it is written");
        assert!(
            shown.len() <= most,
            "{}: {} bytes",
            format.name,
            shown.len()
        );
    }
}

/// A program with that text in every place that somebody else fills.
fn declare<'a>(
    attack: &'a str,
    tag: &'a str,
    size: i64,
    parent: &'a str,
) -> impl FnOnce(&mut Stack) + use<'a> {
    move |stack| {
        let network = stack.module_instance("m", attack, |stack| {
            Resource::dynamic("test_network", "main")
                .instance_key(attack)
                .set("name", format!("n{attack}"))
                .set("cidr_block", format!("{parent}{attack}"))
                .set("tags", BTreeMap::from([(attack, tag)]))
                .declare(stack)
        });
        Resource::dynamic("test_policy", "p")
            .instance_key(attack)
            .set("name", "policy")
            .set("script", format!("first\n{attack}\n{tag}"))
            .set("document", document(attack, tag))
            .declare(stack);
        Resource::dynamic("test_database", "d")
            .set("name", network.attribute::<String>("id"))
            .set("size", size)
            .set("url", format!("{attack}{size}"))
            .lifecycle(Lifecycle::new().create_before_destroy())
            .declare(stack);
        let plain = Expr::Literal(format!("{attack}{tag}").into());
        stack.export("plain", Output::<String>::new(plain));
        stack.export("id", network.attribute::<String>("id"));
    }
}

/// Plans and runs with that text: created, changed, replaced, drifted, failed.
fn attacked(attack: &str) -> Vec<Played> {
    let mut made = world();
    let message = attack.to_owned();
    made.provider
        .on_create("policy", move |call| call.refuse(&message));
    let failed = made.up(declare(attack, "one", 1, "a")).fails();
    made.provider.reset();
    made.up(declare(attack, "one", 1, "a")).succeeds();
    made.provider
        .cloud
        .edit("policy", "script", format!("drifted {attack}"));
    let changed = made.up(declare(attack, "two", 2, "b")).succeeds();
    vec![
        Played {
            world: world(),
            run: failed,
        },
        Played {
            world: made,
            run: changed,
        },
    ]
}

fn document(attack: &str, tag: &str) -> String {
    serde_json::json!({ "Statement": [{ "Sid": attack, "Action": [attack, tag], attack: tag }] })
        .to_string()
}

/// What a terminal, an eye or a job of a CI would obey.
fn obeyed(format: &str, text: &str) -> Option<String> {
    let text = match format {
        // Its colours and rows are its own.
        "terminal" if text.contains("\u{1b}]") || text.contains("\u{1b}[2J") => {
            return Some("an escape sequence".to_owned());
        }
        "terminal" => &without_escapes(text).replace('\r', ""),
        _ => text,
    };
    let hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(c) = text
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t') || hidden(*c))
    {
        return Some(format!("the character {c:?}"));
    }
    let is_command = |line: &&str| line.trim_start().starts_with("::") && format != "annotations";
    let command = text.lines().find(is_command);
    let command = command.or_else(|| text.lines().find(|line| line.contains("##[")));
    command.map(|line| format!("the command {line:?}"))
}

fn only_annotations(text: &str) -> Option<String> {
    let ours = |line: &&str| !line.starts_with("::warning") && !line.starts_with("::error");
    text.lines()
        .find(ours)
        .map(|line| format!("the line {line:?}"))
}

fn json_lines(text: &str) -> Option<String> {
    let broken = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_err();
    text.lines()
        .find(broken)
        .map(|line| format!("no JSON: {line:?}"))
}

/// Of HTML only what the comment itself is made of, every fold closed; no link, no image.
fn markdown(text: &str) -> Option<String> {
    let mut folds = 0_i32;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        let html = match event {
            Event::Html(html) | Event::InlineHtml(html) => html,
            Event::Start(
                tag @ (pulldown_cmark::Tag::Link { .. } | pulldown_cmark::Tag::Image { .. }),
            ) => {
                return Some(format!("{tag:?}"));
            }
            _ => continue,
        };
        let own = [
            "details", "summary", "code", "sub", "br", "b", "table", "tr", "td", "th",
        ];
        for tag in html.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>', '/']).next();
            let is_comment = tag.starts_with("!-- terrane ");
            if !is_comment && !name.is_some_and(|name| own.contains(&name)) {
                return Some(format!("the element {tag:?}"));
            }
            folds += i32::from(tag.starts_with("details")) - i32::from(tag.starts_with("/details"));
        }
    }
    (folds != 0).then(|| format!("{folds} open folds"))
}

/// Nothing of the attack is an element or an attribute; attributes stand between double quotes.
fn page(text: &str) -> Option<String> {
    let pieces = [
        "<script>alert",
        "<img src=x",
        "</code></details>",
        "\" onmouseover=\"",
    ];
    let found = pieces.iter().find(|piece| text.contains(**piece));
    found.map(|piece| format!("{piece:?}"))
}

fn mermaid(text: &str) -> Option<String> {
    let pieces = ["%%{", "click n0"];
    let own = |line: &str| {
        pieces
            .iter()
            .any(|piece| line.trim_start().starts_with(piece))
    };
    text.lines()
        .find(|line| own(line))
        .map(|line| format!("the line {line:?}"))
}
