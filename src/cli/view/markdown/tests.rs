use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
use terrane_core::policy::{PolicyFinding, PolicyReport};
use terrane_core::{Diagnostic, Marked, Value};
use terrane_engine::{Action, OutputChange, Reason, ResourceChange};
use terrane_state::Timestamp;

use super::size::{MOST, fitted};
use super::*;
use crate::view::outline::Details;
use crate::view::outline::samples::{change, object, outline, place, replaced};

fn made_at() -> Timestamp {
    "2026-11-28T15:00:00Z".parse().expect("a time")
}

fn title() -> layout::Title {
    layout::Title::of("prod")
}

/// The comment of these changes, as a command would write it.
fn comment(changes: &[ResourceChange], diagnostics: &[Diagnostic]) -> String {
    let outline = outline(changes, &[], Details::Folded);
    let saved = crate::view::SavedAs {
        file: "plan.bin".to_owned(),
        digest: "0123abcd".to_owned(),
        command: "prod-stack up plan.bin".to_owned(),
    };
    let parts = Parts::new(
        &outline,
        &layout::Facts {
            place: &place(),
            saved: Some(&saved),
            policies: &[],
            cost: None,
            serial: 41,
            made_at: made_at(),
            commit: None,
            digest: "4567ef".to_owned(),
            command: None,
        },
    );
    fitted(&title(), Some(&parts), diagnostics, &[])
}

fn changes() -> Vec<ResourceChange> {
    let there = || object(&[("id", Value::from("i-1")), ("name", Value::from("a"))]);
    let gone = || Arc::new(Marked::plain(Value::Null));
    let renamed = || object(&[("id", Value::from("i-1")), ("name", Value::from("b"))]);
    vec![
        replaced(
            "t_vpc.main",
            "cidr",
            Value::from("10.0.0.0/16"),
            Value::from("10.1.0.0/16"),
        ),
        replaced("t_subnet.s", "vpc", Value::from("vpc-1"), Value::UNKNOWN),
        change("module.a.t_vpc.changed", Action::Update, there(), renamed()),
        change("t_vpc.made", Action::Create, gone(), there()),
        ResourceChange {
            reason: Some(Reason::DeleteBecauseNoResourceConfig),
            ..change("t_vpc.old", Action::Delete, there(), gone())
        },
        change("t_vpc.same", Action::NoOp, there(), there()),
    ]
}

/// What a renderer makes of it.
#[derive(Default)]
struct Seen {
    headings: usize,
    quotes: usize,
    items: usize,
    rows: usize,
    cells: usize,
    fences: Vec<String>,
    html: String,
    links: usize,
    text: String,
}

fn rendered(text: &str) -> Seen {
    let mut seen = Seen::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Start(Tag::Heading { .. }) => seen.headings += 1,
            Event::Start(Tag::BlockQuote(_)) => seen.quotes += 1,
            Event::Start(Tag::Item) => seen.items += 1,
            Event::Start(Tag::TableRow) => seen.rows += 1,
            Event::Start(Tag::TableCell) => seen.cells += 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => seen.links += 1,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                seen.fences.push(language.to_string());
            }
            Event::Html(html) | Event::InlineHtml(html) => seen.html.push_str(&html),
            Event::Text(text) | Event::Code(text) => {
                seen.text.push_str(&text);
                seen.text.push('\n');
            }
            _ => {}
        }
    }
    seen
}

#[test]
fn a_comment_has_losses_on_top_then_a_table_then_folds() {
    let changes = changes();
    let warning = Diagnostic::warning("an argument is deprecated").address("t_vpc.main");
    let text = comment(&changes, &[warning]);
    assert_snapshot!(text, @r#"
    <!-- terrane stack=prod -->
    ### `prod` `+1` `~1` `-/+2` `-1`

    `prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json`

    > [!CAUTION]
    > **3 existing objects are destroyed:**
    >
    > - `-/+` `t_vpc.main`: `cidr = "10.0.0.0/16" -> "10.1.0.0/16"`
    > - `-/+` `t_subnet.s`: `vpc ← t_vpc.main is replaced ← cidr changes`
    > - `-` `t_vpc.old`: `no longer declared`

    **Plan: 3 to add, 1 to change, 3 to destroy.**
    2 replaced (counted as added and destroyed), 1 unchanged

    | | Resource | Changes | Declared |
    |---|---|---|---|
    | `-/+` | `t_vpc.main` | `cidr` | `stacks/prod/main.rs:7` |
    | `-/+` | `t_subnet.s` | `vpc` | `stacks/prod/main.rs:7` |
    | `+` | `t_vpc.made` | `name = "a", id = "i-1"` | `stacks/prod/main.rs:7` |
    | `-` | `t_vpc.old` | `no longer declared` | `stacks/prod/main.rs:7` |
    | `~` | `module.a.t_vpc.changed` | `name` | `stacks/prod/main.rs:7` |

    #### Warnings

    ```text
    warning: an argument is deprecated
      resource   t_vpc.main
    ```

    <details><summary><code>-/+ t_vpc.main</code></summary>

    ```diff
    ! cidr = "10.0.0.0/16" -> "10.1.0.0/16"  # forces replacement
    ```

    </details>

    <details><summary><code>-/+ t_subnet.s</code></summary>

    ```diff
    ! vpc = "vpc-1" -> (known after apply: t_vpc.main.id)  # forces replacement ← t_vpc.main is replaced ← cidr changes
    ```

    </details>

    <details><summary><code>+ t_vpc.made</code></summary>

    ```diff
    + id = "i-1"
    + name = "a"
    ```

    </details>

    <details><summary><code>~ module.a.t_vpc.changed</code></summary>

    ```diff
    ! name = "a" -> "b"
    ```

    </details>


    This plan, and nothing else, is applied by:

    ```sh
    prod-stack up plan.bin
    ```

    Saved in `plan.bin`, SHA-256 `0123abcd`; good until it is applied once or the state leaves serial 41.

    Digest of the plan: `4567ef`

    <sub>Planned at 2026-11-28T15:00:00Z by terrane 0.1.0</sub>
    "#);
    let seen = rendered(&text);
    assert_eq!((seen.quotes, seen.items), (1, 3), "losses");
    // Five changes of four cells, and the head of the table.
    assert_eq!((seen.rows, seen.cells), (5, 24));
    assert_eq!(seen.fences, ["text", "diff", "diff", "diff", "diff", "sh"]);
    assert_eq!(seen.html.matches("<details>").count(), 4);
    assert_eq!(seen.html.matches("</details>").count(), 4);
}

#[test]
fn no_plan_means_no_table() {
    let there = object(&[("id", Value::from("i-1"))]);
    let same = change("t_vpc.same", Action::NoOp, there.clone(), there);
    assert_snapshot!(comment(&[same], &[]), @"
    <!-- terrane stack=prod -->
    ### `prod` no changes

    `prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json`

    **No changes. Your infrastructure matches the configuration.**


    This plan, and nothing else, is applied by:

    ```sh
    prod-stack up plan.bin
    ```

    Saved in `plan.bin`, SHA-256 `0123abcd`; good until it is applied once or the state leaves serial 41.

    Digest of the plan: `4567ef`

    <sub>Planned at 2026-11-28T15:00:00Z by terrane 0.1.0</sub>
    ");
    assert_snapshot!(fitted(&title(), None, &[Diagnostic::error("there is no file x")], &[]), @"
    <!-- terrane stack=prod -->
    ### `prod` no plan

    #### Errors

    ```text
    error: there is no file x
    ```
    ");
}

#[test]
fn hostile_text_stays_text() {
    const HOSTILE: [&str; 9] = [
        "</code></summary></details><script>alert(1)</script>",
        "```\n</details>\n# heading\n| a | b |",
        "`` ` ``` ```` |",
        "::set-output name=x::y",
        "![image](https://example.org/x.png) [link](https://example.org) https://example.org",
        "@everyone <!-- --> -->",
        "\u{202e}reversed\u{1b}[2J\u{0}\u{200b}",
        "\n\n> [!CAUTION]\n> **nothing is destroyed**",
        "\\`\\|&lt;&#96;",
    ];
    let gone = || Arc::new(Marked::plain(Value::Null));
    let mut changes = Vec::new();
    for (index, hostile) in HOSTILE.iter().enumerate() {
        let object = object(&[
            ("id", Value::from(*hostile)),
            ("name", Value::from(*hostile)),
            (hostile, Value::from("key")),
        ]);
        let address = format!("t_vpc.v{index}");
        let mut address: terrane_core::addr::InstanceAddr = address.parse().expect("an address");
        address.key = Some((*hostile).into());
        for (place, action) in [Action::Create, Action::Delete, Action::DeleteThenCreate]
            .into_iter()
            .enumerate()
        {
            let (before, after) = match action {
                Action::Create => (gone(), object.clone()),
                Action::Delete => (object.clone(), gone()),
                _ => (
                    object.clone(),
                    object_with(&object, &format!("{hostile}{place}")),
                ),
            };
            let mut one = change("t_vpc.main", action, before, after);
            one.address = Arc::new(address.clone());
            changes.push(one);
        }
    }
    let long = Value::from("`".repeat(1 << 20));
    let long = object(&[("name", long.clone()), ("other", long)]);
    changes.push(change("t_vpc.long", Action::Create, gone(), long));
    let count = changes.len();
    let told: Vec<_> = HOSTILE
        .iter()
        .map(|text| Diagnostic::error(*text).detail(*text))
        .collect();
    let text = comment(&changes, &told);
    assert!(text.len() <= MOST, "{}", text.len());
    let seen = rendered(&text);
    assert_eq!((seen.headings, seen.quotes), (2, 1), "{text}");
    assert_eq!((seen.rows, seen.cells), (count, 4 * (count + 1)), "{text}");
    assert_harmless(&text);
}

/// Nothing in it means anything to a renderer, a terminal or the log of a CI, but what is ours.
#[track_caller]
fn assert_harmless(text: &str) {
    let seen = rendered(text);
    assert_eq!(seen.links, 0, "{text}");
    let is_ours = |line: &&str| {
        line.is_empty()
            || *line == "</details>"
            || line.starts_with("<!-- terrane stack=")
                && line.ends_with(" -->")
                && line.matches("--").count() == 2
            || (line.starts_with("<details><summary><code>") && line.ends_with("</code></summary>"))
            || matches!(*line, "<sub>" | "</sub>" | "<sub></sub>")
    };
    let others: Vec<&str> = seen.html.lines().filter(|line| !is_ours(line)).collect();
    assert!(others.is_empty(), "{others:?}");
    for opened in seen
        .html
        .lines()
        .filter(|line| line.starts_with("<details>"))
    {
        let inside =
            &opened["<details><summary><code>".len()..opened.len() - "</code></summary>".len()];
        assert!(!inside.contains(['<', '>']), "{opened}");
    }
    assert_eq!(
        seen.html.matches("<details>").count(),
        seen.html.matches("</details>").count()
    );
    for forbidden in ['\u{202e}', '\u{1b}', '\u{0}', '\u{200b}'] {
        assert!(!text.contains(forbidden));
    }
    // A log that shows the file obeys no line of it.
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("::")),
        "{text}"
    );
}

fn object_with(object: &Marked, name: &str) -> Arc<Marked> {
    let mut members = object.value.members().expect("an object").clone();
    members.insert("name".into(), name.into());
    Arc::new(Marked::plain(Value::map(members)))
}

#[test]
fn a_comment_never_grows_too_large_and_losses_never_go() {
    let gone = || Arc::new(Marked::plain(Value::Null));
    let mut changes = Vec::new();
    for index in 0..3000 {
        let made = object(&[("name", Value::from(format!("{index}-{}", "x".repeat(100))))]);
        let module = if index % 2 == 0 {
            "module.a.module.deep."
        } else {
            ""
        };
        let address = format!("{module}t_vpc.made[{index}]");
        changes.push(change(&address, Action::Create, gone(), made));
    }
    let there = object(&[("id", Value::from("i-1"))]);
    changes.push(change(
        "module.a.module.deep.t_vpc.lost",
        Action::Delete,
        there,
        gone(),
    ));
    let text = comment(&changes, &[]);
    assert!(text.len() <= MOST, "{}", text.len());
    let seen = rendered(&text);
    assert_eq!(seen.items, 1);
    assert!(seen.text.contains("module.a.module.deep.t_vpc.lost"));
    assert!(
        seen.text
            .contains("Plan: 3000 to add, 0 to change, 1 to destroy.")
    );
    assert!(text.contains("**Too large for a comment:**"), "{text}");
    assert!(
        text.contains("folds are left out, the deepest first"),
        "{text}"
    );
    assert!(!seen.html.contains("module.deep"), "the deepest go first");
    assert!(seen.html.contains("<details>"), "some have room");
    assert!(text.ends_with("terrane 0.1.0</sub>\n"), "the foot stays");
}

#[test]
fn outputs_have_a_fold_of_their_own() {
    let output = OutputChange {
        name: "vpc".into(),
        before: None,
        after: Some(Marked::plain(Value::from("vpc-1"))),
        location: None,
    };
    let outline = outline(&[], &[output], Details::Folded);
    let facts = layout::Facts {
        place: &place(),
        saved: None,
        policies: &[],
        cost: None,
        serial: 0,
        made_at: made_at(),
        commit: Some("0123abc".to_owned()),
        digest: "4567ef".to_owned(),
        command: Some("prod-stack up --plan-digest 4567ef".to_owned()),
    };
    assert_snapshot!(fitted(&title(), Some(&Parts::new(&outline, &facts)), &[], &[]), @r#"
    <!-- terrane stack=prod -->
    ### `prod` outputs only

    `prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json`

    **Plan: 0 to add, 0 to change, 0 to destroy.**

    <details><summary><code>1 output changed</code></summary>

    ```diff
    + vpc = "vpc-1"
    ```

    </details>


    These changes, and no others, are planned again and applied by:

    ```sh
    prod-stack up --plan-digest 4567ef
    ```

    Digest of the plan: `4567ef`

    <sub>Planned at 2026-11-28T15:00:00Z of commit `0123abc` by terrane 0.1.0</sub>
    "#);
}

/// Texts as nobody would write them who means well.
fn hostile() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "a",
        "`",
        "|",
        "\n",
        "--",
        "\u{1f600}",
        "\u{202e}",
        "</details>",
        "::error::x",
        "<!--",
        "[l](u)",
        "\\",
        "> ",
    ]);
    let long = (piece.clone(), 0..4000usize).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![
        long,
        proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    ]
}

fn policy_of(text: &str) -> PolicyReport {
    let finding = || PolicyFinding {
        address: None,
        attribute: None,
        message: text.to_owned(),
        location: None,
        exception: None,
    };
    PolicyReport {
        name: text.into(),
        enforcement: terrane_core::policy::Enforcement::Mandatory,
        hint: Some(text.into()),
        location: terrane_core::Location {
            file: "stacks/prod.rs",
            line: 7,
            column: 1,
        },
        violations: (0..12).map(|_| finding()).collect(),
        undecided: Vec::new(),
        excepted: Vec::new(),
        fault: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_comment_of_any_texts_fits_is_harmless_and_counts_its_losses(
        texts in proptest::collection::vec(hostile(), 8),
        count in 0..120usize,
        policies in 0..40usize,
    ) {
        let gone = || Arc::new(Marked::plain(Value::Null));
        let text = |place: usize| texts[place].as_str();
        let there = object(&[("id", Value::from(text(0))), (text(1), Value::from(text(2)))]);
        let changes: Vec<_> = (0..count)
            .map(|index| {
                let mut one = change("t_vpc.main", Action::Delete, there.clone(), gone());
                let mut address = one.address.as_ref().clone();
                address.key = Some(format!("{index}{}", text(3)).into());
                one.address = Arc::new(address);
                one
            })
            .collect();
        let outline = outline(&changes, &[], Details::Folded);
        let saved = crate::view::SavedAs {
            file: crate::view::printable::one_line(text(4)),
            digest: "0123abcd".to_owned(),
            command: format!("prod-stack up '{}'", text(4).replace('\n', "")),
        };
        let policies: Vec<_> = (0..policies).map(|_| policy_of(text(5))).collect();
        let parts = Parts::new(
            &outline,
            &layout::Facts {
                place: &crate::view::Place { state: text(6).to_owned(), ..place() },
                saved: Some(&saved),
                policies: &policies,
                cost: None,
                serial: 41,
                made_at: made_at(),
                commit: Some(text(7).to_owned()),
                digest: "4567ef".to_owned(),
                command: None,
            },
        );
        let told: Vec<_> = texts.iter().map(|text| Diagnostic::error(text).detail(text)).collect();
        let written = fitted(&layout::Title::of(text(7)), Some(&parts), &told, &[texts.concat()]);
        prop_assert!(written.len() <= MOST, "{}", written.len());
        if count > 0 {
            let items = rendered(&written).items;
            let more = written.lines().find_map(|line| line.strip_prefix("> - and ")?.strip_suffix(" more"));
            let more = more.map(|more| more.parse::<usize>().expect("a number"));
            let named = items - usize::from(more.is_some());
            prop_assert_eq!(named + more.unwrap_or(0), count);
        }
        assert_harmless(&written);
    }
}
