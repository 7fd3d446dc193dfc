//! A disk that fails: while a stack of real processes works, the n-th call of each kind fails in each way, and nothing is lost, nothing
//! said is untrue, and the next runs put everything right.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use terrane_tests::{Figures, in_full};

use crate::mortal::{MortalStack, Ran, Store};

/// A kind of call, and how it may fail. `always`: also every one after it.
const KINDS: [(&str, &[&str]); 15] = [
    ("open", &["EIO", "EINTR"]),
    ("read", &["EIO", "EINTR", "short"]),
    ("write", &["ENOSPC", "EIO", "EINTR", "short"]),
    ("sync", &["EIO", "ENOSPC", "EINTR"]),
    ("dirsync", &["EIO", "EINVAL"]),
    ("rename", &["EIO", "ENOSPC"]),
    ("link", &["EPERM", "EMLINK", "ENOTSUP", "EIO"]),
    ("unlink", &["EIO"]),
    ("truncate", &["EIO"]),
    ("lock", &["EIO", "ENOLCK"]),
    ("fcntl", &["EIO"]),
    ("close", &["EIO", "EINTR"]),
    ("mode", &["EPERM", "EIO"]),
    ("mkdir", &["ENOSPC", "EIO"]),
    ("full", &["ENOSPC:always", "EDQUOT:always"]),
];

/// File systems that lack something, always.
const LACKING: [&str; 5] = [
    "link:1:EPERM:always",
    "link:1:ENOTSUP:always",
    "link:1:EMLINK:always",
    "mode:1:EPERM:always",
    "dirsync:1:EINVAL:always",
];

/// Names the one fault to go through, as a failure prints it.
const ONE: &str = "TERRANE_SIMULATION_FAULT";

/// The commands before the disk fails, and the one during it.
struct Scene {
    name: &'static str,
    before: &'static [&'static [&'static str]],
    fails: &'static [&'static str],
    /// The arguments of the last program.
    declared: &'static [&'static str],
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "create",
        before: &[],
        fails: &["up", "--yes"],
        declared: &[],
    },
    Scene {
        name: "replace",
        before: &[&["up", "--yes"]],
        fails: &["up", "--yes", "--var", "network=1"],
        declared: &["--var", "network=1"],
    },
    Scene {
        name: "save a plan",
        before: &[&["up", "--yes"]],
        fails: &["preview", "--var", "network=1", "--out", "plans/plan"],
        declared: &[],
    },
    Scene {
        name: "apply a plan",
        before: &[
            &["up", "--yes"],
            &["preview", "--var", "network=1", "--out", "plans/plan"],
        ],
        fails: &["up", "plans/plan"],
        declared: &["--var", "network=1"],
    },
];

/// The library to preload; `None` where there is no compiler, which under `CI=true` is a failure.
#[expect(
    clippy::disallowed_methods,
    reason = "whether a missing tool is a failure is said by the environment"
)]
fn shim() -> Option<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let shim = SHIM.get_or_init(|| {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join(format!("shim-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/deaths/shim.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .args([source, "-ldl"])
            .status();
        match compiled {
            Ok(status) => {
                assert!(status.success(), "cc cannot compile {source}");
                Some(library)
            }
            Err(_) => {
                let ci = std::env::var("CI");
                assert_ne!(ci.as_deref(), Ok("true"), "cc is needed and not installed");
                None
            }
        }
    });
    shim.as_deref()
}

impl Scene {
    /// A folder in which everything before it has taken place.
    fn prepared(&self) -> MortalStack {
        let mut stack = MortalStack::new("022", Store::Apart);
        fs::create_dir(stack.path().join("plans")).expect("made");
        for arguments in self.before {
            run(&mut stack, arguments, &[]).exits(0);
        }
        stack
    }

    /// How many calls of each kind there are when none fails.
    fn counts(&self, prepared: &MortalStack) -> Vec<(&'static str, usize)> {
        let mut stack = prepared.copy();
        let file = stack.path().join("counts");
        let counts = [("SHIM_COUNTS", file.display().to_string())];
        let ran = run(&mut stack, self.fails, &counts);
        assert!(matches!(ran.code, Some(0 | 2)), "{}{}", ran.out, ran.err);
        let text = fs::read_to_string(&file).expect("the shim counts");
        let count = |kind: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(kind));
            let count = line.expect("a line").trim();
            count.parse().expect("a number")
        };
        KINDS.map(|(kind, _)| (kind, count(kind))).to_vec()
    }
}

/// Runs the program with the shim.
fn run(stack: &mut MortalStack, arguments: &[&str], more: &[(&str, String)]) -> Ran {
    let arguments = [arguments, &["--var", "count=1"]].concat();
    // A plan has its configuration with it.
    let arguments = match arguments[..] {
        ["up", "plans/plan", ..] => &arguments[..2],
        _ => &arguments[..],
    };
    let shim = shim().expect("who fails asked before whether there is one");
    let at = |folder| stack.path().join(folder).display().to_string();
    let mut variables = vec![
        ("LD_PRELOAD", shim.display().to_string()),
        (
            "SHIM_FOLDERS",
            [at(".terrane/mortal"), at("plans")].join(":"),
        ),
    ];
    variables.extend(more.iter().cloned());
    stack.run_with(arguments, &variables)
}

trait Exits {
    fn exits(self, code: i32) -> Self;
}

impl Exits for Ran {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }
}

/// Lets one call fail, and the next runs repair the result.
fn judge(scene: &Scene, prepared: &MortalStack, fault: &str) {
    let mut stack = prepared.copy();
    let since = stack.lines();
    let ran = run(&mut stack, scene.fails, &[("SHIM_FAULT", fault.to_owned())]);
    let said = format!("{}{}", ran.out, ran.err);
    // Neither a panic nor a signal.
    let expected = [0, 1, 3, 5, 7];
    let code = ran.code.filter(|code| expected.contains(code));
    let code = code.unwrap_or_else(|| panic!("CODE: {:?}: {said}", ran.code));
    stack.nothing_is_lost("");
    let (known, _) = stack.look();
    for line in ran.err.lines() {
        if let Some((_, id)) = line.split_once(": created in ") {
            let id = id
                .split_once("[id=")
                .expect("an id")
                .1
                .trim_end_matches(']');
            assert!(known.contains(id), "ACK: {id} was said to be made: {said}");
        }
    }
    let up = [&["up", "--yes"], scene.declared].concat();
    let mut rounds = 0;
    loop {
        let next = run(&mut stack, &up, &[]);
        let text = format!("{said}\n--- then ---\n{}{}", next.out, next.err);
        let first = rounds == 0;
        if first && said.contains("its journal holds everything") {
            assert_eq!(next.code, Some(0), "SAID: {text}");
        }
        match next.code {
            Some(0) => {
                let works = scene.fails[0] == "up" && code == 0;
                let quiet = next.out.contains("No changes") || !first || !works;
                assert!(quiet, "SAID: it was done: {text}");
                break;
            }
            Some(7) => {
                let command = pushes(&next).unwrap_or_else(|| panic!("CONV: {text}"));
                stack.paste(&command).exits(0);
            }
            Some(3) => {
                let (_, open) = stack.look();
                let (live, _) = stack.cloud(0);
                let (known, _) = stack.look();
                for address in open {
                    let there = live
                        .iter()
                        .find(|(id, of)| **of == address && !known.contains(*id));
                    match there {
                        Some((id, _)) => stack
                            .run(&["state", "resolve", &address, "--id", id])
                            .exits(0),
                        None => stack
                            .run(&["state", "resolve", &address, "--absent"])
                            .exits(0),
                    };
                }
            }
            other => panic!("CONV: {other:?}: {text}"),
        }
        rounds += 1;
        assert!(rounds <= 4, "CONV: {text}");
    }
    let (live, _) = stack.cloud(since);
    let (known, open) = stack.look();
    assert_eq!(
        live.into_keys().collect::<BTreeSet<_>>(),
        known,
        "ORPH: {said}"
    );
    assert!(open.is_empty());
    stack.nothing_is_twice(since);
    stack.nothing_is_left();
    stack.nothing_shows();
}

/// The command with which a refusal says that results are stored.
fn pushes(ran: &Ran) -> Option<String> {
    let (_, rest) = ran.err.split_once("`mortal-stack state push ")?;
    let (command, _) = rest.split_once('`')?;
    Some(format!("mortal-stack state push {command}"))
}

/// Every fault that a scene can have: for each kind of call and way to fail, at which of them.
fn faults(scene: &Scene, prepared: &MortalStack) -> Vec<Vec<String>> {
    let mut faults = vec![LACKING.map(str::to_owned).to_vec()];
    for ((kind, ways), (_, count)) in KINDS.iter().zip(scene.counts(prepared)) {
        for way in *ways {
            let (how, always) = way.split_once(':').unwrap_or((way, ""));
            let always = if always.is_empty() { "" } else { ":always" };
            let nth = (1..=count).map(|nth| format!("{kind}:{nth}:{how}{always}"));
            faults.push(nth.collect());
        }
    }
    faults.retain(|nth| !nth.is_empty());
    faults
}

/// The same ones in every run: of every third kind and way in each scene one, another one each time.
fn sample(all: &[Vec<String>], offset: usize) -> Vec<&String> {
    let kinds = all.iter().enumerate().skip(offset % 3).step_by(3);
    kinds
        .map(|(n, nth)| &nth[(5 * n + 3 * offset) % nth.len()])
        .collect()
}

#[test]
fn after_any_failing_call_no_object_is_lost_and_the_next_run_repairs_it() {
    if shim().is_none() {
        return;
    }
    let started = Instant::now();
    let only = std::env::var_os(ONE);
    let prepared: Vec<MortalStack> = std::thread::scope(|scope| {
        let prepared = SCENES
            .each_ref()
            .map(|scene| scope.spawn(|| scene.prepared()));
        prepared.map(|it| it.join().expect("prepared")).into()
    });
    let mut count = 0;
    let mut cases: Vec<(&Scene, &MortalStack, String)> = Vec::new();
    for (n, (scene, stack)) in SCENES.iter().zip(&prepared).enumerate() {
        let all = faults(scene, stack);
        count += all.iter().map(Vec::len).sum::<usize>();
        let chosen: Vec<&String> = match (&only, in_full()) {
            (Some(only), _) => {
                let is_it = |fault: &&String| *only == *format!("{}:{fault}", scene.name);
                all.iter().flatten().filter(is_it).collect()
            }
            (None, Some(_)) => all.iter().flatten().collect(),
            (None, None) => sample(&all, n),
        };
        cases.extend(
            chosen
                .into_iter()
                .map(|fault| (scene, stack, fault.clone())),
        );
    }
    let next = Mutex::new(cases.iter());
    // They mostly wait for each other.
    let worker = || {
        let mut failed = Vec::new();
        loop {
            let Some((scene, stack, fault)) = next.lock().expect("not poisoned").next() else {
                return failed;
            };
            if catch_unwind(|| judge(scene, stack, fault)).is_err() {
                failed.push(format!("{ONE}='{}:{fault}'", scene.name));
            }
        }
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(worker));
        let failed = workers.map(|worker| worker.join().expect("judged panics are caught"));
        failed.into_iter().flatten().collect()
    });
    let figures = Figures {
        schedules: cases.len(),
        asked: 0,
    };
    figures.report(&format!("failing disk, of {count}"), started.elapsed());
    assert!(!cases.is_empty());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
