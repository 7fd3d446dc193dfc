//! The resources of a plan and their dependencies: a picture of them, and data for the script that lights them up.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use serde_json::json;
use terrane_core::addr::ModuleAddr;

use super::escape::{self, Html, Links, json};
use crate::view::ShownPlan;
use crate::view::graph::{Fate, Node, ResourceGraph, layout};
use crate::view::printable::{counted, one_line};

/// More boxes than this are no picture that a person can read.
const MOST: usize = 400;

/// How wide characters of the two lines of a box are, in pixels, and how many of them have room.
const NAME_WIDTH: f64 = 7.3;
const TOP_WIDTH: f64 = 6.1;
const LONGEST: usize = 36;
const PADDING: f64 = 12.0;
const BOX_HEIGHT: f64 = 40.0;
const MARGIN: f64 = 12.0;

/// The resources of a plan: those that the program declares, and those that go away.
pub(super) struct PlanGraph(ResourceGraph);

/// A part of them that can be looked at.
struct Picture {
    graph: ResourceGraph,
    boxes: Vec<Label>,
    caption: String,
}

/// A box.
struct Label {
    top: String,
    name: String,
    title: String,
    /// The verb of its action, or `deferred`.
    verb: Option<&'static str>,
    /// The id of the element that it leads to.
    target: Option<String>,
    /// The name of the attribute by which the script knows it, and its number.
    number: (&'static str, usize),
}

impl PlanGraph {
    /// Of a plan.
    pub(super) fn of(shown: &ShownPlan<'_>) -> Self {
        let mut graph = ResourceGraph::of_plan(shown.program, shown.plan);
        for node in &mut graph.nodes {
            for text in [&mut node.address, &mut node.module, &mut node.name] {
                *text = one_line(text);
            }
        }
        Self(graph)
    }

    /// The section; nothing where no change has a place in it.
    pub(super) fn section(&self, links: &Links, modules: &[String]) -> String {
        if links.is_empty() || self.0.nodes.is_empty() {
            return String::new();
        }
        let picture = self.picture(links, modules);
        let mut html =
            String::from("<section id=\"graph\"><h2>Graph</h2>\n<div class=\"picture\">");
        let caption = match &picture {
            Some(picture) => {
                svg(picture, &mut html);
                &picture.caption
            }
            None => "too many resources for a picture: open a change to see its neighbours",
        };
        let _ = write!(
            html,
            "</div>\n<p class=\"caption\">{caption}</p></section>\n<script type=\"application/json\" id=\"data\">{}</script>\n",
            self.data(links)
        );
        html
    }

    /// For each resource its address, its change (-1: it stays as it is; -2: it is planned later), what it needs, and the number of its module.
    fn data(&self, links: &Links) -> String {
        let mut modules = vec![0; self.0.nodes.len()];
        for (module, (_, members)) in self.0.modules().iter().enumerate() {
            members.iter().for_each(|&member| modules[member] = module);
        }
        let nodes = self.0.nodes.iter().zip(modules).map(|(node, module)| {
            let change = links.change(&node.address).map(|(change, _)| change);
            let change = match (change, node.fate) {
                (Some(change), _) => json!(change),
                (None, Some(Fate::Deferred(_))) => json!(-2),
                (None, _) => json!(-1),
            };
            json!([escape::brief(&node.address), change, node.needs, module])
        });
        json(&nodes.collect::<Vec<_>>())
    }

    /// All resources, or what changes and its neighbours, or what changes, or modules: the most of it that can be read.
    fn picture(&self, links: &Links, modules: &[String]) -> Option<Picture> {
        let nodes = &self.0.nodes;
        let all = nodes.len();
        if all <= MOST {
            return Some(self.part(links, (0..all).collect(), counted(all, "resource")));
        }
        let is_changed = |node: &usize| links.change(&nodes[*node].address).is_some();
        let changed: HashSet<usize> = (0..all).filter(is_changed).collect();
        let mut near = changed.clone();
        for (node, of) in nodes.iter().enumerate() {
            for need in &of.needs {
                if changed.contains(&node) {
                    near.insert(*need);
                }
                if changed.contains(need) {
                    near.insert(node);
                }
            }
        }
        for (kept, what) in [(near, "changes and their neighbours"), (changed, "changes")] {
            if kept.len() <= MOST {
                let mut kept: Vec<usize> = kept.into_iter().collect();
                kept.sort_unstable();
                let caption = format!("{what}: {} of {}", kept.len(), counted(all, "resource"));
                return Some(self.part(links, kept, caption));
            }
        }
        let picture = self.modules(links, modules);
        (picture.boxes.len() <= MOST).then_some(picture)
    }

    fn part(&self, links: &Links, kept: Vec<usize>, caption: String) -> Picture {
        let places: HashMap<usize, usize> = kept.iter().copied().zip(0..).collect();
        let nodes = kept.iter().map(|&node| {
            let mut node = self.0.nodes[node].clone();
            node.needs = node
                .needs
                .iter()
                .filter_map(|need| places.get(need).copied())
                .collect();
            node
        });
        let graph = ResourceGraph {
            nodes: nodes.collect(),
            is_plan: false,
        };
        let boxes = graph.nodes.iter().zip(kept).map(|(node, number)| {
            let change = links.change(&node.address);
            let (kind, name) = node.kind_and_name();
            let is_deferred = matches!(node.fate, Some(Fate::Deferred(_)));
            let module = node.module.replace("module.", "");
            let top = match module.is_empty() {
                true => kind,
                false => format!("{module} · {kind}"),
            };
            Label {
                top,
                name: name.to_owned(),
                title: node.address.clone(),
                verb: change
                    .map(|(_, verb)| verb)
                    .or(is_deferred.then_some("deferred")),
                target: change.map(|(change, _)| format!("c{change}")),
                number: ("data-node", number),
            }
        });
        Picture {
            boxes: boxes.collect(),
            graph,
            caption,
        }
    }

    fn modules(&self, links: &Links, ids: &[String]) -> Picture {
        let ids: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
        let modules = self.0.modules();
        let mut place = vec![0; self.0.nodes.len()];
        for (module, (_, members)) in modules.iter().enumerate() {
            members.iter().for_each(|&member| place[member] = module);
        }
        let (mut nodes, mut boxes) = (Vec::new(), Vec::new());
        for (number, (address, members)) in modules.iter().enumerate() {
            let mut verbs: BTreeMap<&'static str, usize> = BTreeMap::new();
            let mut needs = Vec::new();
            for &member in members {
                let node = &self.0.nodes[member];
                if let Some((_, verb)) = links.change(&node.address) {
                    *verbs.entry(verb).or_default() += 1;
                }
                needs.extend(node.needs.iter().map(|&need| place[need]));
            }
            needs.sort_unstable();
            needs.dedup();
            needs.retain(|need| *need != number);
            let counts: Vec<String> = verbs
                .iter()
                .map(|(verb, it)| format!("{it} {verb}"))
                .collect();
            let worst = ["destroy", "replace", "forget", "update", "create", "read"];
            let name = if address.is_empty() {
                "outside of modules"
            } else {
                address
            };
            boxes.push(Label {
                top: counts.join(", "),
                name: name.to_owned(),
                title: format!("{name}: {}", counted(members.len(), "resource")),
                verb: worst.into_iter().find(|verb| verbs.contains_key(verb)),
                target: ids.get(address).map(|id| format!("m{id}")),
                number: ("data-module", number),
            });
            nodes.push(Node {
                needs,
                ..node_of(address)
            });
        }
        Picture {
            caption: format!(
                "{} of {}",
                counted(boxes.len(), "module"),
                counted(place.len(), "resource")
            ),
            graph: ResourceGraph {
                nodes,
                is_plan: false,
            },
            boxes,
        }
    }
}

/// A node of that address alone.
fn node_of(address: &str) -> Node {
    Node {
        address: address.to_owned(),
        module: String::new(),
        mode: "managed",
        type_name: String::new(),
        name: address.to_owned(),
        declared: None,
        path: ModuleAddr::root(),
        fate: None,
        needs: Vec::new(),
    }
}

/// The picture, which the page's style colours.
fn svg(picture: &Picture, html: &mut String) {
    let sizes: Vec<(f64, f64)> = picture.boxes.iter().map(Label::size).collect();
    let needs = picture.graph.reduced();
    // In its narrow place a picture is read from its left edge.
    let layout = layout(&sizes, &needs, f64::INFINITY);
    let (width, height) = layout.size;
    let (width, height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
    let _ = writeln!(
        html,
        "<svg viewBox=\"-{MARGIN} -{MARGIN} {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"group\" aria-label=\"graph of the plan\"><g class=\"edges\">"
    );
    for (to, needs) in needs.iter().enumerate() {
        for (from, way) in needs.iter().zip(&layout.ways[to]) {
            let (dependency, dependent) =
                (picture.boxes[*from].number.1, picture.boxes[to].number.1);
            let _ = writeln!(
                html,
                "<path data-from=\"{dependency}\" data-to=\"{dependent}\" d=\"{}\"/>",
                way.path()
            );
        }
    }
    html.push_str("</g>\n");
    for ((label, size), (x, y)) in picture.boxes.iter().zip(sizes).zip(layout.corners) {
        let (attribute, number) = label.number;
        let verb = label.verb.unwrap_or("unchanged");
        let (tag, end) = match &label.target {
            Some(target) => (format!("a href=\"#{target}\""), "a"),
            None => ("g".to_owned(), "g"),
        };
        let _ = writeln!(
            html,
            "<{tag} class=\"node {verb}\" {attribute}=\"{number}\"><title>{}</title>\
             <rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{:.0}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/>\
             <text class=\"top\" x=\"{:.0}\" y=\"{:.0}\">{}</text><text x=\"{:.0}\" y=\"{:.0}\">{}</text></{end}>",
            escape::name(&label.title),
            size.0,
            x + PADDING,
            y + 14.0,
            Html(&clipped(&label.top)),
            x + PADDING,
            y + 31.0,
            Html(&clipped(&label.name)),
        );
    }
    html.push_str("</svg>");
}

impl Label {
    /// The room that its box takes.
    fn size(&self) -> (f64, f64) {
        let width_of = |text: &str, width: f64| text.chars().count().min(LONGEST) as f64 * width;
        let width = width_of(&self.name, NAME_WIDTH).max(width_of(&self.top, TOP_WIDTH));
        (width + 2.0 * PADDING, BOX_HEIGHT)
    }
}

/// The beginning of a text that is too long for a box.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}
