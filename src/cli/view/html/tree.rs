//! Changes as a tree by module: a line each, which unfolds to the diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{self, Html, Links};
use crate::view::diff::{Mark, Row};
use crate::view::outline::{Entry, ModuleTree, Node, sign_of, verb_of};
use crate::view::printable::{counted, shortened};

/// Modules are unfolded from the start up to this many changes.
const UNFOLDED: usize = 300;
/// How many characters of its telling arguments a line has.
const BRIEF: usize = 240;
/// How many bytes the diff of a change has room for, and all of them together.
const DIFF: usize = 256 << 10;
const ALL_DIFFS: usize = 48 << 20;

/// The things in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the plan does.
    Changes,
    /// What happened outside of the program.
    Drift,
}

impl Kind {
    /// How it is called.
    fn label(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Drift => "drift",
        }
    }

    /// What happens, or happened, to an object; `verb` is that of its action.
    fn word(self, verb: &'static str) -> &'static str {
        match (self, verb) {
            (Self::Changes, verb) => verb,
            (Self::Drift, "destroy") => "gone",
            (Self::Drift, _) => "changed",
        }
    }
}

/// How many ids a page has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ids {
    pub(super) changes: usize,
    modules: usize,
}

/// Makes the trees of a page.
pub(super) struct Trees<'a> {
    /// The changes by address.
    links: &'a Links,
    /// How many changes, and modules, have an id already.
    ids: Ids,
    /// What diffs have taken so far.
    spent: usize,
}

impl<'a> Trees<'a> {
    /// With those links, on a page that has so many ids.
    pub(super) fn new(links: &'a Links, ids: Ids) -> Self {
        Self {
            links,
            ids,
            spent: 0,
        }
    }

    /// How many ids the page has now.
    pub(super) fn ids(&self) -> Ids {
        self.ids
    }

    /// One of them.
    pub(super) fn tree(&mut self, kind: Kind, tree: &ModuleTree<Entry>) -> String {
        let mut nodes = Vec::new();
        tree.walk(&mut |depth, node| nodes.push((depth, node)));
        let leaves = nodes
            .iter()
            .filter(|(_, node)| matches!(node, Node::Leaf(_)));
        let open = if leaves.count() <= UNFOLDED {
            " open"
        } else {
            ""
        };
        let mut totals = totals(&nodes).into_iter();
        let label = kind.label();
        let mut html = format!("<ul class=\"tree\" aria-label=\"{label}\">\n");
        let mut inside = 0;
        for (depth, node) in &nodes {
            html.push_str(&END.repeat(inside - depth));
            inside = *depth;
            match node {
                Node::Module(name) => {
                    let id = self.ids.modules;
                    self.ids.modules += 1;
                    inside += 1;
                    let _ = write!(
                        html,
                        "<li class=\"module\"><details id=\"m{id}\"{open}><summary><code class=\"name\">{}</code>",
                        escape::name(name)
                    );
                    for (verb, count) in totals.next().into_iter().flatten() {
                        let word = kind.word(verb);
                        let _ = write!(html, " <span class=\"count {verb}\">{count} {word}</span>");
                    }
                    html.push_str("</summary><ul>\n");
                }
                Node::Leaf(entry) => self.change(kind, entry, &mut html),
            }
        }
        html.push_str(&END.repeat(inside));
        html.push_str("</ul>\n");
        html
    }

    fn change(&mut self, kind: Kind, entry: &Entry, html: &mut String) {
        let id = self.ids.changes;
        self.ids.changes += 1;
        let verb = verb_of(entry.action);
        let word = kind.word(verb);
        let _ = write!(
            html,
            "<li class=\"change {verb}\"><details id=\"c{id}\"><summary><b class=\"sign\" title=\"{word}\">{}</b> <code class=\"name\">{}</code>",
            Html(sign_of(entry.action)),
            escape::name(&entry.name)
        );
        let brief = shortened(&entry.telling(), BRIEF).into_owned();
        if !brief.is_empty() {
            let _ = write!(html, " <span class=\"brief\">{}</span>", Html(&brief));
        }
        let _ = write!(
            html,
            "</summary><div class=\"body\"><p class=\"facts\"><b>{word}</b> <code class=\"address\">{}</code>",
            escape::name(&entry.address)
        );
        if let Some(existing) = &entry.id {
            let _ = write!(html, " <span>id <code>{}</code></span>", Html(existing));
        }
        if let Some(location) = entry.location {
            let location = location.to_string();
            let _ = write!(
                html,
                " <span>declared at <code>{}</code></span>",
                Html(&location)
            );
        }
        html.push_str("</p>");
        if let Some(reason) = entry.reason {
            let _ = write!(html, "<p>{}</p>", Html(reason));
        }
        let start = html.len();
        if !entry.rows.is_empty() {
            match self.spent > ALL_DIFFS {
                true => html.push_str(
                    "<p>This page is full: its diff is in the output of <code>--details</code>.</p>",
                ),
                false => html.push_str(&diff(&entry.rows, self.links)),
            }
        }
        self.spent += html.len() - start;
        html.push_str("</div></details></li>\n");
    }
}

/// The end of a module.
const END: &str = "</ul></details></li>\n";

/// What happens inside of each module, in the order of the tree.
fn totals(nodes: &[(usize, Node<'_, Entry>)]) -> Vec<BTreeMap<&'static str, usize>> {
    let mut all: Vec<BTreeMap<_, usize>> = Vec::new();
    let mut path: Vec<usize> = Vec::new();
    for (depth, node) in nodes {
        path.truncate(*depth);
        match node {
            Node::Module(_) => {
                path.push(all.len());
                all.push(BTreeMap::new());
            }
            Node::Leaf(entry) => {
                for &module in &path {
                    *all[module].entry(verb_of(entry.action)).or_default() += 1;
                }
            }
        }
    }
    all
}

/// Rows as lines whose signs colour them.
pub(super) fn diff(rows: &[Row], links: &Links) -> String {
    let mut html = String::from("<pre class=\"diff\">");
    let mut left_out = 0;
    lines(rows, 0, links, &mut html, &mut left_out);
    if left_out > 0 {
        let _ = write!(html, "<s>… ({})\n</s>", counted(left_out, "more line"));
    }
    html.push_str("</pre>");
    html
}

fn lines(rows: &[Row], depth: usize, links: &Links, html: &mut String, left_out: &mut usize) {
    for row in rows {
        if html.len() > DIFF {
            *left_out += 1;
        } else {
            let (tag, sign) = match row.mark {
                Mark::Add => ("ins", '+'),
                Mark::Remove => ("del", '-'),
                Mark::Change => ("i", '~'),
            };
            let indent = "  ".repeat(depth);
            let line = row.line().replace('\n', " ");
            let _ = write!(html, "<{tag}>{sign} {indent}{}", Html(&line));
            if let Some(note) = &row.note {
                let _ = write!(html, "  <em>{}</em>", links.cause(note));
            }
            let _ = write!(html, "\n</{tag}>");
        }
        lines(&row.inside, depth + 1, links, html, left_out);
    }
}

/// The changes of a tree by their addresses, in its order.
pub(super) fn links(tree: &ModuleTree<Entry>, ids: Ids) -> Links {
    let mut links = Links::from(ids.changes);
    tree.walk(&mut |_, node| {
        if let Node::Leaf(entry) = node {
            links.add(&entry.address, verb_of(entry.action));
        }
    });
    links
}

/// The ids of modules by their addresses, in the order of a tree.
pub(super) fn modules(tree: &ModuleTree<Entry>) -> Vec<String> {
    let (mut path, mut all) = (Vec::<String>::new(), Vec::new());
    tree.walk(&mut |depth, node| {
        if let Node::Module(name) = node {
            path.truncate(depth);
            path.push(name);
            all.push(path.join("."));
        }
    });
    all
}
