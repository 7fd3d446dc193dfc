//! The graph as a picture that a browser shows: boxes in the colours of their actions, modules around them, a legend below.

use std::fmt::Write as _;

use super::nest::{Label, Nest, Rectangle, TEXT, nest};
use super::paint::{FATES, look};
use super::{MODULE, Node, ResourceGraph};
use crate::view::printable::{one_line, printable, shortened};

const MARGIN: f64 = 16.0;
/// The lines below the picture.
const LEGEND: f64 = 62.0;
/// The legend needs that much room beside it.
const NARROWEST: f64 = 760.0;
/// A title has room for that much of an address.
const LONGEST: usize = 1_000;
/// The title of an arrow between modules names so many of those that it stands for.
const TOLD: usize = 12;

/// A whole SVG document.
pub(crate) fn svg(graph: &ResourceGraph) -> String {
    let picture = nest(graph);
    let width = picture.size.0.max(NARROWEST) + 2.0 * MARGIN;
    let height = picture.size.1 + LEGEND + 2.0 * MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"11\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 1L7 4L0 7z\" fill=\"#77808f\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\">\n"
    );
    modules(&picture, &mut text);
    arrows(graph, &picture, &mut text);
    for (node, (place, label)) in graph.nodes.iter().zip(&picture.resources) {
        resource(node, *place, label, &mut text);
    }
    legend(graph, &picture, &mut text);
    text.push_str("</g>\n</svg>\n");
    text
}

fn modules(picture: &Nest, text: &mut String) {
    // The first one is the root, which has no box.
    for (Rectangle { corner, size }, name) in picture.modules.iter().skip(1) {
        let ((x, y), (width, height)) = (corner, size);
        let (left, line) = (x + TEXT, y + 14.0);
        let name = escape(name);
        let _ = writeln!(
            text,
            "<g class=\"module\"><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\" \
             fill=\"#3b6fd4\" fill-opacity=\"0.05\" stroke=\"#8fa3c8\"/>\
             <text x=\"{left:.1}\" y=\"{line:.1}\" fill=\"#33518f\" font-weight=\"bold\">{name}</text></g>"
        );
    }
}

fn arrows(graph: &ResourceGraph, picture: &Nest, text: &mut String) {
    text.push_str(
        "<g fill=\"none\" stroke=\"#77808f\" stroke-opacity=\"0.75\" marker-end=\"url(#tip)\">\n",
    );
    for arrow in &picture.arrows {
        let name = |node: usize| title(&graph.nodes[node].address);
        let mut about = String::new();
        for (place, (need, node)) in arrow.between.iter().take(TOLD).enumerate() {
            let gap = if place == 0 { "" } else { "&#10;" };
            let _ = write!(about, "{gap}{} → {}", name(*need), name(*node));
        }
        if arrow.between.len() > TOLD {
            let _ = write!(about, "&#10;and {} more", arrow.between.len() - TOLD);
        }
        let path = arrow.way.path();
        let _ = writeln!(text, "<path d=\"{path}\"><title>{about}</title></path>");
    }
    text.push_str("</g>\n");
}

fn resource(node: &Node, place: Rectangle, label: &Label, text: &mut String) {
    let Rectangle {
        corner: (x, y),
        size: (width, height),
    } = place;
    let look = node.look();
    let dashes = match node.mode {
        "managed" | MODULE => "",
        _ => " stroke-dasharray=\"4 3\"",
    };
    let address = title(&node.address);
    let mut about = String::new();
    let word = Some(look.word).filter(|word| !word.is_empty());
    for line in [word, node.declared.as_deref()].into_iter().flatten() {
        let _ = write!(about, "&#10;{}", title(line));
    }
    let (left, line) = (x + TEXT, y + height - 10.0);
    let above = y + 13.0;
    let (fill, stroke) = (look.fill, look.line);
    let ink = match look.class {
        "kept" => "#5b6472",
        _ => "#1c2230",
    };
    let (kind, name) = (escape(&label.kind), escape(&label.name));
    let _ = writeln!(
        text,
        "<g class=\"{}\" data-address=\"{address}\"><title>{address}{about}</title>\
         <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" rx=\"4\" fill=\"{fill}\" stroke=\"{stroke}\"{dashes}/>\
         <text x=\"{left:.1}\" y=\"{above:.1}\" fill=\"#5b6472\" font-size=\"9\">{kind}</text>\
         <text x=\"{left:.1}\" y=\"{line:.1}\" fill=\"{ink}\" xml:space=\"preserve\">{name}</text></g>",
        look.class
    );
}

/// What the colours and the arrows mean.
fn legend(graph: &ResourceGraph, picture: &Nest, text: &mut String) {
    let mut y = picture.size.1 + 14.0;
    if graph.is_plan {
        let mut x = 0.0;
        let _ = write!(text, "<g>");
        for look in FATES.map(|fate| look(Some(fate))) {
            let nodes = graph.nodes.iter();
            let count = nodes.filter(|node| node.look() == look).count();
            if count == 0 {
                continue;
            }
            let (fill, line) = (look.fill, look.line);
            let words = escape(format!("{} {} {count}", look.sign, look.word).trim());
            let _ = write!(
                text,
                "<rect x=\"{x:.0}\" y=\"{y:.1}\" width=\"14\" height=\"14\" rx=\"3\" fill=\"{fill}\" stroke=\"{line}\"/>\
                 <text x=\"{:.0}\" y=\"{:.1}\" fill=\"#1c2230\">{words}</text>",
                x + 20.0,
                y + 11.0
            );
            x += 122.0;
        }
        text.push_str("</g>\n");
        y += 22.0;
    }
    let mut notes = vec![
        "An arrow leads to what needs its source; arrows that follow from others are left out. Dashed: read, not managed.",
    ];
    if picture.modules.len() > 1 {
        notes.push("An arrow from or to a module stands for all of its resources; its title, under the pointer, names them.");
    }
    for note in notes {
        let line = y + 11.0;
        let _ = writeln!(text, "<text y=\"{line:.1}\" fill=\"#5b6472\">{note}</text>");
        y += 15.0;
    }
}

/// An address or a place in a title.
fn title(line: &str) -> String {
    escape(&one_line(&shortened(line, LONGEST)))
}

/// Text inside XML, without anything that a terminal or a CI obeys, or that XML cannot hold.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            character => safe.push(character),
        }
    }
    safe
}
