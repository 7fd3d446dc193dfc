//! Secrets of the platform in the sandbox: given or made up, and kept out of everything that is written.

use std::path::Path;

use insta::assert_snapshot;

use crate::{Ran, SandboxFolder};

/// A value that is nowhere unless it leaks.
const CANARY: &str = "canary-8f3e51c7d2";

impl SandboxFolder {
    /// Runs with the canary in the environment, as CI has it.
    fn with_canary(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output = (command.env("APPLICATION_SECRET", CANARY))
            .output()
            .expect("the stack runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let ran = Ran {
            code: output.status.code().expect("an exit code"),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.out, ran.err);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(!all.contains(CANARY), "{arguments:?} shows it: {all}");
        ran
    }
}

/// The files below a folder that hold the canary.
fn leaks(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| {
            bytes
                .windows(CANARY.len())
                .any(|part| part == CANARY.as_bytes())
        }) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn the_applications_secret_reaches_the_cloud_and_nothing_that_is_written() {
    let folder = SandboxFolder::new();
    let on = [
        "--var",
        "secrets_manager=true",
        "--var",
        "application_secret=env:APPLICATION_SECRET",
    ];
    let with = |arguments: &[&'static str]| folder.with_canary(&[arguments, &on].concat());
    with(&["preview", "--json", "--out", "plan"]);
    // A saved plan says where the secret is.
    folder.with_canary(&["up", "plan"]);
    with(&["preview", "--detailed-exitcode"]);
    assert_snapshot!(folder.ledger(0).into_iter().filter(|line| line.contains("secret")).collect::<Vec<_>>().join("\n"), @"
    create aws_secretsmanager_secret
    create aws_secretsmanager_secret_version
    ");
    let arn = folder.succeeds(&["output", "--raw", "application_secret_arn"]);
    assert!(
        arn.starts_with(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:mlops-platform-prod-application-"
        ),
        "{arn}"
    );
    let roles = folder.objects()["aws_iam_role_policy"].to_string();
    assert!(
        roles.contains("secretsmanager:GetSecretValue") && roles.contains(&arn),
        "{roles}"
    );

    // Counting up sends the value again, which makes another version of the same secret.
    let seen = folder.lines();
    with(&["up", "--yes", "--var", "application_secret_version=2"]);
    assert_snapshot!(folder.ledger(seen).join("\n"), @"
    create aws_secretsmanager_secret_version
    delete aws_secretsmanager_secret_version
    ");
    for arguments in [&["output", "--json"][..], &["state", "pull"], &["show"]] {
        let ran = folder.run(arguments);
        assert!(
            ran.code == 0 && !ran.out.contains(CANARY),
            "{arguments:?}: {}",
            ran.err
        );
    }

    // Off again, exactly this part goes.
    let seen = folder.lines();
    folder.succeeds(&["up", "--yes"]);
    assert_snapshot!(folder.ledger(seen).join("\n"), @"
    delete aws_iam_role_policy
    delete aws_secretsmanager_secret
    delete aws_secretsmanager_secret_version
    ");
    assert_eq!(leaks(folder.folder.path()), Vec::<String>::new());
}

#[test]
fn a_secret_that_is_made_up_is_made_up_once() {
    let folder = SandboxFolder::new();
    let on = ["--var", "secrets_manager=true"];
    let with = |arguments: &[&'static str]| folder.succeeds(&[arguments, &on].concat());
    with(&["up", "--yes"]);
    // Each run opens another value, and sends it only when the version is counted up.
    with(&["preview", "--detailed-exitcode"]);
    with(&["destroy", "--yes"]);
    assert!(folder.objects().is_empty());
}
