//! Journals that are whole, cut off, damaged, trimmed by halves.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::journal::{IntentAction, Seal};

fn intent(n: u128) -> Intent {
    Intent::new(
        format!("{n:032x}").parse().expect("an id"),
        format!("t.x{n}").parse().expect("an address"),
        IntentAction::Create,
        "provider[\"h.example/ns/t\"]".parse().expect("an address"),
        Timestamp::new(1_800_000_000 + u64::try_from(n).expect("small"), 0),
    )
}

fn begun(n: u128) -> Record {
    Record::Intent(intent(n).into())
}

fn ended(n: u128) -> Record {
    Record::Result(OperationResult {
        op: intent(n).op,
        address: intent(n).address,
        outcome: OperationOutcome::Ok,
        instance: None,
        undecoded: None,
        error_class: None,
    })
}

fn sealed(new_epoch: u64) -> Record {
    Record::Seal(Seal {
        new_epoch,
        run: "r".into(),
        who: "me@here".into(),
        why: "it did not end".into(),
        at: Timestamp::new(1_800_000_100, 0),
    })
}

fn trimmed(epoch: u64, segment: u64) -> Record {
    Record::Trim(Trim { epoch, segment })
}

/// The segments of an epoch.
fn epoch(epoch: u64, segments: &[Vec<Record>]) -> Vec<Segment> {
    let (mut number, mut previous) = (0, Sha256::default());
    let mut framed = |segment: u64, records: &[Record]| {
        let at = Position { epoch, segment };
        let mut bytes = Vec::new();
        for record in records {
            let payload = codec::encode(record);
            previous = frame::encode(at, number, previous, &payload, &mut bytes);
            number += 1;
        }
        let bytes = bytes.into();
        Segment { at, bytes }
    };
    (0..)
        .zip(segments)
        .map(|(n, records)| framed(n, records))
        .collect()
}

/// Two segments: four operations begun, the first two ended.
fn journal() -> Vec<Segment> {
    let first = vec![begun(0), begun(1), begun(2)];
    epoch(1, &[first, vec![begun(3), ended(0), ended(1)]])
}

fn damage(segments: &[Segment]) -> Damage {
    let JournalError::Damaged(damage) = Log::read(segments).expect_err("damaged");
    *damage
}

#[test]
fn what_began_and_did_not_end_is_open() {
    let log = Log::read(&journal()).expect("whole");
    assert_eq!(log.open_intents().len(), 2);
    assert_eq!(log.pending().count(), 2);
    assert!(!log.ended);
}

#[test]
fn a_message_says_what_is_wrong_and_what_can_be_read_on_both_sides() {
    let mut segments = journal();
    let mut bytes = segments[0].bytes.to_vec();
    let end = bytes.len();
    bytes[end - 1] ^= 1;
    segments[0].bytes = bytes.into();
    let damage = damage(&segments);
    insta::assert_snapshot!(damage.to_string().split(" byte ").next().expect("a reason"), @"a record that fails its checksum follows");
    assert_eq!((damage.epoch, damage.number), (1, 2));
    assert_eq!((damage.before, damage.behind), (2, 3));
    assert_eq!(damage.last_known, Some(Timestamp::new(1_800_000_003, 0)));
    let said = damage.to_string();
    assert!(said.ends_with("segment 1/00000000; 2 records before that are whole, 3 behind it can be read; unresolved operations: create t.x3"), "{said}");
}

#[test]
fn a_message_names_no_more_operations_than_can_be_read_at_a_glance() {
    let many: Vec<Record> = (0..30).map(begun).collect();
    let mut segments = epoch(1, &[many]);
    segments[0].bytes = [&segments[0].bytes[..], &[0; 9]].concat().into();
    let said = damage(&segments).to_string();
    assert!(said.starts_with("only zero bytes follow byte "), "{said}");
    assert!(said.ends_with("create t.x9 and 20 more"), "{said}");
}

/// Whether reading those segments is refused, and with which words.
fn refused(segments: Vec<Segment>) -> String {
    damage(&segments).reason
}

#[test]
fn whatever_is_missing_is_named() {
    let whole: Vec<Segment> = [
        epoch(1, &[vec![begun(0)], vec![ended(0)], vec![sealed(2)]]),
        epoch(2, &[vec![begun(1)], vec![ended(1)]]),
    ]
    .concat();
    Log::read(&whole).expect("whole");
    let without = |missing: &[usize]| {
        let kept = whole.iter().enumerate();
        let kept = kept.filter(|(n, _)| !missing.contains(n));
        kept.map(|(_, segment)| segment.clone()).collect()
    };
    insta::assert_snapshot!(refused(without(&[0])), @"the beginning of epoch 1 is missing");
    insta::assert_snapshot!(refused(without(&[1])), @"record 1/2 does not follow record 1/0");
    insta::assert_snapshot!(refused(without(&[2])), @"the end of epoch 1 is missing");
    insta::assert_snapshot!(refused(without(&[3])), @"the beginning of epoch 2 is missing");
    let third = epoch(3, &[vec![begun(2)]]);
    let gap = [&without(&[3, 4])[..], &third].concat();
    insta::assert_snapshot!(refused(gap), @"epoch 2 is missing");
    let mut empty = whole.clone();
    empty[4].bytes = Bytes::new();
    insta::assert_snapshot!(refused(empty), @"segment 2/00000001 is empty");
    let mut moved = whole.clone();
    moved[4].at.segment = 7;
    insta::assert_snapshot!(refused(moved), @"segment 2/00000007 holds records of segment 2/00000001");
    let mut cut = whole;
    cut[1].bytes = cut[1].bytes.slice(..70);
    insta::assert_snapshot!(refused(cut), @"segment 1/00000001 is cut off");
}

#[test]
fn a_journal_that_was_trimmed_before_that_was_recorded_begins_with_the_end_of_an_epoch() {
    let ends = |last: Record| {
        let whole = epoch(1, &[vec![begun(0)], vec![begun(1), last]]);
        let next = epoch(2, &[vec![begun(2)]]);
        [&whole[1..], &next[..]].concat()
    };
    let log = Log::read(&ends(Record::Close)).expect("it ended in order");
    assert_eq!(log.open_intents().len(), 2);
    insta::assert_snapshot!(refused(ends(sealed(2))), @"the beginning of epoch 1 is missing");
    let one = epoch(1, &[vec![begun(0)], vec![begun(1)]]).split_off(1);
    insta::assert_snapshot!(refused(one), @"the beginning of epoch 1 is missing");
}

#[test]
fn an_empty_segment_is_the_end_of_an_epoch_that_another_followed() {
    let mut segments = epoch(1, &[vec![begun(0), ended(0)], vec![Record::Close]]);
    segments[1].bytes = Bytes::new();
    segments.extend(epoch(2, &[vec![begun(1)]]));
    let log = Log::read(&segments).expect("whole");
    assert_eq!(log.open_intents().len(), 1);
}

#[test]
fn counters_at_their_end_are_refused() {
    let numbered = |at: Position, number: u64| {
        let mut bytes = Vec::new();
        let payload = codec::encode(&begun(0));
        frame::encode(at, number, Sha256::default(), &payload, &mut bytes);
        let bytes = bytes.into();
        refused(vec![Segment { at, bytes }])
    };
    let at = |epoch, segment| Position { epoch, segment };
    insta::assert_snapshot!(numbered(at(u64::MAX, 0), 0), @"epoch 18446744073709551615 is at the end of what can be counted (2^64 - 1)");
    insta::assert_snapshot!(numbered(at(1, u64::MAX), 0), @"segment 18446744073709551615 is at the end of what can be counted (2^64 - 1)");
    insta::assert_snapshot!(numbered(at(1, 0), u64::MAX), @"record 18446744073709551615 is at the end of what can be counted (2^64 - 1)");
}

/// An epoch that took over the unresolved operations, recorded that, and went on.
fn long() -> Vec<Segment> {
    [
        epoch(1, &[vec![begun(0)], vec![begun(1)], vec![sealed(2)]]),
        epoch(
            2,
            &[
                vec![begun(0), begun(1)],
                vec![ended(0)],
                vec![begun(1), trimmed(2, 2), Record::Close],
            ],
        ),
        epoch(3, &[vec![begun(1), begun(2)], vec![ended(2)]]),
    ]
    .concat()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_is_always_damage(segment in 0usize..2, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut segments = journal();
        let mut bytes = segments[segment].bytes.to_vec();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        segments[segment].bytes = bytes.into();
        let damage = damage(&segments);
        prop_assert!(!damage.reason.is_empty());
        prop_assert_eq!(damage.before + damage.behind, 5);
    }

    #[test]
    fn a_segment_that_is_cut_off_is_damage(segment in 0usize..2, at in any::<prop::sample::Index>()) {
        let mut segments = journal();
        let bytes = segments[segment].bytes.clone();
        segments[segment].bytes = bytes.slice(..at.index(bytes.len()));
        let whole = frame::decode(&segments[segment].bytes).1.reason == EndReason::Whole;
        // Where the last one ends behind a record, further records leave no trace.
        prop_assume!(!whole || segments[segment].bytes.is_empty());
        prop_assert!(Log::read(&segments).is_err());
    }

    #[test]
    fn of_what_is_trimmed_any_part_may_be_there_still(gone in proptest::collection::vec(any::<bool>(), 5), damaged in 0usize..10) {
        let whole = long();
        let log = Log::read(&whole).expect("whole");
        let mut left: Vec<Segment> = whole.clone();
        if let Some(segment) = left[..5].get_mut(damaged) {
            segment.bytes = Bytes::from_static(&[0; 40]);
        }
        let mut gone = gone.iter();
        left.retain(|_| !gone.next().copied().unwrap_or_default());
        let again = Log::read(&left).expect("trimmed segments are not looked at");
        prop_assert_eq!(again.open_intents(), log.open_intents());
        prop_assert_eq!(again.pending().count(), log.pending().count());
        prop_assert_eq!(again.last, log.last);
    }

    #[test]
    fn what_is_not_trimmed_is_never_missed_without_a_word(gone in 5usize..7) {
        let mut segments = long();
        segments.remove(gone);
        prop_assert!(Log::read(&segments).is_err());
    }
}
