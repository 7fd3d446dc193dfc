//! Runs that slept through the breaking of their lock, and runs that race for it.

use crate::exhaustive::{Tally, assert_nothing_failed, judged, moments, on_every_core, report};
use crate::play::prepared;
use crate::program::Thing;
use crate::schedule::{Begins, Event, Rival, Schedule, What};

fn change() -> Schedule {
    let before = vec![Thing::vpc("kept"), Thing::vpc("moved"), Thing::vpc("gone")];
    let after = vec![
        Thing::vpc("kept").version(2),
        Thing::vpc("moved").network(1).create_first(),
        Thing::vpc("new"),
    ];
    Schedule::new(before, after)
}

#[test]
fn a_run_that_slept_while_another_took_over_begins_nothing_and_writes_nothing() {
    let started = std::time::Instant::now();
    let plan = change();
    let simulation = prepared(&plan);
    let quiet = judged(&plan, &simulation).unwrap_or_else(|why| panic!("{why}\n{plan}"));
    let mut schedules = Vec::new();
    for (place, nth) in moments(&quiet.traces[0]) {
        for parallelism in [1, 4] {
            let thieves = [1, 2].map(|count| {
                vec![
                    Rival {
                        run: 0,
                        steals: true,
                        begins: Begins::WhenItSleeps,
                    };
                    count
                ]
            });
            for rivals in thieves {
                schedules.push(Schedule {
                    events: vec![Event {
                        run: 0,
                        place,
                        nth,
                        what: What::Sleeps,
                    }],
                    // A second one takes over from the first, which is awake.
                    rivals: rivals
                        .into_iter()
                        .enumerate()
                        .map(|(n, rival)| match n {
                            0 => rival,
                            _ => Rival {
                                begins: Begins::After(400),
                                ..rival
                            },
                        })
                        .collect(),
                    parallelism,
                    ..plan.clone()
                });
            }
        }
    }
    let tally = on_every_core(&schedules, |tally: &mut Tally, schedule| {
        tally.add(schedule, &simulation);
    });
    report("stale holders", &tally, started.elapsed());
    assert_nothing_failed(&tally);
}

#[test]
fn of_runs_that_race_for_the_lock_one_has_it() {
    let started = std::time::Instant::now();
    let plan = change();
    let simulation = prepared(&plan);
    let schedules: Vec<Schedule> = (0..300)
        .map(|seed| Schedule {
            seed,
            rivals: (0..1 + seed % 3)
                .map(|n| Rival {
                    run: 0,
                    steals: seed % 5 == 4,
                    begins: Begins::After(u16::try_from(seed * n % 97).expect("small")),
                })
                .collect(),
            ..plan.clone()
        })
        .collect();
    let tally = on_every_core(&schedules, |tally: &mut Tally, schedule| {
        tally.add(schedule, &simulation);
    });
    report("lock races", &tally, started.elapsed());
    assert_nothing_failed(&tally);
}
