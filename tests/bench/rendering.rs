//! What it takes to show a plan, beside what it takes to make it.

use std::time::{Duration, Instant};

use terrane_cli::{Scene, timed};
use terrane_engine::{Engine, PlanOptions};
use terrane_state::{State, SystemClock};

use crate::case::{Case, PARALLELISM};
use crate::engine::{start, world};

/// Prints a row for each format: its time and its part of the time of planning, at both sizes, and how it grows against the size.
pub(crate) async fn table(small: &Case, large: &Case) {
    let (before, after) = (measure(small).await, measure(large).await);
    let (few, many) = (small.count, large.count);
    println!("\nshowing a plan that creates everything");
    println!(
        "{:<14} {few:>8} ms {many:>8} ms {:>8} {:>8} {:>10}",
        "format", "of plan", "growth", "KB"
    );
    let planning = after[0].1;
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let size = many as f64 / few as f64;
    for ((name, short, _), (_, long, bytes)) in before.iter().zip(&after) {
        println!(
            "{name:<14} {:>11.1} {:>11.1} {:>7.1}% {:>8.2} {:>10}",
            millis(*short),
            millis(*long),
            long.as_secs_f64() / planning.as_secs_f64() * 100.0,
            long.as_secs_f64() / short.as_secs_f64() / size,
            bytes / 1024,
        );
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The time of planning, then that of each format, with its length.
async fn measure(case: &Case) -> Vec<(&'static str, Duration, usize)> {
    let started = start(case).await;
    let clock = SystemClock::default();
    let program = case.program();
    let engine = Engine::new(world(&started, &clock), PARALLELISM);
    let begun = Instant::now();
    let state = State::new("lineage".into());
    let plan = engine.plan(&program, &state, &PlanOptions::default()).await;
    let plan = plan.expect("a plan");
    let mut rows = vec![("(planning)", begun.elapsed(), 0)];
    engine.close().await;
    let scene = Scene {
        plan: &plan,
        program: &program,
        events: &[],
        applied: None,
        outputs: &state.outputs,
        serial: 1,
    };
    let folder = tempfile::tempdir().expect("a folder");
    rows.extend(timed(&scene, folder.path()));
    rows
}
