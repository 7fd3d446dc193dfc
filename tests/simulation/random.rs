//! Schedules from seeds: random programs, deaths, faults and rivals; a failing one is shrunk before it is shown.

use std::time::Instant;

use crate::exhaustive::{Tally, judged, on_every_core, report};
use crate::play::prepared;
use crate::program::Thing;
use crate::schedule::{
    ANY, ANY_REQUEST, Answers, Begins, DEATHS, Event, FAULTS, LATES, Rival, Schedule, What,
};
use terrane_tests::Dice;

/// Schedules in every run of the tests.
const SCHEDULES: u64 = 2_000;

/// The schedule of a seed.
fn schedule(seed: u64) -> Schedule {
    let dice = Dice::new(seed);
    // Small ones find most; some are large.
    let count = match dice.below(100) {
        0 => 21 + dice.below(40),
        1..=9 => 6 + dice.below(15),
        _ => 1 + dice.below(5),
    };
    let before = match dice.below(3) {
        0 => Vec::new(),
        _ => things(&dice, count),
    };
    let after = match dice.below(6) {
        0 if !before.is_empty() => Vec::new(),
        _ if before.is_empty() => things(&dice, count),
        _ => changed(&dice, &before, count),
    };
    let places = 12 * count + 25;
    let mut events = Vec::new();
    for run in 0..dice.below(5) {
        events.push(Event {
            run,
            place: ANY,
            nth: 1 + dice.below(places),
            what: *dice.pick(&DEATHS),
        });
    }
    for _ in 0..dice.below(7) {
        events.push(Event {
            run: dice.below(3),
            place: ANY_REQUEST,
            nth: 1 + dice.below(places / 2),
            what: What::Fault(*dice.pick(&FAULTS)),
        });
    }
    let rivals = (0..dice.below(6).saturating_sub(3)).map(|_| Rival {
        run: dice.below(2),
        steals: dice.below(2) == 0,
        begins: Begins::After(u16::try_from(dice.below(3_000)).expect("small")),
    });
    if dice.below(6) == 0 {
        events.push(Event {
            run: dice.below(3),
            place: ANY,
            nth: 1 + dice.below(places),
            what: What::Garbles,
        });
    }
    Schedule {
        seed,
        rivals: rivals.collect(),
        tagged: dice.below(2) == 0,
        parallelism: 1 + dice.below(16),
        late: *dice.pick(&LATES),
        answers: *dice.pick(&[Answers::Truth, Answers::Truth, Answers::Nobody]),
        events,
        ..Schedule::new(before, after)
    }
}

/// That many VPCs and subnets that wait for some of those before them.
fn things(dice: &Dice, count: usize) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    for n in 0..count {
        let vpcs: Vec<String> = things
            .iter()
            .filter(|thing| thing.inside.is_none())
            .map(|thing| thing.name.clone())
            .collect();
        let mut thing = match dice.below(3) {
            0 if !vpcs.is_empty() => Thing::subnet(format!("s{n}"), &vpcs[dice.below(vpcs.len())]),
            _ => Thing::vpc(format!("v{n}")),
        };
        if dice.below(4) == 0 {
            thing = thing.create_first();
        }
        for _ in 0..dice.below(3) {
            if let Some(needed) = things.get(dice.below(count)) {
                thing = thing.after(&needed.name);
            }
        }
        thing.after.sort();
        thing.after.dedup();
        things.push(thing);
    }
    things
}

/// The same, some changed, some gone, some new.
fn changed(dice: &Dice, before: &[Thing], count: usize) -> Vec<Thing> {
    let mut after: Vec<Thing> = Vec::new();
    for thing in before {
        let mut thing = thing.clone();
        match dice.below(6) {
            0 => thing.version = 2,
            1 if thing.inside.is_none() => thing.network = 1,
            2 => continue,
            _ => {}
        }
        // Its dependencies may be gone.
        let there = |name: &String| after.iter().any(|other| other.name == *name);
        thing.after.retain(there);
        if thing.inside.as_ref().is_none_or(there) {
            after.push(thing);
        }
    }
    for n in 0..dice.below(3) {
        after.push(Thing::vpc(format!("n{}", count + n)));
    }
    after
}

/// Plays the schedule of a seed; the failed check, if one fails.
fn failure(schedule: &Schedule) -> Option<String> {
    judged(schedule, &prepared(schedule)).err()
}

/// The smallest schedule that fails like this one, as far as leaving things out leads.
fn shrunk(mut schedule: Schedule, why: &str) -> (Schedule, String) {
    let mut why = why.to_owned();
    let kind = |why: &str| why.split(':').next().unwrap_or_default().to_owned();
    loop {
        let smaller = smaller(&schedule).into_iter().find_map(|smaller| {
            let found = failure(&smaller)?;
            (kind(&found) == kind(&why)).then_some((smaller, found))
        });
        match smaller {
            Some((smaller, found)) => (schedule, why) = (smaller, found),
            None => return (schedule, why),
        }
    }
}

/// Schedules with one thing less.
fn smaller(schedule: &Schedule) -> Vec<Schedule> {
    let mut smaller = Vec::new();
    let mut leave_out = |change: &dyn Fn(&mut Schedule)| {
        let mut less = schedule.clone();
        change(&mut less);
        smaller.push(less);
    };
    for n in 0..schedule.events.len() {
        leave_out(&|less| {
            less.events.remove(n);
        });
    }
    for n in 0..schedule.rivals.len() {
        leave_out(&|less| {
            less.rivals.remove(n);
        });
    }
    if schedule.parallelism > 1 {
        leave_out(&|less| less.parallelism /= 2);
    }
    let mut names: Vec<&String> = (schedule.before.iter().chain(&schedule.after))
        .map(|thing| &thing.name)
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        leave_out(&|less| {
            for things in [&mut less.before, &mut less.after] {
                things.retain(|it| it.name != *name && it.inside.as_ref() != Some(name));
                let there: Vec<String> = things.iter().map(|it| it.name.clone()).collect();
                for thing in things {
                    thing.after.retain(|needed| there.contains(needed));
                }
            }
        });
    }
    // With nothing before and nothing after there is no run.
    smaller.retain(|less| !less.before.is_empty() || !less.after.is_empty());
    smaller
}

/// Plays the schedules of seeds; fails with the smallest one that shows the fault.
fn explore(seeds: std::ops::Range<u64>) {
    let started = Instant::now();
    let seeds: Vec<u64> = seeds.collect();
    let tally = on_every_core(&seeds, |tally: &mut Tally, &seed| {
        let schedule = schedule(seed);
        let simulation = prepared(&schedule);
        tally.add(&schedule, &simulation);
    });
    report("random", &tally, started.elapsed());
    let Some((schedule, why)) = tally.failed.first() else {
        return;
    };
    let (small, why) = shrunk(schedule.clone(), why);
    panic!(
        "{} of {} schedules failed; TERRANE_SIMULATION_SEED={} made small:\n{why}\n{small}",
        tally.failed.len(),
        tally.schedules,
        schedule.seed,
    );
}

#[test]
fn random_schedules_lose_no_object_and_create_none_twice() {
    match terrane_tests::number_in("TERRANE_SIMULATION_SEED") {
        Some(seed) => explore(seed..seed + 1),
        None => explore(0..terrane_tests::in_full().unwrap_or(SCHEDULES)),
    }
}

#[test]
fn a_seed_replays_its_schedule_step_by_step() {
    for seed in 0..20 {
        let schedule = schedule(seed);
        let play = || {
            judged(&schedule, &prepared(&schedule))
                .unwrap_or_else(|why| panic!("{why}\n{schedule}"))
                .traces
        };
        assert_eq!(play(), play(), "{schedule}");
    }
}
