//! Turns declarations into a program: references become ids, and every fault is reported at its line.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::actions::{self, Actions};
use super::cycle::find_cycle;
use super::{Metas, Program, ProviderConfig, ProviderId, ResourceId, ResourceInstance, Unfinished};
use crate::addr::{InstanceAddr, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource};
use crate::changes::{Adoption, Moved, PlaceAddr, Removed};
use crate::configuration::Configuration;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::expr::{EvalError, Expr, Scope};
use crate::ids::{Id as _, IdVec};
use crate::known::{KnownValues, Needed};
use crate::marks::Marked;
use crate::policy::Policy;
use crate::provider_action::DeclaredAction;
use crate::provider_meta::DeclaredMeta;
use crate::stack::{Declared, DeclaredProvider, DeclaredResource, Export};
use crate::value_module::{DeclaredValueModule, ValueModule, is_within};

/// The program of these declarations.
///
/// # Errors
/// Every fault of the declarations; a cycle only if there is no other.
pub(super) fn freeze(
    mut declared: Declared,
    config: Arc<dyn Configuration>,
    known_values: KnownValues,
    ended_at: Option<(Vec<Needed>, Diagnostics)>,
) -> Result<Program, Diagnostics> {
    declared.settle_forwards();
    let Declared {
        providers: declared_providers,
        required_providers,
        resources: declared_resources,
        exports,
        policies,
        actions: declared_actions,
        metas: declared_metas,
        moved,
        removed,
        references,
        adoptions: declared_adoptions,
        value_modules: declared_modules,
        forwards: _,
        owner_tags,
        not_known: _,
        mut diagnostics,
    } = declared;
    let index = index_resources(&declared_resources, &mut diagnostics);
    let resolver = Resolver {
        index: &index,
        modules: &declared_modules,
    };
    let places: Vec<Option<usize>> = (declared_resources.iter())
        .map(|resource| resource.value_module)
        .collect();
    let value_modules = freeze_modules(&resolver, &places, &mut diagnostics);
    check_shared(&declared_resources, &declared_modules, &mut diagnostics);
    check_providers(
        &declared_providers,
        &declared_resources,
        &declared_modules,
        &mut diagnostics,
    );

    let mut providers: IdVec<ProviderId, ProviderConfig> = IdVec::new();
    let mut provider_index: HashMap<ProviderConfigAddr, ProviderId> = HashMap::new();
    for provider in declared_providers {
        if let Some(&first) = provider_index.get(&provider.address) {
            let mut diagnostic =
                Diagnostic::error(format!("{} is configured twice", provider.address))
                    .location(provider.location)
                    .hint("give one of them an `alias`");
            if let Some(location) = providers[first].location {
                diagnostic = diagnostic.detail(format!("first configured at {location}"));
            }
            diagnostics.push(diagnostic);
            continue;
        }
        let arguments = Expr::map(provider.arguments);
        let dependencies = resolver.references(&arguments, &provider.address, &mut diagnostics);
        let address = provider.address.clone();
        let id = providers.push(ProviderConfig {
            address: provider.address,
            binding: provider.binding,
            arguments,
            dependencies,
            passed_env: provider.passed_env,
            endpoint_url: None,
            location: Some(provider.location),
        });
        provider_index.insert(address, id);
    }

    let mut resources = IdVec::new();
    for mut resource in declared_resources {
        resource.lifecycle.find_triggers();
        let provider = match provider_index.get(&resource.provider) {
            Some(&provider) => provider,
            None if resource.provider.alias.is_none() => {
                let address = resource.provider.clone();
                let id = providers.push(ProviderConfig::implied(address, resource.binding));
                provider_index.insert(resource.provider.clone(), id);
                id
            }
            None => {
                diagnostics.push(
                        Diagnostic::error(format!("{} is not configured", resource.provider))
                            .address(&resource.address)
                            .location(resource.location)
                            .hint("its handle comes from another stack; call `stack.provider` in this one"),
                    );
                continue;
            }
        };
        if providers[provider].binding.is_none() {
            providers[provider].binding = resource.binding;
        }
        let arguments = Expr::map(resource.arguments);
        let mut dependencies = resolver.references(&arguments, &resource.address, &mut diagnostics);
        let mut depends_on = Vec::new();
        for (address, location) in &resource.depends_on {
            depends_on.extend(resolver.resolve(
                address,
                *location,
                &resource.address,
                &mut diagnostics,
            ));
        }
        for trigger in &resource.lifecycle.replace_triggered_by {
            dependencies.extend(resolver.resolve(
                &trigger.address,
                resource.location,
                &resource.address,
                &mut diagnostics,
            ));
        }
        dependencies.extend(&depends_on);
        let from = (&*resource.address, resource.value_module, resource.location);
        check_place(from, &dependencies, &places, &resolver, &mut diagnostics);
        // The values themselves are ordinary ones by now.
        if let Some(inside) = resource.value_module {
            dependencies.extend(&value_modules[inside].dependencies);
        }
        dependencies.sort_unstable();
        dependencies.dedup();
        resources.push(ResourceInstance {
            address: resource.address,
            provider,
            arguments,
            dependencies,
            depends_on,
            lifecycle: resource.lifecycle,
            location: resource.location,
        });
    }
    let mut declared_or_implied = |address: ProviderConfigAddr| {
        if address.alias.is_some() {
            return provider_index.get(&address).copied();
        }
        let implied = || providers.push(ProviderConfig::implied(address.clone(), None));
        Some(
            *provider_index
                .entry(address.clone())
                .or_insert_with(implied),
        )
    };
    let actions = actions::freeze(
        declared_actions,
        &resolver,
        &mut declared_or_implied,
        &mut diagnostics,
    );
    let called = called_providers(&providers, &resources, &actions, &value_modules, &exports);
    let called = called.into_iter().map(|source| (source, None));
    let required = required_providers.into_iter();
    let required = required.map(|binding| (binding.address(), Some(binding)));
    for (source, binding) in called.chain(required) {
        let address = ProviderConfigAddr::default_of(source);
        if !providers
            .iter()
            .any(|known| known.address.source == address.source)
        {
            providers.push(ProviderConfig::implied(address, binding));
        }
    }
    let metas = metas(declared_metas, &mut diagnostics);
    check_exports(&exports, &resolver, &mut diagnostics);
    check_policies(&policies, &mut diagnostics);
    let adoptions = adoptions(declared_adoptions, &resolver, &mut diagnostics);
    check_removed(&removed, &resources, &mut diagnostics);
    check_moved(&moved, &index, &mut diagnostics);
    // Without that the ids above may be off, and a cycle report would only confuse.
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    actions::order(&actions, &providers, &mut resources);
    if let Some(cycle) = find_cycle(&resources, &providers) {
        return Err(cycle.into());
    }
    let unfinished = ended_at.map(|(needs, refusal)| {
        let ids = needs.into_iter();
        let ids = ids.filter_map(|need| Some((*index.get(&need.address)?, need)));
        Unfinished {
            needs: ids.collect(),
            refusal,
        }
    });
    Ok(Program {
        providers,
        resources,
        exports,
        policies,
        actions: Actions::new(actions),
        metas,
        moved,
        removed,
        references,
        adoptions,
        value_modules,
        known_values,
        unfinished,
        owner_tags,
        index,
        config,
    })
}

fn index_resources(
    resources: &[DeclaredResource],
    diagnostics: &mut Diagnostics,
) -> HashMap<Arc<InstanceAddr>, ResourceId> {
    let mut index: HashMap<Arc<InstanceAddr>, ResourceId> = HashMap::with_capacity(resources.len());
    for (position, resource) in resources.iter().enumerate() {
        if let Some(&first) = index.get(&resource.address) {
            let first = resources[first.place()].location;
            let mut detail = format!("first declared at {first}");
            if !resource.address.to_string().is_ascii() {
                detail.push_str("; keys are compared in Unicode normal form C");
            }
            diagnostics.push(
                Diagnostic::error(format!("{} is declared twice", resource.address))
                    .detail(detail)
                    .address(&resource.address)
                    .location(resource.location)
                    .hint("give each a name of its own, or an `instance_key`"),
            );
            continue;
        }
        index.insert(resource.address.clone(), ResourceId::at(position));
    }
    index
}

/// The providers whose functions the program calls, each once.
fn called_providers(
    providers: &[ProviderConfig],
    resources: &[ResourceInstance],
    actions: &[DeclaredAction],
    modules: &[ValueModule],
    exports: &[Export],
) -> BTreeSet<ProviderSource> {
    let mut called = BTreeSet::new();
    let providers = providers.iter().map(|provider| &provider.arguments);
    let resources = resources.iter().map(|resource| &resource.arguments);
    let actions = actions.iter().map(|action| &action.arguments);
    let exports = exports.iter().map(|export| &export.value);
    let modules = modules.iter().map(|module| &module.needs);
    let exprs = providers.chain(resources).chain(actions).chain(modules);
    for expr in exprs.chain(exports) {
        expr.for_each_call(&mut |call| {
            called.insert(call.provider.clone());
        });
    }
    called
}

/// The facts about modules, by module and provider.
fn metas(declared: Vec<DeclaredMeta>, diagnostics: &mut Diagnostics) -> Metas {
    let mut metas = Metas::new();
    for meta in declared {
        let told: &mut Vec<DeclaredMeta> = metas.entry(meta.module.clone()).or_default();
        if let Some(first) = told.iter().find(|first| first.source == meta.source) {
            diagnostics.push(
                Diagnostic::error(format!("{} is told twice about one module", first.source))
                    .detail(format!("first at {}", first.location))
                    .location(meta.location)
                    .hint("say everything in one `ProviderMeta`"),
            );
            continue;
        }
        told.push(meta);
    }
    metas
}

/// The objects that are taken in, by position.
fn adoptions(
    declared: Vec<(Arc<InstanceAddr>, Adoption)>,
    resolver: &Resolver<'_>,
    diagnostics: &mut Diagnostics,
) -> HashMap<ResourceId, Adoption> {
    let mut adoptions: HashMap<ResourceId, Adoption> = HashMap::new();
    for (address, adoption) in declared {
        let location = adoption.location;
        if address.resource.mode != Mode::Managed {
            let refused = Diagnostic::error(format!("{address} cannot be imported"));
            let refused = refused.address(&address).location(location);
            diagnostics.push(refused.hint("only a resource has an object of its own"));
            continue;
        }
        let Some(position) = resolver.resolve(&address, location, &address, diagnostics) else {
            continue;
        };
        if let Some(first) = adoptions.insert(position, adoption) {
            diagnostics.push(
                Diagnostic::error(format!("{address} is imported twice"))
                    .detail(format!("first at {}", first.location))
                    .address(&address)
                    .location(location),
            );
        }
    }
    adoptions
}

fn check_removed(
    removed: &[Removed],
    resources: &[ResourceInstance],
    diagnostics: &mut Diagnostics,
) {
    for removed in removed {
        let is_there = |resource: &&ResourceInstance| removed.address.contains(&resource.address);
        if let Some(declared) = resources.iter().find(is_there) {
            diagnostics.push(
                Diagnostic::error(format!("{} is removed and declared", removed.address))
                    .detail(format!("declared at {}", declared.location))
                    .location(removed.location)
                    .hint("take one of the two away"),
            );
        }
    }
}

fn check_moved(
    moved: &[Moved],
    index: &HashMap<Arc<InstanceAddr>, ResourceId>,
    diagnostics: &mut Diagnostics,
) {
    let mut targets: HashMap<String, Location> = HashMap::new();
    for moved in moved {
        let error = |summary: String| Diagnostic::error(summary).location(moved.location);
        if let PlaceAddr::Instance(from) = &moved.from
            && index.contains_key(from)
        {
            let error = error(format!("{from} is moved away and declared"));
            diagnostics.push(error.hint("take one of the two away"));
        }
        if let (PlaceAddr::Module(_), PlaceAddr::Instance(_))
        | (PlaceAddr::Instance(_), PlaceAddr::Module(_)) = (&moved.from, &moved.to)
        {
            let summary = format!("{} cannot become {}", moved.from, moved.to);
            let error = error(summary);
            diagnostics.push(error.hint("a module becomes a module, a resource a resource"));
        }
        if let Some(first) = targets.insert(moved.to.to_string(), moved.location) {
            let error = error(format!("two objects are moved to {}", moved.to));
            diagnostics.push(error.detail(format!("first at {first}")));
        }
    }
}

fn check_exports(exports: &[Export], resolver: &Resolver<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Location> = HashMap::new();
    for export in exports {
        if let Some(first) = seen.insert(&export.name, export.location) {
            diagnostics.push(
                Diagnostic::error(format!("`{}` is exported twice", export.name))
                    .detail(format!("first exported at {first}"))
                    .location(export.location),
            );
        }
        let from = format_args!("export {}", export.name);
        resolver.references(&export.value, &from, diagnostics);
        // The types exclude it; an expression that was taken apart and put together does not.
        if !export.value.ephemeral_paths().is_empty() {
            diagnostics.push(
                Diagnostic::error(format!("`{}` exports an ephemeral value", export.name))
                    .detail("exported values are stored in the state, and ephemeral ones never are")
                    .location(export.location),
            );
        }
    }
}

/// Turns addresses into ids and reports those that lead nowhere.
pub(super) struct Resolver<'a> {
    index: &'a HashMap<Arc<InstanceAddr>, ResourceId>,
    modules: &'a [DeclaredValueModule],
}

impl Resolver<'_> {
    pub(super) fn references(
        &self,
        expr: &Expr,
        from: &dyn std::fmt::Display,
        diagnostics: &mut Diagnostics,
    ) -> Vec<ResourceId> {
        let mut found = Vec::new();
        let mut reported = HashSet::new();
        expr.for_each_reference(&mut |reference| match self.index.get(&reference.address) {
            Some(&position) => found.push(position),
            None if reported.insert(&reference.address) => {
                diagnostics.push(self.undeclared(&reference.address, reference.location, from));
            }
            None => {}
        });
        found.sort_unstable();
        found.dedup();
        check_constants(expr, from, diagnostics);
        found
    }

    pub(super) fn resolve(
        &self,
        address: &InstanceAddr,
        location: Location,
        from: &dyn std::fmt::Display,
        diagnostics: &mut Diagnostics,
    ) -> Option<ResourceId> {
        let position = self.index.get(address).copied();
        if position.is_none() {
            diagnostics.push(self.undeclared(address, location, from));
        }
        position
    }
}

impl Resolver<'_> {
    fn undeclared(
        &self,
        address: &InstanceAddr,
        location: Location,
        from: &dyn std::fmt::Display,
    ) -> Diagnostic {
        let module = &address.resource.module;
        let waiting =
            |known: &&DeclaredValueModule| known.value.is_none() && known.address.contains(module);
        match self.modules.iter().find(waiting) {
            Some(waiting) => outside(address, &waiting.address, location, from),
            None => undeclared(address, location, from),
        }
    }
}

/// The modules that take a value, with the instances that each value comes from.
fn freeze_modules(
    resolver: &Resolver<'_>,
    places: &[Option<usize>],
    diagnostics: &mut Diagnostics,
) -> Vec<ValueModule> {
    let mut modules: Vec<ValueModule> = Vec::with_capacity(resolver.modules.len());
    let mut first: HashMap<&ModuleAddr, Location> = HashMap::new();
    for declared in resolver.modules {
        let error = |summary: String| {
            let error = Diagnostic::error(summary).address(&declared.address);
            error.location(declared.location)
        };
        if let Some(first) = first.insert(&declared.address, declared.location) {
            let error = error(format!("{} takes two values", declared.address));
            let error = error.detail(format!("first declared at {first}"));
            diagnostics.push(error.hint(
                "give each module a name of its own, or take both values at once: `all((a, b))`",
            ));
        }
        if !declared.needs.ephemeral_paths().is_empty() {
            let error = error("an ephemeral value cannot decide what a module declares".into());
            diagnostics.push(error.detail("it is another one at every run"));
        }
        let mut dependencies = resolver.references(&declared.needs, &declared.address, diagnostics);
        for &needed in &dependencies {
            let place = places[needed.place()];
            if let Some(inner) = place
                && !is_within(resolver.modules, declared.outer, inner)
            {
                let target = &resolver.modules[inner].address;
                let from = &declared.address;
                let summary = format!("{from} takes a value from inside of {target}");
                diagnostics.push(error(summary).hint(inside_hint(target)));
            }
        }
        if let Some(outer) = declared.outer {
            dependencies.extend(&modules[outer].dependencies);
            dependencies.sort_unstable();
            dependencies.dedup();
        }
        modules.push(ValueModule {
            address: declared.address.clone(),
            needs: declared.needs.clone(),
            dependencies,
            value: declared.value.clone(),
            location: declared.location,
        });
    }
    modules
}

/// What is in such a module while its value is unknown is told by its address alone, so nothing else may be declared there.
fn check_shared(
    resources: &[DeclaredResource],
    modules: &[DeclaredValueModule],
    diagnostics: &mut Diagnostics,
) {
    if modules.is_empty() {
        return;
    }
    let places = modules.iter().enumerate();
    let places: HashMap<&ModuleAddr, usize> = places.map(|(at, one)| (&one.address, at)).collect();
    let mut reported: HashSet<usize> = HashSet::new();
    for resource in resources {
        let module = &resource.address.resource.module;
        for depth in 1..=module.steps().len() {
            let around: ModuleAddr = module.steps()[..depth].iter().cloned().collect();
            if let Some(&at) = places.get(&around)
                && !is_within(modules, resource.value_module, at)
                && reported.insert(at)
            {
                let error = Diagnostic::error(format!("{around} is declared in two ways"))
                    .detail(format!(
                        "by `module_when_known` at {}, and around {} by `module`",
                        modules[at].location, resource.address
                    ))
                    .address(&resource.address)
                    .location(resource.location);
                diagnostics.push(error.hint("give one of the two another name"));
            }
        }
    }
}

/// A provider is installed before the first value is known, and destroys its objects when none is known any more.
fn check_providers(
    providers: &[DeclaredProvider],
    resources: &[DeclaredResource],
    modules: &[DeclaredValueModule],
    diagnostics: &mut Diagnostics,
) {
    if modules.is_empty() {
        return;
    }
    let providers = providers.iter();
    let providers = providers.map(|it| (&it.address.source, it.value_module, it.location));
    let resources = resources.iter();
    let resources = resources.map(|it| (&it.provider.source, it.value_module, it.location));
    let used = providers.chain(resources);
    let outside = used.clone().filter(|(_, module, _)| module.is_none());
    let mut known: HashSet<&ProviderSource> = outside.map(|(source, _, _)| source).collect();
    for (source, module, location) in used {
        let builtin = source.is_builtin();
        if let Some(module) = module.filter(|_| !builtin && known.insert(source)) {
            let module = &modules[module].address;
            let error = Diagnostic::error(format!("{source} is used in {module} alone"))
                .detail("it would not be there while the value that the module takes is unknown")
                .address(module)
                .location(location);
            diagnostics
                .push(error.hint("declare it with `stack.provider(…)` outside of the module"));
        }
    }
}

/// Nothing outside of a module that takes a value may rest on what is in it: it would come and go with the value.
fn check_place(
    (from, place, location): (&InstanceAddr, Option<usize>, Location),
    dependencies: &[ResourceId],
    places: &[Option<usize>],
    resolver: &Resolver<'_>,
    diagnostics: &mut Diagnostics,
) {
    for &needed in dependencies {
        if let Some(inner) = places[needed.place()]
            && !is_within(resolver.modules, place, inner)
        {
            let (needed, _) = (resolver.index.iter())
                .find(|&(_, &position)| position == needed)
                .expect("invariant: every id has an address");
            let module = &resolver.modules[inner].address;
            diagnostics.push(outside(needed, module, location, &from));
        }
    }
}

/// A reference into a module from outside.
fn outside(
    address: &InstanceAddr,
    module: &ModuleAddr,
    location: Location,
    from: &dyn std::fmt::Display,
) -> Diagnostic {
    Diagnostic::error(format!("{address} is referred to from outside of {module}"))
        .detail("it is declared only while the value that the module takes is known")
        .address(from)
        .location(location)
        .hint(inside_hint(module))
}

fn inside_hint(module: &ModuleAddr) -> String {
    format!("declare it in {module}, too")
}

/// Reports name a policy by its name alone, and an exception that names nothing must not pass for one that holds.
fn check_policies(policies: &[Policy], diagnostics: &mut Diagnostics) {
    let mut first: HashMap<&str, Location> = HashMap::new();
    for policy in policies {
        let (name, location) = (policy.name(), policy.location());
        if let Some(first) = first.insert(name, location) {
            diagnostics.push(
                Diagnostic::error(format!("the policy `{name}` is declared twice"))
                    .detail(format!("first declared at {first}"))
                    .location(location)
                    .hint("give one of them another name"),
            );
        }
        for text in &policy.invalid_exceptions {
            diagnostics.push(
                Diagnostic::error(format!(
                    "the exception `{text}` of the policy `{name}` is not an address"
                ))
                .location(location)
                .hint("write it as `aws_s3_bucket.site`, `module.web` or `module.web.*`"),
            );
        }
    }
}

/// Evaluates expressions that depend on no resource, so that a failure there is known before the first call of a provider.
fn check_constants(expr: &Expr, from: &dyn std::fmt::Display, diagnostics: &mut Diagnostics) {
    struct Nothing;
    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }
    expr.for_each_constant(&mut |constant| {
        if let Err(error) = constant.evaluate(&Nothing) {
            let location = error.location();
            let summary = match error {
                EvalError::Map { reason, .. } => reason,
                other => other.to_string(),
            };
            diagnostics.push(Diagnostic::error(summary).address(from).location(location));
        }
    });
}

fn undeclared(
    address: &InstanceAddr,
    location: Location,
    from: &dyn std::fmt::Display,
) -> Diagnostic {
    Diagnostic::error(format!(
        "{address} is referred to but not declared in this stack"
    ))
    .address(from)
    .location(location)
    .hint("declare it, or read it as a data resource")
}
