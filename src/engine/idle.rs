//! The number of provider processes: the one that was idle for longest ends where another would be one too many, and is started again when
//! it is needed.
//!
//! A program that works in twenty regions has twenty configurations, each of which takes a process of some hundred megabytes. A process with a
//! request in it never ends, so there may be as many as there are operations at once.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use terrane_core::Diagnostics;
use terrane_core::addr::ProviderConfigAddr;

use crate::event::Event;
use crate::running::{RunningProvider, RunningProviders, call_failed};

/// As many processes as a run has unless it is told otherwise.
pub const PROVIDER_PROCESSES: usize = 16;

/// When each configuration was used last.
#[derive(Debug)]
pub(crate) struct Uses {
    most: Cell<usize>,
    clock: Cell<u64>,
    last: RefCell<HashMap<ProviderConfigAddr, u64>>,
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            most: Cell::new(PROVIDER_PROCESSES),
            clock: Cell::default(),
            last: RefCell::default(),
        }
    }
}

impl Uses {
    /// At most that many processes, if fewer are busy.
    pub(crate) fn limit(&self, most: usize) {
        self.most.set(most.max(1));
    }

    pub(crate) fn note(&self, address: &ProviderConfigAddr) {
        let now = self.clock.get() + 1;
        self.clock.set(now);
        self.last.borrow_mut().insert(address.clone(), now);
    }
}

impl RunningProviders<'_> {
    /// A configured provider, if it has been configured already in this run; its process is started again if it has ended.
    pub(crate) async fn configured(
        &self,
        address: &ProviderConfigAddr,
    ) -> Result<Option<RunningProvider>, Diagnostics> {
        let running = self.configured.borrow().get(address).cloned();
        match running {
            None => Ok(None),
            Some(running) if !running.is_ended => {
                self.uses.note(address);
                Ok(Some(running))
            }
            Some(_) => {
                let _one_at_a_time = self.configuring.lock().await;
                let running = self.configured.borrow().get(address).cloned();
                match running {
                    None => Ok(None),
                    Some(running) => self.woken(address, running).await.map(Some),
                }
            }
        }
    }

    /// The provider of a configuration, in a new process if its process has ended. The caller holds the lock on configuring.
    pub(crate) async fn woken(
        &self,
        address: &ProviderConfigAddr,
        mut running: RunningProvider,
    ) -> Result<RunningProvider, Diagnostics> {
        self.uses.note(address);
        if !running.is_ended {
            return Ok(running);
        }
        let events = self.events();
        events.emit(Event::ProviderStarting {
            provider: address.clone(),
        });
        let started = self.clock().monotonic();
        let ended = running.provider;
        running.provider = self.start(&address.source).await?;
        let configured = running.provider.configure(&running.redirected).await;
        let said = configured.map_err(|error| call_failed(&error, address))?;
        said.into_result(())?;
        running.is_ended = false;
        // Everything that shared the process shares the new one.
        let mut all = self.configured.borrow_mut();
        let same = all
            .values_mut()
            .filter(|one| Arc::ptr_eq(&one.provider, &ended));
        for one in same {
            one.provider = running.provider.clone();
            one.is_ended = false;
        }
        drop(all);
        let elapsed = self.clock().monotonic().saturating_sub(started);
        events.emit(Event::ProviderReady {
            provider: address.clone(),
            elapsed,
        });
        Ok(running)
    }

    /// Ends the process that was idle for longest, if another would be one too many.
    pub(crate) async fn make_room(&self) {
        let processes = self.processes();
        let running = processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        if running < self.uses.most.get() {
            return;
        }
        let idle = {
            let configured = self.configured.borrow();
            let last = self.uses.last.borrow();
            let processes = configured.values().filter(|one| !one.is_ended);
            let used = processes.filter_map(|one| {
                let holders = configured.iter();
                let holders =
                    holders.filter(|(_, other)| Arc::ptr_eq(&other.provider, &one.provider));
                let holders: Vec<_> = holders.map(|(address, _)| last.get(address)).collect();
                // The list of processes holds it once more; any other holder is using it.
                let is_idle = Arc::strong_count(&one.provider) == holders.len() + 1;
                is_idle.then_some((holders.into_iter().max(), one))
            });
            let longest = used.min_by_key(|(last, _)| *last);
            longest.map(|(_, one)| one.provider.clone())
        };
        let Some(idle) = idle else { return };
        for one in self.configured.borrow_mut().values_mut() {
            if Arc::ptr_eq(&one.provider, &idle) {
                one.is_ended = true;
                one.first_plans.clear();
            }
        }
        self.end(&idle).await;
    }
}
