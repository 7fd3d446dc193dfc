//! Invokes the program's actions: by hand, and around the operations on a resource.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ProviderSource};
use terrane_core::schema::Schema;
use terrane_core::{
    DeclaredAction, Diagnostic, Diagnostics, IdVec, Program, ResourceId, Value, When, closest,
};
use terrane_provider::{InvokeAction, Provider};
use terrane_state::Recorder;

use crate::change::{Action, ResourceChange};
use crate::config::Config;
use crate::engine::Engine;
use crate::event::{ActionStage, Event, EventSink, StepKind};
use crate::plan::Plan;
use crate::recover::Remembered;
use crate::running::call_failed;

/// An action that a plan invokes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The address of the action.
    pub action: Arc<str>,
    /// Its type.
    pub action_type: Arc<str>,
    /// Its provider.
    pub provider: ProviderSource,
    /// The resource instance around whose operation it is invoked.
    pub address: Arc<InstanceAddr>,
    /// At which moment.
    pub when: When,
}

impl Plan {
    /// The actions that applying it invokes, in the order of the program.
    pub fn invocations(&self, program: &Program) -> Vec<Invocation> {
        if program.actions().is_empty() {
            return Vec::new();
        }
        let mut planned = IdVec::filled(None, program.resources());
        for change in self.changes.iter().filter(|one| one.deposed.is_none()) {
            if let Some(id) = program.position(&change.address) {
                planned[id] = Some(change);
            }
        }
        invocations(program, |id| planned[id])
            .map(|(action, change, when)| Invocation {
                action: action.address.clone(),
                action_type: action.action_type.clone(),
                provider: program.providers()[action.provider].address.source.clone(),
                address: change.address.clone(),
                when,
            })
            .collect()
    }
}

/// The actions that those changes invoke, in the order of the program.
pub(crate) fn invocations<'p, 'c>(
    program: &'p Program,
    planned: impl Fn(ResourceId) -> Option<&'c ResourceChange>,
) -> impl Iterator<Item = (&'p DeclaredAction, &'c ResourceChange, When)> {
    program.actions().iter().flat_map(move |action| {
        let triggers = action.triggers.iter();
        let happening = triggers.filter_map(|&(id, when)| {
            let change = planned(id).filter(|change| happens(change, when))?;
            Some((action, change, when))
        });
        happening.collect::<Vec<_>>()
    })
}

/// Whether a change has that moment.
fn happens(change: &ResourceChange, when: When) -> bool {
    let action = change.action;
    match when {
        When::BeforeCreate | When::AfterCreate => action == Action::Create || action.is_replace(),
        When::BeforeUpdate | When::AfterUpdate => is_requested_update(change),
        When::BeforeDestroy | When::AfterDestroy => action.destroys(),
    }
}

/// An update of what is kept beside the object asks nothing of a provider.
fn is_requested_update(change: &ResourceChange) -> bool {
    change.action == Action::Update && !change.before.value.known_equal(&change.after.value)
}

/// The moments around an operation of a change.
pub(crate) fn moments(change: &ResourceChange, kind: StepKind) -> Option<(When, When)> {
    match kind {
        _ if change.deposed.is_some() => None,
        StepKind::Create => Some((When::BeforeCreate, When::AfterCreate)),
        StepKind::Update if is_requested_update(change) => {
            Some((When::BeforeUpdate, When::AfterUpdate))
        }
        StepKind::Delete => Some((When::BeforeDestroy, When::AfterDestroy)),
        StepKind::Update | StepKind::Read | StepKind::Forget => None,
    }
}

/// The schema of an action.
pub(crate) fn schema_of(
    provider: &dyn Provider,
    action: &DeclaredAction,
) -> Result<Arc<Schema>, Diagnostics> {
    let schema = provider.action_schema(&action.action_type);
    let schema = schema.map_err(|error| call_failed(&error, &action.address))?;
    schema.ok_or_else(|| {
        let missing = format!("the provider has no action `{}`", action.action_type);
        let error = Diagnostic::error(missing).address(&action.address);
        let error = error.location(action.location);
        error
            .hint("check the name and the installed version of the provider")
            .into()
    })
}

fn about(action: &DeclaredAction, diagnostics: Diagnostics) -> Diagnostics {
    let about = |mut diagnostic: Diagnostic| {
        diagnostic
            .address
            .get_or_insert_with(|| action.address.to_string());
        diagnostic.location = diagnostic.location.or(Some(action.location));
        diagnostic
    };
    diagnostics.into_iter().map(about).collect()
}

/// Asks whether the action can be invoked, and invokes it; the warnings of its provider.
pub(crate) async fn invoke(
    provider: &dyn Provider,
    action: &DeclaredAction,
    config: &Config,
    events: &dyn EventSink,
) -> Result<Diagnostics, Diagnostics> {
    if !config.value.is_wholly_known() {
        return Err(about(action, unknown(&config.value).into()));
    }
    let mut warnings = check(provider, action, config).await?;
    let (action_type, value) = (&*action.action_type, &config.value);
    let request = InvokeAction {
        action_type,
        config: value,
    };
    let failed = |error| about(action, call_failed(&error, &action.address));
    let stage = |stage| {
        events.emit(Event::Action {
            action: action.address.clone(),
            stage,
        });
    };
    stage(ActionStage::Started);
    let progress = |message| stage(ActionStage::Progress(message));
    let said = provider.invoke_action(request, &progress).await;
    let ended = said
        .map_err(failed)
        .and_then(|said| about(action, said).into_result(()));
    match ended {
        Ok(((), said)) => {
            stage(ActionStage::Done);
            warnings.extend(said);
            Ok(warnings)
        }
        Err(errors) => {
            stage(ActionStage::Failed);
            Err(errors)
        }
    }
}

/// Asks the provider whether the action can be invoked with that configuration; its warnings.
///
/// # Errors
/// When it cannot, or the provider defers it.
pub(crate) async fn check(
    provider: &dyn Provider,
    action: &DeclaredAction,
    config: &Config,
) -> Result<Diagnostics, Diagnostics> {
    let mut warnings = validate(provider, action, config).await?;
    let request = InvokeAction {
        action_type: &action.action_type,
        config: &config.value,
    };
    let planned = provider.plan_action(request).await;
    let planned = planned.map_err(|error| about(action, call_failed(&error, &action.address)))?;
    let ((), said) = about(action, planned.diagnostics).into_result(())?;
    warnings.extend(said);
    if let Some(why) = planned.deferred {
        let error = Diagnostic::error("the provider defers the action");
        return Err(about(action, error.detail(why.to_string()).into()));
    }
    Ok(warnings)
}

/// Checks a configuration, which may hold unknown values; the warnings of the provider.
pub(crate) async fn validate(
    provider: &dyn Provider,
    action: &DeclaredAction,
    config: &Config,
) -> Result<Diagnostics, Diagnostics> {
    let said = provider
        .validate_action_config(&action.action_type, &config.value)
        .await;
    let said = said.map_err(|error| about(action, call_failed(&error, &action.address)))?;
    let ((), warnings) = about(action, said).into_result(())?;
    Ok(warnings)
}

/// Names the arguments that are not known.
fn unknown(config: &Value) -> Diagnostic {
    let members = config
        .members()
        .into_iter()
        .flat_map(|members| members.iter());
    let unknown = members.filter(|(_, value)| !value.is_wholly_known());
    let named: Vec<String> = unknown.map(|(name, _)| format!("`{name}`")).collect();
    Diagnostic::error("an action can only be invoked with values that are known")
        .detail(format!("not known now: {}", named.join(", ")))
        .hint("they refer to an object that does not exist yet; make it first with `up`")
}

impl Engine<'_> {
    /// Invokes one of the program's actions by hand, with the objects in the state; the warnings of its provider.
    ///
    /// # Errors
    /// When there is no such action, and when it fails.
    pub async fn invoke(
        &self,
        program: &Program,
        recorder: &dyn Recorder,
        name: &str,
    ) -> Result<Diagnostics, Diagnostics> {
        let action = declared(program, name)?;
        let remembered = Remembered::new(program, recorder, self.running());
        let events = self.host.events;
        let work = async {
            let provider = remembered.configured(action.provider).await?;
            let schema = schema_of(&*provider, action)?;
            let config = remembered.action_config(action, &schema).await?;
            invoke(&*provider, action, &config, events).await
        };
        let result = self.running().renewing(work).await;
        let closed = self.running().close_ephemerals().await;
        let said = remembered.into_warnings();
        match result {
            Ok(warnings) => Ok(said.into_iter().chain(warnings).chain(closed).collect()),
            Err(errors) => Err(errors.into_iter().chain(closed).collect()),
        }
    }
}

/// The declared action of that address.
///
/// # Errors
/// Names the ones that there are.
pub fn declared<'p>(program: &'p Program, name: &str) -> Result<&'p DeclaredAction, Diagnostics> {
    let actions = program.actions();
    let exact = actions.iter().find(|action| &*action.address == name);
    exact.ok_or_else(|| {
        let error = Diagnostic::error(format!("the program declares no action `{name}`"));
        let names: Vec<&str> = actions.iter().map(|action| &*action.address).collect();
        let error = match closest(name, names.iter().copied()) {
            Some(close) => error.hint(format!("did you mean `{close}`?")),
            None if names.is_empty() => error.detail("it declares none"),
            None => error.detail(format!("it declares {}", names.join(", "))),
        };
        error.into()
    })
}
