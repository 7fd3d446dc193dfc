//! Registries, networks and processes that fail: a failure that may pass is survived, every other is said, and the next try works.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use terrane_registry::Platform;
use terrane_tests::{Fault, Release, Request, Step};

use crate::rig::Rig;

const ALWAYS: usize = usize::MAX;

/// What is said when a request of that kind always fails in that way; without the fault it installs.
#[track_caller]
fn said(step: Step, fault: Fault) -> String {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.fail(step, fault, ALWAYS);
    let said = rig.refuses("1.0.0");
    rig.registry.mend();
    rig.installs("1.0.0");
    said
}

#[test]
fn a_failure_that_may_pass_is_survived_at_every_step() {
    let steps = [
        Step::Discovery,
        Step::Versions,
        Step::Description,
        Step::Sums,
        Step::Signature,
        Step::Zip,
    ];
    for fault in [
        Fault::Status(503),
        Fault::Busy(0),
        Fault::Silence,
        Fault::Cut,
        Fault::Length(1_000_000),
    ] {
        let rig = Rig::new();
        rig.registry.publish(&Release::new("null", "1.0.0"));
        for step in steps {
            rig.registry.fail(step, fault.clone(), 1);
        }
        rig.installs("1.0.0");
        for step in steps {
            assert_eq!(rig.registry.count(step), 2, "{step:?} after {fault:?}");
        }
    }
}

#[test]
fn a_registry_that_is_broken_is_named() {
    insta::assert_snapshot!(said(Step::Discovery, Fault::Status(500)), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/.well-known/terraform.json answered HTTP 500
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
    insta::assert_snapshot!(said(Step::Versions, Fault::Busy(0)), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/v1/providers/acme/null/versions answered HTTP 429
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
    insta::assert_snapshot!(said(Step::Description, Fault::Status(418)), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          https://localhost:PORT/v1/providers/acme/null/1.0.0/download/OS/ARCH answered HTTP 418
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
    insta::assert_snapshot!(said(Step::Versions, Fault::Silence), @r"
        error: cannot install provider localhost:PORT/acme/null
          the answer of localhost:PORT broke off: the connection ended
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
    insta::assert_snapshot!(said(Step::Zip, Fault::Cut), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the answer of localhost:PORT broke off: the connection ended
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
}

#[test]
fn a_registry_that_stalls_is_given_up() {
    insta::assert_snapshot!(said(Step::Zip, Fault::Stall), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the answer of localhost:PORT broke off: N bytes came in 0.4 s
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
}

#[test]
fn a_slow_download_is_waited_for_as_long_as_it_goes_on() {
    let rig = Rig::new();
    let filler = vec![b'x'; 60 << 10];
    let script = b"#!/bin/sh\necho null 1.0.0\n";
    let files = [
        ("terraform-provider-null_v1.0.0", &script[..]),
        ("filler", &filler),
    ];
    rig.registry.publish(&Release::of("null", "1.0.0", &files));
    // Twice the timeout as a whole, and much less a piece.
    rig.registry.fail(
        Step::Zip,
        Fault::Slow(4 << 10, Duration::from_millis(50)),
        ALWAYS,
    );
    rig.installs("1.0.0");
    assert_eq!(rig.registry.count(Step::Zip), 1);
}

#[test]
fn a_trickle_is_no_download() {
    insta::assert_snapshot!(said(Step::Zip, Fault::Slow(1, Duration::from_millis(20))), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the answer of localhost:PORT broke off: N bytes came in 0.4 s
        hint: try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry
        ");
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    insta::assert_snapshot!(said(Step::Versions, Fault::Endless), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/v1/providers/acme/null/versions answered with more than 4194304 bytes
        hint: the registry or mirror is at fault: tell those who run it
        ");
    insta::assert_snapshot!(said(Step::Signature, Fault::Endless), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          https://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_SHA256SUMS.sig answered with more than 1048576 bytes
        hint: the registry or mirror is at fault: tell those who run it
        ");
    insta::assert_snapshot!(said(Step::Zip, Fault::Length(3 << 30)), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          https://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_PLATFORM.zip answered with more than 2147483648 bytes
        hint: the registry or mirror is at fault: tell those who run it
        ");
}

#[test]
fn a_page_for_people_is_no_answer() {
    insta::assert_snapshot!(said(Step::Discovery, Fault::Html), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/.well-known/terraform.json answered with a web page
        hint: a proxy or a sign-in may answer in its place: open https://localhost:PORT/.well-known/terraform.json in a browser
        ");
    insta::assert_snapshot!(said(Step::Versions, Fault::Html), @r"
        error: cannot install provider localhost:PORT/acme/null
          https://localhost:PORT/v1/providers/acme/null/versions answered with a web page
        hint: a proxy or a sign-in may answer in its place: open https://localhost:PORT/v1/providers/acme/null/versions in a browser
        ");
    insta::assert_snapshot!(said(Step::Description, Fault::Html), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          https://localhost:PORT/v1/providers/acme/null/1.0.0/download/OS/ARCH answered with a web page
        hint: a proxy or a sign-in may answer in its place: open https://localhost:PORT/v1/providers/acme/null/1.0.0/download/OS/ARCH in a browser
        ");
    insta::assert_snapshot!(said(Step::Zip, Fault::Html), @r"
        error: provider localhost:PORT/acme/null 1.0.0 from localhost:PORT is refused
          the downloaded package is not the one that localhost:PORT describes: expected zh:SUM, got zh:SUM
        hint: nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on
        ");
}

#[test]
fn a_redirect_without_tls_or_without_an_end_is_not_followed() {
    insta::assert_snapshot!(said(Step::Zip, Fault::ToPlainHttp), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          localhost:PORT redirects to http://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_PLATFORM.zip, which is not https
        hint: the registry or mirror is at fault: tell those who run it
        ");
    insta::assert_snapshot!(said(Step::Discovery, Fault::ToPlainHttp), @r"
        error: cannot install provider localhost:PORT/acme/null
          localhost:PORT redirects to http://localhost:PORT/.well-known/terraform.json, which is not https
        hint: the registry or mirror is at fault: tell those who run it
        ");
    insta::assert_snapshot!(said(Step::Versions, Fault::ToItself), @r"
        error: cannot install provider localhost:PORT/acme/null
          localhost:PORT redirects more than 10 times
        hint: the registry or mirror is at fault: tell those who run it
        ");
}

#[test]
fn a_package_url_without_tls_is_not_asked() {
    let rig = Rig::new();
    let mut release = Release::new("null", "1.0.0");
    release.answer = json!({ "download_url": format!("http://{}/a.zip", rig.registry.host()) });
    rig.registry.publish(&release);
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          `http://localhost:PORT/a.zip` is not an https URL
        hint: the registry or mirror is at fault: tell those who run it
        ");
}

#[test]
fn a_redirect_to_another_host_is_followed_without_the_credentials() {
    let mut rig = Rig::new();
    rig.use_token(&rig.registry.host(), "s3cret");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    let other = rig.registry.other_host();
    for step in [Step::Versions, Step::Zip] {
        rig.registry.fail(step, Fault::ToHost(other.clone()), 1);
    }
    rig.installs("1.0.0");
    let requests = rig.registry.take_requests();
    let with_token = |host: &str| {
        let asked = requests.iter().filter(|request| request.host == host);
        asked
            .map(|request| request.authorization.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(with_token(&other), [None, None]);
    let own = with_token(&rig.registry.host());
    assert_eq!(own, vec![Some("Bearer s3cret".to_owned()); own.len()]);
}

#[test]
fn another_host_in_an_answer_gets_no_credentials() {
    let mut rig = Rig::new();
    rig.use_token(&rig.registry.host(), "s3cret");
    let other = rig.registry.other_host();
    let mut release = Release::new("null", "1.0.0");
    let name = release.filename(&Platform::current().to_string());
    release.answer = json!({ "download_url": format!("https://{other}/files/null/1.0.0/{name}") });
    rig.registry.publish(&release);
    rig.installs("1.0.0");
    let requests = rig.registry.take_requests();
    let zip = requests
        .iter()
        .find(|request| request.host == other)
        .expect("asked");
    assert_eq!(zip.authorization, None);
}

#[test]
fn a_registry_on_another_host_than_its_discovery_gets_its_own_token_alone() {
    let mut rig = Rig::new();
    let api = rig.registry.other_host();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.delegate_to(&api);
    rig.registry.require_token("s3cret");
    rig.use_token(&rig.registry.host(), "s3cret");
    insta::assert_snapshot!(rig.refuses("1.0.0"), @"
    error: cannot install provider localhost:PORT/acme/null
      127.0.0.1:PORT asks for credentials (HTTP 401)
    hint: `terraform login 127.0.0.1:PORT`, a `credentials` block of the CLI configuration or TF_TOKEN_127_0_0_1:PORT gives a token for this host
    ");
    let of_api = |requests: Vec<Request>| {
        let of_api = requests.into_iter().filter(|request| request.host == api);
        of_api.map(|it| it.authorization).collect::<Vec<_>>()
    };
    assert_eq!(of_api(rig.registry.take_requests()), [None]);
    rig.use_token(&api, "s3cret");
    rig.installs("1.0.0");
    let sent = of_api(rig.registry.take_requests());
    assert_eq!(sent, vec![Some("Bearer s3cret".to_owned()); sent.len()]);
}

/// The first bytes that were asked for in requests for packages, since the last look.
fn parts(rig: &Rig) -> Vec<Option<usize>> {
    let requests = rig.registry.take_requests().into_iter();
    let zips = requests.filter(|request| request.path.ends_with(".zip"));
    zips.map(|request| request.from).collect()
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let rig = Rig::new();
    let release = Release::new("null", "1.0.0");
    let half = release.packages[&Platform::current().to_string()].len() / 2;
    rig.registry.publish(&release);
    rig.registry.offer_ranges();
    rig.registry.fail(Step::Zip, Fault::Cut, 1);
    rig.installs("1.0.0");
    assert_eq!(parts(&rig), [None, Some(half)]);
}

#[test]
fn a_later_run_goes_on_with_the_download_of_an_earlier_one() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.offer_ranges();
    rig.registry.fail(Step::Zip, Fault::Cut, ALWAYS);
    rig.refuses("1.0.0");
    let before = parts(&rig);
    rig.registry.mend();
    rig.installs("1.0.0");
    let [Some(from)] = parts(&rig)[..] else {
        panic!("one request for the rest");
    };
    assert!(
        before.iter().all(|part| *part < Some(from)),
        "{before:?}, then {from}"
    );
    assert_eq!(rig.partial_downloads(), Vec::<PathBuf>::new());
}

#[test]
fn a_download_that_went_on_with_something_else_begins_again() {
    for damage in [
        |was: &[u8]| vec![b'x'; was.len()],
        |_: &[u8]| vec![b'x'; 1 << 20],
    ] {
        let rig = Rig::new();
        rig.registry.publish(&Release::new("null", "1.0.0"));
        rig.registry.offer_ranges();
        rig.registry.fail(Step::Zip, Fault::Cut, ALWAYS);
        rig.refuses("1.0.0");
        rig.registry.mend();
        parts(&rig);
        let [partial] = &rig.partial_downloads()[..] else {
            panic!("one download is left");
        };
        let was = std::fs::read(partial).expect("there");
        std::fs::write(partial, damage(&was)).expect("written");
        rig.installs("1.0.0");
        let asked = parts(&rig);
        assert!(
            asked.len() == 2 && asked[0].is_some() && asked[1].is_none(),
            "{asked:?}"
        );
    }
}

#[test]
fn missing_and_wrong_credentials_are_told_from_other_failures() {
    let mut rig = Rig::new();
    rig.registry.require_token("s3cret");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null
          localhost:PORT asks for credentials (HTTP 401)
        hint: `terraform login localhost:PORT`, a `credentials` block of the CLI configuration or TF_TOKEN_localhost:PORT gives a token for this host
        ");
    rig.use_token(&rig.registry.host(), "wrong");
    let said = rig.refuses("1.0.0");
    assert!(!said.contains("wrong"), "{said}");
    insta::assert_snapshot!(said, @r"
        error: cannot install provider localhost:PORT/acme/null
          localhost:PORT refuses the credentials (HTTP 401)
        hint: `terraform login localhost:PORT`, a `credentials` block of the CLI configuration or TF_TOKEN_localhost:PORT gives a token for this host
        ");
    rig.use_token(&rig.registry.host(), "s3cret");
    rig.installs("1.0.0");
}

#[test]
fn a_host_that_is_no_registry_is_told() {
    let rig = Rig::new();
    rig.registry.forget(".well-known");
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null
          localhost:PORT offers no provider registry
        hint: check the spelling of the host; a provider is written `HOST/NAMESPACE/TYPE`
        ");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_told() {
    let mut rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    let authorities = std::mem::take(&mut rig.http.authorities);
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null
          the certificate of localhost:PORT is not trusted: invalid peer certificate: UnknownIssuer
        hint: if an authority of your own signs certificates here: SSL_CERT_FILE names the file with its certificate
        ");
    rig.http.authorities = authorities;
    rig.installs("1.0.0");
}

#[test]
fn a_provider_a_version_or_a_platform_that_is_missing_is_told() {
    let rig = Rig::new();
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: localhost:PORT has no provider localhost:PORT/acme/null
        hint: check its spelling; a provider of another registry is written `HOST/NAMESPACE/TYPE`
        ");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    insta::assert_snapshot!(rig.refuses("~> 2.0"), @r"
        error: localhost:PORT has no version that will do of provider localhost:PORT/acme/null ~> 2.0
          it has 1.0.0
        hint: the bindings that the program uses, or its own requirement, say which versions will do
        ");
    let mut foreign = Release::new("null", "2.0.0");
    foreign
        .packages
        .retain(|platform, _| platform == "plan9_mips");
    rig.registry.publish(&foreign);
    insta::assert_snapshot!(rig.refuses("~> 2.0"), @r"
        error: localhost:PORT has no package of provider localhost:PORT/acme/null ~> 2.0 for PLATFORM
          2.0.0: not built for PLATFORM, or for another plugin protocol than 5 and 6
        ");
    let mut old = Release::new("null", "3.0.0");
    old.protocols = vec!["4.0".to_owned()];
    rig.registry.publish(&old);
    insta::assert_snapshot!(rig.refuses("~> 3.0"), @r"
        error: localhost:PORT has no package of provider localhost:PORT/acme/null ~> 3.0 for PLATFORM
          3.0.0: not built for PLATFORM, or for another plugin protocol than 5 and 6
        ");
    // Listed, but gone.
    rig.registry.forget("/download/");
    insta::assert_snapshot!(rig.refuses("~> 1.0"), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          localhost:PORT has no package of this version for PLATFORM
        hint: its publisher may have built another version for PLATFORM
        ");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.forget(".zip");
    insta::assert_snapshot!(rig.refuses("~> 1.0"), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the release has no package for this platform: https://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_PLATFORM.zip does not exist
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.registry.forget("SHA256SUMS");
    insta::assert_snapshot!(rig.refuses("~> 1.0"), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          the release has no SHA256SUMS: https://localhost:PORT/files/null/1.0.0/terraform-provider-null_1.0.0_SHA256SUMS does not exist
        hint: nothing of it was kept; the release or its registry is at fault: tell its publisher
        ");
    rig.registry.publish(&Release::new("null", "1.0.0"));
    rig.installs("~> 1.0");
}

#[test]
fn a_store_that_cannot_be_written_is_told() {
    let rig = Rig::new();
    rig.registry.publish(&Release::new("null", "1.0.0"));
    std::fs::create_dir_all(rig.cache()).expect("made");
    // A file where the folder should be stops even root.
    std::fs::write(rig.cache().join("providers"), "").expect("written");
    insta::assert_snapshot!(rig.refuses("1.0.0"), @r"
        error: cannot install provider localhost:PORT/acme/null 1.0.0 from localhost:PORT
          cannot write FOLDER/cache/providers/localhost:PORT/acme/null/1.0.0/PLATFORM: Not a directory (os error 20)
        ");
    std::fs::remove_file(rig.cache().join("providers")).expect("there");
    rig.installs("1.0.0");
}
