//! Files that hold secrets: whatever writes them, only their owner reads them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use terrane_tests::{Output, TestEnvironment};

use crate::stage::network;

/// The program with these arguments under that umask.
fn run(stack: &TestEnvironment, umask: &str, arguments: &[&str]) -> Output {
    let program = stack.command(arguments);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(stack.path())
        .env_clear()
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    for (name, value) in program.get_envs() {
        command.env(name, value.expect("a variable that is set"));
    }
    stack.finish(command.spawn().expect("a shell"))
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

#[test]
fn every_written_file_is_private_under_any_umask_and_ignored_by_git() {
    for umask in ["000", "277"] {
        let stack = network();
        let at = |name: &str| stack.path().join(name);
        // The old file was readable by all.
        for name in ["events.json", "plan.json", "plan"] {
            fs::write(at(name), "").expect("written");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o666)).expect("set");
        }
        let up = ["up", "--yes", "--json-file", "events.json"];
        run(&stack, umask, &up).exits(0);
        let preview = "preview --var size=2 --json-file plan.json --out plan";
        let preview: Vec<&str> = preview.split(' ').collect();
        run(&stack, umask, &preview).exits(0);
        for name in ["events.json", "plan.json", "plan"] {
            assert_eq!(mode(&at(name)), 0o600, "{name} under umask {umask}");
            assert!(!fs::read(at(name)).expect("readable").is_empty());
        }
        assert_eq!(
            fs::read_to_string(at(".terrane/.gitignore")).expect("there"),
            "*\n"
        );
        // The second keeps the schemas of providers for the next run.
        let mut folders = vec![at(".terrane"), at(".cache/terrane")];
        while let Some(folder) = folders.pop() {
            assert_eq!(mode(&folder), 0o700, "{folder:?} under umask {umask}");
            for entry in folder.read_dir().expect("readable") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => assert_eq!(mode(&path), 0o600, "{path:?} under umask {umask}"),
                }
            }
        }
        // Nothing temporary is left beside them.
        let hidden = stack.path().read_dir().expect("readable");
        let hidden = hidden.map(|entry| entry.expect("an entry").file_name());
        let mut hidden: Vec<_> = hidden
            .filter(|name| name.to_string_lossy().starts_with('.'))
            .collect();
        hidden.sort();
        assert_eq!(hidden, [".cache", ".terrane"]);
    }
}

#[test]
fn events_go_into_a_pipe_where_one_is_named() {
    let stack = network();
    let events = run(
        &stack,
        "022",
        &["up", "--yes", "--json-file", "/dev/stderr"],
    )
    .exits(0);
    assert!(
        events.stderr.contains("\"type\":\"apply_complete\""),
        "{events}"
    );
}
