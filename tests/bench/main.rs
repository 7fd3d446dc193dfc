//! How a run scales: engine and provider apart, beside a floor that makes the same calls with nothing around them.
//!
//! ```sh
//! cargo bench -p terrane-tests --bench scale            # 1,000, 4,000 and 10,000 resources, and graphs of other shapes
//! cargo bench -p terrane-tests --bench scale -- --quick # 1,000
//! ```
//!
//! | flag | does |
//! |---|---|
//! | `--quick` | 1,000 resources only |
//! | `--stacks` | only ten stacks in one process |
//! | `--quiet` | only previews that ask no provider |
//! | `--rendering` | only what it takes to show a plan, in every format |
//! | `--runs N` | the best of N runs is shown (3): whatever else the machine does only ever adds |
//! | `--null BINARY` | `null_resource` of that HashiCorp provider in place of the fast one, 1,000 and 4,000 |
//!
//! Each measurement is a process of its own, so that its CPU time and memory are its own. Nothing passes or fails here;
//! `docs/performance.md` has the aims and the figures.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark is for people, and this is its command line"
)]

mod case;
mod engine;
mod floor;
mod formats;
mod meter;
mod rendering;
mod stacks;
mod table;

use std::path::PathBuf;
use std::process::Command;

use case::{Case, Shape, Subject, What};
use meter::Measured;
use table::Table;

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut quick, mut runs, mut subject) = (false, 3, Subject::Fast);
    let (mut only_rendering, mut only_stacks, mut only_quiet) = (false, false, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            // A child: one measurement, for which nothing may have happened in the process before.
            "--measure" => {
                let case = words.next().expect("a case");
                let measured = measure(&serde_json::from_str(&case).expect("a case"));
                println!("{}", serde_json::to_string(&measured).expect("figures"));
                return;
            }
            "--quick" => quick = true,
            "--rendering" => only_rendering = true,
            "--stacks" => only_stacks = true,
            "--quiet" => only_quiet = true,
            "--runs" => runs = words.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--null" => {
                subject = Subject::Null(PathBuf::from(words.next().expect("the binary's path")));
            }
            // Cargo's own.
            "--bench" => {}
            other => panic!("no flag `{other}`; see the head of tests/bench/main.rs"),
        }
    }
    let sizes: &[usize] = match subject {
        _ if quick => &[1_000],
        Subject::Fast => &[1_000, 4_000, 10_000],
        Subject::Null(_) => &[1_000, 4_000],
    };
    let places = tempfile::tempdir().expect("a folder for states");
    let case = |shape, count: usize| Case {
        subject: subject.clone(),
        shape,
        count,
        place: places.path().join(format!("{shape:?}-{count}")),
    };

    if only_stacks {
        runtime().block_on(stacks::table(&subject, &[100, 1_000], places.path()));
        return;
    }
    if only_quiet {
        quiet(sizes, runs, &case);
        return;
    }
    // In layers, so that values come from somewhere.
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    let (small, large) = (case(Shape::Layers, first / 4), case(Shape::Layers, last));
    runtime().block_on(rendering::table(&small, &large));
    if only_rendering {
        return;
    }
    for (what, floor) in [
        (What::Preview, What::FloorPreview),
        (What::Up, What::FloorUp),
    ] {
        let mut table = Table::new(what);
        for &count in sizes {
            let case = case(Shape::Apart, count);
            if what == What::Preview {
                // The state that there is nothing to do to.
                best(1, What::Up, &case);
            }
            // In turn, so that a busy minute of the machine hits both.
            let (mut engine, mut bare) = (None, None);
            for _ in 0..runs {
                Measured::keep_best(&mut engine, best(1, what, &case));
                Measured::keep_best(&mut bare, best(1, floor, &case));
            }
            let (engine, bare) = (engine.expect("a run"), bare.expect("a run"));
            table.row(&count.to_string(), count, &engine, Some(&bare));
        }
    }
    quiet(sizes, runs, &case);
    let mut table = Table::new(What::Graph);
    for shape in [Shape::Apart, Shape::Chain, Shape::Fan, Shape::Layers] {
        for &count in sizes.iter().filter(|count| shape.fits(**count)) {
            let case = case(shape, count);
            let up = best(runs, What::Up, &case);
            table.row(&format!("{shape} {count} up"), count, &up, None);
            let preview = best(runs, What::Preview, &case);
            table.row(&format!("{shape} {count} preview"), count, &preview, None);
        }
    }
    formats::table(sizes, runs, places.path());
    runtime().block_on(stacks::table(&subject, &[100, 1_000], places.path()));
}

/// Previews of unchanged stacks that start no provider.
fn quiet(sizes: &[usize], runs: usize, case: &dyn Fn(Shape, usize) -> Case) {
    let mut table = Table::new(What::Quiet);
    for &count in sizes {
        let case = case(Shape::Apart, count);
        best(1, What::Up, &case);
        // The plan that finds out what the others know.
        best(1, What::Quiet, &case);
        let quiet = best(runs, What::Quiet, &case);
        table.row(&count.to_string(), count, &quiet, None);
    }
}

/// The least of several processes' measurements.
fn best(runs: usize, what: What, case: &Case) -> Measured {
    let program = std::env::current_exe().expect("this program");
    let argument = serde_json::to_string(&(what, case)).expect("a case");
    let mut best = None;
    for _ in 0..runs {
        let child = Command::new(&program)
            .args(["--measure", &argument])
            .output();
        let output = child.expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let Ok(measured) = serde_json::from_str(&said) else {
            panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
        };
        Measured::keep_best(&mut best, measured);
    }
    best.expect("at least one run")
}

/// As the command line has it.
fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

fn measure((what, case): &(What, Case)) -> Measured {
    runtime().block_on(async {
        match what {
            What::Up => engine::up(case).await,
            What::Preview | What::Graph => engine::preview(case).await,
            What::Quiet => engine::quiet(case).await,
            What::FloorUp => floor::up(case).await,
            What::FloorPreview => floor::preview(case).await,
        }
    })
}
