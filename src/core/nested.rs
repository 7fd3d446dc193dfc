//! Typed handles on the objects nested in a resource, as in `cluster.identity().index(0).oidc()`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::output::Output;
use crate::value::{PathStep, Value};

/// A typed handle on an object inside another object; generated bindings have one for each nested block.
pub trait Nested {
    /// The handle on that object.
    fn from_output(object: Output<Value>) -> Self;
}

/// A list of nested objects.
pub struct NestedList<T> {
    list: Output<Vec<Value>>,
    marker: PhantomData<fn() -> T>,
}

impl<T: Nested> NestedList<T> {
    /// The object at that place, from 0.
    #[track_caller]
    pub fn index(&self, index: usize) -> T {
        T::from_output(Output::new(self.list.expr().at(PathStep::Index(index))))
    }
}

impl<T> NestedList<T> {
    /// The whole list, to compute with.
    pub fn all(&self) -> Output<Vec<Value>> {
        self.list.clone()
    }
}

impl<T> From<Output<Vec<Value>>> for NestedList<T> {
    fn from(list: Output<Vec<Value>>) -> Self {
        Self {
            list,
            marker: PhantomData,
        }
    }
}

/// A list of nested objects that holds at most one, as a schema says.
pub struct NestedOnly<T>(NestedList<T>);

impl<T: Nested> NestedOnly<T> {
    /// The only object of the list.
    #[track_caller]
    pub fn only(&self) -> T {
        self.index(0)
    }
}

impl<T> Deref for NestedOnly<T> {
    type Target = NestedList<T>;

    fn deref(&self) -> &NestedList<T> {
        &self.0
    }
}

impl<T> From<Output<Vec<Value>>> for NestedOnly<T> {
    fn from(list: Output<Vec<Value>>) -> Self {
        Self(list.into())
    }
}

impl<T> Clone for NestedOnly<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for NestedOnly<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Clone for NestedList<T> {
    fn clone(&self) -> Self {
        self.list.clone().into()
    }
}

impl<T> fmt::Debug for NestedList<T> {
    /// Shows where the list comes from, never its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

/// Says that a required argument of a typed builder is set. Until then its place holds a type that names the missing argument.
#[derive(Debug, Clone, Copy)]
pub struct Set;

/// A required argument that is set; [`Set`] alone.
#[diagnostic::on_unimplemented(
    message = "a required argument is not set: `{Self}`",
    label = "`declare` needs every required argument",
    note = "`{Self}` is named after the argument: call its setter before `declare`"
)]
pub trait IsSet {}

impl IsSet for Set {}
