//! The files: they survive, are shared, and withstand being cut off.

use std::io::Write as _;

use serde_json::json;

use super::{LEDGER, Line, SNAPSHOT};
use crate::operations::{Failure, Operations};
use crate::samples::{Sample, text};

fn lines(folder: &std::path::Path) -> Vec<String> {
    let ledger = std::fs::read_to_string(folder.join(LEDGER)).expect("a ledger");
    let line = |line: &str| {
        let line: Line = serde_json::from_str(line).expect("a line");
        format!(
            "{} {:?} {} {}",
            line.entry.sequence, line.entry.action, line.entry.type_name, line.entry.id
        )
    };
    ledger.lines().map(line).collect()
}

#[test]
fn objects_survive_with_and_without_a_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = Sample::at(folder.path());
    let bucket = sample.create("aws_s3_bucket", &json!({"bucket": "one"}));
    drop(sample);
    assert!(!folder.path().join(SNAPSHOT).exists());
    let sample = Sample::at(folder.path());
    assert_eq!(sample.read("aws_s3_bucket", &bucket), Some(bucket.clone()));
    sample
        .operations
        .cloud
        .checkpoint(&sample.operations.kinds)
        .expect("written");
    let other = sample.create("aws_s3_bucket", &json!({"bucket": "two"}));
    sample
        .try_delete("aws_s3_bucket", &bucket)
        .expect("AWS agrees");
    drop(sample);
    let sample = Sample::at(folder.path());
    assert_eq!(sample.read("aws_s3_bucket", &bucket), None);
    assert_eq!(sample.read("aws_s3_bucket", &other), Some(other));
    assert_eq!(
        lines(folder.path()),
        [
            "1 Create aws_s3_bucket one",
            "2 Create aws_s3_bucket two",
            "3 Delete aws_s3_bucket one"
        ]
    );
}

#[test]
fn two_processes_see_what_the_other_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (Sample::at(folder.path()), Sample::at(folder.path()));
    let bucket = one.create("aws_s3_bucket", &json!({"bucket": "shared"}));
    assert_eq!(other.read("aws_s3_bucket", &bucket), Some(bucket.clone()));
    let again = other.try_create("aws_s3_bucket", &json!({"bucket": "shared"}));
    assert!(Sample::refusal(again).contains("BucketAlreadyOwnedByYou"));
    other
        .try_delete("aws_s3_bucket", &bucket)
        .expect("AWS agrees");
    assert_eq!(one.read("aws_s3_bucket", &bucket), None);
    assert_eq!(lines(folder.path()).len(), 2);
}

#[test]
fn a_line_that_was_cut_off_never_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = Sample::at(folder.path());
    let bucket = sample.create("aws_s3_bucket", &json!({"bucket": "whole"}));
    drop(sample);
    let mut ledger = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join(LEDGER))
        .expect("a ledger");
    ledger
        .write_all(br#"{"sequence":2,"time":"2026"#)
        .expect("written");
    let sample = Sample::at(folder.path());
    assert_eq!(sample.read("aws_s3_bucket", &bucket), Some(bucket));
    sample.create("aws_s3_bucket", &json!({"bucket": "next"}));
    assert_eq!(lines(folder.path())[1], "2 Create aws_s3_bucket next");
}

#[test]
fn a_damaged_line_is_refused_by_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(LEDGER), "nonsense\n").expect("written");
    let opened = super::Cloud::open(folder.path(), &crate::samples::kinds());
    let error = opened.err().expect("damaged");
    assert!(
        error
            .to_string()
            .ends_with("ledger.jsonl is damaged at line 1"),
        "{error}"
    );
}

#[test]
fn a_snapshot_is_written_now_and_then_and_not_with_every_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = Sample::at(folder.path());
    let mut snapshots = 0;
    let mut last = None;
    for number in 0..300 {
        let bucket = sample.create(
            "aws_s3_bucket",
            &json!({"bucket": format!("bucket-{number}")}),
        );
        assert_eq!(text(&bucket, "id"), format!("bucket-{number}"));
        let written = std::fs::read(folder.path().join(SNAPSHOT)).ok();
        snapshots += usize::from(written != last);
        last = written;
    }
    assert!((2..=4).contains(&snapshots), "{snapshots}");
}

#[test]
fn nothing_is_made_for_a_run_that_has_died() {
    let folder = tempfile::tempdir().expect("a folder");
    let kinds = crate::samples::kinds();
    let mut cloud = super::Cloud::open(folder.path(), &kinds).expect("a cloud");
    cloud.engine = cloud.engine.map(|engine| engine + 1);
    let mut sample = Sample::at(folder.path());
    sample.operations = Operations::new(kinds, cloud);
    let made = sample.try_create("aws_s3_bucket", &json!({"bucket": "late"}));
    assert!(
        matches!(made, Err(Failure::Files(super::CloudError::Orphaned))),
        "{made:?}"
    );
    assert!(lines(folder.path()).is_empty());
}
