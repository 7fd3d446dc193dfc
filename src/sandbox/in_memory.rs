//! The sandbox in the caller's process and memory: for simulations, which drive engine and cloud by one clock, and for the tests of
//! stacks.

use std::sync::Arc;

use terrane_core::schema::ProviderSchema;
use terrane_provider::serve::Service;

use crate::clock::Speed;
use crate::cloud::{Cloud, LedgerAction};
use crate::kind::Kinds;
use crate::operations::Operations;
use crate::service::Sandbox;

/// The region of a provider configuration that names none.
const REGION: &str = "us-east-1";

/// The types that sandboxes serve, read once for many of them.
#[derive(Debug, Clone)]
pub struct Types(Arc<Kinds>);

/// The clouds of one process. They never wait.
pub struct InMemory {
    sandbox: Sandbox,
    operations: Arc<Operations>,
}

/// A line of its ledger: what happened to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// `create`, `update` or `delete`.
    pub action: &'static str,
    /// The resource type.
    pub type_name: String,
    /// The object's id.
    pub id: String,
    /// The object afterwards, as the JSON of its type; `None` when it is gone.
    pub object: Option<String>,
}

impl Types {
    /// The types of those facts, a line each.
    pub fn read(facts: &str) -> Self {
        Self(Arc::new(Kinds::read(facts)))
    }

    /// Their schema.
    pub fn schema(&self) -> &ProviderSchema {
        &self.0.schema
    }
}

impl InMemory {
    /// An empty one.
    pub fn new(types: &Types) -> Self {
        Self::over(types.0.clone(), Cloud::in_memory())
    }

    /// Another one with the same in it.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::over(self.operations.kinds.clone(), self.operations.cloud.fork())
    }

    /// Another provider of the same cloud: with a configuration of its own, and types that may be others.
    #[must_use]
    pub fn beside(&self, types: &Types) -> Self {
        Self::over(types.0.clone(), self.operations.cloud.clone())
    }

    fn over(kinds: Arc<Kinds>, cloud: impl Into<Arc<Cloud>>) -> Self {
        let operations = Arc::new(Operations::new(kinds, cloud));
        // Nothing waits, so the speed says nothing.
        let sandbox = Sandbox::new(operations.clone(), REGION, Speed::default());
        Self {
            sandbox: sandbox.without_waiting(),
            operations,
        }
    }

    /// The provider before it.
    pub fn service(&self) -> &dyn Service {
        &self.sandbox
    }

    /// Everything that happened, in order.
    pub fn ledger(&self) -> Vec<Happened> {
        let lines = self.operations.cloud.lines().into_iter();
        lines
            .map(|line| Happened {
                action: match line.entry.action {
                    LedgerAction::Create => "create",
                    LedgerAction::Update => "update",
                    LedgerAction::Delete => "delete",
                },
                type_name: line.entry.type_name,
                id: line.entry.id,
                object: line.object.map(|object| object.get().to_owned()),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn what_happens_is_in_the_ledger_and_in_no_file() {
        let types = Types(Arc::new(samples::kinds()));
        let sandbox = InMemory::new(&types);
        let kind = types.0.resource("aws_vpc").expect("a type");
        let planned = samples::object(kind, &serde_json::json!({"cidr_block": "10.0.0.0/16"}));
        let settings = crate::operations::Settings::new(REGION);
        let (vpc, id) = sandbox
            .operations
            .create(kind, planned.members().expect("an object"), &settings)
            .expect("AWS agrees");
        (sandbox.operations)
            .delete(kind, &id, &vpc, &settings)
            .expect("AWS agrees");
        let ledger = sandbox.ledger();
        let actions: Vec<&str> = ledger.iter().map(|line| line.action).collect();
        assert_eq!(actions, ["create", "delete"]);
        assert!(
            ledger[0]
                .object
                .as_ref()
                .is_some_and(|object| object.contains("10.0.0.0/16"))
        );
        assert_eq!(ledger[1].object, None);
    }
}
