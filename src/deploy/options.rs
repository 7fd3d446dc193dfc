//! What an operation on a deployment is asked to do.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use terrane_engine::{EventSink, PlanOptions, Silent};

use crate::cancellation::Cancellation;
use crate::program::Producers;
use crate::run::Proposal;
use crate::saved::PlanBytes;

/// As many instances are in progress at once as on the command line.
pub const PARALLELISM: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// The answer to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Apply it.
    Yes,
    /// Change nothing.
    No,
}

type Answer = Pin<Box<dyn Future<Output = Decision> + Send>>;
pub(crate) type Approve = Arc<dyn Fn(&Proposal<'_>) -> Answer + Send + Sync>;

/// What every operation can be told: where its events go, what cancels it, how many operations of providers it has in progress.
#[derive(Clone)]
pub(crate) struct Operating {
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) cancellation: Cancellation,
    pub(crate) parallelism: NonZeroUsize,
    pub(crate) lock_timeout: Duration,
    pub(crate) producers: Arc<Producers>,
}

impl Default for Operating {
    fn default() -> Self {
        Self {
            events: Arc::new(Silent),
            cancellation: Cancellation::new(),
            parallelism: PARALLELISM,
            lock_timeout: Duration::ZERO,
            producers: Arc::default(),
        }
    }
}

/// The options of a preview: `Preview::default()` plans everything, takes no lock and writes nothing.
#[derive(Clone, Default)]
#[must_use]
pub struct Preview {
    pub(crate) operating: Operating,
    pub(crate) planning: PlanOptions,
}

/// The options of `up`, `refresh` and `destroy`. Without [`approve`](Self::approve) a plan is applied as it is.
#[derive(Clone, Default)]
#[must_use]
pub struct Up {
    pub(crate) operating: Operating,
    pub(crate) planning: PlanOptions,
    pub(crate) approve: Option<Approve>,
    pub(crate) saved: Option<SavedPlanOption>,
}

/// A saved plan, and the digest that was approved.
#[derive(Clone)]
pub(crate) struct SavedPlanOption {
    pub(crate) plan: PlanBytes,
    pub(crate) digest: Option<String>,
}

/// What every operation is told, in the same words.
macro_rules! operating {
    ($($options:ty),*) => {$(
        impl $options {
            /// Where its events go, known secrets masked.
            pub fn events(mut self, events: Arc<dyn EventSink>) -> Self {
                self.operating.events = events;
                self
            }

            /// What cancels it.
            pub fn cancelled_by(mut self, cancellation: Cancellation) -> Self {
                self.operating.cancellation = cancellation;
                self
            }

            /// The exports of other stacks of the same program that this one uses.
            pub fn producers(mut self, producers: Arc<Producers>) -> Self {
                self.operating.producers = producers;
                self
            }

            /// How many instances are in progress at once.
            pub fn parallelism(mut self, parallelism: NonZeroUsize) -> Self {
                self.operating.parallelism = parallelism;
                self
            }
        }
    )*};
}

operating!(Preview, Up);

impl Preview {
    /// What is planned: all of it, a selection, the destruction.
    pub fn planning(mut self, options: PlanOptions) -> Self {
        self.planning = options;
        self
    }
}

impl Up {
    /// How long it waits for a lock that another run holds; not at all unless said otherwise.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.operating.lock_timeout = timeout;
        self
    }

    /// What is planned: all of it or a selection. The kind of plan is the operation's own.
    pub fn planning(mut self, options: PlanOptions) -> Self {
        self.planning = options;
        self
    }

    /// Applies exactly that plan of [`Deployment::save`](crate::Deployment::save), once, or refuses it: where the state, an object, the
    /// account, a provider or the program is another than it was made for. What it defers is not planned.
    pub fn saved_plan(mut self, plan: PlanBytes) -> Self {
        self.saved = Some(SavedPlanOption { plan, digest: None });
        self
    }

    /// The same, only if the plan has this [digest](PlanBytes::digest): the one that somebody approved.
    pub fn approved_plan(mut self, plan: PlanBytes, digest: impl Into<String>) -> Self {
        let digest = Some(digest.into());
        self.saved = Some(SavedPlanOption { plan, digest });
        self
    }

    /// Asks about each plan that would change something, while the lock is held. The answer takes from the proposal what it needs
    /// before it waits for anything.
    pub fn approve<F>(mut self, ask: impl Fn(&Proposal<'_>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Decision> + Send + 'static,
    {
        self.approve = Some(Arc::new(move |proposal: &Proposal<'_>| {
            Box::pin(ask(proposal))
        }));
        self
    }
}
