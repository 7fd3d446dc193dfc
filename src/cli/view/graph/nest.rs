//! Modules as boxes around their resources: each module is laid out by itself, then takes its place as one box of the module around it.

use std::collections::{BTreeSet, HashMap};

use terrane_core::addr::ModuleAddr;

use super::layout::{Layout, Pair, WIDE, Way, layout};
use super::reduce::reduced;
use super::{Node, ResourceGraph};
use crate::view::printable::{fitted, one_line};

/// Pixels: a character of a name, one of the line above it, a resource's box, the room in a module's box.
const CHARACTER: f64 = 6.7;
const SMALL_CHARACTER: f64 = 5.5;
const HEIGHT: f64 = 36.0;
const PADDING: f64 = 8.0;
const INSET: f64 = 14.0;
const HEADING: f64 = 22.0;
/// Longer names give way in their middle; the whole one is in the box's title.
const LONGEST: usize = 36;

/// A rectangle: its upper left corner, and its size.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rectangle {
    pub(super) corner: Pair,
    pub(super) size: Pair,
}

/// What stands in a resource's box.
pub(super) struct Label {
    /// The type.
    pub(super) kind: String,
    /// The sign of the action and the name.
    pub(super) name: String,
}

/// An arrow, and what it stands for.
pub(super) struct Arrow {
    pub(super) way: Way,
    /// From a dependency to a dependent each.
    pub(super) between: Vec<(usize, usize)>,
}

/// A picture without colours.
pub(super) struct Nest {
    pub(super) resources: Vec<(Rectangle, Label)>,
    /// Modules from the outside to the inside, each with its name.
    pub(super) modules: Vec<(Rectangle, String)>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) size: Pair,
}

/// A thing in a module.
#[derive(Debug, Clone, Copy)]
enum Member {
    Resource(usize),
    Module(usize),
}

/// A module that is laid out.
#[derive(Default)]
struct Frame {
    path: ModuleAddr,
    /// The module around it, and its place there.
    around: Option<(usize, usize)>,
    members: Vec<Member>,
    /// By member, the members that it needs, directly or in what it holds.
    needs: Vec<Vec<usize>>,
    /// By those, the arrows of resources that go there.
    arrows: Vec<Vec<Vec<(usize, usize)>>>,
    laid_out: Layout,
    size: Pair,
}

/// Lays out a graph.
pub(super) fn nest(graph: &ResourceGraph) -> Nest {
    let needs = graph.reduced();
    let labels: Vec<Label> = graph.nodes.iter().map(Label::of).collect();
    let (mut frames, places) = frames(graph);
    connect(&mut frames, &places, &needs);
    frames.iter_mut().for_each(Frame::reduce);
    let mut sizes = vec![(0.0, HEIGHT); graph.nodes.len()];
    // What is inside is placed before what is around it.
    for place in (0..frames.len()).rev() {
        let resources = || {
            let members = frames[place].members.iter();
            members.filter_map(|member| match member {
                Member::Resource(node) => Some(*node),
                Member::Module(_) => None,
            })
        };
        let widest = resources().map(|node| labels[node].width());
        let widest = widest.fold(0.0, f64::max);
        resources().for_each(|node| sizes[node].0 = widest);
        let frame = &frames[place];
        let members = frame.members.iter().map(|member| match member {
            Member::Resource(node) => sizes[*node],
            Member::Module(inner) => frames[*inner].size,
        });
        let laid_out = layout(&members.collect::<Vec<_>>(), &frame.needs, WIDE);
        let least = width(&heading(&frame.path), CHARACTER);
        let frame = &mut frames[place];
        frame.size = (
            laid_out.size.0.max(least) + 2.0 * INSET,
            laid_out.size.1 + HEADING + INSET,
        );
        frame.laid_out = laid_out;
    }
    let boxes = sizes.into_iter().zip(labels);
    let mut picture = Nest {
        resources: boxes
            .map(|(size, label)| {
                let corner = (0.0, 0.0);
                (Rectangle { corner, size }, label)
            })
            .collect(),
        modules: Vec::with_capacity(frames.len()),
        arrows: Vec::new(),
        size: frames.first().map_or((0.0, 0.0), |root| root.size),
    };
    picture.place(frames);
    picture
}

/// The modules of a graph, each before those in it, and by resource its module and its place there.
fn frames(graph: &ResourceGraph) -> (Vec<Frame>, Vec<(usize, usize)>) {
    let mut frames = vec![Frame::default()];
    let mut known: HashMap<ModuleAddr, usize> = HashMap::from([(ModuleAddr::root(), 0)]);
    let mut places = Vec::with_capacity(graph.nodes.len());
    for (node, of_node) in graph.nodes.iter().enumerate() {
        let mut frame = 0;
        let mut path = ModuleAddr::root();
        for step in of_node.path.steps() {
            path = path.child(step.name.clone(), step.key.clone());
            frame = *known.entry(path.clone()).or_insert_with(|| {
                let new = frames.len();
                let place = frames[frame].members.len();
                frames[frame].members.push(Member::Module(new));
                frames.push(Frame {
                    path: path.clone(),
                    around: Some((frame, place)),
                    ..Frame::default()
                });
                new
            });
        }
        places.push((frame, frames[frame].members.len()));
        frames[frame].members.push(Member::Resource(node));
    }
    for frame in &mut frames {
        frame.needs = vec![Vec::new(); frame.members.len()];
        frame.arrows = vec![Vec::new(); frame.members.len()];
    }
    (frames, places)
}

/// Gives each arrow to the innermost module around both of its ends.
fn connect(frames: &mut [Frame], places: &[(usize, usize)], needs: &[Vec<usize>]) {
    let mut known: HashMap<(usize, usize, usize), usize> = HashMap::new();
    for (node, needs) in needs.iter().enumerate() {
        for &need in needs {
            let (mut from, mut to) = (places[need], places[node]);
            // A module comes after the one around it: the later of two different ones cannot be around both.
            while from.0 != to.0 {
                let is_exit = from.0 > to.0;
                let inner = if is_exit { &mut from } else { &mut to };
                match frames[inner.0].around {
                    Some(around) => *inner = around,
                    None => break,
                }
            }
            let frame = &mut frames[to.0];
            let next = frame.needs[to.1].len();
            let place = *known.entry((to.0, to.1, from.1)).or_insert(next);
            if place == next {
                frame.needs[to.1].push(from.1);
                frame.arrows[to.1].push(Vec::new());
            }
            frame.arrows[to.1][place].push((need, node));
        }
    }
}

impl Frame {
    /// Leaves out the arrows from and to modules that follow from others here.
    fn reduce(&mut self) {
        let reduced = reduced(&self.needs);
        for (member, kept) in reduced.into_iter().enumerate() {
            let kept: BTreeSet<usize> = kept.into_iter().collect();
            let is_module = |place: usize| matches!(self.members[place], Member::Module(_));
            let needs = std::mem::take(&mut self.needs[member]);
            let arrows = std::mem::take(&mut self.arrows[member]);
            let both = needs.into_iter().zip(arrows);
            let stays = both.filter(|(need, _)| {
                kept.contains(need) || !(is_module(*need) || is_module(member))
            });
            (self.needs[member], self.arrows[member]) = stays.unzip();
        }
    }
}

impl Nest {
    /// From the outside to the inside: a module's corner is known before those of its members.
    fn place(&mut self, frames: Vec<Frame>) {
        let mut corners = vec![(0.0, 0.0); frames.len()];
        for (index, frame) in frames.into_iter().enumerate() {
            let (corner, size) = (corners[index], frame.size);
            let name = heading(&frame.path);
            self.modules.push((Rectangle { corner, size }, name));
            let inside = (corner.0 + INSET, corner.1 + HEADING);
            for (member, (x, y)) in frame.members.iter().zip(&frame.laid_out.corners) {
                let corner = (inside.0 + x, inside.1 + y);
                match member {
                    Member::Module(inner) => corners[*inner] = corner,
                    Member::Resource(node) => self.resources[*node].0.corner = corner,
                }
            }
            let ways = frame.laid_out.ways.iter().flatten();
            let arrows = ways.zip(frame.arrows.into_iter().flatten());
            self.arrows.extend(arrows.map(|(way, between)| Arrow {
                way: way.moved(inside),
                between,
            }));
        }
    }
}

impl Label {
    fn of(node: &Node) -> Self {
        let sign = node.look().sign;
        let (kind, name) = node.kind_and_name();
        let name = fitted(&one_line(name), LONGEST);
        Self {
            kind: fitted(&one_line(&kind), LONGEST),
            name: match sign.is_empty() {
                true => name,
                false => format!("{sign} {name}"),
            },
        }
    }

    fn width(&self) -> f64 {
        width(&self.name, CHARACTER).max(width(&self.kind, SMALL_CHARACTER))
    }
}

/// The name of a module's box: its last part, for the others are around it.
fn heading(path: &ModuleAddr) -> String {
    let Some(step) = path.steps().last() else {
        return String::new();
    };
    let key = step.key.as_ref().map(ToString::to_string);
    let name = format!("module.{}{}", step.name, key.unwrap_or_default());
    fitted(&one_line(&name), LONGEST)
}

fn width(text: &str, character: f64) -> f64 {
    let columns = console::measure_text_width(text);
    // Texts are cut long before a number of columns is too large for this.
    columns as f64 * character + 2.0 * PADDING
}

/// Where a text begins in its box.
pub(super) const TEXT: f64 = PADDING;
