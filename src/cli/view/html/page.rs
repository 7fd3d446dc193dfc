//! The page from top to bottom: where it acts, totals, losses, messages, costs and policies, changes beside the graph, drift, outputs.

use std::fmt::Write as _;

use data_encoding::BASE64;
use terrane_core::Diagnostic;
use terrane_core::policy::PolicyReport;
use terrane_cost::Estimate;
use terrane_engine::{PlanMode, Summary};
use terrane_state::{Sha256, Timestamp};

use super::escape::{self, Html, Links};
use super::graph::PlanGraph;
use super::tree::{self, Ids, Kind, Trees};
use super::{cost, policies};
use crate::view::outline::{Danger, Outline, Place, sign_of, verb_of};
use crate::view::printable::counted;
use crate::view::text::diagnostics::diagnostic;
use crate::view::text::painter::Painter;
use crate::view::{SavedAs, ShownPlan};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Losses that are listed from the start; the rest unfolds.
const LISTED: usize = 20;

/// The part of a page that shows a plan.
pub(super) struct Body {
    /// One line, for the tab of the browser.
    title: String,
    head: String,
    rest: String,
    /// How it is applied: for a plan that no run has begun to apply.
    apply: String,
    foot: String,
    /// How many ids it has given.
    ids: Ids,
    /// What it was made from, for a page that it continues: ids are given anew there.
    outline: Outline,
}

/// The facts beside the outline.
pub(super) struct Facts<'a> {
    pub(super) place: &'a Place,
    pub(super) saved: Option<&'a SavedAs>,
    pub(super) policies: &'a [PolicyReport],
    pub(super) cost: Option<&'a Estimate>,
    pub(super) graph: Option<PlanGraph>,
    pub(super) is_partial: bool,
    pub(super) made_at: Timestamp,
    pub(super) commit: Option<String>,
    /// The digest of the plan.
    pub(super) digest: String,
    /// The command that applies what has this digest, where nothing is saved.
    pub(super) command: Option<String>,
}

impl<'a> Facts<'a> {
    /// Of a plan that is to be shown.
    pub(super) fn of(shown: &ShownPlan<'a>, commit: Option<&str>) -> Self {
        Self {
            place: shown.place,
            saved: shown.saved,
            policies: shown.policies,
            cost: shown.cost,
            graph: Some(PlanGraph::of(shown)),
            is_partial: shown.is_partial,
            made_at: shown.made_at,
            commit: commit.map(str::to_owned),
            digest: shown.digest().sha256.to_string(),
            command: shown.command(),
        }
    }
}

impl Body {
    /// Of an outline.
    pub(super) fn new(outline: Outline, facts: &Facts<'_>) -> Self {
        let links = tree::links(&outline.changes, Ids::default());
        let mut trees = Trees::new(&links, Ids::default());
        let graph = facts.graph.as_ref();
        let graph = graph.map(|graph| graph.section(&links, &tree::modules(&outline.changes)));
        let graph = graph.unwrap_or_default();
        let mut rest = String::new();
        let cards = cost::section(facts.cost, &links) + &policies::section(facts.policies, &links);
        if !cards.is_empty() {
            let _ = write!(rest, "<div class=\"cards\">\n{cards}</div>\n");
        }
        if !outline.changes.is_empty() {
            let changes = trees.tree(Kind::Changes, &outline.changes);
            let _ = write!(
                rest,
                "<div class=\"plan\"><section id=\"changes\"><h2>Changes</h2>\n{changes}</section>\n{graph}</div>\n"
            );
        }
        others(&outline, &mut trees, &links, &mut rest);
        Self {
            title: title(&outline, facts.place),
            head: head(&outline, facts, &links),
            rest,
            apply: apply(facts),
            foot: foot(facts),
            ids: trees.ids(),
            outline,
        }
    }

    /// Adds the plan of what this one deferred.
    pub(super) fn and(&mut self, next: &Self) {
        let outline = &next.outline;
        let links = tree::links(&outline.changes, self.ids);
        let mut trees = Trees::new(&links, self.ids);
        let _ = write!(
            self.rest,
            "<section><h2>Planned later</h2>\n<p><b>{}</b></p>\n",
            Html(&outline.totals.sentence)
        );
        losses(&outline.dangers, &links, &mut self.rest);
        let changes = trees.tree(Kind::Changes, &outline.changes);
        let _ = writeln!(self.rest, "{changes}</section>");
        others(outline, &mut trees, &links, &mut self.rest);
        self.ids = trees.ids();
    }
}

/// What there is beside changes: deferred ones, actions, drift, outputs.
fn others(outline: &Outline, trees: &mut Trees<'_>, links: &Links, html: &mut String) {
    if !outline.deferred.is_empty() {
        let _ = writeln!(html, "<section class=\"deferred\"><h2>Deferred</h2>");
        for group in &outline.deferred {
            let open = if group.changes.len() <= LISTED {
                " open"
            } else {
                ""
            };
            let _ = writeln!(
                html,
                "<details{open}><summary>{}: {}</summary><ul>",
                counted(group.changes.len(), "change"),
                Html(&group.why)
            );
            for change in &group.changes {
                let verb = verb_of(change.action);
                let _ = writeln!(
                    html,
                    "<li class=\"{verb}\"><b class=\"sign\" title=\"{verb}\">{}</b> <code>{}</code></li>",
                    Html(sign_of(change.action)),
                    escape::name(&change.address)
                );
            }
            html.push_str("</ul></details>\n");
        }
        html.push_str("</section>\n");
    }
    if !outline.invocations.is_empty() {
        html.push_str("<section class=\"actions\"><h2>Actions</h2>\n<ul>\n");
        for line in &outline.invocations {
            let _ = writeln!(html, "<li><code>{}</code></li>", Html(line));
        }
        html.push_str("</ul></section>\n");
    }
    if !outline.drift.is_empty() {
        let drift = trees.tree(Kind::Drift, &outline.drift);
        let _ = write!(
            html,
            "<section class=\"drift\"><h2>Drift</h2>\n<p class=\"faint\">Objects that changed outside of this program</p>\n{drift}</section>\n"
        );
    }
    if !outline.outputs.is_empty() {
        let rows = tree::diff(&outline.outputs, links);
        let _ = write!(
            html,
            "<section class=\"outputs\"><h2>Outputs</h2>\n{rows}</section>\n"
        );
    }
}

/// `prod: +3 ~1 -/+2`
fn title(outline: &Outline, place: &Place) -> String {
    let counts = counts(outline.totals.summary.as_ref());
    let counts = counts.map(|(sign, count, _)| format!("{sign}{count}"));
    let deferred = (deferred(outline) > 0).then(|| format!("{} deferred", deferred(outline)));
    let counts: Vec<String> = counts.chain(deferred).collect();
    let counts = match (outline.mode, counts.is_empty()) {
        (PlanMode::RefreshOnly, _) => "drift".to_owned(),
        (_, true) => "no changes".to_owned(),
        (_, false) => counts.join(" "),
    };
    format!("{}: {counts}", place.stack)
}

/// How many changes are planned later.
fn deferred(outline: &Outline) -> usize {
    outline
        .deferred
        .iter()
        .map(|group| group.changes.len())
        .sum()
}

/// Sign, number and verb of each action that there is.
fn counts(summary: Option<&Summary>) -> impl Iterator<Item = (&'static str, usize, &'static str)> {
    let summary = summary.copied().unwrap_or_default();
    let all = [
        ("-", summary.delete, "destroy"),
        ("-/+", summary.replace, "replace"),
        ("~", summary.update, "update"),
        ("+", summary.create, "create"),
        ("<=", summary.read, "read"),
        (".", summary.forget, "forget"),
    ];
    all.into_iter().filter(|(_, count, _)| *count > 0)
}

/// Place, totals, losses.
fn head(outline: &Outline, facts: &Facts<'_>, links: &Links) -> String {
    let mut html = format!(
        "<h1>{}</h1>\n<p class=\"place\">{}</p>\n<ul class=\"totals\">",
        Html(&facts.place.stack),
        Html(&facts.place.line())
    );
    for (sign, count, verb) in counts(outline.totals.summary.as_ref()) {
        let _ = write!(
            html,
            "<li class=\"{verb}\"><b>{} {count}</b> {verb}</li>",
            Html(sign)
        );
    }
    if deferred(outline) > 0 {
        let _ = write!(
            html,
            "<li class=\"deferred\"><b>{}</b> deferred</li>",
            deferred(outline)
        );
    }
    let _ = write!(
        html,
        "</ul>\n<p class=\"sentence\"><b>{}</b>",
        Html(&outline.totals.sentence)
    );
    if let Some(more) = &outline.totals.more {
        let _ = write!(html, " {}", Html(more));
    }
    html.push_str("</p>\n");
    if facts.is_partial {
        html.push_str("<p>Unresolved operations kept a part of the stack out of this plan.</p>\n");
    }
    for line in &outline.taken_over {
        let _ = writeln!(html, "<p>{}</p>", Html(line));
    }
    if let Some(drift) = outline.quiet_drift() {
        let _ = writeln!(
            html,
            "<p>{} (<code>--refresh-only</code> shows how).</p>",
            Html(&drift)
        );
    }
    losses(&outline.dangers, links, &mut html);
    html
}

/// The list that nobody may overlook.
fn losses(dangers: &[Danger], links: &Links, html: &mut String) {
    if dangers.is_empty() {
        return;
    }
    let verb = if dangers.len() == 1 { "is" } else { "are" };
    let objects = counted(dangers.len(), "existing object");
    let _ = write!(
        html,
        "<section class=\"losses\"><h2>{objects} {verb} destroyed</h2>\n<ul>\n"
    );
    for (place, danger) in dangers.iter().enumerate() {
        if place == LISTED {
            let more = dangers.len() - LISTED;
            let _ = writeln!(html, "</ul><details><summary>and {more} more</summary><ul>");
        }
        let verb = verb_of(danger.action);
        let _ = write!(
            html,
            "<li class=\"{verb}\"><b class=\"sign\" title=\"{verb}\">{}</b> {}",
            Html(sign_of(danger.action)),
            links.address(&danger.address)
        );
        if let Some(id) = &danger.id {
            let _ = write!(
                html,
                " <span class=\"faint\">id <code>{}</code></span>",
                Html(id)
            );
        }
        if let Some(why) = &danger.why {
            let _ = write!(html, " <span class=\"why\">{}</span>", links.cause(why));
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul>");
    if dangers.len() > LISTED {
        html.push_str("</details>");
    }
    html.push_str("</section>\n");
}

/// Where the plan is, and how it is applied.
fn apply(facts: &Facts<'_>) -> String {
    let (what, command) = match (facts.saved, &facts.command) {
        (Some(saved), _) => (
            "This plan, and nothing else, is applied by:",
            &saved.command,
        ),
        (None, Some(command)) => (
            "These changes, and no others, are planned again and applied by:",
            command,
        ),
        (None, None) => return String::new(),
    };
    let mut html = format!(
        "<section id=\"apply\"><h2>Apply</h2>\n<p>{what}</p>\n<pre>{}</pre>\n",
        Html(command)
    );
    if let Some(saved) = facts.saved {
        let _ = writeln!(
            html,
            "<p class=\"faint\">Saved in <code>{}</code>, SHA-256 <code>{}</code></p>",
            Html(&saved.file),
            Html(&saved.digest)
        );
    }
    html.push_str("</section>\n");
    html
}

/// Which plan it is, and when it was made.
fn foot(facts: &Facts<'_>) -> String {
    let commit = facts.commit.as_ref();
    let commit = commit.map(|commit| format!(" of commit <code>{}</code>", Html(commit)));
    format!(
        "<footer>Planned at {}{} by terrane {}<br>Digest of the plan: <code>{}</code></footer>\n",
        facts.made_at,
        commit.unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
        Html(&facts.digest)
    )
}

/// Errors and warnings, each as a terminal has it.
fn messages(said: &[Diagnostic]) -> String {
    if said.is_empty() {
        return String::new();
    }
    let mut html = String::from("<section id=\"messages\"><h2>Messages</h2>\n");
    for one in said {
        let class = if one.is_error() { "error" } else { "warning" };
        let text = diagnostic(one, Painter::PLAIN);
        let _ = writeln!(
            html,
            "<pre class=\"{class}\">{}</pre>",
            Html(text.trim_end())
        );
    }
    html.push_str("</section>\n");
    html
}

/// The whole page. It may load nothing, and runs no script but its own.
pub(super) fn text(plan: Option<&Body>, said: &[Diagnostic], result: &[String]) -> String {
    let digest = |text: &str| BASE64.encode(Sha256::of(text.as_bytes()).as_bytes());
    let (title, head, rest, foot) = match plan {
        Some(body) => {
            let apply = if result.is_empty() { &*body.apply } else { "" };
            let foot = format!("{apply}{}", body.foot);
            (&*body.title, &*body.head, &*body.rest, foot)
        }
        None if said.is_empty() => ("planning", "<h1>planning</h1>\n", "", String::new()),
        None => ("no plan", "<h1>no plan</h1>\n", "", String::new()),
    };
    let mut end = String::new();
    if !result.is_empty() {
        let lines = result.join("\n");
        let _ = write!(
            end,
            "<section id=\"result\"><h2>Result</h2>\n<pre>{}</pre></section>\n",
            Html(&lines)
        );
    }
    let said = messages(said);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'sha256-{}'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{} · terrane</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n{head}</header>\n<main>\n{said}{end}{rest}{foot}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        digest(STYLE),
        digest(SCRIPT),
        Html(title),
    )
}
