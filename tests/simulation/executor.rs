//! Drives runs: woken ones are polled, in an order that the dice choose; when there is none, time passes.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use terrane_state::Clock as _;

use crate::schedule::What;
use crate::simulation::{Panicked, Simulation};

/// No schedule takes longer than that on its own clock.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End<T> {
    /// By itself.
    Returned(T),
    /// It died.
    Died(What),
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The state of a process.
pub(crate) type Life<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

struct Driven<'f, T> {
    process: usize,
    future: Life<'f, T>,
    woken: Arc<Woken>,
}

/// Drives processes until each has returned or died; how each ended.
pub(crate) fn drive<'f, T>(
    simulation: &Arc<Simulation>,
    futures: Vec<(usize, Life<'f, T>)>,
) -> Vec<End<T>> {
    let mut ends: Vec<Option<End<T>>> = futures.iter().map(|_| None).collect();
    let mut running: Vec<Option<Driven<'f, T>>> = futures
        .into_iter()
        .map(|(process, future)| {
            Some(Driven {
                process,
                future,
                woken: Arc::new(Woken(AtomicBool::new(true))),
            })
        })
        .collect();
    loop {
        if running.iter().all(Option::is_none) {
            break;
        }
        let asleep =
            |driven: &Driven<'_, T>| simulation.process(driven.process, |process| process.sleeps);
        if running.iter().flatten().all(asleep) {
            for driven in running.iter().flatten() {
                simulation.process(driven.process, |process| process.sleeps = false);
            }
        }
        let ready: Vec<usize> = (0..running.len())
            .filter(|&place| {
                running[place]
                    .as_ref()
                    .is_some_and(|driven| driven.woken.0.load(Ordering::SeqCst) && !asleep(driven))
            })
            .collect();
        if ready.is_empty() {
            pass_time(simulation, &mut running, &mut ends);
            continue;
        }
        let place = *simulation.dice.pick(&ready);
        let driven = running[place].as_mut().expect("it was ready");
        driven.woken.0.store(false, Ordering::SeqCst);
        simulation.set_current(Some(driven.process));
        let waker = Waker::from(driven.woken.clone());
        let polled = catch_unwind(AssertUnwindSafe(|| {
            driven
                .future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
        }));
        let died = simulation.process(driven.process, |process| process.death);
        let end = match polled {
            Err(panic) if panic.is::<Panicked>() => Some(End::Died(What::Panic)),
            Err(panic) => resume_unwind(panic),
            Ok(_) if died.is_some() => died.map(End::Died),
            Ok(Poll::Ready(value)) => Some(End::Returned(value)),
            Ok(Poll::Pending) => None,
        };
        if let Some(end) = end {
            // Its resources are dropped as those of a dead process.
            simulation.process(driven.process, |process| process.still.notify_one());
            running[place] = None;
            ends[place] = Some(end);
        }
        simulation.set_current(None);
    }
    ends.into_iter()
        .map(|end| end.expect("all have ended"))
        .collect()
}

/// Nobody has anything to do: it becomes as late as somebody waits for.
fn pass_time<T>(
    simulation: &Arc<Simulation>,
    running: &mut [Option<Driven<'_, T>>],
    ends: &mut [Option<End<T>>],
) {
    let killed = |driven: &Driven<'_, T>| simulation.process(driven.process, |p| p.killed_at);
    let kills = running.iter().flatten().filter_map(killed).min();
    let wake = simulation.time.next_wake();
    let next = match (kills, wake) {
        (Some(kill), Some(wake)) => kill.min(wake),
        (kill, wake) => kill
            .or(wake)
            .expect("nobody waits for time, and nobody goes on: they wait for each other"),
    };
    assert!(next < LONGEST, "a run goes on for ever");
    simulation.time.advance(next);
    let now = simulation.time.monotonic();
    for (place, slot) in running.iter_mut().enumerate() {
        let Some(driven) = slot else { continue };
        if killed(driven).is_some_and(|at| at <= now) {
            simulation.process(driven.process, |process| {
                process.death = Some(What::BothDie);
            });
            *slot = None;
            ends[place] = Some(End::Died(What::Cancelled));
        }
    }
}
