//! Work on many stacks: in their order, independent ones side by side, each failure told to its dependents alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use terrane_core::{Diagnostic, Diagnostics, Marked, Produced, ProducedValues};
use terrane_deploy::{
    Cancellation, Decision, DeployError, Deployed, PARALLELISM, Preview, Previewed, Producers,
    Proposal, StackOutputs, Up,
};
use terrane_engine::{EventSink, Plan, PlanMode, PlanOptions};

use crate::deployments::Deployments;
use crate::order::StackId;
use crate::schedule::{Direction, Schedule, StackEnd};

/// Follows the work on the stacks.
pub trait FleetObserver: Send + Sync {
    /// The work on a stack begins: where its events go.
    fn began(&self, stack: StackId) -> Arc<dyn EventSink>;

    /// It has ended.
    fn ended(&self, stack: StackId, end: &StackResult);
}

/// How the work on a stack came out.
#[derive(Debug)]
pub enum StackResult {
    /// It was planned.
    Previewed(Box<Previewed>),
    /// It was brought up or destroyed.
    Deployed(Box<Deployed>),
    /// Not everything of it was done.
    Failed(DeployError),
    /// It was not begun, for that stack failed.
    Skipped(StackId),
    /// It was not begun, for the work was cancelled.
    NotBegun,
}

/// How the work on all of them came out.
pub type FleetResults = BTreeMap<StackId, StackResult>;

type Approve = Arc<dyn Fn(StackId, &Proposal<'_>) -> Decision + Send + Sync>;

/// How the work is done.
#[derive(Clone)]
pub struct FleetOptions {
    /// How many stacks at once.
    pub stacks: NonZeroUsize,
    /// How many instances of each at once.
    pub parallelism: NonZeroUsize,
    /// How long each waits for its lock.
    pub lock_timeout: Duration,
    /// Ends it in order.
    pub cancellation: Cancellation,
    /// What of each is planned, and what is read before. The kind of plan is the work's own.
    pub planning: PlanOptions,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            stacks: NonZeroUsize::new(8).unwrap_or(NonZeroUsize::MIN),
            parallelism: PARALLELISM,
            lock_timeout: Duration::ZERO,
            cancellation: Cancellation::new(),
            planning: PlanOptions::default(),
        }
    }
}

impl Deployments {
    /// Plans the chosen stacks. What a producer of the same preview does not know yet is unknown to its consumers.
    pub async fn preview(
        &self,
        chosen: &BTreeSet<StackId>,
        mode: PlanMode,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
    ) -> FleetResults {
        let direction = direction(mode);
        let work = async |id, producers, events| {
            let planning = PlanOptions {
                mode,
                ..options.planning.clone()
            };
            let preview = Preview::default()
                .events(events)
                .cancelled_by(options.cancellation.clone())
                .parallelism(options.parallelism)
                .planning(planning)
                .producers(Arc::new(producers));
            let previewed = self.get(id).deployment.preview(preview).await?;
            let produced = planned_exports(&previewed.plan);
            Ok((StackResult::Previewed(Box::new(previewed)), produced))
        };
        self.drive(chosen, direction, options, observer, work).await
    }

    /// Brings the chosen stacks up, producers first. Each plan is asked about, while its lock is held.
    pub async fn up(
        &self,
        chosen: &BTreeSet<StackId>,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
        approve: Approve,
    ) -> FleetResults {
        self.apply(chosen, PlanMode::Normal, options, observer, approve)
            .await
    }

    /// Destroys the chosen stacks, consumers first.
    pub async fn destroy(
        &self,
        chosen: &BTreeSet<StackId>,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
        approve: Approve,
    ) -> FleetResults {
        self.apply(chosen, PlanMode::Destroy, options, observer, approve)
            .await
    }

    /// Brings the states of the chosen stacks up to date with the world, producers first.
    pub async fn refresh(
        &self,
        chosen: &BTreeSet<StackId>,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
        approve: Approve,
    ) -> FleetResults {
        self.apply(chosen, PlanMode::RefreshOnly, options, observer, approve)
            .await
    }

    async fn apply(
        &self,
        chosen: &BTreeSet<StackId>,
        mode: PlanMode,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
        approve: Approve,
    ) -> FleetResults {
        let work = async |id: StackId, producers, events| {
            let approve = approve.clone();
            let up = Up::default()
                .events(events)
                .cancelled_by(options.cancellation.clone())
                .parallelism(options.parallelism)
                .lock_timeout(options.lock_timeout)
                .planning(options.planning.clone())
                .producers(Arc::new(producers))
                .approve(move |proposal| std::future::ready(approve(id, proposal)));
            let deployment = &self.get(id).deployment;
            let deployed = match mode {
                PlanMode::Destroy => deployment.destroy(up).await?,
                PlanMode::RefreshOnly => deployment.refresh(up).await?,
                PlanMode::Normal => deployment.up(up).await?,
            };
            let produced = stored_exports(&deployed.outputs)?;
            Ok((StackResult::Deployed(Box::new(deployed)), produced))
        };
        self.drive(chosen, direction(mode), options, observer, work)
            .await
    }

    /// Does that work on every chosen stack in its turn. It gets the exports of the stack's producers, and gives back its own.
    async fn drive(
        &self,
        chosen: &BTreeSet<StackId>,
        direction: Direction,
        options: &FleetOptions,
        observer: &dyn FleetObserver,
        work: impl AsyncFn(
            StackId,
            Producers,
            Arc<dyn EventSink>,
        ) -> Result<(StackResult, ProducedValues), DeployError>,
    ) -> FleetResults {
        let order = self.order();
        let mut schedule = Schedule::new(order, chosen, direction, options.stacks.get());
        let known: RefCell<Producers> = RefCell::default();
        let mut results = FleetResults::new();
        let mut running = FuturesUnordered::new();
        loop {
            if options.cancellation.is_cancelled() {
                schedule.stop();
            }
            while let Some(id) = schedule.begin() {
                let events = observer.began(id);
                let (work, known) = (&work, &known);
                running.push(async move {
                    let done = async {
                        if let Some(broken) = &self.get(id).broken {
                            return Err(DeployError::Failed(broken.clone()));
                        }
                        let producers = self.producers_of(id, known).await?;
                        work(id, producers, events).await
                    };
                    (id, done.await)
                });
            }
            let Some((id, done)) = running.next().await else {
                break;
            };
            let (end, result) = match done {
                Ok((result, produced)) => {
                    known.borrow_mut().insert(order.name(id).clone(), produced);
                    (StackEnd::Done, result)
                }
                Err(error) => (StackEnd::Failed, StackResult::Failed(error)),
            };
            schedule.end(id, end);
            observer.ended(id, &result);
            results.insert(id, result);
        }
        for (&id, &cause) in schedule.skipped() {
            results.insert(id, StackResult::Skipped(cause));
        }
        results.extend(schedule.left().map(|id| (id, StackResult::NotBegun)));
        results
    }

    /// The exports of a stack's producers: those that are known, and the others out of their states.
    ///
    /// # Errors
    /// When a producer was never applied, or its state cannot be read.
    pub async fn producers(&self, id: StackId, known: Producers) -> Result<Producers, DeployError> {
        self.producers_of(id, &RefCell::new(known)).await
    }

    /// The exports of a stack's producers: as this work left them, or out of their states.
    async fn producers_of(
        &self,
        id: StackId,
        known: &RefCell<Producers>,
    ) -> Result<Producers, DeployError> {
        let mut producers = Producers::new();
        for one in &self.get(id).uses {
            if producers.contains_key(&one.producer) {
                continue;
            }
            let found = known.borrow().get(&one.producer).cloned();
            let produced = match found {
                Some(produced) => produced,
                None => {
                    let produced = self.read(&one.producer, one).await?;
                    let mut known = known.borrow_mut();
                    known
                        .entry(one.producer.clone())
                        .or_insert(produced)
                        .clone()
                }
            };
            producers.insert(one.producer.clone(), produced);
        }
        Ok(producers)
    }

    /// The exports in the state of a stack that this work is not about.
    async fn read(
        &self,
        producer: &str,
        by: &crate::deployments::Use,
    ) -> Result<ProducedValues, DeployError> {
        let id = self.order().find(producer);
        let id = id.expect("invariant: an order has every producer");
        let (state, _) = self.get(id).deployment.state().await?;
        if state.serial == 0 && state.outputs.is_empty() {
            let missing = Diagnostic::error(format!("{producer} is not applied yet"))
                .detail("its exports are used here")
                .location(by.location)
                .hint(format!(
                    "apply it first or in the same run: `up --only {producer}`"
                ));
            return Err(DeployError::Failed(missing.into()));
        }
        state
            .produced()
            .map_err(|(name, error)| unreadable(&name, &error))
    }
}

fn direction(mode: PlanMode) -> Direction {
    match mode {
        PlanMode::Destroy => Direction::ConsumersFirst,
        PlanMode::Normal | PlanMode::RefreshOnly => Direction::ProducersFirst,
    }
}

/// What a stack exports once its plan is applied.
pub fn planned_exports(plan: &Plan) -> ProducedValues {
    let exports = plan.outputs.iter().filter_map(|output| {
        let after: &Marked = output.after.as_ref()?;
        let produced = match after.value.is_wholly_known() {
            true => Produced::Known(after.clone()),
            false => Produced::AfterApply,
        };
        Some((output.name.clone(), produced))
    });
    exports.collect()
}

fn stored_exports(outputs: &StackOutputs) -> Result<ProducedValues, DeployError> {
    let exports = outputs.iter().map(|(name, stored)| match stored.marked() {
        Ok(marked) => Ok((name.into(), Produced::Known(marked))),
        Err(error) => Err(unreadable(name, &error)),
    });
    exports.collect()
}

fn unreadable(name: &str, error: &dyn std::error::Error) -> DeployError {
    let error = Diagnostic::error(format!(
        "the stored export `{name}` cannot be read: {error}"
    ));
    DeployError::Failed(Diagnostics::from(error))
}
