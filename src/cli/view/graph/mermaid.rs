//! The graph as Mermaid, for pull requests and pages: small enough to be drawn there, however large the stack is.
//!
//! GitHub draws no text over 50,000 characters and no more than 500 arrows. A graph of many resources is folded until few boxes are
//! left: first each module to one box, then modules to the outer ones, then resources of one type to one box.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use terrane_core::Action;

use super::paint::{FATES, Fate, look};
use super::reduce::reduced;
use super::{Node, ResourceGraph};
use crate::view::printable::{counted, fitted, one_line};

/// More boxes than that no person reads in a comment.
const MOST: usize = 60;
/// Arrows that are drawn at most.
const MOST_ARROWS: usize = 400;
/// Columns of a label.
const LONGEST: usize = 60;

/// A box, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Resource(usize),
    Module(String),
    /// Resources of one type in a module.
    Type(String, String),
}

/// How far a graph is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Nothing,
    /// Modules that many levels deep, and deeper, are one box each.
    Modules(usize),
    /// The same of the outermost ones, and resources outside of modules are a box for each type.
    Types,
}

/// For Markdown pages.
pub(crate) fn mermaid(graph: &ResourceGraph) -> String {
    let deepest = graph.nodes.iter().map(|node| node.path.steps().len()).max();
    let folds = [Fold::Nothing]
        .into_iter()
        .chain((1..=deepest.unwrap_or(0)).rev().map(Fold::Modules))
        .chain([Fold::Types]);
    let mut fold = Fold::Nothing;
    for next in folds {
        fold = next;
        if boxes(graph, fold) <= MOST {
            break;
        }
    }
    let sketch = match fold {
        Fold::Nothing => whole(graph),
        fold => folded(graph, fold),
    };
    sketch + &classes(graph)
}

fn part(graph: &ResourceGraph, node: usize, fold: Fold) -> Part {
    let of_node = &graph.nodes[node];
    let outer = |levels: usize| {
        let steps = of_node.path.steps().iter().take(levels);
        let root = terrane_core::addr::ModuleAddr::root();
        let outer = steps.fold(root, |path, step| {
            path.child(step.name.clone(), step.key.clone())
        });
        outer.to_string()
    };
    match fold {
        Fold::Modules(levels) if of_node.path.steps().len() >= levels => {
            Part::Module(outer(levels))
        }
        Fold::Types if of_node.path.is_root() => {
            Part::Type(of_node.module.clone(), of_node.type_name.clone())
        }
        Fold::Types => Part::Module(outer(1)),
        Fold::Nothing | Fold::Modules(_) => Part::Resource(node),
    }
}

fn boxes(graph: &ResourceGraph, fold: Fold) -> usize {
    let parts = (0..graph.nodes.len()).map(|node| part(graph, node, fold));
    // No more than matter are counted.
    let mut seen = std::collections::HashSet::new();
    for part in parts {
        seen.insert(part);
        if seen.len() > MOST {
            break;
        }
    }
    seen.len()
}

/// Every resource, with its module around it.
fn whole(graph: &ResourceGraph) -> String {
    let mut text = String::from("graph LR\n");
    for (place, (module, members)) in graph.modules().into_iter().enumerate() {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let title = entities(&fitted(&one_line(module), LONGEST));
            let _ = writeln!(text, "  subgraph m{place}[\"{title}\"]");
        }
        for member in members {
            let node = &graph.nodes[member];
            let _ = writeln!(
                text,
                "{indent}n{member}[\"{}\"]{}",
                label(node),
                class(node.fate)
            );
        }
        if !module.is_empty() {
            text.push_str("  end\n");
        }
    }
    arrows_of(&graph.reduced(), &mut text);
    text
}

/// A box for each part; the most that fit.
fn folded(graph: &ResourceGraph, fold: Fold) -> String {
    let mut places: HashMap<Part, usize> = HashMap::new();
    let mut parts: Vec<(Part, Vec<usize>)> = Vec::new();
    let mut of_node = Vec::with_capacity(graph.nodes.len());
    for node in 0..graph.nodes.len() {
        let part = part(graph, node, fold);
        let place = *places.entry(part.clone()).or_insert(parts.len());
        if place == parts.len() {
            parts.push((part, Vec::new()));
        }
        parts[place].1.push(node);
        of_node.push(place);
    }
    let shown = parts.len().min(MOST);
    let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); shown];
    for (node, of_this) in graph.nodes.iter().zip(&of_node) {
        let others = node.needs.iter().map(|&need| of_node[need]);
        if *of_this < shown {
            needs[*of_this].extend(others.filter(|it| it != of_this && *it < shown));
        }
    }
    let needs: Vec<Vec<usize>> = needs
        .into_iter()
        .map(|it| it.into_iter().collect())
        .collect();
    let all = counted(graph.nodes.len(), "resource");
    let mut text =
        format!("graph LR\n  %% {all}, folded: `graph --format svg` draws each of them\n");
    for (place, (part, members)) in parts.iter().take(shown).enumerate() {
        let members: Vec<&Node> = members.iter().map(|&node| &graph.nodes[node]).collect();
        let (name, fate) = match part {
            Part::Resource(node) => (label(&graph.nodes[*node]), graph.nodes[*node].fate),
            Part::Module(module) => (summary(module, &members), worst(&members)),
            Part::Type(_, type_name) => (summary(type_name, &members), worst(&members)),
        };
        let _ = writeln!(text, "  n{place}[\"{name}\"]{}", class(fate));
    }
    if parts.len() > shown {
        let more = parts.len() - shown;
        let _ = writeln!(text, "  more[\"and {more} more\"]");
    }
    arrows_of(&reduced(&needs), &mut text);
    text
}

fn arrows_of(needs: &[Vec<usize>], text: &mut String) {
    let arrows = needs.iter().enumerate();
    let arrows = arrows.flat_map(|(node, needs)| needs.iter().map(move |need| (need, node)));
    for (need, node) in arrows.take(MOST_ARROWS) {
        let _ = writeln!(text, "  n{need} --> n{node}");
    }
}

fn label(node: &Node) -> String {
    let name = fitted(&one_line(&node.name), LONGEST);
    match node.look().sign {
        "" => entities(&name),
        sign => entities(&format!("{sign} {name}")),
    }
}

/// `module.network, 12 resources: + 3, ~ 1`
fn summary(name: &str, members: &[&Node]) -> String {
    let name = fitted(&one_line(name), LONGEST);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for node in members {
        *counts.entry(node.look().sign).or_default() += 1;
    }
    let counts = counts.iter().filter(|(sign, _)| !sign.is_empty());
    let counts: Vec<String> = counts
        .map(|(sign, count)| format!("{sign} {count}"))
        .collect();
    let colon = if counts.is_empty() { "" } else { ": " };
    let all = counted(members.len(), "resource");
    entities(&format!("{name}, {all}{colon}{}", counts.join(", ")))
}

/// The fate whose colour a box of several takes: the one that loses most.
fn worst(members: &[&Node]) -> Option<Fate> {
    let severity = [
        Action::Delete,
        Action::DeleteThenCreate,
        Action::CreateThenDelete,
        Action::Update,
        Action::Create,
        Action::Forget,
        Action::Read,
    ];
    let rest = [Fate::Deferred(Action::Create), Fate::Planned(Action::NoOp)];
    let has = |fate: &Fate| members.iter().any(|node| node.look() == look(Some(*fate)));
    let mut fates = severity.map(Fate::Planned).into_iter().chain(rest);
    fates.find(has)
}

fn class(fate: Option<Fate>) -> String {
    fate.map_or_else(String::new, |fate| format!(":::{}", look(Some(fate)).class))
}

/// The colours of the fates that there are.
fn classes(graph: &ResourceGraph) -> String {
    let mut text = String::new();
    let mut defined = BTreeSet::new();
    for fate in FATES {
        let look = look(Some(fate));
        let is_used = graph.nodes.iter().any(|node| node.look() == look);
        if is_used && defined.insert(look.class) {
            let (class, fill, line) = (look.class, look.fill, look.line);
            let _ = writeln!(
                text,
                "  classDef {class} fill:{fill},stroke:{line},color:#1c2230"
            );
        }
    }
    text
}

/// Mermaid knows HTML's entities, with `#` for `&`.
fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            character if character.is_alphanumeric() => safe.push(character),
            '.' | '_' | '-' | ' ' | '[' | ']' | '/' | ':' | ',' | '…' => safe.push(character),
            character => {
                let _ = write!(safe, "#{};", u32::from(character));
            }
        }
    }
    safe
}
