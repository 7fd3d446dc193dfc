//! Columns under a heading, each as wide as its widest cell; a column that is empty everywhere is left out.

use std::fmt::Write as _;

use console::measure_text_width;

use super::painter::{Painter, Tone};

/// The side on which the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// One line a row; nothing without rows. Cells are on one line each.
pub(super) fn table<const N: usize>(
    head: [(&str, Side); N],
    rows: &[[String; N]],
    painter: Painter,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut widths = head.map(|(name, _)| name.len());
    let mut is_used = [false; N];
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            widths[place] = widths[place].max(measure_text_width(cell));
            is_used[place] |= !cell.is_empty();
        }
    }
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (place, cell) in cells
            .into_iter()
            .enumerate()
            .filter(|(place, _)| is_used[*place])
        {
            let gap = if line.is_empty() { "" } else { "  " };
            let pad = " ".repeat(widths[place].saturating_sub(measure_text_width(cell)));
            let _ = match head[place].1 {
                Side::Left => write!(line, "{gap}{cell}{pad}"),
                Side::Right => write!(line, "{gap}{pad}{cell}"),
            };
        }
        line.truncate(line.trim_end().len());
        line
    };
    let heading = line(head.map(|(name, _)| name));
    let mut text = format!("{}\n", painter.paint(Tone::Strong, &heading));
    for row in rows {
        let _ = writeln!(text, "{}", line(row.each_ref().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen_and_empty_ones_are_left_out() {
        let rows = [
            [
                "東京".to_owned(),
                "7".to_owned(),
                String::new(),
                "x".to_owned(),
            ],
            [
                "a".to_owned(),
                "1234".to_owned(),
                String::new(),
                String::new(),
            ],
        ];
        let head = [
            ("NAME", Side::Left),
            ("N", Side::Right),
            ("GONE", Side::Left),
            ("", Side::Left),
        ];
        assert_snapshot!(table(head, &rows, Painter::PLAIN), @"
        NAME     N
        東京     7  x
        a     1234
        ");
    }
}
