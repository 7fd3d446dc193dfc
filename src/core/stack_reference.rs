//! References to the exports of other stacks, and the values that they get before a plan.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::marks::Marked;
use crate::suggest::closest;
use crate::typed::TypeMismatch;
use crate::value::Value;

/// Whose exports they are.
#[derive(Debug, Clone)]
pub enum Producer {
    /// A stack of the same program, by its name.
    Stack(Arc<str>),
    /// The stack whose state is kept there.
    State(StateAddress),
}

impl fmt::Display for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(name) => f.write_str(name),
            Self::State(address) => f.write_str(&address.text),
        }
    }
}

/// Where another stack's state is kept: the address of a backend as text, with the address itself where the program had one.
#[derive(Clone)]
pub struct StateAddress {
    text: Arc<str>,
    address: Option<Arc<dyn Any + Send + Sync>>,
}

impl StateAddress {
    /// An address that was made from a type of its own; for the crate that knows backends.
    pub fn of(address: impl fmt::Display + Any + Send + Sync) -> Self {
        Self {
            text: address.to_string().into(),
            address: Some(Arc::new(address)),
        }
    }

    /// The address, if it is of that type.
    pub fn address<A: 'static>(&self) -> Option<&A> {
        self.address.as_deref()?.downcast_ref()
    }

    /// The address as `--backend` takes it, without secrets.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for StateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Producer {
    /// The address of a state, as `--backend` takes it.
    fn from(address: &str) -> Self {
        Self::State(StateAddress {
            text: address.into(),
            address: None,
        })
    }
}

impl From<&String> for Producer {
    fn from(address: &String) -> Self {
        address.as_str().into()
    }
}

impl From<String> for Producer {
    fn from(address: String) -> Self {
        address.as_str().into()
    }
}

/// The exports of a producer at this moment, by name.
pub type ProducedValues = BTreeMap<Arc<str>, Produced>;

/// One export of a producer at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Produced {
    /// Its value.
    Known(Marked),
    /// The producer has to be applied first.
    AfterApply,
}

/// An export of another stack that a program uses.
pub struct ReferencedExport {
    producer: Arc<Producer>,
    name: Arc<str>,
    accepts: fn(&Value) -> Result<(), TypeMismatch>,
    value: OnceLock<Produced>,
}

impl ReferencedExport {
    pub(crate) fn new(
        producer: Arc<Producer>,
        name: &str,
        accepts: fn(&Value) -> Result<(), TypeMismatch>,
    ) -> Self {
        Self {
            producer,
            name: name.into(),
            accepts,
            value: OnceLock::new(),
        }
    }

    /// Whose export it is.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its value; `None` while that is not known: nobody resolved the reference, or the producer is not applied yet.
    pub fn value(&self) -> Option<&Marked> {
        match self.value.get()? {
            Produced::Known(value) => Some(value),
            Produced::AfterApply => None,
        }
    }
}

impl fmt::Display for ReferencedExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.producer, self.name)
    }
}

impl fmt::Debug for ReferencedExport {
    /// Never shows a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A struct of another stack's exports that a program uses.
#[derive(Debug, Clone)]
pub struct StackReference {
    producer: Arc<Producer>,
    exports: Vec<Arc<ReferencedExport>>,
    expected_by: &'static str,
    location: Location,
}

impl StackReference {
    pub(crate) fn new(
        producer: Arc<Producer>,
        exports: Vec<Arc<ReferencedExport>>,
        expected_by: &'static str,
        location: Location,
    ) -> Self {
        Self {
            producer,
            exports,
            expected_by,
            location,
        }
    }

    /// Whose exports they are.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// The exports that the struct has.
    pub fn exports(&self) -> &[Arc<ReferencedExport>] {
        &self.exports
    }

    /// Where the program asks for them.
    pub fn location(&self) -> Location {
        self.location
    }

    /// Gives every export its value, once for a program.
    ///
    /// # Errors
    /// When one is missing or of another type; each with both types and whose it is.
    pub fn resolve(&self, produced: &ProducedValues) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for export in &self.exports {
            let found = match produced.get(&export.name) {
                Some(found) => Ok(found.clone()),
                None => self.missing(export, produced),
            };
            let found = match found {
                Ok(found) => found,
                Err(missing) => {
                    diagnostics.extend(missing);
                    continue;
                }
            };
            if let Produced::Known(marked) = &found
                && let Err(mismatch) = (export.accepts)(&marked.value)
            {
                diagnostics.push(self.mismatched(export, marked, &mismatch));
                continue;
            }
            // A second resolution of a program changes nothing: a plan and its apply see the same values.
            let _ = export.value.set(found);
        }
        diagnostics.into_result(()).map(drop)
    }

    /// A missing export is null where the struct accepts that.
    fn missing(
        &self,
        export: &ReferencedExport,
        produced: &ProducedValues,
    ) -> Result<Produced, Diagnostics> {
        if (export.accepts)(&Value::Null).is_ok() {
            return Ok(Produced::Known(Marked::plain(Value::Null)));
        }
        let names = || produced.keys().map(|name| &**name);
        let has = match produced.is_empty() {
            true => "it has no exports".to_owned(),
            false => format!("its exports are {}", names().collect::<Vec<_>>().join(", ")),
        };
        let error = Diagnostic::error(format!("{} exports no `{}`", self.producer, export.name))
            .detail(format!("`{}` expects it; {has}", self.expected_by))
            .location(self.location);
        let hinted = match closest(&export.name, names()) {
            Some(close) => error.hint(format!("did you mean `{close}`?")),
            None => error.hint("apply the producer with a program that exports it, or make the field an `Output<Option<…>>`"),
        };
        Err(hinted.into())
    }

    fn mismatched(
        &self,
        export: &ReferencedExport,
        found: &Marked,
        mismatch: &TypeMismatch,
    ) -> Diagnostic {
        let error = Diagnostic::error(format!(
            "the export `{}` of {} does not fit `{}`: {mismatch}",
            export.name, self.producer, self.expected_by
        ))
        .location(self.location)
        .hint("change the type of the field, or what the producer exports");
        match found.is_sensitive() {
            // Names of members are a part of the secret.
            true => error,
            false => {
                let ty = found.value.implied_type();
                error.detail(format!("the producer exports it as {ty}"))
            }
        }
    }
}
