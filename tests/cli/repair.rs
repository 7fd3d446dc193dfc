//! Damaged journals as a person meets them: refused with a command that can be pasted, and made good by it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use insta::assert_snapshot;
use terrane_tests::{Output, TestEnvironment};

use crate::recovery::{BASE, crashed};
use crate::stage::{network, only_object};

fn journal(stack: &TestEnvironment) -> PathBuf {
    stack.path().join(".terrane/test/terraform.tfstate.journal")
}

/// Puts bytes behind the journal's last record.
fn append(stack: &TestEnvironment, garbage: &[u8]) {
    let file = fs::OpenOptions::new().append(true).open(journal(stack));
    file.expect("there").write_all(garbage).expect("written");
}

/// The text without the numbers that differ from run to run.
fn shown(output: &Output) -> String {
    let text = output.to_string();
    let mut shown = String::with_capacity(text.len());
    let mut words = text.split_inclusive([' ', '\n']).peekable();
    while let Some(word) = words.next() {
        shown.push_str(word);
        if matches!(word, "byte " | "segment ") && words.peek().is_some() {
            let number = words.next().unwrap_or_default();
            shown.push_str("<n>");
            shown.push_str(number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/'));
        }
    }
    let copy = shown.split(".damaged-").nth(1).map(|rest| {
        let end = rest.find('\n').unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    match copy {
        Some(copy) => shown.replace(&copy, "<time>"),
        None => shown,
    }
}

#[test]
fn a_journal_with_garbage_at_its_end_is_refused_and_the_hint_repairs_it() {
    let stack = crashed("after_create", false);
    let (id, _) = only_object(&stack);
    append(&stack, &[0; 4096]);
    let damaged = fs::read(journal(&stack)).expect("there");
    let refused = stack.run(&["up", "--yes"]);
    assert_snapshot!(shown(&refused), @"
    exit: 7
    --- stderr ---
    error: the journal of the state at .terrane/test/terraform.tfstate is damaged: only zero bytes follow byte <n> of segment <n>; 7 records before that are whole; unresolved operations: create conformance_sdk_thing.base
    hint: nothing was changed; `test-stack state repair` shows which records can be saved, keeps a copy, and starts a new journal
    ");
    // A read-only command reports the same, and nothing was changed.
    for looks in [&["preview"][..], &["state", "list"], &["destroy", "--yes"]] {
        let looked = stack.run(looks).exits(7);
        assert_eq!(
            looked.hinted("state repair"),
            refused.hinted("state repair")
        );
    }
    assert_eq!(fs::read(journal(&stack)).expect("there"), damaged);

    let hint = refused.hinted("state repair");
    assert_snapshot!(shown(&stack.paste(&hint, "")), @"
    exit: 1
    --- stdout ---
    The journal of .terrane/test/terraform.tfstate is damaged: only zero bytes follow byte <n> of segment <n>.

      before the damage   7 whole records
      behind it           0 records that can be read
      saved               0 results that the state lacks
      unresolved          1 operation that the next run looks at
        create conformance_sdk_thing.base, requested at <time> by tester@<host>

    An operation that began after <time> may be recorded nowhere: look for objects that the state does not have.
    --- stderr ---
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    assert_eq!(fs::read(journal(&stack)).expect("there"), damaged);
    let repaired = stack.paste(&hint, "--yes");
    assert_snapshot!(shown(&repaired), @"
    exit: 0
    --- stdout ---
    The journal of .terrane/test/terraform.tfstate is damaged: only zero bytes follow byte <n> of segment <n>.

      before the damage   7 whole records
      behind it           0 records that can be read
      saved               0 results that the state lacks
      unresolved          1 operation that the next run looks at
        create conformance_sdk_thing.base, requested at <time> by tester@<host>

    An operation that began after <time> may be recorded nowhere: look for objects that the state does not have.
    --- stderr ---
    the damaged journal is kept at <dir>/.terrane/test/terraform.tfstate.journal.damaged-<time>
    hint: run `test-stack up`: it puts the saved results into the state
    ");
    let copies = journal(&stack).parent().expect("a folder").read_dir();
    let copies = copies
        .expect("a folder")
        .map(|it| it.expect("an entry").path());
    let copy = copies
        .filter(|path| path.to_string_lossy().contains(".damaged-"))
        .map(|path| fs::read(path).expect("a copy"));
    assert_eq!(copy.collect::<Vec<_>>(), [damaged]);

    // The operation without a result is still unresolved, and no object is created twice.
    stack.paste(&repaired.hinted(" up"), "--yes").exits(3);
    assert_eq!(only_object(&stack).0, id);
    stack.run(&["state", "resolve", BASE, "--id", &id]).exits(0);
    stack.run(&["up", "--yes"]).exits(0);
    assert_eq!(only_object(&stack).0, id);
    assert_snapshot!(stack.run(&["state", "repair"]), @"
    exit: 0
    --- stderr ---
    The journal of .terrane/test/terraform.tfstate is whole: there is nothing to repair.
    ");
    assert_snapshot!(stack.run(&["state", "repair", "--json"]), @r#"
    exit: 0
    --- stdout ---
    {"state":".terrane/test/terraform.tfstate","damage":null,"copy":null}
    "#);
}

#[test]
fn a_journal_of_zeros_or_another_file_loses_nothing_that_the_state_has() {
    let stack = network();
    let place = ["--backend", "a b.tfstate"];
    let on = |arguments: &[&'static str]| [arguments, &place].concat();
    stack.run(&on(&["up", "--yes"])).exits(0);
    let journal = stack.path().join("a b.tfstate.journal");
    let length = fs::metadata(&journal).expect("there").len();
    let length = usize::try_from(length).expect("small");
    for garbage in [vec![0; length], b"another file".to_vec(), Vec::new()] {
        fs::write(&journal, &garbage).expect("written");
        if garbage.is_empty() {
            // Two gigabytes that take no room on the disk and none in memory.
            let file = fs::OpenOptions::new().write(true).open(&journal);
            file.expect("there")
                .set_len(2 << 30)
                .expect("a sparse file");
        }
        let refused = stack.run(&on(&["preview"])).exits(7);
        let hint = refused.hinted("state repair");
        assert!(hint.contains("--backend 'a b.tfstate'"), "{hint}");
        let repaired = stack.paste(&hint, "--yes --json").exits(0).json();
        assert_eq!(repaired["damage"]["before"], 0);
        let copy = repaired["copy"].as_str().expect("a copy");
        assert!(copy.contains("a b.tfstate.journal.damaged-"), "{copy}");
        let unchanged = stack.run(&on(&["up", "--yes"])).exits(0);
        assert!(unchanged.stdout.contains("No changes"), "{unchanged}");
        for copy in stack.path().read_dir().expect("a folder") {
            let copy = copy.expect("an entry").path();
            if copy.to_string_lossy().contains(".damaged-") {
                fs::remove_file(copy).expect("removed");
            }
        }
    }
}
