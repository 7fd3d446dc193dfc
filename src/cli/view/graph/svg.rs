//! The graph as a picture that a browser shows: columns from left to right, a colour a module.

use std::fmt::Write as _;

use super::ResourceGraph;
use super::layout::{BOX_HEIGHT, layout};
use crate::view::printable::printable;

/// Width of one character of the font, in pixels.
const CHARACTER: f64 = 6.7;
const PADDING: f64 = 10.0;
const COLUMN_GAP: f64 = 56.0;
const MARGIN: f64 = 24.0;

/// Fill and stroke of modules, in turn.
const COLOURS: [(&str, &str); 8] = [
    ("#eef4ff", "#3b6fd4"),
    ("#effaf0", "#2f8f46"),
    ("#fff5e8", "#c77a12"),
    ("#fdeef4", "#c23b7a"),
    ("#f3effc", "#7550c8"),
    ("#ecf9fa", "#17808c"),
    ("#fbf7e3", "#97831a"),
    ("#f3f3f5", "#6a6f7a"),
];

/// A whole SVG document.
pub(crate) fn svg(graph: &ResourceGraph) -> String {
    let layout = layout(graph, &graph.reduced());
    let width_of = |text: &str| text.chars().count() as f64 * CHARACTER + 2.0 * PADDING;
    let mut widths = vec![0.0_f64; layout.columns];
    for (node, (column, _)) in graph.nodes.iter().zip(&layout.places) {
        let width = width_of(&node.name).max(width_of(&node.module));
        widths[*column] = widths[*column].max(width);
    }
    let mut lefts = Vec::with_capacity(widths.len());
    let mut right = MARGIN;
    for width in &widths {
        lefts.push(right);
        right += width + COLUMN_GAP;
    }
    let (width, height) = (right - COLUMN_GAP + MARGIN, layout.height + 2.0 * MARGIN);
    let width = width.max(2.0 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <g fill=\"none\" stroke=\"#9aa3b2\" stroke-width=\"1.1\">\n"
    );
    for (from, to, bends) in &layout.edges {
        let (from_column, from_y) = layout.places[*from];
        let (to_column, to_y) = layout.places[*to];
        let (mut x, mut y) = (lefts[from_column] + widths[from_column], from_y + MARGIN);
        let _ = write!(text, "<path d=\"M{x:.1} {y:.1}");
        let mut curve = |to_x: f64, to_y: f64| {
            let middle = (x + to_x) / 2.0;
            let _ = write!(
                text,
                " C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}"
            );
            (x, y) = (to_x, to_y);
        };
        for (column, bend) in bends {
            let bend = bend + MARGIN;
            curve(lefts[*column], bend);
            curve(lefts[*column] + widths[*column], bend);
        }
        curve(lefts[to_column], to_y + MARGIN);
        text.push_str("\"/>\n");
    }
    text.push_str("</g>\n");
    let modules = graph.modules();
    let mut colours = vec![COLOURS[0]; graph.nodes.len()];
    for (place, (_, members)) in modules.iter().enumerate() {
        for &member in members {
            colours[member] = COLOURS[place % COLOURS.len()];
        }
    }
    for ((node, (column, y)), (fill, stroke)) in graph.nodes.iter().zip(&layout.places).zip(colours)
    {
        let (x, y, width) = (lefts[*column], y + MARGIN, widths[*column]);
        let top = y - BOX_HEIGHT / 2.0;
        let dashes = if node.mode == "data" {
            " stroke-dasharray=\"4 3\""
        } else {
            ""
        };
        let (address, name) = (escape(&node.address), escape(&node.name));
        let declared = escape(&node.declared);
        let _ = writeln!(
            text,
            "<g><title>{address}&#10;{declared}</title>\
             <rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BOX_HEIGHT}\" rx=\"5\" fill=\"{fill}\" stroke=\"{stroke}\"{dashes}/>"
        );
        let left = x + PADDING;
        if node.module.is_empty() {
            let _ = writeln!(
                text,
                "<text x=\"{left:.1}\" y=\"{:.1}\" fill=\"#1c2230\">{name}</text></g>",
                y + 4.0
            );
        } else {
            let module = escape(&node.module);
            let _ = writeln!(
                text,
                "<text x=\"{left:.1}\" y=\"{:.1}\" fill=\"{stroke}\" font-size=\"9\">{module}</text>\
                 <text x=\"{left:.1}\" y=\"{:.1}\" fill=\"#1c2230\">{name}</text></g>",
                y - 6.0,
                y + 10.0
            );
        }
    }
    text.push_str("</svg>\n");
    text
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
