//! Objects as programs: typed where there are bindings, with references among them.

use terrane_core::schema::{FactsKind, ProviderSchema};
use terrane_core::{Type, Value};

use super::literal::{Leaf, literal};
use super::{DeclaredObject, ExistingObject, TypeInProgram, declare_existing};
use crate::bindings::describe;
use crate::project::{Origin, catalogue_of};
use crate::terraform_json::from_terraform_json;

const SCHEMA: &str = r#"{"provider_schemas": {"registry.terraform.io/acme/acme": {"resource_schemas": {
  "acme_net": {"version": 0, "block": {"attributes": {
    "id": {"type": "string", "computed": true},
    "arn": {"type": "string", "computed": true},
    "cidr": {"type": "string", "required": true},
    "tags": {"type": ["map", "string"], "optional": true}}}},
  "acme_rule": {"version": 0, "block": {"attributes": {
    "id": {"type": "string", "computed": true},
    "net_id": {"type": "string", "required": true},
    "name": {"type": "string", "optional": true},
    "peers": {"type": ["list", "string"], "optional": true},
    "chosen": {"type": "string", "optional": true, "computed": true},
    "policy": {"type": "string", "optional": true},
    "password": {"type": "string", "optional": true, "sensitive": true},
    "type": {"type": "number", "optional": true}},
    "block_types": {"port": {"nesting_mode": "set", "block": {"attributes": {
      "from": {"type": "number", "required": true},
      "open": {"type": "bool", "optional": true}}}}}}}
}}}}"#;

fn schema() -> ProviderSchema {
    let all = from_terraform_json(SCHEMA.as_bytes()).expect("a schema");
    all.into_values().next().expect("a provider")
}

fn typed(schema: &ProviderSchema, type_name: &str) -> TypeInProgram {
    let origin = Origin {
        source: "acme/acme",
        version: "1.0.0",
        schemas: schema,
    };
    let catalogue = catalogue_of(&origin, &["*".to_owned()]).expect("a catalogue");
    let block = &schema.resources[type_name].block;
    let names = describe(&catalogue, FactsKind::Resource, type_name, block);
    TypeInProgram {
        module: "crate::acme".to_owned(),
        names: names.expect("names"),
    }
}

fn value(json: &str) -> Value {
    Value::from_json_untyped(json.as_bytes()).expect("JSON")
}

/// An object all of whose attributes but the id and the ARN are arguments.
fn object(schema: &ProviderSchema, is_typed: bool, type_name: &str, json: &str) -> ExistingObject {
    let object = value(json);
    let members = object.members().into_iter().flatten();
    let arguments = members.filter(|(name, _)| !matches!(&***name, "id" | "arn"));
    ExistingObject {
        type_name: type_name.to_owned(),
        source: (!is_typed).then(|| "acme/acme".to_owned()),
        name: None,
        id: object
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        identity: None,
        block: schema.resources[type_name].block.clone(),
        arguments: Value::map(arguments.map(|(name, one)| (name.clone(), one.clone()))),
        object,
        secrets: Vec::new(),
        differences: Vec::new(),
        bindings: is_typed.then(|| typed(schema, type_name)),
    }
}

fn written(is_typed: bool) -> String {
    let schema = schema();
    let objects = [
        object(
            &schema,
            is_typed,
            "acme_rule",
            r#"{"id": "rule-000001", "net_id": "net-000001", "name": "Allow HTTP", "peers": ["rule-000002", "10.0.0.0/8"],
                "policy": "{\"a\": [\"b\"]}", "type": 1.5, "port": [{"from": 80, "open": true}, {"from": 443, "open": null}]}"#,
        ),
        object(
            &schema,
            is_typed,
            "acme_rule",
            r#"{"id": "rule-000002", "net_id": "net-000001", "peers": ["rule-000001"]}"#,
        ),
        object(
            &schema,
            is_typed,
            "acme_net",
            r#"{"id": "net-000001", "arn": "arn:net-000001", "cidr": "10.0.0.0/16", "tags": {"Name": "acme-main-net", "by": "net-000000"}}"#,
        ),
        object(
            &schema,
            is_typed,
            "acme_net",
            r#"{"id": "net-000002", "cidr": "10.1.0.0/16"}"#,
        ),
        object(
            &schema,
            is_typed,
            "acme_net",
            r#"{"id": "net-000003", "cidr": "10.2.0.0/16"}"#,
        ),
    ];
    let declared = [DeclaredObject {
        type_name: "acme_net".to_owned(),
        name: "shared".to_owned(),
        object: value(r#"{"id": "net-000000", "cidr": "10.9.0.0/16"}"#),
        bindings: is_typed.then(|| typed(&schema, "acme_net")),
    }];
    declare_existing("existing", &objects, &declared)
        .expect("rustfmt")
        .text
}

#[test]
fn objects_become_typed_builders_that_refer_to_one_another() {
    insta::assert_snapshot!(written(true), @r##"
    //! Objects that existed before this program declared them.

    use crate::acme;
    use terrane::{Output, Result, Stack};

    /// Declares the objects, and takes each in that the state does not have.
    pub fn existing(stack: &mut Stack, shared_net: &acme::Net) -> Result<()> {
        let acme_main_net = acme::Net::builder("acme_main")
            .cidr("10.0.0.0/16")
            .tags([
                ("Name", Output::known("acme-main-net".to_owned())),
                ("by", shared_net.id()),
            ])
            .declare(stack);
        stack.import(&acme_main_net, "net-000001");

        let rule = acme::Rule::builder("main")
            .net_id(acme_main_net.id())
            .peers(["rule-000001"])
            .declare(stack);
        stack.import(&rule, "rule-000002");

        let allow_http_rule = acme::Rule::builder("allow_http")
            .name("Allow HTTP")
            .net_id(acme_main_net.id())
            .peers([rule.id(), Output::known("10.0.0.0/8".to_owned())])
            .policy(r#"{"a": ["b"]}"#)
            .port(acme::rule::Port::builder().from(80).open(true))
            .port(acme::rule::Port::builder().from(443))
            .r#type(1.5)
            .declare(stack);
        stack.import(&allow_http_rule, "rule-000001");

        let net = acme::Net::builder("main")
            .cidr("10.1.0.0/16")
            .declare(stack);
        stack.import(&net, "net-000002");

        let net_2 = acme::Net::builder("main_2")
            .cidr("10.2.0.0/16")
            .declare(stack);
        stack.import(&net_2, "net-000003");

        Ok(())
    }
    "##);
}

#[test]
fn types_without_bindings_become_untyped_declarations() {
    insta::assert_snapshot!(written(false), @r##"
    //! Objects that existed before this program declared them.

    use terrane::{BlockArguments, Output, Resource, Result, Stack};

    /// Declares the objects, and takes each in that the state does not have.
    pub fn existing(stack: &mut Stack, shared_net: &Resource) -> Result<()> {
        let acme_main_net = Resource::dynamic("acme_net", "acme_main")
            .provider_source("acme/acme".parse()?)
            .set("cidr", "10.0.0.0/16")
            .set(
                "tags",
                BlockArguments::new()
                    .set("Name", "acme-main-net")
                    .set("by", shared_net.attribute::<String>("id")),
            )
            .declare(stack);
        stack.import(&acme_main_net, "net-000001");

        let rule = Resource::dynamic("acme_rule", "main")
            .provider_source("acme/acme".parse()?)
            .set("net_id", acme_main_net.attribute::<String>("id"))
            .set("peers", ["rule-000001"])
            .declare(stack);
        stack.import(&rule, "rule-000002");

        let allow_http_rule = Resource::dynamic("acme_rule", "allow_http")
            .provider_source("acme/acme".parse()?)
            .set("name", "Allow HTTP")
            .set("net_id", acme_main_net.attribute::<String>("id"))
            .set(
                "peers",
                [
                    rule.attribute::<String>("id"),
                    Output::known("10.0.0.0/8".to_owned()),
                ],
            )
            .set("policy", r#"{"a": ["b"]}"#)
            .set(
                "port",
                [
                    BlockArguments::new().set("from", 80).set("open", true),
                    BlockArguments::new().set("from", 443),
                ],
            )
            .set("type", 1.5)
            .declare(stack);
        stack.import(&allow_http_rule, "rule-000001");

        let net = Resource::dynamic("acme_net", "main")
            .provider_source("acme/acme".parse()?)
            .set("cidr", "10.1.0.0/16")
            .declare(stack);
        stack.import(&net, "net-000002");

        let net_2 = Resource::dynamic("acme_net", "main_2")
            .provider_source("acme/acme".parse()?)
            .set("cidr", "10.2.0.0/16")
            .declare(stack);
        stack.import(&net_2, "net-000003");

        Ok(())
    }
    "##);
}

#[test]
fn a_circle_is_cut_where_the_provider_would_have_chosen_the_value() {
    let schema = schema();
    let rules = [
        r#"{"id": "rule-000001", "net_id": "net-000001", "chosen": "rule-000003"}"#,
        r#"{"id": "rule-000002", "net_id": "net-000001", "peers": ["rule-000001"]}"#,
        r#"{"id": "rule-000003", "net_id": "net-000001", "peers": ["rule-000002"]}"#,
    ];
    // Whichever comes first.
    for first in 0..rules.len() {
        let mut objects = rules.map(|rule| object(&schema, false, "acme_rule", rule));
        objects.rotate_left(first);
        let text = declare_existing("existing", &objects, &[])
            .expect("rustfmt")
            .text;
        assert!(text.contains(r#".set("chosen", "rule-000003")"#), "{text}");
        assert_eq!(
            text.matches("attribute::<String>(\"id\")").count(),
            2,
            "{text}"
        );
    }
}

#[test]
fn what_is_secret_or_cannot_be_said_is_told_and_not_written() {
    let schema = schema();
    let mut rule = object(
        &schema,
        true,
        "acme_rule",
        r#"{"id": "rule-000001", "net_id": "net-000001"}"#,
    );
    rule.name = Some("self".to_owned());
    rule.secrets = vec![terrane_core::Path::root().attribute("password")];
    rule.differences = ["name", "password"]
        .map(|name| terrane_core::Path::root().attribute(name))
        .to_vec();
    let written = declare_existing("existing", &[rule], &[]).expect("rustfmt");
    assert_eq!(written.addresses, ["acme_rule.self"]);
    insta::assert_snapshot!(written.text, @r##"
    //! Objects that existed before this program declared them.

    use crate::acme;
    use terrane::{Result, Secret, SecretSource, Stack};

    /// Declares the objects, and takes each in that the state does not have.
    pub fn existing(stack: &mut Stack) -> Result<()> {
        // A preview changes `name`: no argument says what is there.
        // Not written here, for it is secret: `password`. It is read from where `Secret` says.
        let self_rule = acme::Rule::builder("self")
            .net_id("net-000001")
            .password(Secret::<String>::from_source(SecretSource::Env(
                "SELF_RULE_PASSWORD".to_owned(),
            )))
            .declare(stack);
        stack.import(&self_rule, "rule-000001");

        Ok(())
    }
    "##);
}

#[test]
fn empty_lists_and_maps_have_the_type_that_their_argument_takes() {
    let no_leaf = &mut |_: Leaf<'_>| None;
    let list = |of: Type| Type::List(of.into());
    for (text, ty, rust) in [
        ("[]", list(Type::String), "Vec::<&str>::new()"),
        ("[]", list(Type::Number), "Vec::<u32>::new()"),
        ("[]", list(list(Type::Bool)), "Vec::<Vec<bool>>::new()"),
        (
            "{}",
            Type::Map(Type::String.into()),
            "std::collections::BTreeMap::<&str, &str>::new()",
        ),
    ] {
        assert_eq!(literal(&value(text), &ty, no_leaf), rust);
    }
}
