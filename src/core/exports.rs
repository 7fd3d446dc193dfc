//! The exports of a stack as a struct: published by its own program, read by the programs of others.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::diagnostics::Location;
use crate::expr::Expr;
use crate::output::Output;
use crate::stack::Stack;
use crate::stack_reference::{Producer, ReferencedExport, StackReference};
use crate::typed::FromValue;

/// The exports of a stack: a struct of [`Output`]s, to be derived.
///
/// A producer publishes one with [`Stack::exports`]. A consumer gets the same struct: by [`Stack::exports_of`] in the same program,
/// by [`Stack::reads`] from the producer's state. A null export of a field `Output<Option<T>>` may be missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct of exports",
    label = "does not derive `Exports`",
    note = "write `#[derive(Exports)]` before a struct whose fields are `Output`s"
)]
pub trait Exports: Sized {
    /// Publishes each of them.
    fn publish(self, publisher: &mut Publisher<'_>);

    /// Those of another stack, as values that the engine learns before it plans.
    fn refer(producer: &mut ProducerExports) -> Self;
}

/// No exports.
impl Exports for () {
    fn publish(self, _: &mut Publisher<'_>) {}

    fn refer(_: &mut ProducerExports) -> Self {}
}

/// Takes the exports of a struct; for [`Exports::publish`].
pub struct Publisher<'a> {
    pub(crate) stack: &'a mut Stack,
    pub(crate) location: Location,
}

impl Publisher<'_> {
    /// Publishes one.
    pub fn export<T>(&mut self, name: &str, value: Output<T>) {
        self.stack
            .add_export(name, value.into_expr(), self.location);
    }
}

impl fmt::Debug for Publisher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

/// Makes the outputs of a struct of another stack's exports; for [`Exports::refer`].
#[derive(Debug)]
pub struct ProducerExports {
    producer: Arc<Producer>,
    expected_by: &'static str,
    exports: Vec<Arc<ReferencedExport>>,
}

impl ProducerExports {
    /// One of them.
    pub fn export<T: FromValue>(&mut self, name: &str) -> Output<T> {
        let accepts = |value: &_| T::from_value(value).map(drop);
        let export = ReferencedExport::new(self.producer.clone(), name, accepts);
        let export = Arc::new(export);
        self.exports.push(export.clone());
        Output::new(Expr::Export(export))
    }
}

/// The stack of that name in the same program, whose exports are an `E`.
///
/// The fleet makes one of each stack whose function returns its exports, so that the compiler knows what a consumer gets.
pub struct StackRef<E> {
    name: Arc<str>,
    exports: PhantomData<fn() -> E>,
}

impl<E> StackRef<E> {
    /// A handle; for the fleet, which knows that the stack's function returns an `E`.
    #[doc(hidden)]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            exports: PhantomData,
        }
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<E> Clone for StackRef<E> {
    fn clone(&self) -> Self {
        Self::new(self.name.clone())
    }
}

impl<E> fmt::Debug for StackRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StackRef({})", self.name)
    }
}

/// The state of another stack, about to be read; from [`Stack::reads`].
#[derive(Debug)]
#[must_use = "`exports` says what is read"]
pub struct StateReads<'a> {
    stack: &'a mut Stack,
    producer: Producer,
    location: Location,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}

impl StateReads<'_> {
    /// The exports in it as a struct. What does not fit is an error at the line of [`Stack::reads`], before anything is planned.
    pub fn exports<E: Exports>(self) -> E {
        self.stack.refer(self.producer, self.location)
    }
}

impl Stack {
    /// Publishes a struct of exports, each under the name of its field.
    #[track_caller]
    pub fn exports(&mut self, exports: impl Exports) {
        let location = Location::caller();
        exports.publish(&mut Publisher {
            stack: self,
            location,
        });
    }

    /// The exports of another stack of the same program.
    #[track_caller]
    pub fn exports_of<E: Exports>(&mut self, producer: &StackRef<E>) -> E {
        let location = Location::caller();
        self.refer(Producer::Stack(producer.name.clone()), location)
    }

    /// Reads another stack's state, which may be Terraform's or OpenTofu's: `stack.reads(backend).exports::<NetworkExports>()`.
    ///
    /// It is read before each plan, without its lock, and never written.
    #[track_caller]
    pub fn reads(&mut self, state: impl Into<Producer>) -> StateReads<'_> {
        StateReads {
            producer: state.into(),
            location: Location::caller(),
            stack: self,
        }
    }

    fn refer<E: Exports>(&mut self, producer: Producer, location: Location) -> E {
        let name = std::any::type_name::<E>();
        let mut from = ProducerExports {
            producer: Arc::new(producer),
            expected_by: name.rsplit("::").next().unwrap_or(name),
            exports: Vec::new(),
        };
        let exports = E::refer(&mut from);
        self.declared.references.push(StackReference::new(
            from.producer,
            from.exports,
            from.expected_by,
            location,
        ));
        exports
    }
}
