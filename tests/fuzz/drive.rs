//! Runs the cases of a target and says how to run a failing one again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::mutate::{Numbers, mutate};

/// Cases of a normal test run.
const CASES: u64 = 1500;

/// No input of a few kilobytes takes longer, not even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most memory that the process may have used, in KiB: many times the size of the inputs.
const MOST_MEMORY: u64 = 1024 * 1024;

/// The stack that a reader gets. A reader that needs more of it the deeper its input nests has to count.
const STACK: usize = 1024 * 1024;

/// Something that reads bytes.
pub(crate) trait Target: Sync {
    /// Its name, and that of its folder in the corpus.
    fn name(&self) -> &'static str;

    /// Inputs that are read without an error.
    fn seeds(&self) -> Vec<Vec<u8>>;

    /// Reads, and panics if the result is wrong.
    fn judge(&self, input: &[u8], numbers: &mut Numbers);

    /// Brings a mutated input into a form in which more of it is looked at, for example with a checksum that fits.
    fn dress(&self, input: Vec<u8>, numbers: &mut Numbers) -> Vec<u8> {
        let _ = numbers;
        input
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told how long they may go on"
)]
fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs a target's cases.
pub(crate) fn run(target: &dyn Target) {
    let seeds = seeds(target);
    if let Some(case) = number_in("TERRANE_FUZZ_CASE") {
        return one(target, &seeds, case);
    }
    let cases: Box<dyn Iterator<Item = u64>> = match number_in("TERRANE_FUZZ_SECONDS") {
        None => Box::new(0..CASES),
        Some(seconds) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            let first = u64::from(std::process::id()) << 32;
            Box::new((first..).take_while(move |_| Instant::now() < end))
        }
    };
    let note = Note::of(target.name());
    let mut count = 0;
    for case in cases {
        note.write(case);
        one(target, &seeds, case);
        count += 1;
    }
    assert!(memory() < MOST_MEMORY, "the cases took {} KiB", memory());
    assert!(count > 0);
}

/// The seeds of a target with those of its folder; each must be read.
fn seeds(target: &dyn Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target.name());
    let mut paths: Vec<PathBuf> = folder
        .read_dir()
        .map(|entries| {
            entries
                .map(|entry| entry.expect("an entry").path())
                .collect()
        })
        .unwrap_or_default();
    paths.sort();
    let kept = paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"));
    target.seeds().into_iter().chain(kept).collect()
}

/// One case, on a stack of its own.
fn one(target: &dyn Target, seeds: &[Vec<u8>], case: u64) {
    let input = {
        let mut numbers = Numbers::of(target.name(), case);
        let mutated = mutate(seeds, &mut numbers);
        target.dress(mutated, &mut numbers)
    };
    let started = Instant::now();
    let ended = std::thread::scope(|scope| {
        let judged = || {
            let mut numbers = Numbers::of(target.name(), !case);
            catch_unwind(AssertUnwindSafe(|| target.judge(&input, &mut numbers)))
        };
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, judged).expect("a thread");
        thread.join().expect("caught inside")
    });
    let took = started.elapsed();
    if ended.is_err() || took > PATIENCE {
        let shown = String::from_utf8_lossy(&input[..input.len().min(2000)]).into_owned();
        panic!(
            "{}: case {case} failed after {took:?}; run it again with TERRANE_FUZZ_CASE={case}\n{shown}",
            target.name()
        );
    }
}

/// Reads one input as a case would, for inputs made by hand.
pub(crate) fn read(target: &dyn Target, input: &[u8]) {
    let started = Instant::now();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let judged = || target.judge(input, &mut Numbers::of(target.name(), 0));
        let thread = thread.spawn_scoped(scope, judged).expect("a thread");
        thread.join().expect("no panic");
    });
    assert!(
        started.elapsed() < PATIENCE,
        "it took {:?}",
        started.elapsed()
    );
}

/// The number of the running case, in a file: an overflow of the stack ends the process without a word.
struct Note(PathBuf);

impl Note {
    fn of(target: &str) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}.case")))
    }

    fn write(&self, case: u64) {
        std::fs::write(&self.0, case.to_string()).expect("a writable target folder");
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // It stays only where nothing could be said.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The most memory that this process had, in KiB; 0 where that is not known.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.and_then(|line| line.split_whitespace().next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
