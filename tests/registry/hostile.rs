//! Releases that are not what their publisher made: each is refused, nothing of it stays, and the good one installs after it.

use std::collections::BTreeMap;

use serde_json::json;
use terrane_tests::{Release, Signer, Step, renamed, zip_of, zip_with_link};

use crate::rig::Rig;

/// What is said about a release that was spoiled in that way; a good one of the same version installs after it.
#[track_caller]
fn refusal(spoil: impl FnOnce(&mut Release)) -> String {
    let rig = Rig::new();
    let said = refusal_in(&rig, spoil);
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("1.0.0");
    said
}

#[track_caller]
fn refusal_in(rig: &Rig, spoil: impl FnOnce(&mut Release)) -> String {
    let mut release = Release::new("null", "1.0.0");
    spoil(&mut release);
    rig.registry.publish(&release);
    rig.refuses("1.0.0")
}

fn platform() -> String {
    terrane_registry::Platform::current().to_string()
}

/// The script of a provider that does something else.
const EVIL: &[u8] = b"#!/bin/sh\necho evil\n";

#[test]
fn a_tampered_zip_is_refused() {
    insta::assert_snapshot!(refusal(|release| {
        let evil = zip_of(&[("terraform-provider-null_v1.0.0", EVIL)]);
        release.packages.insert(platform(), evil);
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the downloaded package is not the one that localhost:PORT describes: expected zh:SUM, got zh:SUM
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_tampered_zip_with_a_sum_that_fits_is_refused_by_the_signed_sums() {
    insta::assert_snapshot!(refusal(|release| {
        let (sums, signature, keys) = (
            release.sums.clone(),
            release.signature.clone(),
            release.keys.clone(),
        );
        let evil = zip_of(&[("terraform-provider-null_v1.0.0", EVIL)]);
        release.packages.insert(platform(), evil);
        release.seal(&Signer::new(1), 60);
        (release.sums, release.signature, release.keys) = (sums, signature, keys);
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          SHA256SUMS states another sum for terraform-provider-null_1.0.0_PLATFORM.zip than the registry
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn tampered_sums_are_refused() {
    insta::assert_snapshot!(refusal(|release| {
        let evil = zip_of(&[("terraform-provider-null_v1.0.0", EVIL)]);
        release.packages.insert(platform(), evil);
        let signature = release.signature.clone();
        release.seal(&Signer::new(1), 60);
        release.signature = signature;
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: the signature does not match the document
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_release_that_another_key_signed_is_refused() {
    insta::assert_snapshot!(refusal(|release| release.sign(&Signer::new(2), 60)), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: the signature was made by key 1BFB6606F7164465, which the registry does not list
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
}

#[test]
fn a_signature_made_after_its_key_expired_is_refused() {
    let signer = || Signer::new(1).living(Signer::YEAR);
    insta::assert_snapshot!(refusal(|release| release.seal(&signer(), Signer::YEAR + 60)), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: the signature was made at 2024-11-13T22:14:20Z, after its key had expired
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_signature_made_in_the_life_of_a_key_that_has_expired_since_is_good() {
    let rig = Rig::new();
    let mut release = Release::new("null", "1.0.0");
    release.seal(&Signer::new(1).living(Signer::YEAR), Signer::YEAR - 60);
    rig.registry.publish(&release);
    rig.installs("1.0.0");
}

#[test]
fn a_registry_without_keys_is_refused() {
    insta::assert_snapshot!(refusal(|release| release.keys.clear()), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: the registry lists no signing keys
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
}

#[test]
fn a_key_that_is_none_is_refused() {
    insta::assert_snapshot!(refusal(|release| release.keys = vec!["no key".to_owned()]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: a signing key of the registry cannot be read: not enough bytes in buffer: armor header
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
}

#[test]
fn a_signature_that_is_none_is_refused() {
    insta::assert_snapshot!(refusal(
        |release| release.signature = b"signed by me".to_vec()
    ), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the signature of the release is not good: the signature cannot be read: not enough bytes in buffer: armor header
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
}

#[test]
fn a_second_key_in_the_list_does_no_harm() {
    let rig = Rig::new();
    let mut release = Release::new("null", "1.0.0");
    release.keys.insert(0, Signer::new(2).published());
    rig.registry.publish(&release);
    rig.installs("1.0.0");
}

#[test]
fn sums_that_name_another_file_are_refused() {
    insta::assert_snapshot!(refusal(|release| {
        release.sums = release.sums.replace(
            "terraform-provider-null_1.0.0",
            "terraform-provider-null_0.9.0",
        );
        release.sign(&Signer::new(1), 60);
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          SHA256SUMS does not list terraform-provider-null_1.0.0_PLATFORM.zip
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn signed_sums_that_are_no_sums_are_refused() {
    insta::assert_snapshot!(refusal(|release| {
        release.sums = "<!doctype html>\n".to_owned();
        release.sign(&Signer::new(1), 60);
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          SHA256SUMS has a line that is not a sum and a file name
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn an_answer_for_another_platform_is_refused() {
    insta::assert_snapshot!(refusal(|release| {
        release.answer = json!({
            "os": "plan9",
            "arch": "mips",
            "filename": "terraform-provider-null_1.0.0_plan9_mips.zip",
            "download_url": "/files/null/1.0.0/terraform-provider-null_1.0.0_plan9_mips.zip",
            "shasum": release.shasums["plan9_mips"],
        });
    }), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          https://localhost:PORT/v1/providers/acme/null/1.0.0/download/OS/ARCH answered with something else: it describes a package for plan9_mips
        hint: the registry or mirror is at fault: tell those who run it
        ");
}

#[test]
fn a_tree_hash_that_the_package_does_not_have_is_refused() {
    insta::assert_snapshot!(refusal(|release| {
        release.answer = json!({ "packages": { platform(): { "hashes": ["h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] } } });
    }), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the downloaded package is not the one that localhost:PORT describes: expected h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, got h1:VT/gLXhHVxHq3DRuIiof7wzjI0OAUkICrdwd+Gq0Ya8=
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

/// What is said about a signed package that is that zip.
#[track_caller]
fn refused_zip(rig: &Rig, zip: Vec<u8>) -> String {
    refusal_in(rig, |release| {
        release.packages.insert(platform(), zip);
        release.seal(&Signer::new(1), 60);
    })
}

/// The same of each of these zips; after them all, a good one installs.
#[track_caller]
fn refused_zips(zips: impl IntoIterator<Item = Vec<u8>>) -> String {
    let rig = Rig::new();
    let said: Vec<String> = zips.into_iter().map(|zip| refused_zip(&rig, zip)).collect();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("1.0.0");
    said.join("\n")
}

#[test]
fn a_zip_that_would_write_elsewhere_is_refused() {
    let zip = |name| zip_of(&[("terraform-provider-null_v1.0.0", EVIL), (name, EVIL)]);
    insta::assert_snapshot!(refused_zips([zip("../../../../../../escaped")]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: its entry `../../../../../../escaped` points outside of the package
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
    let names = [
        "/tmp/escaped",
        "a/../../escaped",
        "..",
        "C:escaped",
        "a\\..\\escaped",
        "./a",
        "a//b",
    ];
    let said = refused_zips(names.map(zip));
    assert_eq!(
        said.matches("points outside of the package").count(),
        names.len(),
        "{said}"
    );
}

#[test]
fn a_zip_with_a_link_is_refused() {
    insta::assert_snapshot!(refused_zips([zip_with_link(
        "terraform-provider-null_v1.0.0",
        "/bin/sh"
    )]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: its entry `terraform-provider-null_v1.0.0` is a link or a special file
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_zip_with_two_files_of_one_place_is_refused() {
    let two = |first: &str, second: &str| zip_of(&[(first, EVIL), (second, EVIL)]);
    let similar = two(
        "terraform-provider-null_v1.0.0",
        "terraform-provider-null_v1.0.1",
    );
    insta::assert_snapshot!(refused_zips([
        renamed(
            &similar,
            "terraform-provider-null_v1.0.1",
            "terraform-provider-null_v1.0.0"
        ),
        two("terraform-provider-null", "Terraform-Provider-Null"),
        two("terraform-provider-null", "terraform-provider-null/a"),
        two("terraform-provider-null/a", "terraform-provider-null"),
    ]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: two of its entries have the same name
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: its entry `Terraform-Provider-Null` is there twice, or differs from another only in case
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: its entry `terraform-provider-null/a` is a file and a folder
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: its entry `terraform-provider-null` is a file and a folder
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_zip_of_countless_files_is_refused() {
    let names: Vec<String> = (0..10_001).map(|index| index.to_string()).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    insta::assert_snapshot!(refused_zips([zip_of(&files)]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: it holds more than 10000 entries
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn what_is_no_zip_is_refused() {
    let good = zip_of(&[("terraform-provider-null_v1.0.0", EVIL)]);
    insta::assert_snapshot!(refused_zips([b"<!doctype html>".to_vec()]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package cannot be unpacked: it is not a readable zip
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
    let said = refused_zips([
        good[..good.len() / 2].to_vec(),
        Vec::new(),
        // Its own sum of the file does not fit.
        renamed(&good, "evil", "good"),
    ]);
    assert_eq!(
        said.matches("it is not a readable zip").count(),
        3,
        "{said}"
    );
}

#[test]
fn a_package_without_a_provider_is_refused() {
    insta::assert_snapshot!(refused_zips([zip_of(&[("README.md", b"Nothing.\n")])]), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the package holds no file terraform-provider-null
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
    refused_zips(
        ["terraform-provider-other", "bin/terraform-provider-null"]
            .map(|name| zip_of(&[(name, EVIL)])),
    );
}

#[test]
fn a_mirror_that_states_other_hashes_is_refused() {
    let mut rig = Rig::new();
    rig.use_mirror();
    let mut release = Release::new("null", "1.0.0");
    release.mirrored = BTreeMap::from([(platform(), vec![format!("zh:{}", "0".repeat(64))])]);
    rig.registry.publish(&release);
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the downloaded package is not the one that localhost:PORT describes: expected zh:SUM, got zh:SUM
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
    release.mirrored = BTreeMap::from([(platform(), vec!["h1:AAAA=".to_owned()])]);
    rig.registry.publish(&release);
    rig.refuses("1.0.0");
    release.mirrored.clear();
    rig.registry.publish(&release);
    rig.installs("1.0.0");
}

#[test]
fn a_package_that_the_lock_file_does_not_record_is_refused_and_the_lock_file_stays() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("1.0.0");
    let lock = rig.lock();
    // The publisher, or somebody with the publisher's key, made the release anew.
    std::fs::remove_dir_all(rig.cache()).expect("a cache");
    let again = Release::of("null", "1.0.0", &[("terraform-provider-null_v1.0.0", EVIL)]);
    rig.registry.publish(&again);
    let said = rig
        .install(&[rig.require("null", "1.0.0")])
        .expect_err("refused");
    insta::assert_snapshot!(said, @r"
        error: the package of localhost:PORT/acme/null 1.0.0 is not the one that the lock file records
          it has h1:nEGiwh002DlVtFiQNUKB7quXtDw4YKrQBPoBv9E8ZCg= and zh:493c34c29fe1e23fbbf28f0c2b82df627367a7b987716411d6236b5e77bbb36d; FOLDER/.terraform.lock.hcl records 3 other hashes
        hint: if the lock file only lacks this platform or this mirror: `providers lock` adds the hashes that its registry vouches for
        ");
    assert!(rig.packages().is_empty());
    assert_eq!(rig.lock(), lock);
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("1.0.0");
}

#[test]
fn an_installed_package_that_was_changed_is_refused_until_it_is_removed() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    let package = rig.installs("1.0.0");
    std::fs::write(&package.binary, EVIL).expect("written");
    let said = rig
        .install(&[rig.require("null", "1.0.0")])
        .expect_err("refused");
    insta::assert_snapshot!(said, @r"
        error: the package of localhost:PORT/acme/null 1.0.0 is not the one that the lock file records
          FOLDER/cache/providers/localhost:PORT/acme/null/1.0.0/PLATFORM: it has h1:JkzZOYIN80UswIQBfiStC3wDTW5y0YXAjm1KnIBrJko=; FOLDER/.terraform.lock.hcl records 3 other hashes
        hint: if the package was damaged or changed: `rm -r 'FOLDER/cache/providers/localhost:PORT/acme/null/1.0.0/PLATFORM'`, and it is installed again
        hint: if the lock file only lacks this platform or this mirror: `providers lock` adds the hashes that its registry vouches for
        ");
    // What the hint says.
    assert!(said.contains("`rm -r '"), "{said}");
    std::fs::remove_dir_all(rig.package_folder("1.0.0")).expect("there");
    rig.installs("1.0.0");
    assert_eq!(rig.registry.count(Step::Zip), 2);
}
