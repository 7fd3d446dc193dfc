//! Commands that look at the state and change it without asking a provider anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::json;
use terrane_tests::TestEnvironment;

use crate::stage::network;

/// A stack that is up.
fn up() -> TestEnvironment {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    stack
}

fn listed(stack: &TestEnvironment) -> String {
    stack.run(&["state", "list"]).exits(0).stdout
}

/// The objects, as the provider keeps them.
fn objects(stack: &TestEnvironment) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut folders = vec![stack.objects()];
    let mut files = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(files.insert(path.clone(), std::fs::read(path).expect("a file"))),
            }
        }
    }
    files
}

#[test]
fn a_module_moves_with_all_that_is_in_it_and_back() {
    let stack = up();
    assert_snapshot!(stack.run(&["state", "mv", "module.network", "module.net", "--yes"]), @r#"
    exit: 0
    --- stdout ---
      ~ module.network.conformance_sdk_thing.child["a"] -> module.net.conformance_sdk_thing.child["a"]  [id=child-a-<id>]
      ~ module.network.conformance_sdk_thing.child["b"] -> module.net.conformance_sdk_thing.child["b"]  [id=child-b-<id>]

    2 instances move.
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(listed(&stack), @r#"
    conformance_sdk_thing.base
    module.net.conformance_sdk_thing.child["a"]
    module.net.conformance_sdk_thing.child["b"]
    "#);
    assert_snapshot!(stack.run(&["state", "mv", "module.net", "module.network", "--yes", "--json"]), @r#"
    exit: 0
    --- stdout ---
    {"moved":[{"from":"module.net.conformance_sdk_thing.child[\"a\"]","to":"module.network.conformance_sdk_thing.child[\"a\"]"},{"from":"module.net.conformance_sdk_thing.child[\"b\"]","to":"module.network.conformance_sdk_thing.child[\"b\"]"}],"dependents":[],"serial":3}
    "#);
    let unchanged = stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    assert!(unchanged.stdout.contains("No changes"), "{unchanged}");
}

#[test]
fn dependents_of_a_moved_instance_follow() {
    let stack = up();
    let base = "conformance_sdk_thing.base";
    assert_snapshot!(stack.run(&["state", "mv", base, "module.m.conformance_sdk_thing.x[0]", "--yes"]), @"
    exit: 0
    --- stdout ---
      ~ conformance_sdk_thing.base -> module.m.conformance_sdk_thing.x[0]  [id=one-<id>]

    1 instance moves. The stored dependencies of 2 other instances follow.
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    let file = std::fs::read_to_string(stack.path().join(".terrane/test/terraform.tfstate"));
    let file: serde_json::Value = serde_json::from_str(&file.expect("a state")).expect("JSON");
    for resource in file["resources"].as_array().expect("resources") {
        for instance in resource["instances"].as_array().expect("instances") {
            let on = &instance["dependencies"];
            match resource["name"].as_str() {
                Some("child") => assert_eq!(*on, json!(["module.m.conformance_sdk_thing.x"])),
                _ => assert!(on.is_null(), "{on}"),
            }
        }
    }
}

#[test]
fn an_impossible_move_is_refused_and_writes_nothing() {
    let stack = up();
    let before = stack.run(&["state", "list", "--json"]).stdout;
    assert_snapshot!(stack.run(&["state", "mv", "conformance_sdk_thing.bsae", "conformance_sdk_thing.b", "--yes"]), @"
    exit: 1
    --- stderr ---
    error: conformance_sdk_thing.bsae is not in the state
    hint: did you mean `conformance_sdk_thing.base`?
    ");
    assert_snapshot!(stack.run(&["state", "mv", "module.network", "conformance_sdk_thing.b", "--yes"]), @"
    exit: 1
    --- stderr ---
    error: cannot move module.network to conformance_sdk_thing.b: a module can only become a module, a resource only a resource
    ");
    assert_snapshot!(stack.run(&["state", "mv", "module.network.conformance_sdk_thing.child", "conformance_sdk_thing.base", "--yes"]), @"
    exit: 1
    --- stderr ---
    error: cannot move module.network.conformance_sdk_thing.child to conformance_sdk_thing.base: conformance_sdk_thing.base is there already
    ");
    assert_snapshot!(stack.run(&["state", "mv", "conformance_sdk_thing.base", "conformance_sdk_thing.b"]), @"
    exit: 1
    --- stderr ---
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    stack
        .run(&["state", "mv", "conformance_sdk_thing", "x.y", "--yes"])
        .exits(64);
    assert_eq!(stack.run(&["state", "list", "--json"]).stdout, before);
}

#[test]
fn forgotten_objects_continue_to_exist() {
    let stack = up();
    let before = objects(&stack);
    let base = ["state", "rm", "conformance_sdk_thing.base", "--yes"];
    assert_snapshot!(stack.run(&base), @"
    exit: 0
    --- stdout ---
      . conformance_sdk_thing.base  [id=one-<id>]

    1 instance leaves the state. The objects still exist, and nothing here manages them. The stored dependencies of 2 other instances follow.
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    assert_snapshot!(stack.run(&["state", "rm", "module.netwrk", "nothing.*", "--yes"]), @"
    exit: 1
    --- stderr ---
    error: module.netwrk is not in the state
    hint: did you mean `module.network`?

    error: nothing.* is not in the state
    hint: `test-stack state list` prints the addresses that are
    ");
    let rest = [
        "state",
        "rm",
        "module.network",
        "*child*",
        "--yes",
        "--json",
    ];
    assert_snapshot!(stack.run(&rest), @r#"
    exit: 0
    --- stdout ---
    {"removed":["module.network.conformance_sdk_thing.child[\"a\"]","module.network.conformance_sdk_thing.child[\"b\"]"],"dependents":[],"serial":3}
    "#);
    assert_eq!(listed(&stack), "");
    assert_eq!(objects(&stack), before);
}

#[test]
fn another_provider_takes_over() {
    let stack = up();
    let replace = [
        "state",
        "replace-provider",
        "terrane/conformance",
        "registry.opentofu.org/acme/conformance",
        "--yes",
    ];
    assert_snapshot!(stack.run(&replace), @r#"
    exit: 0
    --- stdout ---
      ~ conformance_sdk_thing.base
      ~ module.network.conformance_sdk_thing.child["a"]
      ~ module.network.conformance_sdk_thing.child["b"]

    3 instances go from terrane/conformance to registry.opentofu.org/acme/conformance.
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(stack.run(&replace), @"
    exit: 1
    --- stderr ---
    error: nothing in the state is of the provider terrane/conformance: it names registry.opentofu.org/acme/conformance
    ");
    let back = [
        "state",
        "replace-provider",
        "acme/conformance",
        "terrane/conformance",
        "--yes",
        "--json",
    ];
    assert_snapshot!(stack.run(&back), @r#"
    exit: 0
    --- stdout ---
    {"replaced":["conformance_sdk_thing.base","module.network.conformance_sdk_thing.child[\"a\"]","module.network.conformance_sdk_thing.child[\"b\"]"],"serial":3}
    "#);
    // The host of the other registry stays, and means the same provider.
    let unchanged = stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    assert!(unchanged.stdout.contains("No changes"), "{unchanged}");
}

#[test]
fn a_pull_prints_the_stored_bytes_and_versions_can_be_restored() {
    let stack = up();
    let file = stack.path().join(".terrane/test/terraform.tfstate");
    let first = std::fs::read(&file).expect("a state");
    let pull = |arguments: &[&str]| {
        let arguments = [&["state", "pull"], arguments].concat();
        let output = stack.command(&arguments).output().expect("a stack program");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    assert_eq!(pull(&[]), first);
    stack.run(&["up", "--yes", "--var", "size=2"]).exits(0);
    assert_eq!(pull(&["--version", "backup"]), first);
    assert_ne!(pull(&[]), first);
    assert_snapshot!(sizes_hidden(&stack.run(&["state", "history"]).stdout), @"
    VERSION  WRITTEN               SERIAL  SIZE
    current  <time>       2  9999  current
    backup   <time>       1  9999
    ");
    assert_snapshot!(sizes_hidden(&stack.run(&["state", "history", "--json", "--limit", "1"]).stdout), @r#"
    [{"id":"current","written_at":"<time>","serial":2,"size":9999,"current":true}]
    "#);
    assert_snapshot!(stack.run(&["state", "pull", "--version", "x"]), @"
    exit: 1
    --- stderr ---
    error: <dir>/.terrane/test/terraform.tfstate has no version x
    ");
    // An unusable state can still be shown.
    std::fs::write(&file, [0xff, 0]).expect("writable");
    assert_eq!(pull(&[]), [0xff, 0]);
}

/// Sizes differ with the ids in them.
fn sizes_hidden(text: &str) -> String {
    let words = text.split_inclusive([' ', ',']);
    let hidden = words.map(|word| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        match digits >= 4 && !word.starts_with('<') {
            true => word.replace(|c: char| c.is_ascii_digit(), "9"),
            false => word.to_owned(),
        }
    });
    hidden.collect()
}

#[test]
fn a_state_is_pushed_only_over_an_earlier_one_of_its_own_history() {
    let stack = up();
    let pulled = stack.path().join("pulled.tfstate");
    let save = |name: &str, text: &str| {
        std::fs::write(stack.path().join(name), text).expect("writable");
    };
    let stored = std::fs::read_to_string(stack.path().join(".terrane/test/terraform.tfstate"))
        .expect("a state");
    save("pulled.tfstate", &stored);
    // To another place: serial and lineage go along.
    assert_snapshot!(stack.run(&["state", "push", "pulled.tfstate", "--yes", "--backend", "other.tfstate"]), @r#"
    exit: 0
    --- stdout ---
      + conformance_sdk_thing.base
      + module.network.conformance_sdk_thing.child["a"]
      + module.network.conformance_sdk_thing.child["b"]

    The state to push has serial 1, lineage <uuid>, 3 instances; stored is nothing.
    --- stderr ---

    State serial 1 written to other.tfstate; lock released. Took <n>s.
    "#);
    let other = std::fs::read_to_string(stack.path().join("other.tfstate")).expect("a state");
    assert_eq!(other, stored);
    assert_snapshot!(stack.run(&["state", "push", "pulled.tfstate", "--yes"]), @"
    exit: 0
    --- stdout ---
    The state to push has serial 1, lineage <uuid>, 3 instances; stored is serial 1, lineage <uuid>, 3 instances.
    --- stderr ---

    State unchanged, serial 1 at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");

    stack.run(&["up", "--yes", "--var", "size=2"]).exits(0);
    assert_snapshot!(stack.run(&["state", "push", "pulled.tfstate", "--yes"]), @"
    exit: 7
    --- stderr ---
    error: this state is not a successor of the stored one: the stored state has serial 2, the new one only 1
    hint: nothing was changed; `test-stack state pull` prints the stored one, and `--force` overwrites it
    ");
    save(
        "foreign.tfstate",
        &stored.replace("\"lineage\": \"", "\"lineage\": \"f"),
    );
    assert_snapshot!(stack.run(&["state", "push", "foreign.tfstate", "--yes"]), @"
    exit: 7
    --- stderr ---
    error: this state is not a successor of the stored one: the stored state has lineage <uuid>, the new one f<uuid>
    hint: nothing was changed; `test-stack state pull` prints the stored one, and `--force` overwrites it
    ");
    save("half.tfstate", &stored[..200]);
    assert_snapshot!(stack.run(&["state", "push", "half.tfstate", "--yes"]), @"
    exit: 7
    --- stderr ---
    error: half.tfstate is not a state that can be pushed: the state is damaged at line 9, column 18: EOF while parsing a string
    ");
    save("empty.tfstate", "");
    stack
        .run(&["state", "push", "empty.tfstate", "--yes"])
        .exits(7);
    stack
        .run(&["state", "push", "missing.tfstate", "--yes"])
        .exits(1);

    assert_snapshot!(stack.run(&["state", "push", "pulled.tfstate", "--yes", "--force"]), @r#"
    exit: 0
    --- stdout ---
      ~ conformance_sdk_thing.base
      ~ module.network.conformance_sdk_thing.child["a"]
      ~ module.network.conformance_sdk_thing.child["b"]

    The state to push has serial 1, lineage <uuid>, 3 instances; stored is serial 2, lineage <uuid>, 3 instances.
    --- stderr ---

    State serial 3 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    // A later serial than the stored one, from standard input.
    let mut command = stack.command(&["state", "push", "-", "--yes", "--json"]);
    let later = stored.replace("\"serial\": 1", "\"serial\": 40");
    std::fs::write(&pulled, later.replace("one", "uno")).expect("writable");
    command.stdin(std::fs::File::open(&pulled).expect("a file"));
    let pushed = stack.finish(command.spawn().expect("a stack program"));
    assert_snapshot!(pushed, @r#"
    exit: 0
    --- stdout ---
    {"pushed":{"lineage":"<uuid>","serial":40,"instances":3},"replaced":{"lineage":"<uuid>","serial":3,"instances":3},"serial":40}
    "#);
}
