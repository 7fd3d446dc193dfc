//! Rows of figures for people.

use crate::case::What;
use crate::meter::Measured;

/// One table; each row is printed as soon as it is there.
pub(crate) struct Table {
    title: &'static str,
    before: Option<(usize, f64, f64)>,
    floor: bool,
}

impl Table {
    pub(crate) fn new(what: What) -> Self {
        let title = match what {
            What::Up => "up from nothing (plan, apply, journal and state)",
            What::Preview => "preview with nothing to do",
            What::Quiet => "preview --refresh changed with nothing to do",
            _ => "shapes of the graph",
        };
        let table = Self {
            title,
            before: None,
            floor: !matches!(what, What::Graph | What::Quiet),
        };
        table.head();
        table
    }

    fn head(&self) {
        println!("\n{}", self.title);
        print!(
            "{:<26} {:>8} {:>8} {:>8}  {:>8} {:>8}  {:>8}",
            "resources", "wall", "cpu", "memory", "cpu of", "memory", "cpu a"
        );
        match self.floor {
            true => println!(
                "  {:>8} {:>8} {:>8}  {:>6} {:>6} {:>6}",
                "floor:", "floor:", "provider", "wall ÷", "cpu ÷", "growth"
            ),
            false => println!(),
        }
        print!(
            "{:<26} {:>8} {:>8} {:>8}  {:>8} {:>8}  {:>8}",
            "", "s", "s", "MB", "provider", "MB", "piece µs"
        );
        match self.floor {
            true => println!(
                "  {:>8} {:>8} {:>8}  {:>6} {:>6} {:>6}",
                "wall s", "cpu s", "cpu s", "floor", "floor", "cpu"
            ),
            false => println!(),
        }
    }

    /// Prints a row. `growth` is how the CPU time grew against the row before, divided by how the number of resources did.
    pub(crate) fn row(
        &mut self,
        name: &str,
        count: usize,
        engine: &Measured,
        floor: Option<&Measured>,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "counts and kilobytes are small")]
        let float = |number: u64| number as f64;
        let resources = float(count as u64);
        print!(
            "{name:<26} {:>8.3} {:>8.3} {:>8.1}  {:>8.2} {:>8.1}  {:>8.0}",
            engine.wall,
            engine.cpu,
            float(engine.peak) / 1024.0,
            engine.provider_cpu,
            float(engine.provider_peak) / 1024.0,
            engine.cpu / resources * 1e6,
        );
        let Some(floor) = floor else {
            println!();
            return;
        };
        let growth = self
            .before
            .map(|(before, cpu, _)| (engine.cpu / cpu) / (resources / float(before as u64)));
        println!(
            "  {:>8.3} {:>8.3} {:>8.2}  {:>6.2} {:>6.2} {:>6}",
            floor.wall,
            floor.cpu,
            floor.provider_cpu,
            engine.wall / floor.wall,
            engine.cpu / floor.cpu,
            growth.map_or_else(String::new, |growth| format!("{growth:.2}")),
        );
        self.before = Some((count, engine.cpu, engine.wall));
    }
}
