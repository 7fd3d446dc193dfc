//! Plans for the tests of what people see.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ProviderConfigAddr, ProviderSource};
use terrane_core::schema::{Block, Schema};
use terrane_core::{Location, Marked, NoConfig, Path, Program, Resource, Value};
use terrane_engine::{Action, OutputChange, PlanMode, Reason, ResourceChange};

use super::{Details, Outline, Place, Subject};
use crate::view::Secrets;

/// A program whose resources are a chain.
pub(crate) fn program() -> Program {
    let declared = Program::from_fn(
        |stack| {
            let vpc = Resource::dynamic("t_vpc", "main")
                .set("cidr", "10.1.0.0/16")
                .declare(stack);
            let subnet = Resource::dynamic("t_subnet", "s")
                .set("vpc", vpc.attribute::<String>("id"))
                .declare(stack);
            stack.module("cluster", |stack| {
                Resource::dynamic("t_node", "n")
                    .instance_key("x")
                    .set("subnet", subnet.attribute::<String>("id"))
                    .declare(stack);
            });
            stack.export("vpc", vpc.attribute::<String>("id"));
            Ok(())
        },
        NoConfig,
    );
    declared.expect("a program")
}

/// A plain object.
pub(crate) fn object(members: &[(&str, Value)]) -> Arc<Marked> {
    Arc::new(Marked::plain(Value::map(members.iter().cloned())))
}

/// A change at that address.
pub(crate) fn change(
    address: &str,
    action: Action,
    before: Arc<Marked>,
    after: Arc<Marked>,
) -> ResourceChange {
    let address: InstanceAddr = address.parse().expect("an address");
    ResourceChange {
        provider: ProviderConfigAddr::default_of(ProviderSource::implied_by("t_vpc")),
        address: Arc::new(address),
        deposed: None,
        action,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        schema: Arc::new(Schema::new(0, Block::default())),
        private: Default::default(),
        before_identity: None,
        planned_identity: None,
        create_before_destroy: false,
        location: Some(Location {
            file: "stacks/prod/main.rs",
            line: 7,
            column: 1,
        }),
    }
}

/// A replacement because one attribute changes.
pub(crate) fn replaced(
    address: &str,
    attribute: &str,
    before: Value,
    after: Value,
) -> ResourceChange {
    let id = ("id", Value::from("old-id"));
    let before = object(&[id, (attribute, before)]);
    let after = object(&[("id", Value::UNKNOWN), (attribute, after)]);
    ResourceChange {
        reason: Some(Reason::ReplaceBecauseCannotUpdate),
        replace_paths: vec![Path::root().attribute(attribute)],
        ..change(address, Action::DeleteThenCreate, before, after)
    }
}

/// The outline of these changes.
pub(crate) fn outline(
    changes: &[ResourceChange],
    outputs: &[OutputChange],
    details: Details,
) -> Outline {
    Subject {
        mode: PlanMode::Normal,
        changes,
        drift: &[],
        deferred: &[],
        deferred_modules: &[],
        outputs,
        moves: &[],
        adoptions: &[],
        invocations: Vec::new(),
        unread: None,
        program: &program(),
        secrets: Secrets::Hidden,
        details,
    }
    .outline()
}

/// A place without anything that differs between machines.
pub(crate) fn place() -> Place {
    Place {
        stack: "prod".to_owned(),
        state: "state.json".to_owned(),
        providers: vec!["aws 5.100.0".to_owned()],
        callers: vec![terrane_engine::CallerIdentity {
            provider: "aws".to_owned(),
            account: Some("123456789012".to_owned()),
            region: Some("eu-west-1".to_owned()),
        }],
        ..Place::default()
    }
}
