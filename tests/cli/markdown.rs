//! The comment of a pull request, from the same run as text, JSON and the saved plan.

use terrane_state::Sha256;

use crate::stage::network;

#[test]
fn one_run_gives_text_json_markdown_and_a_plan_that_its_command_applies() {
    let mut stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let summary = stack.path().join("summary.md");
    stack.set("GITHUB_STEP_SUMMARY", &summary.display().to_string());
    let arguments = [
        "preview",
        "--var",
        "base=two",
        "--out",
        "my plan",
        "--json-file",
        "plan.json",
        "--markdown",
        "comment.md",
    ];
    let shown = stack.run(&arguments).exits(0);
    assert!(
        shown
            .stdout
            .contains("Plan: 3 to add, 0 to change, 3 to destroy."),
        "{shown}"
    );
    let read = |name: &str| std::fs::read_to_string(stack.path().join(name)).expect("a file");
    let json: serde_json::Value = serde_json::from_str(&read("plan.json")).expect("JSON");
    assert_eq!(json["format_version"], "1.2");
    let comment = read("comment.md");
    assert_eq!(read("summary.md"), format!("{comment}\n"));
    let plan = std::fs::read(stack.path().join("my plan")).expect("a plan");
    assert!(
        comment.contains(&format!("`{}`", Sha256::of(&plan))),
        "{comment}"
    );
    assert!(
        comment.starts_with("<!-- terrane stack=test -->\n"),
        "{comment}"
    );
    let cause = "> - `-/+` `module.network.conformance_sdk_thing.child[\"a\"]`: `kind ← conformance_sdk_thing.base is replaced ← name changes`";
    assert!(comment.contains(cause), "{comment}");
    assert!(!comment.contains("hunter2"), "{comment}");

    let (_, after) = comment.split_once("```sh\n").expect("a command");
    let (command, _) = after.split_once("\n```").expect("its end");
    stack.set("GITHUB_STEP_SUMMARY", "");
    stack.paste(command, "").exits(0);
    assert_eq!(
        stack
            .run(&["preview", "--var", "base=two", "--detailed-exitcode"])
            .code,
        0
    );
}

#[test]
fn a_job_of_github_gets_annotations_at_source_lines_and_stdout_none() {
    let mut stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    stack.set("GITHUB_ACTIONS", "true");
    let arguments = [
        "preview",
        "--var",
        "base=two",
        "--deny",
        "replace",
        "--markdown",
        "comment.md",
    ];
    let refused = stack.run(&arguments).exits(9);
    assert!(!refused.stdout.contains("::"), "{refused}");
    let program = include_str!("stack.rs").lines().enumerate();
    let (before, _) = program
        .skip_while(|(_, line)| !line.contains("thing(\"base\""))
        .find(|(_, line)| line.contains(".declare(stack)"))
        .expect("it is declared");
    let declared = before + 1;
    for line in [
        &*format!(
            "::warning file=tests/cli/stack.rs,line={declared}::this plan would replace conformance_sdk_thing.base: name = \"one\" -> \"two\"\n"
        ),
        "::error::the plan is refused by `--deny`%0A",
    ] {
        assert!(refused.stderr.contains(line), "{line} is not in\n{refused}");
    }
    let comment = std::fs::read_to_string(stack.path().join("comment.md")).expect("a file");
    assert!(
        comment.contains("error: the plan is refused by `--deny`"),
        "{comment}"
    );
    assert_eq!(comment.matches("refused by").count(), 1, "{comment}");
}

#[test]
fn a_preview_that_fails_and_a_run_that_ends_write_so_into_the_comment() {
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "missing");
    stack.run(&["preview", "--markdown", "comment.md"]).exits(1);
    let read = || std::fs::read_to_string(stack.path().join("comment.md")).expect("a file");
    assert!(
        read().starts_with("<!-- terrane stack=test -->\n### `test` no plan\n\n#### Errors\n"),
        "{}",
        read()
    );
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "builtin");
    stack
        .run(&["up", "--yes", "--markdown", "comment.md"])
        .exits(0);
    let comment = std::fs::read_to_string(stack.path().join("comment.md")).expect("a file");
    assert!(comment.contains("Apply complete! Resources:"), "{comment}");
}
