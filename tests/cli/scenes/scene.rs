//! The scenes: what happens to a small platform, from its first `up` to its end.

use std::collections::BTreeMap;

use terrane_core::addr::ProviderSource;
use terrane_core::{BlockArguments, Expr, Lifecycle, Output, ProviderDeclaration, Resource, Stack};
use terrane_tests::{FakeProvider, Run, World};

use super::Played;
use super::types::{new, world, world_of};

/// Plays a scene.
type Play = fn() -> Played;

/// Every scene.
pub(crate) static SCENES: &[(&str, Play)] = &[
    ("create_all", create_all),
    ("no_change", no_change),
    ("in_place", in_place),
    ("replaced", replaced),
    ("documents", documents),
    ("destroyed", destroyed),
    ("drift", drift),
    ("failed_halfway", failed_halfway),
    ("after_failure", after_failure),
    ("unanswered", unanswered),
    ("unknowns", unknowns),
    ("secrets", secrets),
    ("moved", moved),
    ("renamed", renamed),
    ("deferred", deferred),
    ("five_hundred", five_hundred),
];

/// The knobs of the platform.
#[derive(Clone)]
struct Platform {
    cidr: &'static str,
    version: &'static str,
    ports: &'static [i64],
    tags: &'static [(&'static str, &'static str)],
    logs: &'static [&'static str],
    actions: &'static [&'static str],
    script: &'static str,
    password: &'static str,
    create_before_destroy: bool,
    /// The name of the module of the network.
    module: &'static str,
}

const PLATFORM: Platform = Platform {
    cidr: "10.0.0.0/16",
    version: "1.28",
    ports: &[443, 8443],
    tags: &[("Name", "main"), ("team", "platform")],
    logs: &["api", "audit"],
    actions: &["s3:GetObject", "s3:ListBucket"],
    script: "#!/bin/sh\nset -e\nstart --fast\nexit 0\n",
    password: "correct-horse-battery",
    create_before_destroy: false,
    module: "network",
};

impl Platform {
    fn declare(&self, stack: &mut Stack) {
        let (network, subnets) = stack.module(self.module, |stack| self.network(stack));
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Read","Effect":"Allow","Action":[{}],"Resource":"arn:aws:s3:::data/*"}},{{"Sid":"Deny","Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}}]}}"#,
            self.actions
                .iter()
                .map(|action| format!("{action:?}"))
                .collect::<Vec<_>>()
                .join(",")
        );
        new("test_policy", "reader")
            .set("document", policy)
            .set("script", self.script)
            .declare(stack);
        let mut firewall = new("test_firewall", "edge");
        for port in self.ports {
            let rule = BlockArguments::new()
                .set("port", *port)
                .set("protocol", "tcp")
                .set("cidr_blocks", vec!["0.0.0.0/0"]);
            firewall = firewall.push_block("rule", rule);
        }
        firewall.declare(stack);
        let mut lifecycle = Lifecycle::new();
        if self.create_before_destroy {
            lifecycle = lifecycle.create_before_destroy();
        }
        let cluster = stack.module("cluster", |stack| {
            new("test_cluster", "main")
                .set("version", self.version)
                .set("subnet_ids", subnets)
                .set("log_types", self.logs.to_vec())
                .lifecycle(lifecycle)
                .declare(stack)
        });
        new("test_database", "main")
            .set("size", 20)
            .set("password", secret(self.password))
            .set("url", format!("postgres://app:{}@db", self.password))
            .declare(stack);
        stack.export("network_id", network.attribute::<String>("id"));
        stack.export("cluster_endpoint", cluster.attribute::<String>("endpoint"));
        stack.export("version", self.version);
        stack.export("password", secret(self.password));
    }

    fn network(&self, stack: &mut Stack) -> (Resource, Vec<Output<String>>) {
        let tags: BTreeMap<_, _> = self.tags.iter().copied().collect();
        let network = new("test_network", "main")
            .set("cidr_block", self.cidr)
            .set("tags", tags)
            .declare(stack);
        let subnets = ["a", "b"].map(|zone| {
            Resource::dynamic("test_subnet", "private")
                .instance_key(zone)
                .set("name", format!("private-{zone}"))
                .set("network_id", network.attribute::<String>("id"))
                .set("cidr_block", format!("10.0.{}.0/24", zone.len()))
                .set("zone", format!("eu-west-1{zone}"))
                .declare(stack)
        });
        let ids = subnets.iter().map(|subnet| subnet.attribute("id"));
        (network, ids.collect())
    }
}

fn text(value: &str) -> Output<String> {
    Output::new(Expr::Literal(value.into()))
}

fn secret(value: &str) -> Output<String> {
    text(value).sensitive()
}

/// The platform exists, and then there is another program.
fn then(after: &Platform, before: &Platform) -> Played {
    let mut world = world();
    world.up(|stack| before.declare(stack)).succeeds();
    let run = world.up(|stack| after.declare(stack)).succeeds();
    Played { world, run }
}

fn create_all() -> Played {
    let mut world = world();
    let run = world.up(|stack| PLATFORM.declare(stack)).succeeds();
    Played { world, run }
}

fn no_change() -> Played {
    then(&PLATFORM, &PLATFORM)
}

fn in_place() -> Played {
    let after = Platform {
        version: "1.29",
        ports: &[443, 9443, 22],
        tags: &[("Name", "main"), ("team", "data"), ("cost", "42")],
        logs: &["audit", "scheduler", "controllerManager"],
        ..PLATFORM
    };
    then(&after, &PLATFORM)
}

fn replaced() -> Played {
    let before = Platform {
        create_before_destroy: true,
        ..PLATFORM
    };
    let after = Platform {
        cidr: "10.1.0.0/16",
        ..before.clone()
    };
    then(&after, &before)
}

fn documents() -> Played {
    let after = Platform {
        actions: &["s3:ListBucket", "s3:PutObject", "s3:GetObject"],
        script: "#!/bin/sh\nset -eu\nstart --fast --safely\nexit 0\n",
        ..PLATFORM
    };
    then(&after, &PLATFORM)
}

fn destroyed() -> Played {
    let mut world = world();
    world.up(|stack| PLATFORM.declare(stack)).succeeds();
    let run = world.destroy(|stack| PLATFORM.declare(stack)).succeeds();
    Played { world, run }
}

fn drift() -> Played {
    let mut world = world();
    world.up(|stack| PLATFORM.declare(stack)).succeeds();
    // One that the program puts right, one that it has no word about, one that is gone.
    let version = terrane_core::Value::from("1.30");
    world
        .provider
        .cloud
        .edit("cluster-main", "version", version);
    world.provider.cloud.edit("private-a", "zone", "eu-west-1c");
    world.provider.cloud.remove("policy-reader");
    let run = world.up(|stack| PLATFORM.declare(stack)).succeeds();
    Played { world, run }
}

fn failed_halfway() -> Played {
    let (world, run) = half();
    Played { world, run }
}

/// A creation is refused, another one fails when the object exists already.
fn half() -> (World, Run) {
    let mut world = world();
    world.provider.on_create("private-b", |call| {
        call.refuse(
            "InvalidSubnet.Conflict: the CIDR conflicts with another subnet\n\tstatus code: 400",
        )
    });
    world.provider.on_create("firewall-edge", |call| {
        call.proceed_then_refuse(
            "waiting for the firewall: timeout while waiting for state `ACTIVE`",
        )
    });
    let run = world.up(|stack| PLATFORM.declare(stack)).fails();
    world.provider.reset();
    (world, run)
}

fn after_failure() -> Played {
    let (mut world, _) = half();
    let run = world.up(|stack| PLATFORM.declare(stack)).succeeds();
    Played { world, run }
}

fn unanswered() -> Played {
    let mut world = world();
    world
        .provider
        .on_create("database-main", |call| call.crash_after());
    let run = world.up(|stack| PLATFORM.declare(stack)).fails();
    Played { world, run }
}

fn unknowns() -> Played {
    let mut world = world();
    let run = world.up(|stack| {
        let networks: Vec<Output<String>> = (0..5)
            .map(|number| {
                let network = new("test_network", &format!("n{number}"))
                    .set("cidr_block", format!("10.{number}.0.0/16"))
                    .declare(stack);
                network.attribute("id")
            })
            .collect();
        let labels = [
            ("first", networks[0].clone()),
            ("second", networks[1].clone()),
        ];
        let labels: BTreeMap<_, _> = labels.into_iter().collect();
        let subnets: Vec<Output<String>> =
            networks.iter().cloned().chain([text("fixed")]).collect();
        let cluster = new("test_cluster", "main")
            .set("subnet_ids", subnets.clone())
            .set("log_types", networks[2..].to_vec())
            .set("labels", labels)
            .declare(stack);
        stack.export("all", subnets);
        stack.export("endpoint", cluster.attribute::<String>("endpoint"));
    });
    let run = run.succeeds();
    Played { world, run }
}

fn secrets() -> Played {
    let after = Platform {
        password: "staple-of-another-kind",
        ..PLATFORM
    };
    then(&after, &PLATFORM)
}

fn moved() -> Played {
    let mut world = world();
    let flat = |stack: &mut Stack| {
        PLATFORM.network(stack);
    };
    world.up(flat).succeeds();
    let run = world
        .up(|stack| {
            stack.module("network", |stack| PLATFORM.network(stack));
            for resource in ["test_network.main", "test_subnet.private"] {
                stack.moved(resource, &format!("module.network.{resource}"));
            }
        })
        .succeeds();
    Played { world, run }
}

fn renamed() -> Played {
    let after = Platform {
        module: "net",
        ..PLATFORM
    };
    then(&after, &PLATFORM)
}

/// A cluster, and what lives in it: its provider is configured by an attribute that the cluster does not have before it exists.
fn deferred() -> Played {
    let mut world = world_of(FakeProvider::regional);
    let run = world.up(|stack| {
        let (network, subnets) = stack.module("network", |stack| PLATFORM.network(stack));
        let cluster = new("test_cluster", "main")
            .set("subnet_ids", subnets)
            .declare(stack);
        let inside = ProviderDeclaration::dynamic(ProviderSource::implied_by("test_cluster"))
            .alias("inside")
            .set("region", cluster.attribute::<String>("endpoint"));
        let inside = stack.provider(inside);
        let policy = stack.module("apps", |stack| {
            for name in ["api", "worker"] {
                new("test_database", name)
                    .set("size", 20)
                    .provider(&inside)
                    .declare(stack);
            }
            new("test_policy", "pods")
                .set("document", r#"{"Statement":[]}"#)
                .provider(&inside)
                .declare(stack)
        });
        new("test_policy", "follower")
            .set("script", policy.attribute::<String>("id"))
            .declare(stack);
        stack.export("network_id", network.attribute::<String>("id"));
        stack.export("policy_id", policy.attribute::<String>("id"));
    });
    let run = run.succeeds();
    Played { world, run }
}

fn five_hundred() -> Played {
    let mut world = world();
    let declare = |cidr: &'static str| {
        move |stack: &mut Stack| {
            for group in 0..10 {
                stack.module_instance("group", group.to_string(), |stack| {
                    let network = new("test_network", "main")
                        .set("cidr_block", cidr)
                        .declare(stack);
                    for number in 0..49_u32 {
                        Resource::dynamic("test_subnet", "private")
                            .instance_key(number)
                            .set("name", format!("private-{group}-{number}"))
                            .set("network_id", network.attribute::<String>("id"))
                            .set("cidr_block", format!("10.0.{number}.0/24"))
                            .declare(stack);
                    }
                });
            }
        }
    };
    world.up(declare("10.0.0.0/16")).succeeds();
    let run = world.up(declare("10.1.0.0/16")).succeeds();
    Played { world, run }
}
