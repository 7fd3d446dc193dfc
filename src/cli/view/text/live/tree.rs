//! The rows of a run as they stand: the head, running steps by module with a clock each, steps that wait for them.

use std::collections::BTreeMap;
use std::time::Duration;

use terrane_engine::Step;

use crate::streams::Size;
use crate::view::printable::{counted, elapsed, fitted, one_line, width};
use crate::view::text::painter::{Painter, Tone};
use crate::view::text::words;
use crate::view::tracker::Running;
use crate::view::{Phase, Tracker};

/// Rows for steps that wait.
const WAITING_ROWS: usize = 3;
/// Before a name: the clock, and two spaces on each side of it.
const CLOCK: usize = 10;
/// A step that takes twice its usual time is marked after that time.
const LONG: Duration = Duration::from_secs(10);

/// A run, and the place for its rows.
pub(super) struct Tree<'a> {
    pub(super) run: &'a Tracker,
    pub(super) size: Size,
    pub(super) is_stopping: bool,
    pub(super) painter: Painter,
}

impl Tree<'_> {
    /// The rows, no more than fit beside a few finished steps; none while nothing runs.
    pub(super) fn rows(&self) -> Option<Vec<String>> {
        let phase = self.run.phase()?;
        let mut rows = vec![self.head(phase)];
        // A quarter of the terminal is left to what has finished, and a line to the cursor.
        let room = (self.size.lines - self.size.lines / 4).saturating_sub(2);
        let waiting = match phase {
            Phase::Recovering => self.late(),
            // Nothing starts any more.
            _ if self.is_stopping => Vec::new(),
            _ => self.waiting(room / 4),
        };
        rows.extend(self.running(room - waiting.len().min(room)));
        let faint = |row: String| self.painter.paint(Tone::Faint, &row);
        rows.extend(waiting.into_iter().map(faint));
        Some(rows)
    }

    fn head(&self, phase: Phase) -> String {
        let failed = match self.run.failed() {
            0 => String::new(),
            failed => self
                .painter
                .paint(Tone::Error, &format!(", {failed} failed")),
        };
        let text = match (phase, self.run.running().len()) {
            (_, 0) if self.is_stopping => format!("stopping{failed}"),
            (_, running) if self.is_stopping => {
                format!("stopping, {running} running{failed}")
            }
            (Phase::Recovering, _) => {
                let operations = counted(self.run.total(), "operation");
                format!("recovering {operations} of earlier runs")
            }
            (Phase::Planning, _) => {
                let resources = counted(self.run.total(), "resource");
                format!("planning: {} of {resources}", self.run.done())
            }
            (Phase::Applying, _) => {
                let steps = counted(self.run.total(), "step");
                format!("{} of {steps} done{failed}", self.run.done())
            }
        };
        format!(
            "{} {}",
            self.painter.paint(Tone::Strong, &text),
            self.painter.paint(Tone::Faint, &elapsed(self.run.time()))
        )
    }

    /// The steps that run longest, by module while there is room for the names of modules.
    fn running(&self, room: usize) -> Vec<String> {
        let mut oldest: Vec<&Running> = self.run.running().collect();
        oldest.sort_by_key(|running| running.since);
        let all = oldest.len();
        if all > room {
            oldest.truncate(room.saturating_sub(1));
        }
        let mut modules: BTreeMap<String, Vec<&Running>> = BTreeMap::new();
        for running in &oldest {
            let module = running.step.address.resource.module.to_string();
            modules.entry(module).or_default().push(running);
        }
        let headings = modules.keys().filter(|module| !module.is_empty()).count();
        let mut rows = Vec::new();
        if all == oldest.len() && all + headings <= room {
            for (module, members) in &modules {
                let indent = if module.is_empty() { 0 } else { 2 };
                if !module.is_empty() {
                    let name = fitted(&one_line(module), self.columns(2));
                    rows.push(format!("  {}", self.painter.paint(Tone::Strong, &name)));
                }
                let name = words::name_in_module;
                rows.extend(members.iter().map(|one| self.row(one, name, indent)));
            }
        } else {
            let name = words::name_within;
            rows.extend(oldest.iter().map(|one| self.row(one, name, 0)));
        }
        if all > oldest.len() {
            let more = format!("          and {} more", all - oldest.len());
            rows.push(self.painter.paint(Tone::Faint, &more));
        }
        rows
    }

    /// `    12s  aws_vpc.main creating, usually 14s`: a long name gives way to the words after it.
    fn row(
        &self,
        Running { step, since }: &Running,
        name: impl Fn(&Step, usize) -> String,
        indent: usize,
    ) -> String {
        let time = since.elapsed();
        let doing = words::doing(step.kind);
        let is_long = |usual: &Duration| usual.as_secs() > 0;
        let usual = self.run.usual(step).filter(is_long);
        let note = usual.map_or_else(String::new, |usual| format!(", usually {}", elapsed(usual)));
        let tone = match usual {
            Some(usual) if time > LONG && time > usual * 2 => Tone::Warning,
            _ => Tone::Faint,
        };
        let words = 1 + doing.len() + note.len();
        let name = name(step, self.columns(indent + CLOCK + words));
        let doing = self.painter.paint(words::tone(step.kind), doing);
        let note = self.painter.paint(tone, &note);
        let time = elapsed(time);
        format!("{:indent$}  {time:>6}  {name} {doing}{note}", "")
    }

    /// The first steps that wait for a running one, and for which.
    fn waiting(&self, room_of_rows: usize) -> Vec<String> {
        const WORDS: &str = " waiting for ";
        let room = self.columns(CLOCK + WORDS.len());
        let waiting = self.run.waiting(WAITING_ROWS.min(room_of_rows));
        let rows = waiting.map(|(address, blocker)| {
            let whole = (
                words::address_within(address, usize::MAX),
                words::name(blocker),
            );
            let (name, blocker) = match width(&whole.0) + width(&whole.1) <= room {
                true => whole,
                false => {
                    let blocker = words::name_within(blocker, room / 2);
                    // What one of the two leaves over is the other's.
                    let left = room.saturating_sub(width(&blocker));
                    (words::address_within(address, left), blocker)
                }
            };
            format!("{:CLOCK$}{name}{WORDS}{blocker}", "")
        });
        rows.collect()
    }

    /// The first operations that may still take effect, with the time that is left.
    fn late(&self) -> Vec<String> {
        let Some((addresses, left)) = self.run.late() else {
            return Vec::new();
        };
        let left = elapsed(left);
        let shown = addresses.iter().take(WAITING_ROWS);
        let mut rows: Vec<String> = shown
            .map(|address| {
                let name = one_line(&address.to_string());
                format!("  {left:>6}  {name}: {}", words::LATE)
            })
            .collect();
        if addresses.len() > WAITING_ROWS {
            let more = addresses.len() - WAITING_ROWS;
            rows.push(format!("          and {more} more"));
        }
        rows
    }

    /// The columns that are left beside so many. The last one stays free: some terminals break a full line.
    fn columns(&self, taken: usize) -> usize {
        self.size.columns.saturating_sub(taken + 1)
    }
}

#[cfg(test)]
mod tests;
