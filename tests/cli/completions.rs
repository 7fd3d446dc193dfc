//! Completions in each shell, in its own way.

use terrane_tests::{TestEnvironment, is_installed};

use crate::stage::network;

/// Zones whose names a shell must not obey.
const ZONES: &str = r#"["a","$(touch owned)`touch owned`'\"; touch owned #"]"#;

/// A stack that was applied, and the script for a shell.
fn applied(shell: &str) -> (TestEnvironment, String) {
    let mut stack = network();
    stack.set("TERRANE_VAR_ZONES", ZONES);
    stack.run(&["up", "--yes"]).exits(0);
    let script = stack.run(&["completions", shell]).exits(0).stdout;
    std::fs::write(stack.path().join("script"), &script).expect("writable");
    (stack, script)
}

/// Whether a shell that the tests' script does not install is on this machine.
fn has(shell: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(shell).is_file())
}

fn said(stack: &TestEnvironment, shell: &str, source: &str) -> Vec<String> {
    let output = stack.shell(shell, source).exits(0);
    assert_eq!(output.stderr, "", "{shell}: {source}");
    assert!(!stack.path().join("owned").exists(), "{shell}: {source}");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_addresses_from_the_state_and_obeys_none_of_them() {
    if !is_installed("bash") {
        return;
    }
    let (stack, script) = applied("bash");
    let function = script
        .lines()
        .nth(1)
        .and_then(|line| line.split('(').next());
    let function = function.expect("a function").to_owned();
    // The shell's own way: the script is read, and its function is called as for a key.
    let complete = |line: &str| -> Vec<String> {
        let line = line.replace('\'', r"'\''");
        let source = format!(
            "{script}\nCOMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}\n{function} test-stack\n\
             [ ${{#COMPREPLY[@]}} = 0 ] || printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = stack.shell("bash", &source).exits(0);
        assert_eq!(output.stderr, "");
        output.stdout.lines().map(str::to_owned).collect()
    };
    assert_eq!(complete("test-stack pre"), ["preview"]);
    let base = complete("test-stack state show conf");
    assert_eq!(base, ["conformance_sdk_thing.base"]);
    let children = complete("test-stack state show module.");
    assert_eq!(children.len(), 2, "{children:?}");
    for child in &children {
        // Each is one word, and nothing in it runs.
        stack
            .shell("bash", &format!("test-stack state show {child}"))
            .exits(0);
        let typed = &child[..child.len() - 3];
        let again = complete(&format!("test-stack state show {typed}"));
        let whole = format!("'{}'", again.concat());
        stack
            .shell("bash", &format!("test-stack state show {whole}"))
            .exits(0);
    }
    assert_eq!(complete("test-stack state show nothing"), [""; 0]);
    assert!(!stack.path().join("owned").exists());
}

#[test]
fn zsh_completes_commands_addresses_and_files() {
    if !has("zsh") {
        return;
    }
    let (stack, _) = applied("zsh");
    // As the completion system calls it: the words of the line, and the number of the last one.
    let complete = |words: &str| {
        let source = format!(
            "setopt no_global_rcs; compdef() {{ : }}; compadd() {{ shift; print -rl -- \"$@\" }}; _files() {{ print files }}\n\
             source ./script\nwords=({words}); CURRENT=${{#words}}; _complete_test_stack"
        );
        said(&stack, "zsh", &source)
    };
    assert_eq!(complete("test-stack pre"), ["preview"]);
    let base = complete("test-stack state show conf");
    assert_eq!(base, ["conformance_sdk_thing.base"]);
    let children = complete("test-stack state show module.");
    assert_eq!(children.len(), 2, "{children:?}");
    assert!(children[0].starts_with("module.network."), "{children:?}");
    assert_eq!(complete("test-stack completions ''").len(), 4);
    assert_eq!(complete("test-stack up ./any"), ["files"]);
}

#[test]
fn fish_completes_commands_addresses_and_files() {
    if !has("fish") {
        return;
    }
    let (stack, _) = applied("fish");
    let complete = |line: &str| {
        let source = format!("source ./script; complete -C '{line}'");
        said(&stack, "fish", &source)
    };
    assert_eq!(complete("test-stack pre"), ["preview"]);
    let base = complete("test-stack state show conf");
    assert_eq!(base, ["conformance_sdk_thing.base"]);
    let children = complete("test-stack state show module.");
    assert_eq!(children.len(), 2, "{children:?}");
    assert_eq!(complete("test-stack completions ").len(), 4);
    assert_eq!(complete("test-stack up ./scr"), ["./script"]);
}

/// Where PowerShell is not installed, the script is read for its shape, and what it asks for is asked.
#[test]
fn powershell_completes_commands_and_addresses() {
    let (stack, script) = applied("powershell");
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let count = |wanted: char| script.matches(wanted).count();
        assert_eq!(count(open), count(close), "{open} {script}");
    }
    assert!(
        script.contains("Register-ArgumentCompleter -Native -CommandName 'test-stack'"),
        "{script}"
    );
    let asked = |words: &[&str]| {
        let asked = [&["completions", "powershell", "--", "test-stack"], words].concat();
        let found = stack.run(&asked).exits(0).stdout;
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(asked(&["pre"]), ["words", "preview"]);
    let base = asked(&["state", "show", "conf"]);
    assert_eq!(base, ["words", "conformance_sdk_thing.base"]);
    if !has("pwsh") {
        return;
    }
    let complete = |line: &str| {
        let source = format!(
            "Invoke-Expression (Get-Content -Raw ./script); \
             (TabExpansion2 '{line}' {}).CompletionMatches.CompletionText",
            line.len()
        );
        said(&stack, "pwsh", &source)
    };
    assert_eq!(complete("test-stack pre"), ["preview"]);
    let base = complete("test-stack state show conf");
    assert_eq!(base, ["conformance_sdk_thing.base"]);
}
