//! Recovers unresolved operations of earlier runs before anything is planned: by reading, by looking objects up, or not at all.
//!
//! An unresolved operation may have happened. An outcome that can be proved is recorded as a resolution, so that recovery itself may
//! crash anywhere and be repeated; an operation without such a proof stays unresolved, waits for a person, and blocks only its own
//! address and the instances that stand on it.

mod creation;
mod doubt;
mod remembered;

use std::sync::Arc;
use std::time::Duration;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostics, Program};
use terrane_state::{
    Intent, IntentAction, Liveness, OpenIntent, RecordError, Recorder, Resolution, Resolve,
    Timestamp,
};

use crate::engine::Host;
use crate::event::Event;
use crate::meta::meta_for;
use crate::object::Subject;
use crate::running::RunningProviders;
use crate::stop::StopFlag;

pub use doubt::Doubt;
pub(crate) use remembered::Remembered;
use remembered::Served;

/// The decider in the resolutions that are recorded here.
const WHO: &str = "recovery";

/// The result of recovering the unresolved operations of earlier runs.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The operations that were resolved, in that order; all of them are recorded.
    pub resolved: Vec<Resolved>,
    /// The operations that are still unresolved, oldest first.
    pub remaining: Vec<Unresolved>,
    /// The providers' warnings.
    pub diagnostics: Diagnostics,
    /// The journal could not be written, or this run no longer owns the stack: nothing may be done any more.
    pub record_error: Option<RecordError>,
}

impl Recovered {
    /// The addresses that nothing may be planned at until a person has resolved them; for [`PlanOptions::blocked`](crate::PlanOptions).
    pub fn blocked(&self) -> Vec<InstanceAddr> {
        let remaining = self.remaining.iter();
        remaining
            .map(|unresolved| unresolved.open.intent.address.clone())
            .collect()
    }
}

/// One operation that was resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Its address.
    pub address: InstanceAddr,
    /// The requested operation.
    pub action: IntentAction,
    /// Its outcome.
    pub how: Resolution,
    /// The proof of it.
    pub evidence: String,
}

/// One operation that waits for a person, or for another run later.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// The operation.
    pub open: OpenIntent,
    /// Why its outcome could not be proved.
    pub doubt: Doubt,
}

/// The result of one look at an unresolved operation.
enum Verdict {
    /// Its outcome is known.
    Known(Resolve),
    /// No object exists, but until then one may still appear.
    Early(Timestamp),
    /// Its outcome could not be proved.
    Open(Doubt),
}

/// How long after its provider is gone a request of it may still take effect.
pub(crate) const LATE: Duration = Duration::from_secs(120);
/// How long a run waits for that before it leaves it to a later one.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long a provider may outlive the run that started it, at most: it dies with it, but not in the same instant.
const DYING: Duration = Duration::from_secs(3);
/// How often a wait looks whether the run was stopped.
const GLANCE: Duration = Duration::from_secs(1);

/// One recovery.
pub(crate) struct Recovery<'a> {
    recorder: &'a dyn Recorder,
    remembered: Remembered<'a>,
    host: Host<'a>,
    stop: StopFlag,
    /// When it began: a process that was seen to be gone was gone by then.
    began: Timestamp,
    late: Duration,
    /// How long it waits for operations that may still take effect.
    patience: Duration,
}

impl<'a> Recovery<'a> {
    pub(crate) fn new(
        program: &'a Program,
        recorder: &'a dyn Recorder,
        running: &'a RunningProviders<'a>,
        host: Host<'a>,
        stop: StopFlag,
        late: Duration,
    ) -> Self {
        Self {
            recorder,
            remembered: Remembered::new(program, recorder, running),
            host,
            stop,
            began: host.clock.now(),
            late,
            patience: PATIENCE,
        }
    }

    /// The same, without waiting for anything.
    pub(crate) fn without_waiting(mut self) -> Self {
        self.patience = Duration::ZERO;
        self
    }

    /// Looks at every unresolved operation, oldest first; at those that may still take effect once more when they no longer can.
    pub(crate) async fn run(mut self) -> Recovered {
        let mut recovered = Recovered::default();
        let open = self.recorder.open_intents();
        if !open.is_empty() {
            self.host
                .events
                .emit(Event::RecoveryStarted { total: open.len() });
        }
        self.let_die(&open).await;
        self.began = self.host.clock.now();
        let early = self.pass(open, &mut recovered).await;
        let soon: Vec<_> = early
            .iter()
            .filter(|(_, until)| self.is_soon(*until))
            .collect();
        if let Some(until) = soon.iter().map(|(_, until)| *until).max()
            && recovered.record_error.is_none()
        {
            let addresses = soon
                .iter()
                .map(|(open, _)| Arc::new(open.intent.address.clone()));
            self.wait(addresses.collect(), until).await;
            let early = early.into_iter().map(|(open, _)| open).collect();
            let early = self.pass(early, &mut recovered).await;
            self.leave(early, &mut recovered);
        } else {
            self.leave(early, &mut recovered);
        }
        recovered.remaining.sort_by_key(|unresolved| {
            (unresolved.open.intent.started_at, unresolved.open.intent.op)
        });
        recovered.diagnostics = self.remembered.into_warnings();
        recovered
    }

    /// A run that was killed a moment ago takes its providers along.
    async fn let_die(&self, open: &[OpenIntent]) {
        let until = self.host.clock.monotonic() + DYING.min(self.patience);
        let alive = || {
            open.iter()
                .any(|open| self.recorder.liveness(open) == Liveness::Alive)
        };
        while alive() && !self.stop.is_stopped() && self.host.clock.monotonic() < until {
            self.host.clock.sleep(DYING / 30).await;
        }
    }

    /// One look at each; those that may still take effect come back.
    async fn pass(
        &self,
        open: Vec<OpenIntent>,
        recovered: &mut Recovered,
    ) -> Vec<(OpenIntent, Timestamp)> {
        let mut early = Vec::new();
        for open in open {
            if self.stop.is_stopped() {
                let doubt = Doubt::Interrupted;
                recovered.remaining.push(Unresolved { open, doubt });
                continue;
            }
            let resolve = match self.look(&open).await {
                Verdict::Known(resolve) => resolve,
                Verdict::Early(until) => {
                    early.push((open, until));
                    continue;
                }
                Verdict::Open(doubt) => {
                    recovered.remaining.push(Unresolved { open, doubt });
                    continue;
                }
            };
            let resolved = Resolved {
                address: resolve.address.clone(),
                action: open.intent.action,
                how: resolve.how.clone(),
                evidence: resolve.evidence.clone(),
            };
            if let Err(error) = self.recorder.resolve(resolve).await {
                recovered.record_error = Some(error);
                break;
            }
            recovered.resolved.push(resolved);
        }
        early
    }

    fn leave(&self, early: Vec<(OpenIntent, Timestamp)>, recovered: &mut Recovered) {
        let remaining = early.into_iter().map(|(open, until)| Unresolved {
            open,
            doubt: Doubt::NotYet { until },
        });
        recovered.remaining.extend(remaining);
    }

    fn is_soon(&self, until: Timestamp) -> bool {
        until.since(self.host.clock.now()) <= self.patience
    }

    /// Waits until then, or until the run is stopped.
    async fn wait(&self, addresses: Vec<Arc<InstanceAddr>>, until: Timestamp) {
        self.host.events.emit(Event::RecoveryWaiting {
            addresses,
            until,
            time: until.since(self.host.clock.now()),
        });
        loop {
            let left = until.since(self.host.clock.now());
            if left.is_zero() || self.stop.is_stopped() {
                return;
            }
            self.host.clock.sleep(left.min(GLANCE)).await;
        }
    }

    async fn look(&self, open: &OpenIntent) -> Verdict {
        let looked = match open.intent.action {
            IntentAction::Update | IntentAction::Delete => self.by_reading(open).await,
            // An import only reads, so it left nothing that is not on record.
            IntentAction::Import => Ok(Verdict::Known(Resolve {
                how: Resolution::Absent,
                ..unchanged(open, "an import asks nothing of a cloud", self.recorder)
            })),
            IntentAction::Create => self.creation(open).await,
        };
        looked.unwrap_or_else(|diagnostics| Verdict::Open(Doubt::Unreadable(diagnostics)))
    }

    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.remembered.into_warnings()
    }

    fn subject<'s>(&'s self, intent: &'s Intent, served: &'s Served) -> Subject<'s> {
        Subject {
            provider: &*served.provider,
            source: &intent.provider.source,
            schema: &served.schema,
            address: &intent.address,
            location: served.location,
            warnings: self.remembered.warnings(),
            deferred: None,
            meta: meta_for(
                self.remembered.program(),
                &intent.address,
                &intent.provider.source,
            ),
            events: self.host.events,
        }
    }

    /// Updates and deletes are of known objects: reading them shows the outcome.
    async fn by_reading(&self, open: &OpenIntent) -> Result<Verdict, Diagnostics> {
        let intent = &open.intent;
        let Some(instance) = self.recorder.instance(&intent.address) else {
            return Ok(Verdict::Known(Resolve {
                how: Resolution::Deleted,
                ..unchanged(open, "the state has nothing there any more", self.recorder)
            }));
        };
        let object = match intent.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(&key),
        };
        let Some(object) = object else {
            return Ok(Verdict::Known(Resolve {
                how: Resolution::Deleted,
                ..unchanged(open, "the state has no such object any more", self.recorder)
            }));
        };
        let Some(served) = self.remembered.served(intent).await? else {
            let provider = intent.provider.clone();
            return Ok(Verdict::Open(Doubt::NoProvider { provider }));
        };
        let subject = self.subject(intent, &served);
        let loaded = subject.load(object).await?;
        let read = subject.read(&loaded).await?;
        if let (None, Some(why)) = (&read, served.doubt.clone()) {
            return Ok(Verdict::Open(Doubt::Elsewhere { why }));
        }
        let how = match &read {
            Some(_) => Resolution::Refreshed,
            None => Resolution::Deleted,
        };
        let read = read.map(|read| subject.store(&read)).transpose()?;
        let mut after = instance.as_ref().clone();
        match (intent.deposed, read) {
            (None, read) => after.current = read,
            (Some(key), Some(read)) => drop(after.deposed.insert(key, read)),
            (Some(key), None) => drop(after.deposed.remove(&key)),
        }
        let changes_state = after != *instance;
        let after = (!after.is_empty()).then(|| Arc::new(after));
        Ok(Verdict::Known(Resolve {
            how,
            changes_state,
            instance: after,
            ..unchanged(open, "it was read", self.recorder)
        }))
    }
}

/// A resolution that leaves the state as it is.
fn unchanged(open: &OpenIntent, evidence: &str, recorder: &dyn Recorder) -> Resolve {
    Resolve {
        op: open.intent.op,
        how: Resolution::Absent,
        evidence: evidence.to_owned(),
        who: WHO.to_owned(),
        address: open.intent.address.clone(),
        changes_state: false,
        instance: recorder.instance(&open.intent.address),
    }
}
