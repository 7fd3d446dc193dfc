//! A fleet on many machines: every stack is brought up by the machine of its shard, in order, through deaths; nothing is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::Location;
use terrane_fleet::{
    Dependency, Direction, Order, Schedule as StackSchedule, Selection, Shard, StackEnd, StackId,
};
use terrane_tests::Dice;

use crate::exhaustive::{Tally, judged, on_every_core};
use crate::play::prepared;
use crate::program::Thing;
use crate::schedule::{ANY, Answers, DEATHS, Event, LATES, Schedule};

/// Machines.
const SHARDS: usize = 16;
/// Stacks, and resources of each, in every run of the tests.
const SMALL: (usize, usize) = (48, 6);
/// Resources of each stack in the long run, whose stacks `TERRANE_FLEET_STACKS` counts.
const RESOURCES: usize = 50;

/// Stacks of which some use others: a network with two clusters, and one alone, again and again.
fn order(stacks: usize) -> Order {
    let stacks = (0..stacks).map(|number| {
        let producers = match number % 4 {
            1 | 2 => vec![Dependency {
                producer: format!("s{}", number - number % 4).into(),
                location: Location::caller(),
            }],
            _ => Vec::new(),
        };
        (Arc::from(format!("s{number}")), producers)
    });
    Order::new(stacks.collect()).expect("no circle")
}

/// The life of one stack: its resources come into being, through deaths at random places of its first runs.
fn life(seed: u64, resources: usize) -> Schedule {
    let dice = Dice::new(seed);
    let things = (0..resources).map(|n| match n % 5 {
        0 => Thing::vpc(format!("v{n}")),
        _ => Thing::subnet(format!("s{n}"), &format!("v{}", n - n % 5)),
    });
    let places = 12 * resources + 25;
    // One machine in three dies, and some of those that come after it.
    let deaths = match dice.below(3) {
        0 => 1 + dice.below(3),
        _ => 0,
    };
    let events = (0..deaths).map(|run| Event {
        run,
        place: ANY,
        nth: 1 + dice.below(places),
        what: *dice.pick(&DEATHS),
    });
    let events = events.collect();
    Schedule {
        seed,
        tagged: true,
        parallelism: 1 + dice.below(10),
        late: *dice.pick(&LATES),
        answers: Answers::Truth,
        events,
        ..Schedule::new(Vec::new(), things.collect())
    }
}

/// What one machine did.
#[derive(Debug, Default)]
struct Machine {
    /// The stacks that it brought up, in order.
    done: Vec<StackId>,
    runs: usize,
    deaths: usize,
}

/// Brings up the stacks of a shard, one after the other, each through its deaths until nothing is left to do.
fn machine(
    order: &Order,
    chosen: &BTreeSet<StackId>,
    resources: usize,
    tally: &mut Tally,
) -> Machine {
    let mut machine = Machine::default();
    let mut schedule = StackSchedule::new(order, chosen, Direction::ProducersFirst, 1);
    while let Some(id) = schedule.begin() {
        let seed = order.name(id)[1..].parse().expect("a number");
        let life = life(seed, resources);
        let simulation = prepared(&life);
        tally.schedules += 1;
        match judged(&life, &simulation) {
            Ok(played) => {
                machine.runs += played.runs;
                machine.deaths += life.events.len();
                tally.flagged += usize::from(played.flagged > 0);
                machine.done.push(id);
                schedule.end(id, StackEnd::Done);
            }
            Err(why) => {
                tally.failed.push((life, why));
                schedule.end(id, StackEnd::Failed);
            }
        }
    }
    machine
}

#[test]
#[expect(clippy::print_stdout, reason = "figures of a test are read by people")]
fn a_fleet_on_many_machines_that_die_comes_up_whole_and_nothing_is_lost() {
    let (stacks, resources) = match terrane_tests::number_in("TERRANE_FLEET_STACKS") {
        Some(0) | None => SMALL,
        Some(stacks) => (usize::try_from(stacks).expect("small"), RESOURCES),
    };
    let started = Instant::now();
    let order = order(stacks);
    let shards: Vec<Shard> = (1..=SHARDS)
        .map(|index| Shard {
            index,
            count: SHARDS,
        })
        .collect();
    let machines = std::sync::Mutex::new(Vec::new());
    let tally = on_every_core(&shards, |tally: &mut Tally, &shard| {
        let selection = Selection {
            shard: Some(shard),
            ..Selection::default()
        };
        let chosen = selection.of(&order).expect("a selection");
        let machine = machine(&order, &chosen, resources, tally);
        machines.lock().expect("no panic").push(machine);
    });
    crate::exhaustive::assert_nothing_failed(&tally);
    let machines = machines.into_inner().expect("no panic");
    let mut done: Vec<StackId> = machines.iter().flat_map(|it| it.done.clone()).collect();
    for machine in &machines {
        for (place, &id) in machine.done.iter().enumerate() {
            let before = &machine.done[..place];
            assert!(
                order
                    .producers(id)
                    .iter()
                    .all(|producer| before.contains(producer))
            );
        }
    }
    done.sort_unstable();
    let all: Vec<StackId> = order.ids().collect();
    assert_eq!(done, all, "every stack was brought up by one machine");
    let most = machines.iter().map(|it| it.done.len()).max().unwrap_or(0);
    assert!(
        most <= stacks.div_ceil(SHARDS) + 2,
        "{most} stacks on one machine"
    );
    let (runs, deaths) = machines.iter().fold((0, 0), |(runs, deaths), it| {
        (runs + it.runs, deaths + it.deaths)
    });
    println!(
        "fleet: {stacks} stacks of {resources} resources on {SHARDS} machines, at most {most} on one: {runs} runs, {deaths} deaths, {} \
         stacks asked a person, 0 lost, in {:.0?}",
        tally.flagged,
        started.elapsed()
    );
    assert!(deaths > 0 && runs > stacks);
}
