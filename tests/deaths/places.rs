//! Real processes: the engine with its sandbox over gRPC, killed where a place says, judged by the sandbox's ledger on disk.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::Instant;

use terrane_state::crash::{Layer, Point};
use terrane_tests::{Figures, assert_all_passed, aws, in_full};

use crate::mortal::{DEATHS, Death, DeathPlan, MortalStack, Store};

/// The result of one death.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    /// It passed the place at all, and died.
    died: bool,
    /// A later run asked a person.
    asked: bool,
}

/// Lets a run die and later ones finish its operations.
fn judge(case: DeathPlan) -> Judged {
    let (arguments, before): (&[&str], Option<&[&str]>) = if case.replaces {
        let replaced = &["--var", "network=1", "--var", "create_first=true"];
        (replaced, Some(&["--var", "create_first=true"]))
    } else {
        (&[], None)
    };
    let mut stack = MortalStack::new(case.umask, case.store);
    let up: Vec<&str> = ["up", "--yes", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    if let Some(before) = before {
        let mut first = vec!["up", "--yes"];
        first.extend(before);
        let ran = stack.run(&first);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
    let since = stack.lines();
    let ran = stack.die(&up, case);
    let died = ran.code != Some(0);
    stack.nothing_is_lost(&ran.out);
    if ran.code == Some(0) && !matches!(case.death, Death::ProviderKilled) {
        stack.nothing_shows();
        return Judged::default();
    }
    assert!(!died || ran.died_as(case), "{}{}", ran.out, ran.err);
    let mut judged = Judged { died, asked: false };
    let (mut quiet, mut freed) = (0, false);
    loop {
        let ran = stack.run(&up);
        stack.nothing_is_lost(&ran.out);
        match ran.code {
            Some(0) => break,
            // A lock in S3 outlives its holder. The refusal says how it is freed, and frees it once.
            Some(4) if case.store != Store::Local && !freed => {
                let id = ran.lock_to_force().expect("the refusal names the lock");
                let forced = stack.run(&["force-unlock", "--yes", id]);
                assert_eq!(forced.code, Some(0), "LOCK: {}{}", forced.out, forced.err);
                freed = true;
                continue;
            }
            // Somebody has to look, and does.
            Some(3) => {
                judged.asked = true;
                let (known, open) = stack.look();
                let (live, _) = stack.cloud(0);
                let exists = |address: &String| {
                    live.iter()
                        .any(|(id, of)| of == address && !known.contains(id))
                };
                if open.iter().any(exists) {
                    // No person answers: the operation stays unresolved, and the object is never created again.
                    let ran = stack.run(&up);
                    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
                    stack.nothing_is_lost(&ran.out);
                    stack.nothing_is_twice(since);
                    stack.nothing_shows();
                    return judged;
                }
                for address in open {
                    let said = stack.run(&["state", "resolve", &address, "--absent"]);
                    assert_eq!(said.code, Some(0), "{}", said.err);
                }
            }
            code => panic!("CONV: {code:?}\n{}{}", ran.out, ran.err),
        }
        quiet += 1;
        assert!(quiet <= 2, "CONV: {}{}", ran.out, ran.err);
    }
    let preview = stack.run(
        &["preview", "--detailed-exitcode"]
            .iter()
            .chain(arguments)
            .copied()
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        preview.code,
        Some(0),
        "CONV: {}{}",
        preview.out,
        preview.err
    );
    let (live, _) = stack.cloud(since);
    let (known, open) = stack.look();
    assert_eq!(live.into_keys().collect::<BTreeSet<_>>(), known, "ORPH");
    assert!(open.is_empty());
    stack.nothing_is_locked();
    stack.nothing_is_twice(since);
    stack.nothing_is_left();
    stack.nothing_shows();
    judged
}

/// The deaths that happened, and their places, of cases that two threads judge.
fn judge_all(name: &str, cases: &[DeathPlan]) -> BTreeSet<(&'static str, Death)> {
    let started = Instant::now();
    let next = Mutex::new(cases.iter());
    let worker = || {
        let (mut figures, mut died, mut failed) = (Figures::default(), BTreeSet::new(), Vec::new());
        loop {
            let Some(case) = next.lock().expect("not poisoned").next() else {
                return (figures, died, failed);
            };
            figures.schedules += 1;
            match catch_unwind(|| judge(*case)) {
                Ok(judged) => {
                    figures.asked += usize::from(judged.asked);
                    died.extend(judged.died.then_some((case.place, case.death)));
                }
                Err(_) => failed.push(format!("{case:?}")),
            }
        }
    };
    let (mut figures, mut died, mut failed) = (Figures::default(), BTreeSet::new(), Vec::new());
    std::thread::scope(|scope| {
        for worker in [0, 1].map(|_| scope.spawn(worker)) {
            let (its, places, errors) = worker.join().expect("judged panics are caught");
            figures.schedules += its.schedules;
            figures.asked += its.asked;
            died.extend(places);
            failed.extend(errors);
        }
    });
    figures.report(name, started.elapsed());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    died
}

/// The names of the places of a layer.
fn places(layer: Layer) -> impl Iterator<Item = &'static str> {
    let points = Point::ALL.iter().filter(move |it| it.layer() == layer);
    points.map(|point| point.name())
}

/// The addresses in a state, by the command that lists them.
fn listed(stack: &mut MortalStack, elsewhere: &[&str]) -> BTreeSet<String> {
    let ran = stack.run(&[&["state", "list"], elsewhere].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.out.lines().map(str::to_owned).collect()
}

/// The next command of the stack finishes what was announced, and leaves nothing that never arrived.
#[test]
fn a_move_between_states_killed_at_any_place_moves_all_or_nothing() {
    let other = ["--backend", "other.tfstate"];
    let mut passed = BTreeSet::new();
    for point in Point::ALL.iter().filter(|it| it.layer() == Layer::Transfer) {
        let mut stack = MortalStack::new("022", Store::Local);
        let up = stack.run(&["up", "--yes"]);
        assert_eq!(up.code, Some(0), "{}{}", up.out, up.err);
        let before = listed(&mut stack, &[]);
        // What others stand on stays.
        let address = before.iter().next_back().expect("objects").clone();
        // The program declares it no more.
        let fewer = ["--var", "count=1"];
        let to = ["state", "mv", "--to", "other.tfstate", "--yes", &address];
        let moves = [&to[..], &fewer].concat();
        let case = DeathPlan {
            place: point.name(),
            nth: 1,
            death: Death::Kill,
            umask: "022",
            store: Store::Local,
            replaces: false,
            unread: false,
        };
        let ran = stack.die(&moves, case);
        assert!(
            ran.died_as(case),
            "{}: {}{}",
            point.name(),
            ran.out,
            ran.err
        );
        passed.insert(point.name());
        let next = stack.run(&[&["preview", "--lock"][..], &fewer].concat());
        assert_eq!(next.code, Some(0), "{}{}", next.out, next.err);
        let (here, there) = (listed(&mut stack, &[]), listed(&mut stack, &other));
        assert!(
            here.is_disjoint(&there),
            "{}: {here:?} {there:?}",
            point.name()
        );
        assert_eq!(&here | &there, before, "{}", point.name());
        if here.contains(&address) {
            let again = stack.run(&moves);
            assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
        }
        assert_eq!(listed(&mut stack, &other), BTreeSet::from([address]));
        stack.nothing_is_locked();
    }
    assert_all_passed(places(Layer::Transfer), &passed);
}

const UMASKS: [&str; 3] = ["000", "022", "077"];

/// Every place of a local run, for some time of passing it each.
#[test]
fn a_process_killed_at_any_place_loses_no_object_and_shows_no_secret() {
    let points = Point::ALL.iter();
    let points = points.filter(|it| !matches!(it.layer(), Layer::S3 | Layer::Transfer));
    let mut cases = Vec::new();
    for (n, point) in points.enumerate() {
        let case = |nth, death| DeathPlan {
            place: point.name(),
            nth,
            death,
            umask: UMASKS[(n + nth) % UMASKS.len()],
            store: Store::Local,
            replaces: nth % 2 == 0,
            unread: false,
        };
        if in_full().is_some() {
            for nth in 1..=8 {
                cases.extend(DEATHS.map(|death| case(nth, death)));
            }
        } else {
            cases.extend([1, 2].map(|nth| case(nth, DEATHS[(n + 2 * nth) % DEATHS.len()])));
        }
    }
    let died = judge_all("real processes", &cases);
    let passed: BTreeSet<&str> = died.iter().map(|(place, _)| *place).collect();
    assert_all_passed(places(Layer::Local), &passed);
}

/// A run passes its places also when its readers sleep, and is recovered when it dies there.
#[test]
fn a_process_without_readers_gets_as_far_as_any_other() {
    let places = [
        Point::IntentDurable,
        Point::ResultDurable,
        Point::CheckpointStored,
        Point::Closed,
    ];
    let cases = places.map(|point| DeathPlan {
        place: point.name(),
        nth: 1,
        death: Death::Kill,
        umask: UMASKS[1],
        store: Store::Local,
        replaces: false,
        unread: true,
    });
    let died = judge_all("sleeping readers", &cases);
    assert_eq!(died.len(), cases.len());
}

/// Every place of the store in S3 × how the engine dies; locked by both halves where the place lies between them.
#[test]
fn a_process_killed_at_any_place_in_s3_loses_no_object_and_its_lock_can_be_freed() {
    if aws().is_none() {
        return;
    }
    let deaths = [Death::Kill, Death::Abort, Death::Panic];
    let points = Point::ALL.iter().filter(|it| it.layer() == Layer::S3);
    let mut cases = Vec::new();
    for (n, point) in points.enumerate() {
        let between_halves = matches!(point, Point::HalfLocked | Point::HalfUnlocked);
        for (m, death) in deaths.into_iter().enumerate() {
            let case = |nth, store, replaces| DeathPlan {
                place: point.name(),
                nth,
                death,
                umask: UMASKS[(n + m) % UMASKS.len()],
                store,
                replaces,
                unread: false,
            };
            if in_full().is_some() {
                for store in [Store::Table, Store::Lockfile, Store::Both] {
                    for nth in [1, 2] {
                        cases.extend([false, true].map(|replaces| case(nth, store, replaces)));
                    }
                }
            } else {
                let store = if between_halves {
                    Store::Both
                } else {
                    Store::Table
                };
                cases.push(case(1, store, (n + m) % 2 == 1));
            }
        }
    }
    let died = judge_all("real processes, S3", &cases);
    for death in deaths {
        let passed = died.iter().filter(|(_, of)| *of == death);
        let passed: BTreeSet<&str> = passed.map(|(place, _)| *place).collect();
        assert_all_passed(places(Layer::S3), &passed);
    }
}
