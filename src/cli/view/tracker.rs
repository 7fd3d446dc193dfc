//! The operations of a run as they stand: running, waiting, done, failed, not attempted. One tracker feeds every view.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_core::IdVec;
use terrane_core::addr::InstanceAddr;
use terrane_engine::{Event, Plan, Step, StepId, StepKind, Work};
use terrane_state::DeposedKey;

use super::UsualTimes;

/// The present phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Recovering,
    Planning,
    Applying,
}

/// Follows one run.
pub(crate) struct Tracker {
    /// None before the first phase and while a question is asked.
    phase: Option<Phase>,
    since: Instant,
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<StepId, Running>,
    /// Operations of earlier runs that may still take effect, and until when.
    late: Option<(Vec<Arc<InstanceAddr>>, Instant)>,
    steps: IdVec<StepId, StepNeeds>,
    /// Steps that did not start yet, in the order of the plan.
    pending: BTreeSet<StepId>,
    skipped: Vec<Step>,
    /// A replacement is two steps of one object.
    skipped_objects: HashSet<(Arc<InstanceAddr>, Option<DeposedKey>)>,
    /// The tick before the last one, and the last one.
    ticks: [Instant; 2],
    /// How long operations took in earlier runs.
    usual: UsualTimes,
    /// How long those of this run took, by type.
    took: HashMap<(Arc<str>, StepKind), Vec<Duration>>,
}

/// A step that runs.
pub(crate) struct Running {
    pub(crate) step: Step,
    pub(crate) since: Instant,
}

/// A step of the plan.
struct StepNeeds {
    /// None for a junction.
    address: Option<Arc<InstanceAddr>>,
    needs: Vec<StepId>,
}

impl Tracker {
    /// Before a run.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            phase: None,
            since: now,
            total: 0,
            done: 0,
            failed: 0,
            running: BTreeMap::new(),
            late: None,
            steps: IdVec::new(),
            pending: BTreeSet::new(),
            skipped: Vec::new(),
            skipped_objects: HashSet::new(),
            ticks: [now, now],
            usual: UsualTimes::default(),
            took: HashMap::new(),
        }
    }

    /// Takes note of the times of earlier runs.
    pub(super) fn remember(&mut self, usual: UsualTimes) {
        self.usual = usual;
    }

    /// Takes note of an event.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::RecoveryStarted { total } => self.begin(Phase::Recovering, *total),
            Event::RecoveryWaiting {
                addresses,
                until: _,
                time,
            } => self.late = Some((addresses.clone(), Instant::now() + *time)),
            Event::PlanStarted { total } => self.begin(Phase::Planning, *total),
            Event::InstancePlanned { .. } | Event::InstanceDeferred(_) => self.done += 1,
            Event::ApplyStarted { total } => self.begin(Phase::Applying, *total),
            Event::StepStarted(step) => {
                self.pending.remove(&step.id);
                let running = Running {
                    step: step.clone(),
                    since: Instant::now(),
                };
                self.running.insert(step.id, running);
            }
            Event::StepDone { step, elapsed, .. } => {
                self.done += 1;
                let key = (step.address.resource.type_name.clone(), step.kind);
                self.took.entry(key).or_default().push(*elapsed);
                self.end(step);
            }
            Event::StepFailed { step, .. } => {
                self.failed += 1;
                self.end(step);
            }
            Event::StepSkipped(step) => {
                self.end(step);
                let object = (step.address.clone(), step.deposed);
                if self.skipped_objects.insert(object) {
                    self.skipped.push(step.clone());
                }
            }
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::Action { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    /// Takes note of the plan that will be applied.
    pub(super) fn planned(&mut self, plan: &Plan) {
        let steps = plan.steps.steps();
        let address = |work: Work| match work {
            Work::Junction | Work::Keep { .. } => None,
            Work::Change { change, .. } => Some(plan.changes[change].address.clone()),
        };
        let planned = steps.iter().map(|step| StepNeeds {
            address: address(step.work),
            needs: step.dependencies.clone(),
        });
        self.steps = planned.collect();
        let operations = self
            .steps
            .entries()
            .filter(|(_, step)| step.address.is_some());
        self.pending = operations.map(|(id, _)| id).collect();
    }

    /// Takes note that time went by.
    pub(super) fn tick(&mut self) {
        self.ticks = [self.ticks[1], Instant::now()];
    }

    /// Nothing more will happen for now.
    pub(super) fn pause(&mut self) {
        self.phase = None;
    }

    fn begin(&mut self, phase: Phase, total: usize) {
        self.phase = Some(phase);
        (self.total, self.done, self.failed) = (total, 0, 0);
        self.since = Instant::now();
    }

    fn end(&mut self, step: &Step) {
        self.running.remove(&step.id);
        self.pending.remove(&step.id);
    }

    /// The present phase, while there is one.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// How long the phase takes so far.
    pub(crate) fn time(&self) -> Duration {
        self.since.elapsed()
    }

    /// How many operations, resources or steps the phase has.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// How many of them are done.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// How many of them failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// The running steps, in the order of the plan.
    pub(crate) fn running(&self) -> impl ExactSizeIterator<Item = &Running> {
        self.running.values()
    }

    /// The running steps that have taken another full `interval` since the tick before, each with its time.
    pub(crate) fn slow(&self, interval: Duration) -> impl Iterator<Item = (&Step, Duration)> {
        let [before, now] = self.ticks;
        let full = move |since: Instant, at: Instant| {
            at.saturating_duration_since(since).as_nanos() / interval.as_nanos()
        };
        self.running.values().filter_map(move |running| {
            let is_due = full(running.since, now) > full(running.since, before);
            is_due.then(|| (&running.step, now.saturating_duration_since(running.since)))
        })
    }

    /// Operations of earlier runs that may still take effect, and for how long.
    pub(crate) fn late(&self) -> Option<(&[Arc<InstanceAddr>], Duration)> {
        let (addresses, until) = self.late.as_ref()?;
        Some((addresses, until.saturating_duration_since(Instant::now())))
    }

    /// The first few steps that wait for a running one, each with that one.
    pub(crate) fn waiting(&self, most: usize) -> impl Iterator<Item = (&InstanceAddr, &Step)> {
        /// How far the pending steps are searched.
        const SEARCHED: usize = 200;
        let pending = self.pending.iter().take(SEARCHED);
        let waiting = pending.filter_map(|&step| {
            let address = self.steps[step].address.as_deref()?;
            Some((address, &self.running_need(step)?.step))
        });
        waiting.take(most)
    }

    /// A running step that this one needs, steps without an operation looked through.
    fn running_need(&self, step: StepId) -> Option<&Running> {
        const LOOKED_AT: usize = 64;
        let mut queue: Vec<StepId> = self.steps[step].needs.clone();
        let mut at = 0;
        while at < queue.len().min(LOOKED_AT) {
            let need = queue[at];
            if let Some(running) = self.running.get(&need) {
                return Some(running);
            }
            if self.steps[need].address.is_none() {
                queue.extend(&self.steps[need].needs);
            }
            at += 1;
        }
        None
    }

    /// How long such a step usually takes, as far as earlier runs tell.
    pub(crate) fn usual(&self, step: &Step) -> Option<Duration> {
        self.usual.of(&step.address.resource.type_name, step.kind)
    }

    /// The times of earlier runs with those of this one; none when nothing was done.
    pub(super) fn times(&mut self) -> Option<UsualTimes> {
        if self.took.is_empty() {
            return None;
        }
        for ((type_name, kind), times) in self.took.drain() {
            self.usual.add(&type_name, kind, times);
        }
        Some(self.usual.clone())
    }

    /// Steps that were not attempted, one for each object.
    pub(crate) fn skipped(&self) -> &[Step] {
        &self.skipped
    }
}

#[cfg(test)]
mod tests {
    use terrane_core::{Diagnostics, Id as _};
    use terrane_engine::StepKind;

    use super::*;

    fn step(place: usize, name: &str) -> Step {
        Step {
            id: StepId::at(place),
            address: Arc::new(format!("test_thing.{name}").parse().expect("an address")),
            deposed: None,
            kind: StepKind::Create,
        }
    }

    #[test]
    fn a_slow_step_is_due_once_for_each_interval() {
        let mut tracker = Tracker::new();
        tracker.event(&Event::StepStarted(step(0, "a")));
        let since = tracker.running[&StepId::at(0)].since;
        let mut due = Vec::new();
        for second in 1..=65 {
            tracker.ticks = [second - 1, second].map(|at| since + Duration::from_secs(at));
            due.extend(
                tracker
                    .slow(Duration::from_secs(30))
                    .map(|(_, time)| time.as_secs()),
            );
        }
        assert_eq!(due, [30, 60]);
        tracker.event(&Event::StepDone {
            step: step(0, "a"),
            elapsed: Duration::ZERO,
            id: None,
            warnings: Diagnostics::new(),
        });
        tracker.ticks[1] += Duration::from_secs(60);
        assert_eq!(tracker.slow(Duration::from_secs(30)).count(), 0);
        assert_eq!((tracker.done(), tracker.running().len()), (1, 0));
    }

    #[test]
    fn an_object_whose_two_steps_are_skipped_is_named_once() {
        let mut tracker = Tracker::new();
        for skipped in [step(0, "a"), step(1, "b"), step(2, "a")] {
            tracker.event(&Event::StepSkipped(skipped));
        }
        let names: Vec<_> = tracker
            .skipped()
            .iter()
            .map(|s| s.address.to_string())
            .collect();
        assert_eq!(names, ["test_thing.a", "test_thing.b"]);
    }
}
