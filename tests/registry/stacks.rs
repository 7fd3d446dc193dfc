//! A stack program in a new folder, from the first command to an update, over a registry: what its user does, and what the hints say.

use std::path::Path;

use serde_json::Value;
use terrane_core::addr::ProviderSource;
use terrane_registry::Platform;
use terrane_tests::{Proxy, Release, Step, TestEnvironment, TestRegistry, go_program};

const STACK: &str = env!("CARGO_BIN_EXE_test-stack");

/// The test stack, and a registry that has its provider.
struct Project {
    registry: TestRegistry,
    stack: TestEnvironment,
}

/// The conformance provider as a package: a script that becomes it.
fn release(version: &str) -> Release {
    let program = go_program("terraform-provider-conformance");
    let script = format!(
        "#!/bin/sh\n# {version}\nexec '{}' \"$@\"\n",
        program.display()
    );
    let name = format!("terraform-provider-conformance_v{version}");
    let mut release = Release::of("conformance", version, &[(&name, script.as_bytes())]);
    release.namespace = "terrane".to_owned();
    release
}

impl Project {
    fn new() -> Self {
        let registry = TestRegistry::start();
        registry.publish(&release("1.0.0"));
        let mut stack = TestEnvironment::new(STACK, &[]);
        let authority = stack.path().join("authority.pem");
        std::fs::write(&authority, TestRegistry::authority()).expect("written");
        stack.set("SSL_CERT_FILE", authority.to_str().expect("text"));
        let project = Self { registry, stack };
        project.configure("provider_installation {\n  direct {}\n}\n");
        project
    }

    /// Writes the CLI configuration; the default registry's services are those of the test.
    fn configure(&self, installation: &str) {
        let services = format!("https://{}/v1/providers/", self.registry.host());
        let host = ProviderSource::DEFAULT_HOST;
        let text = format!(
            "host \"{host}\" {{\n  services = {{\n    \"providers.v1\" = \"{services}\"\n  }}\n}}\n{installation}"
        );
        std::fs::write(self.stack.path().join("cli.tfrc"), text).expect("written");
    }

    fn lock_file(&self) -> std::path::PathBuf {
        self.stack.path().join(".terraform.lock.hcl")
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.lock_file()).expect("a lock file")
    }

    fn cache(&self) -> std::path::PathBuf {
        self.stack.path().join("cache")
    }

    /// Forgets every download.
    fn clear_cache(&self) {
        std::fs::remove_dir_all(self.cache()).expect("a cache");
    }
}

/// A project whose cache is a folder of its own.
fn project() -> Project {
    let mut project = Project::new();
    let cache = project.cache();
    (project.stack).set("TERRANE_CACHE_DIR", cache.to_str().expect("text"));
    project
}

#[test]
fn the_first_up_installs_and_every_later_command_needs_no_network() {
    let project = project();
    let stack = &project.stack;
    let refused = stack.run(&["up", "--yes", "--offline"]).exits(1);
    assert!(
        refused.stderr.contains("`--offline` forbids a download"),
        "{refused}"
    );
    assert_eq!(project.registry.take_requests(), []);
    // What the hint says.
    assert!(
        refused
            .stderr
            .contains("run the same command once without `--offline`"),
        "{refused}"
    );
    let up = stack.run(&["up", "--yes"]).exits(0);
    assert!(up.stderr.contains("terrane/conformance 1.0.0 from"), "{up}");
    assert!(up.stderr.contains(", signed by "), "{up}");
    let lock = project.lock();
    assert_eq!(lock.matches("zh:").count(), 2, "{lock}");
    project.registry.take_requests();
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    stack
        .run(&["up", "--yes", "--var", "size=2", "--offline"])
        .exits(0);
    stack.run(&["providers", "verify"]).exits(0);
    stack.run(&["destroy", "--yes", "--offline"]).exits(0);
    assert_eq!(project.registry.take_requests(), []);
    assert_eq!(project.lock(), lock);
}

#[test]
fn a_run_in_json_says_what_it_installs() {
    let project = project();
    let file = project.stack.path().join("run.jsonl");
    let file = file.to_str().expect("text");
    let lines = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("JSON lines")
    };
    let installed = |lines: &[Value]| -> Vec<Value> {
        assert_eq!(lines[0]["type"], "version");
        let installed = lines
            .iter()
            .filter(|line| line["type"] == "provider_installed");
        installed.map(|line| line["provider"].clone()).collect()
    };
    let up = project.stack.run(&["up", "--yes", "--json"]).exits(0);
    let [provider] = &installed(&lines(&up.stdout))[..] else {
        panic!("{up}")
    };
    let source = format!("{}/terrane/conformance", ProviderSource::DEFAULT_HOST);
    assert_eq!(provider["source"], source);
    assert_eq!(provider["version"], "1.0.0");
    assert_eq!(provider["from"], project.registry.host());
    assert!(provider["signed_by"].is_string(), "{provider}");
    project.clear_cache();
    let again = project
        .stack
        .run(&["up", "--yes", "--json-file", file])
        .exits(0);
    let text = std::fs::read_to_string(file).expect("a file");
    assert_eq!(installed(&lines(&text)).len(), 1, "{again}");
    let third = project.stack.run(&["up", "--yes", "--json"]).exits(0);
    assert_eq!(installed(&lines(&third.stdout)), Vec::<Value>::new());
}

#[test]
fn a_lock_file_of_another_tool_decides_and_keeps_its_text() {
    let project = project();
    project.stack.run(&["preview"]).exits(0);
    let ours = project.lock();
    let block = &ours[ours.find("provider ").expect("an entry")..];
    let zips: Vec<&str> = block.lines().filter(|line| line.contains("zh:")).collect();
    // As Terraform on another platform writes it: its own tree's hash, and the zips of all.
    let theirs = format!(
        "# This file is maintained automatically by \"terraform init\".\n# Manual edits may be lost in future updates.\n\n\
         # Not newer, see the ticket.\nprovider \"{}/terrane/conformance\" {{\n  version = \"1.0.0\"\n  hashes = [\n    \
         \"h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n{}\n  ]\n}}\n",
        ProviderSource::DEFAULT_HOST,
        zips.join("\n")
    );
    std::fs::write(project.lock_file(), &theirs).expect("written");
    project.registry.publish(&release("1.1.0"));
    project.clear_cache();
    let up = project.stack.run(&["up", "--yes"]).exits(0);
    assert!(up.stderr.contains("terrane/conformance 1.0.0 from"), "{up}");
    let lines: Vec<String> = project.lock().lines().map(str::to_owned).collect();
    let new: Vec<&String> = lines
        .iter()
        .filter(|line| !theirs.contains(line.as_str()))
        .collect();
    let [own] = new[..] else { panic!("{lines:?}") };
    assert!(own.starts_with("    \"h1:"), "{own}");
    assert!(block.contains(own.as_str()), "{own}");
    // A newer one is taken when that is asked for.
    let upgraded = project
        .stack
        .run(&["providers", "lock", "--upgrade"])
        .exits(0);
    assert!(upgraded.stdout.contains("1.1.0"), "{upgraded}");
    let lock = project.lock();
    assert!(
        lock.contains("\"1.1.0\"") && lock.contains("# Not newer"),
        "{lock}"
    );
    project
        .stack
        .run(&["preview", "--detailed-exitcode"])
        .exits(0);
}

#[test]
fn a_package_that_is_not_the_recorded_one_is_refused_and_the_hints_lead_out() {
    let project = project();
    let stack = &project.stack;
    stack.run(&["up", "--yes"]).exits(0);
    let lock = project.lock();
    // Somebody changed the installed binary.
    let folder = project
        .cache()
        .join("providers")
        .join(ProviderSource::DEFAULT_HOST);
    let folder = folder
        .join("terrane/conformance/1.0.0")
        .join(Platform::current().to_string());
    let binary = folder.join("terraform-provider-conformance_v1.0.0");
    let evil = std::fs::read_to_string(&binary)
        .expect("a script")
        .replace("# 1.0.0", "# evil");
    std::fs::write(&binary, evil).expect("written");
    let refused = stack.run(&["preview"]).exits(7);
    stack.run(&["providers", "verify"]).exits(7);
    let remove = refused.hinted("rm -r");
    let here = stack.path().display().to_string();
    stack.paste(&remove.replace("<dir>", &here), "").exits(0);
    assert!(!folder.exists());
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    assert_eq!(project.lock(), lock);
    // The release itself is another now: `providers lock` does not take it for an addition.
    let mut other = release("1.0.0");
    other.packages = release("1.0.1").packages;
    other.seal(&terrane_tests::Signer::new(1), 120);
    project.registry.publish(&other);
    project.clear_cache();
    stack.run(&["preview"]).exits(7);
    stack.run(&["providers", "lock"]).exits(7);
    assert_eq!(project.lock(), lock);
}

#[test]
fn a_lock_file_that_lacks_this_platform_is_completed_as_the_hint_says() {
    let project = project();
    let stack = &project.stack;
    stack.run(&["up", "--yes"]).exits(0);
    let full = project.lock();
    // What `terraform providers lock -fs-mirror` of another platform leaves.
    let lines = full
        .lines()
        .filter(|line| !line.contains("zh:"))
        .map(|line| match line.contains("\"h1:") {
            true => "    \"h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n".to_owned(),
            false => format!("{line}\n"),
        });
    std::fs::write(project.lock_file(), lines.collect::<String>()).expect("written");
    let refused = stack.run(&["preview"]).exits(7);
    stack.paste(&refused.hinted("providers lock"), "").exits(0);
    stack
        .run(&["preview", "--detailed-exitcode", "--offline"])
        .exits(0);
    for line in full.lines() {
        assert!(project.lock().contains(line), "{line}");
    }
}

#[test]
fn a_copied_mirror_serves_a_machine_without_a_network() {
    let project = project();
    let stack = &project.stack;
    stack
        .run(&[
            "providers",
            "mirror",
            "mirror",
            "--platform",
            "plan9_mips",
            "--platform",
            &Platform::current().to_string(),
        ])
        .exits(0);
    project.registry.forget("");
    let mirror = stack.path().join("mirror");
    project.configure(&format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    ));
    project.registry.take_requests();
    stack.run(&["up", "--yes", "--offline"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    stack
        .run(&["providers", "lock", "--platform", "plan9_mips"])
        .exits(0);
    assert_eq!(
        project.lock().matches("\"h1:").count(),
        2,
        "{}",
        project.lock()
    );
    assert_eq!(project.registry.take_requests(), []);
    assert!(has_file(&mirror, "index.json") && has_file(&mirror, "1.0.0.json"));
}

/// Whether a file of that name lies somewhere below a folder.
fn has_file(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let mut entries = entries;
    entries.any(|path| {
        path.file_name().is_some_and(|it| it == name) || path.is_dir() && has_file(&path, name)
    })
}

#[test]
fn a_token_of_the_environment_opens_a_private_registry() {
    let mut project = project();
    project.registry.require_token("s3cret");
    let refused = project.stack.run(&["preview"]).exits(1);
    assert!(refused.stderr.contains("asks for credentials"), "{refused}");
    let variable = format!("TF_TOKEN_{}", project.registry.host());
    project.stack.set(&variable, "s3cret");
    let up = project.stack.run(&["up", "--yes"]).exits(0);
    assert!(
        !format!("{up}{}", project.lock()).contains("s3cret"),
        "{up}"
    );
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let mut project = project();
    let proxy = Proxy::start();
    project.stack.set("HTTPS_PROXY", &proxy.url());
    project.stack.run(&["up", "--yes"]).exits(0);
    let asked = proxy.asked();
    assert_eq!(asked.len(), project.registry.take_requests().len());
    assert!(
        asked.iter().all(|place| *place == project.registry.host()),
        "{asked:?}"
    );
    project.clear_cache();
    project.stack.set("NO_PROXY", "localhost");
    project.stack.run(&["preview"]).exits(0);
    assert_eq!(proxy.asked(), asked);
    assert_eq!(project.registry.count(Step::Zip), 1);
}
