//! Keys with a meaning in HCL, a shell, a terminal or Unicode: printed ones can be pasted, and stored ones are read.

use insta::assert_snapshot;
use serde_json::Value as Json;
use terrane_tests::TestEnvironment;

use crate::stage::network;

const KEYS: [&str; 8] = [
    "home/${aws:username}",
    "%{if}",
    "e\u{301}x",
    "zero\u{200b}width\u{7f}",
    "q\"b\\",
    "nl\nx",
    "*",
    "tag\u{e0041}",
];

/// A stack that is up, with an object for each key.
fn up() -> TestEnvironment {
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "keys");
    let keys = serde_json::to_string(&KEYS).expect("JSON");
    stack.set("TERRANE_VAR_ZONES", &keys);
    stack.run(&["up", "--yes"]).exits(0);
    stack
}

fn listed(stack: &TestEnvironment, arguments: &[&str]) -> Vec<String> {
    let run = stack
        .run(&[&["state", "list"], arguments].concat())
        .exits(0);
    run.stdout.lines().map(str::to_owned).collect()
}

/// The addresses that a plan replaces.
fn replaced(stack: &TestEnvironment, address: &str) -> Vec<String> {
    let run = stack
        .run(&["preview", "--json", "--replace", address])
        .exits(0);
    let plan: Json = serde_json::from_str(&run.stdout).expect("a plan");
    let changes = plan["resource_changes"].as_array().expect("changes");
    (changes.iter())
        .filter(|change| {
            change["change"]["actions"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        })
        .map(|change| change["address"].as_str().expect("an address").to_owned())
        .collect()
}

#[test]
fn every_printed_address_can_be_pasted_back() {
    let stack = up();
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    let addresses = listed(&stack, &[]);
    assert_snapshot!(addresses.join("\n"), @r#"
    module.home["%%{if}"].conformance_thing.x["%%{if}"]
    module.home["*"].conformance_thing.x["*"]
    module.home["home/$${aws:username}"].conformance_thing.x["home/$${aws:username}"]
    module.home["nl\nx"].conformance_thing.x["nl\nx"]
    module.home["q\"b\\"].conformance_thing.x["q\"b\\"]
    module.home["tag\U000e0041"].conformance_thing.x["tag\U000e0041"]
    module.home["zero\u200bwidth\u007f"].conformance_thing.x["zero\u200bwidth\u007f"]
    module.home["éx"].conformance_thing.x["éx"]
    "#);
    // Terraform quotes them so in the state, too.
    let file = std::fs::read(stack.path().join(".terrane/test/terraform.tfstate"));
    let file: Json = serde_json::from_slice(&file.expect("a state")).expect("JSON");
    let modules = file["resources"].as_array().expect("resources").iter();
    let modules: Vec<_> = modules
        .map(|resource| format!("{}.", resource["module"].as_str().expect("a module")))
        .collect();
    assert!(
        addresses
            .iter()
            .zip(&modules)
            .all(|(address, module)| address.starts_with(module)),
        "{modules:?}"
    );
    for address in &addresses {
        assert_eq!(listed(&stack, &[address]), [&**address]);
        let shown = stack.run(&["state", "show", address]).exits(0).stdout;
        assert!(shown.starts_with(&format!("{address}\n")), "{shown}");
        let elsewhere = address.replace("conformance_thing.x", "conformance_thing.y");
        stack
            .run(&["state", "mv", address, &elsewhere, "--yes"])
            .exits(0);
        stack
            .run(&["state", "mv", &elsewhere, address, "--yes"])
            .exits(0);
    }
    for address in addresses
        .iter()
        .filter(|address| address.contains(['*', '$']))
    {
        assert_eq!(replaced(&stack, address), [&**address]);
    }
    let graph = stack.run(&["graph", "--json"]);
    assert!(
        addresses
            .iter()
            .all(|address| graph.stdout.contains(&Json::from(&**address).to_string())),
        "{graph}"
    );
    // A saved plan names them, too, and so do the lines of its run.
    let star = addresses
        .iter()
        .find(|address| address.contains('*'))
        .expect("listed");
    stack
        .run(&["preview", "--out", "star.plan", "--replace", star])
        .exits(0);
    let run = stack.run(&["up", "star.plan", "--json"]).exits(0);
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let done: Vec<Json> = (lines.filter(|line: &Json| line["type"] == "apply_complete"))
        .map(|line| line["hook"]["resource"]["addr"].clone())
        .collect();
    assert!(
        !done.is_empty() && done.iter().all(|address| address == star.as_str()),
        "{run}"
    );
    let forgotten: Vec<&str> = ["state", "rm", "--yes"]
        .into_iter()
        .chain(addresses.iter().map(String::as_str))
        .collect();
    stack.run(&forgotten).exits(0);
    assert!(listed(&stack, &[]).is_empty());
}

#[test]
fn an_address_may_be_typed_as_the_program_writes_the_key() {
    let stack = up();
    let home =
        r#"module.home["home/$${aws:username}"].conformance_thing.x["home/$${aws:username}"]"#;
    for typed in [
        r#"module.home["home/${aws:username}"].conformance_thing.x["home/${aws:username}"]"#,
        r#"module.home["home/${aws:*}"]"#,
        r#"*["home/\u0024{aws:username}"]"#,
    ] {
        assert_eq!(listed(&stack, &[typed]), [home], "{typed}");
    }
    assert_eq!(listed(&stack, &["module.home[\"e\u{301}x\"]"]).len(), 1);
    assert_eq!(listed(&stack, &[r#"module.home["\u{200b}"]"#]).len(), 0);
    assert_eq!(listed(&stack, &[r#"*zero\u200b*"#]).len(), 1);
    assert_snapshot!(stack.run(&["state", "show", "conformance_thing.x[a]"]), @"
    exit: 64
    --- stderr ---
    error: invalid value 'conformance_thing.x[a]' for '<ADDR>': `conformance_thing.x[a]` is not a valid resource address: the key is neither a number nor a quoted string; in a shell, put the address in single quotes

    For more information, try '--help'.
    ");
    assert_snapshot!(stack.run(&["import", "conformance_thing.x[9007199254740993]", "id"]), @"
    exit: 64
    --- stderr ---
    error: invalid value 'conformance_thing.x[9007199254740993]' for '[ADDRESS]': `conformance_thing.x[9007199254740993]` is not a valid resource address: an integer key is at most 9007199254740992 (2^53), because Terraform reads it as a float

    For more information, try '--help'.
    ");
}
