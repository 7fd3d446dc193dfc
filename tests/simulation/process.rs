//! Real processes: the engine with its sandbox over gRPC, killed where a place says, judged by the sandbox's ledger on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;
use terrane_state::crash::{Layer, Point};
use terrane_state::{IntentAction, LocalBackend, Run};

/// Canaries in variables, in the provider's configuration, in objects and in the environment.
const CANARIES: usize = 100;

/// How the process ends at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// The engine alone; its provider is told by the kernel.
    Kill,
    Abort,
    Panic,
    /// The engine stops there, its provider is killed, the engine goes on.
    ProviderKilled,
    /// The engine stops there, and all are killed.
    BothKilled,
}

const DEATHS: [Death; 5] = [
    Death::Kill,
    Death::Abort,
    Death::Panic,
    Death::ProviderKilled,
    Death::BothKilled,
];

/// One death of one run.
#[derive(Debug, Clone, Copy)]
struct Case {
    place: &'static str,
    nth: usize,
    death: Death,
    umask: &'static str,
}

/// A folder in which a stack lives and dies.
struct Place {
    folder: TempDir,
    umask: &'static str,
    canaries: Vec<String>,
    /// Everything that any run wrote to its streams.
    streams: String,
}

struct Ran {
    /// `None` for who died by a signal.
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new(umask: &'static str) -> Self {
        let canaries = (0..CANARIES).map(|n| {
            let random = terrane_state::Random::uuid(&terrane_state::SystemRandom);
            format!("canary{n}-{random}")
        });
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            umask,
            canaries: canaries.collect(),
            streams: String::new(),
        }
    }

    fn command(&self, arguments: &[&str], crash: Option<String>) -> Command {
        let (environment, secrets) = self.canaries.split_at(CANARIES / 4);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("umask {}; exec \"$0\" \"$@\"", self.umask)])
            .arg(env!("CARGO_BIN_EXE_mortal-stack"))
            .args(arguments)
            .arg("--sandbox")
            .current_dir(self.folder.path())
            .env_clear()
            .env("TERRANE_SANDBOX_SPEED", "0")
            .env(
                "TERRANE_VAR_SECRETS",
                serde_json::to_string(secrets).expect("JSON"),
            )
            .envs(
                environment
                    .iter()
                    .enumerate()
                    .map(|(n, secret)| (format!("SECRET_{n}"), secret)),
            )
            .env("AWS_SECRET_ACCESS_KEY", &environment[0])
            .envs(crash.map(|crash| ("TERRANE_CRASH_AT", crash)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&mut self, arguments: &[&str]) -> Ran {
        let child = self.command(arguments, None).spawn().expect("it starts");
        self.finish(child)
    }

    fn finish(&mut self, child: Child) -> Ran {
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let ran = Ran {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        self.streams.push_str(&ran.out);
        self.streams.push_str(&ran.err);
        ran
    }

    /// A run that dies as the case says, or ends because it never passes the place so often.
    fn die(&mut self, arguments: &[&str], case: Case) -> Ran {
        let kind = match case.death {
            Death::Kill => "kill",
            Death::Abort => "abort",
            Death::Panic => "panic",
            Death::ProviderKilled | Death::BothKilled => "stop",
        };
        let crash = format!("{}:{}:{kind}", case.place, case.nth);
        let mut child = self
            .command(arguments, Some(crash))
            .spawn()
            .expect("it starts");
        if kind == "stop" && stops(&mut child) {
            let engine = pid(child.id());
            for provider in children(child.id()) {
                let _ = kill_process(pid(provider), Signal::KILL);
            }
            let signal = match case.death {
                Death::BothKilled => Signal::KILL,
                _ => Signal::CONT,
            };
            kill_process(engine, signal).expect("it is there");
        }
        self.finish(child)
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join(".terrane/sandbox/mortal")
    }

    /// Ids of what exists by its address, and how often each address was made, since that line.
    fn cloud(&self, since: usize) -> (BTreeMap<String, String>, BTreeMap<String, usize>) {
        let text = fs::read_to_string(self.folder().join("ledger.jsonl")).unwrap_or_default();
        let (mut live, mut made) = (BTreeMap::new(), BTreeMap::new());
        for (number, line) in text.lines().enumerate() {
            let line: Json = serde_json::from_str(line).expect("a line of JSON");
            let id = line["id"].as_str().expect("an id").to_owned();
            let address = line["object"]["tags"]["Name"].as_str().map(str::to_owned);
            match (line["op"].as_str().expect("an operation"), address) {
                ("delete", _) => drop(live.remove(&id)),
                (op, Some(address)) => {
                    if op == "create" && number >= since {
                        *made.entry(address.clone()).or_default() += 1;
                    }
                    live.insert(id, address);
                }
                (_, None) => panic!("an object without a name"),
            }
        }
        (live, made)
    }

    fn lines(&self) -> usize {
        let text = fs::read_to_string(self.folder().join("ledger.jsonl"));
        text.map_or(0, |text| text.lines().count())
    }

    /// What the next run would find: ids in the state, addresses whose creation is in doubt.
    fn look(&self) -> (BTreeSet<String>, Vec<String>) {
        let path = self.folder().join("terraform.tfstate");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let backend = LocalBackend::new(path).expect("a path");
        let (state, recovered) = runtime
            .block_on(Run::look(&backend))
            .unwrap_or_else(|error| panic!("READ: {error:?}"));
        let open = recovered.open.iter();
        let open = open.filter(|open| open.intent.action == IntentAction::Create);
        (
            crate::judge::ids(&state).into_keys().collect(),
            open.map(|open| open.intent.address.to_string()).collect(),
        )
    }

    fn nothing_is_lost(&self, out: &str) {
        let (known, mut open) = self.look();
        let (live, _) = self.cloud(0);
        for (id, address) in &live {
            if known.contains(id) {
                continue;
            }
            let place = open.iter().position(|open| open == address);
            let place = place.unwrap_or_else(|| panic!("ORPH: nobody knows {id} of {address}"));
            open.remove(place);
        }
        for line in out.lines() {
            let Ok(line) = serde_json::from_str::<Json>(line) else {
                continue;
            };
            let hook = &line["hook"];
            if line["type"] == "apply_complete" && hook["action"] != "delete" {
                let id = hook["id_value"].as_str().unwrap_or_default();
                assert!(known.contains(id), "ACK: {id} was said to be done");
            }
        }
    }

    fn nothing_is_twice(&self, since: usize) {
        for (address, times) in self.cloud(since).1 {
            assert_eq!(times, 1, "DUP: {address} was made {times} times");
        }
    }

    /// Modes of everything, and the canaries in what others may read.
    fn nothing_shows(&self) {
        let mut folders = vec![self.folder.path().join(".terrane")];
        while let Some(folder) = folders.pop() {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
            for entry in fs::read_dir(&folder).expect("readable") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    assert_eq!(mode(&path), 0o600, "{}", path.display());
                }
            }
        }
        for canary in &self.canaries {
            assert!(
                !self.streams.contains(canary),
                "SECR: {canary} was printed:\n{}",
                self.streams
            );
        }
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).expect("small")).expect("a process")
}

fn stat(process: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Waits until a process has stopped; whether it did before it ended.
fn stops(child: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if child.try_wait().expect("it can be waited for").is_some() {
            return false;
        }
        if stat(child.id()).is_some_and(|(state, _)| state == 'T') {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it neither stops nor ends");
}

/// The processes below one.
fn children(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        let number = entry.file_name().to_string_lossy().parse::<u32>();
        if let Ok(number) = number
            && stat(number).is_some_and(|(_, parent)| parent == process)
        {
            found.extend(children(number));
            found.push(number);
        }
    }
    found
}

/// Lets a run die and others end what it began; whether it passed the place at all, and died.
fn judge(arguments: &[&str], before: Option<&[&str]>, case: Case) -> bool {
    let mut place = Place::new(case.umask);
    let up: Vec<&str> = ["up", "--yes", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    if let Some(before) = before {
        let mut first = vec!["up", "--yes"];
        first.extend(before);
        let ran = place.run(&first);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
    let since = place.lines();
    let ran = place.die(&up, case);
    let died = ran.code != Some(0);
    place.nothing_is_lost(&ran.out);
    if ran.code == Some(0) && !matches!(case.death, Death::ProviderKilled) {
        place.nothing_shows();
        return false;
    }
    let mut quiet = 0;
    loop {
        let ran = place.run(&up);
        place.nothing_is_lost(&ran.out);
        match ran.code {
            Some(0) => break,
            // Somebody has to look, and does.
            Some(3) => {
                let (known, open) = place.look();
                let (live, _) = place.cloud(0);
                let exists = |address: &String| {
                    live.iter()
                        .any(|(id, of)| of == address && !known.contains(id))
                };
                if open.iter().any(exists) {
                    // Nobody says what is there: it stays in doubt, and is never made again.
                    let ran = place.run(&up);
                    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
                    place.nothing_is_lost(&ran.out);
                    place.nothing_is_twice(since);
                    place.nothing_shows();
                    return died;
                }
                for address in open {
                    let said = place.run(&["state", "resolve", &address, "--absent"]);
                    assert_eq!(said.code, Some(0), "{}", said.err);
                }
            }
            code => panic!("CONV: {code:?}\n{}{}", ran.out, ran.err),
        }
        quiet += 1;
        assert!(quiet <= 2, "CONV: {}{}", ran.out, ran.err);
    }
    let preview = place.run(
        &["preview", "--detailed-exitcode"]
            .iter()
            .chain(arguments)
            .copied()
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        preview.code,
        Some(0),
        "CONV: {}{}",
        preview.out,
        preview.err
    );
    let (live, _) = place.cloud(since);
    let (known, open) = place.look();
    assert_eq!(live.into_keys().collect::<BTreeSet<_>>(), known, "ORPH");
    assert!(open.is_empty());
    place.nothing_is_twice(since);
    place.nothing_shows();
    died
}

/// Every place of a local run, for some time of passing it each.
#[test]
fn a_process_that_is_killed_anywhere_loses_nothing_and_shows_nothing() {
    let umasks = ["000", "022", "077"];
    let points = Point::ALL.iter().filter(|it| it.layer() != Layer::S3);
    let mut cases = Vec::new();
    for (n, point) in points.enumerate() {
        if crate::in_full().is_some() {
            for nth in 1..=8 {
                cases.extend(DEATHS.map(|death| Case {
                    place: point.name(),
                    nth,
                    death,
                    umask: umasks[(n + nth) % umasks.len()],
                }));
            }
            continue;
        }
        for nth in [1, 2] {
            cases.push(Case {
                place: point.name(),
                nth,
                death: DEATHS[(n + 2 * nth) % DEATHS.len()],
                umask: umasks[(n + nth) % umasks.len()],
            });
        }
    }
    let passed = std::sync::Mutex::new(BTreeSet::new());
    let failed = std::sync::Mutex::new(Vec::new());
    let next = std::sync::Mutex::new(cases.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().expect("not poisoned").next() else {
                        return;
                    };
                    let replaced: &[&str] = &["--var", "network=1", "--var", "create_first=true"];
                    let (arguments, before): (&[&str], Option<&[&str]>) = match case.nth % 2 {
                        1 => (&[], None),
                        _ => (replaced, Some(&["--var", "create_first=true"])),
                    };
                    let judged = std::panic::catch_unwind(|| judge(arguments, before, *case));
                    match judged {
                        Ok(true) => drop(passed.lock().expect("fine").insert(case.place)),
                        Ok(false) => {}
                        Err(_) => failed.lock().expect("fine").push(format!("{case:?}")),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("fine");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let passed = passed.into_inner().expect("fine");
    let local = Point::ALL.iter().filter(|it| it.layer() == Layer::Local);
    let missed: Vec<&str> = local
        .map(|point| point.name())
        .filter(|name| !passed.contains(name))
        .collect();
    assert!(missed.is_empty(), "nothing died at {missed:?}");
}
