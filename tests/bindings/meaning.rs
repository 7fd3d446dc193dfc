//! The declarations of typed builders and handles.

use std::any::type_name_of_val;
use std::sync::Arc;

use insta::assert_snapshot;
use terrane_acme::functions;
use terrane_acme::net::{self, gateway, gateway_set};
use terrane_acme::provider::{self, Provider};
use terrane_core::addr::InstanceAddr;
use terrane_core::{
    Ephemeral, Error, Expr, Id as _, Lifecycle, Marked, NoConfig, Program, ResourceId, Result,
    Scope, Stack, Value,
};

fn program(function: impl FnOnce(&mut Stack) -> Result<()>) -> Program {
    Program::from_fn(function, NoConfig).expect("a program")
}

struct Nothing;

impl Scope for Nothing {
    fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
        None
    }
}

fn arguments(program: &Program, place: usize) -> Value {
    let arguments = &program.resources()[ResourceId::at(place)].arguments;
    arguments.evaluate(&Nothing).expect("literals only").value
}

fn minimal_route() -> gateway::RouteBuilder<terrane_core::Set, terrane_core::Set> {
    gateway::Route::builder()
        .target("there")
        .hop(gateway::RouteHop::builder().name("first"))
}

#[test]
fn ephemeral_resources_and_functions_have_names_of_their_own() {
    let program = program(|stack| {
        stack.provider(Provider::builder());
        let pass = net::ephemeral::Pass::builder("p")
            .length(20)
            .log(net::ephemeral::pass::Log::builder().level("info"))
            .declare(stack);
        let secret: Ephemeral<String> = pass.secret();
        let gateway = net::Gateway::builder("main")
            .name("g")
            .token(secret)
            .route(minimal_route())
            .declare(stack);
        let greeting = functions::greet(gateway.arn(), None::<String>, [vec![1, 2], vec![3]]);
        stack.export("greeting", greeting);
        Ok(())
    });
    let [pass, gateway] = [0, 1].map(|place| &program.resources()[ResourceId::at(place)]);
    assert_eq!(pass.address.to_string(), "ephemeral.acme_net_pass.p");
    assert_eq!(gateway.dependencies, [ResourceId::at(0)]);
    let Expr::Call(call) = &program.exports()[0].value else {
        panic!("a call")
    };
    assert_eq!(
        (call.to_string(), call.arguments.len()),
        ("acme::greet".to_owned(), 4)
    );
}

#[test]
fn setters_write_the_arguments_of_the_schema() {
    let program = program(|stack| {
        net::Gateway::builder("main")
            .name("g")
            .r#type("fast")
            .self_(true)
            .ports([80, 443])
            .labels([("a", vec!["x", "y"])])
            .extra(7)
            .token("t")
            .rule(gateway::Rule::builder().from(1))
            .log(gateway::Log::builder().level("info"))
            .named([("left", gateway::Named::builder().host("h"))])
            .route(minimal_route())
            .route(minimal_route().hop(gateway::RouteHop::builder()))
            .timeouts(gateway::Timeouts::builder().create("5m"))
            .lifecycle(Lifecycle::new().prevent_destroy())
            .instance_key("one")
            .declare(stack);
        Ok(())
    });
    assert!(
        program.resources()[ResourceId::at(0)]
            .lifecycle
            .prevent_destroy
    );
    assert_snapshot!(program.resources()[ResourceId::at(0)].address.to_string(), @r#"acme_net_gateway.main["one"]"#);
    assert_snapshot!(format!("{:?}", arguments(&program, 0)), @r#"{"extra": 7, "labels": {"a": ["x", "y"]}, "log": {"level": "info"}, "name": "g", "named": {"left": {"host": "h"}}, "ports": [80, 443], "route": [{"hop": [{"name": "first"}], "target": "there"}, {"hop": [{"name": "first"}, {}], "target": "there"}], "rule": [{"from": 1, "to": null}], "self": true, "timeouts": {"create": "5m"}, "token": "t", "type": "fast"}"#);
}

#[test]
#[expect(deprecated)] // the made-up type is
fn members_that_are_called_like_ours_keep_apart() {
    let program = program(|stack| {
        let value = gateway_set::InputSetValue::builder().x(1);
        let set = gateway_set::InputSet::builder().value([("k", value)]);
        net::GatewaySet::builder("a")
            .gateway_set(["g"])
            .input(gateway_set::Input::builder().output("o").set(set))
            .resource(gateway_set::Resource::builder().stack("s"))
            .declare(stack);
        net::Plain::builder("b").declare(stack);
        Ok(())
    });
    assert_snapshot!(format!("{:?}", arguments(&program, 0)), @r#"{"gateway_set": ["g"], "input": [{"output": "o", "set": {"value": {"k": {"x": 1}}}}], "resource": [{"stack": "s"}]}"#);
}

#[test]
fn getters_refer_to_attributes_at_the_line_that_asks() {
    program(|stack| {
        let gateway = net::Gateway::builder("a")
            .name("g")
            .route(minimal_route())
            .declare(stack);
        let zone = net::data::Zone::builder("z")
            .name("z")
            .depends_on(&gateway)
            .declare(stack);
        let line = line!() + 1;
        let size = gateway.status().index(0).parts().index(1).size();
        let shown = [
            format!("{size:?}"),
            format!("{:?}", gateway.route().index(0).target()),
            format!("{:?}", gateway.rule()),
            format!("{:?}", gateway.log().level()),
            format!("{:?}", zone.zones().key("a")),
        ];
        assert_snapshot!(shown.join("\n"), @r#"
        Output(acme_net_gateway.a.status[0].parts[1].size)
        Output(acme_net_gateway.a.route[0].target)
        Output(acme_net_gateway.a.rule)
        Output(acme_net_gateway.a.log.level)
        Output(data.acme_zone.z.zones["a"])
        "#);
        let mut lines = Vec::new();
        size.expr()
            .for_each_reference(&mut |reference| lines.push(reference.location.line));
        assert_eq!(lines, [line]);
        Ok(())
    });
}

#[test]
fn a_missing_argument_is_in_the_name_of_the_builders_type() {
    let short = |name: &str| {
        let parts = name.split(['<', '>', ',']);
        let last = parts.map(|part| part.rsplit("::").next().unwrap_or(part).trim());
        last.filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let nothing = net::Gateway::builder("a");
    assert_eq!(
        short(type_name_of_val(&nothing)),
        "GatewayBuilder MissingName MissingRoute"
    );
    let named = nothing.name("g");
    assert_eq!(
        short(type_name_of_val(&named)),
        "GatewayBuilder Set MissingRoute"
    );
    let route = gateway::Route::builder().target("t");
    assert_eq!(
        short(type_name_of_val(&route)),
        "RouteBuilder MissingHop Set"
    );
}

#[test]
fn a_provider_configuration_has_its_blocks_and_its_maps() {
    let program = program(|stack| {
        let west = stack.provider(
            Provider::builder()
                .alias("west")
                .endpoint("https://west")
                .login(provider::Login::builder().user("me"))
                .tags([("team", "data")]),
        );
        net::Plain::builder("a").provider(&west).declare(stack);
        Ok(())
    });
    let [provider] = program.providers().as_slice() else {
        panic!("one provider");
    };
    assert_eq!(
        provider.address.to_string(),
        r#"provider["registry.opentofu.org/example/acme"].west"#
    );
    let arguments = provider
        .arguments
        .evaluate(&Nothing)
        .expect("literals only");
    assert_snapshot!(format!("{:?}", arguments.value), @r#"{"endpoint": "https://west", "login": [{"user": "me"}], "tags": [{"map": {"team": "data"}}]}"#);
}

#[test]
fn a_stack_function_may_fail() {
    let failed = Program::from_fn(
        |stack| {
            net::Plain::builder("a").declare(stack);
            Err(Error::message("no"))
        },
        NoConfig,
    );
    assert!(failed.is_err());
}
