//! Modules as boxes around their resources: each module is laid out by itself, then takes its place as one box of the module around it.

use std::collections::{BTreeSet, HashMap};

use terrane_core::addr::ModuleAddr;

use super::ResourceGraph;
use super::layout::{Layout, Pair, Tile, layout};
use super::reduce::reduced;
use crate::view::printable::{fitted, one_line};

/// More resources than that, and arrows between modules are drawn once for each two boxes.
const BUNDLED: usize = 100;

/// Pixels: a character of the font, a resource's box, the room in a module's box.
const CHARACTER: f64 = 6.7;
const HEIGHT: f64 = 24.0;
const PADDING: f64 = 8.0;
const INSET: f64 = 14.0;
const HEADING: f64 = 22.0;
/// Longer names give way in their middle; the whole one is in the box's title.
const LONGEST: usize = 38;

/// A rectangle: its upper left corner, and its size.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rectangle {
    pub(super) corner: Pair,
    pub(super) size: Pair,
}

impl Rectangle {
    fn left(self, y: f64) -> Pair {
        (self.corner.0, y)
    }

    fn right(self, y: f64) -> Pair {
        (self.corner.0 + self.size.0, y)
    }

    /// The height of its middle.
    fn middle(self) -> f64 {
        self.corner.1 + self.size.1 / 2.0
    }
}

/// A picture without colours.
pub(super) struct Nest {
    /// By resource: its box and the name in it.
    pub(super) resources: Vec<(Rectangle, String)>,
    /// Modules from the outside to the inside, each with its name.
    pub(super) modules: Vec<(Rectangle, String)>,
    /// The points of each arrow, from a dependency to a dependent.
    pub(super) arrows: Vec<Vec<Pair>>,
    pub(super) size: Pair,
    /// Whether arrows between modules stand for several.
    pub(super) is_bundled: bool,
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
    /// By member: whether an arrow comes to it from outside of this module, and whether one goes outside.
    gates: Vec<(bool, bool)>,
    laid_out: Layout,
    size: Pair,
}

/// Lays out a graph.
pub(super) fn nest(graph: &ResourceGraph) -> Nest {
    let needs = graph.reduced();
    let is_bundled = graph.nodes.len() > BUNDLED;
    let names: Vec<String> = graph.nodes.iter().map(label).collect();
    let (mut frames, places) = frames(graph);
    connect(&mut frames, &places, &needs);
    if is_bundled {
        frames.iter_mut().for_each(Frame::bundle);
    }
    // What is inside is placed before what is around it.
    for place in (0..frames.len()).rev() {
        let frame = &frames[place];
        let members = frame.members.iter();
        let widest = members.filter_map(|member| match member {
            Member::Resource(node) => Some(width(&names[*node])),
            Member::Module(_) => None,
        });
        let widest = widest.fold(0.0, f64::max);
        let sizes = frame.members.iter().map(|member| match member {
            Member::Resource(_) => (widest, HEIGHT),
            Member::Module(inner) => frames[*inner].size,
        });
        // An arrow between modules ends at their boxes.
        let boxes = sizes.zip(&frame.gates).map(|(size, gates)| Tile {
            size,
            enters: gates.0 && !is_bundled,
            leaves: gates.1 && !is_bundled,
        });
        let laid_out = layout(&boxes.collect::<Vec<_>>(), &frame.needs);
        let least = width(&heading(&frame.path));
        let frame = &mut frames[place];
        frame.size = (
            laid_out.size.0.max(least) + 2.0 * INSET,
            laid_out.size.1 + HEADING + INSET,
        );
        frame.laid_out = laid_out;
    }
    let mut picture = Nest {
        resources: names
            .into_iter()
            .map(|name| (Rectangle::default(), name))
            .collect(),
        modules: Vec::with_capacity(frames.len()),
        arrows: Vec::new(),
        size: frames.first().map_or((0.0, 0.0), |root| root.size),
        is_bundled,
    };
    picture.place(&frames);
    picture.draw(&frames, &places);
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
        frame.gates = vec![(false, false); frame.members.len()];
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
                let frame = &mut frames[inner.0];
                match is_exit {
                    true => frame.gates[inner.1].1 = true,
                    false => frame.gates[inner.1].0 = true,
                }
                match frame.around {
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
    /// Leaves out the arrows between modules that follow from others there.
    fn bundle(&mut self) {
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
    fn place(&mut self, frames: &[Frame]) {
        let mut corners = vec![(0.0, 0.0); frames.len()];
        for (index, frame) in frames.iter().enumerate() {
            let corner = corners[index];
            let size = frame.size;
            self.modules
                .push((Rectangle { corner, size }, heading(&frame.path)));
            for (member, (x, y)) in frame.members.iter().zip(&frame.laid_out.corners) {
                let corner = (corner.0 + INSET + x, corner.1 + HEADING + y);
                match member {
                    Member::Module(inner) => corners[*inner] = corner,
                    Member::Resource(node) => {
                        self.resources[*node].0.corner = corner;
                    }
                }
            }
            let widths = frame.members.iter().filter_map(|member| match member {
                Member::Resource(node) => Some(width(&self.resources[*node].1)),
                Member::Module(_) => None,
            });
            let widest = widths.fold(0.0, f64::max);
            for member in &frame.members {
                if let Member::Resource(node) = member {
                    self.resources[*node].0.size = (widest, HEIGHT);
                }
            }
        }
    }

    fn draw(&mut self, frames: &[Frame], places: &[(usize, usize)]) {
        for (index, frame) in frames.iter().enumerate() {
            for (to, needs) in frame.needs.iter().enumerate() {
                for (which, &from) in needs.iter().enumerate() {
                    let bends = self.within(index, &frame.laid_out.bends[to][which]);
                    if self.is_bundled {
                        let [from, to] = [from, to].map(|it| self.around(frame.members[it]));
                        let mut points = vec![from.right(from.middle())];
                        points.extend(bends);
                        points.push(to.left(to.middle()));
                        self.arrows.push(points);
                        continue;
                    }
                    for &(need, node) in &frame.arrows[to][which] {
                        let mut points = self.way_out(frames, places[need], index, need);
                        points.extend(&bends);
                        points.extend(self.way_in(frames, places[node], index, node));
                        self.arrows.push(points);
                    }
                }
            }
        }
    }

    /// Points of a module's layout, in the picture.
    fn within(&self, frame: usize, points: &[Pair]) -> Vec<Pair> {
        let (x, y) = self.modules[frame].0.corner;
        let points = points.iter();
        points
            .map(|point| (x + INSET + point.0, y + HEADING + point.1))
            .collect()
    }

    fn around(&self, member: Member) -> Rectangle {
        match member {
            Member::Resource(node) => self.resources[node].0,
            Member::Module(frame) => self.modules[frame].0,
        }
    }

    /// From a resource out of every module around it that lies in that one.
    fn way_out(
        &self,
        frames: &[Frame],
        (mut frame, mut member): (usize, usize),
        outside: usize,
        node: usize,
    ) -> Vec<Pair> {
        let from = self.resources[node].0;
        let mut y = from.middle();
        let mut points = vec![from.right(y)];
        while frame != outside
            && let Some(around) = frames[frame].around
        {
            points.extend(self.within(frame, &frames[frame].laid_out.exits[member]));
            y = points.last().map_or(y, |point| point.1);
            points.push(self.modules[frame].0.right(y));
            (frame, member) = around;
        }
        points
    }

    /// The same way in.
    fn way_in(
        &self,
        frames: &[Frame],
        (mut frame, mut member): (usize, usize),
        outside: usize,
        node: usize,
    ) -> Vec<Pair> {
        let to = self.resources[node].0;
        let mut y = to.middle();
        let mut points = vec![to.left(y)];
        while frame != outside
            && let Some(around) = frames[frame].around
        {
            let entry = self.within(frame, &frames[frame].laid_out.entries[member]);
            points.extend(entry.into_iter().rev());
            y = points.last().map_or(y, |point| point.1);
            points.push(self.modules[frame].0.left(y));
            (frame, member) = around;
        }
        points.reverse();
        points
    }
}

/// The text in a resource's box.
fn label(node: &super::Node) -> String {
    let sign = super::paint::look(node.action).sign;
    let name = fitted(&one_line(&node.name), LONGEST);
    match sign.is_empty() {
        true => name,
        false => format!("{sign} {name}"),
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

fn width(text: &str) -> f64 {
    let columns = console::measure_text_width(text);
    // Texts are cut long before a number of columns is too large for this.
    columns as f64 * CHARACTER + 2.0 * PADDING
}

/// Where a text begins in its box.
pub(super) const TEXT: f64 = PADDING;
