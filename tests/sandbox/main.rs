//! The sandbox as people use it: the platform's own binary, its embedded AWS, and the ledger as the truth.

mod cost;
mod forge;
mod guide;
mod observed;
mod plan_json;
mod platform;
mod secrets;
mod workflow;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

mod clouds_of_others;
mod workload;

/// A folder with a stack in it.
struct SandboxFolder {
    folder: TempDir,
    stack: &'static str,
    program: &'static str,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl SandboxFolder {
    fn new() -> Self {
        Self::of("prod", env!("CARGO_BIN_EXE_sandbox-stack"))
    }

    fn of(stack: &'static str, program: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            stack,
            program,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .arg("--sandbox")
            .current_dir(self.folder.path())
            .env_clear()
            .env("TERRANE_SANDBOX_SPEED", "0");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the stack runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Ran {
            code: output.status.code().expect("an exit code"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// The operations on the cloud since `from` lines, as operation → types.
    fn ledger(&self, from: usize) -> Vec<String> {
        let text = self.ledger_text();
        let entries = text.lines().skip(from).map(|line| {
            let line: Json = serde_json::from_str(line).expect("a line of JSON");
            let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", word("op"), word("type"))
        });
        let mut entries: Vec<String> = entries.collect();
        entries.sort();
        entries
    }

    fn lines(&self) -> usize {
        self.ledger_text().lines().count()
    }

    /// The whole lines: one that is just being written counts as little as it does for the sandbox.
    fn ledger_text(&self) -> String {
        let path = self.folder().join("ledger.jsonl");
        let mut text = std::fs::read_to_string(path).unwrap_or_default();
        text.truncate(text.rfind('\n').map_or(0, |last| last + 1));
        text
    }

    fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join(".terrane/sandbox").join(self.stack)
    }

    fn objects(&self) -> BTreeMap<String, Json> {
        let bytes = std::fs::read(self.folder().join("cloud.json")).expect("the cloud");
        let cloud: Json = serde_json::from_slice(&bytes).expect("JSON");
        serde_json::from_value(cloud["objects"].clone()).expect("objects by type and id")
    }
}

#[test]
fn the_platform_goes_up_stays_and_comes_down() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    assert!(folder.lines() >= 45, "{} objects", folder.lines());
    folder.succeeds(&["preview", "--detailed-exitcode"]);
    let raw = |name: &str| folder.succeeds(&["output", "--raw", name]);
    assert_eq!(
        raw("ecr_repository_url"),
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api"
    );
    assert_eq!(raw("s3_models_bucket_name"), "mlops-platform-prod-models");
    let endpoint = raw("eks_cluster_endpoint");
    assert!(endpoint.starts_with("https://") && endpoint.ends_with(".eks.amazonaws.com"));
    folder.succeeds(&["destroy", "--yes"]);
    assert!(folder.objects().is_empty());
    assert_eq!(folder.succeeds(&["state", "list"]), "");
}

#[test]
fn late_values_of_a_provider_are_no_drift_and_changes_of_a_person_are() {
    const NOTHING: &str = "No changes. Your infrastructure matches the configuration.\n";
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    // Addresses, attached policies and mirrored settings came after the creations of their objects.
    assert!(folder.succeeds(&["preview"]).ends_with(NOTHING));
    let edit = |name: &str, value: &str| {
        let path = folder.folder().join("cloud.json");
        let bytes = std::fs::read(&path).expect("the cloud");
        let mut cloud: Json = serde_json::from_slice(&bytes).expect("JSON");
        let kind = cloud["objects"]["aws_vpc"].as_object_mut();
        let object = kind.and_then(|kind| kind.values_mut().next());
        object.expect("a network")[name] = value.into();
        std::fs::write(&path, cloud.to_string()).expect("writable");
    };
    edit("instance_tenancy", "dedicated");
    let shown = folder.succeeds(&["preview"]);
    assert!(
        shown.contains("\n\nChanged outside of this program:"),
        "{shown}"
    );
    edit("instance_tenancy", "default");
    // From the second read on everything that differs is told.
    let up = folder.succeeds(&["up", "--yes"]);
    assert!(up.contains(NOTHING), "{up}");
    edit("ipv6_association_id", "by-hand");
    let shown = folder.succeeds(&["preview"]);
    let told = "1 object differs from the state without effect on this plan";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn each_variable_changes_its_own_part_and_nothing_else() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    let mut seen = folder.lines();
    let smaller = [
        "--var",
        "eks_node_desired_size=2",
        "--var",
        "eks_node_min_size=1",
    ];
    let up = |more: &[&str]| {
        let mut arguments = vec!["up", "--yes"];
        arguments.extend(more);
        folder.succeeds(&arguments);
    };
    up(&smaller);
    assert_eq!(folder.ledger(seen), ["update aws_eks_node_group"]);
    up(&[]);
    seen = folder.lines();
    up(&["--var", r#"eks_node_instance_types=["t3.small"]"#]);
    assert_eq!(
        folder.ledger(seen),
        ["create aws_eks_node_group", "delete aws_eks_node_group"]
    );
    up(&[]);
    seen = folder.lines();
    up(&["--var", "single_nat_gateway=false"]);
    assert_eq!(
        folder.ledger(seen),
        [
            "create aws_eip",
            "create aws_nat_gateway",
            "update aws_route_table"
        ]
    );
}

#[test]
fn a_name_that_is_taken_is_refused_and_the_rest_is_made() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes", "--target", "module.registry"]);
    // Somebody else's state does not know the repository that is there.
    std::fs::remove_file(folder.folder().join("terraform.tfstate")).expect("removed");
    for rest in ["terraform.tfstate.journal", "terraform.tfstate.backup"] {
        let _ = std::fs::remove_file(folder.folder().join(rest));
    }
    let ran = folder.run(&["up", "--yes"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let said = "`mlops-platform-prod-api` exists already";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(
        ran.err.contains("module.registry.aws_ecr_repository.api"),
        "{}",
        ran.err
    );
    assert_eq!(
        folder.objects()["aws_vpc"]
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
}

#[test]
fn a_run_that_was_killed_is_taken_up_by_the_next_one_without_a_person() {
    for (killed_at, speed) in [
        ("aws_vpc", "2"),
        ("aws_nat_gateway", "30"),
        ("aws_eks_cluster", "60"),
    ] {
        let folder = SandboxFolder::new();
        let mut child = folder
            .command(&["up", "--yes"])
            .env("TERRANE_SANDBOX_SPEED", speed)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the stack runs");
        let made = format!("create {killed_at}");
        let started = Instant::now();
        while !folder.ledger(0).contains(&made) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no {killed_at}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("killed");
        child.wait().expect("an end");
        let ran = folder.run(&["up", "--yes"]);
        assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
        let adopted =
            ran.err.contains(&format!("{killed_at}.")) && ran.err.contains("is in the state now");
        assert!(adopted, "{}", ran.err);
        folder.succeeds(&["preview", "--detailed-exitcode"]);
        // Nothing was made twice, and nothing was thrown away.
        let ledger = folder.ledger(0);
        assert!(
            !ledger.iter().any(|line| line.starts_with("delete")),
            "{ledger:?}"
        );
        let count = ledger.iter().filter(|line| **line == made).count();
        assert_eq!(count, 1);
        folder.succeeds(&["destroy", "--yes"]);
        assert!(folder.objects().is_empty());
    }
}

#[test]
fn files_of_the_sandbox_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes", "--target", "module.registry"]);
    let mode = |path: &Path| {
        std::fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&folder.folder()), 0o700);
    for file in [
        "cloud.json",
        "ledger.jsonl",
        "registry.opentofu.org-hashicorp-aws.facts",
        "terraform.tfstate",
    ] {
        assert_eq!(mode(&folder.folder().join(file)), 0o600, "{file}");
    }
}
