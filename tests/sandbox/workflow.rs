//! The workflow of a stack: every `run` step of the file, with the variables that GitHub sets, against the sandbox.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value as Json;
use tempfile::TempDir;
use terrane_tests::{ci_program, filtered, is_installed};

use crate::forge::{Forge, TOKEN, comment};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const WORKFLOWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows");
const KEY: &str = "correct horse battery staple";

/// In place of docker and of the command line of AWS: what they were asked for, and the answers that the script goes by.
const DOCKER: &str = r#"#!/bin/sh
[ "$1" != login ] || read -r password
echo "docker $*" >>images.log
case $1 in
login) echo "password $password" >>images.log ;;
inspect) echo "registry@sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865" ;;
esac
"#;
const AWS: &str = r#"#!/bin/sh
echo "aws $*" >>images.log
echo token
"#;

/// In place of cargo: the program is built already.
const CARGO: &str = r#"#!/bin/sh
echo "$*" >>cargo.log
mkdir -p target/release
ln -f "$BUILT_PROGRAM" target/release/prod-stack 2>/dev/null || cp "$BUILT_PROGRAM" target/release/prod-stack
"#;

/// A repository with a stack, and GitHub around it.
struct Repository {
    folder: TempDir,
    forge: Forge,
    workflow: Json,
    /// What expressions of the workflow stand for.
    values: BTreeMap<String, String>,
    /// More variables of each step.
    variables: BTreeMap<String, String>,
}

/// How a job ended: its steps up to the first that failed.
struct Job {
    outputs: BTreeMap<String, String>,
    summary: String,
    said: String,
    failed: Option<String>,
}

impl Repository {
    /// One without a state; none where a tool is missing.
    fn new() -> Option<Self> {
        if !["bash", "curl", "jq", "openssl"]
            .into_iter()
            .all(is_installed)
        {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        for inside in ["bin", "scripts/ci", "artifacts"] {
            std::fs::create_dir_all(path.join(inside)).expect("writable");
        }
        let script = "scripts/ci/stack.sh";
        std::fs::copy(Path::new(ROOT).join(script), path.join(script)).expect("copied");
        for (name, script) in [("cargo", CARGO), ("docker", DOCKER), ("aws", AWS)] {
            let file = path.join("bin").join(name);
            std::fs::write(&file, script).expect("writable");
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("ours");
        }
        let values = [
            ("inputs.program", "prod-stack"),
            ("inputs.flags", "--sandbox"),
            ("inputs.preview-flags", "--cost"),
            ("secrets.plan-key", KEY),
            ("github.token", TOKEN),
            ("github.event.pull_request.number", "7"),
            ("github.event.pull_request.head.sha", "1111111"),
        ];
        let config = [
            ("TERRANE_VAR_AWS_REGION", "us-east-1"),
            ("TERRANE_VAR_ENVIRONMENT", "prod"),
        ];
        let owned = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Some(Self {
            folder,
            forge: Forge::start(),
            workflow: read_workflow(&Path::new(WORKFLOWS).join("terrane.yml")),
            values: owned(&values),
            variables: owned(&config),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set(&mut self, expression: &str, value: &str) {
        self.values.insert(expression.to_owned(), value.to_owned());
    }

    /// A text with its expressions replaced; one that the test does not know is a failure.
    fn evaluated(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").expect("an end");
            let value = self.values.get(expression.trim());
            whole.push_str(value.unwrap_or_else(|| panic!("an unknown expression: {expression}")));
            whole.push_str(rest);
        }
        whole
    }

    fn environment(&self, of: &Json) -> BTreeMap<String, String> {
        let members = of["env"].as_object().into_iter().flatten();
        members
            .map(|(name, value)| (name.clone(), self.evaluated(value.as_str().expect("text"))))
            .collect()
    }

    /// Runs the steps of a job on a machine that has nothing of the jobs before but the state of the sandbox.
    fn job(&mut self, name: &str, sha: &str) -> Job {
        for leftover in ["terrane-ci", "target"] {
            let _ = std::fs::remove_dir_all(self.path(leftover));
        }
        for file in ["output", "summary"] {
            std::fs::write(self.path(file), "").expect("writable");
        }
        let job = self.workflow["jobs"][name].clone();
        let mut ran = Job {
            outputs: BTreeMap::new(),
            summary: String::new(),
            said: String::new(),
            failed: None,
        };
        for step in job["steps"].as_array().expect("steps") {
            let is_always = step["if"]
                .as_str()
                .is_some_and(|it| it.starts_with("always()"));
            if ran.failed.is_some() && !is_always {
                continue;
            }
            match (step["run"].as_str(), step["uses"].as_str()) {
                (Some(run), None) => self.run(run, step, sha, &mut ran),
                (None, Some(uses)) => self.uses(uses, step),
                _ => panic!("neither a command nor an action: {step}"),
            }
            for (name, value) in &ran.outputs {
                let id = step["id"].as_str().unwrap_or("none");
                self.values
                    .insert(format!("steps.{id}.outputs.{name}"), value.clone());
            }
        }
        ran.summary = std::fs::read_to_string(self.path("summary")).expect("a file");
        ran
    }

    fn run(&self, run: &str, step: &Json, sha: &str, ran: &mut Job) {
        std::fs::write(self.path("step.sh"), run).expect("writable");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::split_paths(&path);
        let path = std::env::join_paths([self.path("bin")].into_iter().chain(path));
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "step.sh"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path.expect("no colons"))
            .env("HOME", self.path("home"))
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_API_URL", &self.forge.url)
            .env("GITHUB_REPOSITORY", "acme/infra")
            .env("GITHUB_SHA", sha)
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("BUILT_PROGRAM", env!("CARGO_BIN_EXE_sandbox-stack"))
            .env("TERRANE_SANDBOX_SPEED", "0")
            .envs(&self.variables)
            .envs(self.environment(&self.workflow))
            .envs(self.environment(step))
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        if !output.status.success() {
            let name = step["name"].as_str().unwrap_or(run).to_owned();
            ran.failed.get_or_insert(name);
        }
        ran.said.push_str(&said);
        let outputs = std::fs::read_to_string(self.path("output")).expect("a file");
        let outputs = outputs.lines().filter_map(|line| line.split_once('='));
        ran.outputs = outputs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    }

    /// The effect of an action on what the steps see.
    fn uses(&self, action: &str, step: &Json) {
        let (name, commit) = action.split_once('@').expect("a version");
        assert_eq!(commit.len(), 40, "{action} is not pinned by a commit");
        let with = |key: &str| self.evaluated(step["with"][key].as_str().expect("an input"));
        match name {
            "actions/checkout" | "actions/cache" | "aws-actions/configure-aws-credentials" => {}
            "actions/upload-artifact" => {
                let (name, head) = (
                    with("name"),
                    self.values["github.event.pull_request.head.sha"].clone(),
                );
                let stored = self.path("artifacts").join(&name);
                let _ = std::fs::remove_dir_all(&stored);
                std::fs::rename(self.path(&with("path")), &stored).expect("moved");
                // An artifact keeps no permissions.
                for file in stored.read_dir().expect("a folder") {
                    let path = file.expect("an entry").path();
                    std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("ours");
                }
                self.forge
                    .with(|records| records.artifacts.push((name, head)));
            }
            "actions/download-artifact" => {
                assert_eq!(with("github-token"), TOKEN);
                with("run-id").parse::<usize>().expect("a run");
                let stored = self.path("artifacts").join(with("name"));
                std::fs::rename(stored, self.path(&with("path"))).expect("moved");
            }
            _ => panic!("an unknown action: {action}"),
        }
    }

    fn comments(&self) -> Vec<String> {
        let body = |comment: &Json| comment["body"].as_str().unwrap_or_default().to_owned();
        self.forge
            .with(|records| records.comments.iter().map(body).collect())
    }

    /// Says that the pull request with that head was merged as that commit.
    fn merge(&self, head: &str, sha: &str) {
        self.forge
            .with(|records| records.merged.push((sha.to_owned(), head.to_owned())));
    }

    fn stack(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_sandbox-stack"))
            .args(arguments)
            .arg("--sandbox")
            .current_dir(self.folder.path())
            .env("TERRANE_SANDBOX_SPEED", "0")
            .envs(&self.variables)
            .output()
            .expect("the stack runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Job {
    #[track_caller]
    fn succeeds(self) -> Self {
        assert_eq!(self.failed, None, "{}", self.said);
        self
    }

    #[track_caller]
    fn fails_at(self, step: &str) -> Self {
        assert_eq!(self.failed.as_deref(), Some(step), "{}", self.said);
        self
    }
}

/// A workflow as JSON.
fn read_workflow(file: &Path) -> Json {
    let output = Command::new(ci_program("workflow"))
        .arg("json")
        .arg(file)
        .output();
    let output = output.expect("the program runs");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A comment without its folds, and without what differs from run to run.
fn outline(comment: &str, folder: &Path) -> String {
    let mut text = String::new();
    let mut is_folded = false;
    for line in comment.lines() {
        is_folded |= line.starts_with("<details>");
        if !is_folded {
            text.push_str(line);
            text.push('\n');
        }
        is_folded &= line != "</details>";
    }
    let text = filtered(&text, &folder.display().to_string());
    let is_digest = |word: &str| word.len() == 64 && word.chars().all(|it| it.is_ascii_hexdigit());
    let words = text
        .split('`')
        .map(|word| if is_digest(word) { "<digest>" } else { word });
    let text = words.collect::<Vec<_>>().join("`");
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn workflows_pass_the_linter_and_pin_every_action_by_a_commit() {
    let files: Vec<PathBuf> = Path::new(WORKFLOWS)
        .read_dir()
        .expect("workflows")
        .map(|file| file.expect("an entry").path())
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    let output = Command::new(ci_program("workflow"))
        .arg("check")
        .args(&files)
        .output();
    let output = output.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        let used: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once("uses: "))
            .map(|(_, it)| it)
            .collect();
        // A workflow of this repository is as old as its caller.
        let (own, used): (Vec<&str>, Vec<&str>) =
            used.into_iter().partition(|it| it.starts_with("./"));
        for file in &own {
            assert!(Path::new(ROOT).join(file).exists(), "{file}");
        }
        assert!(own.len() + used.len() > 0, "{}", file.display());
        for action in used {
            let (pinned, version) = action
                .split_once(" # v")
                .unwrap_or_else(|| panic!("no version: {action}"));
            let (_, commit) = pinned.split_once('@').expect("a version");
            assert!(
                commit.len() == 40 && commit.chars().all(|it| it.is_ascii_hexdigit()),
                "{action}"
            );
            assert!(version.split('.').count() == 3, "{action}");
        }
    }
}

#[test]
fn an_image_is_built_and_pushed_to_the_repository_of_the_stack() {
    let Some(mut repository) = Repository::new() else {
        return;
    };
    repository.stack(&["up", "--yes", "--target", "module.registry"]);
    repository.workflow = read_workflow(&Path::new(WORKFLOWS).join("image.yml"));
    repository.set("inputs.context", "services/api");
    repository.set("inputs.region", "us-east-1");
    let pushed = repository.job("image", "0a1b2c").succeeds();
    assert_eq!(
        pushed.outputs["image"],
        "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
    );
    let log = std::fs::read_to_string(repository.path("images.log")).expect("a log");
    assert_snapshot!(log, @"
    aws ecr get-login-password
    docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
    password token
    docker build --tag 123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api:0a1b2c services/api
    docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api:0a1b2c
    docker inspect --format {{index .RepoDigests 0}} 123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api:0a1b2c
    ");
    // The platform takes that digest.
    let flag = format!("application_image={}", pushed.outputs["image"]);
    repository.stack(&[
        "validate",
        "--var",
        &flag,
        "--var",
        "deploy_application=true",
    ]);
}

#[test]
fn a_pull_request_is_previewed_merged_and_applied_and_drift_is_found() {
    let Some(mut repository) = Repository::new() else {
        return;
    };
    // Somebody else's comment with the same first line is not ours to change.
    let marker = "<!-- terrane stack=prod -->";
    let foreign = comment(1, "mallory", &format!("{marker}\nmine"));
    repository
        .forge
        .with(|records| records.comments.push(foreign.clone()));

    let preview = repository.job("preview", "merge-commit").succeeds();
    assert_eq!(preview.outputs["changes"], "true");
    let cargo = std::fs::read_to_string(repository.path("cargo.log")).expect("a log");
    assert_eq!(cargo, "build --locked --release --bin prod-stack\n");
    let [mine, posted] = repository.comments().try_into().expect("two comments");
    assert_eq!(mine, foreign["body"]);
    assert!(
        posted.starts_with(marker) && posted.len() <= 60_000,
        "{posted}"
    );
    assert_eq!(preview.summary, format!("{posted}\n"));
    assert_snapshot!(outline(&posted, repository.folder.path()), @r#"
    <!-- terrane stack=prod -->
    ### `prod` `+49`
    `prod · sandbox · account 123456789012, us-east-1 · aws 6.66.0 · state .terrane/sandbox/prod/terraform.tfstate`
    **Plan: 49 to add, 0 to change, 0 to destroy.**
    | | Resource | Changes | Declared |
    |---|---|---|---|
    | `+` | `module.network.aws_vpc.main` | `cidr_block = "10.0.0.0/16", tags["Name"] = "mlops-platform-prod-vpc", … (4 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_subnet.public[0]` | `cidr_block = "10.0.0.0/24", availability_zone = "us-east-1a", map_public_ip_on_launch = true, … (4 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_subnet.public[1]` | `cidr_block = "10.0.1.0/24", availability_zone = "us-east-1b", map_public_ip_on_launch = true, … (4 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_subnet.private[0]` | `cidr_block = "10.0.10.0/24", availability_zone = "us-east-1a", map_public_ip_on_launch = false, … (4 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_subnet.private[1]` | `cidr_block = "10.0.11.0/24", availability_zone = "us-east-1b", map_public_ip_on_launch = false, … (4 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_internet_gateway.main` | `tags["Name"] = "mlops-platform-prod-igw", vpc_id ← module.network.aws_vpc.main.id, … (1 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_eip.nat[0]` | `domain = "vpc", tags["Name"] = "mlops-platform-prod-nat-0", … (1 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_nat_gateway.main[0]` | `tags["Name"] = "mlops-platform-prod-nat-0", allocation_id ← module.network.aws_eip.nat[0].id, … (3 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table.public` | `tags["Name"] = "mlops-platform-prod-public", vpc_id ← module.network.aws_vpc.main.id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table_association.public[0]` | `route_table_id ← module.network.aws_route_table.public.id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table_association.public[1]` | `route_table_id ← module.network.aws_route_table.public.id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table.private[0]` | `tags["Name"] = "mlops-platform-prod-private-0", vpc_id ← module.network.aws_vpc.main.id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table_association.private[0]` | `route_table_id ← module.network.aws_route_table.private[0].id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table.private[1]` | `tags["Name"] = "mlops-platform-prod-private-1", vpc_id ← module.network.aws_vpc.main.id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.network.aws_route_table_association.private[1]` | `route_table_id ← module.network.aws_route_table.private[1].id, … (2 more)` | `stacks/platform/network.rs:<line>` |
    | `+` | `module.cluster.aws_cloudwatch_log_group.cluster` | `name = "/aws/eks/mlops-platform-prod-cluster/cluster", retention_in_days = 30, … (1 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_security_group.cluster` | `name = "mlops-platform-prod-cluster-sg", description = "EKS cluster", … (4 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_security_group.node` | `name = "mlops-platform-prod-node-sg", description = "EKS nodes", … (4 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_security_group_rule.node_to_cluster` | `type = "ingress", from_port = 443, to_port = 443, … (4 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_security_group_rule.cluster_to_node` | `type = "ingress", from_port = 1025, to_port = 65535, … (4 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_security_group_rule.node_to_node` | `type = "ingress", from_port = 0, to_port = 0, … (4 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role.cluster` | `name = "mlops-platform-prod-cluster-role", … (3 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role_policy_attachment.cluster` | `policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy", … (1 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_eks_cluster.main` | `name = "mlops-platform-prod-cluster", version = "1.28", … (7 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role.node` | `name = "mlops-platform-prod-node-role", … (3 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role_policy_attachment.node["AmazonEKSWorkerNodePolicy"]` | `policy_arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", … (1 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role_policy_attachment.node["AmazonEKS_CNI_Policy"]` | `policy_arn = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", … (1 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_role_policy_attachment.node["AmazonEC2ContainerRegistryReadOnly"]` | `policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly", … (1 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_eks_node_group.main` | `cluster_name = "mlops-platform-prod-cluster", node_group_name = "mlops-platform-prod-nodes", … (9 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.cluster.aws_iam_openid_connect_provider.cluster` | `client_id_list = ["sts.amazonaws.com"], … (2 more)` | `stacks/platform/cluster.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket.main["models"]` | `bucket = "mlops-platform-prod-models", force_destroy = false, … (1 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_server_side_encryption_configuration.main["models"]` | `bucket ← module.storage.aws_s3_bucket.main["models"].id, … (2 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_public_access_block.main["models"]` | `restrict_public_buckets = true, block_public_policy = true, block_public_acls = true, … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_lifecycle_configuration.main["models"]` | `rule[0].id = "tier", rule[0].status = "Enabled", … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_versioning.models` | `versioning_configuration[0].status = "Enabled", … (2 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket.main["data"]` | `bucket = "mlops-platform-prod-data", force_destroy = false, … (1 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_server_side_encryption_configuration.main["data"]` | `bucket ← module.storage.aws_s3_bucket.main["data"].id, … (2 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_public_access_block.main["data"]` | `restrict_public_buckets = true, block_public_policy = true, block_public_acls = true, … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_lifecycle_configuration.main["data"]` | `rule[0].id = "tier", rule[0].status = "Enabled", … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket.main["artifacts"]` | `bucket = "mlops-platform-prod-artifacts", force_destroy = false, … (1 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_server_side_encryption_configuration.main["artifacts"]` | `bucket ← module.storage.aws_s3_bucket.main["artifacts"].id, … (2 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_public_access_block.main["artifacts"]` | `restrict_public_buckets = true, block_public_policy = true, block_public_acls = true, … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.storage.aws_s3_bucket_lifecycle_configuration.main["artifacts"]` | `rule[0].id = "tier", rule[0].status = "Enabled", … (3 more)` | `stacks/platform/storage.rs:<line>` |
    | `+` | `module.registry.aws_ecr_repository.api` | `name = "mlops-platform-prod-api", image_tag_mutability = "MUTABLE", force_delete = false, … (2 more)` | `stacks/platform/registry.rs:<line>` |
    | `+` | `module.registry.aws_ecr_lifecycle_policy.api` | `repository = "mlops-platform-prod-api", … (2 more)` | `stacks/platform/registry.rs:<line>` |
    | `+` | `module.identity.aws_iam_role.service_account` | `name = "mlops-platform-prod-sa-role", … (3 more)` | `stacks/platform/identity.rs:<line>` |
    | `+` | `module.identity.aws_iam_policy.s3` | `name = "mlops-platform-prod-s3-access", … (2 more)` | `stacks/platform/identity.rs:<line>` |
    | `+` | `module.identity.aws_iam_role_policy_attachment.s3` | `role = "mlops-platform-prod-sa-role", policy_arn ← module.identity.aws_iam_policy.s3.arn` | `stacks/platform/identity.rs:<line>` |
    | `+` | `module.identity.aws_iam_role_policy.logs` | `name = "logs", role = "mlops-platform-prod-sa-role", … (1 more)` | `stacks/platform/identity.rs:<line>` |
    #### Cost
    ```text
    Cost a month in USD, estimated with prices of 2026-11-28:
           +3.65  module.network.aws_eip.nat[0]
                  public IPv4 address: 730 hours × 0.005 = 3.65
          +32.85  module.network.aws_nat_gateway.main[0]
                  gateway: 730 hours × 0.045 = 32.85
          +73.00  module.cluster.aws_eks_cluster.main
                  control plane: 730 hours × 0.10 = 73.00
          +95.90  module.cluster.aws_eks_node_group.main
                  instances: 2190 hours × 0.0416 = 91.10
                  volumes: 60 GB × 0.08 = 4.80
      205.40 in all
      Not in it:
        module.cluster.aws_cloudwatch_log_group.cluster, logs ingested: the usage file has no `ingested_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs stored: the usage file has no `stored_gb`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ```
    #### Policies
    ```text
    Policies: 1 advisory failed, 13 passed
      advice    Kubernetes is supported  stacks/platform/platform.rs:<line>
          module.cluster.aws_eks_cluster.main.version: EKS does not offer Kubernetes 1.28 since 2025-11-26: it refuses a new cluster, and upgrades an existing one by itself  stacks/platform/cluster.rs:<line>
          hint: pass `--var eks_cluster_version=1.35`, or set it in the stack's file; a cluster that exists goes up one minor version at a time
    ```
    This plan, and nothing else, is applied by:
    ```sh
    prod-stack up terrane-ci/prod-stack.plan --sandbox
    ```
    Saved in `terrane-ci/prod-stack.plan`, SHA-256 `<digest>`; good until it is applied once or a state is written.
    Digest of the plan: `<digest>`
    <sub>Planned at <time> of commit `merge-commit` by terrane 0.1.0</sub>
    "#);
    // The plan holds secrets, so that it leaves the job encrypted.
    let artifact = repository.path("artifacts/terrane-prod-stack-1111111");
    assert!(!artifact.join("prod-stack.plan").exists());
    let sealed = std::fs::read(artifact.join("prod-stack.plan.enc")).expect("a plan");
    assert!(sealed.starts_with(b"Salted__"));

    // Another push writes the same comment anew, also when the preview fails.
    repository
        .variables
        .insert("TERRANE_VAR_NONSENSE".to_owned(), "1".to_owned());
    repository.set("github.event.pull_request.head.sha", "2222222");
    repository
        .job("preview", "merge-commit")
        .fails_at("Preview");
    let [_, failed] = repository.comments().try_into().expect("still two");
    assert!(
        failed.starts_with(marker) && failed.contains("no plan"),
        "{failed}"
    );
    repository.variables.remove("TERRANE_VAR_NONSENSE");
    repository.set("github.event.pull_request.head.sha", "1111111");

    // Nothing was previewed of this commit.
    let unknown = repository.job("up", "main-0").fails_at("Find the preview");
    assert!(
        unknown
            .said
            .contains("::error::no pull request was merged as main-0"),
        "{}",
        unknown.said
    );
    repository.merge("1111111", "main-1");
    let up = repository.job("up", "main-1").succeeds();
    assert!(up.summary.contains("Apply complete!"), "{}", up.said);
    assert!(repository.stack(&["state", "list"]).lines().count() >= 45);
    repository.job("drift", "main-1").succeeds();

    // The state moves on before the merge; the same changes are still approved.
    repository.variables.insert(
        "TERRANE_VAR_EKS_NODE_DESIRED_SIZE".to_owned(),
        "4".to_owned(),
    );
    repository.set("github.event.pull_request.head.sha", "3333333");
    repository.job("preview", "merge-commit").succeeds();
    let log_group = "module.cluster.aws_cloudwatch_log_group.cluster";
    let elsewhere = "module.cluster.aws_cloudwatch_log_group.elsewhere";
    repository.stack(&["state", "mv", log_group, elsewhere, "--yes"]);
    repository.stack(&["state", "mv", elsewhere, log_group, "--yes"]);
    repository.merge("3333333", "main-3");
    let up = repository.job("up", "main-3").succeeds();
    assert!(
        up.said
            .contains("note: the saved plan is refused; planning again"),
        "{}",
        up.said
    );
    assert!(
        up.said.contains("0 added, 1 changed, 0 destroyed"),
        "{}",
        up.said
    );

    // Without a key only the digest is handed on; other changes than the approved ones are not made.
    repository.set("secrets.plan-key", "");
    repository.variables.insert(
        "TERRANE_VAR_EKS_NODE_DESIRED_SIZE".to_owned(),
        "5".to_owned(),
    );
    repository.set("github.event.pull_request.head.sha", "4444444");
    repository.job("preview", "merge-commit").succeeds();
    let files = repository.path("artifacts/terrane-prod-stack-4444444");
    let mut files: Vec<_> = files
        .read_dir()
        .expect("a folder")
        .map(|it| it.expect("an entry").file_name())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["comment.md", "plan.json", "prod-stack", "summary.json"]
    );
    repository.merge("4444444", "main-4");
    repository.variables.insert(
        "TERRANE_VAR_EKS_NODE_DESIRED_SIZE".to_owned(),
        "6".to_owned(),
    );
    let refused = repository.job("up", "main-4").fails_at("Up");
    assert!(
        refused
            .said
            .contains("module.cluster.aws_eks_node_group.main: planned with other values"),
        "{}",
        refused.said
    );
    repository.variables.insert(
        "TERRANE_VAR_EKS_NODE_DESIRED_SIZE".to_owned(),
        "4".to_owned(),
    );

    // A person changes an object by hand.
    let cloud = repository.path(".terrane/sandbox/prod/cloud.json");
    let text = std::fs::read_to_string(&cloud).expect("the cloud");
    assert!(
        text.contains("\"retention_in_days\":30"),
        "the logs are kept for 30 days"
    );
    std::fs::write(
        &cloud,
        text.replace("\"retention_in_days\":30", "\"retention_in_days\":7"),
    )
    .expect("writable");
    let drift = repository.job("drift", "main-4").fails_at("Drift");
    assert!(
        drift
            .said
            .contains("::error::objects were changed outside of the program"),
        "{}",
        drift.said
    );
    assert!(
        drift.summary.contains("retention_in_days"),
        "{}",
        drift.summary
    );
}
