//! Places for the boxes of a graph: a column for each distance from the start, few crossings, long edges led around boxes.

use crate::view::graph::ResourceGraph;

/// Edges that cross more columns than this in all are drawn straight.
const MAX_BENDS: usize = 20_000;
/// Passes over the columns that look for fewer crossings.
const SWEEPS: usize = 8;

/// Room that a box and a bend take, in pixels.
pub(super) const BOX_HEIGHT: f64 = 40.0;
const BOX_GAP: f64 = 14.0;
const BEND_ROOM: f64 = 12.0;

/// A column, and how far down in it.
pub(super) type Place = (usize, f64);

/// Where everything is.
pub(super) struct Layout {
    /// By node: its column and the middle of its box.
    pub(super) places: Vec<Place>,
    /// By edge: the dependency, the dependent, and the bends between.
    pub(super) edges: Vec<(usize, usize, Vec<Place>)>,
    /// How many columns there are.
    pub(super) columns: usize,
    /// The whole height.
    pub(super) height: f64,
}

/// A box or the bend of an edge.
struct Item {
    column: usize,
    room: f64,
    left: Vec<usize>,
    right: Vec<usize>,
    y: f64,
}

/// Lays out a graph with these dependencies by node.
pub(super) fn layout(graph: &ResourceGraph, needs: &[Vec<usize>]) -> Layout {
    let mut column = vec![0; needs.len()];
    for node in graph.in_order() {
        column[node] = needs[node]
            .iter()
            .map(|&need| column[need] + 1)
            .max()
            .unwrap_or(0);
    }
    pull_right(graph, needs, &mut column);
    let mut items: Vec<Item> = column
        .iter()
        .map(|&column| Item {
            column,
            room: BOX_HEIGHT + BOX_GAP,
            left: Vec::new(),
            right: Vec::new(),
            y: 0.0,
        })
        .collect();
    let mut edges = Vec::new();
    let mut bends = 0;
    for (node, needs) in needs.iter().enumerate() {
        for &need in needs {
            let mut chain = vec![need];
            for between in column[need] + 1..column[node] {
                bends += 1;
                if bends > MAX_BENDS {
                    break;
                }
                items.push(Item {
                    column: between,
                    room: BEND_ROOM,
                    left: Vec::new(),
                    right: Vec::new(),
                    y: 0.0,
                });
                chain.push(items.len() - 1);
            }
            chain.push(node);
            for pair in chain.windows(2) {
                items[pair[0]].right.push(pair[1]);
                items[pair[1]].left.push(pair[0]);
            }
            edges.push((need, node, chain));
        }
    }
    let count = items.iter().map(|item| item.column + 1).max().unwrap_or(0);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, item) in items.iter().enumerate() {
        columns[item.column].push(index);
    }
    stack(&mut items, &columns);
    for sweep in 0..SWEEPS {
        let leftwards = sweep % 2 == 1;
        let order: Vec<usize> = match leftwards {
            true => (0..count).rev().collect(),
            false => (0..count).collect(),
        };
        for place in order {
            settle(&mut items, &mut columns[place], leftwards);
        }
    }
    let top = items
        .iter()
        .map(|item| item.y - item.room / 2.0)
        .fold(f64::MAX, f64::min);
    let bottom = items
        .iter()
        .map(|item| item.y + item.room / 2.0)
        .fold(f64::MIN, f64::max);
    let (top, bottom) = if items.is_empty() {
        (0.0, 0.0)
    } else {
        (top, bottom)
    };
    let point = |index: &usize| (items[*index].column, items[*index].y - top);
    Layout {
        places: (0..needs.len()).map(|node| point(&node)).collect(),
        edges: edges
            .iter()
            .map(|(from, to, chain)| {
                (
                    *from,
                    *to,
                    chain[1..chain.len() - 1].iter().map(point).collect(),
                )
            })
            .collect(),
        columns: count,
        height: bottom - top,
    }
}

/// Moves items that have room towards their dependents, so that edges get shorter.
fn pull_right(graph: &ResourceGraph, needs: &[Vec<usize>], column: &mut [usize]) {
    let mut nearest = vec![usize::MAX; needs.len()];
    for &node in graph.in_order().iter().rev() {
        if nearest[node] != usize::MAX {
            column[node] = column[node].max(nearest[node] - 1);
        }
        for &need in &needs[node] {
            nearest[need] = nearest[need].min(column[node]);
        }
    }
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
            // A graph of so many edges on one box does not exist.
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
