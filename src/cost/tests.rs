use std::sync::Arc;

use insta::assert_snapshot;
use terrane_core::addr::InstanceAddr;
use terrane_core::policy::{PlannedObject, PlannedStack};
use terrane_core::{
    Action, LookupRules, NoConfig, Program, ProviderBinding, ProviderDeclaration, Resource, Stack,
    Value,
};

use crate::*;

static AWS: ProviderBinding = ProviderBinding {
    source: "hashicorp/aws",
    version: "1.0.0",
    versions: "~> 1.0",
    facts: &[],
    redirect: None,
    lookup: LookupRules::NONE,
    stateful: &[],
};

fn program(declare: impl FnOnce(&mut Stack)) -> Program {
    let declared = |stack: &mut Stack| {
        declare(stack);
        Ok(())
    };
    Program::from_fn(declared, NoConfig).expect("a program")
}

/// A line for each part and each thing without a price.
fn told(estimate: &Estimate) -> String {
    let mut lines = Vec::new();
    for resource in &estimate.resources {
        let (before, after) = (resource.before(), resource.after());
        lines.push(format!("{} {before} -> {after}", resource.address));
        for part in &resource.parts {
            let amount = |side: &Option<Amount>| match side {
                Some(one) => format!(
                    "{} {} at {} = {}",
                    one.quantity, part.unit, one.price, one.cents
                ),
                None => "nothing".to_owned(),
            };
            let (before, after) = (amount(&part.before), amount(&part.after));
            lines.push(format!("  {}: {before} -> {after}", part.name));
        }
    }
    for one in &estimate.not_priced {
        let part = one.part.as_ref().map(|part| format!(", {part}"));
        let part = part.unwrap_or_default();
        lines.push(format!("not {}{part}: {}", one.address, one.reason));
    }
    lines.join("\n")
}

fn created(declare: impl FnOnce(&mut Stack), usage: &str) -> String {
    let table = PriceTable::built_in();
    let usage = Usage::parse(usage, &table).expect("a usage file");
    let program = program(declare);
    told(&estimate(
        &PlannedStack::creating(&program),
        Some("us-east-1"),
        &table,
        &usage,
    ))
}

#[test]
fn parts_are_quantities_at_prices_and_what_nobody_knows_is_no_zero() {
    let text = created(
        |stack| {
            let gateway = Resource::dynamic("aws_nat_gateway", "main").declare(stack);
            Resource::dynamic("aws_instance", "web")
                .set("instance_type", "m5.large")
                .set("ebs_block_device", blocks())
                .declare(stack);
            Resource::dynamic("aws_instance", "odd")
                .set("instance_type", gateway.attribute::<String>("id"))
                .declare(stack);
            Resource::dynamic("aws_instance", "new")
                .set("instance_type", "m99.large")
                .declare(stack);
            Resource::dynamic("aws_vpc", "free").declare(stack);
            Resource::dynamic("aws_quantum_computer", "q").declare(stack);
        },
        "[aws_nat_gateway]\nprocessed_gb = 100\n",
    );
    assert_snapshot!(text, @r#"
    aws_nat_gateway.main 0.00 -> 37.35
      gateway: nothing -> 730 hours at 0.045 = 32.85
      data processed: nothing -> 100 GB at 0.045 = 4.50
    aws_instance.web 0.00 -> 78.08
      instance: nothing -> 730 hours at 0.096 = 70.08
      volume: nothing -> 100 GB at 0.08 = 8.00
    not aws_instance.web, volume: the table has no price `ebs.io9` of `us-east-1`
    not aws_instance.odd, instance: `instance_type` is known after apply
    not aws_instance.new, instance: the table has no price `ec2.m99.large` of `us-east-1`
    not aws_quantum_computer.q: there is no rule for `aws_quantum_computer`
    "#);
}

fn blocks() -> Value {
    let block = |size: i64, kind: &str| {
        Value::map([
            ("volume_size", Value::from(size)),
            ("volume_type", kind.into()),
        ])
    };
    Value::list(vec![block(100, "gp3"), block(10, "io9")])
}

#[test]
fn the_control_plane_costs_six_times_as_much_in_extended_support() {
    let text = created(
        |stack| {
            for version in ["1.34", "1.33", "1.28"] {
                Resource::dynamic("aws_eks_cluster", format!("v{}", version.replace('.', "_")))
                    .set("version", version)
                    .declare(stack);
            }
        },
        "",
    );
    assert_snapshot!(text, @r#"
    aws_eks_cluster.v1_34 0.00 -> 73.00
      control plane: nothing -> 730 hours at 0.1 = 73.00
    aws_eks_cluster.v1_33 0.00 -> 438.00
      control plane: nothing -> 730 hours at 0.1 = 73.00
      extended support: nothing -> 730 hours at 0.5 = 365.00
    aws_eks_cluster.v1_28 0.00 -> 73.00
      control plane: nothing -> 730 hours at 0.1 = 73.00
    not aws_eks_cluster.v1_28, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
    "#);
}

#[test]
fn a_change_is_priced_on_both_sides_and_a_deletion_takes_away() {
    let program = program(|stack| {
        stack.provider(ProviderDeclaration::new(&AWS).set("region", "eu-west-1"));
        Resource::dynamic("aws_instance", "web").declare(stack);
    });
    let object = |address: &str, action, before: Option<&str>, after: Option<&str>| {
        let address: InstanceAddr = address.parse().expect("an address");
        let side = |instance_type: Option<&str>| {
            let value =
                instance_type.map(|name| Value::map([("instance_type", Value::from(name))]));
            Arc::new(value.unwrap_or_default().into())
        };
        PlannedObject {
            address: Arc::new(address),
            action,
            before: side(before),
            after: side(after),
            location: None,
        }
    };
    let objects = vec![
        object(
            "aws_instance.web",
            Action::Update,
            Some("t3.medium"),
            Some("t3.large"),
        ),
        object("aws_instance.gone", Action::Delete, Some("t3.medium"), None),
    ];
    let plan = PlannedStack::new(&program, objects);
    let table = PriceTable::built_in();
    let estimate = estimate(&plan, None, &table, &Usage::default());
    assert_snapshot!(told(&estimate), @r#"
    aws_instance.web 33.29 -> 66.58
      instance: 730 hours at 0.0456 = 33.29 -> 730 hours at 0.0912 = 66.58
    aws_instance.gone 33.29 -> 0.00
      instance: 730 hours at 0.0456 = 33.29 -> nothing
    "#);
    let sums = (
        estimate.before(),
        estimate.after(),
        estimate.change().signed(),
    );
    assert_eq!(sums, (Cents(6658), Cents(6658), "+0.00".to_owned()));
}

#[test]
fn another_table_takes_the_place_of_prices_rules_and_regions() {
    let table = PriceTable::built_in();
    let ours = r#"
        date = "2027-01-01"
        currency = "EUR"
        [regions.moon-1]
        same_as = "us-east-1"
        prices = { "nat.hour" = 1.0 }
        [[rule]]
        types = ["aws_nat_gateway", "aws_vpc"]
        part = "anything"
        price = "nat.hour"
    "#;
    let table = table.with(ours).expect("a table");
    let program = program(|stack| {
        for type_name in ["aws_nat_gateway", "aws_vpc", "aws_eip"] {
            Resource::dynamic(type_name, "x").declare(stack);
        }
    });
    let plan = PlannedStack::creating(&program);
    let on_moon = estimate(&plan, Some("moon-1"), &table, &Usage::default());
    assert_eq!(
        (on_moon.date.as_str(), on_moon.currency.as_str()),
        ("2027-01-01", "EUR")
    );
    assert_snapshot!(told(&on_moon), @r#"
    aws_nat_gateway.x 0.00 -> 1.00
      anything: nothing -> 1  at 1 = 1.00
    aws_vpc.x 0.00 -> 1.00
      anything: nothing -> 1  at 1 = 1.00
    aws_eip.x 0.00 -> 3.65
      public IPv4 address: nothing -> 730 hours at 0.005 = 3.65
    "#);
    let on_mars = estimate(&plan, Some("mars-1"), &table, &Usage::default());
    assert_eq!(on_mars.resources, []);
    assert_eq!(on_mars.not_priced.len(), 3);
}

#[test]
fn a_file_that_cannot_be_meant_is_refused_with_the_reason() {
    let table = PriceTable::built_in();
    let usage = |text: &str| Usage::parse(text, &table).expect_err("refused").to_string();
    let errors = [
        usage("[aws_nat_gateway]\nprocesed_gb = 1"),
        usage("[aws_nat_gateway]\nprocessed_gb = -1"),
        usage("processed_gb = 1"),
        usage("[\"aws_x.y[\"]\nprocessed_gb = 1"),
        table
            .clone()
            .with("[regions.a]\nsame_as = \"b\"")
            .expect_err("refused")
            .to_string(),
        table
            .clone()
            .with("[regions.a.prices]\nx = -1.0")
            .expect_err("refused")
            .to_string(),
        table
            .clone()
            .with("[[rule]]\ntypes = []\npart = \"p\"")
            .expect_err("refused")
            .to_string(),
    ];
    assert_snapshot!(errors.join("\n"), @r#"
    no rule asks for the figure `procesed_gb` under `aws_nat_gateway`; did you mean `processed_gb`?
    the figure `processed_gb` under `aws_nat_gateway` is not a number from 0
    `processed_gb` stands outside of a table; put it under `[aws_…]` or `["ADDRESS"]`
    `aws_x.y[` is neither a resource type nor an address
    the region `a` has the prices of `b`, which the table does not have
    the price `x` of `a` is not a positive number
    the rule `p` needs either `price` or `not_priced`
    "#);
    let syntax = table.with("nonsense = 1").expect_err("refused").to_string();
    assert!(syntax.contains("unknown field `nonsense`"), "{syntax}");
}

#[test]
fn a_figure_of_an_address_goes_before_that_of_its_type() {
    let text = created(
        |stack| {
            for name in ["a", "b"] {
                Resource::dynamic("aws_ecr_repository", name).declare(stack);
            }
        },
        "[\"aws_ecr_repository.b\"]\nstored_gb = 5\n[aws_ecr_repository]\nstored_gb = 1\n",
    );
    assert_snapshot!(text, @r#"
    aws_ecr_repository.a 0.00 -> 0.10
      storage: nothing -> 1 GB at 0.1 = 0.10
    aws_ecr_repository.b 0.00 -> 0.50
      storage: nothing -> 5 GB at 0.1 = 0.50
    "#);
}

#[test]
fn what_is_put_into_a_cluster_is_free_but_for_what_the_cluster_makes_of_it() {
    const KIND: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
    let table = PriceTable::built_in();
    let program = program(|stack| {
        // The cluster is where AWS's provider is, which no object in it says.
        stack.provider(ProviderDeclaration::new(&AWS).set("region", "us-east-1"));
        for kind in [
            "kubernetes_namespace_v1",
            "kubernetes_secret",
            "kubernetes_role",
        ] {
            Resource::dynamic(kind, "free").declare(stack);
        }
        let spec = |kind: &str| Value::list(vec![Value::map([("type", Value::from(kind))])]);
        let network = Value::map([(KIND, Value::from("external"))]);
        let annotated = Value::list(vec![Value::map([("annotations", network)])]);
        Resource::dynamic("kubernetes_service_v1", "inside")
            .set("spec", spec("ClusterIP"))
            .declare(stack);
        Resource::dynamic("kubernetes_service_v1", "outside")
            .set("spec", spec("LoadBalancer"))
            .declare(stack);
        Resource::dynamic("kubernetes_service_v1", "network")
            .set("spec", spec("LoadBalancer"))
            .set("metadata", annotated)
            .declare(stack);
        Resource::dynamic("kubernetes_persistent_volume_claim_v1", "data").declare(stack);
        Resource::dynamic("helm_release", "chart").declare(stack);
    });
    let plan = PlannedStack::creating(&program);
    let found = estimate(&plan, None, &table, &Usage::default());
    assert_snapshot!(told(&found), @"
    kubernetes_service_v1.network 0.00 -> 16.43
      load balancer: nothing -> 730 hours at 0.0225 = 16.43
    not kubernetes_service_v1.outside, load balancer: the cluster decides which kind it makes; the annotation `service.beta.kubernetes.io/aws-load-balancer-type` would say it
    not kubernetes_persistent_volume_claim_v1.data, volume: the cluster makes it, as its storage class says
    not helm_release.chart, load balancers and volumes: no plan shows whether the cluster makes some for it
    ");
}

#[test]
fn spot_capacity_has_the_price_of_a_table_of_ones_own() {
    let program = program(|stack| {
        let sizes = Value::list(vec![Value::map([("desired_size", Value::from(2))])]);
        Resource::dynamic("aws_eks_node_group", "spot")
            .set("capacity_type", "SPOT")
            .set("scaling_config", sizes)
            .declare(stack);
    });
    let plan = PlannedStack::creating(&program);
    let with = |table: &PriceTable| {
        let found = estimate(&plan, Some("us-east-1"), table, &Usage::default());
        told(&found)
    };
    let table = PriceTable::built_in();
    assert_snapshot!(with(&table), @"
    aws_eks_node_group.spot 0.00 -> 3.20
      volumes: nothing -> 40 GB at 0.08 = 3.20
    not aws_eks_node_group.spot, instances: the price of spot capacity changes by the hour; a table of one's own says it as `ec2.t3.medium.spot`
    ");
    let ours = "[regions.us-east-1.prices]\n\"ec2.t3.medium.spot\" = 0.0125\n";
    assert_snapshot!(with(&table.with(ours).expect("a table")), @"
    aws_eks_node_group.spot 0.00 -> 21.45
      instances: nothing -> 1460 hours at 0.0125 = 18.25
      volumes: nothing -> 40 GB at 0.08 = 3.20
    ");
}
