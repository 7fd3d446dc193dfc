//! Modules that take a value which only an apply makes known: deferred, run with the value, kept while it is unknown again.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, Output, ProviderDeclaration, Resource, Result, Stack};
use terrane_tests::{FakeProvider, TEST, World, new_thing};

fn world() -> World {
    World::new(FakeProvider::new())
}

/// The zones of a network: those that its name has letters for, known when it is made.
fn zones(network: &Resource) -> Output<Vec<String>> {
    let id: Output<String> = network.attribute("id");
    id.map(|id| {
        let name = id.split('-').next().unwrap_or_default();
        name.chars().map(String::from).collect::<Vec<_>>()
    })
}

fn subnet(zone: &str) -> terrane_core::Declaration {
    Resource::dynamic("test_thing", "subnet")
        .set("name", format!("subnet {zone}"))
        .instance_key(zone)
}

/// A network of that name with a subnet in each of its zones, whose names are exported.
fn network(name: &'static str) -> impl Fn(&mut Stack) -> Result<()> {
    move |stack| {
        // The old one stays until the subnets have moved over.
        let network = new_thing("network")
            .set("name", name)
            .lifecycle(Lifecycle::new().create_before_destroy())
            .declare(stack);
        stack.module_when_known("subnets", zones(&network), |stack, zones| {
            for zone in &zones {
                subnet(zone)
                    .set("parent", network.attribute::<String>("id"))
                    .declare(stack);
            }
            stack.export("zones", zones.join(" "));
            Ok(())
        })
    }
}

#[test]
fn a_module_is_deferred_until_its_value_is_known_and_made_in_the_same_run() {
    let mut world = world();
    let preview = world.preview_again(network("ab"));
    assert_snapshot!(preview.plan(), @"
    + test_thing.network
    later module.subnets: it takes test_thing.network.id, known after apply
    ");
    let run = world.up_again(network("ab")).succeeds();
    assert_snapshot!(run.steps(), @r#"
    create test_thing.network: done
    create module.subnets.test_thing.subnet["b"]: done
    create module.subnets.test_thing.subnet["a"]: done
    "#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=ab
    module.subnets.test_thing.subnet["a"]  name=subnet a parent=ab-1
    module.subnets.test_thing.subnet["b"]  name=subnet b parent=ab-1
    output zones = "a b"
    "#);
    assert_eq!(
        world.dependencies("module.subnets.test_thing.subnet[\"a\"]"),
        ["test_thing.network"]
    );
    let preview = world.preview_again(network("ab"));
    assert_snapshot!(preview.plan(), @"");
}

#[test]
fn objects_of_a_module_stay_while_its_value_is_unknown_again() {
    let mut world = world();
    world.up_again(network("ab")).succeeds();
    let preview = world.preview_again(network("bc"));
    assert_snapshot!(preview.plan(), @r#"
    +/- test_thing.network forced by name
    later module.subnets.test_thing.subnet["a"]: it stays as it is until module.subnets is planned
    later module.subnets.test_thing.subnet["b"]: it stays as it is until module.subnets is planned
    later test_thing.network: module.subnets.test_thing.subnet["b"] still refers to it, and is deferred
    later module.subnets: it takes test_thing.network.id, known after apply
    "#);
    let run = world.up_again(network("bc")).succeeds();
    assert_snapshot!(run.steps(), @r#"
    create test_thing.network: done
    delete module.subnets.test_thing.subnet["a"]: done
    create module.subnets.test_thing.subnet["c"]: done
    update module.subnets.test_thing.subnet["b"]: done
    delete test_thing.network (deposed): done
    "#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=bc
    module.subnets.test_thing.subnet["b"]  name=subnet b parent=bc-7
    module.subnets.test_thing.subnet["c"]  name=subnet c parent=bc-7
    output zones = "b c"
    "#);
}

#[test]
fn a_destroy_takes_the_module_with_its_value_and_without() {
    let mut world = world();
    world.up_again(network("ab")).succeeds();
    let run = world.destroy_again(network("ab")).succeeds();
    assert_snapshot!(run.steps(), @r#"
    delete module.subnets.test_thing.subnet["b"]: done
    delete module.subnets.test_thing.subnet["a"]: done
    delete test_thing.network: done
    "#);
    assert_snapshot!(world.state(), @"");
    world.up_again(network("ab")).succeeds();
    // Somebody has removed the network, and with it the value.
    world.provider.cloud.remove("ab");
    let run = world.destroy_again(network("ab")).succeeds();
    assert_snapshot!(run.diagnostics(), @"
    warning: module.subnets is destroyed as the state has it: the value that it takes is not known, so its program did not run: no `prevent_destroy` in it counts
      resource   module.subnets
    hint: `--exclude module.subnets` leaves its objects, and what they stand on, as they are
    ");
    assert_snapshot!(world.state(), @"");
}

#[test]
fn modules_nest_and_each_wave_waits_for_the_one_before() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        let network = new_thing("network").set("name", "ab").declare(stack);
        stack.module_when_known("outer", zones(&network), |stack, zones| {
            let inner = new_thing("inner")
                .set("name", zones.concat())
                .declare(stack);
            let id: Output<String> = inner.attribute("id");
            stack.module_when_known("deep", id, |stack, id| {
                new_thing("last").set("note", id).declare(stack);
                Ok(())
            })
        })
    };
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.steps(), @"
    create test_thing.network: done
    create module.outer.test_thing.inner: done
    create module.outer.module.deep.test_thing.last: done
    ");
    assert_snapshot!(world.state(), @"
    test_thing.network  name=ab
    module.outer.test_thing.inner  name=ab
    module.outer.module.deep.test_thing.last  name=last note=ab-3
    ");
    assert_eq!(
        world.dependencies("module.outer.module.deep.test_thing.last"),
        ["module.outer.test_thing.inner", "test_thing.network"]
    );
    let preview = world.preview_again(program);
    assert_snapshot!(preview.plan(), @"");
}

#[test]
fn a_target_in_a_module_brings_the_source_of_its_value() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        new_thing("alone").declare(stack);
        network("ab")(stack)
    };
    world.target("test_thing.alone");
    let preview = world.preview_again(program);
    assert_snapshot!(preview.plan(), @"+ test_thing.alone");
    world.target("module.subnets.test_thing.subnet[\"a\"]");
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.steps(), @r#"
    create test_thing.network: done
    create module.subnets.test_thing.subnet["a"]: done
    "#);
    world.exclude("module.subnets");
    let preview = world.preview_again(program);
    assert_snapshot!(preview.plan(), @"+ test_thing.alone");
    world.exclude("test_thing.network");
    let preview = world.preview_again(program);
    assert_snapshot!(preview.plan(), @"+ test_thing.alone");
}

#[test]
fn a_run_that_ended_between_two_waves_goes_on_with_a_changed_program() {
    let mut world = world();
    world.stop_at(|event| matches!(event, terrane_engine::Event::StepDone { .. }));
    world.up_again(network("ab"));
    assert_snapshot!(world.state(), @"test_thing.network  name=ab");
    let changed = |stack: &mut Stack| {
        let network = new_thing("network").set("name", "ab").declare(stack);
        stack.module_when_known("subnets", zones(&network), |stack, zones| {
            for zone in zones.iter().skip(1) {
                subnet(zone).set("note", "changed").declare(stack);
            }
            Ok(())
        })
    };
    let run = world.up_again(changed).succeeds();
    assert_snapshot!(run.steps(), @r#"create module.subnets.test_thing.subnet["b"]: done"#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=ab
    module.subnets.test_thing.subnet["b"]  name=subnet b note=changed
    "#);
}

#[test]
fn a_creation_that_an_earlier_run_lost_in_a_module_is_recovered() {
    let program = |stack: &mut Stack| {
        stack.provider(ProviderDeclaration::new(&TEST));
        stack.owner_tags(true);
        let network = new_thing("network").set("name", "ab").declare(stack);
        stack.module_when_known("buckets", zones(&network), |stack, zones| {
            for zone in &zones {
                let bucket = Resource::dynamic("test_role", "one").instance_key(zone.as_str());
                bucket.set("name", zone).declare(stack);
            }
            Ok(())
        })
    };
    let mut world = world();
    world.provider.on_create("b", |call| call.crash_after());
    world.up_again(program).fails();
    world.provider.reset();
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"
    module.buckets.test_role.one["b"]: create: Adopted { id: "b-3" } (it has the owner tag of this creation)
    module.buckets.test_role.one["a"]: create: Absent (it was looked for by its name and is not there)
    "#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=ab tags={terrane/owner=ae5tldognjosr7pz6zfvpwxgibfdlqrz}
    module.buckets.test_role.one["a"]  made=made-2-of-a-5 name=a tags={terrane/owner=r3mzb3rhnmhi7hafjz6blateopvnrc2p}
    module.buckets.test_role.one["b"]  made=made-2-of-b-3 name=b tags={terrane/owner=tgjxx2heqljzdz4xsmjuhf76d6xmz3ef}
    "#);
    let preview = world.preview_again(program);
    assert_snapshot!(preview.plan(), @"");
}

#[test]
fn a_creation_is_recovered_whose_provider_only_its_module_declares() {
    let program = |stack: &mut Stack| {
        stack.provider(ProviderDeclaration::new(&TEST));
        stack.owner_tags(true);
        let network = new_thing("network").set("name", "xy").declare(stack);
        stack.module_when_known("buckets", zones(&network), |stack, zones| {
            let own = ProviderDeclaration::new(&TEST).alias("own");
            let own = stack.provider(own.set("region", "here"));
            for zone in &zones {
                let bucket = Resource::dynamic("test_role", "one").instance_key(zone.as_str());
                bucket.set("name", zone).provider(&own).declare(stack);
            }
            Ok(())
        })
    };
    let mut world = world();
    world.provider.on_create("x", |call| call.crash_after());
    world.up_again(program).fails();
    world.provider.reset();
    let preview = world.preview_again(program);
    assert_snapshot!(preview.recovery(), @r#"module.buckets.test_role.one["x"]: create: Adopted { id: "x-5" } (it has the owner tag of this creation)"#);
    let run = world.up_again(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"module.buckets.test_role.one["x"]: create: Adopted { id: "x-5" } (it has the owner tag of this creation)"#);
    let again = world.preview_again(program);
    assert_snapshot!(again.plan(), @"");
}

#[test]
fn a_source_that_goes_before_the_objects_of_its_module_is_warned_of() {
    let program = |name: &'static str| {
        move |stack: &mut Stack| {
            let network = new_thing("network").set("name", name).declare(stack);
            stack.module_when_known("subnets", zones(&network), |stack, zones| {
                zones
                    .iter()
                    .for_each(|zone| drop(subnet(zone).declare(stack)));
                Ok(())
            })
        }
    };
    let mut world = world();
    world.up_again(program("ab")).succeeds();
    let preview = world.preview_again(program("bc"));
    assert_snapshot!(preview.diagnostics(), @"
    warning: test_thing.network is destroyed before module.subnets can be planned again: objects of the module stand on it, and its provider may refuse that
      resource   test_thing.network
    hint: with `create_before_destroy` in its lifecycle it stays until module.subnets has moved over
    hint: `destroy --target module.subnets` removes them first
    ");
    assert_snapshot!(preview.plan(), @r#"
    -/+ test_thing.network forced by name
    later module.subnets.test_thing.subnet["a"]: it stays as it is until module.subnets is planned
    later module.subnets.test_thing.subnet["b"]: it stays as it is until module.subnets is planned
    later module.subnets: it takes test_thing.network.id, known after apply
    "#);
}

#[test]
fn objects_move_into_a_module_and_out_of_it() {
    let mut world = world();
    world
        .up(|stack| {
            new_thing("network").set("name", "a").declare(stack);
            new_thing("old").set("name", "subnet a").declare(stack);
        })
        .succeeds();
    let program = |name: &'static str| {
        move |stack: &mut Stack| {
            stack.moved("test_thing.old", "module.subnets.test_thing.subnet[\"a\"]");
            let network = new_thing("network").set("name", name).declare(stack);
            stack.module_when_known("subnets", zones(&network), |stack, zones| {
                for zone in &zones {
                    subnet(zone).declare(stack);
                }
                Ok(())
            })
        }
    };
    // While the value is unknown, the object waits in the module.
    let preview = world.preview_again(program("ab"));
    assert_snapshot!(preview.plan(), @r#"
    -/+ test_thing.network forced by name
    later module.subnets.test_thing.subnet["a"]: it stays as it is until module.subnets is planned
    later module.subnets: it takes test_thing.network.id, known after apply
    "#);
    let run = world.up_again(program("ab")).succeeds();
    assert_snapshot!(run.steps(), @r#"
    delete test_thing.network: done
    create test_thing.network: done
    create module.subnets.test_thing.subnet["b"]: done
    "#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=ab
    module.subnets.test_thing.subnet["a"]  name=subnet a
    module.subnets.test_thing.subnet["b"]  name=subnet b
    "#);
}

#[test]
fn a_replacement_by_request_reaches_a_module_that_waits() {
    let mut world = world();
    world.up_again(network("ab")).succeeds();
    world.replace("module.subnets.test_thing.subnet[\"b\"]");
    let run = world.up_again(network("bc")).succeeds();
    assert_snapshot!(run.steps(), @r#"
    create test_thing.network: done
    create module.subnets.test_thing.subnet["c"]: done
    delete module.subnets.test_thing.subnet["a"]: done
    delete module.subnets.test_thing.subnet["b"]: done
    create module.subnets.test_thing.subnet["b"]: done
    delete test_thing.network (deposed): done
    "#);
}

#[test]
fn a_protected_object_of_a_module_stays_protected_while_its_value_is_known() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        let network = new_thing("network").set("name", "a").declare(stack);
        stack.module_when_known("subnets", zones(&network), |stack, zones| {
            for zone in &zones {
                let kept = Lifecycle::new().prevent_destroy();
                subnet(zone).lifecycle(kept).declare(stack);
            }
            Ok(())
        })
    };
    world.up_again(program).succeeds();
    let run = world.destroy_again(program).fails();
    assert_snapshot!(run.diagnostics(), @r#"
    error: the plan would destroy an object that `prevent_destroy` protects
      resource   module.subnets.test_thing.subnet["a"]
    hint: take `prevent_destroy()` out of its lifecycle, or leave it out of the run with `--exclude`
    "#);
}

#[test]
fn a_refresh_reads_what_is_in_a_module() {
    let mut world = world();
    world.up_again(network("ab")).succeeds();
    world.provider.cloud.edit("subnet a", "note", "by hand");
    let run = world.refresh_again(network("ab")).succeeds();
    assert_snapshot!(run.plan(), @r#"drift module.subnets.test_thing.subnet["a"] note: null -> by hand"#);
    assert_snapshot!(world.state(), @r#"
    test_thing.network  name=ab
    module.subnets.test_thing.subnet["a"]  name=subnet a note=by hand parent=ab-1
    module.subnets.test_thing.subnet["b"]  name=subnet b parent=ab-1
    output zones = "a b"
    "#);
}

#[test]
fn a_sensitive_value_decides_nothing() {
    let mut world = world();
    let program = |stack: &mut Stack| {
        let network = new_thing("network").declare(stack);
        let token: Output<String> = network.attribute("token");
        stack.module_when_known("by_token", token, |stack, token| {
            new_thing("one").set("note", token).declare(stack);
            Ok(())
        })
    };
    let run = world.up_again(program);
    assert_snapshot!(run.diagnostics(), @"
    error: a sensitive value cannot decide what a module declares: it would show in addresses, and in the number of resources
      resource   module.by_token
    hint: give the module a value that may be shown, such as the names without their secrets
    ");
}

#[test]
fn whatever_would_come_and_go_with_a_value_is_refused() {
    let mut world = world();
    let refused = |program: &dyn Fn(&mut Stack, &Resource) -> Result<()>, world: &mut World| {
        let run = world.preview_again(|stack| {
            let network = new_thing("network").set("name", "a").declare(stack);
            program(stack, &network)
        });
        run.diagnostics()
    };
    world.up(|stack| drop(new_thing("network").set("name", "a").declare(stack)));
    let inside = |stack: &mut Stack, zones: Vec<String>| {
        for zone in &zones {
            subnet(zone).declare(stack);
        }
        Ok(())
    };
    let mut shown = String::new();
    for (name, program) in [
        (
            "a reference from outside",
            &(|stack: &mut Stack, network: &Resource| {
                stack.module_when_known("subnets", zones(network), inside)?;
                let subnet = stack.resource("module.subnets.test_thing.subnet[\"a\"]")?;
                new_thing("user")
                    .set("parent", subnet.attribute::<String>("id"))
                    .declare(stack);
                Ok(())
            }) as &dyn Fn(&mut Stack, &Resource) -> Result<()>,
        ),
        ("two modules of one name", &|stack, network| {
            stack.module_when_known("subnets", zones(network), inside)?;
            stack.module_when_known("subnets", zones(network), inside)
        }),
        ("a plain module of that name", &|stack, network| {
            stack.module("subnets", |stack| drop(new_thing("other").declare(stack)));
            stack.module_when_known("subnets", zones(network), inside)
        }),
        ("a move from outside", &|stack, network| {
            stack.module_when_known("subnets", zones(network), |stack, _| {
                stack.moved("test_thing.old", "module.subnets.test_thing.new");
                Ok(())
            })
        }),
        ("a value of another type", &|stack, network| {
            let id: Output<bool> = network.attribute("id");
            stack.module_when_known("subnets", id, |_, _| Ok(()))
        }),
    ] {
        let errors = refused(program, &mut world);
        // Without the lines of this file.
        let errors = errors.replace(|c: char| c.is_ascii_digit(), "");
        shown.extend([name, ":\n", &errors, "\n"]);
    }
    assert_snapshot!(shown, @r#"
    a reference from outside:
    error: module.subnets.test_thing.subnet["a"] is referred to from outside of module.subnets: it is declared only while the value that the module takes is known
      resource   test_thing.user
    hint: declare it in module.subnets, too
    two modules of one name:
    error: module.subnets takes two values: first declared at tests/engine/when_known.rs:
      resource   module.subnets
    hint: give each module a name of its own, or take both values at once: `all((a, b))`
    a plain module of that name:
    error: module.subnets is declared in two ways: by `module_when_known` at tests/engine/when_known.rs:, and around module.subnets.test_thing.other by `module`
      resource   module.subnets.test_thing.other
    hint: give one of the two another name
    a move from outside:
    error: `test_thing.old` is not in module.subnets: the line would count only while the value of the module is known
    hint: say it outside of the module
    a value of another type:
    error: module.subnets cannot take its value: expected a bool, found a string
    "#);
}
