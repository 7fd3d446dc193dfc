//! The stacks of a fleet, ready to be deployed: each with what it uses of others, in their order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use terrane_config::ConfigValues;
use terrane_core::{Diagnostic, Diagnostics, IdVec, Location, Producer, Program};
use terrane_deploy::{DeployError, Deployment, DeploymentHost};
use terrane_state::{BackendConfig, Run, Timestamp};

use crate::definition::{Definition, Fleet, StackFunction};
use crate::order::{Dependency, Order, StackId};

/// A fleet that can be previewed, brought up and destroyed.
#[derive(Debug)]
pub struct Deployments {
    order: Order,
    members: IdVec<StackId, Member>,
}

/// One stack of it.
pub struct Member {
    /// The stack as a value.
    pub deployment: Deployment,
    /// Its function.
    pub function: StackFunction,
    /// The configuration that the function reads.
    pub config: ConfigValues,
    /// What it uses of other stacks of the fleet.
    pub uses: Vec<Use>,
    /// Where its state is.
    pub backend: BackendConfig,
    /// How long after its last run it may be removed, if it may.
    pub expires_after: Option<Duration>,
    /// Why its program cannot be declared; it is not deployed then, and the others are.
    pub broken: Option<Diagnostics>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.deployment.name())
    }
}

/// The exports of another stack that a stack uses.
#[derive(Debug, Clone)]
pub struct Use {
    /// Whose.
    pub producer: Arc<str>,
    /// Their names.
    pub exports: Vec<Arc<str>>,
    /// Where the program asks for them.
    pub location: Location,
}

/// How a stack of a fleet is deployed where the fleet does not say it.
pub struct Placement<'a> {
    /// The stack's name.
    pub name: &'a str,
    /// Where the program keeps its state, if it says so.
    pub backend: Option<&'a BackendConfig>,
}

impl Deployments {
    /// Runs the function of every stack once, to learn who uses whose exports. `place` says where a state is kept, and `setup` the rest.
    ///
    /// # Errors
    /// When stacks wait for each other, or for one that the fleet does not have.
    pub fn of(
        fleet: Fleet,
        host: &DeploymentHost,
        place: impl Fn(Placement<'_>) -> BackendConfig,
        setup: impl Fn(Deployment) -> Deployment,
    ) -> Result<Self, Diagnostics> {
        let mut members = IdVec::default();
        let mut stacks = Vec::new();
        for definition in fleet.stacks {
            let Definition {
                name,
                function,
                backend,
                config,
                mut after,
                expires_after,
                ..
            } = definition;
            let backend = place(Placement {
                name: &name,
                backend: backend.as_ref(),
            });
            let declare = function.clone();
            let deployment = Deployment::new(name.clone(), move |stack| declare(stack), host)
                .config(config.clone())
                .backend(backend.clone());
            let deployment = setup(deployment);
            let (uses, broken) = match deployment.program() {
                Ok(program) => (uses_of(&program), None),
                Err(error) => (Vec::new(), Some(error.diagnostics())),
            };
            after.extend(uses.iter().map(|one| Dependency {
                producer: one.producer.clone(),
                location: one.location,
            }));
            stacks.push((name, after));
            members.push(Member {
                deployment,
                function,
                config,
                uses,
                backend,
                expires_after,
                broken,
            });
        }
        let order = Order::new(stacks).map_err(Diagnostics::from_iter)?;
        Ok(Self { order, members })
    }

    /// The order between the stacks.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// One of the stacks.
    pub fn get(&self, id: StackId) -> &Member {
        &self.members[id]
    }

    /// The stacks that use that export of a stack.
    pub fn users<'a>(
        &'a self,
        producer: StackId,
        export: &'a str,
    ) -> impl Iterator<Item = StackId> + 'a {
        let name = self.order.name(producer);
        let consumers = self.order.consumers(producer).iter().copied();
        consumers.filter(move |&consumer| {
            let mut uses = self.members[consumer].uses.iter();
            uses.any(|one| {
                one.producer == *name && one.exports.iter().any(|name| **name == *export)
            })
        })
    }

    /// Refuses to destroy stacks that others still use which are not destroyed with them.
    ///
    /// # Errors
    /// Each stack in use, and by whom; or when a consumer's state cannot be read.
    pub async fn check_unused(&self, chosen: &BTreeSet<StackId>) -> Result<(), DeployError> {
        let mut errors = Diagnostics::new();
        for &producer in chosen {
            let mut users = Vec::new();
            for &consumer in self.order.consumers(producer) {
                if !chosen.contains(&consumer) && self.exists(consumer).await? {
                    users.push(self.order.name(consumer).to_string());
                }
            }
            if users.is_empty() {
                continue;
            }
            let name = self.order.name(producer);
            let also = users.iter().map(|user| format!("--only {user}"));
            let also = also.collect::<Vec<_>>().join(" ");
            errors.push(
                Diagnostic::error(format!("{name} is in use"))
                    .detail(format!("used by {}", users.join(", ")))
                    .hint(format!(
                        "destroy them as well: `destroy --only {name} {also}`"
                    )),
            );
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(DeployError::Refused(errors)),
        }
    }

    /// Whether the stack's state has an object, or an operation that may have made one.
    async fn exists(&self, id: StackId) -> Result<bool, DeployError> {
        let (state, recovered) = self.members[id].deployment.state().await?;
        Ok(!state.resources.is_empty() || !recovered.open.is_empty())
    }

    /// The short-lived stacks that exist and whose last run began longer ago than their age.
    ///
    /// # Errors
    /// When a state or a journal cannot be read.
    pub async fn expired(
        &self,
        chosen: &BTreeSet<StackId>,
    ) -> Result<BTreeSet<StackId>, DeployError> {
        let mut expired = BTreeSet::new();
        for &id in chosen {
            let member = &self.members[id];
            let Some(age) = member.expires_after else {
                continue;
            };
            if self.exists(id).await?
                && self
                    .last_run(id)
                    .await?
                    .is_some_and(|(last, now)| now.since(last) > age)
            {
                expired.insert(id);
            }
        }
        Ok(expired)
    }

    /// When the last run of a stack began, and what time it is.
    async fn last_run(&self, id: StackId) -> Result<Option<(Timestamp, Timestamp)>, DeployError> {
        let member = &self.members[id];
        let clock = member.deployment.host().clock().clone();
        let now = clock.now();
        let backend = member.backend.address().connect(clock).await?;
        let runs = Run::history(&*backend).await?;
        Ok(runs.first().map(|run| (run.began_at, now)))
    }
}

fn uses_of(program: &Program) -> Vec<Use> {
    let references = program.stack_references().iter();
    let uses = references.filter_map(|reference| match reference.producer() {
        Producer::Stack(name) => Some(Use {
            producer: name.clone(),
            exports: reference
                .exports()
                .iter()
                .map(|it| it.name().clone())
                .collect(),
            location: reference.location(),
        }),
        Producer::State(_) => None,
    });
    uses.collect()
}
