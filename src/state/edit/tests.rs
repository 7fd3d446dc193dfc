//! Edits of small states: their effects, their refusals, and that nothing is lost on the way.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;
use terrane_core::addr::ConfigAddr;

use super::*;
use crate::model::{DeposedKey, Object, RawJson};

const PROVIDER: &str = "provider[\"registry.opentofu.org/hashicorp/aws\"]";

fn addr(text: &str) -> InstanceAddr {
    text.parse().expect("an address")
}

fn object(id: &str, dependencies: &[&str]) -> Object {
    let attributes = RawJson::new(&format!("{{\"id\":{id:?}}}")).expect("JSON");
    let dependencies: BTreeSet<ConfigAddr> = dependencies
        .iter()
        .map(|dependency| dependency.parse().expect("an address"))
        .collect();
    Object {
        dependencies: dependencies.into_iter().collect(),
        ..Object::new(0, attributes)
    }
}

/// A state of those instances, each with the configurations it was made from.
fn state(instances: &[(&str, &[&str])]) -> State {
    let mut state = State::new("l".into());
    for (address, dependencies) in instances {
        let provider = PROVIDER.parse().expect("an address");
        let instance = Instance::with_current(provider, object(address, dependencies));
        state.set_instance(&addr(address), Some(instance.into()));
    }
    state
}

/// One line an instance: address, id where another, dependencies, deposed objects, provider where another.
fn text(state: &State) -> String {
    let on = |object: &Object| {
        let on: Vec<_> = object
            .dependencies
            .iter()
            .map(ToString::to_string)
            .collect();
        match on.is_empty() {
            true => String::new(),
            false => format!(" <- {}", on.join(", ")),
        }
    };
    let mut text = String::new();
    for (address, instance) in &state.resources {
        let current = instance.current.as_ref().expect("a current object");
        let id = current.attributes.raw().as_str();
        let own = object(&address.to_string(), &[]);
        let id = match own.attributes.raw().as_str() == id {
            true => String::new(),
            false => format!(" {id}"),
        };
        let _ = write!(text, "{address}{id}{}", on(current));
        for (key, object) in &instance.deposed {
            let _ = write!(text, " deposed {key}{}", on(object));
        }
        if instance.provider.to_string() != PROVIDER {
            let _ = write!(text, " by {}", instance.provider);
        }
        text.push('\n');
    }
    text
}

fn edited<T>(state: &State, edit: &Edit<T>) -> State {
    let mut state = state.clone();
    edit.change.apply(&mut state);
    state
}

fn mv(state: &State, from: &str, to: &str) -> Result<(State, Vec<String>), String> {
    let place = |text: &str| text.parse::<StateAddr>().map_err(|error| error.to_string());
    let edit = relocate(
        state,
        &place(from)?,
        &place(to)?,
        super::TypeChange::Refused,
    )
    .map_err(|error| error.to_string())?;
    let dependents = edit.dependents.iter().map(ToString::to_string).collect();
    Ok((edited(state, &edit), dependents))
}

fn network() -> State {
    state(&[
        ("aws_vpc.main", &[]),
        ("aws_subnet.a", &["aws_vpc.main"]),
        ("aws_subnet.z[\"x\"]", &["aws_vpc.main"]),
        ("aws_subnet.z[\"y\"]", &["aws_vpc.main"]),
        (
            "aws_route.r",
            &["aws_subnet.a", "aws_subnet.z", "aws_vpc.main"],
        ),
        ("module.m.aws_eip.e", &["aws_subnet.z"]),
        ("module.m.module.n.aws_eip.f[0]", &["module.m.aws_eip.e"]),
    ])
}

#[test]
fn an_instance_moves_and_what_stands_on_it_follows() {
    let (after, dependents) =
        mv(&network(), "aws_vpc.main", "module.net.aws_vpc.this[0]").expect("moved");
    assert_snapshot!(text(&after), @r#"
    aws_route.r <- aws_subnet.a, aws_subnet.z, module.net.aws_vpc.this
    aws_subnet.a <- module.net.aws_vpc.this
    aws_subnet.z["x"] <- module.net.aws_vpc.this
    aws_subnet.z["y"] <- module.net.aws_vpc.this
    module.m.aws_eip.e <- aws_subnet.z
    module.m.module.n.aws_eip.f[0] <- module.m.aws_eip.e
    module.net.aws_vpc.this[0] {"id":"aws_vpc.main"}
    "#);
    assert_eq!(
        dependents,
        [
            "aws_route.r",
            "aws_subnet.a",
            "aws_subnet.z[\"x\"]",
            "aws_subnet.z[\"y\"]"
        ]
    );
}

#[test]
fn where_other_instances_stay_both_are_depended_on() {
    let (after, _) = mv(&network(), "aws_subnet.z[\"x\"]", "aws_subnet.own").expect("moved");
    assert_snapshot!(text(&after), @r#"
    aws_route.r <- aws_subnet.a, aws_subnet.own, aws_subnet.z, aws_vpc.main
    aws_subnet.a <- aws_vpc.main
    aws_subnet.own {"id":"aws_subnet.z[\"x\"]"} <- aws_vpc.main
    aws_subnet.z["y"] <- aws_vpc.main
    aws_vpc.main
    module.m.aws_eip.e <- aws_subnet.own, aws_subnet.z
    module.m.module.n.aws_eip.f[0] <- module.m.aws_eip.e
    "#);
}

#[test]
fn a_resource_moves_with_all_its_keys() {
    let (after, _) = mv(&network(), "aws_subnet.z", "module.m.aws_subnet.z").expect("moved");
    assert_snapshot!(text(&after), @r#"
    aws_route.r <- aws_subnet.a, aws_vpc.main, module.m.aws_subnet.z
    aws_subnet.a <- aws_vpc.main
    aws_vpc.main
    module.m.aws_eip.e <- module.m.aws_subnet.z
    module.m.aws_subnet.z["x"] {"id":"aws_subnet.z[\"x\"]"} <- aws_vpc.main
    module.m.aws_subnet.z["y"] {"id":"aws_subnet.z[\"y\"]"} <- aws_vpc.main
    module.m.module.n.aws_eip.f[0] <- module.m.aws_eip.e
    "#);
}

#[test]
fn another_key_changes_no_dependency() {
    let (after, dependents) =
        mv(&network(), "aws_subnet.z[\"x\"]", "aws_subnet.z[\"w\"]").expect("moved");
    assert!(after.instance(&addr("aws_subnet.z[\"w\"]")).is_some());
    assert!(dependents.is_empty(), "{dependents:?}");
}

#[test]
fn a_module_moves_with_what_is_inside_it_even_into_itself() {
    for target in ["module.k[\"a\"]", "module.m.module.old"] {
        let (after, _) = mv(&network(), "module.m", target).expect("moved");
        let e = addr(&format!("{target}.aws_eip.e"));
        let f = addr(&format!("{target}.module.n.aws_eip.f[0]"));
        assert!(after.instance(&e).is_some());
        let f = after.instance(&f).expect("moved along");
        let on: Vec<_> = dependencies::of(f).cloned().collect();
        assert_eq!(on, [e.resource.config()]);
        assert_eq!(after.resources.len(), 7);
    }
}

#[test]
fn a_module_without_a_key_is_the_call_with_all_its_keys() {
    let before = state(&[
        ("module.r[\"eu\"].t_x.a", &[]),
        ("module.r[\"us\"].t_x.a", &[]),
        ("t_y.b", &["module.r.t_x.a"]),
    ]);
    let (after, _) = mv(&before, "module.r", "module.region").expect("moved");
    assert_snapshot!(text(&after), @r#"
    t_y.b <- module.region.t_x.a
    module.region["eu"].t_x.a {"id":"module.r[\"eu\"].t_x.a"}
    module.region["us"].t_x.a {"id":"module.r[\"us\"].t_x.a"}
    "#);
    let both = state(&[
        ("module.r[\"eu\"].t_x.a", &[]),
        ("module.s[\"eu\"].t_x.b", &[]),
    ]);
    let refused = mv(&both, "module.r", "module.s").expect_err("not mixed");
    assert_eq!(refused, "module.s[\"eu\"].t_x.b is there already");
    let (after, _) = mv(&before, "module.r[\"eu\"]", "module.eu").expect("moved");
    assert_snapshot!(text(&after), @r#"
    t_y.b <- module.eu.t_x.a, module.r.t_x.a
    module.eu.t_x.a {"id":"module.r[\"eu\"].t_x.a"}
    module.r["us"].t_x.a
    "#);
}

#[test]
fn deposed_objects_move_and_are_followed() {
    let mut before = state(&[("t_x.a", &[]), ("t_y.b", &["t_x.a"])]);
    for (address, on) in [("t_x.a", &[][..]), ("t_y.b", &["t_x.a"][..])] {
        let mut instance = Instance::clone(&before.resources[&addr(address)]);
        let old = object("old", on).into();
        instance.deposed.insert(DeposedKey::from_bits(1), old);
        before.set_instance(&addr(address), Some(instance.into()));
    }
    let (after, _) = mv(&before, "t_x.a", "t_x.c").expect("moved");
    assert_snapshot!(text(&after), @r#"
    t_x.c {"id":"t_x.a"} deposed 00000001
    t_y.b <- t_x.c deposed 00000001 <- t_x.c
    "#);
}

#[test]
fn what_can_not_be_moved_is_refused_with_the_reason() {
    let refused: Vec<String> = [
        ("aws_vpc.mian", "aws_vpc.other"),
        ("aws_vpc.main[0]", "aws_vpc.other"),
        ("module.x", "module.y"),
        ("aws_vpc.main", "aws_vpc.main"),
        ("aws_vpc.main", "aws_subnet.main"),
        ("aws_vpc.main", "data.aws_vpc.main"),
        ("aws_subnet.a", "aws_subnet.z[\"y\"]"),
        ("aws_subnet.z", "aws_subnet.a"),
        ("aws_subnet.z", "aws_subnet.a[0]"),
        ("module.m", "aws_vpc.main"),
        ("aws_vpc.main", "module.m"),
        ("module.m.module.n", "module.m"),
        ("", "module.m"),
        ("aws_vpc", "aws_vpc.main"),
    ]
    .into_iter()
    .map(|(from, to)| {
        format!(
            "{from} to {to}: {}\n",
            mv(&network(), from, to).expect_err("refused")
        )
    })
    .collect();
    assert_snapshot!(refused.concat(), @r#"
    aws_vpc.mian to aws_vpc.other: nothing is there
    aws_vpc.main[0] to aws_vpc.other: nothing is there
    module.x to module.y: nothing is there
    aws_vpc.main to aws_vpc.main: aws_vpc.main is there already
    aws_vpc.main to aws_subnet.main: an object cannot become one of another resource type
    aws_vpc.main to data.aws_vpc.main: an object cannot become one of another resource type
    aws_subnet.a to aws_subnet.z["y"]: aws_subnet.z["y"] is there already
    aws_subnet.z to aws_subnet.a: aws_subnet.a is there already
    aws_subnet.z to aws_subnet.a[0]: several instances cannot become one
    module.m to aws_vpc.main: a module can only become a module, a resource only a resource
    aws_vpc.main to module.m: a module can only become a module, a resource only a resource
    module.m.module.n to module.m: module.m.aws_eip.e is there already
     to module.m: an address is missing
    aws_vpc to aws_vpc.main: `aws_vpc` is not a valid resource address: expected `.`
    "#);
}

#[test]
fn what_stood_on_a_forgotten_instance_stands_on_what_it_stood_on() {
    let direct = state(&[
        ("t_a.a", &[]),
        ("t_b.b", &["t_a.a"]),
        ("t_c.c[0]", &["t_b.b"]),
        ("t_c.c[1]", &["t_b.b"]),
        ("t_d.d", &["t_c.c"]),
    ]);
    let forgotten = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| addr(address)).collect();
        text(&edited(&direct, &forget(&direct, &addresses)))
    };
    assert_snapshot!(forgotten(&["t_b.b"]), @"
    t_a.a
    t_c.c[0] <- t_a.a
    t_c.c[1] <- t_a.a
    t_d.d <- t_c.c
    ");
    // One of two: the other is still waited for.
    assert_snapshot!(forgotten(&["t_c.c[0]"]), @"
    t_a.a
    t_b.b <- t_a.a
    t_c.c[1] <- t_b.b
    t_d.d <- t_b.b, t_c.c
    ");
    // Through several that go together.
    assert_snapshot!(forgotten(&["t_b.b", "t_c.c[0]", "t_c.c[1]"]), @"
    t_a.a
    t_d.d <- t_a.a
    ");
    assert_snapshot!(forgotten(&["t_a.a", "t_b.b", "t_c.c[0]", "t_c.c[1]", "t_d.d"]), @"");
}

#[test]
fn a_provider_is_replaced_whichever_registry_the_state_names() {
    let before = state(&[("aws_vpc.main", &[]), ("aws_subnet.a", &["aws_vpc.main"])]);
    let replaced = |from: &str, to: &str| {
        let pattern = |text: &str| text.parse().expect("a provider");
        let edit = replace_provider(&before, &pattern(from), &pattern(to));
        assert!(edit.dependents.is_empty());
        let after = edited(&before, &edit);
        let provider = after.resources[&addr("aws_vpc.main")].provider.to_string();
        (edit.subjects.len(), provider)
    };
    let host = |host: &str, name: &str| format!("provider[\"{host}/{name}\"]");
    let opentofu = "registry.opentofu.org";
    assert_eq!(
        replaced("hashicorp/aws", "acme/aws"),
        (2, host(opentofu, "acme/aws"))
    );
    assert_eq!(
        replaced(
            "registry.opentofu.org/hashicorp/aws",
            "registry.terraform.io/hashicorp/aws"
        ),
        (2, host("registry.terraform.io", "hashicorp/aws"))
    );
    assert_eq!(
        replaced("registry.terraform.io/hashicorp/aws", "acme/aws"),
        (0, PROVIDER.to_owned())
    );
    assert_eq!(
        replaced("hashicorp/aws", "hashicorp/aws"),
        (0, PROVIDER.to_owned())
    );
}

/// States with direct dependencies on earlier instances, in two modules and with keys.
fn any_state() -> impl Strategy<Value = State> {
    let one = (
        0..3usize,
        0..4usize,
        prop::option::of(0..2usize),
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    );
    prop::collection::vec(one, 1..12).prop_map(|parts| {
        let mut state = State::new("l".into());
        let mut configs: Vec<ConfigAddr> = Vec::new();
        for (module, name, key, on) in parts {
            let module = ["", "module.m.", "module.m.module.n."][module];
            let key = key.map(|key| format!("[{key}]")).unwrap_or_default();
            let address = addr(&format!("{module}t_x.r{name}{key}"));
            let config = address.resource.config();
            // Only on configurations that were complete before this one began, so that there is an order.
            let known = configs
                .iter()
                .position(|known| *known == config)
                .unwrap_or(configs.len());
            let on: BTreeSet<_> = on
                .iter()
                .filter(|_| known > 0)
                .map(|on| configs[on.index(known)].clone())
                .collect();
            let object = Object {
                dependencies: on.into_iter().collect(),
                ..object(&address.to_string(), &[])
            };
            let provider = PROVIDER.parse().expect("an address");
            state.set_instance(
                &address,
                Some(Instance::with_current(provider, object).into()),
            );
            if known == configs.len() {
                configs.push(config);
            }
        }
        state
    })
}

/// What every edit leaves as it is.
fn id(instance: &Instance) -> String {
    let current = instance.current.as_ref().expect("current");
    current.attributes.raw().to_string()
}

/// Ends of moves in those states.
const PLACES: [&str; 10] = [
    "t_x.r0",
    "t_x.r0[0]",
    "t_x.r1",
    "t_x.r2[1]",
    "module.m",
    "module.m.module.n",
    "module.q",
    "module.q[1]",
    "module.m.t_x.r0",
    "module.q.t_x.r1[0]",
];

/// Which instances wait for which, over any number of steps; named by their ids, which no edit changes.
fn order(state: &State) -> BTreeSet<(String, String)> {
    let mut order = BTreeSet::new();
    for (address, instance) in &state.resources {
        let own = address.resource.config();
        let mut seen = BTreeSet::from([own]);
        let mut open: Vec<ConfigAddr> = dependencies::of(instance).cloned().collect();
        while let Some(config) = open.pop() {
            if !seen.insert(config.clone()) {
                continue;
            }
            for (other, needed) in &state.resources {
                if other.resource.config() == config {
                    order.insert((id(instance), id(needed)));
                    open.extend(dependencies::of(needed).cloned());
                }
            }
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moves_at_once_lead_to_where_one_after_the_other_does(before in any_state(), moves in prop::collection::vec((0..PLACES.len(), 0..PLACES.len()), 1..6)) {
        let place = |index: usize| PLACES[index].parse::<StateAddr>().expect("an address");
        let mut one_by_one = before.clone();
        let mut relocation = Relocation::of(&before);
        for (from, to) in moves {
            let (from, to) = (place(from), place(to));
            let alone = relocate(&one_by_one, &from, &to, TypeChange::Refused);
            let together = relocation.add(&from, &to, TypeChange::Refused);
            prop_assert_eq!(alone.as_ref().err(), together.as_ref().err());
            if let Ok(edit) = alone {
                one_by_one = edited(&one_by_one, &edit);
            }
        }
        let at_once = edited(&before, &relocation.edit());
        let ids = |state: &State| -> Vec<(InstanceAddr, String)> {
            let instances = state.resources.iter();
            instances.map(|(address, instance)| (address.clone(), id(instance))).collect()
        };
        prop_assert_eq!(ids(&at_once), ids(&one_by_one));
        // Who moved through a place does not wait for what was there.
        let (at_once, one_by_one) = (order(&at_once), order(&one_by_one));
        prop_assert!(at_once.is_subset(&one_by_one), "{:?}", at_once.difference(&one_by_one));
    }

    #[test]
    fn a_move_loses_no_object_keeps_the_order_and_can_be_taken_back(before in any_state(), which in any::<prop::sample::Index>(), kind in 0..3usize) {
        let address = before.resources.keys().nth(which.index(before.resources.len())).expect("one").clone();
        let (from, to) = match kind {
            0 => (address.to_string(), "module.q.t_x.moved[\"k\"]".to_owned()),
            1 => (address.resource.to_string(), "module.q.t_x.moved".to_owned()),
            _ => ("module.m".to_owned(), "module.q".to_owned()),
        };
        let Ok((after, _)) = mv(&before, &from, &to) else {
            prop_assert!(kind == 2);
            return Ok(());
        };
        prop_assert_eq!(after.resources.len(), before.resources.len());
        let (was, is) = (order(&before), order(&after));
        prop_assert!(was.is_subset(&is), "lost {:?}", was.difference(&is));
        let (back, _) = mv(&after, &to, &from).expect("free again");
        let mut addresses = back.resources.keys().zip(before.resources.keys());
        prop_assert!(addresses.all(|(a, b)| a == b));
    }

    #[test]
    fn no_move_between_any_two_places_loses_an_object(before in any_state(), ends in prop::array::uniform2((0..4usize, 0..5usize, prop::option::of(0..2usize)))) {
        let [from, to] = ends.map(|(module, name, key)| {
            let module = ["", "module.m", "module.m.module.n", "module.q"][module];
            let key = key.map(|key| format!("[{key}]")).unwrap_or_default();
            match (name, module) {
                (4, "") => "module.m[0]".to_owned(),
                (4, module) => module.to_owned(),
                (name, "") => format!("t_x.r{name}{key}"),
                (name, module) => format!("{module}.t_x.r{name}{key}"),
            }
        });
        if let Ok((after, _)) = mv(&before, &from, &to) {
            let ids = |state: &State| -> BTreeSet<String> {
                let objects = state.resources.values().filter_map(|one| one.current.as_ref());
                objects.map(|object| object.attributes.raw().to_string()).collect()
            };
            prop_assert_eq!(ids(&before), ids(&after));
        }
    }

    #[test]
    fn what_is_left_keeps_its_order_and_names_nothing_that_went(before in any_state(), which in prop::collection::vec(any::<prop::sample::Index>(), 1..6)) {
        let keys: Vec<_> = before.resources.keys().collect();
        let gone: BTreeSet<_> = which.iter().map(|which| keys[which.index(keys.len())].clone()).collect();
        let edit = forget(&before, &gone);
        let after = edited(&before, &edit);
        prop_assert_eq!(&edit.subjects, &gone.iter().cloned().collect::<Vec<_>>());
        prop_assert_eq!(after.resources.len(), before.resources.len() - gone.len());
        let ids: BTreeSet<String> = gone.iter().map(|address| format!("{{\"id\":{:?}}}", address.to_string())).collect();
        let was: BTreeSet<_> = order(&before).into_iter().filter(|(a, b)| !ids.contains(a) && !ids.contains(b)).collect();
        let is = order(&after);
        prop_assert!(was.is_subset(&is), "lost {:?}", was.difference(&is));
        let configs = dependencies::configurations(after.resources.keys());
        prop_assert!(after.resources.values().flat_map(|one| dependencies::of(one)).all(|on| configs.contains(on)));
    }
}
