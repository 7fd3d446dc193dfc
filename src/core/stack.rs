//! The stack under construction, to which a stack function adds its declarations.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::addr::{
    InstanceAddr, InstanceKey, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use crate::changes::{Adoption, ImportBy, Moved, PlaceAddr, Removed};
use crate::configuration::Configuration;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::forward::ForwardValue;
use crate::into_expr::IntoExpr;
use crate::known::{KnownValues, NotKnown};
use crate::lifecycle::Lifecycle;
use crate::policy::{Policy, ReviewedPlan};
use crate::provider::{ProviderBinding, ProviderDeclaration, ProviderHandle};
use crate::provider_action::ProviderAction;
use crate::provider_meta::DeclaredMeta;
use crate::resource::{Declaration, Resource};
use crate::stack_reference::StackReference;
use crate::value::Value;
use crate::value_module::DeclaredValueModule;

/// One program, one state: everything a stack function declares.
///
/// Declaring describes and does nothing else: no call leaves the process before the function has returned and the whole
/// program was checked.
pub struct Stack {
    module: ModuleAddr,
    config: Arc<dyn Configuration>,
    pub(crate) known_values: KnownValues,
    /// The place of the innermost module that takes a value, while it runs.
    pub(crate) value_module: Option<usize>,
    pub(crate) declared: Declared,
}

/// The declarations so far, in their order.
#[derive(Default)]
pub(crate) struct Declared {
    pub(crate) providers: Vec<DeclaredProvider>,
    /// Those that are used, whether or not they are configured.
    pub(crate) required_providers: Vec<&'static ProviderBinding>,
    pub(crate) resources: Vec<DeclaredResource>,
    pub(crate) exports: Vec<Export>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) actions: Vec<(Arc<str>, ProviderAction, Location)>,
    pub(crate) metas: Vec<DeclaredMeta>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) removed: Vec<Removed>,
    pub(crate) references: Vec<StackReference>,
    pub(crate) adoptions: Vec<(Arc<InstanceAddr>, Adoption)>,
    pub(crate) value_modules: Vec<DeclaredValueModule>,
    pub(crate) forwards: Vec<Arc<ForwardValue>>,
    pub(crate) owner_tags: bool,
    /// What the function looked at before it was known, whatever it made of the error.
    pub(crate) not_known: Option<NotKnown>,
    pub(crate) diagnostics: Diagnostics,
}

pub(crate) struct DeclaredProvider {
    pub(crate) address: ProviderConfigAddr,
    pub(crate) binding: Option<&'static ProviderBinding>,
    pub(crate) arguments: BTreeMap<Arc<str>, Expr>,
    pub(crate) passed_env: Vec<Arc<str>>,
    pub(crate) location: Location,
    /// As of resources.
    pub(crate) value_module: Option<usize>,
}

pub(crate) struct DeclaredResource {
    pub(crate) address: Arc<InstanceAddr>,
    pub(crate) provider: ProviderConfigAddr,
    pub(crate) binding: Option<&'static ProviderBinding>,
    pub(crate) arguments: BTreeMap<Arc<str>, Expr>,
    pub(crate) depends_on: Vec<(Arc<InstanceAddr>, Location)>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) location: Location,
    /// The place of the innermost module around it that takes a value.
    pub(crate) value_module: Option<usize>,
}

/// A value that the stack publishes: read with the `output` command and stored under `outputs` in the state.
#[derive(Debug, Clone)]
pub struct Export {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: Expr,
    /// Where it was exported.
    pub location: Location,
}

impl Stack {
    pub(crate) fn new(config: Arc<dyn Configuration>, known_values: KnownValues) -> Self {
        Self {
            module: ModuleAddr::root(),
            config,
            known_values,
            value_module: None,
            declared: Declared::default(),
        }
    }

    /// The stack's configuration as a type of your own: defaults, then `<stack>.toml`, then `TERRANE_VAR_<NAME>`, then
    /// `--var-file`, then `--var`. Unknown keys are refused.
    ///
    /// # Errors
    /// When a key is unknown, missing or of the wrong type; each with its name and where it came from.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C> {
        self.config.deserialize().map_err(Error::from)
    }

    /// Every expression that was declared so far: the arguments of providers, resources and actions, and exports.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let Declared {
            providers,
            resources,
            actions,
            exports,
            ..
        } = &self.declared;
        let providers = providers.iter().flat_map(|one| one.arguments.values());
        let resources = resources.iter().flat_map(|one| one.arguments.values());
        let actions = actions
            .iter()
            .flat_map(|(_, one, _)| one.arguments.values());
        let exports = exports.iter().map(|export| &export.value);
        providers.chain(resources).chain(actions).chain(exports)
    }

    /// The address of the module that is being declared; that of the root module is empty.
    pub fn current_module(&self) -> &ModuleAddr {
        &self.module
    }

    /// The values that the cloud decides, as far as this run of the function knows them.
    pub(crate) fn known_values(&self) -> &KnownValues {
        &self.known_values
    }

    pub(crate) fn configuration(&self) -> &Arc<dyn Configuration> {
        &self.config
    }

    /// Declares a provider configuration. Without one a provider is used with an empty configuration.
    #[track_caller]
    pub fn provider(&mut self, provider: impl Into<ProviderDeclaration>) -> ProviderHandle {
        let location = Location::caller();
        let declaration = provider.into();
        let alias: Option<Arc<str>> = declaration.alias.map(Into::into);
        let source = declaration.source;
        let address = ProviderConfigAddr {
            module: ModuleAddr::root(),
            source: source.clone(),
            alias: alias.clone(),
        };
        if let Some(alias) = alias.as_deref() {
            self.check_name("provider alias", alias, location);
        }
        self.declared.providers.push(DeclaredProvider {
            address,
            binding: declaration.binding,
            arguments: declaration.arguments,
            passed_env: declaration.passed_env,
            location,
            value_module: self.value_module,
        });
        ProviderHandle { source, alias }
    }

    /// Says that the program uses a provider, before the line that configures it or the first resource that needs it: it is installed with
    /// the others. Needed where those come only after a value that decides what is declared (see [`known`](Self::known)).
    pub fn require_provider(&mut self, provider: &'static ProviderBinding) {
        self.declared.required_providers.push(provider);
    }

    /// Whether every object that can be tagged gets a tag `terrane/owner` that no other object has; off unless said otherwise.
    ///
    /// By it a creation whose answer was lost is found again without a person. The tag is written into the resource's own `tags`, and
    /// is visible there. The same line makes the engine look, before it makes something under a name of its own, whether that name is
    /// taken: one read more for each such creation.
    pub fn owner_tags(&mut self, on: bool) {
        self.declared.owner_tags = on;
    }

    /// Declares a mandatory policy: a plan that breaks it is refused (see [`policy`](crate::policy)).
    #[track_caller]
    pub fn policy(
        &mut self,
        name: &str,
        check: impl Fn(&ReviewedPlan<'_>) + Send + Sync + 'static,
    ) {
        self.declared.policies.push(Policy::new(name, check));
    }

    /// Declares an advisory policy: a plan that breaks it says so, and can be applied.
    #[track_caller]
    pub fn advisory_policy(
        &mut self,
        name: &str,
        check: impl Fn(&ReviewedPlan<'_>) + Send + Sync + 'static,
    ) {
        let policy = Policy::new(name, check).advisory();
        self.declared.policies.push(policy);
    }

    /// Declares policies that were made elsewhere, with their hints and exceptions.
    pub fn policies(&mut self, policies: impl IntoIterator<Item = Policy>) {
        self.declared.policies.extend(policies);
    }

    /// Runs a component: everything declared inside has `module.<name>.` before its address.
    #[track_caller]
    pub fn module<R>(&mut self, name: &str, component: impl FnOnce(&mut Self) -> R) -> R {
        self.in_module(name, None, component)
    }

    /// Runs one of several instances of a component: `module.<name>["key"].`.
    #[track_caller]
    pub fn module_instance<R>(
        &mut self,
        name: &str,
        key: impl Into<InstanceKey>,
        component: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.in_module(name, Some(key.into()), component)
    }

    #[track_caller]
    fn in_module<R>(
        &mut self,
        name: &str,
        key: Option<InstanceKey>,
        component: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let location = Location::caller();
        self.check_name("module", name, location);
        let key = self.checked_key(key, location);
        let inner = self.module.child(name, key);
        let outer = std::mem::replace(&mut self.module, inner);
        let result = component(self);
        self.module = outer;
        result
    }

    /// Publishes a value under a name. A value with something sensitive in it is sensitive as a whole.
    #[track_caller]
    pub fn export(&mut self, name: &str, value: impl IntoExpr) {
        self.add_export(name, value.into_expr(), Location::caller());
    }

    pub(crate) fn add_export(&mut self, name: &str, value: Expr, location: Location) {
        self.check_name("export", name, location);
        self.declared.exports.push(Export {
            name: name.into(),
            value,
            location,
        });
    }

    /// Says that an object has another address than it had, so that it stays as it is: `stack.moved("aws_vpc.old", "aws_vpc.main")`.
    ///
    /// An address without a key means a resource with all its instances, which keep their keys; two modules move with all that is in
    /// them. Where the types differ the provider turns the object into one of the new type. The line does nothing once the state
    /// has nothing at the old address.
    #[track_caller]
    pub fn moved(&mut self, from: &str, to: &str) {
        let location = Location::caller();
        let (Some(from), Some(to)) = (self.place(from, location), self.place(to, location)) else {
            return;
        };
        self.declared.moved.push(Moved { from, to, location });
    }

    /// Says that an object is no longer this stack's: it leaves the state and stays in the world. `"aws_vpc.old"`, a resource with all its
    /// instances, or a whole module.
    #[track_caller]
    pub fn removed(&mut self, address: &str) {
        let location = Location::caller();
        if let Some(address) = self.place(address, location) {
            self.declared.removed.push(Removed { address, location });
        }
    }

    /// Takes an object that exists in as that of a resource, where the state has none: `stack.import(&vpc, "vpc-123")`, or by its
    /// identity with [`ImportBy::identity`]. The plan shows what differs.
    #[track_caller]
    pub fn import(&mut self, resource: &impl AsRef<Resource>, by: impl Into<ImportBy>) {
        let adoption = Adoption {
            by: by.into(),
            location: Location::caller(),
        };
        let address = resource.as_ref().address().clone();
        self.declared.adoptions.push((address, adoption));
    }

    pub(crate) fn add_meta(&mut self, source: ProviderSource, value: Value, location: Location) {
        self.declared.metas.push(DeclaredMeta {
            module: self.module.clone(),
            source,
            value,
            location,
        });
    }

    pub(crate) fn add_action(&mut self, action: ProviderAction, location: Location) {
        self.check_name("action", &action.name, location);
        let module = match self.module.is_root() {
            true => String::new(),
            false => format!("{}.", self.module),
        };
        let address = format!("{module}action.{}.{}", action.action_type, action.name);
        self.declared
            .actions
            .push((address.into(), action, location));
    }

    fn place(&mut self, text: &str, location: Location) -> Option<PlaceAddr> {
        let place = PlaceAddr::parse(text);
        if place.is_none() {
            self.declared.diagnostics.push(
                Diagnostic::error(format!(
                    "`{text}` is not the address of a resource or a module"
                ))
                .location(location)
                .hint(
                    "write it as `aws_vpc.main`, `aws_subnet.private[\"a\"]` or `module.network`",
                ),
            );
        }
        if let (Some(place), Some(inside)) = (&place, self.value_module) {
            let module = &self.declared.value_modules[inside].address;
            if !place.is_in(module) {
                let refused = Diagnostic::error(format!("`{text}` is not in {module}"))
                    .detail("the line would count only while the value of the module is known")
                    .location(location);
                let refused = refused.hint("say it outside of the module");
                self.declared.diagnostics.push(refused);
            }
        }
        place
    }

    /// A handle on a resource instance by its address, declared before or after; for addresses that come from configuration.
    ///
    /// # Errors
    /// When the text is not a resource address.
    #[track_caller]
    pub fn resource(&self, address: &str) -> Result<Resource> {
        let location = Location::caller();
        let address = address.parse::<InstanceAddr>()?;
        if address.resource.mode == Mode::Ephemeral {
            let refused = Diagnostic::error(format!(
                "{address} cannot be referred to by its address"
            ))
            .detail("its values are never stored, and only its own handle says so to the compiler")
            .location(location)
            .hint("keep the handle that its `declare` returns");
            return Err(Diagnostics::from(refused).into());
        }
        let planned = self.known_values.object(&address).cloned();
        Ok(Resource::new(Arc::new(address), location, planned))
    }

    pub(crate) fn add(
        &mut self,
        declaration: Declaration,
        location: Location,
    ) -> Arc<InstanceAddr> {
        let kind = match declaration.mode {
            Mode::Managed => "resource",
            Mode::Data => "data resource",
            Mode::Ephemeral => "ephemeral resource",
        };
        self.check_name(kind, &declaration.name, location);
        let key = self.checked_key(declaration.key, location);
        let address = Arc::new(
            ResourceAddr {
                module: self.module.clone(),
                mode: declaration.mode,
                type_name: declaration.type_name,
                name: declaration.name.into(),
            }
            .instance(key),
        );
        for path in &declaration.lifecycle.invalid_paths {
            self.declared.diagnostics.push(
                Diagnostic::error(format!(
                    "`{path}` in ignore_changes is not an attribute path"
                ))
                .address(&address)
                .location(location)
                .hint("write it as `scaling_config[0].desired_size` or `tags[\"team\"]`"),
            );
        }
        let (provider, binding) = declaration.provider.config();
        self.declared.resources.push(DeclaredResource {
            address: address.clone(),
            provider,
            binding,
            arguments: declaration.arguments,
            depends_on: declaration.depends_on,
            lifecycle: declaration.lifecycle,
            location,
            value_module: self.value_module,
        });
        address
    }

    /// The key in normal form; one that no other tool could read is reported.
    fn checked_key(&mut self, key: Option<InstanceKey>, location: Location) -> Option<InstanceKey> {
        let key = key?;
        match key.clone().checked() {
            Ok(checked) => Some(checked),
            Err(too_large) => {
                self.declared.diagnostics.push(
                    Diagnostic::error(format!("the instance key {key} is too large"))
                        .detail(too_large.to_string())
                        .location(location)
                        .hint("use a text as the key: `index.to_string()`"),
                );
                Some(key)
            }
        }
    }

    /// Names become parts of addresses, which people type and parsers read: letters, digits, `_` and `-`, not first a digit.
    fn check_name(&mut self, kind: &str, name: &str, location: Location) {
        let mut characters = name.chars();
        let first = characters
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_');
        if first && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return;
        }
        self.declared.diagnostics.push(
            Diagnostic::error(format!("`{name}` is not a valid {kind} name"))
                .location(location)
                .hint("start with a letter or `_`, go on with letters, digits, `_` and `-`; put the rest in an instance key"),
        );
    }
}
