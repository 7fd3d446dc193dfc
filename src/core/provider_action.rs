//! Actions of providers: what they do on demand, by hand or around the operations on a resource.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::addr::{InstanceAddr, ProviderSource};
use crate::blocks::{self, IntoBlocks};
use crate::diagnostics::Location;
use crate::ephemeral::IntoEphemeralExpr;
use crate::expr::Expr;
use crate::program::{ProviderId, ResourceId};
use crate::provider::ProviderHandle;
use crate::resource::{ProviderChoice, Resource};
use crate::stack::Stack;

/// An action that is being described: `ProviderAction::dynamic("aws_lambda_invoke", "warm_up").set(…).after_create(&function).declare(stack)`.
///
/// It has no object and no state. `invoke NAME` invokes it by hand.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProviderAction {
    pub(crate) action_type: Arc<str>,
    pub(crate) name: String,
    pub(crate) provider: ProviderChoice,
    pub(crate) arguments: BTreeMap<Arc<str>, Expr>,
    pub(crate) triggers: Vec<(Arc<InstanceAddr>, When)>,
    pub(crate) on_failure: OnFailure,
}

/// The moment at which an action is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// Before the object is made.
    BeforeCreate,
    /// Once the object is made.
    AfterCreate,
    /// Before the object is changed.
    BeforeUpdate,
    /// Once the object is changed.
    AfterUpdate,
    /// Before the object is destroyed.
    BeforeDestroy,
    /// Once the object is destroyed.
    AfterDestroy,
}

/// What a failed action does to the operation that it belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// The operation fails: it is not attempted, or what depends on it is not.
    #[default]
    Halt,
    /// The same, and an object that was made or changed is replaced by the next run.
    Taint,
    /// The failure is a warning.
    Continue,
}

impl ProviderAction {
    /// An action of a type that has no binding.
    pub fn dynamic(action_type: &str, name: impl Into<String>) -> Self {
        Self {
            action_type: action_type.into(),
            name: name.into(),
            provider: ProviderChoice::Source(ProviderSource::implied_by(action_type)),
            arguments: BTreeMap::new(),
            triggers: Vec::new(),
            on_failure: OnFailure::default(),
        }
    }

    /// Sets an argument; an ephemeral value may be given as well, for nothing of an action is stored.
    pub fn set(mut self, argument: &str, value: impl IntoEphemeralExpr) -> Self {
        let value = value.into_ephemeral_expr();
        self.arguments.insert(argument.into(), value);
        self
    }

    /// Adds nested blocks to a list or set of blocks: one, or [`Blocks`](crate::Blocks) of a collection.
    pub fn push_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::push(&mut self.arguments, name, block);
        self
    }

    /// Sets the nested block of which there can be one.
    pub fn set_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::set_only(&mut self.arguments, name, block);
        self
    }

    /// Uses another configuration of the provider than the default one.
    pub fn provider(mut self, provider: &ProviderHandle) -> Self {
        self.provider = ProviderChoice::Declared(provider.clone());
        self
    }

    /// Names the provider of a type that has no binding and whose name does not begin with the provider's.
    pub fn provider_source(mut self, source: ProviderSource) -> Self {
        self.provider = ProviderChoice::Source(source);
        self
    }

    /// Invokes it at that moment of the life of a resource's object.
    pub fn on(mut self, when: When, resource: &impl AsRef<Resource>) -> Self {
        let address = resource.as_ref().address().clone();
        self.triggers.push((address, when));
        self
    }

    /// Invokes it before the object is made.
    pub fn before_create(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::BeforeCreate, resource)
    }

    /// Invokes it once the object is made.
    pub fn after_create(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::AfterCreate, resource)
    }

    /// Invokes it before the object is changed.
    pub fn before_update(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::BeforeUpdate, resource)
    }

    /// Invokes it once the object is changed.
    pub fn after_update(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::AfterUpdate, resource)
    }

    /// Invokes it before the object is destroyed.
    pub fn before_destroy(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::BeforeDestroy, resource)
    }

    /// Invokes it once the object is destroyed.
    pub fn after_destroy(self, resource: &impl AsRef<Resource>) -> Self {
        self.on(When::AfterDestroy, resource)
    }

    /// What its failure does to the operation that it belongs to; [`OnFailure::Halt`] unless said otherwise.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Adds the action to the stack.
    #[track_caller]
    pub fn declare(self, stack: &mut Stack) {
        stack.add_action(self, Location::caller());
    }
}

/// A declared action.
#[derive(Debug)]
pub struct DeclaredAction {
    /// Its address: `action.aws_lambda_invoke.warm_up`, after its module.
    pub address: Arc<str>,
    /// Its type.
    pub action_type: Arc<str>,
    /// Its provider configuration.
    pub provider: ProviderId,
    /// Its arguments, an object.
    pub arguments: Expr,
    /// The instances that its arguments refer to.
    pub dependencies: Vec<ResourceId>,
    /// The instances around whose operations it is invoked, and when; sorted, each once.
    pub triggers: Vec<(ResourceId, When)>,
    /// What its failure does.
    pub on_failure: OnFailure,
    /// Where it was declared.
    pub location: Location,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeCreate => "before create",
            Self::AfterCreate => "after create",
            Self::BeforeUpdate => "before update",
            Self::AfterUpdate => "after update",
            Self::BeforeDestroy => "before destroy",
            Self::AfterDestroy => "after destroy",
        })
    }
}
