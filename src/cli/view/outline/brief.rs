//! A creation folded to a line: the arguments that tell it from others, and how many more there are.

use terrane_core::Path;

use crate::view::diff::Row;
use crate::view::printable::width;

/// A few arguments.
pub(crate) struct Brief {
    /// `cidr_block = "10.0.0.0/16"`, the most telling first.
    pub(crate) arguments: Vec<String>,
    /// How many rows are left out.
    pub(crate) left_out: usize,
}

/// How many arguments a line has at most, and how many characters they have together.
const MOST: usize = 3;
const WIDTH: usize = 90;

/// The last rank of arguments that the program sets.
const SAID: u8 = 2;

/// One argument alone may be longer.
const LONGEST: usize = 120;

/// Words of names of arguments that tell objects apart, the most telling first.
const TELLING: [&str; 16] = [
    "name",
    "bucket",
    "identifier",
    "cidr",
    "type",
    "engine",
    "version",
    "size",
    "port",
    "protocol",
    "policy",
    "role",
    "zone",
    "domain",
    "key",
    "id",
];

impl Brief {
    /// The most telling of these rows; `is_set` says whether the program sets an argument.
    pub(super) fn of(rows: &[Row], is_set: impl Fn(&Path) -> bool) -> Self {
        let mut ranked: Vec<(u8, usize, &Row)> = rows
            .iter()
            .filter(|row| is_plain(row))
            .map(|row| (rank(row, is_set(&row.path)), place(row), row))
            .collect();
        ranked.sort_by_key(|(rank, place, _)| (*rank, *place));
        // Defaults of a provider tell nothing apart.
        let said = ranked.iter().filter(|(rank, _, _)| *rank <= SAID).count();
        if said > 0 {
            ranked.truncate(said);
        }
        let mut arguments = Vec::new();
        let mut left = WIDTH;
        for (_, _, row) in ranked {
            let line = short(row);
            let width = line.chars().count();
            let fits = width <= left || arguments.is_empty() && width <= LONGEST;
            if fits && arguments.len() < MOST {
                left = left.saturating_sub(width);
                arguments.push(line);
            }
        }
        Self {
            left_out: rows.len() - arguments.len(),
            arguments,
        }
    }

    /// All of it: `cidr_block = "10.0.0.0/16", … (5 more)`.
    pub(crate) fn line(&self) -> String {
        self.line_of(self.arguments.len())
    }

    /// As many arguments as so many columns have room for; at least how many there are.
    pub(crate) fn fitted(&self, columns: usize) -> String {
        let lines = (0..=self.arguments.len()).rev();
        let mut lines = lines.map(|arguments| self.line_of(arguments));
        let fitting = lines.find(|line| width(line) <= columns);
        fitting.unwrap_or_else(|| self.line_of(0))
    }

    /// The first arguments, and how many more there are.
    pub(crate) fn line_of(&self, shown: usize) -> String {
        let (shown, rest) = self.arguments.split_at(shown.min(self.arguments.len()));
        let arguments = shown.join(", ");
        match (self.left_out + rest.len(), arguments.is_empty()) {
            (0, _) => arguments,
            (more, true) => format!("… ({more} arguments)"),
            (more, false) => format!("{arguments}, … ({more} more)"),
        }
    }
}

/// A row in few words: `vpc_id ← aws_vpc.main.id`.
fn short(row: &Row) -> String {
    let origin = row.text.strip_prefix("(known after apply: ");
    match origin.and_then(|origin| origin.strip_suffix(')')) {
        Some(origin) => format!("{} ← {origin}", row.label),
        None => row.line(),
    }
}

/// Whether a row fits on a line beside others.
fn is_plain(row: &Row) -> bool {
    row.inside.is_empty() && !row.label.is_empty()
}

/// What the program says comes before what a provider adds, and what is known before what is not; tags say the least.
fn rank(row: &Row, is_set: bool) -> u8 {
    let is_unknown = row.text.contains("known after apply");
    let is_tag = row.label.starts_with("tags")
        && !row.label.ends_with("Name")
        && !row.label.ends_with("Name\"]");
    match (is_set, is_unknown, is_tag) {
        (true, false, false) => 0,
        (true, true, false) => 1,
        (true, _, true) => SAID,
        (false, false, _) => 3,
        (false, true, _) => 4,
    }
}

/// How telling an argument is by its name.
fn place(row: &Row) -> usize {
    let label = row.label.to_lowercase();
    let is_word = |word: &&&str| {
        let mut words = label.split(|character: char| !character.is_alphanumeric());
        words.any(|other| other.trim_end_matches('s') == **word)
    };
    let found = TELLING.iter().find(is_word);
    let found = found.and_then(|word| TELLING.iter().position(|known| known == word));
    // A member of a block says less than an argument, and a flag less than a name.
    let depth = row.path.steps().len().saturating_sub(1);
    let is_flag = matches!(row.text.as_str(), "true" | "false");
    found.unwrap_or(TELLING.len()) + (depth + usize::from(is_flag)) * TELLING.len()
}
