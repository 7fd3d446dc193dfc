//! Declaring resources: the untyped builder under every typed one, and the handle that a declaration returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{InstanceAddr, InstanceKey, Mode, ProviderConfigAddr, ProviderSource};
use crate::blocks::{self, IntoBlocks};
use crate::diagnostics::Location;
use crate::ephemeral::IntoEphemeralExpr;
use crate::expr::{Expr, Reference};
use crate::into_expr::IntoExpr;
use crate::lifecycle::Lifecycle;
use crate::marks::Marked;
use crate::output::Output;
use crate::policy::PlannedObject;
use crate::provider::{ProviderBinding, ProviderHandle};
use crate::stack::Stack;
use crate::value::{Path, Value};

/// A declared resource or data resource, which other declarations refer to. Typed handles wrap it.
#[derive(Debug, Clone)]
pub struct Resource {
    address: Arc<InstanceAddr>,
    location: Location,
    /// What this run of the stack function was told of the object.
    planned: Option<Arc<Marked>>,
}

/// The facts of a resource type that generated bindings carry.
#[derive(Debug)]
pub struct Binding {
    /// The provider that serves the type.
    pub provider: &'static ProviderBinding,
    /// Managed or data.
    pub mode: Mode,
    /// The type's name in the provider, for example `aws_vpc`.
    pub type_name: &'static str,
}

/// The handle that bindings give resources of one type.
pub trait ResourceType: AsRef<Resource> {
    /// The facts of the type.
    fn binding() -> &'static Binding;

    /// The typed handle on a resource of the type.
    fn from_resource(resource: Resource) -> Self;
}

impl Resource {
    /// A resource of a type that has no binding: `Resource::dynamic("aws_new_thing", "name").set("argument", value).declare(stack)`.
    ///
    /// Its arguments are checked against the provider's schema when it is planned. The provider is the one whose name is the type's
    /// prefix, unless [`Declaration::provider`] says otherwise.
    pub fn dynamic(type_name: &str, name: impl Into<String>) -> Declaration {
        Declaration::untyped(Mode::Managed, type_name, name.into())
    }

    /// A data resource of a type that has no binding.
    pub fn dynamic_data(type_name: &str, name: impl Into<String>) -> Declaration {
        Declaration::untyped(Mode::Data, type_name, name.into())
    }

    /// The resources that a value comes from, each once: what [`Declaration::depends_on`] takes where only the value is at hand.
    pub fn all_in(value: impl IntoExpr) -> Vec<Self> {
        let mut found = BTreeMap::new();
        value.into_expr().for_each_reference(&mut |reference| {
            let resource = || Self {
                address: reference.address.clone(),
                location: reference.location,
                planned: reference.planned.clone(),
            };
            found
                .entry(reference.address.clone())
                .or_insert_with(resource);
        });
        found.into_values().collect()
    }

    /// The instance's address.
    pub fn address(&self) -> &Arc<InstanceAddr> {
        &self.address
    }

    /// Where it was declared.
    pub fn location(&self) -> Location {
        self.location
    }

    /// An attribute of the object, known once the engine knows it.
    #[track_caller]
    pub fn attribute<T>(&self, name: &str) -> Output<T> {
        self.at(Path::root().attribute(name))
    }

    /// The value at a path of the object.
    #[track_caller]
    pub fn at<T>(&self, path: Path) -> Output<T> {
        let location = Location::caller();
        let address = self.address.clone();
        Output::new(Expr::Reference(Arc::new(Reference {
            address,
            path,
            location,
            planned: self.planned.clone(),
        })))
    }
}

impl AsRef<Self> for Resource {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// A resource that is being described. Typed builders wrap it and check names and types at compile time.
#[derive(Debug, Clone)]
pub struct Declaration {
    pub(crate) mode: Mode,
    pub(crate) type_name: Arc<str>,
    pub(crate) name: String,
    pub(crate) key: Option<InstanceKey>,
    pub(crate) provider: ProviderChoice,
    pub(crate) arguments: BTreeMap<Arc<str>, Expr>,
    pub(crate) depends_on: Vec<(Arc<InstanceAddr>, Location)>,
    pub(crate) lifecycle: Lifecycle,
}

/// Which provider configuration serves a declaration.
#[derive(Debug, Clone)]
pub(crate) enum ProviderChoice {
    /// The default configuration of a provider that bindings know.
    Bound(&'static ProviderBinding),
    /// The default configuration of the provider with that source.
    Source(ProviderSource),
    /// A configuration the program declared.
    Declared(ProviderHandle),
}

impl ProviderChoice {
    /// The chosen configuration, and the facts of its bindings.
    pub(crate) fn config(self) -> (ProviderConfigAddr, Option<&'static ProviderBinding>) {
        match self {
            Self::Bound(provider) => (
                ProviderConfigAddr::default_of(provider.address()),
                Some(provider),
            ),
            Self::Source(source) => (ProviderConfigAddr::default_of(source), None),
            Self::Declared(ProviderHandle { source, alias }) => (
                ProviderConfigAddr {
                    alias,
                    ..ProviderConfigAddr::default_of(source)
                },
                None,
            ),
        }
    }
}

impl Declaration {
    /// A declaration of a type that bindings know.
    pub fn new(binding: &'static Binding, name: impl Into<String>) -> Self {
        let provider = ProviderChoice::Bound(binding.provider);
        Self::with(binding.mode, binding.type_name, name.into(), provider)
    }

    pub(crate) fn untyped(mode: Mode, type_name: &str, name: String) -> Self {
        let source = ProviderSource::implied_by(type_name);
        Self::with(mode, type_name, name, ProviderChoice::Source(source))
    }

    fn with(mode: Mode, type_name: &str, name: String, provider: ProviderChoice) -> Self {
        Self {
            mode,
            type_name: type_name.into(),
            name,
            key: None,
            provider,
            arguments: BTreeMap::new(),
            depends_on: Vec::new(),
            lifecycle: Lifecycle::new(),
        }
    }

    /// Sets an argument or a whole nested block (a list or map of them, for blocks that repeat).
    #[must_use]
    pub fn set(mut self, argument: &str, value: impl IntoExpr) -> Self {
        self.arguments.insert(argument.into(), value.into_expr());
        self
    }

    /// Sets a write-only argument, which is sent to the provider and never stored; an ephemeral value may be given as well.
    #[must_use]
    pub fn set_write_only(self, argument: &str, value: impl IntoEphemeralExpr) -> Self {
        self.set(argument, value.into_ephemeral_expr())
    }

    /// Adds nested blocks to a list or set of blocks: one, or [`Blocks`](crate::Blocks) of a collection.
    #[must_use]
    pub fn push_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::push(&mut self.arguments, name, block);
        self
    }

    /// Sets the nested block of which there can be one.
    #[must_use]
    pub fn set_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::set_only(&mut self.arguments, name, block);
        self
    }

    /// Tells this instance from others of the same name: `[0]` or `["key"]`.
    #[must_use]
    pub fn instance_key(mut self, key: impl Into<InstanceKey>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Orders this after another resource that none of its arguments refer to.
    #[must_use]
    #[track_caller]
    pub fn depends_on(mut self, resource: &impl AsRef<Resource>) -> Self {
        self.depends_on
            .push((resource.as_ref().address.clone(), Location::caller()));
        self
    }

    /// How the engine may treat the object.
    #[must_use]
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// Uses another configuration of the provider than the default one.
    #[must_use]
    pub fn provider(mut self, provider: &ProviderHandle) -> Self {
        self.provider = ProviderChoice::Declared(provider.clone());
        self
    }

    /// Uses the default configuration of the provider with that source (`namespace/type`), for types without a binding.
    ///
    /// # Panics
    /// Never; a text that is no source is reported when the program is complete.
    #[must_use]
    pub fn provider_source(mut self, source: ProviderSource) -> Self {
        self.provider = ProviderChoice::Source(source);
        self
    }

    /// Adds the resource to the stack.
    #[track_caller]
    pub fn declare(self, stack: &mut Stack) -> Resource {
        let location = Location::caller();
        let address = stack.add(self, location);
        let planned = stack.known_values().object(&address).cloned();
        Resource::new(address, location, planned)
    }
}

impl Resource {
    /// The handle on a resource of a plan; where the program does not declare it any more, its location is that of the caller.
    #[track_caller]
    pub fn planned(object: &PlannedObject) -> Self {
        Self {
            address: object.address.clone(),
            location: object.location.unwrap_or_else(Location::caller),
            planned: None,
        }
    }

    pub(crate) fn new(
        address: Arc<InstanceAddr>,
        location: Location,
        planned: Option<Arc<Marked>>,
    ) -> Self {
        Self {
            address,
            location,
            planned,
        }
    }
}

/// The arguments of one nested block, as typed block builders collect them.
#[derive(Debug, Clone, Default)]
pub struct BlockArguments(BTreeMap<Arc<str>, Expr>);

impl BlockArguments {
    /// No arguments yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every one of these set to null, for attributes of an object type: unlike those of a block, all their members must be there.
    pub fn nulls(arguments: &[&str]) -> Self {
        let null = |argument: &&str| ((*argument).into(), Expr::Literal(Value::Null));
        Self(arguments.iter().map(null).collect())
    }

    /// Whether the argument was set.
    pub fn contains(&self, argument: &str) -> bool {
        self.0.contains_key(argument)
    }

    /// Sets an argument.
    #[must_use]
    pub fn set(mut self, argument: &str, value: impl IntoExpr) -> Self {
        self.0.insert(argument.into(), value.into_expr());
        self
    }

    /// Sets an argument that is never stored: a write-only one, or any of a provider's own configuration. An ephemeral value may be
    /// given as well.
    #[must_use]
    pub fn set_write_only(self, argument: &str, value: impl IntoEphemeralExpr) -> Self {
        self.set(argument, value.into_ephemeral_expr())
    }

    /// Adds nested blocks to a list or set of blocks: one, or [`Blocks`](crate::Blocks) of a collection.
    #[must_use]
    pub fn push_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::push(&mut self.0, name, block);
        self
    }

    /// Sets the nested block of which there can be one.
    #[must_use]
    pub fn set_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::set_only(&mut self.0, name, block);
        self
    }
}

impl IntoExpr for BlockArguments {
    fn into_expr(self) -> Expr {
        Expr::map(self.0)
    }
}

impl BlockArguments {
    pub(crate) fn into_arguments(self) -> BTreeMap<Arc<str>, Expr> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoConfig, Program, Result, interpolate};

    #[test]
    fn a_value_names_the_resources_that_it_comes_from() {
        let program = Program::from_fn(
            |stack: &mut Stack| -> Result<()> {
                let one = Resource::dynamic("t_x", "one").declare(stack);
                let two = Resource::dynamic("t_x", "two").declare(stack);
                let (id, arn) = (two.attribute::<String>("id"), two.attribute("arn"));
                let both: [Output<String>; 2] = [
                    arn,
                    interpolate!("{} {}", one.attribute::<String>("id"), id),
                ];
                let all = Resource::all_in(both.to_vec());
                let named: Vec<_> = all.iter().map(|it| it.address().to_string()).collect();
                assert_eq!(named, ["t_x.one", "t_x.two"]);
                assert!(Resource::all_in("text").is_empty());
                Ok(())
            },
            NoConfig,
        );
        program.expect("a program");
    }
}
