//! `convert`: the tool of that name, reached from a stack program.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::stage::network;

#[test]
fn the_tool_gets_all_arguments_and_its_exit_code_is_the_commands() {
    let mut stack = network();
    let tool = stack.path().join("bin/terrane-convert");
    std::fs::create_dir(stack.path().join("bin")).expect("a folder");
    std::fs::write(&tool, "#!/bin/sh\necho \"$@\"\nexit \"$ENDS_WITH\"\n").expect("a tool");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:/usr/bin:/bin", stack.path().join("bin").display());
    stack.set("PATH", &path);
    for (ends_with, exit) in [("0", 0), ("1", 1), ("2", 2), ("64", 1)] {
        stack.set("ENDS_WITH", ends_with);
        let line = ["convert", "infra", "--out", "new", "--", "--var", "a=b"];
        let ended = stack.run(&line).exits(exit);
        assert_eq!(ended.stdout, "infra --out new -- --var a=b\n");
    }
}

#[test]
fn without_the_tool_the_way_to_it_is_named() {
    let mut stack = network();
    stack.set("PATH", "/nowhere");
    assert_snapshot!(stack.run(&["convert", "infra", "--out", "new"]).exits(1), @"
    exit: 1
    --- stderr ---
    error: `terrane-convert` is not installed
    hint: install it with `cargo install terrane-convert`
    ");
}
