//! Changes that are planned later in the same run, because they rest on something that does not exist yet.
//!
//! A provider with an unknown configuration cannot look at anything. The peers configure it all the same, and providers then fail, or look
//! in the wrong place. Here such a provider is not started: its instances, and all that refer to them, are left to a second plan, which is
//! made, shown and confirmed once the first is applied. A provider whose configuration only *changes* is no such case: it is configured
//! with the present values, which lead to the objects that exist.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, InstanceAddr, Mode, ModuleAddr, ProviderConfigAddr};
use terrane_core::{
    Diagnostic, Diagnostics, EvalError, IdVec, Location, Path, ProviderConfig, ProviderId,
    ResourceId, ResourceInstance, Scope,
};
use terrane_state::{DeposedKey, State};

use super::value_modules::nearest_unknown;
use super::visitor::{Finding, Visitor};
use crate::change::{Action, Reason, ResourceChange};
use crate::event::Event;
use crate::options::PlanMode;

/// A change that is planned and applied after the rest of the plan, in the same run.
#[derive(Debug, Clone, PartialEq)]
pub struct DeferredChange {
    /// The resource instance.
    pub address: Arc<InstanceAddr>,
    /// The deposed object this is about; `None` for the current one.
    pub deposed: Option<DeposedKey>,
    /// The likely operation: `Update` where an object exists, though it may turn out to need none, or another.
    pub action: Action,
    /// The provider configuration that serves it.
    pub provider: ProviderConfigAddr,
    /// Why it is deferred.
    pub reason: DeferralReason,
    /// The reason to replace the object, where something in this plan asks for that.
    pub(crate) forced: Option<Reason>,
    /// Where the program declares it; `None` when it no longer does.
    pub location: Option<Location>,
}

/// Why a change is planned later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeferralReason {
    /// Its provider is configured with values that are known only after apply.
    ProviderConfigUnknown {
        /// The instance that has the first of those values.
        needs: Arc<InstanceAddr>,
        /// Where in its object.
        path: Path,
    },
    /// The provider answered that it cannot plan it yet.
    ByProvider(terrane_provider::Deferred),
    /// It refers to an instance that is deferred.
    DependencyDeferred {
        /// That instance.
        on: Arc<InstanceAddr>,
    },
    /// It is to be destroyed, and an instance that is deferred still refers to it.
    DependentDeferred {
        /// That instance.
        by: Arc<InstanceAddr>,
    },
    /// It takes a value that is known only after apply.
    ValueUnknown {
        /// The instance that has the value.
        needs: Arc<InstanceAddr>,
        /// Where in its object.
        path: Path,
    },
    /// It takes an export of another stack, which is not known yet.
    ExportUnknown {
        /// The export, as `STACK.NAME`.
        export: Arc<str>,
    },
    /// It is in a module that is deferred, which may declare it again.
    ModuleDeferred {
        /// That module.
        module: ModuleAddr,
    },
}

impl DeferralReason {
    /// Whether it is a value that this run makes known.
    pub fn is_by_run(&self) -> bool {
        matches!(
            self,
            Self::ProviderConfigUnknown { .. } | Self::ValueUnknown { .. }
        )
    }

    /// Terraform's name for it.
    pub fn name(&self) -> &'static str {
        use terrane_provider::Deferred;
        match self {
            Self::ProviderConfigUnknown { .. }
            | Self::ByProvider(Deferred::ProviderConfigUnknown) => "provider_config_unknown",
            Self::ByProvider(Deferred::ResourceConfigUnknown) => "resource_config_unknown",
            Self::ByProvider(Deferred::AbsentPrerequisite) => "absent_prereq",
            Self::ByProvider(Deferred::Unknown) => "unknown",
            Self::ValueUnknown { .. } | Self::ExportUnknown { .. } => "instance_count_unknown",
            Self::DependencyDeferred { .. }
            | Self::DependentDeferred { .. }
            | Self::ModuleDeferred { .. } => "deferred_prereq",
        }
    }
}

impl fmt::Display for DeferredChange {
    /// The reason as a clause: `provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            DeferralReason::ProviderConfigUnknown { needs, path } => {
                write!(
                    f,
                    "provider {} is configured by {needs}",
                    self.provider.short()
                )?;
                if !path.is_root() {
                    write!(f, ".{path}")?;
                }
                f.write_str(", known after apply")
            }
            DeferralReason::ByProvider(why) => {
                write!(f, "provider {} defers it: {why}", self.provider.short())
            }
            DeferralReason::DependencyDeferred { on } => {
                write!(f, "it refers to {on}, which is deferred")
            }
            DeferralReason::DependentDeferred { by } => {
                write!(f, "{by} still refers to it, and is deferred")
            }
            DeferralReason::ValueUnknown { .. } => f.write_str("its value is known after apply"),
            DeferralReason::ExportUnknown { export } => {
                write!(f, "it takes {export}, known after that stack is applied")
            }
            DeferralReason::ModuleDeferred { module } => {
                write!(f, "it stays as it is until {module} is planned")
            }
        }
    }
}

/// What a provider can be asked while the plan is made.
#[derive(Debug, Clone, Default)]
pub(super) enum Readiness {
    /// Everything.
    #[default]
    Ready,
    /// Only about objects that exist: it is configured with the present values, and an instance that has them is replaced in this run.
    /// Whatever is destroyed is destroyed now, while they lead to it.
    Present(DeferralReason),
    /// Nothing: it cannot be configured yet.
    Absent(DeferralReason),
}

impl Visitor<'_> {
    /// The value by which the configuration of a provider is unknown. One that cannot be computed is reported where it is used.
    pub(super) async fn unknown_need(
        &self,
        declared: &ProviderConfig,
        scope: &impl Scope,
    ) -> Option<DeferralReason> {
        let blame = |error: &EvalError| Diagnostic::error(error.to_string());
        let config = self
            .inputs
            .running
            .evaluate(&declared.arguments, scope, blame);
        if config.await.ok()?.value.is_wholly_known() {
            return None;
        }
        let reference = nearest_unknown(&declared.arguments, scope)?;
        Some(DeferralReason::ProviderConfigUnknown {
            needs: reference.address.clone(),
            path: reference.path.clone(),
        })
    }

    /// Whether this run makes or replaces an instance that a provider is configured with, or one that such a data source is read from: the
    /// objects that the provider finds now may be gone with it.
    pub(super) fn is_moving(&self, declared: &ProviderConfig) -> bool {
        let mut open: Vec<ResourceId> = declared.dependencies.clone();
        let mut seen: HashSet<ResourceId> = HashSet::new();
        while let Some(position) = open.pop() {
            if !seen.insert(position) {
                continue;
            }
            let action = self.known.action(position);
            if action == Action::Create || action.is_replace() || self.known.is_deferred(position) {
                return true;
            }
            let resource = &self.inputs.program.resources()[position];
            if resource.mode() != Mode::Managed {
                open.extend(&resource.dependencies);
            }
        }
        false
    }

    /// Why a declared instance cannot be planned yet.
    pub(super) fn deferral(&self, resource: &ResourceInstance) -> Option<DeferralReason> {
        let stored = self.inputs.prior.instance(&resource.address);
        match self.known.readiness(resource.provider) {
            Readiness::Absent(reason) => return Some(reason),
            Readiness::Present(reason) if resource.mode() != Mode::Managed || stored.is_none() => {
                return Some(reason);
            }
            _ => {}
        }
        let mut needed = resource.dependencies.iter().copied();
        let on = needed.find(|&needed| self.known.is_deferred(needed))?;
        let on = self.inputs.program.resources()[on].address.clone();
        Some(DeferralReason::DependencyDeferred { on })
    }

    /// Leaves a declared instance to a later plan.
    pub(super) fn defer(
        &self,
        position: ResourceId,
        reason: DeferralReason,
        finding: &mut Finding,
    ) {
        let resource = &self.inputs.program.resources()[position];
        let stored = self.inputs.prior.instance(&resource.address);
        let action = match (resource.mode(), stored) {
            (Mode::Managed, Some(_)) => Action::Update,
            (Mode::Managed, None) => Action::Create,
            (Mode::Data | Mode::Ephemeral, _) => Action::Read,
        };
        let deferred = DeferredChange {
            address: resource.address.clone(),
            deposed: None,
            action,
            provider: self.inputs.provider_addresses[resource.provider].clone(),
            reason,
            forced: stored.and_then(|_| self.forced(position)),
            location: Some(resource.location),
        };
        if resource.mode() != Mode::Ephemeral {
            self.inputs
                .events
                .emit(Event::InstanceDeferred(deferred.clone()));
        }
        finding.defer(deferred);
    }

    /// Leaves the end of an undeclared instance to a later plan.
    pub(super) fn defer_orphan(
        &self,
        address: &Arc<InstanceAddr>,
        reason: DeferralReason,
        finding: &mut Finding,
    ) {
        let instance = self.inputs.prior.instance(address);
        let instance = instance.expect("invariant: orphans come from the state");
        let is_open = matches!(reason, DeferralReason::ModuleDeferred { .. });
        let deferred = DeferredChange {
            address: address.clone(),
            deposed: None,
            action: if is_open {
                Action::Update
            } else {
                Action::Delete
            },
            provider: instance.provider.clone(),
            reason,
            // The plan that knows its declaration does not read the command line again.
            forced: (is_open
                && self
                    .inputs
                    .options
                    .replace
                    .iter()
                    .any(|it| it.matches(address)))
            .then_some(Reason::ReplaceByRequest),
            location: None,
        };
        self.inputs
            .events
            .emit(Event::InstanceDeferred(deferred.clone()));
        finding.defer(deferred);
    }

    /// Leaves to a later plan what its provider defers. A destroy and a refresh have no later plan.
    pub(super) fn defer_if_told(
        &self,
        planned: Result<(), Diagnostics>,
        finding: &mut Finding,
        defer: impl FnOnce(DeferralReason, &mut Finding),
    ) -> Result<(), Diagnostics> {
        let is_normal = self.inputs.options.mode == PlanMode::Normal;
        match self.deferred.take() {
            Some(why) if planned.is_err() && is_normal => {
                finding.change = None;
                defer(DeferralReason::ByProvider(why), finding);
                Ok(())
            }
            _ => planned,
        }
    }

    /// Keeps of a plan that was made with present values only what must be done while they hold: an object is destroyed now, and is kept, or
    /// updated, later. An object that cannot be read or planned now may be gone soon; it is left to the later plan as well.
    pub(super) fn defer_kept<E>(
        &self,
        provider: ProviderId,
        planned: Result<(), E>,
        finding: &mut Finding,
        defer: impl FnOnce(DeferralReason, &mut Finding),
    ) -> Result<(), E> {
        let Readiness::Present(reason) = self.known.readiness(provider) else {
            return planned;
        };
        let destroys = finding.change.as_ref().is_some_and(|c| c.action.destroys());
        if planned.is_ok() && destroys {
            return Ok(());
        }
        finding.change = None;
        defer(reason, finding);
        Ok(())
    }

    /// Why the changes of a provider are deferred, where nothing of it can be planned.
    pub(super) fn absent(&self, provider: ProviderId) -> Option<DeferralReason> {
        match self.known.readiness(provider) {
            Readiness::Absent(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Takes out of `changes` the destroys of objects that a deferred instance stands on, as the state has it: it refers to them until it is
/// changed itself. Of a create-before-destroy only the second half is deferred, and the old object stays deposed until then; its change
/// stays. A provider that is `leaving` destroys now: later it would look elsewhere.
pub(super) fn keep_needed(
    deferred: &mut Vec<DeferredChange>,
    changes: &mut Vec<ResourceChange>,
    state: &State,
    leaving: impl Fn(&ResourceChange) -> bool,
) {
    let mut candidates: HashMap<ConfigAddr, Vec<usize>> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        let destroys = matches!(change.action, Action::Delete | Action::CreateThenDelete);
        if destroys && !leaving(change) {
            let config = change.address.resource.config();
            candidates.entry(config).or_default().push(at);
        }
    }
    if candidates.is_empty() {
        return;
    }
    let mut held: HashMap<usize, Arc<InstanceAddr>> = HashMap::new();
    let mut open: Vec<Arc<InstanceAddr>> = deferred.iter().map(|d| d.address.clone()).collect();
    // Objects share lists, and a list may be as long as the state.
    let mut seen: HashSet<*const ConfigAddr> = HashSet::new();
    while let Some(by) = open.pop() {
        let Some(instance) = state.instance(&by) else {
            continue;
        };
        for object in instance.current.iter().chain(instance.deposed.values()) {
            if !seen.insert(object.dependencies.as_ptr()) {
                continue;
            }
            let needed = object.dependencies.iter();
            for at in needed.flat_map(|config| candidates.remove(config).unwrap_or_default()) {
                open.push(changes[at].address.clone());
                held.insert(at, by.clone());
            }
        }
    }
    let mut at = 0..;
    changes.retain(|change| {
        let held = at.next().and_then(|at| held.remove(&at));
        let Some(by) = held else { return true };
        deferred.push(DeferredChange {
            address: change.address.clone(),
            deposed: change.deposed,
            action: Action::Delete,
            provider: change.provider.clone(),
            reason: DeferralReason::DependentDeferred { by },
            forced: None,
            location: change.location,
        });
        change.action == Action::CreateThenDelete
    });
}

/// The create-before-destroys whose old object stays until a later plan.
pub(super) fn old_half_stays<'d>(
    deferred: &'d [DeferredChange],
) -> impl Fn(&ResourceChange) -> bool + use<'d> {
    let ends = deferred
        .iter()
        .filter(|d| d.action == Action::Delete && d.deposed.is_none());
    let kept: HashSet<&InstanceAddr> = ends.map(|deferred| &*deferred.address).collect();
    move |change| change.action == Action::CreateThenDelete && kept.contains(&*change.address)
}

/// How ready each provider of a program is.
pub(super) type ReadinessOf = IdVec<ProviderId, Readiness>;
