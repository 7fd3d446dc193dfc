//! The processes that run, who uses them, and how they are configured.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terrane_core::addr::ProviderSource;
use terrane_core::{Diagnostics, Value};
use terrane_provider::{
    CallError, Environment, LogSink, Provider, ProviderCommand, Providers, StartError,
};
use tokio::sync::OnceCell;

use super::Starter;

/// The processes of a host.
#[derive(Default)]
pub(crate) struct ProcessPool(Mutex<Vec<Arc<Process>>>);

/// What makes processes alike.
#[derive(Clone)]
pub(super) enum Kind {
    /// They come from the same place.
    Given {
        source: ProviderSource,
        providers: Arc<dyn Providers>,
    },
    /// They are started in the same way.
    Machine {
        source: ProviderSource,
        command: ProviderCommand,
        environment: Arc<Environment>,
        logs: Option<Arc<dyn LogSink>>,
    },
}

/// A process, from the moment on that somebody wants it.
struct Process {
    kind: Kind,
    provider: OnceCell<Arc<dyn Provider>>,
    /// What the provider said about its configuration.
    said: OnceCell<Diagnostics>,
    life: Mutex<Life>,
}

#[derive(Default)]
struct Life {
    /// The configuration that it has, or is about to get.
    config: Option<Value>,
    users: usize,
    /// Nobody may join it any more: it was stopped, or refused its configuration.
    is_spent: bool,
}

/// A use of a process. The last one ends it.
pub(super) struct Lease {
    pool: Arc<ProcessPool>,
    process: Option<Arc<Process>>,
}

impl ProcessPool {
    /// Any process of that kind, for its schemas.
    pub(super) fn any(self: &Arc<Self>, kind: Kind) -> Lease {
        self.lease(kind, |_| true, None)
    }

    /// The process of that kind with that configuration, or one that will have it.
    pub(super) fn with_config(self: &Arc<Self>, kind: Kind, config: &Value) -> Lease {
        self.lease(
            kind,
            |life| life.config.as_ref().is_none_or(|it| it == config),
            Some(config),
        )
    }

    fn lease(
        self: &Arc<Self>,
        kind: Kind,
        fits: impl Fn(&Life) -> bool,
        config: Option<&Value>,
    ) -> Lease {
        let mut processes = self.lock();
        let mut fitting: Vec<&Arc<Process>> = processes
            .iter()
            .filter(|process| process.kind.is(&kind) && process.is_usable())
            .filter(|process| fits(&process.life()))
            .collect();
        // One that has the configuration comes before one that has none yet.
        fitting.sort_by_key(|process| process.life().config.is_none());
        let process = match fitting.first() {
            Some(process) => Arc::clone(process),
            None => {
                let process = Arc::new(Process {
                    kind,
                    provider: OnceCell::new(),
                    said: OnceCell::new(),
                    life: Mutex::default(),
                });
                processes.push(process.clone());
                process
            }
        };
        let mut life = process.life();
        life.users += 1;
        if life.config.is_none() {
            life.config = config.cloned();
        }
        drop(life);
        drop(processes);
        Lease {
            pool: self.clone(),
            process: Some(process),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Process>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One user less; the process if that was the last one.
    fn left(&self, process: &Arc<Process>) -> bool {
        let mut processes = self.lock();
        let mut life = process.life();
        life.users -= 1;
        let is_last = life.users == 0;
        if is_last {
            life.is_spent = true;
            drop(life);
            processes.retain(|other| !Arc::ptr_eq(other, process));
        }
        is_last
    }
}

impl Process {
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_usable(&self) -> bool {
        let runs = self.provider.get().is_none_or(|it| it.is_running());
        runs && !self.life().is_spent
    }
}

impl Lease {
    fn process(&self) -> &Arc<Process> {
        self.process
            .as_ref()
            .expect("invariant: a lease has its process until it ends")
    }

    /// The process, started by the first one that needs it.
    pub(super) async fn provider(
        &self,
        starter: &Starter,
    ) -> Result<Arc<dyn Provider>, StartError> {
        let process = self.process();
        let start = || starter.start(process.kind.source());
        process.provider.get_or_try_init(start).await.cloned()
    }

    /// The answer of the provider to its configuration, which the first one gives it.
    pub(super) async fn configured(
        &self,
        provider: &dyn Provider,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let process = self.process();
        let configure = || provider.configure(config);
        let said = process.said.get_or_try_init(configure).await.cloned();
        if said.as_ref().map_or(true, Diagnostics::has_errors) {
            process.life().is_spent = true;
        }
        said
    }

    /// Whether nobody else uses it; from then on nobody will.
    pub(super) fn claim_alone(&self) -> bool {
        let mut life = self.process().life();
        let is_alone = life.users == 1;
        life.is_spent |= is_alone;
        is_alone
    }

    /// Ends this use, and the process if it was the last one.
    pub(super) async fn end(mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        if self.pool.left(&process)
            && let Some(provider) = process.provider.get()
        {
            provider.shutdown().await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A process whose last owner goes is killed.
        if let Some(process) = self.process.take() {
            self.pool.left(&process);
        }
    }
}
