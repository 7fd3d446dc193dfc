//! Configuration as a stack's author and a person at the command line meet it.

use std::collections::BTreeMap;

use serde::Deserialize;
use terrane_core::{Expr, Secret};

use crate::ConfigValues;

#[derive(Debug, Deserialize, PartialEq)]
struct Config {
    region: String,
    #[serde(default)]
    count: u8,
    ratio: Option<f64>,
    #[serde(default)]
    single_nat_gateway: bool,
    #[serde(default)]
    zones: Vec<String>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    network: Option<Network>,
    #[serde(default)]
    labels: BTreeMap<u16, String>,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Plain,
    Scaled {
        by: u32,
    },
    Named(String),
}

#[derive(Debug, Deserialize, PartialEq)]
struct Network {
    cidr: String,
    #[serde(default)]
    ports: Vec<u16>,
}

const TOML: &str = r#"
region = "us-east-1"
count = 2
zones = ["a", "b"]

[network]
cidr = "10.0.0.0/16"
"#;

fn values(toml: &str, variables: &[(&str, &str)], flags: &[&str]) -> ConfigValues {
    let mut values = ConfigValues::new();
    values.add_toml("prod.toml", toml).expect("TOML");
    let variables = variables.iter();
    values.add_environment(variables.map(|(name, text)| ((*name).into(), (*text).into())));
    for flag in flags {
        values.add_flag(flag).expect("a flag");
    }
    values
}

fn read(toml: &str, variables: &[(&str, &str)], flags: &[&str]) -> Config {
    let config = values(toml, variables, flags).deserialize();
    config.unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn refused(toml: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let config: Result<Config, _> = values(toml, variables, flags).deserialize();
    config.expect_err("no configuration").to_string()
}

#[test]
fn later_layers_win_key_by_key() {
    let variables = [
        ("TERRANE_VAR_REGION", "env"),
        ("TERRANE_VAR_count", "3"),
        ("PATH", "x"),
    ];
    let config = read(TOML, &variables, &["region=flag"]);
    assert_eq!((config.region.as_str(), config.count), ("flag", 3));
    assert_eq!(config.zones, ["a", "b"]);
    let mut values = values(TOML, &variables, &[]);
    values
        .add_file("more.json", r#"{"region": "file", "count": 5}"#)
        .expect("JSON");
    values.add_flag("count=6").expect("a flag");
    let config: Config = values.deserialize().expect("a configuration");
    assert_eq!((config.region.as_str(), config.count), ("file", 6));
}

#[test]
fn text_becomes_what_the_type_asks_for() {
    let config = read(
        "",
        &[
            ("TERRANE_VAR_SINGLE_NAT_GATEWAY", "true"),
            ("TERRANE_VAR_RATIO", "0.5"),
        ],
        &[
            "region=1.28",
            "count=7",
            r#"zones=["a", "b=c"]"#,
            "mode=plain",
            r#"network={"cidr": "x", "ports": [80]}"#,
            r#"labels={"1": "one"}"#,
        ],
    );
    let network = Network {
        cidr: "x".into(),
        ports: vec![80],
    };
    let expected = Config {
        region: "1.28".into(),
        count: 7,
        ratio: Some(0.5),
        single_nat_gateway: true,
        zones: vec!["a".into(), "b=c".into()],
        mode: Mode::Plain,
        network: Some(network),
        labels: BTreeMap::from([(1, "one".into())]),
    };
    assert_eq!(config, expected);
}

#[test]
fn enums_are_names_or_tables_of_one_name() {
    let mode =
        |toml: &str, flags: &[&str]| read(&format!("region = \"x\"\n{toml}"), &[], flags).mode;
    assert_eq!(mode("mode = \"plain\"", &[]), Mode::Plain);
    assert_eq!(
        mode("mode = { scaled = { by = 3 } }", &[]),
        Mode::Scaled { by: 3 }
    );
    assert_eq!(
        mode("", &[r#"mode={"named": "n"}"#]),
        Mode::Named("n".into())
    );
}

#[test]
fn an_optional_value_is_taken_back_with_null() {
    assert_eq!(read("region = \"x\"\nratio = 1", &[], &[]).ratio, Some(1.0));
    assert_eq!(
        read("region = \"x\"\nratio = 1", &[], &["ratio=null"]).ratio,
        None
    );
}

#[test]
fn unknown_keys_are_refused_all_at_once_with_what_was_meant() {
    let toml = "regoin = \"x\"\nregion = \"x\"\n[network]\ncidr = \"x\"\ncdir = \"y\"";
    let variables = [("TERRANE_VAR_ZONE", "a")];
    insta::assert_snapshot!(refused(toml, &variables, &["nothing=1"]), @r#"
        error: there is no configuration key `regoin`: set in `prod.toml:1`
        hint: did you mean `region`?
        hint: the keys are region, count, ratio, single_nat_gateway, zones, mode, network, labels

        error: there is no configuration key `zone`: set in `TERRANE_VAR_ZONE`
        hint: did you mean `zones`?
        hint: the keys are region, count, ratio, single_nat_gateway, zones, mode, network, labels

        error: there is no configuration key `nothing`: set in `--var`
        hint: the keys are region, count, ratio, single_nat_gateway, zones, mode, network, labels

        error: there is no configuration key `network.cdir`: set in `prod.toml:3`
        hint: did you mean `cidr`?
        hint: the keys are cidr, ports
        "#);
}

#[test]
fn every_value_of_the_wrong_type_is_named_with_its_source() {
    let toml =
        "region = 1.28\nsingle_nat_gateway = \"yes\"\n[network]\ncidr = \"x\"\nports = [80, 70000]";
    let variables = [("TERRANE_VAR_COUNT", "300")];
    insta::assert_snapshot!(refused(toml, &variables, &["zones=a,b", "mode=plian"]), @r#"
        error: configuration key `count`: expected a whole number from 0 to 255, found other text: set in `TERRANE_VAR_COUNT`

        error: configuration key `mode`: `plian` is none of `plain`, `scaled`, `named`: set in `--var`
        hint: did you mean `plain`?

        error: configuration key `network.ports[1]`: expected a whole number from 0 to 65535, found another number: set in `prod.toml:3`

        error: configuration key `region`: expected a string, found a number with a fraction: set in `prod.toml:1`
        hint: write it in quotes

        error: configuration key `single_nat_gateway`: expected `true` or `false`, found a string: set in `prod.toml:2`

        error: configuration key `zones`: expected a list, found text that is not JSON: set in `--var`
        hint: write lists and tables as JSON, for example `--var 'zones=["a", "b"]'`
        "#);
}

#[test]
fn a_type_of_the_users_may_refuse_values_and_get_over_refusals() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Size {
        Count(u8),
        Text(Even),
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Even;

    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            match text.len() % 2 {
                0 => Ok(Self),
                _ => Err("its length is odd".into()),
            }
        }
    }

    #[derive(Debug, Deserialize)]
    struct Sizes {
        sizes: Vec<Size>,
        #[serde(default)]
        names: BTreeMap<String, Even>,
    }

    let read = |flags: &[&str]| values("", &[], flags).deserialize::<Sizes>();
    let sizes = read(&["sizes=[1, \"ab\"]"]).expect("a size is one or the other");
    assert!(matches!(sizes.sizes[..], [Size::Count(1), Size::Text(_)]));
    assert!(sizes.names.is_empty());
    let refused = read(&["sizes=[1, \"abc\"]", "names={\"a\": \"xx\", \"b\": \"x\"}"]);
    insta::assert_snapshot!(refused.expect_err("refused"), @r"
    error: configuration key `names.b`: its length is odd: set in `--var`

    error: configuration key `sizes[1]`: data did not match any variant of untagged enum Size: set in `--var`
    ");
}

#[test]
fn a_missing_key_says_how_to_set_it() {
    insta::assert_snapshot!(refused("count = 1", &[], &[]), @r#"
        error: configuration key `region` is missing
        hint: set it in `prod.toml`, with `TERRANE_VAR_REGION` or with `--var region=VALUE`
        "#);
    insta::assert_snapshot!(refused("region = \"x\"\nnetwork = {}", &[], &[]), @r#"error: configuration key `network.cidr` is missing: `network` is set in `prod.toml:2`"#);
}

#[test]
fn no_message_and_no_debug_output_holds_a_value() {
    let flags = [
        "count=hunter2",
        "zones=hunter2",
        "single_nat_gateway=hunter2",
    ];
    let values = values("network = \"hunter2\"", &[], &flags);
    let config: Result<Config, _> = values.deserialize();
    let text = format!("{} {values:?}", config.expect_err("no configuration"));
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_configuration_type_may_take_any_key() {
    let config: Result<BTreeMap<String, String>, _> =
        values("a = \"x\"", &[], &["b=1 2"]).deserialize();
    let expected = BTreeMap::from([("a".into(), "x".into()), ("b".into(), "1 2".into())]);
    assert_eq!(config, Ok(expected));
}

#[test]
fn a_stack_without_configuration_refuses_every_key() {
    assert_eq!(ConfigValues::new().deserialize::<()>(), Ok(()));
    assert!(values("", &[], &["a=1"]).deserialize::<()>().is_err());
}

#[test]
fn a_flag_without_a_name_or_a_value_is_refused() {
    for flag in ["", "name", "=value"] {
        assert!(ConfigValues::new().add_flag(flag).is_err(), "{flag}");
    }
}

#[derive(Debug, Deserialize)]
struct Secrets {
    password: Secret,
    #[serde(default)]
    port: Option<Secret<u16>>,
    #[serde(default)]
    users: BTreeMap<String, Secret>,
}

#[test]
fn a_secret_is_named_by_its_source_and_knows_its_key_and_line() {
    let toml = "password = \"env:DB\"\n\n[users]\napp = \"aws-ssm:/app\"";
    let config: Secrets = values(toml, &[], &["port=file:port"])
        .deserialize()
        .expect("sources");
    let place = |expr: &Expr| match expr {
        Expr::Secret(secret) => format!("{} {:?}", secret.source(), secret.place()),
        _ => unreachable!("it has a source"),
    };
    let port = config.port.expect("set").output();
    let shown = [
        place(config.password.output().expr()),
        place(config.users["app"].output().expr()),
        place(port.expr()),
    ];
    insta::assert_snapshot!(shown.join("\n"), @r#"
    env:DB Configuration { key: "password", set_in: "prod.toml:1" }
    aws-ssm:/app Configuration { key: "users.app", set_in: "prod.toml:3" }
    file:port Configuration { key: "port", set_in: "--var" }
    "#);
}

#[test]
fn a_secret_in_clear_is_refused_by_its_key_and_its_text_is_repeated_nowhere() {
    let toml = "password = \"hunter2\"\n\n[users]\napp = \"env:\"";
    let read: Result<Secrets, _> = values(toml, &[], &["port=5432"]).deserialize();
    let text = read.expect_err("no sources").to_string();
    assert!(
        !text.contains("hunter2") && !text.contains("5432"),
        "{text}"
    );
    insta::assert_snapshot!(text, @"
    error: configuration key `password`: expected the source of a secret, found other text: set in `prod.toml:1`
    hint: write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`

    error: configuration key `port`: expected the source of a secret, found other text: set in `--var`
    hint: write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`

    error: configuration key `users.app`: expected the source of a secret, found other text: set in `prod.toml:3`
    hint: write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`
    ");
    let read: Result<Secrets, _> = values("password = [1]", &[], &[]).deserialize();
    insta::assert_snapshot!(read.expect_err("no text").to_string(), @"
    error: configuration key `password`: expected the source of a secret, found a list: set in `prod.toml:1`
    hint: write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`
    ");
}
