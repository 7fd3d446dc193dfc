//! What an installation takes from where: versions, mirrors, the cache, the lock file, and nothing twice.

use terrane_tests::{Fault, Release, Step};

use crate::rig::Rig;

#[test]
fn the_first_run_records_every_platform_and_the_second_asks_nobody() {
    let mut rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.publish(&Release::new("null", "1.2.0"));
    rig.registry.publish(&Release::new("null", "2.0.0-rc1"));
    rig.installs("~> 1.0");
    insta::assert_snapshot!(rig.take_events(), @r"installed localhost:PORT/acme/null 1.2.0 from localhost:PORT, signed");
    insta::assert_snapshot!(rig.lock(), @r#"
        # This file records the providers of this program: their versions and the hashes of their packages.
        # terrane, Terraform and OpenTofu maintain it; commit it.

        provider "localhost:PORT/acme/null" {
          version     = "1.2.0"
          constraints = "~> 1.0"
          hashes = [
            "h1:uzp5DMrNYCKpleAfEwsSNJ9ZwlYW13gFIlxn+PntB0w=",
            "zh:SUM",
            "zh:SUM",
          ]
        }
        "#);
    rig.registry.take_requests();
    rig.installs("~> 1.0");
    assert_eq!(rig.registry.take_requests(), []);
    rig.is_offline = true;
    rig.installs("~> 1.0");
    assert_eq!(rig.registry.take_requests(), []);
    assert_eq!(rig.take_events(), "");
}

#[test]
fn a_newer_version_waits_until_the_lock_file_is_asked_to_take_it() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("~> 1.0");
    let lock = rig.lock();
    rig.registry.publish(&Release::new("null", "1.1.0"));
    rig.installs("~> 1.0");
    assert_eq!(rig.lock(), lock);
    let said = rig
        .install(&[rig.require("null", "~> 1.1")])
        .expect_err("refused");
    insta::assert_snapshot!(said, @r"
        error: the lock file records localhost:PORT/acme/null 1.0.0, but the program accepts ~> 1.1
          FOLDER/.terraform.lock.hcl
        hint: `providers lock --upgrade` selects the newest version that the program accepts
        ");
    assert_eq!(rig.lock(), lock);
}

#[test]
fn a_second_project_takes_the_package_from_the_cache_and_records_every_platform_all_the_same() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("1.0.0");
    let first = rig.lock();
    rig.move_to_another_project();
    rig.installs("1.0.0");
    assert_eq!(rig.registry.count(Step::Zip), 1);
    assert_eq!(rig.lock(), first);
}

#[test]
fn a_package_in_the_cache_that_the_registry_does_not_vouch_for_is_downloaded_anew() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    let package = rig.installs("1.0.0");
    std::fs::write(&package.binary, "#!/bin/sh\necho evil\n").expect("written");
    rig.move_to_another_project();
    rig.installs("1.0.0");
    assert_eq!(rig.registry.count(Step::Zip), 2);
    // Of a package that another tool has put there, only the tree's hash is known, which this registry does not state.
    std::fs::remove_dir_all(rig.cache().join("packages")).expect("records");
    rig.move_to_another_project();
    rig.installs("1.0.0");
    assert_eq!(rig.registry.count(Step::Zip), 3);
}

#[test]
fn a_network_mirror_serves_in_place_of_the_registry() {
    let mut rig = Rig::new();
    rig.use_mirror();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.forget("/v1/");
    rig.registry.forget(".well-known");
    rig.installs("1.0.0");
    insta::assert_snapshot!(rig.take_events(), @r"installed localhost:PORT/acme/null 1.0.0 from localhost:PORT, not signed");
}

#[test]
fn a_mirror_that_does_not_answer_is_told_and_one_after_it_is_asked() {
    let mut rig = Rig::new();
    rig.use_mirror();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry
        .fail(Step::Versions, Fault::Status(500), usize::MAX);
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/mirror/localhost:PORT/acme/null/index.json answered HTTP 500
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
    rig.registry.mend();
    let dead = rig.registry.mirror().replace("/mirror/", "/elsewhere/");
    let network = |url: &str| format!("  network_mirror {{\n    url = \"{url}\"\n  }}\n");
    rig.config = format!(
        "provider_installation {{\n{}{}}}\n",
        network(&dead),
        network(&rig.registry.mirror())
    );
    rig.installs("1.0.0");
}

#[test]
fn without_a_network_what_is_missing_is_told() {
    let mut rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.is_offline = true;
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: provider localhost:PORT/acme/null 1.0.0 is not installed, and `--offline` forbids a download
        hint: run the same command once without `--offline`
        ");
    assert_eq!(rig.registry.take_requests(), []);
}

#[test]
fn two_providers_install_at_once_and_one_failure_does_not_lose_the_other() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.publish(&Release::new("other", "1.0.0"));
    rig.registry.forget("SHA256SUMS.sig");
    rig.registry.publish(&Release::new("other", "1.0.0"));
    let required = [rig.require("null", "1.0.0"), rig.require("other", "1.0.0")];
    let said = rig.install(&required).expect_err("one fails");
    insta::assert_snapshot!(said, @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the release has no signature of SHA256SUMS: https://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_SHA256SUMS.sig does not exist
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
    let lock = rig.lock();
    assert!(
        lock.contains("acme/other") && !lock.contains("acme/null"),
        "{lock}"
    );
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.install(&required).expect("both");
}

#[test]
fn a_release_without_a_key_is_taken_only_from_the_registry_that_says_so() {
    let mut rig = Rig::new();
    let services = format!("https://{}/v1/providers/", rig.registry.host());
    rig.config = format!(
        "host \"registry.opentofu.org\" {{\n  services = {{\n    \"providers.v1\" = \"{services}\"\n  }}\n}}\n{}",
        rig.config
    );
    let mut release = Release::new("null", "1.0.0");
    release.keys.clear();
    rig.registry.publish(&release);
    let mut required = rig.require("null", "1.0.0");
    rig.install(std::slice::from_ref(&required))
        .expect_err("another registry");
    required.source.host = "registry.opentofu.org".into();
    rig.install(&[required.clone()]).expect("installed");
    insta::assert_snapshot!(rig.take_events(), @r"
        warning: nobody vouches for registry.opentofu.org/acme/null 1.0.0: localhost:PORT lists no key of its publisher
          the lock file records what was downloaded now
        installed registry.opentofu.org/acme/null 1.0.0 from localhost:PORT, not signed
        ");
    // A key that is listed counts.
    std::fs::remove_dir_all(rig.cache()).expect("a cache");
    release.keys.push(terrane_tests::Signer::new(2).published());
    rig.registry.publish(&release);
    rig.install(&[required]).expect_err("another key");
}

#[test]
fn an_oci_mirror_is_an_error_that_names_the_way_around_it() {
    let mut rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    let mirror =
        "oci_mirror {\n    repository_template = \"mirror.example/${namespace}/${type}\"\n";
    rig.config = format!("provider_installation {{\n  {mirror}  }}\n}}\n");
    insta::assert_snapshot!(rig.refuses("1.0.0"), @"
    error: cannot install provider localhost:PORT/acme/null
      the CLI configuration has it from an `oci_mirror`, which is not supported
    hint: fill a folder with `tofu providers mirror DIRECTORY`, and name it in a `filesystem_mirror` block before the `oci_mirror`
    ");
    assert_eq!(rig.registry.take_requests(), [], "nobody else is asked");
    // One for other providers is in nobody's way.
    let others = "    include = [\"example.com/*/*\"]\n";
    rig.config = format!("provider_installation {{\n  {mirror}{others}  }}\n  direct {{}}\n}}\n");
    rig.installs("1.0.0");
}
