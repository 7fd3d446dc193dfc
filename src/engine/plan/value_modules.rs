//! Values that decide what is declared: which of them are known, and what a plan leaves to a later one because they are not.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, InstanceAddr, ModuleAddr};
use terrane_core::{
    Diagnostic, Diagnostics, EvalError, Expr, KnownValues, Location, Marked, Path, Program,
    ProviderConfig, Reference, Scope, Value, ValueModule,
};
use terrane_state::State;

use super::deferred::{DeferralReason, DeferredChange};
use super::inputs::Inputs;
use super::visitor::Known;
use crate::change::{Action, ResourceChange};
use crate::options::{PlanMode, PlanOptions};
use crate::running::RunningProviders;

/// A module whose content is planned and applied after the rest of the plan, in the same run.
#[derive(Debug, Clone, PartialEq)]
pub struct DeferredModule {
    /// The module.
    pub address: ModuleAddr,
    /// `Create` where the state has nothing of it, else `Update`.
    pub action: Action,
    /// Why it is deferred.
    pub reason: DeferralReason,
    /// Where the program declares it.
    pub location: Option<Location>,
}

impl fmt::Display for DeferredModule {
    /// The reason as a clause: `it takes aws_eks_cluster.main.subnet_ids, known after apply`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            DeferralReason::DependencyDeferred { on } => {
                write!(f, "it takes a value of {on}, which is deferred")
            }
            DeferralReason::ValueUnknown { needs, path } => {
                write!(f, "it takes {}, known after apply", source(needs, path))
            }
            DeferralReason::ExportUnknown { export } => {
                write!(f, "it takes {export}, known after that stack is applied")
            }
            _ => f.write_str("it takes a value, known after apply"),
        }
    }
}

/// The modules that wait for their values, by address.
#[derive(Debug, Default)]
pub(crate) struct Waiting<'a> {
    /// Whether the run looks at each.
    modules: HashMap<&'a ModuleAddr, bool>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(program: &'a Program, is_selected: impl Fn(&ValueModule) -> bool) -> Self {
        let waiting = waiting(program);
        Self {
            modules: waiting
                .map(|module| (&module.address, is_selected(module)))
                .collect(),
        }
    }

    /// The waiting module around an instance, and whether the run looks at it.
    pub(super) fn around(&self, address: &InstanceAddr) -> Option<(ModuleAddr, bool)> {
        if self.modules.is_empty() {
            return None;
        }
        let steps = address.resource.module.steps();
        (1..=steps.len()).find_map(|depth| {
            let module: ModuleAddr = steps[..depth].iter().cloned().collect();
            let &is_selected = self.modules.get(&module)?;
            Some((module, is_selected))
        })
    }

    /// Whether exports of such modules may be missing from the program.
    pub(super) fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }
}

/// Refuses a program that uses a provider which the one before did not: providers are installed once, for all that is planned.
///
/// # Errors
/// At the first resource of the provider.
pub(crate) fn uses_no_new_provider(before: &Program, now: &Program) -> Result<(), Diagnostics> {
    if before.unfinished().is_none() {
        return Ok(());
    }
    let is_known = |provider: &ProviderConfig| {
        let source = &provider.address.source;
        let known = before.providers().iter();
        let known = known.filter(|it| it.address.source == *source);
        let passed: HashSet<&Arc<str>> = known.clone().flat_map(|it| &it.passed_env).collect();
        let is_there = source.is_builtin() || known.count() > 0;
        is_there && provider.passed_env.iter().all(|it| passed.contains(it))
    };
    let new = now.providers().entries();
    let mut new = new.filter(|(_, provider)| !is_known(provider));
    let Some((id, provider)) = new.next() else {
        return Ok(());
    };
    let source = &provider.address.source;
    let mut uses = now.resources().iter().filter(|it| it.provider == id);
    let error = Diagnostic::error(format!(
        "{source} is used, or gets a variable of the environment, only after a value was looked at"
    ))
    .detail("providers are installed before the first value is known");
    let error = error
        .hint("say `stack.require_provider(…)` at the start of the program, or configure it there");
    Err(Diagnostic {
        location: provider.location.or(uses.next().map(|it| it.location)),
        ..error
    }
    .into())
}

/// The modules of a program that wait for their values.
pub(crate) fn waiting(program: &Program) -> impl Iterator<Item = &ValueModule> {
    let modules = program.value_modules().iter();
    modules.filter(|module| module.is_waiting())
}

/// Those that the patterns of a run leave in it.
pub(super) fn is_chosen(module: &ValueModule, options: &PlanOptions) -> bool {
    let targets = &options.targets;
    let is_targeted = targets.is_empty() || targets.iter().any(|it| it.reaches(&module.address));
    let excludes = &options.excludes;
    is_targeted && !excludes.iter().any(|it| it.covers(&module.address))
}

/// What the program needs to know, as far as it is known, with all that it knew before.
pub(super) async fn values(
    inputs: &Inputs<'_>,
    known: &Known<'_>,
) -> Result<KnownValues, Diagnostics> {
    let mut values = inputs.program.known_values().clone();
    let needs = inputs.program.unfinished().into_iter();
    for (id, needed) in needs.flat_map(|it| &it.needs) {
        if let Some(object) = known.objects.get(*id) {
            values.add_attribute(needed, &object);
        }
    }
    for module in waiting(inputs.program) {
        let has_objects = module.dependencies.iter();
        let has_objects = has_objects
            .copied()
            .all(|id| known.objects.get(id).is_some());
        if !inputs.selection.module(module, inputs.options) || !has_objects {
            continue;
        }
        let marked = evaluate(module, &known.objects, inputs.running).await?;
        if marked.value.is_wholly_known() {
            values.add_module(module.address.clone(), marked.value);
        }
    }
    Ok(values)
}

/// The modules that a plan leaves to a later one. Those that ran must have run with the values that the plan has.
pub(super) async fn deferred(
    inputs: &Inputs<'_>,
    known: &Known<'_>,
) -> Result<Vec<DeferredModule>, Diagnostics> {
    if inputs.options.mode != PlanMode::Normal {
        return Ok(Vec::new());
    }
    for (address, ran_with) in inputs.program.known_values().objects() {
        let id = inputs.program.position(address);
        let now = id.filter(|&id| inputs.selection.declared(id));
        let now = now.and_then(|id| known.objects.get(id));
        if now.is_some_and(|now| !agree(&ran_with.value, &now.value)) {
            return Err(changed(
                address,
                id.map(|id| inputs.program.resources()[id].location),
            )
            .into());
        }
    }
    let mut deferred = Vec::new();
    for module in inputs.program.value_modules() {
        let mut needed = module.dependencies.iter().copied();
        match &module.value {
            Some(_) if !needed.all(|id| inputs.selection.declared(id)) => {}
            Some(ran_with) => {
                let now = evaluate(module, &known.objects, inputs.running).await?;
                if now.value != *ran_with {
                    return Err(changed(&module.address, Some(module.location)).into());
                }
            }
            None if !inputs.selection.module(module, inputs.options) => {}
            None => {
                let on = needed.find(|&needed| known.is_deferred(needed));
                let on = on.map(|on| inputs.program.resources()[on].address.clone());
                deferred.push(DeferredModule {
                    address: module.address.clone(),
                    action: likely(&module.address, inputs.prior),
                    reason: match on {
                        Some(on) => DeferralReason::DependencyDeferred { on },
                        None => unknown(module, &known.objects),
                    },
                    location: Some(module.location),
                });
            }
        }
    }
    Ok(deferred)
}

/// A destroy takes such a module as the state has it.
pub(super) fn destroyed_blindly(inputs: &Inputs<'_>) -> Option<Diagnostic> {
    if inputs.options.mode != PlanMode::Destroy {
        return None;
    }
    if let Some(unfinished) = inputs.program.unfinished() {
        let warning = Diagnostic::warning("what the program did not declare is destroyed as the state has it")
            .detail("a value that decides what is declared is not known, so no `prevent_destroy` after that line counts");
        return Some(Diagnostic {
            location: unfinished.location(),
            ..warning
        });
    }
    if inputs.waiting.is_empty() {
        return None;
    }
    let orphans = inputs.orphans.entries();
    let mut inside = orphans
        .filter(|&(orphan, _)| inputs.selection.orphan(orphan))
        .filter_map(|(_, address)| inputs.waiting.around(address));
    let (module, _) = inside.next()?;
    let warning = Diagnostic::warning(format!("{module} is destroyed as the state has it"))
        .address(&module)
        .detail("the value that it takes is not known, so its program did not run: no `prevent_destroy` in it counts");
    Some(warning.hint(format!(
        "`--exclude {module}` leaves its objects, and what they stand on, as they are"
    )))
}

/// Warns where an object goes for good before the objects of a module that stand on it can follow.
pub(super) fn left_standing(
    deferred: &[DeferredChange],
    changes: &[ResourceChange],
    state: &State,
) -> Diagnostics {
    let mut needed: HashMap<&ConfigAddr, &ModuleAddr> = HashMap::new();
    let mut seen: HashSet<*const ConfigAddr> = HashSet::new();
    for one in deferred {
        let DeferralReason::ModuleDeferred { module } = &one.reason else {
            continue;
        };
        let instance = state.instance(&one.address);
        let object = instance.and_then(|instance| instance.current.as_ref());
        // Objects share lists.
        let lists = object.filter(|object| seen.insert(object.dependencies.as_ptr()));
        let configs = lists
            .into_iter()
            .flat_map(|object| object.dependencies.iter());
        needed.extend(configs.map(|config| (config, module)));
    }
    let ending = changes
        .iter()
        .filter(|change| change.action == Action::DeleteThenCreate);
    let warning = |change: &ResourceChange| {
        let module = needed.get(&change.address.resource.config())?;
        let address = &change.address;
        let warning = Diagnostic::warning(format!(
            "{address} is destroyed before {module} can be planned again"
        ));
        let warning = Diagnostic {
            location: change.location,
            ..warning.address(address)
        };
        let warning =
            warning.detail("objects of the module stand on it, and its provider may refuse that");
        Some(warning.hints([
            format!("with `create_before_destroy` in its lifecycle it stays until {module} has moved over"),
            format!("`destroy --target {module}` removes them first"),
        ]))
    };
    ending.filter_map(warning).collect()
}

fn likely(module: &ModuleAddr, state: &State) -> Action {
    let inside = |address: &InstanceAddr| module.contains(&address.resource.module);
    match state.resources.keys().any(inside) {
        true => Action::Update,
        false => Action::Create,
    }
}

async fn evaluate(
    module: &ValueModule,
    scope: &impl Scope,
    running: &RunningProviders<'_>,
) -> Result<Marked, Diagnostics> {
    let blame = |error: &EvalError| {
        Diagnostic::error(error.to_string())
            .address(&module.address)
            .location(error.location())
    };
    let marked = running.evaluate(&module.needs, scope, blame).await?;
    match marked.is_sensitive() {
        true => Err(module.refuse_sensitive().into()),
        false => Ok(marked),
    }
}

fn unknown(module: &ValueModule, scope: &impl Scope) -> DeferralReason {
    match nearest_unknown(&module.needs, scope) {
        Some(reference) => DeferralReason::ValueUnknown {
            needs: reference.address.clone(),
            path: reference.path.clone(),
        },
        None => unknown_export(&module.needs).map_or(
            DeferralReason::ByProvider(terrane_provider::Deferred::Unknown),
            |export| DeferralReason::ExportUnknown { export },
        ),
    }
}

/// The export of another stack that an expression waits for.
fn unknown_export(expr: &Expr) -> Option<Arc<str>> {
    let mut unknown = None;
    expr.for_each_export(&mut |export| {
        let is_known = export.value().is_some_and(|it| it.value.is_wholly_known());
        if !is_known && unknown.is_none() {
            unknown = Some(export.to_string().into());
        }
    });
    unknown
}

/// The reference to something unknown that is nearest to its object: `endpoint` says more than `certificate_authority[0].data`.
pub(super) fn nearest_unknown<'e>(expr: &'e Expr, scope: &impl Scope) -> Option<&'e Reference> {
    let mut references: Vec<(bool, usize, &Reference)> = Vec::new();
    expr.for_each_reference(&mut |reference| {
        let is_known = scope.object(&reference.address).is_some_and(|object| {
            let value = object.value.at(&reference.path);
            value.is_some_and(Value::is_wholly_known)
        });
        references.push((is_known, reference.path.steps().len(), reference));
    });
    let nearest = references.into_iter();
    let nearest = nearest.min_by_key(|&(is_known, depth, _)| (is_known, depth));
    nearest.map(|(_, _, reference)| reference)
}

/// Whether a value is one that was known before, where anything was known of it.
fn agree(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Unknown(_), _) => true,
        (Value::List(before), Value::List(now)) => {
            let mut pairs = before.iter().zip(&**now);
            before.len() == now.len() && pairs.all(|(before, now)| agree(before, now))
        }
        (Value::Map(before), Value::Map(now)) => {
            let same = |(name, before): (&Arc<str>, &Value)| {
                now.get(name).is_some_and(|now| agree(before, now))
            };
            before.len() == now.len() && before.iter().all(same)
        }
        (Value::Dynamic(before), Value::Dynamic(now)) => agree(&before.1, &now.1),
        _ => before == now,
    }
}

fn changed(address: &dyn fmt::Display, location: Option<Location>) -> Diagnostic {
    let changed = Diagnostic::error(format!(
        "a value of {address} decides what is declared, and changed while the plan was made"
    ))
    .address(address);
    Diagnostic {
        location,
        ..changed.hint("run the command again: it plans with the new value")
    }
}

/// Where a value comes from, for a person.
fn source(needs: &InstanceAddr, path: &Path) -> String {
    match path.is_root() {
        true => needs.to_string(),
        false => format!("{needs}.{path}"),
    }
}
