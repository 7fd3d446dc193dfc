//! What it costs to show a plan, in every form, and to follow a run on a terminal: a stack program as a process, on the built-in provider.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use terrane_cli::Cli;
use terrane_core::{Resource, Stack, Value};

/// Says how many resources the stack has; without it this program is the benchmark.
const COUNT: &str = "TERRANE_BENCH_RESOURCES";

/// Resources of each module.
const IN_A_MODULE: usize = 100;

/// The commands whose time is taken, after `preview --out plan`; a name for each.
const COMMANDS: &[(&str, &[&str])] = &[
    ("preview --out", &["preview", "--out", "plan"]),
    ("show", &["show", "plan"]),
    ("show --json", &["show", "plan", "--json"]),
    (
        "graph --format json",
        &["graph", "plan", "--format", "json"],
    ),
    ("graph --format dot", &["graph", "plan", "--format", "dot"]),
    (
        "graph --format mermaid",
        &["graph", "plan", "--format", "mermaid"],
    ),
    ("graph --format svg", &["graph", "plan", "--format", "svg"]),
];

const UP: &[&str] = &["up", "--yes", "--parallelism", "500"];

/// Runs the stack, where this process was started for that.
pub(crate) fn stack() -> Option<ExitCode> {
    let count = std::env::var(COUNT).ok()?.parse().expect("a number");
    Some(Cli::stack("bench").run(move |stack| {
        declare(stack, count);
        Ok(())
    }))
}

/// Modules; in each of them a resource depends on two others there, and the first on one of the module before.
fn declare(stack: &mut Stack, count: usize) {
    let mut before = None;
    for module in 0..count.div_ceil(IN_A_MODULE) {
        before = stack.module_instance("part", module.to_string(), |stack| {
            let mut declared: Vec<Resource> = Vec::new();
            for place in 0..IN_A_MODULE.min(count - module * IN_A_MODULE) {
                let mut needs = Vec::new();
                for back in [place / 2, place / 3] {
                    let need = if place == 0 {
                        before.as_ref()
                    } else {
                        declared.get(back)
                    };
                    needs.extend(need.map(|need| need.attribute::<Value>("output")));
                }
                let mut data = Resource::dynamic("terraform_data", "each")
                    .instance_key(u32::try_from(place).expect("a small number"))
                    .set(
                        "triggers_replace",
                        format!("resource {place} of module {module}"),
                    );
                if let Some(need) = needs.pop() {
                    data = data.set("input", need);
                }
                declared.push(data.declare(stack));
            }
            declared.pop()
        });
    }
}

/// Prints the table of these sizes; each figure is the best of so many runs.
pub(crate) fn table(sizes: &[usize], runs: usize) {
    println!("\nviews of a plan that creates everything, and a run on a terminal; wall time in s");
    print!("{:<34}", "resources");
    sizes.iter().for_each(|count| print!(" {count:>9}"));
    println!("  growth");
    let folders: Vec<_> = sizes
        .iter()
        .map(|_| tempfile::tempdir().expect("a folder"))
        .collect();
    for (name, arguments) in COMMANDS {
        let times = sizes.iter().zip(&folders);
        let times = times.map(|(count, folder)| {
            best(runs, || {
                timed(folder.path(), *count, arguments, Stderr::Pipe)
            })
        });
        row(name, sizes, &times.collect::<Vec<_>>());
    }
    for (name, stderr) in [
        ("up, into a pipe", Stderr::Pipe),
        ("up, on a terminal", Stderr::Terminal),
    ] {
        let times = sizes.iter().map(|count| {
            best(runs, || {
                let folder = tempfile::tempdir().expect("a folder");
                timed(folder.path(), *count, UP, stderr)
            })
        });
        row(name, sizes, &times.collect::<Vec<_>>());
    }
}

fn row(name: &str, sizes: &[usize], times: &[f64]) {
    print!("{name:<34}");
    times.iter().for_each(|time| print!(" {time:>9.3}"));
    let [first, .., last] = times else {
        return println!();
    };
    let [least, .., most] = sizes else {
        return println!();
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of resources are small")]
    let grown = *most as f64 / *least as f64;
    println!("  {:>6.2}", last / first / grown);
}

fn best(runs: usize, run: impl Fn() -> f64) -> f64 {
    (0..runs).map(|_| run()).fold(f64::MAX, f64::min)
}

/// Where the progress of a run goes.
#[derive(Clone, Copy)]
enum Stderr {
    Pipe,
    Terminal,
}

fn timed(folder: &Path, count: usize, arguments: &[&str], stderr: Stderr) -> f64 {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(arguments)
        .current_dir(folder)
        .env(COUNT, count.to_string())
        .env("HOME", folder)
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut reader = match stderr {
        Stderr::Terminal => {
            let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
            grantpt(&terminal).expect("a terminal of ours");
            unlockpt(&terminal).expect("an open terminal");
            let name = ptsname(&terminal, Vec::new()).expect("a name");
            let path = name.to_str().expect("a path");
            let other = File::options().read(true).write(true).open(path);
            command.stderr(Stdio::from(other.expect("the other end")));
            File::from(terminal)
        }
        Stderr::Pipe => {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            command.stderr(Stdio::from(std::os::fd::OwnedFd::from(writer)));
            File::from(std::os::fd::OwnedFd::from(reader))
        }
    };
    let started = Instant::now();
    let mut child = command.spawn().expect("it runs");
    // Its ends are the child's alone now.
    drop(command);
    let mut said = Vec::new();
    // A terminal whose other end is gone is an error.
    let _ = reader.read_to_end(&mut said);
    let status = child.wait().expect("an end");
    let time = started.elapsed().as_secs_f64();
    assert!(status.success(), "{}", String::from_utf8_lossy(&said));
    time
}
