//! Provider processes that the operations of one host share: those of the same build, in the same environment, with equal configurations.
//!
//! A process is configured once in its life, so an operation that only asks for schemas takes any process of its kind, and changes over to
//! the one with its configuration when it configures. A process ends with the last operation that uses it.

mod pool;
mod shared;

use std::sync::Arc;

use async_trait::async_trait;
use terrane_core::addr::ProviderSource;
use terrane_provider::{Environment, LogSink, Plugins, Provider, Providers, StartError};

use pool::Kind;
pub(crate) use pool::ProcessPool;
use shared::Shared;

/// Starts processes, or joins those that other operations of the host have started.
pub(crate) struct SharedProviders {
    pool: Arc<ProcessPool>,
    starter: Starter,
}

/// Where new processes come from.
#[derive(Clone)]
enum Starter {
    /// From whoever the deployment was given.
    Given(Arc<dyn Providers>),
    /// From this machine.
    Machine {
        plugins: Arc<Plugins>,
        environment: Arc<Environment>,
        logs: Option<Arc<dyn LogSink>>,
    },
}

impl SharedProviders {
    /// Those of a deployment that was given them.
    pub(crate) fn given(pool: Arc<ProcessPool>, providers: Arc<dyn Providers>) -> Self {
        let starter = Starter::Given(providers);
        Self { pool, starter }
    }

    /// Those of this machine in that environment.
    pub(crate) fn of_machine(
        pool: Arc<ProcessPool>,
        plugins: Arc<Plugins>,
        environment: Environment,
        logs: Option<Arc<dyn LogSink>>,
    ) -> Self {
        let starter = Starter::Machine {
            plugins,
            environment: Arc::new(environment),
            logs,
        };
        Self { pool, starter }
    }

    /// What a process must have in common with others to be shared; `None` for one that is attached to, and was started by somebody else.
    fn kind(&self, source: &ProviderSource) -> Result<Option<Kind>, StartError> {
        Ok(match &self.starter {
            Starter::Given(providers) => Some(Kind::Given {
                source: source.clone(),
                providers: providers.clone(),
            }),
            Starter::Machine { plugins, .. } if plugins.is_attached(source)? => None,
            Starter::Machine {
                plugins,
                environment,
                logs,
            } => Some(Kind::Machine {
                source: source.clone(),
                command: plugins.locate(source)?.command,
                environment: environment.clone(),
                logs: logs.clone(),
            }),
        })
    }
}

#[async_trait]
impl Providers for SharedProviders {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        let kind = match source.is_builtin() {
            true => None,
            false => self.kind(source)?,
        };
        match kind {
            None => self.starter.start(source).await,
            Some(kind) => {
                let shared = Shared::start(self.pool.clone(), self.starter.clone(), kind);
                Ok(Arc::new(shared.await?))
            }
        }
    }

    async fn build(&self, source: &ProviderSource) -> Option<String> {
        match &self.starter {
            Starter::Given(providers) => providers.build(source).await,
            Starter::Machine { plugins, .. } => plugins.build(source).await,
        }
    }
}

impl Starter {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        match self {
            Self::Given(providers) => providers.start(source).await,
            Self::Machine { plugins, .. } => plugins.start(source).await,
        }
    }
}

impl Kind {
    fn source(&self) -> &ProviderSource {
        match self {
            Self::Given { source, .. } | Self::Machine { source, .. } => source,
        }
    }

    /// Whether processes of both may be shared. Processes with another command, environment or log are others: credentials are in it.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Given { source, providers },
                Self::Given {
                    source: other,
                    providers: others,
                },
            ) => source == other && Arc::ptr_eq(providers, others),
            (
                Self::Machine {
                    source,
                    command,
                    environment,
                    logs,
                },
                Self::Machine {
                    source: other_source,
                    command: other_command,
                    environment: other_environment,
                    logs: other_logs,
                },
            ) => {
                let same_logs = match (logs, other_logs) {
                    (None, None) => true,
                    (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                    _ => false,
                };
                (source, command) == (other_source, other_command)
                    && environment == other_environment
                    && same_logs
            }
            _ => false,
        }
    }
}
