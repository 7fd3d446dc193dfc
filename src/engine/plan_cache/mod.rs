//! What earlier plans of a stack found: when each object was read, and for which instances nothing was planned.
//!
//! With it `--refresh changed` knows which objects it has to read, and asks no provider a question that it has answered: an instance whose
//! arguments, stored object, provider and planning rules are those of an earlier plan without a change has none again. Everything is kept
//! under the hash of all that it rests on, so another version of a provider, a changed argument or a tainted object is simply not found. A
//! cache that is lost, damaged or old costs time and nothing else: providers are asked.

mod asleep;
mod digest;
mod file;
mod memory;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::ProviderSource;
use terrane_core::schema::{IdentitySchema, Schema};

pub(crate) use asleep::Asleep;
pub(crate) use digest::Digest;
pub(crate) use memory::{Asked, Memory, Question};

/// What earlier plans of a stack found. Its file lies beside the state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanCache {
    providers: BTreeMap<ProviderSource, KnownProvider>,
    /// What was asked of a provider that had nothing to say.
    answers: HashSet<Digest>,
    /// When objects were read, in seconds since 1970.
    readings: HashMap<Digest, u64>,
}

/// The schemas of one build of a provider, as far as the stack uses them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownProvider {
    build: Arc<str>,
    config: Arc<Schema>,
    meta: Option<Arc<Schema>>,
    resources: BTreeMap<Arc<str>, KnownType>,
    data_sources: BTreeMap<Arc<str>, Arc<Schema>>,
}

/// A resource type.
#[derive(Debug, Clone, PartialEq)]
struct KnownType {
    schema: Arc<Schema>,
    identity: Option<Arc<IdentitySchema>>,
}

impl PlanCache {
    /// The name of its file beside the state.
    pub const NAME: &'static str = "plan-cache";

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.readings.is_empty()
    }
}
