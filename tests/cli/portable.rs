//! A whole life in the ways of systems other than Linux: a launcher that watches a pipe, processes that `ps` tells apart.

use crate::stage::network;

#[test]
fn a_killed_run_is_recovered_where_the_kernel_does_not_help() {
    let mut stack = network();
    stack.set("TERRANE_PORTABLE_HOST", "1");
    stack.set("TERRANE_VAR_ZONES", "[\"a\"]");
    let mut killed = stack.command(&["up", "--yes"]);
    killed.env("TERRANE_CRASH_AT", "reply.received:1:kill");
    let killed = stack.finish(killed.spawn().expect("a stack program"));
    assert_eq!(killed.code, 137, "{killed}");
    // `ps` says that the killed run is gone, so nobody has to wait for it; what it made is for a person to name.
    let left = stack.run(&["up", "--yes"]).exits(3);
    assert!(!left.stderr.contains("still"), "{left}");
    let resolve = left.hinted("state resolve");
    let (id, _) = crate::stage::only_object(&stack);
    let command = resolve.split(" --").next().expect("a command").to_owned();
    stack.paste(&format!("{command} --id {id}"), "").exits(0);
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    stack.run(&["destroy", "--yes"]).exits(0);
}
