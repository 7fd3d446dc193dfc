//! Places for boxes: those that need each other in columns or rows, with long arrows led around boxes; what has no arrow in common is packed.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::reduce::in_order;

/// Bends of more arrows than that are not looked for; they are drawn straight.
const MAX_BENDS: usize = 20_000;
/// Passes over the columns that look for fewer crossings.
const SWEEPS: usize = 8;
/// A picture is about so many times as wide as it is high.
const ASPECT: f64 = 1.6;
/// On a picture of its own, what is wider than this may flow downwards; narrower things are read from the left to the right.
pub(in crate::view) const WIDE: f64 = 1_100.0;

/// A column that is no higher than this stays whole.
const LOW: f64 = 360.0;

/// Room between boxes, in pixels.
const GAP: f64 = 10.0;
const COLUMN_GAP: f64 = 36.0;
const BEND_ROOM: f64 = 8.0;

/// A point, or a width and a height.
pub(in crate::view) type Pair = (f64, f64);

/// The direction of arrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) enum Flow {
    Right,
    Down,
}

impl Flow {
    /// The same seen from the corner: what flows down flows to the right there.
    fn turned(self, (x, y): Pair) -> Pair {
        match self {
            Self::Right => (x, y),
            Self::Down => (y, x),
        }
    }
}

/// The way of an arrow, which leaves a box in its direction and arrives in it.
#[derive(Debug, Clone)]
pub(in crate::view) struct Way {
    pub(in crate::view) flow: Flow,
    pub(in crate::view) points: Vec<Pair>,
}

impl Way {
    /// Somewhere else.
    pub(super) fn moved(&self, (x, y): Pair) -> Self {
        let points = self.points.iter();
        Self {
            flow: self.flow,
            points: points.map(|point| (x + point.0, y + point.1)).collect(),
        }
    }

    /// As the path of an SVG.
    pub(in crate::view) fn path(&self) -> String {
        let mut points = self.points.iter();
        let Some(&(mut x, mut y)) = points.next() else {
            return String::new();
        };
        let mut path = format!("M{x:.0} {y:.0}");
        for &(to_x, to_y) in points {
            let (middle_x, middle_y) = (f64::midpoint(x, to_x), f64::midpoint(y, to_y));
            let _ = match self.flow {
                Flow::Right if (y - to_y).abs() < 0.5 => write!(path, "H{to_x:.0}"),
                Flow::Down if (x - to_x).abs() < 0.5 => write!(path, "V{to_y:.0}"),
                Flow::Right => write!(
                    path,
                    "C{middle_x:.0} {y:.0} {middle_x:.0} {to_y:.0} {to_x:.0} {to_y:.0}"
                ),
                Flow::Down => write!(
                    path,
                    "C{x:.0} {middle_y:.0} {to_x:.0} {middle_y:.0} {to_x:.0} {to_y:.0}"
                ),
            };
            (x, y) = (to_x, to_y);
        }
        path
    }
}

/// Where everything is.
#[derive(Default)]
pub(in crate::view) struct Layout {
    /// The upper left corner of each box.
    pub(in crate::view) corners: Vec<Pair>,
    /// The whole picture.
    pub(in crate::view) size: Pair,
    /// The arrow to each box from each of its dependencies, in their order.
    pub(in crate::view) ways: Vec<Vec<Way>>,
}

/// Lays out boxes with these sizes and dependencies. What would be wider than `wide` may flow downwards.
pub(in crate::view) fn layout(sizes: &[Pair], needs: &[Vec<usize>], wide: f64) -> Layout {
    let mut blocks: Vec<Block> = connected(needs)
        .into_iter()
        .map(|members| Block::of(members, sizes, needs, wide))
        .collect();
    // The high ones first: a row of a packing is as high as its highest block.
    blocks.sort_by(|one, other| other.laid_out.size.1.total_cmp(&one.laid_out.size.1));
    packed(&blocks, sizes.len())
}

/// The boxes that arrows lead to from each other, in whatever direction. Each set is in order, and so are the sets.
fn connected(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut near: Vec<Vec<usize>> = needs.to_vec();
    for (node, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|&need| near[need].push(node));
    }
    let mut seen = vec![false; needs.len()];
    let mut sets = Vec::new();
    for start in 0..needs.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut set = vec![start];
        let mut next = 0;
        while let Some(&node) = set.get(next) {
            next += 1;
            for &other in &near[node] {
                if !std::mem::replace(&mut seen[other], true) {
                    set.push(other);
                }
            }
        }
        set.sort_unstable();
        sets.push(set);
    }
    sets
}

/// Connected boxes, laid out by themselves.
struct Block {
    members: Vec<usize>,
    /// By member.
    laid_out: Layout,
}

impl Block {
    fn of(members: Vec<usize>, sizes: &[Pair], needs: &[Vec<usize>], wide: f64) -> Self {
        let places: HashMap<usize, usize> = members.iter().copied().zip(0..).collect();
        let sizes: Vec<Pair> = members.iter().map(|&node| sizes[node]).collect();
        let needs: Vec<Vec<usize>> = members
            .iter()
            .map(|&node| needs[node].iter().map(|need| places[need]).collect())
            .collect();
        let mut laid_out = flowing(Flow::Right, &sizes, &needs);
        if laid_out.size.0 > wide {
            let down = flowing(Flow::Down, &sizes, &needs);
            let distance = |it: &Layout| (it.size.0 / it.size.1 / ASPECT).ln().abs();
            if distance(&down) < distance(&laid_out) {
                laid_out = down;
            }
        }
        Self { members, laid_out }
    }
}

/// Rows of blocks, one after the other as in a text.
fn packed(blocks: &[Block], count: usize) -> Layout {
    let mut layout = Layout {
        corners: vec![(0.0, 0.0); count],
        size: (0.0, 0.0),
        ways: vec![Vec::new(); count],
    };
    let sizes = blocks.iter().map(|block| block.laid_out.size);
    let area: f64 = sizes.clone().map(|(w, h)| (w + GAP) * (h + GAP)).sum();
    let widest = sizes.map(|size| size.0).fold(0.0, f64::max);
    let wide = widest.max((area * ASPECT).sqrt());
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    for Block { members, laid_out } in blocks {
        let (width, height) = laid_out.size;
        if x > 0.0 && x + width > wide + 0.5 {
            (x, y, row) = (0.0, y + row + GAP, 0.0);
        }
        for (place, &member) in members.iter().enumerate() {
            let corner = laid_out.corners[place];
            layout.corners[member] = (x + corner.0, y + corner.1);
            let ways = laid_out.ways[place].iter();
            layout.ways[member] = ways.map(|way| way.moved((x, y))).collect();
        }
        layout.size = (layout.size.0.max(x + width), layout.size.1.max(y + height));
        x += width + GAP;
        row = row.max(height);
    }
    layout
}

/// Connected boxes in columns, or in rows.
fn flowing(flow: Flow, sizes: &[Pair], needs: &[Vec<usize>]) -> Layout {
    let turned: Vec<Pair> = sizes.iter().map(|&size| flow.turned(size)).collect();
    let room = |(width, height): &Pair| (width + COLUMN_GAP) * (height + GAP);
    let area: f64 = turned.iter().map(room).sum();
    let high = match flow {
        Flow::Right => (area / ASPECT).sqrt().max(LOW),
        Flow::Down => (area * ASPECT).sqrt().max(LOW * ASPECT),
    };
    let columns = columns(&turned, needs, high);
    let mut placed = Columns::new(&columns, &turned);
    let chains = placed.connect(needs, &columns);
    placed.settle();
    let mut layout = placed.layout(flow, &turned, chains);
    for corner in &mut layout.corners {
        *corner = flow.turned(*corner);
    }
    for point in (layout.ways.iter_mut().flatten()).flat_map(|way| &mut way.points) {
        *point = flow.turned(*point);
    }
    layout.size = flow.turned(layout.size);
    layout
}

/// A box or the bend of an arrow.
struct Item {
    column: usize,
    room: f64,
    left: Vec<usize>,
    right: Vec<usize>,
    /// Its middle.
    y: f64,
}

impl Item {
    fn new(column: usize, room: f64) -> Self {
        Self {
            column,
            room,
            left: Vec::new(),
            right: Vec::new(),
            y: 0.0,
        }
    }
}

/// The box from which an arrow comes, and the bends that it leads through.
type Chain = (usize, Vec<usize>);

/// Boxes and bends in columns.
struct Columns {
    items: Vec<Item>,
    /// The items of each column, from the top.
    members: Vec<Vec<usize>>,
    /// By box and column: where the arrows from it pass. Those that lead further share their way as far as that.
    bends: HashMap<(usize, usize), usize>,
}

impl Columns {
    fn new(columns: &[usize], sizes: &[Pair]) -> Self {
        let items = columns.iter().zip(sizes);
        let count = columns.iter().map(|column| column + 1).max();
        let mut members = vec![Vec::new(); count.unwrap_or(0)];
        for (node, &column) in columns.iter().enumerate() {
            members[column].push(node);
        }
        Self {
            items: items
                .map(|(&column, size)| Item::new(column, size.1 + GAP))
                .collect(),
            members,
            bends: HashMap::new(),
        }
    }

    /// Makes the bends of the arrows to each box.
    fn connect(&mut self, needs: &[Vec<usize>], columns: &[usize]) -> Vec<Vec<Chain>> {
        let needs = needs.iter().enumerate();
        needs
            .map(|(node, needs)| {
                let needs = needs.iter();
                needs
                    .map(|&need| match columns[need] < columns[node] {
                        true => (
                            need,
                            self.chain(need, node, columns[need] + 1..columns[node]),
                        ),
                        false => (need, Vec::new()),
                    })
                    .collect()
            })
            .collect()
    }

    /// A bend in each of these columns.
    fn chain(&mut self, from: usize, to: usize, between: std::ops::Range<usize>) -> Vec<usize> {
        let mut last = from;
        let mut bends = Vec::new();
        for column in between {
            let bend = match self.bends.get(&(from, column)) {
                Some(bend) => *bend,
                None if self.bends.len() >= MAX_BENDS => continue,
                None => {
                    let bend = self.items.len();
                    self.bends.insert((from, column), bend);
                    self.members[column].push(bend);
                    self.items.push(Item::new(column, BEND_ROOM));
                    self.tie(last, bend);
                    bend
                }
            };
            bends.push(bend);
            last = bend;
        }
        self.tie(last, to);
        bends
    }

    fn tie(&mut self, left: usize, right: usize) {
        self.items[left].right.push(right);
        self.items[right].left.push(left);
    }

    /// Gives each item its height: near its neighbours, and within the height of the highest column.
    fn settle(&mut self) {
        let rooms = |members: &Vec<usize>| -> f64 {
            members.iter().map(|&index| self.items[index].room).sum()
        };
        let heights: Vec<f64> = self.members.iter().map(rooms).collect();
        let high = heights.iter().copied().fold(0.0, f64::max);
        for (column, height) in self.members.iter().zip(heights) {
            let mut y = (high - height) / 2.0;
            for &index in column {
                let item = &mut self.items[index];
                item.y = y + item.room / 2.0;
                y += item.room;
            }
        }
        let count = self.members.len();
        for sweep in 0..SWEEPS {
            let leftwards = sweep % 2 == 1;
            for step in 0..count {
                let place = if leftwards { count - 1 - step } else { step };
                settle(&mut self.items, &mut self.members[place], leftwards, high);
            }
        }
    }

    /// The places of boxes, and the ways of arrows.
    fn layout(self, flow: Flow, sizes: &[Pair], chains: Vec<Vec<Chain>>) -> Layout {
        let Self { items, members, .. } = self;
        let (mut top, mut bottom) = (f64::MAX, f64::MIN);
        for &index in members.iter().flatten() {
            let half = (items[index].room - GAP).max(0.0) / 2.0;
            top = top.min(items[index].y - half);
            bottom = bottom.max(items[index].y + half);
        }
        let mut lefts = Vec::with_capacity(members.len());
        let mut rights = Vec::with_capacity(members.len());
        let mut right = 0.0_f64;
        for column in &members {
            let boxes = column.iter().filter_map(|&index| sizes.get(index));
            let width = boxes.map(|size| size.0).fold(0.0, f64::max);
            lefts.push(right);
            rights.push(right + width);
            right += width + COLUMN_GAP;
        }
        let left_of = |node: usize| lefts[items[node].column];
        let middle_of = |index: usize| items[index].y - top;
        let corners = sizes.iter().enumerate();
        let corners = corners.map(|(node, size)| (left_of(node), middle_of(node) - size.1 / 2.0));
        let ways = chains.into_iter().enumerate().map(|(node, chains)| {
            let end = (left_of(node), middle_of(node));
            let ways = chains.into_iter().map(|(need, bends)| {
                let mut points = vec![(left_of(need) + sizes[need].0, middle_of(need))];
                for bend in bends {
                    let (column, y) = (items[bend].column, middle_of(bend));
                    points.extend([(lefts[column], y), (rights[column], y)]);
                }
                points.push(end);
                Way { flow, points }
            });
            ways.collect()
        });
        Layout {
            corners: corners.collect(),
            size: (right - COLUMN_GAP, bottom - top),
            ways: ways.collect(),
        }
    }
}

/// The column of each box, right of its dependencies. A column that is much too high becomes several.
fn columns(sizes: &[Pair], needs: &[Vec<usize>], high: f64) -> Vec<usize> {
    let order = in_order(needs);
    let mut rank = vec![0; needs.len()];
    for (place, &node) in order.iter().enumerate() {
        rank[node] = place;
    }
    // Modules may need each other in a circle; one of those arrows then leads back.
    let forward = |node: usize| {
        let needs = needs[node].iter().copied();
        needs.filter(move |&need| need != node)
    };
    let mut column = vec![0; needs.len()];
    for &node in &order {
        let before = forward(node).filter(|&need| rank[need] < rank[node]);
        column[node] = before.map(|need| column[need] + 1).max().unwrap_or(0);
    }
    // Those that have room move towards their dependents: arrows get shorter.
    let mut nearest = vec![usize::MAX; needs.len()];
    for &node in order.iter().rev() {
        if nearest[node] != usize::MAX {
            column[node] = column[node].max(nearest[node].saturating_sub(1));
        }
        for need in forward(node).filter(|&need| rank[need] < rank[node]) {
            nearest[need] = nearest[need].min(column[node]);
        }
    }
    let count = column.iter().map(|column| column + 1).max().unwrap_or(0);
    let mut members = vec![Vec::new(); count];
    for (node, &column) in column.iter().enumerate() {
        members[column].push(node);
    }
    let mut next = 0;
    for nodes in members {
        let whole: f64 = nodes.iter().map(|&node| sizes[node].1 + GAP).sum();
        // Half as high again is still no reason.
        let most = if whole > high * 1.5 { high } else { whole };
        let mut filled = 0.0;
        for node in nodes {
            let height = sizes[node].1 + GAP;
            if filled > 0.0 && filled + height > most + 0.5 {
                (filled, next) = (0.0, next + 1);
            }
            filled += height;
            column[node] = next;
        }
        next += 1;
    }
    column
}

/// Orders a column by where its neighbours are, and places each item as near to them as the others and the height allow.
fn settle(items: &mut [Item], column: &mut [usize], leftwards: bool, high: f64) {
    let wish = |items: &[Item], index: usize| {
        let item = &items[index];
        let (first, second) = match leftwards {
            true => (&item.right, &item.left),
            false => (&item.left, &item.right),
        };
        let neighbours = if first.is_empty() { second } else { first };
        match neighbours.len() {
            0 => item.y,
            // A graph of so many arrows on one box does not exist.
            count => neighbours.iter().map(|&near| items[near].y).sum::<f64>() / count as f64,
        }
    };
    let mut wishes: Vec<(f64, usize)> = column
        .iter()
        .map(|&index| (wish(items, index), index))
        .collect();
    wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
    // From the top, each as wished or below its neighbour; then the whole column moves back to where it is wished on average.
    let mut bottom = f64::NEG_INFINITY;
    let mut shift = 0.0;
    for (place, (wish, index)) in wishes.iter().enumerate() {
        let half = items[*index].room / 2.0;
        let y = wish.max(bottom + half);
        shift += wish - y;
        items[*index].y = y;
        bottom = y + half;
        column[place] = *index;
    }
    // Columns are short enough for an exact count.
    shift /= wishes.len().max(1) as f64;
    let mut limit = high;
    for &mut index in column.iter_mut().rev() {
        let half = items[index].room / 2.0;
        items[index].y = (items[index].y + shift).min(limit - half);
        limit = items[index].y - half;
    }
    let mut limit = 0.0;
    for &mut index in column {
        let half = items[index].room / 2.0;
        items[index].y = items[index].y.max(limit + half);
        limit = items[index].y + half;
    }
}
