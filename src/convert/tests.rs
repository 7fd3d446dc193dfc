//! Configurations of our own, converted: what comes out, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use terrane_codegen::from_terraform_json;

use crate::{Options, Project, Schemas, convert};

/// The schemas of a provider that does not exist.
fn schemas() -> Schemas {
    let providers = from_terraform_json(include_bytes!("cases/schema.json")).expect("schemas");
    let named = providers.into_iter().map(|(source, schema)| {
        let source = source.trim_start_matches("registry.terraform.io/");
        (source.to_owned(), ("1.0.0".to_owned(), schema))
    });
    named.collect()
}

fn converted(from: &Path) -> Result<Project, String> {
    let options = Options {
        from: from.to_owned(),
        name: Some("case".to_owned()),
        terrane: None,
    };
    convert(&options, &schemas()).map_err(|error| error.to_string())
}

/// A configuration in a folder of its own, by file.
fn of_files(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Project, String>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let project = converted(folder.path());
    (folder, project)
}

/// The configuration with that text in its `main.tf`, and the provider that does not exist.
fn of(text: &str) -> Result<Project, String> {
    let providers =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    of_files(&[("main.tf", text), ("versions.tf", providers)]).1
}

fn refused(text: &str) -> String {
    of(text).expect_err("it is refused")
}

fn main_of(text: &str) -> String {
    let project = of(text).expect("it converts");
    project.files["src/main.rs"].clone()
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

#[test]
fn every_construct_is_carried() {
    let project = converted(&cases().join("every")).expect("it converts");
    assert_eq!(project.untranslated, []);
    let own: BTreeMap<&String, &String> = project
        .files
        .iter()
        .filter(|(path, _)| !path.starts_with('.'))
        .collect();
    let whole: String = own
        .iter()
        .map(|(path, text)| format!("=== {path}\n{text}\n"))
        .collect();
    insta::assert_snapshot!(whole);
}

#[test]
fn json_and_hcl_are_one_language() {
    let hcl = of(r#"
        variable "name" { default = "a" }
        resource "acme_network" "it" {
          name = "x-${var.name}"
          rule {
            port = 1
          }
        }
        output "id" { value = acme_network.it.id }
    "#);
    let json = r#"{
        "terraform": {"required_providers": {"acme": {"source": "example/acme"}}},
        "variable": {"name": {"default": "a"}},
        "resource": {"acme_network": {"it": {"name": "x-${var.name}", "rule": [{"port": 1}]}}},
        "output": {"id": {"value": "${acme_network.it.id}"}}
    }"#;
    let (_folder, json) = of_files(&[("main.tf.json", json)]);
    let (hcl, json) = (hcl.expect("it converts"), json.expect("it converts"));
    assert_eq!(hcl.files["src/main.rs"], json.files["src/main.rs"]);
    assert_eq!(hcl.files["src/config.rs"], json.files["src/config.rs"]);
}

#[test]
fn a_source_without_a_namespace_is_hashicorps() {
    let text = "terraform {\n required_providers {\n c = { source = \"cloud\" }\n }\n}\nresource \"c_thing\" \"a\" {}";
    let error = of_files(&[("main.tf", text)]).1.expect_err("no schema");
    assert!(error.contains("the provider hashicorp/cloud"), "{error}");
}

#[test]
fn a_loop_over_a_map_takes_no_more_than_it_uses() {
    let of_blocks = |content: &str| {
        main_of(&format!(
            "variable \"rules\" {{\n type = map(number)\n}}\nresource \"acme_network\" \"it\" {{\n name = \"a\"\n dynamic \"rule\" {{\n for_each = var.rules\n content {{\n {content}\n }}\n }}\n}}"
        ))
    };
    let both = of_blocks("port = rule.value\n from = [rule.key]");
    assert!(
        both.contains("for (key, rule) in &config.rules {"),
        "{both}"
    );
    let values = of_blocks("port = rule.value");
    assert!(
        values.contains("for rule in config.rules.values() {"),
        "{values}"
    );
    let keys = of_blocks("port = 1\n from = [rule.key]");
    assert!(keys.contains("for key in config.rules.keys() {"), "{keys}");
    let neither = of_blocks("port = 1");
    assert!(
        neither.contains("for _ in config.rules.keys() {"),
        "{neither}"
    );
}

#[test]
fn the_default_of_a_secret_is_a_secret() {
    let text = "variable \"token\" {\n default = \"t\"\n sensitive = true\n}\noutput \"a\" {\n value = var.token\n sensitive = true\n}";
    let config = &of(text).expect("it converts").files["src/config.rs"];
    assert!(config.contains("Dyn::from(\"t\").sensitive()"), "{config}");
}

#[test]
fn a_state_in_a_file_stays_there() {
    let text = main_of("terraform {\n backend \"local\" {\n path = \"a/b.tfstate\"\n }\n}");
    assert!(
        text.contains(".backend(Path::new(\"a/b.tfstate\"))"),
        "{text}"
    );
    assert!(text.contains("use std::path::Path;"), "{text}");
}

#[test]
fn numbers_that_rust_has_not_stay_exact() {
    let size = |number: &str| {
        main_of(&format!(
            "resource \"acme_network\" \"it\" {{\n name = \"a\"\n size = {number}\n}}"
        ))
    };
    for (number, rust) in [
        ("9007199254740993", ".size(9007199254740993_i64)"),
        ("0.1", ".size(0.1)"),
        ("1e3", ".size(1000)"),
        (
            "12345678901234567890123",
            "dynamic::call(\"tonumber\",[Dyn::from(\"12345678901234567890123\")],)",
        ),
        (
            "0.12345678901234567890123",
            "dynamic::call(\"tonumber\",[Dyn::from(\"0.12345678901234567890123\")],)",
        ),
    ] {
        let text = size(number).replace([' ', '\n'], "");
        assert!(text.contains(rust), "{number}: {text}");
    }
}

#[test]
fn what_cannot_be_carried_stops_the_compiler_with_the_original() {
    let text = main_of(
        r#"
        resource "acme_network" "it" {
          name = "a"
          provisioner "local-exec" {
            command = "echo done"
          }
        }"#,
    );
    assert!(text.contains("compile_error!"), "{text}");
    assert!(
        text.contains("main.tf:4: a `provisioner` cannot be carried"),
        "{text}"
    );
    assert!(text.contains("echo done"), "{text}");
}

#[test]
fn broken_configurations_are_refused_with_a_place() {
    for (text, place, reason) in [
        ("resource \"acme_network\" {", "main.tf:", ""),
        (
            "colour = 3",
            "main.tf:1",
            "`colour` cannot stand outside of a block",
        ),
        ("thing \"a\" {}", "main.tf:1", "`thing` is not a block type"),
        (
            "resource \"acme_network\" {}",
            "main.tf:1",
            "`resource` needs 2 labels, found 1",
        ),
        (
            "variable \"a\" {}\nvariable \"a\" {}",
            "main.tf:2",
            "`var.a` is declared twice; first at main.tf:1",
        ),
        (
            "variable \"a\" { type = strin }",
            "main.tf:1",
            "the type of variable `a` is not a type",
        ),
        (
            "locals {\n a = local.b\n b = local.a\n}",
            "main.tf:",
            "depends on itself",
        ),
        (
            "resource \"acme_ship\" \"a\" {}",
            "main.tf:1",
            "example/acme 1.0.0 has no resource type `acme_ship`",
        ),
        (
            "module \"a\" { source = \"./a\" }",
            "main.tf:1",
            "module `a` has no folder",
        ),
        ("module \"a\" {}", "main.tf:1", "module `a` has no `source`"),
        (
            "module \"a\" { source = \"hashicorp/a/b\" }",
            "main.tf:1",
            "run `terraform init` first",
        ),
        ("output \"a\" {}", "main.tf:1", "output `a` has no `value`"),
    ] {
        let error = refused(text);
        assert!(
            error.contains(place) && error.contains(reason),
            "{text}: {error}"
        );
    }
    let error = refused("resource \"cloud_thing\" \"a\" {}");
    assert_eq!(
        error,
        "there is no schema of the provider hashicorp/cloud, which `cloud_thing` needs (main.tf:1)"
    );
}

#[test]
fn modules_are_checked_against_their_calls() {
    let module = "variable \"name\" {}\nvariable \"size\" { default = 1 }\noutput \"name\" { value = var.name }";
    let calls = |call: &str| {
        let root = format!("module \"a\" {{\n source = \"./a\"\n {call}\n}}");
        of_files(&[("main.tf", &root), ("a/main.tf", module)]).1
    };
    assert!(calls("name = \"x\"").is_ok());
    assert_eq!(
        calls("").expect_err("refused"),
        "main.tf:1: module `a` lacks its variable `name`"
    );
    assert_eq!(
        calls("name = 1\n nme = 2").expect_err("refused"),
        "main.tf:4: module `a` has no variable `nme`"
    );
    let cyclic = of_files(&[
        ("main.tf", "module \"a\" { source = \"./a\" }"),
        ("a/main.tf", "module \"b\" { source = \"../b\" }"),
        ("b/main.tf", "module \"a\" { source = \"../a\" }"),
    ]);
    assert_eq!(
        cyclic.1.expect_err("refused"),
        "b/main.tf:1: module `a` calls itself, by this call"
    );
}

/// A module that has a name and a peer, with an output that the cloud decides and one that the program knows.
const NODE: &str = r#"
    variable "name" { type = string }
    variable "peer" { type = string }
    resource "acme_network" "main" { name = var.name }
    resource "acme_network" "link" {
      name   = "link"
      policy = var.peer
    }
    output "id" { value = acme_network.main.id }
    output "name" { value = "n-${var.name}" }
"#;

/// `main.rs` of modules that are all that one.
fn of_nodes(root: &str) -> Result<String, String> {
    let providers =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    let files = [
        ("main.tf", root),
        ("versions.tf", providers),
        ("node/main.tf", NODE),
        ("node/versions.tf", providers),
    ];
    let project = of_files(&files).1?;
    assert_eq!(project.untranslated, []);
    Ok(project.files["src/main.rs"].clone())
}

fn node(name: &str, more: &str) -> String {
    format!("module \"{name}\" {{\n source = \"./node\"\n name = \"{name}\"\n {more}\n}}\n")
}

/// The lines of the function in which the stack is declared.
fn declared(main: &str) -> &str {
    let start = main.find("fn case(").expect("the function");
    &main[start..]
}

#[test]
fn modules_may_need_each_others_outputs() {
    let two = node("a", "peer = module.b.id") + &node("b", "peer = module.a.id");
    insta::assert_snapshot!(declared(&of_nodes(&two).expect("it converts")), @r#"
    fn case(stack: &mut Stack) -> Result<()> {
        let b_id = stack.forward::<String>();
        let a = stack.module("a", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "a".to_owned(),
                    peer: b_id.output(),
                },
            )
        })?;
        let b = stack.module("b", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "b".to_owned(),
                    peer: a.id.clone(),
                },
            )
        })?;
        b_id.set(&b.id);
        Ok(())
    }
    "#);
    let ring = node("a", "peer = module.b.name")
        + &node("b", "peer = module.c.name")
        + &node("c", "peer = module.a.name");
    insta::assert_snapshot!(declared(&of_nodes(&ring).expect("it converts")), @r#"
    fn case(stack: &mut Stack) -> Result<()> {
        let b_name = stack.forward::<String>();
        let a = stack.module("a", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "a".to_owned(),
                    peer: b_name.output(),
                },
            )
        })?;
        let c = stack.module("c", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "c".to_owned(),
                    peer: Output::known(&a.name),
                },
            )
        })?;
        let b = stack.module("b", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "b".to_owned(),
                    peer: Output::known(&c.name),
                },
            )
        })?;
        b_name.set(&b.name);
        Ok(())
    }
    "#);
    let own = node("a", "peer = \"${module.a.id} and ${module.a.name}\"");
    insta::assert_snapshot!(declared(&of_nodes(&own).expect("it converts")), @r#"
    fn case(stack: &mut Stack) -> Result<()> {
        let a_id = stack.forward::<String>();
        let a_name = stack.forward::<String>();
        let a = stack.module("a", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "a".to_owned(),
                    peer: interpolate!("{} and {}", a_id.output(), a_name.output()),
                },
            )
        })?;
        a_id.set(&a.id);
        a_name.set(&a.name);
        Ok(())
    }
    "#);
}

#[test]
fn modules_with_instances_may_need_each_other() {
    let many = node(
        "a",
        "count = 2\n peer = join(\",\", values(module.b)[*].id)",
    ) + &node("b", "for_each = { x = 1 }\n peer = module.a[0].id");
    insta::assert_snapshot!(declared(&of_nodes(&many).expect("it converts")), @r#"
    fn case(stack: &mut Stack) -> Result<()> {
        let b_forward = stack.forward::<Value>();
        let mut a = Vec::new();
        for index in 0..2_usize {
            a.push(stack.module_instance("a", index, |stack| {
                a::A::declare(
                    stack,
                    a::AInputs {
                        name: "a".to_owned(),
                        peer: dynamic::call(
                            "join",
                            [
                                Dyn::from(","),
                                dynamic::call("values", [Dyn::from(b_forward.output())])
                                    .splat(|one| one.attr("id")),
                            ],
                        ),
                    },
                )
            })?);
        }
        let mut b = BTreeMap::new();
        for (key, _) in [("x", 1)] {
            let instance = stack.module_instance("b", key, |stack| {
                a::A::declare(
                    stack,
                    a::AInputs {
                        name: "b".to_owned(),
                        peer: Dyn::from(&a[0].id),
                    },
                )
            })?;
            b.insert(key.to_owned(), instance);
        }
        b_forward.set(Dyn::from(&b));
        Ok(())
    }
    "#);
}

#[test]
fn modules_may_need_each_other_through_locals_and_resources() {
    let through = node("a", "peer = local.peer")
        + &node("b", "peer = acme_network.key.id")
        + "locals {\n peer = \"of ${module.b.name}\"\n}
           resource \"acme_network\" \"key\" {\n name = module.a.id\n}";
    insta::assert_snapshot!(declared(&of_nodes(&through).expect("it converts")), @r#"
    fn case(stack: &mut Stack) -> Result<()> {
        let b_name = stack.forward::<String>();
        let peer = interpolate!("of {}", b_name.output());
        let a = stack.module("a", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "a".to_owned(),
                    peer: peer.clone(),
                },
            )
        })?;
        let key_network = acme::Network::builder("key").name(&a.id).declare(stack);
        let b = stack.module("b", |stack| {
            a::A::declare(
                stack,
                a::AInputs {
                    name: "b".to_owned(),
                    peer: key_network.id(),
                },
            )
        })?;
        b_name.set(&b.name);
        Ok(())
    }
    "#);
}

#[test]
fn what_has_to_be_known_is_declared_first() {
    let counted = r#"
        variable "size" { type = number }
        variable "peer" { type = string }
        resource "acme_network" "main" {
          count = var.size
          name  = var.peer
        }
        resource "acme_network" "first" { name = "first" }
        output "id" { value = acme_network.first.id }
        output "size" { value = var.size }
    "#;
    let with = |a: &str, b: &str| {
        let call = |name: &str, more: &str| {
            format!("module \"{name}\" {{\n source = \"./counted\"\n {more}\n}}\n")
        };
        let root = call("a", a) + &call("b", b);
        let providers =
            "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
        let files = [
            ("main.tf", &*root),
            ("versions.tf", providers),
            ("counted/main.tf", counted),
            ("counted/versions.tf", providers),
        ];
        of_files(&files).1
    };
    // The size of `a` comes from `b`, so that `b` waits for what `a` gives.
    let project = with(
        "size = module.b.size\n peer = \"x\"",
        "size = 2\n peer = module.a.id",
    );
    let project = project.expect("it converts");
    assert_eq!(project.untranslated, []);
    let main = &project.files["src/main.rs"];
    let place = |text: &str| main.find(text).unwrap_or_else(|| panic!("{text}: {main}"));
    assert!(place("stack.forward::<String>()") < place("stack.module(\"b\""));
    assert!(place("stack.module(\"b\"") < place("stack.module(\"a\""));
    assert!(place("stack.module(\"a\"") < place("a_id.set(&a.id);"));
    // A member of an object decides nothing where its keys are known.
    let each = r#"
        variable "all" {}
        variable "peer" {}
        resource "acme_network" "main" {
          for_each = var.all
          name     = each.value
        }
        resource "acme_network" "first" { name = var.peer }
        output "id" { value = acme_network.first.id }
    "#;
    let root = "module \"a\" {\n source = \"./each\"\n all = local.all\n peer = \"x\"\n}
        module \"b\" {\n source = \"./each\"\n all = { two = module.a.id }\n peer = \"x\"\n}
        locals {\n all = { one = module.b.id }\n}";
    let providers =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    let files = [
        ("main.tf", root),
        ("versions.tf", providers),
        ("each/main.tf", each),
        ("each/versions.tf", providers),
    ];
    let project = of_files(&files).1.expect("it converts");
    let main = &project.files["src/main.rs"];
    assert!(main.contains("b_id.set(&b.id);"), "{main}");
    // Both sizes, each from the other's resources.
    let error = with(
        "size = length(module.b.id)\n peer = \"x\"",
        "size = length(module.a.id)\n peer = \"x\"",
    );
    assert_eq!(
        error.expect_err("refused"),
        "main.tf:1: modules need each other's outputs for what they declare (`count`, `for_each`, `depends_on`): \
         module.a (main.tf:1) → module.b (main.tf:6) → module.a (main.tf:1)"
    );
}

#[test]
fn a_cycle_through_modules_is_refused_with_its_places() {
    let module = "variable \"peer\" {}
        resource \"acme_network\" \"main\" { name = var.peer }
        output \"id\" { value = acme_network.main.id }";
    let root = "module \"a\" {\n source = \"./a\"\n peer = module.b.id\n}
        module \"b\" {\n source = \"./a\"\n peer = module.a.id\n}";
    let providers =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    let files = [
        ("main.tf", root),
        ("versions.tf", providers),
        ("a/main.tf", module),
        ("a/versions.tf", providers),
    ];
    let error = of_files(&files).1.expect_err("it is refused");
    insta::assert_snapshot!(error, @"a/main.tf:2: module.a.acme_network.main depends on itself: module.a.acme_network.main (a/main.tf:2) → module.a.var.peer (a/main.tf:1) → module.b.output.id (a/main.tf:3) → module.b.acme_network.main (a/main.tf:2) → module.b.var.peer (a/main.tf:1) → module.a.output.id (a/main.tf:3) → module.a.acme_network.main (a/main.tf:2)");
}

#[test]
fn what_names_nothing_stops_the_compiler() {
    let text = main_of("resource \"acme_network\" \"a\" { name = var.nothing }");
    assert!(
        text.contains("nothing is declared as `var.nothing`"),
        "{text}"
    );
    let text = main_of("resource \"acme_network\" \"a\" {\n name = \"a\"\n colour = 3\n}");
    assert!(
        text.contains("the schema has no argument `colour`"),
        "{text}"
    );
}

#[test]
fn moves_inside_of_a_module_have_its_address() {
    let module = "moved {\n from = acme_network.a\n to = acme_network.b\n}\nmodule \"in\" {\n source = \"../in\"\n}";
    let inner = "moved {\n from = acme_network.c[0]\n to = acme_network.c[\"x\"]\n}";
    let with = |root: &str| {
        let files = [
            ("main.tf", root),
            ("a/main.tf", module),
            ("in/main.tf", inner),
        ];
        of_files(&files).1.expect("it converts")
    };
    let project = with(
        "module \"a\" {\n source = \"./a\"\n count = 2\n}\nmodule \"b\" {\n source = \"./a\"\n}",
    );
    assert_eq!(project.untranslated, []);
    let a = project.files["src/a.rs"].replace([' ', '\n'], "");
    let own = "letmodule=stack.current_module().to_string();stack.moved(&format!(\"{module}.acme_network.a\"),&format!(\"{module}.acme_network.b\"),);";
    assert!(a.contains(own), "{a}");
    let inner = project.files["src/in.rs"].replace([' ', '\n'], "");
    let own = "stack.moved(&format!(\"{module}.acme_network.c[0]\"),&format!(\"{module}.acme_network.c[\\\"x\\\"]\"),);";
    assert!(inner.contains(own), "{inner}");
}

/// What a function of the program says, on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_missing_instance_is_an_error_of_the_program_and_no_panic() {
    let text = flat(&main_of(
        r#"
        variable "some" { default = 1 }
        variable "names" { type = list(string) }
        variable "keys" { type = map(string) }
        resource "acme_network" "some" {
          count = var.some
          name  = var.names[0]
        }
        resource "acme_network" "two" {
          count = 2
          name  = var.keys["a"]
        }
        resource "acme_network" "each" {
          for_each = var.keys
          name     = each.key
        }
        output "some" { value = acme_network.some[0].id }
        output "each" { value = acme_network.each["a"].id }
        output "two" { value = acme_network.two[1].id }
        output "three" { value = acme_network.two[2].id }
        output "in_loop" { value = [for name in var.names : acme_network.some[0].id] }
        output "tried" { value = try(acme_network.some[0].id, null) }
    "#,
    ));
    for said in [
        ".name(terrane_functions::at(&config.names, 0)?)",
        ".name(terrane_functions::member(&config.keys, \"a\")?)",
        "stack.export(\"some\", terrane_functions::at(&some_network, 0)?.id())",
        "terrane_functions::member(&each_network, \"a\")?.id()",
        "stack.export(\"two\", two_network[1].id())",
        "terrane_functions::at(&two_network, 2)?.id()",
        "Dyn::resources(&some_network).index(0).attr(\"id\")",
    ] {
        let squeezed = |text: &str| text.replace(", )", ")").replace("( ", "(");
        assert!(squeezed(&text).contains(&squeezed(said)), "{said}: {text}");
    }
}

#[test]
fn operators_keep_their_groups() {
    let text = flat(&main_of(
        r#"
        variable "a" { type = any }
        variable "names" { type = list(string) }
        output "grouped" { value = (var.a + 1) * (var.a - 2) }
        output "typed" { value = var.a * (length(var.names) + 1) }
        output "none" { value = length(var.names) + length(var.names) > 0 }
        output "flag" { value = var.a ? {} : { b = 1 } }
        output "wide" { value = { bytes = 1024000000000, id = "a" } }
        resource "acme_network" "wide" { name = 1024000000000 }
    "#,
    ));
    for said in [
        "(config.a.clone() + 1) * (config.a.clone() - 2)",
        "config.a.clone() * (config.names.len() + 1)",
        "(config.names.len() + config.names.len()) > 0",
        "Dyn::empty_object, ||",
        "Dyn::from(1024000000000_i64)",
        ".name(\"1024000000000\")",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn iterators_hide_no_builder_and_their_faults_wait_for_a_round() {
    let project = of(r#"
        variable "rules" { type = any }
        resource "acme_network" "a" {
          name = "a"
          dynamic "rule" {
            for_each = var.rules
            iterator = block
            content {
              port = block.value
              from = [rules.value]
            }
          }
        }
    "#)
    .expect("it converts");
    assert_eq!(project.untranslated, []);
    let text = flat(&project.files["src/main.rs"]);
    assert!(text.contains("rules.blocks(|_, block_2| {"), "{text}");
    assert!(text.contains(".port(&block_2)"), "{text}");
    let fault = "Dyn::failed( \"main.tf:10: nothing is declared as `rules.value`\"";
    assert!(text.contains(fault), "{text}");
}

#[test]
fn a_resource_may_be_named_the_long_way() {
    let text = flat(&main_of(
        r#"
        resource "acme_network" "a" { name = "a" }
        resource "acme_network" "b" {
          name       = resource.acme_network.a.id
          depends_on = [resource.acme_network.a]
        }
    "#,
    ));
    assert!(text.contains(".name(a_network.id())"), "{text}");
    assert!(text.contains(".depends_on(&a_network)"), "{text}");
}

#[test]
fn an_order_may_name_a_value_instead_of_a_resource() {
    let text = flat(&main_of(
        r#"
        locals { ready = [acme_network.a.id] }
        resource "acme_network" "a" { name = "a" }
        resource "acme_network" "b" {
          name       = "b"
          depends_on = [local.ready]
        }
    "#,
    ));
    let order = "for one in Resource::all_in(Dyn::from(&ready))";
    assert!(text.contains(order), "{text}");
}

#[test]
fn a_data_source_is_read_after_changes_of_the_resources_that_it_names() {
    let text = flat(&main_of(
        r#"
        locals { region = acme_network.through.name }
        resource "acme_network" "one" { name = "a" }
        resource "acme_network" "through" { name = "b" }
        resource "acme_network" "many" {
          count = 2
          name  = "c"
        }
        data "acme_zones" "all" { region = acme_network.one.name }
        data "acme_zones" "counted" { count = length(acme_network.many) }
        data "acme_zones" "indirect" { region = local.region }
        data "acme_zones" "told" {
          region     = acme_network.one.name
          depends_on = [acme_network.one, data.acme_zones.all]
        }
        output "all" {
          value = [data.acme_zones.all, data.acme_zones.counted, data.acme_zones.indirect, data.acme_zones.told]
        }
    "#,
    ));
    let declared = |name: &str| {
        let from = text.find(&format!("builder(\"{name}\")")).expect(name);
        let to = text[from..].find(".declare(stack)").expect(name);
        text[from..from + to].to_owned()
    };
    assert!(
        declared("all").contains(".depends_on(&one_network)"),
        "{text}"
    );
    assert!(
        declared("counted").contains("for one in &many_network"),
        "{text}"
    );
    assert!(!declared("indirect").contains("depends_on"), "{text}");
    assert_eq!(
        declared("told")
            .matches(".depends_on(&one_network)")
            .count(),
        1
    );
}

#[test]
fn all_that_a_module_declares_waits_for_what_its_call_waits_for() {
    let root = "module \"first\" {\n source = \"./m\"\n}\nmodule \"second\" {\n source = \"./m\"\n depends_on = [module.first]\n}";
    let module = "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n depends_on = [terraform_data.a]\n}";
    let project = of_files(&[("main.tf", root), ("m/main.tf", module)]).1;
    let text = flat(&project.expect("it converts").files["src/first.rs"]);
    assert_eq!(text.matches("for one in after {").count(), 2, "{text}");
}

#[test]
fn blocks_keep_their_order_whatever_repeats_them() {
    let text = flat(&main_of(
        r#"
        variable "more" { type = bool }
        resource "acme_network" "a" {
          name = "a"
          rule { port = 1 }
          dynamic "rule" {
            for_each = var.more ? [1] : []
            content { port = 2 }
          }
          rule { port = 3 }
        }
    "#,
    ));
    let place = |port: u8| text.find(&format!(".port({port})")).expect("the block");
    assert!(place(1) < place(2) && place(2) < place(3), "{text}");
    assert!(text.contains("declaration = declaration.rule("), "{text}");
}

#[test]
fn what_a_file_sets_has_the_type_of_its_variable() {
    let main = r#"
        variable "texts" { type = list(object({ name = string, value = string })) }
        variable "switch" { type = bool }
        variable "counts" { type = map(number) }
        variable "key" {
          type = object({ kind = string, key = any })
        }
        variable "rules" {
          type = list(object({ name = string, size = number }))
          default = [{ name = 5, size = "6" }]
        }
        variable "unset" { default = "a" }
        variable "never" {
          default  = "a"
          nullable = false
        }
        output "all" { value = [var.texts, var.switch, var.counts, var.key, var.rules, var.unset, var.never] }
    "#;
    let values = r#"
        texts  = [{ name = "a", value = true }, { name = "b", value = 5 }]
        switch = "true"
        counts = { a = "1", b = 2.5 }
        key    = { kind = 7, key = null }
        rules  = [{ name = "r", size = null }]
        unset  = null
        never  = null
    "#;
    let files = [("main.tf", main), ("terraform.tfvars", values)];
    let project = of_files(&files).1.expect("it converts");
    assert_eq!(project.untranslated, []);
    let toml: toml::Table = project.files["case.toml"].parse().expect("TOML");
    let expected: toml::Table = r#"
        switch = true
        texts = [{ name = "a", value = "true" }, { name = "b", value = "5" }]
        counts = { a = 1, b = 2.5 }
        key = { kind = "7" }
        rules = [{ name = "r" }]
    "#
    .parse()
    .expect("TOML");
    assert_eq!(toml, expected);
    let config = flat(&project.files["src/config.rs"]);
    // A member that is null is one that the file leaves out.
    assert!(config.contains("pub size: Option<i64>"), "{config}");
    assert!(
        config.contains("(\"key\", Constraint::Any.optional(Dyn::NULL))"),
        "{config}"
    );
    assert!(config.contains(".of(&self.key)"), "{config}");
    let unset = "#[serde(default)] pub unset: Option<String>";
    assert!(config.contains(unset), "{config}");
    assert!(config.contains("fn default_never()"), "{config}");
    let main = flat(&project.files["src/main.rs"]);
    assert!(main.contains("config.key()"), "{main}");
}

#[test]
fn a_template_whose_path_is_computed_is_one_of_the_files_that_it_can_be() {
    let call = |variables: &str| {
        format!(
            "variable \"kind\" {{}}\nvariable \"all\" {{}}\noutput \"text\" {{\n value = templatefile(\"${{path.module}}/${{var.kind}}.tpl\", {variables})\n}}"
        )
    };
    let of_calls = |root: &str, variables: &str| {
        let module = call(variables);
        let files = [
            ("main.tf", root),
            ("m/main.tf", &*module),
            ("m/a.tpl", "Hello ${name}"),
            ("m/b.tpl", "${other}"),
            ("m/c.tpl", "%{ for one in name }${one}%{ endfor }"),
        ];
        let project = of_files(&files).1.expect("it converts");
        (flat(&project.files["src/m.rs"]), project.untranslated)
    };
    // What the calls give.
    let root = "locals {\n kind = true ? \"a\" : \"b\"\n}\nmodule \"m\" {\n source = \"./m\"\n kind = local.kind\n all = {}\n}";
    let (text, untranslated) = of_calls(root, "{ name = var.all }");
    assert_eq!(untranslated, []);
    assert!(text.contains("dynamic::templatefile("), "{text}");
    assert!(text.contains("\"m/a.tpl\" =>"), "{text}");
    assert!(
        !text.contains("\"m/b.tpl\"") && !text.contains("\"m/c.tpl\""),
        "{text}"
    );
    // What lies in the folder, where nothing says it; its variables in one value.
    let root = "variable \"kind\" {}\nmodule \"m\" {\n source = \"./m\"\n kind = lower(var.kind)\n all = {}\n}";
    let (text, untranslated) = of_calls(root, "var.all");
    assert_eq!(untranslated, []);
    for one in ["a", "b", "c"] {
        assert!(text.contains(&format!("\"m/{one}.tpl\" =>")), "{text}");
    }
    assert!(text.contains("variables.attr(\"other\")"), "{text}");
    // No file has these variables alone.
    let (text, _) = of_calls(root, "{ colour = 1 }");
    assert!(
        text.contains("no file of the configuration can be the template"),
        "{text}"
    );
}

#[test]
fn a_template_may_be_one_of_a_table() {
    let main = r#"
        variable "kind" {}
        variable "other" { default = null }
        locals {
          all = {
            linux   = "${path.module}/linux.tpl"
            windows = "${path.module}/windows.tpl"
          }
          one = templatefile(coalesce(var.other, local.all[var.kind]), { name = "a" })
        }
        output "one" { value = local.one }
        output "named" { value = templatefile(try(local.all.linux, var.kind), { name = "b" }) }
    "#;
    let files = [
        ("main.tf", main),
        ("linux.tpl", "echo ${name}"),
        ("windows.tpl", "dir ${name}"),
    ];
    let project = of_files(&files).1.expect("it converts");
    assert_eq!(project.untranslated, []);
    let text = flat(&project.files["src/main.rs"]);
    assert_eq!(text.matches("\"./linux.tpl\" =>").count(), 2, "{text}");
    assert_eq!(text.matches("\"./windows.tpl\" =>").count(), 1, "{text}");
}

#[test]
fn the_bytes_of_a_file_become_a_part_of_the_program() {
    let main = r#"
        output "logo" { value = filebase64("${path.module}/files/logo.png") }
        output "hash" { value = filesha256("files/logo.png") }
        output "is_there" { value = fileexists("files/logo.png") }
        output "made_later" { value = filemd5("made/later.zip") }
    "#;
    let files = [("main.tf", main), ("files/logo.png", "no text \u{1}")];
    let (folder, project) = of_files(&files);
    let project = project.expect("it converts");
    let text = flat(&project.files["src/main.rs"]);
    let included = "include_bytes!(\"../files/files/logo.png\")";
    for name in ["filebase64", "filesha256"] {
        let call = format!("dynamic::file_bytes(\"{name}\", {included})");
        assert!(text.contains(&call), "{text}");
    }
    assert!(text.contains("\"is_there\", Dyn::from(true)"), "{text}");
    let later = "dynamic::call(\"filemd5\", [Dyn::from(\"made/later.zip\")])";
    assert!(text.contains(later), "{text}");
    let copied = &project.copies["files/files/logo.png"];
    let meant = folder.path().join("files/logo.png");
    assert_eq!(
        copied.canonicalize().unwrap(),
        meant.canonicalize().unwrap()
    );
}

#[test]
fn what_only_a_provider_decides_may_be_null() {
    let project = of(r#"
        variable "arn" { default = null }
        resource "acme_network" "a" {
          name = "a"
          arn  = var.arn
        }
    "#)
    .expect("it converts");
    assert_eq!(project.untranslated, []);
    let text = flat(&project.files["src/main.rs"]);
    assert!(text.contains(".set(\"arn\", "), "{text}");
}

#[test]
fn long_blocks_stand_in_functions_that_equal_ones_share() {
    let long: String = (0..80)
        .map(|it| format!("rule.value.a_long_name_{it}, "))
        .collect();
    let resource = |name: &str, port: &str| {
        format!(
            "resource \"acme_network\" \"{name}\" {{\n name = \"a\"\n arn = var.arn\n dynamic \"rule\" {{\n for_each = var.rules\n content {{\n port = {port}\n }}\n }}\n}}\n"
        )
    };
    let text = main_of(&format!(
        "variable \"arn\" {{\n default = null\n}}\nvariable \"rules\" {{\n type = any\n}}\n{}{}{}{}",
        resource("one", &format!("try({long} 1)")),
        resource("two", &format!("try({long} 1)")),
        resource("reads_more", &format!("try({long} var.arn)")),
        resource("short", "rule.value.port"),
    ));
    let function = "fn rule_block(rule: Dyn) -> BlockArguments {";
    assert_eq!(text.matches(function).count(), 1, "{text}");
    assert_eq!(
        text.matches("rule_block(rule.clone())").count(),
        2,
        "{text}"
    );
    assert!(!text.contains("rule_block_2"), "{text}");
}

#[test]
fn each_optional_member_has_its_own_default() {
    let module = r#"
        variable "first" {
          type = list(object({ a = optional(string, "one"), b = optional(list(string), ["two"]), c = optional(number, -3) }))
        }
        variable "second" {
          type = list(object({ a = optional(string, "four"), b = optional(list(string), ["five"]), c = optional(number, 6) }))
        }
        output "all" { value = [var.first, var.second] }
    "#;
    let root = "variable \"all\" {\n type = any\n}\nmodule \"m\" {\n source = \"./m\"\n first = var.all\n second = var.all\n}\noutput \"all\" {\n value = module.m.all\n}";
    let project = of_files(&[("main.tf", root), ("m/main.tf", module)]).1;
    let text = flat(&project.expect("it converts").files["src/m.rs"]);
    for default in [
        "Dyn::from(\"one\")",
        "[\"two\"]",
        "Dyn::from(-3)",
        "Dyn::from(\"four\")",
        "[\"five\"]",
        "Dyn::from(6)",
    ] {
        assert_eq!(text.matches(default).count(), 1, "{default}: {text}");
    }
}

#[test]
fn no_name_is_taken_that_nothing_reads() {
    let root = r#"
        variable "on" { type = any }
        module "quiet" { source = "./m" }
        resource "acme_network" "port" {
          name = "a"
          dynamic "rule" {
            for_each = var.on
            iterator = port
            content { port = 1 }
          }
          depends_on = [module.quiet]
        }
    "#;
    let module = r#"
        variable "key" { default = "key" }
        locals { names = { a = "b" } }
        output "id" { value = [for key, value in local.names : value if value != "c"] }
    "#;
    let versions =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    let files = [
        ("main.tf", root),
        ("versions.tf", versions),
        ("m/main.tf", module),
    ];
    let project = of_files(&files).1.expect("it converts");
    let main = flat(&project.files["src/main.rs"]);
    assert!(main.contains(".blocks(|_, _| "), "{main}");
    let quiet = flat(&project.files["src/quiet.rs"]);
    assert!(quiet.contains("declare(_stack: &mut Stack)"), "{quiet}");
    assert!(quiet.contains("declared: Vec::new()"), "{quiet}");
    assert!(!quiet.contains("let mut declared"), "{quiet}");
}

#[test]
fn what_the_program_does_differently_is_said() {
    let main = "variable \"a\" {}\nlocals {\n b = \"x-${terraform.workspace}\"\n}\noutput \"c\" {\n value = \"${path.cwd}/${local.b}\"\n}";
    let values = "a = 1\ncolour = 3\n";
    let project = of_files(&[("main.tf", main), ("terraform.tfvars", values)])
        .1
        .expect("it converts");
    insta::assert_snapshot!(project.notes.join("\n"), @r#"
    terraform.tfvars:2: no variable is called `colour`: the value is left out
    main.tf:3: `terraform.workspace` is "default" in the program: convert each workspace that you have, or read a variable
    "#);
    assert!(project.files["src/main.rs"].contains("std::env::current_dir()"));
}

#[test]
fn what_terraform_and_opentofu_understand_differently_is_asked() {
    let text = main_of("removed {\n from = acme_network.a\n}");
    assert!(
        text.contains("Terraform destroys what this names"),
        "{text}"
    );
    let text = main_of("removed {\n from = acme_network.a\n lifecycle {\n destroy = false\n }\n}");
    assert!(text.contains("stack.removed(\"acme_network.a\")"), "{text}");
}

/// Bytes that are no configuration, and ones that would fill a stack.
#[test]
fn a_reference_may_say_that_it_is_one_to_a_resource() {
    let text = |word: &str| {
        format!(
            "resource \"acme_network\" \"main\" {{\n cidr = \"10.0.0.0/8\"\n}}\n\
             resource \"acme_network\" \"other\" {{\n cidr = {word}acme_network.main.cidr\n depends_on = [{word}acme_network.main]\n}}\n\
             output \"cidrs\" {{\n value = {{ for one in [\"a\"] : one => {word}acme_network.other }}\n}}"
        )
    };
    assert_eq!(main_of(&text("resource.")), main_of(&text("")));
}

#[test]
fn the_last_of_repeated_keys_counts() {
    let repeated = "locals {\n all = { a = 1, port = 80, \"b c\" = 2, a = 3, port = 90, \"b c\" = 4, a = 5 }\n}\noutput \"all\" {\n value = local.all\n}";
    let once = "locals {\n all = { port = 90, \"b c\" = 4, a = 5 }\n}\noutput \"all\" {\n value = local.all\n}";
    assert_eq!(main_of(repeated), main_of(once));
    // Arguments are no keys: Terraform refuses a second one, too.
    assert_eq!(
        refused("locals {\n a = 1\n a = 2\n}"),
        "main.tf:3: invalid attribute; expected unique attribute key; found redefined attribute: `a = 2`"
    );
}

#[test]
fn a_module_has_what_it_hands_on() {
    let providers =
        "terraform {\n required_providers {\n acme = { source = \"example/acme\" }\n }\n}";
    let (_folder, project) = of_files(&[
        ("versions.tf", providers),
        ("net/versions.tf", providers),
        (
            "main.tf",
            "provider \"acme\" {}\nprovider \"acme\" {\n alias = \"west\"\n region = \"west\"\n}\n\
             module \"west\" {\n source = \"./net\"\n providers = { acme = acme.west }\n}\n\
             module \"between\" {\n source = \"./between\"\n}\n\
             module \"names\" {\n source = \"./names\"\n providers = { acme = acme.west }\n}",
        ),
        (
            "between/main.tf",
            "module \"here\" {\n source = \"../net\"\n}",
        ),
        (
            "net/main.tf",
            "resource \"acme_network\" \"main\" {\n cidr = \"10.0.0.0/8\"\n}",
        ),
        ("names/main.tf", "output \"name\" {\n value = \"a\"\n}"),
    ]);
    let project = project.expect("it converts");
    let main = &project.files["src/main.rs"];
    // The module between has the default one for the module that takes either.
    assert!(
        main.contains("BetweenProviders {\n                acme: acme_provider.clone(),"),
        "{main}"
    );
    assert!(main.contains("acme: acme_west.clone(),"), "{main}");
    let between = &project.files["src/between.rs"];
    assert!(
        between.contains("acme: providers.acme.clone(),"),
        "{between}"
    );
    // What uses no provider takes none.
    let names = &project.files["src/names.rs"];
    assert!(!names.contains("Providers"), "{names}");
}

#[test]
fn no_text_ends_the_converter() {
    let deep = |open: &str, inner: &str, close: &str| {
        format!(
            "locals {{\n a = {}{inner}{}\n}}",
            open.repeat(1000),
            close.repeat(1000)
        )
    };
    let error = of(&deep("[", "", "]")).expect_err("it is refused");
    assert_eq!(
        error,
        "main.tf:2: too many brackets are inside of each other"
    );
    for text in [
        deep("(", "1", ")"),
        deep("{a=", "1", "}"),
        deep("!", "true", ""),
        deep("- ", "1", ""),
        deep("f(", "1", ")"),
        deep("\"${", "1", "}\""),
        deep("true ? 1 : ", "1", ""),
        deep("1 + ", "1", ""),
        "a {".repeat(1000),
        format!("locals {{\n a = b{}\n}}", ".c".repeat(1000)),
        format!("locals {{\n a = b{}\n}}", "[0]".repeat(1000)),
        "\0".to_owned(),
        "locals {\n a = <<-\n}".to_owned(),
        "locals {\n a = <<-EOT\n".to_owned(),
        "locals {\n a = \"${\"\n}".to_owned(),
        "locals {\n a = 1e999999999\n}".to_owned(),
        "locals {\n a = \"\\u{110000}\"\n}".to_owned(),
        "/*".to_owned(),
    ] {
        let start = text.get(..40).unwrap_or(&text);
        if let Err(error) = of(&text) {
            assert!(error.starts_with("main.tf:"), "{start}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A configuration with a piece cut out, doubled or moved is converted or refused, and never a panic.
    #[test]
    fn no_mutation_makes_the_converter_panic(from in 0_usize..4000, length in 0_usize..60, to in 0_usize..4000, cut in any::<bool>()) {
        let text = include_str!("cases/every/main.tf");
        let place = |at: usize| (at.min(text.len())..=text.len()).find(|it| text.is_char_boundary(*it)).unwrap_or(0);
        let (start, end, target) = (place(from), place(from + length), place(to));
        let mut mutated = text.to_owned();
        mutated.insert_str(target, &text[start..end]);
        if cut && target >= end {
            mutated.replace_range(start..end, "");
        }
        let variables = include_str!("cases/every/variables.tf");
        let module = include_str!("cases/every/modules/subnet/main.tf");
        let files = [("main.tf", &*mutated), ("variables.tf", variables), ("modules/subnet/main.tf", module)];
        let _ = of_files(&files).1;
    }
}
