//! Plays one schedule: a run with its deaths, then runs until nothing is left to do; judged after each.

use std::sync::Arc;

use terrane_core::Program;
use terrane_engine::Unresolved;
use terrane_state::model::RawJson;
use terrane_state::{
    Backend as _, Clock as _, DeposedKey, Instance, Object, Random as _, Recorder as _, Resolution,
    Resolve, Run, RunError,
};

use crate::executor::{End, Life, drive};
use crate::judge;
use crate::life::{Outcome, Verb, live, open, open_repair, rival};
use crate::program::program;
use crate::schedule::{Answers, Schedule};
use crate::world::World;

/// Runs after the last death until nothing is left to do.
const RUNS: usize = 2;

/// What a schedule was like.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// Every place that was passed, a list a run.
    pub(crate) traces: Vec<Vec<&'static str>>,
    /// How often a run waited for a person.
    pub(crate) flagged: usize,
    /// How many runs there were.
    pub(crate) runs: usize,
}

/// A world with what schedules find at first.
pub(crate) fn prepared(schedule: &Schedule) -> Arc<World> {
    let before = &schedule.before;
    let world = World::new(Schedule::new(Vec::new(), before.clone()));
    if !before.is_empty() {
        let program = program(before, schedule.tagged);
        match run(&world, None, Verb::Up, &program).0 {
            End::Returned(Outcome::Applied { applied, .. }) if applied.failed == 0 => {}
            other => panic!("the world can not be prepared: {other:?}"),
        }
    }
    world
}

/// Plays it in a world that was prepared for it.
///
/// # Panics
/// When something does not hold that must.
pub(crate) fn play(schedule: &Schedule, prepared: &World) -> Played {
    let world = World::like(prepared, schedule.clone());
    Player {
        first: world.cloud.ledger().len(),
        verb: match schedule.after.is_empty() {
            true => Verb::Destroy,
            false => Verb::Up,
        },
        // What is destroyed is not declared less.
        program: match schedule.after.is_empty() {
            true => program(&schedule.before, schedule.tagged),
            false => program(&schedule.after, schedule.tagged),
        },
        world,
        played: Played::default(),
    }
    .play()
}

struct Player {
    world: Arc<World>,
    program: Program,
    verb: Verb,
    /// How many lines the ledger had.
    first: usize,
    played: Played,
}

/// One run with those beside it; how it ended, and how they did.
fn run(
    world: &Arc<World>,
    number: Option<usize>,
    verb: Verb,
    program: &Program,
) -> (End<Outcome>, Vec<End<Outcome>>) {
    let process = world.begin(number);
    let mut lives: Vec<(usize, Life<'_, Outcome>)> = vec![(
        process,
        Box::pin(live(world.clone(), process, verb, program)),
    )];
    let rivals = world.schedule.rivals.iter();
    for other in rivals.filter(|rival| Some(rival.run) == number) {
        let beside = world.begin(None);
        let life = rival(world.clone(), beside, process, *other, verb, program);
        lives.push((beside, Box::pin(life)));
    }
    let processes: Vec<usize> = lives.iter().map(|(process, _)| *process).collect();
    let mut ends = drive(world, lives);
    // Providers die with their engines; what the cloud has heard may still take place.
    let now = world.time.monotonic();
    for process in processes {
        world.cloud.abandon(process, world.schedule.late, now);
    }
    let first = ends.remove(0);
    (first, ends)
}

impl Player {
    fn play(mut self) -> Played {
        let last_disturbed = self.world.schedule.last_disturbed();
        // Of what nothing goes wrong in any more.
        let mut quiet = 0;
        let mut waited = false;
        for number in 0.. {
            let (end, beside) = run(&self.world, Some(number), self.verb, &self.program);
            self.played.runs += 1 + beside.len();
            self.break_lock();
            self.repair();
            judge::nothing_is_lost(&self.world);
            let disturbed = last_disturbed.is_some_and(|last| number <= last);
            match end {
                End::Died(_) => {}
                End::Returned(Outcome::Applied {
                    remaining,
                    unchanged,
                    applied,
                }) => {
                    // What waits for a person may be in the way of something else.
                    assert!(
                        disturbed || !remaining.is_empty() || applied.failed == 0,
                        "a run failed for no reason: {}",
                        applied.diagnostics
                    );
                    if !remaining.is_empty() {
                        self.wait();
                        // What is tagged shows by itself, or proves to be absent, once nobody can be at it any more.
                        if self.world.schedule.tagged && !std::mem::replace(&mut waited, true) {
                            continue;
                        }
                        self.played.flagged += remaining.len();
                        judge::nothing_is_lost(&self.world);
                        if self.world.schedule.answers == Answers::Nobody {
                            self.nothing_is_twice();
                            return self.end();
                        }
                        self.answer(&remaining);
                        continue;
                    }
                    if unchanged && !disturbed {
                        if self.world.cloud.is_idle() {
                            break;
                        }
                        self.wait();
                        continue;
                    }
                }
                End::Returned(Outcome::Failed(error)) => {
                    assert!(disturbed, "a run failed for no reason: {error:?}");
                }
                End::Returned(Outcome::Unplanned(why)) => {
                    assert!(disturbed, "a run has no plan for no reason: {why}");
                }
            }
            if !disturbed {
                quiet += 1;
                assert!(quiet <= RUNS, "CONV: it does not converge");
            }
        }
        judge::all_is_well(&self.world);
        self.nothing_is_twice();
        self.end()
    }

    /// The lock of a run that is no more: whoever comes next can see whose it is, and break it.
    fn break_lock(&self) {
        if let Some(holder) = now(self.world.store.holder()).expect("readable") {
            let info = holder.info.expect("LOCK: it says whose it is");
            assert_eq!(info.who, "me@here");
            now(self.world.store.force_unlock(&info.id)).expect("LOCK: it can be broken");
            self.world.freed_lock();
        }
    }

    /// A damaged journal is refused, and a person repairs it; a whole one is left as it is.
    fn repair(&self) {
        let refused = match now(Run::look(&self.world.store)) {
            Err(RunError::Journal { .. }) => true,
            Ok(_) => false,
            Err(error) => panic!("READ: the state cannot be read: {error:?}"),
        };
        let process = self.world.begin(None);
        let world = &self.world;
        let repairing = async {
            let repair = open_repair(world).await.expect("locked");
            assert_eq!(repair.damage().is_some(), refused);
            let copy = repair.restart().await.expect("repaired");
            assert_eq!(copy.is_some(), refused);
            repair.close().await.expect("unlocked");
        };
        if refused {
            let ends = drive(world, vec![(process, Box::pin(repairing))]);
            assert_eq!(ends, [End::Returned(())]);
        }
    }

    fn end(mut self) -> Played {
        self.played.traces = self.world.traces();
        self.played
    }

    /// A person comes when all has come down that ever will.
    fn wait(&self) {
        let late = self.world.time.monotonic() + std::time::Duration::from_secs(3 * 3600);
        self.world.time.advance(late);
        self.world.cloud.land(late);
    }

    /// Each address was made as often as the program asks for.
    fn nothing_is_twice(&self) {
        let schedule = &self.world.schedule;
        for (address, times) in judge::creations(&self.world, self.first) {
            let after = schedule.after.iter().find(|it| it.address() == address);
            assert!(
                after.is_some_and(|after| after.is_made(&schedule.before, &schedule.after)),
                "DUP: {address} was made, and nobody asked for it"
            );
            assert_eq!(times, 1, "DUP: {address} was made {times} times");
        }
    }

    /// Says the truth about operations that nobody saw the end of.
    fn answer(&self, remaining: &[Unresolved]) {
        let process = self.world.begin(None);
        let world = &self.world;
        let answering = async {
            let (run, _) = open_again(world).await;
            for Unresolved { open, .. } in remaining {
                let address = &open.intent.address;
                let made = judge::unknown(world, &run.state())
                    .into_iter()
                    .find(|object| object.address == address.to_string());
                let mut instance = run.instance(address);
                if let Some(made) = &made {
                    let attributes = RawJson::new(&made.json).expect("JSON");
                    let current = Arc::new(Object::new(schema_version(address), attributes));
                    let before = instance.map(|instance| instance.as_ref().clone());
                    let mut after = before.unwrap_or_else(|| Instance {
                        provider: open.intent.provider.clone(),
                        current: None,
                        deposed: Default::default(),
                    });
                    // What it was to take the place of is still there, and has to go.
                    if let Some(old) = after.current.replace(current) {
                        let key = DeposedKey::from_bits(world.dice.bits());
                        after.deposed.insert(key, old);
                    }
                    instance = Some(Arc::new(after));
                }
                run.resolve(Resolve {
                    op: open.intent.op,
                    how: match &made {
                        Some(made) => Resolution::Adopted {
                            id: made.id.clone(),
                        },
                        None => Resolution::Absent,
                    },
                    evidence: "looked".to_owned(),
                    who: "me@here".to_owned(),
                    address: address.clone(),
                    changes_state: made.is_some(),
                    instance,
                })
                .await
                .expect("recorded");
            }
            run.close().await.expect("closed");
        };
        let ends = drive(world, vec![(process, Box::pin(answering))]);
        assert_eq!(ends, [End::Returned(())]);
    }
}

async fn open_again(world: &Arc<World>) -> (terrane_state::Run, terrane_state::Recovered) {
    open(world).await.expect("opened")
}

fn schema_version(address: &terrane_core::addr::InstanceAddr) -> u64 {
    let schemas = &crate::cloud::types().schema().resources;
    schemas[&*address.resource.type_name].version
}

fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("memory never waits")
}
