//! Values that are never stored: ephemeral resources, and the arguments that take what they give.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::addr::{InstanceAddr, InstanceKey, Mode, ProviderSource};
use crate::blocks::IntoBlocks;
use crate::diagnostics::Location;
use crate::expr::{Expr, Reference};
use crate::input::{Input, IntoInput};
use crate::into_expr::IntoExpr;
use crate::output::Output;
use crate::provider::ProviderHandle;
use crate::resource::{Binding, Declaration, Resource};
use crate::stack::Stack;
use crate::typed::{FromValue, IntoValue};
use crate::value::Path;

/// A value of type `T` that exists for a run only: it goes to providers and is in no state, plan, journal or output.
///
/// The compiler sees to that: only write-only arguments, the configuration of providers, and the arguments of other ephemeral
/// resources take it. It can be neither exported nor given to an argument that is stored.
///
/// ```compile_fail
/// # use terrane_core::{Ephemeral, Resource, Stack};
/// # fn f(stack: &mut Stack, password: Ephemeral<String>) {
/// stack.export("password", password); // does not compile: an export is stored
/// # }
/// ```
///
/// ```compile_fail
/// # use terrane_core::{Ephemeral, Resource, Stack};
/// # fn f(stack: &mut Stack, password: Ephemeral<String>) {
/// Resource::dynamic("db_user", "app").set("name", password).declare(stack); // does not compile: `name` is stored
/// # }
/// ```
///
/// ```
/// # use terrane_core::{Ephemeral, Resource, Stack};
/// # fn f(stack: &mut Stack, password: Ephemeral<String>) {
/// Resource::dynamic("db_user", "app")
///     .set_write_only("password_wo", password)
///     .set("password_wo_version", 1)
///     .declare(stack);
/// # }
/// ```
pub struct Ephemeral<T> {
    expr: Expr,
    marker: PhantomData<fn() -> T>,
}

impl<T> Ephemeral<T> {
    /// A typed handle on an expression; for generated bindings.
    pub fn new(expr: Expr) -> Self {
        Self {
            expr,
            marker: PhantomData,
        }
    }

    /// The same expression as another type; the value is checked when it is used.
    pub fn cast<U>(self) -> Ephemeral<U> {
        Ephemeral::new(self.expr)
    }
}

impl<T: FromValue + 'static> Ephemeral<T> {
    /// A value computed from this one: ephemeral as well. The closure must be pure.
    #[track_caller]
    pub fn map<U: IntoValue>(
        &self,
        function: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> Ephemeral<U> {
        let computed = Output::<T>::new(self.expr.clone()).map(function);
        Ephemeral::new(computed.into_expr())
    }

    /// Like [`map`](Self::map), for a computation that can fail; the failure is an error at this line.
    #[track_caller]
    pub fn try_map<U: IntoValue, E: fmt::Display>(
        &self,
        function: impl Fn(T) -> Result<U, E> + Send + Sync + 'static,
    ) -> Ephemeral<U> {
        let computed = Output::<T>::new(self.expr.clone()).try_map(function);
        Ephemeral::new(computed.into_expr())
    }
}

impl<T> From<Output<T>> for Ephemeral<T> {
    fn from(output: Output<T>) -> Self {
        Self::new(output.into_expr())
    }
}

impl<T> Clone for Ephemeral<T> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<T> fmt::Debug for Ephemeral<T> {
    /// Shows where the value comes from, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ephemeral({:?})", self.expr)
    }
}

/// Anything that can be given where nothing of it is stored: whatever any argument takes, and [`Ephemeral`] values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given as an argument",
    label = "not a literal, an `Output`, an `Ephemeral`, or a collection of literals and outputs"
)]
pub trait IntoEphemeralExpr {
    /// The expression.
    fn into_ephemeral_expr(self) -> Expr;
}

#[diagnostic::do_not_recommend]
impl<X: IntoExpr> IntoEphemeralExpr for X {
    fn into_ephemeral_expr(self) -> Expr {
        self.into_expr()
    }
}

impl<T> IntoEphemeralExpr for Ephemeral<T> {
    fn into_ephemeral_expr(self) -> Expr {
        self.expr
    }
}

impl<T> IntoEphemeralExpr for &Ephemeral<T> {
    fn into_ephemeral_expr(self) -> Expr {
        self.expr.clone()
    }
}

/// A write-only argument of type `T`: it is sent to the provider and stored nowhere. Setters take [`IntoWriteOnly<T>`].
pub struct WriteOnly<T> {
    expr: Expr,
    marker: PhantomData<fn() -> T>,
}

impl<T> WriteOnly<T> {
    fn new(expr: Expr) -> Self {
        Self {
            expr,
            marker: PhantomData,
        }
    }
}

impl<T> IntoEphemeralExpr for WriteOnly<T> {
    fn into_ephemeral_expr(self) -> Expr {
        self.expr
    }
}

/// Whatever a typed setter of a write-only argument takes: all that [`IntoInput<T>`] is, and an [`Ephemeral<T>`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given where a write-only argument of type `{T}` is expected",
    label = "not a `{T}`, nor an `Output<{T}>` or an `Ephemeral<{T}>`"
)]
pub trait IntoWriteOnly<T> {
    /// The argument.
    fn into_write_only(self) -> WriteOnly<T>;
}

#[diagnostic::do_not_recommend]
impl<T, X: Into<Input<T>>> IntoWriteOnly<T> for X {
    fn into_write_only(self) -> WriteOnly<T> {
        WriteOnly::new(self.into_input().into_expr())
    }
}

impl<T> IntoWriteOnly<T> for Ephemeral<T> {
    fn into_write_only(self) -> WriteOnly<T> {
        WriteOnly::new(self.expr)
    }
}

impl<T> IntoWriteOnly<T> for &Ephemeral<T> {
    fn into_write_only(self) -> WriteOnly<T> {
        WriteOnly::new(self.expr.clone())
    }
}

/// A declared ephemeral resource: opened when a run needs it, renewed while the run lasts, closed at its end.
#[derive(Debug, Clone)]
pub struct EphemeralResource {
    address: Arc<InstanceAddr>,
    location: Location,
}

impl EphemeralResource {
    /// One of a type that has no binding: `EphemeralResource::dynamic("aws_secretsmanager_secret_version", "password")`.
    pub fn dynamic(type_name: &str, name: impl Into<String>) -> EphemeralDeclaration {
        EphemeralDeclaration(Declaration::untyped(
            Mode::Ephemeral,
            type_name,
            name.into(),
        ))
    }

    /// The instance's address.
    pub fn address(&self) -> &Arc<InstanceAddr> {
        &self.address
    }

    /// Where it was declared.
    pub fn location(&self) -> Location {
        self.location
    }

    /// An attribute of the object.
    #[track_caller]
    pub fn attribute<T>(&self, name: &str) -> Ephemeral<T> {
        self.at(Path::root().attribute(name))
    }

    /// The value at a path of the object.
    #[track_caller]
    pub fn at<T>(&self, path: Path) -> Ephemeral<T> {
        Ephemeral::new(Expr::Reference(Arc::new(Reference {
            address: self.address.clone(),
            path,
            location: Location::caller(),
            planned: None,
        })))
    }
}

/// An ephemeral resource that is being described.
#[derive(Debug, Clone)]
pub struct EphemeralDeclaration(Declaration);

impl EphemeralDeclaration {
    /// A declaration of a type that bindings know.
    pub fn new(binding: &'static Binding, name: impl Into<String>) -> Self {
        Self(Declaration::new(binding, name))
    }

    /// Sets an argument or a whole nested block; an ephemeral value may be given as well.
    #[must_use]
    pub fn set(self, argument: &str, value: impl IntoEphemeralExpr) -> Self {
        Self(self.0.set(argument, value.into_ephemeral_expr()))
    }

    /// Adds nested blocks to a list or set of blocks: one, or [`Blocks`](crate::Blocks) of a collection.
    #[must_use]
    pub fn push_block<B>(self, name: &str, block: impl IntoBlocks<B>) -> Self {
        Self(self.0.push_block(name, block))
    }

    /// Sets the nested block of which there can be one.
    #[must_use]
    pub fn set_block<B>(self, name: &str, block: impl IntoBlocks<B>) -> Self {
        Self(self.0.set_block(name, block))
    }

    /// Tells this instance from others of the same name: `[0]` or `["key"]`.
    #[must_use]
    pub fn instance_key(self, key: impl Into<InstanceKey>) -> Self {
        Self(self.0.instance_key(key))
    }

    /// Opens this only after the changes of another resource that none of its arguments refer to.
    #[must_use]
    #[track_caller]
    pub fn depends_on(self, resource: &impl AsRef<Resource>) -> Self {
        Self(self.0.depends_on(resource))
    }

    /// Uses another configuration of the provider than the default one.
    #[must_use]
    pub fn provider(self, provider: &ProviderHandle) -> Self {
        Self(self.0.provider(provider))
    }

    /// Uses the default configuration of the provider with that source, for types without a binding.
    #[must_use]
    pub fn provider_source(self, source: ProviderSource) -> Self {
        Self(self.0.provider_source(source))
    }

    /// Adds it to the stack.
    #[track_caller]
    pub fn declare(self, stack: &mut Stack) -> EphemeralResource {
        let location = Location::caller();
        let address = stack.add(self.0, location);
        EphemeralResource { address, location }
    }
}
