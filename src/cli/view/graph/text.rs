//! The graph for other programs, whole: Graphviz and JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::paint::Fate;
use super::{MODULE, Node, ResourceGraph};
use crate::view::json::actions;
use crate::view::printable::{harmless_json, one_line, quoted, shortened};

/// A label has room for that much of a name.
const LONGEST: usize = 256;

/// For Graphviz: a cluster a module, the colour of each action, arrows from each dependency to its dependents.
pub(crate) fn dot(graph: &ResourceGraph) -> String {
    let mut text = String::from(
        "digraph {\n  rankdir = LR\n  node [shape = box, fontname = \"sans-serif\"]\n",
    );
    for (place, (module, members)) in graph.modules().into_iter().enumerate() {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let label = label(module);
            let _ = writeln!(text, "  subgraph cluster_{place} {{\n    label = {label}");
        }
        for member in members {
            let attributes = attributes(&graph.nodes[member]);
            let _ = writeln!(text, "{indent}{} [{attributes}]", name(graph, member));
        }
        if !module.is_empty() {
            text.push_str("  }\n");
        }
    }
    for (node, needs) in graph.reduced().iter().enumerate() {
        for &need in needs {
            let _ = writeln!(text, "  {} -> {}", name(graph, need), name(graph, node));
        }
    }
    text.push_str("}\n");
    text
}

/// The address, or the beginning of a long one with the number of its node: a name stands at every arrow.
fn name(graph: &ResourceGraph, node: usize) -> String {
    let address = &*graph.nodes[node].address;
    let short = one_line(&shortened(address, LONGEST));
    match address.len() <= LONGEST {
        true => quoted(&short),
        false => quoted(&format!("{short} ({node})")),
    }
}

fn label(text: &str) -> String {
    quoted(&one_line(&shortened(text, LONGEST)))
}

fn attributes(node: &Node) -> String {
    let look = node.look();
    let signed = match look.sign {
        "" => node.name.clone(),
        sign => format!("{sign} {}", node.name),
    };
    let dashed = match node.mode {
        "managed" | MODULE => None,
        _ => Some("dashed"),
    };
    let filled = node.fate.map(|_| "filled");
    let styles: Vec<&str> = dashed.into_iter().chain(filled).collect();
    let mut text = format!("label = {}", label(&signed));
    match styles[..] {
        [] => {}
        [one] => {
            let _ = write!(text, ", style = {one}");
        }
        _ => {
            let _ = write!(text, ", style = \"{}\"", styles.join(","));
        }
    }
    if node.fate.is_some() {
        let (fill, line) = (look.fill, look.line);
        let _ = write!(text, ", fillcolor = \"{fill}\", color = \"{line}\"");
    }
    text
}

/// For programs: every resource with everything that it depends on directly, and the actions of a plan in Terraform's words.
pub(crate) fn json(graph: &ResourceGraph) -> String {
    let described = |node: &Node| {
        let needs = node.needs.iter();
        let needs: Vec<&str> = needs.map(|&need| &*graph.nodes[need].address).collect();
        let mut json = json!(node);
        match node.fate {
            None => {}
            Some(Fate::Planned(action)) => json["actions"] = json!(actions(action)),
            Some(Fate::Deferred(action)) => {
                json["actions"] = json!(actions(action));
                json["deferred"] = json!(true);
            }
        }
        json["depends_on"] = json!(needs);
        json
    };
    let (modules, resources): (Vec<_>, Vec<_>) =
        graph.nodes.iter().partition(|node| node.mode == MODULE);
    let [modules, resources] =
        [modules, resources].map(|nodes| nodes.into_iter().map(described).collect::<Vec<_>>());
    let mut document = json!({ "format_version": "1.0", "resources": resources });
    if !modules.is_empty() {
        document["deferred_modules"] = json!(modules);
    }
    harmless_json(format!("{document}\n"))
}
