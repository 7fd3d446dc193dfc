//! Rows: the differences of one object as a small tree, ready to be painted.

use terrane_core::Path;

/// The kind of change at one path of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is new.
    Add,
    /// It is gone.
    Remove,
    /// It is different, or something inside it is.
    Change,
}

/// One place of an object that differs.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The kind of change.
    pub(crate) mark: Mark,
    /// The place, as deep as paths go; elements of sets have the path of their set.
    pub(crate) path: Path,
    /// How the place is called; empty for elements of sets.
    pub(crate) label: String,
    /// The present value, the earlier one, or both; empty where only inner values differ.
    pub(crate) text: String,
    /// A remark beside it, such as the cause of a replacement.
    pub(crate) note: Option<String>,
    /// The rows of inner values.
    pub(crate) inside: Vec<Self>,
}

impl Row {
    /// A row without anything inside.
    pub(crate) fn new(mark: Mark, path: &Path, label: &str, text: String) -> Self {
        Self {
            mark,
            path: path.clone(),
            label: label.to_owned(),
            text,
            note: None,
            inside: Vec::new(),
        }
    }

    /// Label and text in one line, without sign and note: `cidr_block = "10.0.0.0/16"`.
    pub(crate) fn line(&self) -> String {
        self.padded_line("")
    }

    /// The same with room behind the label.
    pub(crate) fn padded_line(&self, pad: &str) -> String {
        let equals = match (self.label.is_empty(), self.text.is_empty()) {
            (true, _) | (_, true) => "",
            _ if self.is_heading() => " ",
            _ => " = ",
        };
        format!("{}{pad}{equals}{}", self.label, self.text)
    }

    /// Whether it is a label and a value.
    pub(crate) fn has_value(&self) -> bool {
        !self.label.is_empty() && !self.text.is_empty() && !self.is_heading()
    }

    /// Whether its text is a remark about the rows inside, no value.
    fn is_heading(&self) -> bool {
        self.text.starts_with("(json") || self.text.starts_with("(line")
    }

    /// The heading of other rows.
    pub(crate) fn around(path: &Path, label: &str, text: &str, inside: Vec<Self>) -> Self {
        Self {
            inside,
            ..Self::new(Mark::Change, path, label, text.to_owned())
        }
    }
}
