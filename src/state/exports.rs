//! The exports of a stack as others read them: out of its state, without its lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use terrane_core::value::JsonError;
use terrane_core::{
    Diagnostic, Diagnostics, Marked, Produced, ProducedValues, Producer, Program, StackReference,
    StateAddress, Value,
};

use crate::backend::{Backend, BackendConfig, Backends};
use crate::chain::chain;
use crate::clock::Clock;
use crate::model::{OutputValue, State};
use crate::run::{Run, RunError};

impl From<BackendConfig> for Producer {
    fn from(config: BackendConfig) -> Self {
        Self::State(StateAddress::of(config))
    }
}

impl From<&BackendConfig> for Producer {
    fn from(config: &BackendConfig) -> Self {
        config.clone().into()
    }
}

#[cfg(feature = "s3")]
impl From<crate::S3Backend> for Producer {
    fn from(backend: crate::S3Backend) -> Self {
        BackendConfig::from(backend).into()
    }
}

impl OutputValue {
    /// The value, sensitive as a whole if it is stored so.
    ///
    /// # Errors
    /// When it is not of its type.
    pub fn marked(&self) -> Result<Marked, JsonError> {
        let value = Value::from_json(self.value.as_str().as_bytes(), &self.ty)?;
        Ok(match self.sensitive {
            true => Marked::sensitive(value),
            false => Marked::plain(value),
        })
    }
}

impl State {
    /// The exports, as other stacks use them.
    ///
    /// # Errors
    /// When one is not of its type, with its name.
    pub fn produced(&self) -> Result<ProducedValues, (Arc<str>, JsonError)> {
        let produced = |(name, stored): (&Arc<str>, &OutputValue)| match stored.marked() {
            Ok(marked) => Ok((name.clone(), Produced::Known(marked))),
            Err(error) => Err((name.clone(), error)),
        };
        self.outputs.iter().map(produced).collect()
    }
}

/// Reads what a program uses of states elsewhere, each state once and all side by side.
///
/// References to stacks of the same program are left as they are.
///
/// # Errors
/// When a state does not exist or cannot be read, or its exports do not fit.
pub async fn read_exports(
    program: &Program,
    backends: &Backends,
    clock: &Arc<dyn Clock>,
) -> Result<(), Diagnostics> {
    let mut states: BTreeMap<&str, (&StateAddress, Vec<&StackReference>)> = BTreeMap::new();
    for reference in program.stack_references() {
        if let Producer::State(address) = reference.producer() {
            let entry = states.entry(address.as_str());
            entry
                .or_insert_with(|| (address, Vec::new()))
                .1
                .push(reference);
        }
    }
    let read = states.into_values().map(async |(address, references)| {
        match read_state(address, backends, clock.clone()).await {
            Ok(produced) => resolve(&references, &produced),
            Err(errors) => {
                let errors = errors.into_iter();
                let at = |error: Diagnostic| match references.first() {
                    Some(reference) => error.location(reference.location()),
                    None => error,
                };
                Err(errors.map(at).collect())
            }
        }
    });
    let mut diagnostics = Diagnostics::new();
    for error in join_all(read).await.into_iter().filter_map(Result::err) {
        diagnostics.extend(error);
    }
    diagnostics.into_result(()).map(drop)
}

fn resolve(references: &[&StackReference], produced: &ProducedValues) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    for error in references
        .iter()
        .filter_map(|it| it.resolve(produced).err())
    {
        diagnostics.extend(error);
    }
    diagnostics.into_result(()).map(drop)
}

async fn read_state(
    address: &StateAddress,
    backends: &Backends,
    clock: Arc<dyn Clock>,
) -> Result<ProducedValues, Diagnostics> {
    let place = address.as_str();
    let config = match address.address::<BackendConfig>() {
        Some(config) => config.clone(),
        None => backends.parse(place).map_err(|error| {
            Diagnostic::error(format!("`{place}` is not an address of a state: {error}"))
        })?,
    };
    let connected = config.address().connect(clock).await;
    let backend = connected.map_err(|error| unread(place, &error.into()))?;
    read_backend(&*backend, place).await
}

/// The exports in the state at a backend; `place` is how messages name it.
///
/// # Errors
/// When there is no state, or it cannot be read.
pub async fn read_backend(
    backend: &dyn Backend,
    place: &str,
) -> Result<ProducedValues, Diagnostics> {
    let (state, _) = Run::look(backend)
        .await
        .map_err(|error| unread(place, &error))?;
    if state.serial == 0 && state.lineage.is_empty() {
        return Err(Diagnostic::error(format!("there is no state at {place}"))
            .detail("its exports are used here")
            .hint("apply the stack that exports them first, or correct the address")
            .into());
    }
    state.produced().map_err(|(name, error)| {
        Diagnostic::error(format!(
            "the export `{name}` in the state at {place} cannot be read: {error}"
        ))
        .hint("apply the stack that exports it again: its value is computed anew")
        .into()
    })
}

fn unread(place: &str, error: &RunError) -> Diagnostics {
    Diagnostic::error(format!(
        "the exports in the state at {place} cannot be read"
    ))
    .detail(chain(error))
    .into()
}

#[cfg(test)]
mod tests;
