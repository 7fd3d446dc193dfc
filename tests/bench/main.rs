//! How a run scales: engine and provider apart, beside a floor that sends the same calls with nothing around them.
//!
//! ```sh
//! cargo bench -p terrane-tests --bench scale            # 1,000, 4,000 and 10,000 resources
//! cargo bench -p terrane-tests --bench scale -- --quick # 1,000
//! ```
//!
//! Each measurement is a process of its own, so that its CPU time and memory are its own. Nothing passes or fails here.

#![allow(clippy::print_stdout)]

mod floor;
mod measure;
mod stack;

use std::process::Command;

use measure::Figures;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(at) = words.iter().position(|word| *word == "--measure") {
        let count = words[at + 2].parse().expect("a count");
        println!("{}", measure::run(words[at + 1], count));
        return;
    }
    let sizes: &[usize] = if words.contains(&"--quick") {
        &[1_000]
    } else {
        &[1_000, 4_000, 10_000]
    };
    println!(
        "{:<10}{:>8}  {:>8} {:>8} {:>10} {:>8}   {:>8} {:>8}  {:>6} {:>6}",
        "", "count", "wall", "CPU", "provider", "memory", "floor", "CPU", "wall×", "CPU×"
    );
    for what in ["up", "preview"] {
        for &count in sizes {
            let engine = child(what, count);
            let floor = child(&format!("floor-{what}"), count);
            println!(
                "{what:<10}{count:>8}  {:>7.2}s {:>7.2}s {:>9.2}s {:>5} MB   {:>7.2}s {:>7.2}s  {:>6.2} {:>6.2}",
                engine.wall,
                engine.cpu,
                engine.provider_cpu,
                engine.memory_kb / 1024,
                floor.wall,
                floor.cpu,
                engine.wall / floor.wall,
                engine.cpu / floor.cpu,
            );
        }
    }
}

fn child(what: &str, count: usize) -> Figures {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--measure", what, &count.to_string()])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    line.parse().unwrap_or_else(|()| {
        panic!(
            "{what} {count}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
