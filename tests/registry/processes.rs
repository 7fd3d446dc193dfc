//! Installations as processes: many at once, and some that are killed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use terrane_core::addr::ProviderSource;
use terrane_registry::{HttpOptions, RequiredProvider};
use terrane_tests::{Fault, Release, Step, TestRegistry};

use crate::rig::{Events, Rig, install};

/// Names the file that tells a process what to do.
const ORDER: &str = "TERRANE_TEST_ORDER";

/// What a process installs.
#[derive(Serialize, Deserialize)]
struct Order {
    host: String,
    type_name: String,
    lock_file: PathBuf,
    cache: PathBuf,
    authority: String,
}

#[test]
#[ignore = "the other tests run it as a process"]
#[expect(
    clippy::disallowed_methods,
    reason = "a process of the tests is told what to do"
)]
fn a_process() {
    let Ok(path) = std::env::var(ORDER) else {
        return;
    };
    let order = std::fs::read(path).expect("an order");
    let order: Order = serde_json::from_slice(&order).expect("an order");
    let required = RequiredProvider {
        source: ProviderSource {
            host: order.host.into(),
            namespace: "acme".into(),
            type_name: order.type_name.into(),
        },
        versions: Some("1.0.0".parse().expect("a requirement")),
    };
    let http = HttpOptions {
        timeout: Duration::from_secs(60),
        authorities: vec![order.authority.into_bytes()],
        ..HttpOptions::default()
    };
    let events = Events::default();
    let config = "provider_installation {\n  direct {}\n}\n";
    let outcome = install(
        config,
        order.lock_file,
        order.cache,
        http,
        false,
        &[required],
        &events,
    );
    outcome.unwrap_or_else(|said| panic!("{said}"));
    let mut stderr = std::io::stderr();
    // The harness of the tests prints lines of its own.
    for line in events.take() {
        writeln!(stderr, "event: {line}").expect("a pipe");
    }
}

/// A started process, killed when its test fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Starts an installation in a project of that name.
    fn start(rig: &Rig, project: &str, type_name: &str) -> Self {
        let project = rig.path().join(project);
        std::fs::create_dir_all(&project).expect("made");
        let order = Order {
            host: rig.registry.host(),
            type_name: type_name.to_owned(),
            lock_file: project.join(".terraform.lock.hcl"),
            cache: rig.cache(),
            authority: TestRegistry::authority().to_owned(),
        };
        let path = project.join(format!("{type_name}.json"));
        let order = serde_json::to_vec(&order).expect("JSON");
        std::fs::write(&path, order).expect("written");
        let own = std::env::current_exe().expect("a program");
        let child = Command::new(own)
            .args([
                "processes::a_process",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(ORDER, path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.expect("a process"))
    }

    /// What happened, after it ended well.
    #[track_caller]
    fn ends_well(mut self) -> String {
        let mut said = String::new();
        let mut stderr = self.0.stderr.take().expect("a pipe");
        std::io::Read::read_to_string(&mut stderr, &mut said).expect("text");
        assert!(self.0.wait().expect("an end").success(), "{said}");
        let events = said.lines().filter_map(|line| line.strip_prefix("event: "));
        events.collect::<Vec<_>>().join("\n")
    }

    fn kill(mut self) {
        self.0.kill().expect("a process");
        self.0.wait().expect("an end");
    }
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn lock(rig: &Rig, project: &str) -> String {
    let path = rig.path().join(project).join(".terraform.lock.hcl");
    std::fs::read_to_string(path).expect("a lock file")
}

#[test]
fn two_processes_that_need_one_package_download_it_once() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    // Long enough for the second to come while the first is at it.
    rig.registry
        .fail(Step::Zip, Fault::Slow(64, Duration::from_millis(80)), 1);
    let first = Process::start(&rig, "one", "null");
    wait_until(|| rig.registry.count(Step::Zip) == 1);
    let second = Process::start(&rig, "two", "null");
    insta::assert_snapshot!(rig.filtered(&first.ends_well()), @r"installed localhost:PORT/acme/null 1.0.0 from localhost:PORT, signed");
    insta::assert_snapshot!(rig.filtered(&second.ends_well()), @r"waiting for localhost:PORT/acme/null");
    assert_eq!(rig.registry.count(Step::Zip), 1);
    assert_eq!(lock(&rig, "one"), lock(&rig, "two"));
    rig.installs("1.0.0");
}

#[test]
fn processes_that_share_a_lock_file_lose_no_entry() {
    let rig = Rig::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        rig.registry.publish(&Release::new(name, "1.0.0"));
    }
    let processes = names.map(|name| Process::start(&rig, "shared", name));
    for process in processes {
        process.ends_well();
    }
    let lock = lock(&rig, "shared");
    for name in names {
        assert!(lock.contains(&format!("acme/{name}\"")), "{name}: {lock}");
    }
}

/// Whether some place of the store is being filled, with that in it.
fn is_half_done(rig: &Rig, name: &str) -> bool {
    let incomplete = |path: &Path| path.extension().is_some_and(|end| end == "incomplete");
    rig.packages()
        .iter()
        .any(|path| incomplete(path) && path.join(name).exists())
}

#[test]
fn after_a_process_was_killed_in_a_download_the_next_one_installs() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.fail(Step::Zip, Fault::Stall, 1);
    let process = Process::start(&rig, "one", "null");
    wait_until(|| !rig.partial_downloads().is_empty());
    process.kill();
    assert!(!rig.partial_downloads().is_empty(), "it could not tidy up");
    rig.installs("1.0.0");
    assert!(rig.partial_downloads().is_empty());
}

#[test]
fn after_a_process_was_killed_while_it_unpacked_the_next_one_installs() {
    let names: Vec<String> = (0..300).map(|index| format!("file-{index}")).collect();
    let provider = b"#!/bin/sh\necho null 1.0.0\n";
    let mut files = vec![("terraform-provider-null_v1.0.0", &provider[..])];
    files.extend(names.iter().map(|name| (name.as_str(), &b"x"[..])));
    let release = Release::of("null", "1.0.0", &files);
    // It may be done before it is killed.
    let was_killed = (0..20).any(|_| {
        let rig = Rig::new();
        rig.registry.publish(&release);
        let process = Process::start(&rig, "one", "null");
        let is_done = || rig.packages().iter().any(|path| path.extension().is_none());
        wait_until(|| is_half_done(&rig, "package/file-1") || is_done());
        process.kill();
        let was_killed = is_half_done(&rig, "package/file-1");
        let package = rig.installs("1.0.0");
        let folder = package.folder.expect("a folder");
        assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 301);
        was_killed
    });
    assert!(was_killed);
}
