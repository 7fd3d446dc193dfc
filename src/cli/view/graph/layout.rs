//! Places for boxes: a column for each distance from the start, few crossings, long arrows led around boxes.

use super::reduce::in_order;

/// Arrows that cross more columns than this in all are drawn straight.
const MAX_BENDS: usize = 20_000;
/// Passes over the columns that look for fewer crossings.
const SWEEPS: usize = 8;
/// A picture is about so many times as wide as it is high.
const ASPECT: f64 = 1.6;

/// Room between boxes, in pixels.
pub(super) const GAP: f64 = 10.0;
const COLUMN_GAP: f64 = 36.0;
const BEND_ROOM: f64 = 8.0;

/// A point, or a width and a height.
pub(in crate::view) type Pair = (f64, f64);

/// A box that is laid out with others.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::view) struct Tile {
    pub(in crate::view) size: Pair,
    /// Whether an arrow comes to it from the left of all boxes.
    pub(in crate::view) enters: bool,
    /// Whether an arrow goes from it to the right of all boxes.
    pub(in crate::view) leaves: bool,
}

/// Where everything is.
#[derive(Default)]
pub(in crate::view) struct Layout {
    /// The upper left corner of each box.
    pub(in crate::view) corners: Vec<Pair>,
    /// The whole picture.
    pub(in crate::view) size: Pair,
    /// The bends of the arrow to each box from each of its dependencies, in their order: where it enters a column and leaves it.
    pub(in crate::view) bends: Vec<Vec<Vec<Pair>>>,
    /// Those of the arrow that comes from outside to each box, and of the one that goes outside.
    pub(in crate::view) entries: Vec<Vec<Pair>>,
    pub(in crate::view) exits: Vec<Vec<Pair>>,
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

/// Lays out boxes with these dependencies. Boxes without arrows stand below the others.
pub(in crate::view) fn layout(boxes: &[Tile], needs: &[Vec<usize>]) -> Layout {
    let gated = boxes.iter().map(|it| it.enters || it.leaves);
    let mut is_tied: Vec<bool> = gated.collect();
    for (node, needs) in needs.iter().enumerate() {
        for &need in needs {
            (is_tied[need], is_tied[node]) = (true, true);
        }
    }
    let sizes: Vec<Pair> = boxes.iter().map(|it| it.size).collect();
    let mut layout = Layout {
        corners: vec![(0.0, 0.0); boxes.len()],
        size: (0.0, 0.0),
        bends: needs.iter().map(|it| vec![Vec::new(); it.len()]).collect(),
        entries: vec![Vec::new(); boxes.len()],
        exits: vec![Vec::new(); boxes.len()],
    };
    let room = |(width, height): &Pair| (width + COLUMN_GAP) * (height + GAP);
    let area: f64 = sizes.iter().map(room).sum();
    let height = (area / ASPECT).sqrt();
    let columns = columns(&sizes, needs, &is_tied, height);
    if is_tied.contains(&true) {
        let mut tied = Columns::new(&columns, &sizes, &is_tied);
        let chains = tied.connect(boxes, needs, &columns);
        tied.settle();
        layout.place_tied(&sizes, &tied, chains);
    }
    layout.place_loose(&sizes, &is_tied, height * ASPECT);
    layout
}

/// An arrow as the items that it leads through.
struct Chain {
    arrow: Arrow,
    bends: Vec<usize>,
}

/// Which arrow.
enum Arrow {
    /// To that box, from that one of its dependencies.
    Between(usize, usize),
    Entry(usize),
    Exit(usize),
}

/// Boxes and bends in columns.
struct Columns {
    items: Vec<Item>,
    /// The items of each column, from the top.
    members: Vec<Vec<usize>>,
    bends: usize,
}

impl Columns {
    fn new(columns: &[usize], sizes: &[Pair], is_tied: &[bool]) -> Self {
        let items = columns.iter().zip(sizes);
        let tied = (0..columns.len()).filter(|&node| is_tied[node]);
        let count = tied.clone().map(|node| columns[node] + 1).max();
        let mut members = vec![Vec::new(); count.unwrap_or(0)];
        for node in tied {
            members[columns[node]].push(node);
        }
        Self {
            items: items
                .map(|(&column, size)| Item::new(column, size.1 + GAP))
                .collect(),
            members,
            bends: 0,
        }
    }

    /// Makes the bends of every arrow.
    fn connect(&mut self, boxes: &[Tile], needs: &[Vec<usize>], columns: &[usize]) -> Vec<Chain> {
        let mut chains = Vec::new();
        let count = self.members.len();
        for (node, one) in boxes.iter().enumerate() {
            for (which, &need) in needs[node].iter().enumerate() {
                let between = columns[need] + 1..columns[node];
                let ends = (Some(need), Some(node));
                let bends = match columns[need] < columns[node] {
                    true => self.chain(ends, between),
                    false => Vec::new(),
                };
                let arrow = Arrow::Between(node, which);
                chains.push(Chain { arrow, bends });
            }
            if one.enters {
                let bends = self.chain((None, Some(node)), 0..columns[node]);
                let arrow = Arrow::Entry(node);
                chains.push(Chain { arrow, bends });
            }
            if one.leaves {
                let bends = self.chain((Some(node), None), columns[node] + 1..count);
                let arrow = Arrow::Exit(node);
                chains.push(Chain { arrow, bends });
            }
        }
        chains
    }

    /// A bend in each of these columns, between two boxes or a box and the outside.
    fn chain(
        &mut self,
        (from, to): (Option<usize>, Option<usize>),
        between: std::ops::Range<usize>,
    ) -> Vec<usize> {
        self.bends += between.len();
        let mut bends = Vec::new();
        if self.bends <= MAX_BENDS {
            for column in between {
                self.members[column].push(self.items.len());
                bends.push(self.items.len());
                self.items.push(Item::new(column, BEND_ROOM));
            }
        }
        let all: Vec<usize> = from
            .into_iter()
            .chain(bends.iter().copied())
            .chain(to)
            .collect();
        for pair in all.windows(2) {
            self.items[pair[0]].right.push(pair[1]);
            self.items[pair[1]].left.push(pair[0]);
        }
        bends
    }

    /// Gives each item its height.
    fn settle(&mut self) {
        stack(&mut self.items, &self.members);
        let count = self.members.len();
        for sweep in 0..SWEEPS {
            let leftwards = sweep % 2 == 1;
            for step in 0..count {
                let place = if leftwards { count - 1 - step } else { step };
                settle(&mut self.items, &mut self.members[place], leftwards);
            }
        }
    }
}

impl Layout {
    fn place_tied(&mut self, sizes: &[Pair], tied: &Columns, chains: Vec<Chain>) {
        let Columns { items, members, .. } = tied;
        let (mut top, mut bottom) = (f64::MAX, f64::MIN);
        for &index in members.iter().flatten() {
            let half = (items[index].room - GAP).max(0.0) / 2.0;
            top = top.min(items[index].y - half);
            bottom = bottom.max(items[index].y + half);
        }
        let mut lefts = Vec::with_capacity(members.len());
        let mut rights = Vec::with_capacity(members.len());
        let mut right = 0.0_f64;
        for column in members {
            let boxes = column.iter().filter_map(|&index| sizes.get(index));
            let width = boxes.map(|size| size.0).fold(0.0, f64::max);
            lefts.push(right);
            rights.push(right + width);
            right += width + COLUMN_GAP;
        }
        for &index in members.iter().flatten() {
            if let Some((_, height)) = sizes.get(index) {
                let item = &items[index];
                self.corners[index] = (lefts[item.column], item.y - height / 2.0 - top);
            }
        }
        for Chain { arrow, bends } in chains {
            let points = bends.iter().flat_map(|&bend| {
                let item = &items[bend];
                let y = item.y - top;
                [(lefts[item.column], y), (rights[item.column], y)]
            });
            let points = points.collect();
            match arrow {
                Arrow::Between(node, which) => self.bends[node][which] = points,
                Arrow::Entry(node) => self.entries[node] = points,
                Arrow::Exit(node) => self.exits[node] = points,
            }
        }
        self.size = (right - COLUMN_GAP, bottom - top);
    }

    /// Rows of boxes, one after the other as in a text.
    fn place_loose(&mut self, sizes: &[Pair], is_tied: &[bool], wide: f64) {
        let wide = wide.max(self.size.0);
        let mut x = 0.0;
        let mut y = match self.size.1 > 0.0 {
            true => self.size.1 + GAP,
            false => 0.0,
        };
        let mut row_height = 0.0_f64;
        for (node, &(width, height)) in sizes.iter().enumerate() {
            if is_tied[node] {
                continue;
            }
            if x > 0.0 && x + width > wide {
                (x, y) = (0.0, y + row_height + GAP);
                row_height = 0.0;
            }
            self.corners[node] = (x, y);
            self.size = (self.size.0.max(x + width), self.size.1.max(y + height));
            x += width + GAP;
            row_height = row_height.max(height);
        }
    }
}

/// The column of each box, right of its dependencies. A column that is much too high becomes several.
fn columns(sizes: &[Pair], needs: &[Vec<usize>], is_tied: &[bool], high: f64) -> Vec<usize> {
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
    for node in (0..needs.len()).filter(|&node| is_tied[node]) {
        members[column[node]].push(node);
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

/// Puts every column's items under each other.
fn stack(items: &mut [Item], columns: &[Vec<usize>]) {
    for column in columns {
        let mut y = 0.0;
        for &index in column {
            y += items[index].room / 2.0;
            items[index].y = y;
            y += items[index].room / 2.0;
        }
    }
}

/// Orders a column by where its neighbours are, and places each item as near to them as the others allow.
fn settle(items: &mut [Item], column: &mut [usize], leftwards: bool) {
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
    for &mut index in column {
        items[index].y += shift;
    }
}
