//! The graph for other programs: Graphviz, Mermaid, JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::ResourceGraph;
use crate::view::printable::{harmless_json, quoted};

/// For Graphviz: a cluster a module, arrows from each dependency to its dependents.
pub(crate) fn dot(graph: &ResourceGraph) -> String {
    let mut text = String::from(
        "digraph {\n  rankdir = LR\n  node [shape = box, fontname = \"sans-serif\"]\n",
    );
    for (place, (module, members)) in graph.modules().into_iter().enumerate() {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let _ = writeln!(
                text,
                "  subgraph cluster_{place} {{\n    label = {}",
                quoted(module)
            );
        }
        for member in members {
            let node = &graph.nodes[member];
            let style = if node.mode == "data" {
                ", style = dashed"
            } else {
                ""
            };
            let (address, name) = (quoted(&node.address), quoted(&node.name));
            let _ = writeln!(text, "{indent}{address} [label = {name}{style}]");
        }
        if !module.is_empty() {
            text.push_str("  }\n");
        }
    }
    for (node, needs) in graph.reduced().iter().enumerate() {
        for &need in needs {
            let (from, to) = (&graph.nodes[need].address, &graph.nodes[node].address);
            let _ = writeln!(text, "  {} -> {}", quoted(from), quoted(to));
        }
    }
    text.push_str("}\n");
    text
}

/// For Markdown pages.
pub(crate) fn mermaid(graph: &ResourceGraph) -> String {
    let mut text = String::from("graph LR\n");
    for (place, (module, members)) in graph.modules().into_iter().enumerate() {
        let indent = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let _ = writeln!(text, "  subgraph m{place}[\"{}\"]", entities(module));
        }
        for member in members {
            let _ = writeln!(
                text,
                "{indent}n{member}[\"{}\"]",
                entities(&graph.nodes[member].name)
            );
        }
        if !module.is_empty() {
            text.push_str("  end\n");
        }
    }
    for (node, needs) in graph.reduced().iter().enumerate() {
        for &need in needs {
            let _ = writeln!(text, "  n{need} --> n{node}");
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
            '.' | '_' | '-' | ' ' | '[' | ']' | '/' | ':' => safe.push(character),
            character => {
                let _ = write!(safe, "#{};", u32::from(character));
            }
        }
    }
    safe
}

/// For programs: every resource with everything that it depends on directly.
pub(crate) fn json(graph: &ResourceGraph) -> String {
    let resources: Vec<_> = graph
        .nodes
        .iter()
        .map(|node| {
            let needs: Vec<&str> = node
                .needs
                .iter()
                .map(|&need| &*graph.nodes[need].address)
                .collect();
            let mut json = json!(node);
            json["depends_on"] = json!(needs);
            json
        })
        .collect();
    let document = json!({ "format_version": "1.0", "resources": resources });
    harmless_json(format!("{document}\n"))
}
