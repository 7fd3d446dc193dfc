//! The plan cache of a stack, which lies beside its state: read before a plan, written after it.
//!
//! It is made by the first run that reads only what changed, and kept up to date from then on by every run that holds the state. It lies
//! with the state and not on the machine, so that a runner that has never seen the stack finds it. Nothing depends on it: that it cannot
//! be read or written is no failure.

use std::sync::Arc;

use terrane_engine::{Engine, PlanCache};
use terrane_state::Backend;

/// The plan cache of a stack, for one run.
#[derive(Debug)]
pub struct KeptCache {
    backend: Arc<dyn Backend>,
    before: PlanCache,
}

impl KeptCache {
    /// For a plan that `uses` one, or a run that keeps one up to date where there is one.
    pub async fn of(backend: Arc<dyn Backend>, uses: bool) -> Option<Self> {
        let found = backend.read_beside(PlanCache::NAME).await.ok().flatten();
        let before = found.map(|bytes| PlanCache::read(&bytes));
        let before = match uses {
            true => before.unwrap_or_default(),
            false => before?,
        };
        Some(Self { backend, before })
    }

    /// The engine with it.
    #[must_use]
    pub fn known_to<'e>(engine: Engine<'e>, cache: Option<&Self>) -> Engine<'e> {
        match cache {
            Some(cache) => engine.remembering(cache.before.clone()),
            None => engine,
        }
    }

    /// Writes what is known after a plan was made.
    pub async fn keep(&self, engine: &Engine<'_>) {
        if let Some(cache) = engine.plan_cache().filter(|cache| *cache != self.before) {
            let bytes = cache.write().into();
            let _ = self.backend.write_beside(PlanCache::NAME, bytes).await;
        }
    }
}
