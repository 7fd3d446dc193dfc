//! Every place, every death, every late operation, for every kind of plan; then death again in the recovery from it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use terrane_state::crash::{Layer, Point};
use terrane_tests::{Figures, assert_all_passed, in_full};

use crate::play::{Played, play, prepared};
use crate::program::Thing;
use crate::schedule::{Answers, DEATHS, Event, LATES, Late, Schedule, What, faults};
use crate::simulation::Simulation;

/// Plays a schedule; the failed check, if one fails.
pub(crate) fn judged(schedule: &Schedule, simulation: &Simulation) -> Result<Played, String> {
    catch_unwind(AssertUnwindSafe(|| play(schedule, simulation))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.unwrap_or_else(|| "a panic without words".to_owned())
    })
}

/// The results of a set of schedules.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) schedules: usize,
    /// In how many of them a person was asked.
    pub(crate) flagged: usize,
    /// The failed ones, and why.
    pub(crate) failed: Vec<(Schedule, String)>,
    pub(crate) passed: BTreeSet<&'static str>,
}

impl Tally {
    /// Plays one more.
    pub(crate) fn add(&mut self, schedule: &Schedule, simulation: &Simulation) -> Option<Played> {
        self.schedules += 1;
        match judged(schedule, simulation) {
            Ok(played) => {
                self.flagged += usize::from(played.flagged > 0);
                self.passed.extend(played.traces.iter().flatten());
                Some(played)
            }
            Err(why) => {
                self.failed.push((schedule.clone(), why));
                None
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.flagged += other.flagged;
        self.failed.extend(other.failed);
        self.passed.extend(other.passed);
    }
}

/// The six kinds of plan, the first also with objects that can be found again.
fn plans(count: usize) -> Vec<(&'static str, Schedule)> {
    let chain = |change: &dyn Fn(Thing) -> Thing| -> Vec<Thing> {
        let names: Vec<String> = (0..count).map(|n| format!("v{n}")).collect();
        let things = names.iter().enumerate().map(|(n, name)| {
            let thing = Thing::vpc(name);
            // Half of them wait for another.
            change(if n % 2 == 1 {
                thing.after(&names[n - 1])
            } else {
                thing
            })
        });
        things.collect()
    };
    let as_is = chain(&|thing| thing);
    let create_first = |thing: Thing| thing.create_first();
    let before_mixed = vec![
        Thing::vpc("kept"),
        Thing::vpc("changed"),
        Thing::vpc("moved"),
        Thing::vpc("swapped").create_first(),
        Thing::vpc("gone").after("kept"),
        Thing::subnet("inside", "moved"),
    ];
    let after_mixed = vec![
        Thing::vpc("kept"),
        Thing::vpc("changed").version(2),
        Thing::vpc("moved").network(1),
        Thing::vpc("swapped").create_first().network(1),
        Thing::vpc("new").after("kept"),
        Thing::subnet("inside", "moved"),
    ];
    vec![
        ("create", Schedule::new(Vec::new(), as_is.clone())),
        (
            "create, tagged",
            Schedule {
                tagged: true,
                ..Schedule::new(Vec::new(), as_is.clone())
            },
        ),
        (
            "update",
            Schedule::new(as_is.clone(), chain(&|thing| thing.version(2))),
        ),
        (
            "replace, delete first",
            Schedule::new(as_is.clone(), chain(&|thing| thing.network(1))),
        ),
        (
            "replace, create first",
            Schedule::new(
                chain(&create_first),
                chain(&|thing| create_first(thing).network(1)),
            ),
        ),
        ("destroy", Schedule::new(as_is, Vec::new())),
        ("mixed", Schedule::new(before_mixed, after_mixed)),
    ]
}

/// Which place is passed for which time, in the order of a trace.
pub(crate) fn moments(trace: &[&'static str]) -> Vec<(&'static str, usize)> {
    let mut passed: BTreeMap<&'static str, usize> = BTreeMap::new();
    let count = |&place: &&'static str| {
        let nth = passed.entry(place).or_default();
        *nth += 1;
        (place, *nth)
    };
    trace.iter().map(count).collect()
}

/// Every death and every fault at every place that a plan passes.
fn deaths(plan: &Schedule, simulation: &Simulation) -> Vec<Schedule> {
    let quiet = judged(plan, simulation).unwrap_or_else(|why| panic!("{why}\n{plan}"));
    let mut schedules = Vec::new();
    for (place, nth) in moments(&quiet.traces[0]) {
        let schedule = |what, late| Schedule {
            events: vec![Event {
                run: 0,
                place,
                nth,
                what,
            }],
            late,
            ..plan.clone()
        };
        for fault in faults(place) {
            schedules.push(schedule(What::Fault(*fault), Late::Never));
        }
        // The stored records are the same at the places around it.
        if place == "store.append.asked" {
            schedules.push(schedule(What::Garbles, Late::Never));
        }
        // Only there is something asked of the cloud and not begun.
        let under_way = place == "cloud.asked";
        for what in DEATHS {
            // A provider without an engine makes a difference only to its requests.
            if what == What::BothDie && !under_way {
                continue;
            }
            for late in LATES {
                let possible = match what {
                    _ if !under_way => late == Late::Never,
                    // A provider that lives on completes its requests.
                    What::EngineDies | What::Panic => late != Late::Never,
                    _ => true,
                };
                if possible {
                    schedules.push(schedule(what, late));
                }
            }
        }
    }
    schedules
}

/// The same once more without answers, where a person was asked.
fn with_and_without_answers(
    tally: &mut Tally,
    schedule: &Schedule,
    simulation: &Simulation,
) -> Option<Played> {
    let played = tally.add(schedule, simulation)?;
    if played.flagged > 0 {
        let silent = Schedule {
            answers: Answers::Nobody,
            ..schedule.clone()
        };
        tally.add(&silent, simulation);
    }
    Some(played)
}

/// Works through a list on every core.
pub(crate) fn on_every_core<T: Sync>(work: &[T], each: impl Fn(&mut Tally, &T) + Sync) -> Tally {
    let next = Mutex::new(work.iter());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let worker = || {
            let mut tally = Tally::default();
            loop {
                let item = next.lock().expect("not poisoned").next();
                let Some(item) = item else { return tally };
                each(&mut tally, item);
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let mut all = Tally::default();
        for worker in workers {
            all.join(worker.join().expect("judged panics are caught"));
        }
        all
    })
}

/// Fails with the failed schedules, if there are any.
#[track_caller]
pub(crate) fn assert_nothing_failed(tally: &Tally) {
    const SHOWN: usize = 5;
    let shown = tally.failed.iter().take(SHOWN);
    let shown: Vec<String> = shown
        .map(|(schedule, why)| format!("{why}\n{schedule}"))
        .collect();
    assert!(
        shown.is_empty(),
        "{} of {} schedules failed\n{}",
        tally.failed.len(),
        tally.schedules,
        shown.join("\n")
    );
}

/// The figures of a set, for people.
pub(crate) fn report(name: &str, tally: &Tally, took: Duration) {
    let figures = Figures {
        schedules: tally.schedules,
        asked: tally.flagged,
    };
    figures.report(name, took);
}

/// The names of the places of a layer.
fn places(layer: Layer) -> impl Iterator<Item = &'static str> {
    let points = Point::ALL.iter().filter(move |it| it.layer() == layer);
    points.map(|point| point.name())
}

#[test]
fn every_death_at_every_place_loses_no_object_and_creates_none_twice() {
    let mut all = Tally::default();
    let count = if in_full().is_some() { 20 } else { 2 };
    for (name, plan) in plans(count) {
        let started = Instant::now();
        let simulation = prepared(&plan);
        let tally = on_every_core(&deaths(&plan, &simulation), |tally, schedule| {
            with_and_without_answers(tally, schedule, &simulation);
        });
        report(name, &tally, started.elapsed());
        all.join(tally);
    }
    assert_nothing_failed(&all);
    assert_all_passed(places(Layer::Run), &all.passed);
}
