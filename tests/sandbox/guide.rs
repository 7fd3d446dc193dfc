//! The guide to the platform, followed line by line: by a shell, with the platform's program in place of cargo's.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use terrane_tests::{filtered, is_installed};

const GUIDE: &str = include_str!("../../docs/platform.md");
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/platform.svg");

/// In place of cargo: the program is built already. Whatever would go to AWS goes to the sandbox; of `bootstrap` only the words are checked.
const CARGO: &str = r#"#!/bin/sh
[ "$1 $2 $3 $4" = "run --bin prod-stack --" ] || exit 64
shift 4
case " $* " in
*" bootstrap "*) exec "$STACK" "$@" --help ;;
*" --sandbox "*) exec "$STACK" "$@" ;;
*) exec "$STACK" "$@" --sandbox ;;
esac
"#;

/// In place of the other tools: what they are asked for. Whoever gets a password waits for it, so that the order is always the same.
const TOOL: &str = r#"#!/bin/sh
case "$*" in *--password-stdin*) read -r _ ;; esac
echo "$(basename "$0") $*" >>"$TOOLS"
echo token
"#;

/// A block of the guide: commands, or the beginnings of lines that the commands before print.
enum Block {
    Commands(Vec<&'static str>),
    Printed(Vec<&'static str>),
}

fn blocks() -> Vec<Block> {
    let mut lines = GUIDE.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(match language {
                "sh" => Block::Commands(block),
                "text" => Block::Printed(block),
                other => panic!("a block in {other}, of which the test knows nothing"),
            });
        }
    }
    blocks
}

fn program(file: &Path, script: &str) {
    std::fs::write(file, script).expect("writable");
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).expect("ours");
}

#[test]
fn the_guide_to_the_platform_works_line_by_line() {
    if !is_installed("bash") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("writable");
    program(&bin.join("cargo"), CARGO);
    for tool in ["aws", "docker", "kubectl"] {
        program(&bin.join(tool), TOOL);
    }
    let tools = folder.path().join("tools");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)));
    let path = path.expect("no colons");
    let mut printed = String::new();
    let mut ran = 0;
    for block in blocks() {
        match block {
            Block::Commands(lines) => {
                printed.clear();
                for line in lines {
                    let mut command = Command::new("bash");
                    command
                        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", line])
                        .current_dir(folder.path())
                        .env_clear()
                        .env("PATH", &path)
                        .env("STACK", env!("CARGO_BIN_EXE_sandbox-stack"))
                        .env("TOOLS", &tools)
                        .env("TERRANE_SANDBOX_SPEED", "0");
                    let output = command.output().expect("bash runs");
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{line}\n{said}");
                    // What is printed raw has no line end.
                    printed += &String::from_utf8_lossy(&output.stdout);
                    printed += "\n";
                    ran += 1;
                }
            }
            Block::Printed(lines) => {
                let mut rest = printed.lines();
                for line in lines {
                    assert!(
                        rest.any(|printed| printed.starts_with(line)),
                        "`{line}` is not printed, or not in its place:\n{printed}"
                    );
                }
            }
        }
    }
    assert!(ran > 15, "the guide was not understood");
    let asked = std::fs::read_to_string(tools).expect("the tools");
    assert_snapshot!(asked, @"
    aws eks update-kubeconfig --region us-east-1 --name mlops-platform-prod-cluster
    kubectl get nodes
    aws ecr get-login-password --region us-east-1
    docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
    docker build --tag 123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api:v1 .
    docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api:v1
    kubectl apply -k k8s
    kubectl delete ingress,service --all --namespace mlops-platform
    ");
}

#[test]
fn the_picture_of_the_guide_is_what_graph_draws() {
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox-stack"))
        .args(["graph", "--format", "svg", "--sandbox"])
        .current_dir(tempfile::tempdir().expect("a folder").path())
        .output();
    let drawn = output.expect("the stack runs").stdout;
    if std::env::var_os("UPDATE_GUIDE").is_some() {
        std::fs::write(PICTURE, &drawn).expect("writable");
    }
    let picture = std::fs::read_to_string(PICTURE).expect("the picture");
    let drawn = String::from_utf8(drawn).expect("text");
    // But for the numbers of source lines, which move with every edit above them.
    let kept = |svg: &str| filtered(svg, "/no/folder");
    assert!(
        kept(&picture) == kept(&drawn),
        "draw it anew: UPDATE_GUIDE=1 cargo test --workspace --test sandbox picture"
    );
}
