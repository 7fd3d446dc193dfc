//! Colours: the meaning of each, and whether there are any.

use crate::streams::Ink;

/// The meaning of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something comes into being.
    Add,
    /// Something changes.
    Change,
    /// Something goes.
    Remove,
    /// Something is replaced, or makes something be replaced.
    Replace,
    /// Something failed.
    Error,
    /// Something is worth reading.
    Warning,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
}

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painter(pub(crate) Ink);

impl Painter {
    /// A painter that leaves everything as it is.
    pub(crate) const PLAIN: Self = Self(Ink::Plain);

    /// The text in the colour of that tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.0 == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Add => "32",
            Tone::Change => "33",
            Tone::Remove => "31",
            Tone::Replace => "35",
            Tone::Error => "1;31",
            Tone::Warning => "1;33",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
