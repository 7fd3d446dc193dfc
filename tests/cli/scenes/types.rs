//! A provider whose types are like those of a cloud: networks, subnets, clusters, policies, firewalls, databases.

use terrane_core::schema::Nesting;
use terrane_core::{Declaration, Resource, Type};
use terrane_tests::{FakeProvider, Fields, World};

/// A world with these types.
pub(crate) fn world() -> World {
    world_of(|provider| provider)
}

/// The same, with a provider that is made into another.
pub(crate) fn world_of(change: impl FnOnce(FakeProvider) -> FakeProvider) -> World {
    let network = Fields::new()
        .string("id", "computed")
        .string("arn", "computed")
        .string("name", "required")
        .string("cidr_block", "required force_new")
        .attribute("tags", Type::map(Type::String), "optional");
    let subnet = Fields::new()
        .string("id", "computed")
        .string("name", "required")
        .string("network_id", "required force_new")
        .string("cidr_block", "required force_new")
        .string("zone", "optional computed")
        .attribute("tags", Type::map(Type::String), "optional");
    let cluster = Fields::new()
        .string("id", "computed")
        .string("name", "required force_new")
        .string("version", "optional")
        .string("endpoint", "computed")
        .attribute("subnet_ids", Type::list(Type::String), "required force_new")
        .attribute("log_types", Type::set(Type::String), "optional")
        .attribute("labels", Type::map(Type::String), "optional");
    let policy = Fields::new()
        .string("id", "computed")
        .string("name", "required")
        .string("document", "optional")
        .string("script", "optional");
    let rule = Fields::new()
        .number("port", "required")
        .string("protocol", "optional")
        .attribute("cidr_blocks", Type::list(Type::String), "optional")
        .string("note", "optional");
    let firewall = Fields::new()
        .string("id", "computed")
        .string("name", "required")
        .blocks("rule", Nesting::Set, rule);
    let database = Fields::new()
        .string("id", "computed")
        .string("name", "required force_new")
        .number("size", "optional")
        .string("password", "optional sensitive")
        .string("url", "optional")
        .string("endpoint", "computed volatile");
    let password = Fields::new()
        .string("id", "computed")
        .string("name", "required sensitive");
    World::new(
        change(FakeProvider::new())
            .resource("test_network", network)
            .resource("test_subnet", subnet)
            .resource("test_cluster", cluster)
            .resource("test_policy", policy)
            .resource("test_firewall", firewall)
            .resource("test_database", database)
            .resource("test_password", password),
    )
}

/// A resource whose object is called after its type and its name: `network-main`.
pub(crate) fn new(type_name: &'static str, name: &str) -> Declaration {
    let called = type_name.trim_start_matches("test_");
    Resource::dynamic(type_name, name).set("name", format!("{called}-{name}"))
}
