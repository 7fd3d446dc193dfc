//! Wrong input: an error of its own for each, with its exit code, and nothing done.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::failures::signal;
use crate::stage::{fake, network};

#[test]
fn wrong_configuration_exits_64() {
    let mut stack = network();
    assert_snapshot!(stack.run(&["preview", "--var", "nope=1"]), @r"
    exit: 64
    --- stderr ---
    error: there is no configuration key `nope`: set in `--var`
    hint: the keys are scene, base, size, zones, cidr, action, prevent_destroy, knobs, named
    ");
    assert_snapshot!(stack.run(&["preview", "--var", "size=big"]), @r"
    exit: 64
    --- stderr ---
    error: configuration key `size`: expected a whole number, found other text: set in `--var`
    ");
    assert_snapshot!(stack.run(&["preview", "--var", "size"]), @r"
    exit: 64
    --- stderr ---
    error: invalid value 'size' for '--var <NAME=VALUE>': write it as NAME=VALUE

    For more information, try '--help'.
    ");
    assert_snapshot!(stack.run(&["preview", "--var-file", "missing.toml"]), @r"
    exit: 64
    --- stderr ---
    error: cannot read missing.toml: No such file or directory (os error 2)
    ");
    std::fs::write(stack.path().join("more.toml"), "size = 2\nsizes = 3\n").expect("writable");
    assert_snapshot!(stack.run(&["preview", "--var-file", "more.toml"]), @r"
    exit: 64
    --- stderr ---
    error: there is no configuration key `sizes`: set in `more.toml:2`
    hint: did you mean `size`?
    hint: the keys are scene, base, size, zones, cidr, action, prevent_destroy, knobs, named
    ");
    stack.set("TERRANE_VAR_SIZE", "[]");
    assert_snapshot!(stack.run(&["preview"]), @r"
    exit: 64
    --- stderr ---
    error: configuration key `size`: expected a whole number, found other text: set in `TERRANE_VAR_SIZE`
    ");
}

#[test]
fn wrong_arguments_exit_64() {
    let stack = network();
    assert_snapshot!(stack.run(&["up", "--frob"]), @"
    exit: 64
    --- stderr ---
    error: unexpected argument '--frob' found

      tip: to pass '--frob' as a value, use '-- --frob'

    Usage: test-stack up [OPTIONS] [PLAN]

    For more information, try '--help'.
    ");
    assert_snapshot!(stack.run(&["preview", "--target", "aws_vpc"]), @r"
    exit: 64
    --- stderr ---
    error: invalid value 'aws_vpc' for '--target <ADDR>': `aws_vpc` is not a valid resource address: expected `.`

    For more information, try '--help'.
    ");
    assert_snapshot!(stack.run(&["preview", "--backend", "gcs://bucket/key"]), @"
    exit: 64
    --- stderr ---
    error: invalid value 'gcs://bucket/key' for '--backend <URL>': no backend has the scheme `gcs`; write `s3://BUCKET/KEY?region=…&dynamodb_table=…`, or the path of a file

    For more information, try '--help'.
    ");
    assert_eq!(stack.run(&[""; 0]).code, 64);
    assert_eq!(stack.run(&["--help"]).code, 0);
}

#[test]
fn a_cycle_is_reported_at_its_lines() {
    let stack = fake(&[]);
    assert_snapshot!(stack.run(&["preview", "--var", "scene=cycle"]), @"
    exit: 1
    --- stderr ---
    error: the declarations depend on each other in a cycle: fake_thing.first (tests/cli/stack.rs:<line>) → fake_thing.second (tests/cli/stack.rs:<line>) → fake_thing.first (tests/cli/stack.rs:<line>)
      resource   fake_thing.first
      declared   tests/cli/stack.rs:<line>
    hint: an arrow reads `needs`; take one of these references away
    ");
}

#[test]
fn a_provider_that_is_not_installed_is_named_with_the_remedy() {
    let stack = fake(&[]);
    assert_snapshot!(stack.run(&["preview", "--var", "scene=missing", "--offline"]), @r"
    exit: 1
    --- stderr ---
    error: provider registry.opentofu.org/terrane/nowhere is not installed, and `--offline` forbids a download
      provider   registry.opentofu.org/terrane/nowhere
      | searched:
      |   terraform.d/plugins
      |   <dir>/.terraform.d/plugins
      |   <dir>/.local/share/terraform/plugins
      |   <dir>/.local/share/opentofu/plugins
    hint: run the same command once without `--offline`
    ");
}

#[test]
fn a_provider_that_does_not_start_is_quoted() {
    assert_snapshot!(fake(&[("FAKE_START", "exit")]).run(&["preview"]), @r"
    exit: 1
    --- stderr ---
    error: provider registry.opentofu.org/terrane/fake ended during the handshake (exit status: 3)
      provider   registry.opentofu.org/terrane/fake
      | its standard error:
      | no licence found
    ");
    assert_snapshot!(fake(&[("FAKE_START", "version4")]).run(&["preview"]), @r"
    exit: 1
    --- stderr ---
    error: provider registry.opentofu.org/terrane/fake speaks version 4 of the plugin protocol; terrane speaks 5 and 6: its standard output: 1|4|unix|/tmp/nowhere|grpc
      provider   registry.opentofu.org/terrane/fake
    ");
    assert_snapshot!(fake(&[("FAKE_START", "junk")]).run(&["preview"]), @r"
    exit: 1
    --- stderr ---
    error: provider registry.opentofu.org/terrane/fake does not start with a handshake line: its standard output: Welcome to the fake provider!
      provider   registry.opentofu.org/terrane/fake
    ");
    assert_snapshot!(fake(&[("FAKE_START", "panic")]).run(&["up", "--yes"]), @r"
    exit: 1
    --- stderr ---
    error: provider registry.opentofu.org/terrane/fake ended during the handshake (exit status: 2)
      provider   registry.opentofu.org/terrane/fake
      | its standard error:
      | panic: runtime error: index out of range
      |
      | goroutine 1 [running]:
      | main.main()
    ");
}

#[test]
fn a_damaged_state_is_refused_and_left_alone() {
    let stack = network();
    let path = stack.path().join("bad.tfstate");
    std::fs::write(&path, "{\"version\":4,\"serial\":").expect("writable");
    assert_snapshot!(stack.run(&["preview", "--backend", "bad.tfstate"]), @"
    exit: 7
    --- stderr ---
    error: the state at bad.tfstate cannot be used
      | the state is damaged at line 1, column 22: EOF while parsing a value
      | the stored file cannot be read as a state
      | there is no journal
      | nothing was changed
    hint: store a copy of it with `test-stack state push FILE --force --backend 'bad.tfstate'`
    ");
    assert_snapshot!(stack.run(&["up", "--yes", "--backend", "bad.tfstate"]), @"
    exit: 7
    --- stderr ---
    error: the state at bad.tfstate cannot be used
      | the state is damaged at line 1, column 22: EOF while parsing a value
      | the stored file cannot be read as a state
      | there is no journal
      | nothing was changed
    hint: store a copy of it with `test-stack state push FILE --force --backend 'bad.tfstate'`
    ");
    let left = std::fs::read_to_string(&path).expect("still there");
    assert_eq!(left, "{\"version\":4,\"serial\":");
}

#[test]
fn without_a_terminal_no_question_is_asked() {
    let stack = network();
    assert_snapshot!(stack.run(&["up"]), @r"
    exit: 1
    --- stderr ---
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    assert_snapshot!(stack.run(&["destroy", "--json"]), @r#"
    exit: 1
    --- stdout ---
    {"@level":"error","@message":"Error: confirmation required","@module":"terrane.ui","@timestamp":"<time>","diagnostic":{"detail":"`--json` cannot ask","hints":["pass `--yes`"],"severity":"error","summary":"confirmation required"},"type":"diagnostic"}
    "#);
}

#[test]
fn a_key_that_is_there_twice_is_refused_with_its_place() {
    let stack = network();
    let text = r#"{"size": 2, "knobs": {"base": {"kind": "a", "kind": "b"}}}"#;
    std::fs::write(stack.path().join("twice.json"), text).expect("writable");
    assert_snapshot!(stack.run(&["preview", "--var-file", "twice.json"]), @r"
    exit: 64
    --- stderr ---
    error: `twice.json` is not JSON: duplicate key at `knobs.base.kind`
    ");
}

#[test]
fn files_that_never_end_are_refused() {
    let mut stack = network();
    assert_snapshot!(stack.run(&["preview", "--var-file", "/dev/zero"]), @r"
    exit: 64
    --- stderr ---
    error: cannot read /dev/zero: it is longer than 16 MiB
    ");
    stack.set("TF_CLI_CONFIG_FILE", "/dev/zero");
    assert_snapshot!(stack.run(&["preview"]).exits(1).stderr, @r"
    error: cannot use the CLI configuration /dev/zero: it is longer than 1 MiB
    hint: TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them
    ");
}

/// A named pipe in the folder of a stack.
fn pipe(stack: &TestEnvironment) -> PathBuf {
    let path = stack.path().join("pipe.toml");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    path
}

#[test]
fn values_come_through_a_pipe() {
    let stack = network();
    let path = pipe(&stack);
    let writer = std::thread::spawn(move || std::fs::write(path, "base = \"piped\"\n"));
    let ran = stack.run(&["preview", "--var-file", "pipe.toml"]).exits(0);
    writer.join().expect("no panic").expect("written");
    assert!(ran.stdout.contains("name = \"piped\""), "{ran}");
}

#[test]
fn a_pipe_without_a_writer_is_named_and_can_be_interrupted() {
    let stack = network();
    pipe(&stack);
    // Imports hold the lock when they run the program; a pipe is read before.
    let import = ["import", "conformance_sdk_thing.base", "x", "--yes"];
    let arguments = [&import[..], &["--var-file", "pipe.toml"]].concat();
    let mut child = stack.command(&arguments).spawn().expect("a stack program");
    let mut said = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("readable");
    assert_eq!(
        line,
        "waiting for the writer of pipe.toml, which is a pipe; press Ctrl-C to give up\n"
    );
    // SIGINT may be ignored where tests run in the background of a shell.
    signal(&child, "TERM");
    assert_eq!(stack.finish(child).code, 143);
}

#[test]
fn a_cli_configuration_is_no_pipe() {
    let mut stack = network();
    let path = pipe(&stack);
    stack.set("TF_CLI_CONFIG_FILE", path.to_str().expect("a path"));
    assert_snapshot!(stack.run(&["preview"]).exits(1).stderr, @r"
    error: cannot use the CLI configuration <dir>/pipe.toml: it is a pipe, not a file
    hint: TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them
    ");
}

#[test]
fn a_very_long_id_is_shown_by_its_beginning() {
    const LENGTH: usize = 1 << 20;
    let stack = fake(&[
        ("FAKE_FAULT", "apply:long"),
        ("FAKE_LONG", &LENGTH.to_string()),
    ]);
    let up = stack.run(&["up", "--yes"]).exits(0);
    assert!(up.stderr.contains("xxx… (1,048,576 characters)]"));
    for shown in [
        up,
        stack.run(&["state", "show", "fake_thing.one"]).exits(0),
        stack.run(&["preview", "--destroy"]).exits(0),
    ] {
        assert!(shown.stdout.len() + shown.stderr.len() < LENGTH / 10);
    }
    let all = stack.command(&["show", "--json"]).output().expect("an end");
    assert!(all.stdout.len() > LENGTH);
}
