//! Programs that are written by tools: they compile without a warning, and plan what they should.
//!
//! Each folder here is a configuration that is converted; `plan.json` in it is Terraform's own plan of it (README.md).

mod cases;
mod existing;
mod programs;

use cases::Case;
use programs::programs;
use terrane_convert::against::{PlanDocument, compare};

/// Plans the program of a case, and compares with Terraform's plan.
#[track_caller]
fn plans_as_terraform_does(case: &Case) {
    let (_stack, mut preview) = case.preview(programs().join(case.name));
    let planned = preview.output().expect("the program starts");
    let said = String::from_utf8_lossy(&planned.stderr);
    assert!(planned.status.success(), "{said}");
    let ours = PlanDocument::parse(&planned.stdout).expect("a plan");
    let theirs = std::fs::read(case.folder().join("plan.json")).expect("Terraform's plan");
    let theirs = PlanDocument::parse(&theirs).expect("a plan");
    let comparison = compare(&ours, &theirs);
    assert!(comparison.compared > 0, "nothing was compared");
    assert!(comparison.is_same(), "{comparison}");
}

#[test]
fn every_construct_plans_as_terraform_does() {
    plans_as_terraform_does(&cases::EVERY);
}

#[test]
fn built_in_resources_plan_as_terraform_does() {
    plans_as_terraform_does(&cases::BUILT_IN);
}

#[test]
fn every_form_of_a_schema_plans_as_terraform_does() {
    plans_as_terraform_does(&cases::FORMS);
}

#[test]
fn the_platform_plans_as_terraform_does() {
    plans_as_terraform_does(&cases::PLATFORM);
}

#[test]
fn what_cdktf_wrote_plans_as_terraform_does() {
    plans_as_terraform_does(&cases::CDKTF);
}

#[test]
fn objects_that_exist_are_taken_in_by_the_program_that_declares_them() {
    let program = programs().join(existing::NAME);
    let run = |arguments: &str| {
        let line = format!("'{}' {arguments}", program.display());
        existing::project().shell("/bin/sh", &line)
    };
    let imports = run("preview --detailed-exitcode").exits(2);
    let totals = "Plan: 0 to add, 0 to change, 0 to destroy.\n3 imported, 3 unchanged\n";
    assert!(imports.stdout.contains(totals), "{imports}");
    run("up --yes").exits(0);
    run("preview --detailed-exitcode").exits(0);
}

#[test]
fn no_file_is_forgotten() {
    terrane_tests::assert_every_file_listed("convert", include_str!("main.rs"));
}
