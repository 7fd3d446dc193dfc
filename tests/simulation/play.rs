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
use crate::life::{RunEnd, Verb, live, open, open_repair, rival};
use crate::program::program;
use crate::schedule::{Answers, Schedule};
use crate::simulation::Simulation;

/// Runs after the last death until nothing is left to do.
const RUNS: usize = 2;

/// The course of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// Every place that was passed, a list a run.
    pub(crate) traces: Vec<Vec<&'static str>>,
    /// How often a run waited for a person.
    pub(crate) flagged: usize,
    /// How many runs there were.
    pub(crate) runs: usize,
}

/// A simulation with the objects that schedules begin with.
pub(crate) fn prepared(schedule: &Schedule) -> Arc<Simulation> {
    let before = &schedule.before;
    let simulation = Simulation::new(Schedule::new(Vec::new(), before.clone()));
    if !before.is_empty() {
        let program = program(before, schedule.tagged);
        match run(&simulation, None, Verb::Up, &program).0 {
            End::Returned(RunEnd::Applied { applied, .. }) if applied.failed == 0 => {}
            other => panic!("the simulation cannot be prepared: {other:?}"),
        }
    }
    simulation
}

/// Plays it in a simulation that was prepared for it.
///
/// # Panics
/// When something does not hold that must.
pub(crate) fn play(schedule: &Schedule, prepared: &Simulation) -> Played {
    let simulation = Simulation::like(prepared, schedule.clone());
    Player {
        first: simulation.cloud.ledger().len(),
        verb: match schedule.after.is_empty() {
            true => Verb::Destroy,
            false => Verb::Up,
        },
        // A destroyed object is declared all the same.
        program: match schedule.after.is_empty() {
            true => program(&schedule.before, schedule.tagged),
            false => program(&schedule.after, schedule.tagged),
        },
        simulation,
        played: Played::default(),
    }
    .play()
}

struct Player {
    simulation: Arc<Simulation>,
    program: Program,
    verb: Verb,
    /// How many lines the ledger had.
    first: usize,
    played: Played,
}

/// One run with those beside it; how it ended, and how they did.
fn run(
    simulation: &Arc<Simulation>,
    number: Option<usize>,
    verb: Verb,
    program: &Program,
) -> (End<RunEnd>, Vec<End<RunEnd>>) {
    let process = simulation.begin(number);
    let mut lives: Vec<(usize, Life<'_, RunEnd>)> = vec![(
        process,
        Box::pin(live(simulation.clone(), process, verb, program)),
    )];
    let rivals = simulation.schedule.rivals.iter();
    for other in rivals.filter(|rival| Some(rival.run) == number) {
        let beside = simulation.begin(None);
        let life = rival(simulation.clone(), beside, process, *other, verb, program);
        lives.push((beside, Box::pin(life)));
    }
    let processes: Vec<usize> = lives.iter().map(|(process, _)| *process).collect();
    let mut ends = drive(simulation, lives);
    // Providers die with their engines; a request that the cloud has received may still take effect.
    let now = simulation.time.monotonic();
    for process in processes {
        simulation
            .cloud
            .abandon(process, simulation.schedule.late, now);
    }
    let first = ends.remove(0);
    (first, ends)
}

impl Player {
    fn play(mut self) -> Played {
        let last_disturbed = self.simulation.schedule.last_disturbed();
        // From here on nothing goes wrong.
        let mut quiet = 0;
        let mut waited = false;
        for number in 0.. {
            let (end, beside) = run(&self.simulation, Some(number), self.verb, &self.program);
            self.played.runs += 1 + beside.len();
            self.break_lock();
            self.repair();
            judge::nothing_is_lost(&self.simulation);
            let disturbed = last_disturbed.is_some_and(|last| number <= last);
            match end {
                End::Died(_) => {}
                End::Returned(RunEnd::Applied {
                    remaining,
                    unchanged,
                    applied,
                }) => {
                    // An operation that waits for a person may block others.
                    assert!(
                        disturbed || !remaining.is_empty() || applied.failed == 0,
                        "a run failed for no reason: {}",
                        applied.diagnostics
                    );
                    if !remaining.is_empty() {
                        self.wait();
                        // A tagged object is found, or proves to be absent, once no process can create it any more.
                        if self.simulation.schedule.tagged && !std::mem::replace(&mut waited, true)
                        {
                            continue;
                        }
                        self.played.flagged += remaining.len();
                        judge::nothing_is_lost(&self.simulation);
                        if self.simulation.schedule.answers == Answers::Nobody {
                            self.nothing_is_twice();
                            return self.end();
                        }
                        self.answer(&remaining);
                        continue;
                    }
                    if unchanged && !disturbed {
                        if self.simulation.cloud.is_idle() {
                            break;
                        }
                        self.wait();
                        continue;
                    }
                }
                End::Returned(RunEnd::Failed(error)) => {
                    assert!(disturbed, "a run failed for no reason: {error:?}");
                }
                End::Returned(RunEnd::Unplanned(why)) => {
                    assert!(disturbed, "a run has no plan for no reason: {why}");
                }
            }
            if !disturbed {
                quiet += 1;
                assert!(quiet <= RUNS, "CONV: it does not converge");
            }
        }
        judge::all_is_well(&self.simulation);
        self.nothing_is_twice();
        self.end()
    }

    /// The lock of a dead run: the next one can see its holder, and break it.
    fn break_lock(&self) {
        if let Some(holder) = now(self.simulation.store.holder()).expect("readable") {
            let info = holder.info.expect("LOCK: it says whose it is");
            assert_eq!(info.who, "me@here");
            now(self.simulation.store.force_unlock(&info.id)).expect("LOCK: it can be broken");
            self.simulation.freed_lock();
        }
    }

    /// A damaged journal is refused, and a person repairs it; a whole one is left as it is.
    fn repair(&self) {
        let refused = match now(Run::look(&self.simulation.store)) {
            Err(RunError::Journal { .. }) => true,
            Ok(_) => false,
            Err(error) => panic!("READ: the state cannot be read: {error:?}"),
        };
        let process = self.simulation.begin(None);
        let simulation = &self.simulation;
        let repairing = async {
            let repair = open_repair(simulation).await.expect("locked");
            assert_eq!(repair.damage().is_some(), refused);
            let copy = repair.restart().await.expect("repaired");
            assert_eq!(copy.is_some(), refused);
            repair.close().await.expect("unlocked");
        };
        if refused {
            let ends = drive(simulation, vec![(process, Box::pin(repairing))]);
            assert_eq!(ends, [End::Returned(())]);
        }
    }

    fn end(mut self) -> Played {
        self.played.traces = self.simulation.traces();
        self.played
    }

    /// A person comes when all has come down that ever will.
    fn wait(&self) {
        let late = self.simulation.time.monotonic() + std::time::Duration::from_secs(3 * 3600);
        self.simulation.time.advance(late);
        self.simulation.cloud.land(late);
    }

    /// Each address was made as often as the program asks for.
    fn nothing_is_twice(&self) {
        let schedule = &self.simulation.schedule;
        for (address, times) in judge::creations(&self.simulation, self.first) {
            let after = schedule.after.iter().find(|it| it.address() == address);
            assert!(
                after.is_some_and(|after| after.is_made(&schedule.before, &schedule.after)),
                "DUP: {address} was made, and nobody asked for it"
            );
            assert_eq!(times, 1, "DUP: {address} was made {times} times");
        }
    }

    /// Resolves unresolved operations truthfully.
    fn answer(&self, remaining: &[Unresolved]) {
        let process = self.simulation.begin(None);
        let simulation = &self.simulation;
        let answering = async {
            let (run, _) = open_again(simulation).await;
            for Unresolved { open, .. } in remaining {
                let address = &open.intent.address;
                let made = judge::unknown(simulation, &run.state())
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
                    // The object that it was to replace still exists, and has to be deleted.
                    if let Some(old) = after.current.replace(current) {
                        let key = DeposedKey::from_bits(simulation.dice.bits());
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
        let ends = drive(simulation, vec![(process, Box::pin(answering))]);
        assert_eq!(ends, [End::Returned(())]);
    }
}

async fn open_again(
    simulation: &Arc<Simulation>,
) -> (terrane_state::Run, terrane_state::Recovered) {
    open(simulation).await.expect("opened")
}

fn schema_version(address: &terrane_core::addr::InstanceAddr) -> u64 {
    let schemas = &crate::cloud::types().schema().resources;
    schemas[&*address.resource.type_name].version
}

fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("memory never waits")
}
