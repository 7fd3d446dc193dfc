//! Programs from stack functions, and the faults that are reported.

use super::Program;
use crate::addr::{InstanceKey, ProviderSource};
use crate::{
    Expr, Input, Lifecycle, Location, NoConfig, Output, ProviderAction, ProviderDeclaration,
    Resource, Result, Stack, all,
};

fn program(function: impl FnOnce(&mut Stack) -> Result<()>) -> Result<Program, String> {
    Program::from_fn(function, NoConfig).map_err(|d| d.to_string())
}

#[test]
fn references_become_dependencies_and_modules_become_prefixes() {
    let program = program(|stack| {
        let vpc = Resource::dynamic("t_vpc", "main")
            .set("cidr", "10.0.0.0/16")
            .declare(stack);
        let id: Output<String> = vpc.attribute("id");
        let subnet = stack.module("network", |stack| {
            Resource::dynamic("t_subnet", "private")
                .instance_key("a")
                .set(
                    "name",
                    all((id.clone(), id.clone())).map(|(a, b)| format!("{a}-{b}")),
                )
                .declare(stack)
        });
        Resource::dynamic("t_x", "y")
            .depends_on(&subnet)
            .declare(stack);
        stack.export("vpc", id);
        Ok(())
    })
    .expect("a program");
    let shown: Vec<_> = program
        .resources()
        .iter()
        .map(|resource| {
            let needed = resource.dependencies.iter();
            let needed: Vec<String> = needed
                .map(|&needed| program.resources()[needed].address.to_string())
                .collect();
            format!("{} [{}]", resource.address, needed.join(", "))
        })
        .collect();
    let expected = [
        "t_vpc.main []",
        "module.network.t_subnet.private[\"a\"] [t_vpc.main]",
        "t_x.y [module.network.t_subnet.private[\"a\"]]",
    ];
    assert_eq!(shown, expected);
    assert_eq!(program.providers().len(), 1);
}

#[test]
fn a_second_declaration_of_an_address_names_both_lines() {
    let error = program(|stack| {
        Resource::dynamic("t_x", "a").declare(stack);
        Resource::dynamic("t_x", "a").declare(stack);
        Ok(())
    })
    .expect_err("a duplicate");
    assert!(
        error.contains("t_x.a is declared twice: first declared at "),
        "{error}"
    );
    assert!(
        error.contains("declared   src/core/program/tests.rs:"),
        "{error}"
    );
}

#[test]
fn keys_that_are_one_in_normal_form_are_a_second_declaration() {
    let error = program(|stack| {
        for key in ["e\u{301}", "\u{e9}"] {
            stack.module_instance("m", key, |stack| {
                Resource::dynamic("t_x", "a")
                    .instance_key(key)
                    .declare(stack);
            });
        }
        Ok(())
    })
    .expect_err("a duplicate");
    assert!(
        error.contains("module.m[\"\u{e9}\"].t_x.a[\"\u{e9}\"] is declared twice"),
        "{error}"
    );
    assert!(
        error.contains("keys are compared in Unicode normal form C"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_with_a_module_or_a_key_is_reported_at_its_line() {
    let mut lines = Vec::new();
    let error = program(|stack| {
        lines.push(line!() + 1);
        stack.module("not a name", |_| ());
        lines.push(line!() + 1);
        stack.module_instance("m", 7_227_701_560_655_103_598_u64, |_| ());
        let resource = Resource::dynamic("t_x", "a").instance_key(InstanceKey::MAX_INT + 1);
        lines.push(line!() + 1);
        resource.declare(stack);
        Resource::dynamic("t_x", "b")
            .instance_key(InstanceKey::MAX_INT)
            .declare(stack);
        Ok(())
    })
    .expect_err("refused");
    assert_eq!(error.matches("error: ").count(), 3, "{error}");
    for line in lines {
        assert!(
            error.contains(&format!("src/core/program/tests.rs:{line}")),
            "{line} {error}"
        );
    }
    assert!(
        error.contains("the instance key [7227701560655103598] is too large"),
        "{error}"
    );
    assert!(
        error.contains("because Terraform reads it as a float"),
        "{error}"
    );
}

#[test]
fn a_reference_to_something_undeclared_is_reported_at_its_line() {
    let error = program(|stack| {
        let other = stack.resource("t_x.missing")?;
        Resource::dynamic("t_x", "a")
            .set("id", other.attribute::<String>("id"))
            .declare(stack);
        Ok(())
    })
    .expect_err("undeclared");
    assert!(
        error.contains("t_x.missing is referred to but not declared"),
        "{error}"
    );
}

#[test]
fn a_constant_that_cannot_be_computed_is_reported_before_any_provider_call() {
    let error = program(|stack| {
        let location = Location::caller();
        let name = Input::<String>::new(Expr::invalid("no such thing", location));
        Resource::dynamic("t_x", "a")
            .set("name", name)
            .declare(stack);
        Ok(())
    })
    .expect_err("invalid");
    assert!(
        error.starts_with("error: no such thing\n  resource   t_x.a"),
        "{error}"
    );
}

#[test]
fn a_cycle_is_shown_as_a_chain() {
    let error = program(|stack| {
        let second = stack.resource("t_x.b")?;
        let first = Resource::dynamic("t_x", "a")
            .depends_on(&second)
            .declare(stack);
        Resource::dynamic("t_x", "b")
            .depends_on(&first)
            .declare(stack);
        Ok(())
    })
    .expect_err("a cycle");
    assert!(
        error.contains("in a cycle: t_x.a (src/core/program/tests.rs:"),
        "{error}"
    );
}

#[test]
fn a_chain_of_fifty_thousand_resources_is_no_problem() {
    let program = program(|stack| {
        let mut last: Option<Resource> = None;
        for place in 0..50_000_u32 {
            let mut next = Resource::dynamic("t_x", "a").instance_key(place);
            if let Some(last) = &last {
                next = next.set("input", last.attribute::<String>("id"));
            }
            last = Some(next.declare(stack));
        }
        Ok(())
    });
    assert_eq!(program.expect("a program").resources().len(), 50_000);
}

#[test]
fn a_panic_or_an_error_of_the_function_yields_no_program() {
    let panicked = program(|_| panic!("boom")).expect_err("no program");
    assert!(
        panicked.contains("the stack function panicked"),
        "{panicked}"
    );
    let failed = program(|_| {
        "x".parse::<u8>()?;
        Ok(())
    });
    assert!(
        failed
            .expect_err("no program")
            .contains("invalid digit found in string")
    );
}

#[test]
fn bad_names_and_bad_paths_are_reported() {
    let error = program(|stack| {
        Resource::dynamic("t_x", "a b")
            .lifecycle(Lifecycle::new().ignore_changes(["a..b"]))
            .declare(stack);
        Ok(())
    })
    .expect_err("bad names");
    assert!(
        error.contains("`a b` is not a valid resource name"),
        "{error}"
    );
    assert!(error.contains("`a..b` in ignore_changes"), "{error}");
}

#[test]
fn calls_of_a_provider_follow_it_to_the_host_that_it_turns_out_to_have() {
    let named: ProviderSource = "acme/net".parse().expect("a source");
    let mut program = program(|stack| {
        let net = stack.provider(ProviderDeclaration::dynamic(named.clone()));
        let other: ProviderSource = "example.com/acme/net".parse()?;
        let other = stack.provider(ProviderDeclaration::dynamic(other));
        let inner: Output<String> = net.function("inner", ("a",));
        let outer: Output<String> = other.function("outer", (inner.map(|it| it + "!"),));
        Resource::dynamic("t_x", "a")
            .set("list", vec![outer.sensitive()])
            .declare(stack);
        let of_action: Output<String> = net.function("of_action", ());
        ProviderAction::dynamic("t_do", "it")
            .set("text", of_action)
            .declare(stack);
        let address: Output<Vec<String>> = net.function("all", ());
        stack.export("first", address.index(0));
        Ok(())
    })
    .expect("a program");
    program.resolve_hosts(|source| (*source == named).then(|| "mirror.example".into()));
    let mut called = Vec::new();
    for expr in program.expressions() {
        expr.for_each_call(&mut |call| {
            called.push(format!("{}::{}", call.provider, call.function));
        });
    }
    assert_eq!(
        called,
        [
            "example.com/acme/net::outer",
            "mirror.example/acme/net::inner",
            "mirror.example/acme/net::of_action",
            "mirror.example/acme/net::all",
        ]
    );
}
