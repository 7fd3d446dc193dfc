//! The frozen graph that a stack function produced, checked before the first call of a provider.

mod actions;
mod cycle;
mod freeze;
#[cfg(test)]
mod tests;
mod unfinished;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use self::actions::Actions;
pub use self::unfinished::Unfinished;
use crate::addr::{InstanceAddr, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource};
use crate::changes::{Adoption, Moved, Removed};
use crate::configuration::Configuration;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::ids::IdVec;
use crate::known::KnownValues;
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::provider::ProviderBinding;
use crate::provider_action::{DeclaredAction, When};
use crate::provider_meta::DeclaredMeta;
use crate::schema::Schema;
use crate::stack::{Export, Stack};
use crate::stack_reference::{ReferencedExport, StackReference};
use crate::value::Value;
use crate::value_module::ValueModule;

crate::id_type! {
    /// The place of a resource or data resource instance in a program.
    pub struct ResourceId;
}

crate::id_type! {
    /// The place of a provider configuration in a program.
    pub struct ProviderId;
}

/// The declarations of a stack function: providers, resources and exports, with every reference resolved.
///
/// References lead only to declared instances, addresses are unique, and there is no cycle.
#[derive(Debug)]
pub struct Program {
    providers: IdVec<ProviderId, ProviderConfig>,
    resources: IdVec<ResourceId, ResourceInstance>,
    exports: Vec<Export>,
    policies: Vec<Policy>,
    actions: Actions,
    metas: Metas,
    moved: Vec<Moved>,
    removed: Vec<Removed>,
    references: Vec<StackReference>,
    adoptions: HashMap<ResourceId, Adoption>,
    value_modules: Vec<ValueModule>,
    known_values: KnownValues,
    unfinished: Option<Unfinished>,
    owner_tags: bool,
    index: HashMap<Arc<InstanceAddr>, ResourceId>,
    config: Arc<dyn Configuration>,
}

/// What modules tell their providers.
type Metas = BTreeMap<ModuleAddr, Vec<DeclaredMeta>>;

/// One configured provider.
#[derive(Debug)]
pub struct ProviderConfig {
    /// Its address in the state.
    pub address: ProviderConfigAddr,
    /// The facts of its bindings.
    pub binding: Option<&'static ProviderBinding>,
    /// Its arguments, an object.
    pub arguments: Expr,
    /// The resource instances that its arguments refer to.
    pub dependencies: Vec<ResourceId>,
    /// Names, or prefixes with a `*`, of environment variables that its process gets beside those that it always gets.
    pub passed_env: Vec<Arc<str>>,
    /// The emulator of its cloud that it is pointed at (see [`Program::redirect`]).
    pub endpoint_url: Option<Arc<str>>,
    /// Where it was declared; `None` for a provider that is used without a configuration.
    pub location: Option<Location>,
}

/// One resource or data resource instance.
#[derive(Debug)]
pub struct ResourceInstance {
    /// Its address.
    pub address: Arc<InstanceAddr>,
    /// Its provider configuration.
    pub provider: ProviderId,
    /// Its arguments, an object.
    pub arguments: Expr,
    /// The instances that it refers to or names in `depends_on` or `replace_triggered_by`; sorted, each once.
    pub dependencies: Vec<ResourceId>,
    /// The instances named in `depends_on`.
    pub depends_on: Vec<ResourceId>,
    /// How the engine may treat it.
    pub lifecycle: Lifecycle,
    /// Where it was declared.
    pub location: Location,
}

impl ResourceInstance {
    /// Managed or data.
    pub fn mode(&self) -> Mode {
        self.address.resource.mode
    }

    /// The resource type.
    pub fn type_name(&self) -> &Arc<str> {
        &self.address.resource.type_name
    }
}

impl ProviderConfig {
    /// One without arguments that no line declares.
    fn implied(address: ProviderConfigAddr, binding: Option<&'static ProviderBinding>) -> Self {
        Self {
            address,
            binding,
            arguments: Expr::map(BTreeMap::new()),
            dependencies: Vec::new(),
            passed_env: Vec::new(),
            endpoint_url: None,
            location: None,
        }
    }

    /// The attribute that holds an object's tags, where objects of the provider have some. Bindings say so; of a provider without
    /// bindings it is `tags`, the usual name, for those of its types that have such an attribute.
    pub fn tags(&self) -> Option<&'static str> {
        self.binding
            .map_or(Some("tags"), |binding| binding.lookup.tags)
    }

    /// The configuration to call the provider's `Configure` with: the evaluated one, pointed at the emulator where there is one.
    pub fn redirected(&self, config: &Value, schema: &Schema) -> Value {
        let redirect = self.binding.and_then(|binding| binding.redirect);
        match (redirect, &self.endpoint_url) {
            (Some(redirect), Some(url)) => redirect(config.clone(), schema, url),
            _ => config.clone(),
        }
    }
}

impl Program {
    /// Runs a stack function with that configuration and checks its declarations. Needs no cloud, no provider and no files,
    /// so a stack can have unit tests.
    ///
    /// # Errors
    /// Every fault: the function's own error or panic, duplicate addresses, references to undeclared resources,
    /// cycles, invalid names. Each at the user's line.
    pub fn from_fn(
        function: impl FnOnce(&mut Stack) -> Result<()>,
        config: impl Configuration + 'static,
    ) -> Result<Self, Diagnostics> {
        Self::with_values(function, config, KnownValues::default())
    }

    /// The same where values are known that modules take (see [`Stack::module_when_known`]).
    ///
    /// # Errors
    /// Every fault, as above.
    pub fn with_values(
        function: impl FnOnce(&mut Stack) -> Result<()>,
        config: impl Configuration + 'static,
        values: KnownValues,
    ) -> Result<Self, Diagnostics> {
        let mut stack = Stack::new(Arc::new(config), values);
        // A partial program must never be planned: its missing half would be destroyed.
        match catch_unwind(AssertUnwindSafe(|| function(&mut stack))) {
            Err(_) => {
                let mut diagnostics = stack.declared.diagnostics;
                diagnostics.push(
                    Diagnostic::error("the stack function panicked")
                        .detail("nothing was planned: a program that ended early declares only a part of the stack")
                        .hint("the panic message above names the line"),
                );
                Err(diagnostics)
            }
            Ok(result) => Self::ended(stack, result),
        }
    }

    fn ended(mut stack: Stack, result: Result<()>) -> Result<Self, Diagnostics> {
        let config = stack.configuration().clone();
        let known = std::mem::take(&mut stack.known_values);
        // Whatever the function made of the error: without the value it declared something else.
        let swallowed = stack.declared.not_known.take().map(Error::from);
        let error = match (result, swallowed) {
            (Ok(()), None) => return freeze::freeze(stack.declared, config, known, None),
            (Ok(()), Some(error)) | (Err(error), _) => error,
        };
        let mut diagnostics = std::mem::take(&mut stack.declared.diagnostics);
        match error.not_known() {
            Ok((not_known, refusal)) if !diagnostics.has_errors() => {
                unfinished::freeze(stack.declared, config, known, not_known, refusal)
            }
            Ok((_, errors)) | Err(errors) => {
                diagnostics.extend(errors);
                Err(diagnostics)
            }
        }
    }

    /// What the function ended at before it had declared everything; `None` for a whole program. Only its values may be planned.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.as_ref()
    }

    /// The program, where its function has declared everything; for what makes no plan.
    ///
    /// # Errors
    /// At the line that looks at a value which only a plan knows.
    pub fn whole(&self) -> Result<&Self, Diagnostics> {
        match &self.unfinished {
            None => Ok(self),
            Some(unfinished) => Err(unfinished.refuses().into()),
        }
    }

    /// The actions, in the order of declaration.
    pub fn actions(&self) -> &[DeclaredAction] {
        &self.actions.declared
    }

    /// The actions that a moment of an instance's life invokes, in the order of declaration.
    pub fn triggered(
        &self,
        instance: ResourceId,
        when: When,
    ) -> impl Iterator<Item = &DeclaredAction> {
        self.actions.triggered(instance, when)
    }

    /// What the modules tell their providers.
    pub fn provider_metas(&self) -> impl Iterator<Item = &DeclaredMeta> {
        self.metas.values().flatten()
    }

    /// What a module tells its providers.
    pub fn provider_metas_of(&self, module: &ModuleAddr) -> &[DeclaredMeta] {
        self.metas.get(module).map_or(&[], Vec::as_slice)
    }

    /// Which objects have another address than they had, in the order of the program.
    pub fn moved(&self) -> &[Moved] {
        &self.moved
    }

    /// What leaves the state and stays in the world.
    pub fn removed(&self) -> &[Removed] {
        &self.removed
    }

    /// The object that a declared instance takes in where the state has none.
    pub fn adoption(&self, position: ResourceId) -> Option<&Adoption> {
        self.adoptions.get(&position)
    }

    /// The modules that take a value, in the order of declaration.
    pub fn value_modules(&self) -> &[ValueModule] {
        &self.value_modules
    }

    /// The values of the cloud that the function ran with.
    pub fn known_values(&self) -> &KnownValues {
        &self.known_values
    }

    /// Provider configurations, the implied ones included.
    pub fn providers(&self) -> &IdVec<ProviderId, ProviderConfig> {
        &self.providers
    }

    /// Resource and data resource instances, in the order of declaration.
    pub fn resources(&self) -> &IdVec<ResourceId, ResourceInstance> {
        &self.resources
    }

    /// Published values, in the order of declaration.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// What it uses of other stacks, in the order of declaration.
    pub fn stack_references(&self) -> &[StackReference] {
        &self.references
    }

    /// The exports of other stacks whose values are not known.
    pub fn unknown_exports(&self) -> impl Iterator<Item = &ReferencedExport> {
        let all = self.references.iter().flat_map(StackReference::exports);
        all.map(|export| &**export)
            .filter(|export| export.value().is_none())
    }

    /// Checks of its plans, in the order of declaration.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Every expression of it: the arguments of providers, resources and actions, the values of modules, and exports.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let providers = self.providers.iter().map(|provider| &provider.arguments);
        let resources = self.resources.iter().map(|resource| &resource.arguments);
        let actions = self.actions().iter().map(|action| &action.arguments);
        let exports = self.exports.iter().map(|export| &export.value);
        let modules = self.value_modules.iter().map(|module| &module.needs);
        providers
            .chain(resources)
            .chain(actions)
            .chain(modules)
            .chain(exports)
    }

    /// The configuration that it was made with.
    pub fn config(&self) -> &dyn Configuration {
        &*self.config
    }

    /// Whether objects get a tag by which they can be found (see [`Stack::owner_tags`]).
    pub fn owner_tags(&self) -> bool {
        self.owner_tags
    }

    /// The place of an instance in [`resources`](Self::resources).
    pub fn position(&self, address: &InstanceAddr) -> Option<ResourceId> {
        self.index.get(address).copied()
    }

    /// Adds the built-in provider, so that this program can remove resources of it that an earlier one declared. It costs
    /// nothing while no object needs it.
    pub fn add_builtin_provider(&mut self) {
        let address = ProviderConfigAddr::default_of(ProviderSource::builtin());
        if self.providers.iter().all(|known| known.address != address) {
            self.providers.push(ProviderConfig::implied(address, None));
        }
    }

    /// Gives providers that the program names without a host another one than the usual: `host` says which, or `None` for the usual one.
    /// Calls of their functions follow.
    pub fn resolve_hosts(&mut self, host: impl Fn(&ProviderSource) -> Option<Arc<str>>) {
        let mut resolved = BTreeMap::new();
        for index in self.providers.ids() {
            let address = &self.providers[index].address;
            if *address.source.host != *ProviderSource::DEFAULT_HOST {
                continue;
            }
            let Some(host) = host(&address.source) else {
                continue;
            };
            let mut address = address.clone();
            let named = address.source.clone();
            address.source.host = host;
            if self.providers.iter().all(|known| known.address != address) {
                resolved.insert(named, address.source.clone());
                self.providers[index].address = address;
            }
        }
        let of_call = |named: &ProviderSource| resolved.get(named).cloned();
        if resolved.is_empty() {
            return;
        }
        let providers = self.providers.iter_mut().map(|it| &mut it.arguments);
        let resources = self.resources.iter_mut().map(|it| &mut it.arguments);
        let actions = self.actions.declared.iter_mut();
        let actions = actions.map(|it| &mut it.arguments);
        let exports = self.exports.iter_mut().map(|it| &mut it.value);
        let modules = self.value_modules.iter_mut().map(|it| &mut it.needs);
        let exprs = providers.chain(resources).chain(actions).chain(modules);
        for expr in exprs.chain(exports) {
            if let Some(changed) = expr.with_calls_of(&of_call) {
                *expr = changed;
            }
        }
    }

    /// Points every provider at an emulator of its cloud, as far as its bindings know how and the program did not say otherwise.
    pub fn redirect(&mut self, endpoint_url: &str) {
        for provider in self.providers.iter_mut() {
            provider.endpoint_url = Some(endpoint_url.into());
        }
    }
}
