//! A stack of real processes: its folder, the store of its state, and the sandbox's ledger on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;
use terrane_state::backend::S3Backend;
use terrane_state::{Backend, BackendAddress as _, IntentAction, LocalBackend, Run, SystemClock};
use terrane_tests::{Aws, aws, full_pipe, md5_of};

/// Canaries in variables, in the provider's configuration, in objects and in the environment.
const CANARIES: usize = 100;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mortal-stack");

/// A state in a folder of its own.
const APART: &str = ".terrane/mortal/terraform.tfstate";

/// The folder of its temporary files, in the folder of a stack.
const TEMPORARY: &str = "tmp";

/// How the process ends at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Death {
    /// The engine alone; its provider is told by the kernel.
    Kill,
    Abort,
    Panic,
    /// The engine stops there, its provider is killed, the engine goes on.
    ProviderKilled,
    /// The engine stops there, and all are killed.
    BothKilled,
}

pub(crate) const DEATHS: [Death; 5] = [
    Death::Kill,
    Death::Abort,
    Death::Panic,
    Death::ProviderKilled,
    Death::BothKilled,
];

/// Where a state is kept, and how it is locked there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// Files beside the sandbox.
    Local,
    /// Files in a folder of their own.
    Apart,
    /// S3, by an item of DynamoDB.
    Table,
    /// S3, by an object beside the state.
    Lockfile,
    /// S3, by both.
    Both,
}

/// One death of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeathPlan {
    pub(crate) place: &'static str,
    pub(crate) nth: usize,
    pub(crate) death: Death,
    pub(crate) umask: &'static str,
    pub(crate) store: Store,
    /// It dies while it replaces the objects of a run before it, not while it creates the first.
    pub(crate) replaces: bool,
    /// No reader reads its output.
    pub(crate) unread: bool,
}

/// A state in S3.
struct Remote {
    aws: Aws,
    options: S3Backend,
}

/// A folder in which a stack lives and dies.
pub(crate) struct MortalStack {
    folder: TempDir,
    store: Store,
    /// Where its state is, if not in the folder.
    remote: Option<Remote>,
    umask: &'static str,
    canaries: Vec<String>,
    /// Everything that any run wrote to its streams.
    streams: String,
}

pub(crate) struct Ran {
    /// `None` after a death by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Whether it ended in the way that the case says, not in another.
    pub(crate) fn died_as(&self, case: DeathPlan) -> bool {
        match case.death {
            Death::Kill | Death::Abort | Death::BothKilled => self.code.is_none(),
            Death::Panic => self.err.contains(&format!("crash point {}", case.place)),
            // The engine lives, and reports the lost provider.
            Death::ProviderKilled => self.code.is_some_and(|code| code != 0),
        }
    }

    /// The id with which the refusal of a lock says that it can be freed.
    pub(crate) fn lock_to_force(&self) -> Option<&str> {
        let text = [&self.out, &self.err];
        let (_, command) = text.iter().find_map(|it| it.split_once("force-unlock "))?;
        command.split([' ', '`']).next()
    }
}

/// On a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// A bucket and a table of their own.
fn remote(store: Store) -> Option<Remote> {
    if matches!(store, Store::Local | Store::Apart) {
        return None;
    }
    let aws = aws().expect("who dies over S3 asked before whether there is one");
    let mut options = aws.backend();
    if store != Store::Lockfile {
        options = options.lock_table(aws.name());
    }
    if store != Store::Table {
        options = options.lockfile();
    }
    block_on(async {
        let clock = Arc::new(SystemClock::default());
        let planned = options.plan_bootstrap(clock).await.expect("planned");
        for step in planned.expect("a bucket must be created") {
            step.run().await.expect("done");
        }
    });
    Some(Remote { aws, options })
}

impl MortalStack {
    pub(crate) fn new(umask: &'static str, store: Store) -> Self {
        let canaries = (0..CANARIES).map(|n| {
            let random = terrane_state::Random::uuid(&terrane_state::SystemRandom);
            format!("canary{n}-{random}")
        });
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(TEMPORARY)).expect("made");
        Self {
            folder,
            store,
            remote: remote(store),
            umask,
            canaries: canaries.collect(),
            streams: String::new(),
        }
    }

    /// Another folder with the same in it.
    pub(crate) fn copy(&self) -> Self {
        assert!(self.remote.is_none(), "a bucket is not copied");
        let folder = tempfile::tempdir().expect("a folder");
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.path().join("."))
            .arg(folder.path())
            .status();
        assert!(copied.expect("cp runs").success());
        Self {
            folder,
            store: self.store,
            remote: None,
            umask: self.umask,
            canaries: self.canaries.clone(),
            streams: String::new(),
        }
    }

    /// The value of `--backend`, where it is needed.
    fn backend_argument(&self) -> Option<String> {
        match (&self.remote, self.store) {
            (Some(remote), _) => Some(Aws::url_of(remote.options.clone())),
            (None, Store::Apart) => Some(APART.to_owned()),
            (None, _) => None,
        }
    }

    fn command(&self, arguments: &[&str], crash: Option<String>) -> Command {
        let mut command = self.shell("exec \"$0\" \"$@\"");
        command
            .arg(PROGRAM)
            .args(arguments)
            .arg("--sandbox")
            .args(
                self.backend_argument()
                    .iter()
                    .flat_map(|place| ["--backend", place]),
            )
            .envs(crash.map(|crash| ("TERRANE_CRASH_AT", crash)));
        command
    }

    /// A line for a shell in the folder, with the program on its path.
    fn shell(&self, line: &str) -> Command {
        let (environment, secrets) = self.canaries.split_at(CANARIES / 4);
        let programs = Path::new(PROGRAM).parent().expect("a folder");
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("umask {}; {line}", self.umask)])
            .env_clear()
            .env("PATH", programs)
            .current_dir(self.folder.path())
            .env("TERRANE_SANDBOX_SPEED", "0")
            .env("TMPDIR", self.folder.path().join(TEMPORARY))
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
            .env("AWS_ACCESS_KEY_ID", "AKIATEST")
            .env("AWS_SECRET_ACCESS_KEY", &environment[0])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&mut self, arguments: &[&str]) -> Ran {
        let child = self.command(arguments, None).spawn().expect("it starts");
        self.finish(child)
    }

    /// A run with more in its environment.
    pub(crate) fn run_with(&mut self, arguments: &[&str], variables: &[(&str, String)]) -> Ran {
        let mut command = self.command(arguments, None);
        let variables = variables.iter().map(|(name, value)| (name, value));
        let child = command.envs(variables).spawn().expect("it starts");
        self.finish(child)
    }

    /// A command that was printed, typed as it is, with `--yes` behind it.
    pub(crate) fn paste(&mut self, command: &str) -> Ran {
        let line = format!("{command} --yes");
        let child = self.shell(&line).spawn().expect("it starts");
        self.finish(child)
    }

    /// The folder that it lives in.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
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
    pub(crate) fn die(&mut self, arguments: &[&str], case: DeathPlan) -> Ran {
        let kind = match case.death {
            Death::Kill => "kill",
            Death::Abort => "abort",
            Death::Panic => "panic",
            Death::ProviderKilled | Death::BothKilled => "stop",
        };
        let crash = format!("{}:{}:{kind}", case.place, case.nth);
        let mut command = self.command(arguments, Some(crash));
        let sleepers = case.unread.then(|| [full_pipe(), full_pipe()]);
        let sleepers = sleepers.map(|[(results, out), (talk, err)]| {
            command.stdout(out).stderr(err);
            [results, talk]
        });
        let mut child = command.spawn().expect("it starts");
        if sleepers.is_some() {
            ends(&mut child);
        }
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

    /// A run that is killed after that time, wherever it is then; or ends before.
    pub(crate) fn die_after(
        &mut self,
        arguments: &[&str],
        time: Duration,
        with_provider: bool,
    ) -> Ran {
        let child = self.command(arguments, None).spawn().expect("it starts");
        std::thread::sleep(time);
        if with_provider {
            for provider in children(child.id()) {
                let _ = kill_process(pid(provider), Signal::KILL);
            }
        }
        // Until it is waited for, no other process gets its number.
        let _ = kill_process(pid(child.id()), Signal::KILL);
        self.finish(child)
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join(".terrane/sandbox/mortal")
    }

    /// The operations that happened, by the sandbox's ledger. A line that was cut off by a kill has no end, and did not happen.
    pub(crate) fn ledger(&self) -> Vec<Json> {
        let text = fs::read_to_string(self.folder().join("ledger.jsonl")).unwrap_or_default();
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Addresses of the objects by id, and how often each address was created since that line.
    pub(crate) fn cloud(
        &self,
        since: usize,
    ) -> (BTreeMap<String, String>, BTreeMap<String, usize>) {
        let (mut live, mut made) = (BTreeMap::new(), BTreeMap::new());
        for (number, line) in self.ledger().into_iter().enumerate() {
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

    pub(crate) fn lines(&self) -> usize {
        self.ledger().len()
    }

    /// The store of the state, as the next run connects to it.
    async fn backend(&self) -> Arc<dyn Backend> {
        match &self.remote {
            None => {
                let path = match self.store {
                    Store::Apart => self.folder.path().join(APART),
                    _ => self.folder().join("terraform.tfstate"),
                };
                Arc::new(LocalBackend::new(path).expect("a path"))
            }
            Some(remote) => {
                let clock = Arc::new(SystemClock::default());
                remote.options.connect(clock).await.expect("connected")
            }
        }
    }

    /// The findings of a next run: ids in the state, addresses of unresolved creations.
    pub(crate) fn look(&self) -> (BTreeSet<String>, Vec<String>) {
        let looked = block_on(async { Run::look(&*self.backend().await).await });
        let (state, recovered) = looked.unwrap_or_else(|error| panic!("READ: {error:?}"));
        let open = recovered.open.iter();
        let open = open.filter(|open| open.intent.action == IntentAction::Create);
        (
            terrane_tests::ids(&state).into_keys().collect(),
            open.map(|open| open.intent.address.to_string()).collect(),
        )
    }

    pub(crate) fn nothing_is_lost(&self, out: &str) {
        let (known, mut open) = self.look();
        let (live, _) = self.cloud(0);
        for (id, address) in &live {
            if known.contains(id) {
                continue;
            }
            let place = open.iter().position(|open| open == address);
            let place = place
                .unwrap_or_else(|| panic!("ORPH: no state or journal knows {id} of {address}"));
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

    pub(crate) fn nothing_is_twice(&self, since: usize) {
        for (address, times) in self.cloud(since).1 {
            assert_eq!(times, 1, "DUP: {address} was made {times} times");
        }
    }

    /// Nobody holds any half of the lock in S3, and Terraform would take the state by its digest.
    pub(crate) fn nothing_is_locked(&self) {
        let Some(Remote { aws, options }) = &self.remote else {
            return;
        };
        let key = options.object_key();
        assert_eq!(aws.object(&format!("{key}.tflock")), None, "LOCK");
        if options.lock_table_name().is_none() {
            return;
        }
        assert_eq!(aws.item(&options.lock_path()), None, "LOCK");
        let state = aws.object(&key).expect("a state");
        let digest = aws.item(&format!("{}-md5", options.lock_path()));
        let digest = digest.expect("a digest");
        assert_eq!(digest["Digest"]["S"], md5_of(state.as_bytes()), "READ");
    }

    /// Later runs have removed all that a dead one left behind.
    pub(crate) fn nothing_is_left(&self) {
        let mut left = names(&self.folder.path().join(TEMPORARY));
        let state = self.folder.path().join(APART);
        let folders = [self.folder(), state.parent().expect("a folder").to_owned()];
        let folders = folders.iter().filter(|folder| folder.exists());
        left.extend(folders.flat_map(|it| names(it)).filter(|name| {
            let ends = [".terrane-tmp", ".backup.link"];
            ends.iter().any(|end| name.ends_with(end))
        }));
        assert!(left.is_empty(), "LEFT: {left:?}");
    }

    /// Checks the modes of all files, and searches the output for canaries.
    pub(crate) fn nothing_shows(&self) {
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

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.into_string().expect("text"))
        .collect()
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

/// Waits until a process ends that has no reason to wait for anybody.
fn ends(child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while child.try_wait().expect("it can be waited for").is_none() {
        assert!(Instant::now() < deadline, "it waits for its readers");
        std::thread::sleep(Duration::from_millis(5));
    }
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
