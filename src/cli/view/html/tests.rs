use std::sync::Arc;

use insta::assert_snapshot;
use terrane_core::{Diagnostic, Marked, Value};
use terrane_engine::{Action, Reason, ResourceChange};
use terrane_state::Timestamp;

use super::page::{Body, Facts, text};
use crate::view::outline::Details;
use crate::view::outline::samples::{change, object, outline, place, replaced};

fn body(changes: &[ResourceChange]) -> Body {
    let made_at: Timestamp = "2026-11-28T15:00:00Z".parse().expect("a time");
    Body::new(
        outline(changes, &[], Details::Folded),
        &Facts {
            place: &place(),
            saved: None,
            policies: &[],
            cost: None,
            graph: None,
            is_partial: false,
            made_at,
            commit: None,
            digest: "0123abcd".to_owned(),
            command: None,
        },
    )
}

fn changes(text: &str) -> Vec<ResourceChange> {
    let there = || object(&[("id", Value::from("i-1")), ("name", Value::from("a"))]);
    let gone = || Arc::new(Marked::plain(Value::Null));
    let renamed = || object(&[("id", Value::from("i-1")), ("name", Value::from(text))]);
    let key = serde_json::to_string(text).expect("a text");
    vec![
        replaced(
            "t_vpc.main",
            "cidr",
            Value::from("10.0.0.0/16"),
            Value::from(text),
        ),
        replaced("t_subnet.s", "vpc", Value::from("vpc-1"), Value::UNKNOWN),
        change(
            &format!("module.a.t_vpc.changed[{key}]"),
            Action::Update,
            there(),
            renamed(),
        ),
        change(
            &format!("module.a.module.b[{key}].t_vpc.made"),
            Action::Create,
            gone(),
            there(),
        ),
        ResourceChange {
            reason: Some(Reason::DeleteBecauseNoResourceConfig),
            ..change("t_vpc.old", Action::Delete, there(), gone())
        },
    ]
}

/// The page without its style and its script.
fn shown(text: &str) -> String {
    let (_, after) = text.split_once("</style>").expect("a style");
    let (before, _) = after.split_once("<script>").expect("a script");
    before.to_owned()
}

#[test]
fn a_page_has_losses_on_top_and_a_tree_whose_lines_unfold_to_diffs() {
    let warning = Diagnostic::warning("an argument is deprecated").address("t_vpc.main");
    let result = ["Applied.".to_owned()];
    let page = text(Some(&body(&changes("b"))), &[warning], &result);
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert_snapshot!(shown(&page), @r##"
    </head>
    <body>
    <header>
    <h1>prod</h1>
    <p class="place">prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json</p>
    <ul class="totals"><li class="destroy"><b>- 1</b> destroy</li><li class="replace"><b>-/+ 2</b> replace</li><li class="update"><b>~ 1</b> update</li><li class="create"><b>+ 1</b> create</li></ul>
    <p class="sentence"><b>Plan: 3 to add, 1 to change, 3 to destroy.</b> 2 replaced (counted as added and destroyed)</p>
    <section class="losses"><h2>3 existing objects are destroyed</h2>
    <ul>
    <li class="replace"><b class="sign" title="replace">-/+</b> <a href="#c0"><code>t_vpc.main</code></a> <span class="faint">id <code>old-id</code></span> <span class="why">cidr = &quot;10.0.0.0/16&quot; -&gt; &quot;b&quot;</span></li>
    <li class="replace"><b class="sign" title="replace">-/+</b> <a href="#c1"><code>t_subnet.s</code></a> <span class="faint">id <code>old-id</code></span> <span class="why">vpc ← <a href="#c0"><code>t_vpc.main</code></a> is replaced ← cidr changes</span></li>
    <li class="destroy"><b class="sign" title="destroy">-</b> <a href="#c2"><code>t_vpc.old</code></a> <span class="faint">id <code>i-1</code></span> <span class="why">no longer declared</span></li>
    </ul></section>
    </header>
    <main>
    <section id="messages"><h2>Messages</h2>
    <pre class="warning">warning: an argument is deprecated
      resource   t_vpc.main</pre>
    </section>
    <section id="result"><h2>Result</h2>
    <pre>Applied.</pre></section>
    <div class="plan"><section id="changes"><h2>Changes</h2>
    <ul class="tree" aria-label="changes">
    <li class="change replace"><details id="c0"><summary><b class="sign" title="replace">-/+</b> <code class="name">t_vpc.main</code> <span class="brief">cidr</span></summary><div class="body"><p class="facts"><b>replace</b> <code class="address">t_vpc.main</code> <span>id <code>old-id</code></span> <span>declared at <code>stacks/prod/main.rs:7</code></span></p><pre class="diff"><i>~ cidr = &quot;10.0.0.0/16&quot; -&gt; &quot;b&quot;  <em>forces replacement</em>
    </i></pre></div></details></li>
    <li class="change replace"><details id="c1"><summary><b class="sign" title="replace">-/+</b> <code class="name">t_subnet.s</code> <span class="brief">vpc</span></summary><div class="body"><p class="facts"><b>replace</b> <code class="address">t_subnet.s</code> <span>id <code>old-id</code></span> <span>declared at <code>stacks/prod/main.rs:7</code></span></p><pre class="diff"><i>~ vpc = &quot;vpc-1&quot; -&gt; (known after apply: t_vpc.main.id)  <em>forces replacement ← <a href="#c0"><code>t_vpc.main</code></a> is replaced ← cidr changes</em>
    </i></pre></div></details></li>
    <li class="change destroy"><details id="c2"><summary><b class="sign" title="destroy">-</b> <code class="name">t_vpc.old</code> <span class="brief">no longer declared</span></summary><div class="body"><p class="facts"><b>destroy</b> <code class="address">t_vpc.old</code> <span>id <code>i-1</code></span> <span>declared at <code>stacks/prod/main.rs:7</code></span></p><p>no longer declared</p></div></details></li>
    <li class="module"><details id="m0" open><summary><code class="name">module.a</code> <span class="count create">1 create</span> <span class="count update">1 update</span></summary><ul>
    <li class="change update"><details id="c3"><summary><b class="sign" title="update">~</b> <code class="name">t_vpc.changed[&quot;b&quot;]</code> <span class="brief">name</span></summary><div class="body"><p class="facts"><b>update</b> <code class="address">module.a.t_vpc.changed[&quot;b&quot;]</code> <span>id <code>i-1</code></span> <span>declared at <code>stacks/prod/main.rs:7</code></span></p><pre class="diff"><i>~ name = &quot;a&quot; -&gt; &quot;b&quot;
    </i></pre></div></details></li>
    <li class="module"><details id="m1" open><summary><code class="name">module.b[&quot;b&quot;]</code> <span class="count create">1 create</span></summary><ul>
    <li class="change create"><details id="c4"><summary><b class="sign" title="create">+</b> <code class="name">t_vpc.made</code> <span class="brief">name = &quot;a&quot;, id = &quot;i-1&quot;</span></summary><div class="body"><p class="facts"><b>create</b> <code class="address">module.a.module.b[&quot;b&quot;].t_vpc.made</code> <span>declared at <code>stacks/prod/main.rs:7</code></span></p><pre class="diff"><ins>+ id = &quot;i-1&quot;
    </ins><ins>+ name = &quot;a&quot;
    </ins></pre></div></details></li>
    </ul></details></li>
    </ul></details></li>
    </ul>
    </section>
    </div>
    <footer>Planned at 2026-11-28T15:00:00Z by terrane 0.1.0<br>Digest of the plan: <code>0123abcd</code></footer>
    </main>
    "##);
}

#[test]
fn a_page_without_a_plan_says_why() {
    let page = text(
        None,
        &[Diagnostic::error("the provider <x> is missing")],
        &[],
    );
    assert_snapshot!(shown(&page), @r##"
    </head>
    <body>
    <header>
    <h1>no plan</h1>
    </header>
    <main>
    <section id="messages"><h2>Messages</h2>
    <pre class="error">error: the provider &lt;x&gt; is missing</pre>
    </section>
    </main>
    "##);
}

/// Names of the tags of a page, in their order.
fn tags(page: &str) -> Vec<&str> {
    let tags = page.split('<').skip(1);
    tags.map(|tag| tag.split([' ', '>']).next().unwrap_or_default())
        .collect()
}

#[test]
fn hostile_texts_add_no_tag_and_no_control_character() {
    let hostile = "</script></details></code></pre><img src=x onerror='a'>\"'&\u{202e}\u{7}\n::error::x::\u{2028}";
    let said = |text: &str| [Diagnostic::error(text).detail(text).hint(text)];
    // Of two lines as well, so that it is told alike.
    let harmless = text(Some(&body(&changes("b\nc"))), &said("b\nc"), &[]);
    let page = text(Some(&body(&changes(hostile))), &said(hostile), &[]);
    assert_eq!(tags(&page), tags(&harmless));
    let hidden = ['\u{202e}', '\u{7}', '\u{2028}'];
    assert!(!page.contains(hidden), "{page}");
    let long = "x".repeat(1 << 20);
    let told = Diagnostic::error(&*long).detail(&*long);
    let page = text(Some(&body(&changes(&long))), &[told], &[]);
    assert!(page.len() < 700_000, "{}", page.len());
}

#[test]
fn the_page_may_run_its_own_script_and_load_nothing() {
    let page = text(Some(&body(&changes("b"))), &[], &[]);
    let (_, policy) = page
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .expect("a policy");
    let (policy, _) = policy.split_once('"').expect("its end");
    assert!(
        policy.starts_with("default-src 'none'; img-src data:; "),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.contains("src=\"http") && !page.contains("url("));
}
