//! Journals: bytes of any kind, and frames with checksums that fit around records of any kind.

use std::sync::Arc;

use bytes::Bytes;
use terrane_state::backend::Position;
use terrane_state::{
    Backend as _, Change, Instance, Intent, IntentAction, MemoryBackend, Object, Operation,
    OperationId, OperationOutcome, OperationResult, ProcessIdentity, RawJson, Recorder as _,
    Repair, Run, RunError, RunOptions, Sha256, State, SystemClock, SystemRandom, Timestamp,
};

use crate::drive::{Target, run};
use crate::mutate::{LARGEST, Numbers};

/// Segments as they are.
pub(crate) struct Segments;

/// Payloads of records, which are framed before they are read.
pub(crate) struct Records;

/// The same in frames whose counters may be anywhere, also at their end.
pub(crate) struct Counters;

/// The identity of the run.
fn options() -> RunOptions {
    RunOptions {
        operation: Operation::Apply,
        engine: "test".into(),
        process: ProcessIdentity {
            who: "me@here".into(),
            ..ProcessIdentity::default()
        },
        lock_timeout: std::time::Duration::ZERO,
    }
}

/// The journal of a run that created one object, got no response for another, and was killed.
fn journal() -> Vec<Bytes> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let backend = Arc::new(MemoryBackend::new());
        let clock = Arc::new(SystemClock::default());
        let opened = Run::open(
            backend.clone(),
            options(),
            clock,
            Arc::new(SystemRandom),
            &(),
        );
        let (run, _) = opened.await.expect("opened");
        let provider = "provider[\"h.example/ns/t\"]";
        let attributes = RawJson::new(r#"{"id":"i-1","tags":{"a":"b"}}"#).expect("JSON");
        let object = Object::new(1, attributes);
        let instance = Arc::new(Instance::with_current(
            provider.parse().expect("one"),
            object,
        ));
        for (name, outcome) in [
            ("a", OperationOutcome::Ok),
            ("b", OperationOutcome::Unknown),
        ] {
            let address: terrane_core::addr::InstanceAddr =
                format!("module.m[0].t_thing.{name}[\"k\"]")
                    .parse()
                    .expect("an address");
            let op = OperationId::random(&SystemRandom);
            let provider = provider.parse().expect("one");
            let at = Timestamp::new(1_800_000_000, 5);
            let intent = Intent::new(op, address.clone(), IntentAction::Create, provider, at);
            run.intent(intent).await.expect("recorded");
            let result = OperationResult {
                op,
                address,
                outcome,
                instance: Some(instance.clone()),
                undecoded: (outcome == OperationOutcome::Unknown)
                    .then(|| Bytes::from_static(b"\xff\0")),
                error_class: Some(terrane_state::ErrorClass::Later("timeout".into())),
            };
            run.result(result).await.expect("recorded");
        }
        run.checkpoint().await.expect("stored");
        let mut whole = State::new("another".into());
        let address = "t_thing.w".parse().expect("an address");
        whole.set_instance(&address, Some(instance));
        let one = Change::Instance {
            address,
            instance: None,
        };
        run.change(Change::State(Box::new(whole)));
        run.change(Change::Together(vec![one]));
        let intent = Intent::new(
            OperationId::random(&SystemRandom),
            "t_thing.c".parse().expect("an address"),
            IntentAction::Delete,
            provider.parse().expect("one"),
            Timestamp::new(1_800_000_001, 0),
        );
        run.intent(intent).await.expect("recorded");
        let segments = backend.read_journal().await.expect("readable");
        segments.into_iter().map(|segment| segment.bytes).collect()
    })
}

/// The header of a frame, before its payload.
const HEADER: usize = 68;

/// The payloads in a segment.
fn payloads(segment: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut rest = segment;
    while rest.len() >= HEADER {
        let length = u32::from_le_bytes(rest[4..8].try_into().expect("four bytes"));
        let end = HEADER + length as usize;
        payloads.push(rest[HEADER..end].to_vec());
        rest = &rest[end..];
    }
    payloads
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (0u32.wrapping_sub(crc & 1)));
        }
    }
    !crc
}

/// Frames as the journal's format describes them, around lines that need not be records.
fn framed(lines: &[u8]) -> Bytes {
    numbered(lines, [1, 0, 0])
}

/// The same from an epoch, a segment and a number on.
fn numbered(lines: &[u8], [epoch, part, first]: [u64; 3]) -> Bytes {
    let mut segment = Vec::new();
    let mut previous = Sha256::default();
    for (number, line) in (0..).zip(lines.split(|byte| *byte == b'\n')) {
        let mut frame = b"TJ1\n".to_vec();
        let length = u32::try_from(line.len()).expect("a short line");
        frame.extend(length.to_le_bytes());
        frame.extend([0; 4]);
        for field in [epoch, part, first.wrapping_add(number)] {
            frame.extend(field.to_le_bytes());
        }
        frame.extend(previous.as_bytes());
        frame.extend(line);
        let crc = crc32c(&frame[12..]);
        frame[8..12].copy_from_slice(&crc.to_le_bytes());
        previous = Sha256::of(&frame);
        segment.extend(frame);
    }
    segment.into()
}

/// The findings of a next run; where it refuses the journal, a repair must be the way out.
fn look(segment: Bytes) {
    look_at(
        Position {
            epoch: 1,
            segment: 0,
        },
        segment,
    );
}

fn look_at(at: Position, segment: Bytes) {
    // A journal made to be hard to read is read once.
    let is_small = segment.len() <= LARGEST;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let backend = Arc::new(MemoryBackend::new());
        backend.damage_journal(|journal| drop(journal.insert(at, segment)));
        match Run::look(&*backend).await {
            Ok((state, recovered)) => {
                assert!(recovered.replayed > 0 || state.resources.is_empty());
            }
            Err(error @ RunError::Journal { .. }) => {
                assert!(!error.to_string().is_empty());
                if is_small {
                    repair(&backend).await;
                }
            }
            // A record may speak of a snapshot that is not there.
            Err(RunError::RolledBack { stored: None, .. }) => return,
            Err(error) => panic!("{error}"),
        }
        if is_small {
            go_on(&backend).await;
        }
    });
}

async fn repair(backend: &Arc<MemoryBackend>) {
    let clock = Arc::new(SystemClock::default());
    let repair = Repair::open(backend.clone(), options(), clock, &SystemRandom, &());
    let repair = repair.await.expect("locked");
    assert!(
        repair
            .damage()
            .is_some_and(|damage| !damage.to_string().is_empty())
    );
    let saved = repair.saved();
    repair.restart().await.expect("repaired");
    repair.close().await.expect("unlocked");
    match Run::look(&**backend).await {
        Ok((_, recovered)) => {
            assert_eq!(recovered.replayed, saved.replayed);
            assert_eq!(recovered.open.len(), saved.open.len());
        }
        Err(RunError::RolledBack { stored: None, .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A run over the existing objects.
async fn go_on(backend: &Arc<MemoryBackend>) {
    let clock = Arc::new(SystemClock::default());
    let opened = Run::open(
        backend.clone(),
        options(),
        clock,
        Arc::new(SystemRandom),
        &(),
    )
    .await;
    match opened {
        Ok((run, _)) => drop(run.close().await.expect("closed")),
        Err(RunError::RolledBack { stored: None, .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

impl Target for Segments {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        journal().into_iter().map(Into::into).collect()
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        look(Bytes::copy_from_slice(input));
    }
}

impl Target for Records {
    fn name(&self) -> &'static str {
        "record"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let records: Vec<_> = journal()
            .iter()
            .flat_map(|segment| payloads(segment))
            .collect();
        let whole = records.join(&b'\n');
        records.into_iter().chain([whole]).collect()
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        look(framed(input));
    }
}

impl Target for Counters {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Records.seeds()
    }

    fn judge(&self, input: &[u8], numbers: &mut Numbers) {
        let mut counter = || match numbers.below(4) {
            0 => 0,
            1 => 1,
            2 => numbers.next(),
            _ => u64::MAX - (numbers.next() % 3),
        };
        let counters = [counter(), counter(), counter()];
        let at = Position {
            epoch: counters[0],
            segment: counters[1],
        };
        look_at(at, numbered(input, counters));
    }
}

#[test]
fn counters() {
    run(&Counters);
}

#[test]
fn journals() {
    run(&Segments);
}

#[test]
fn records() {
    run(&Records);
}

#[test]
fn a_frame_made_here_is_one_that_a_run_makes() {
    for segment in journal().first().into_iter() {
        let payloads = payloads(segment);
        assert_eq!(framed(&payloads.join(&b'\n'))[..], segment[..]);
    }
}
