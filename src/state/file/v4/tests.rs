//! Files of other writers, of our own, and of no one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use terrane_core::addr::{ConfigAddr, InstanceAddr, InstanceKey, Mode, ModuleAddr, ResourceAddr};
use terrane_core::{Path, Type};

use super::{Layout, read, read_instance, write, write_instance, write_pieces};
use crate::digest::Sha256;
use crate::file::FileError;
use crate::model::{
    Attributes, DeposedKey, Identity, Instance, Object, ObjectStatus, OutputValue, RawJson,
    SensitiveAttributes, State,
};

/// A part of a state that OpenTofu 1.12.6 wrote.
const OPENTOFU: &str = include_str!("testdata/opentofu.tfstate");

/// One of everything that the format knows, as Terraform lays it out.
const EVERYTHING: &str = r#"{
  "version": 4,
  "terraform_version": "1.12.0",
  "serial": 7,
  "lineage": "c2b5e0a6-0d5f-4a0c-8f4e-2f1f4a8b8c11",
  "outputs": {
    "secret": {
      "value": {
        "n": 12345678901234567890.10,
        "t": "\u003ca href=\"x\"\u003e"
      },
      "type": [
        "object",
        {
          "n": "number",
          "t": "string"
        }
      ],
      "sensitive": true,
      "deprecated": "use another"
    }
  },
  "resources": [
    {
      "mode": "data",
      "type": "aws_region",
      "name": "here",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"].west",
      "instances": [
        {
          "schema_version": 0,
          "attributes": {},
          "sensitive_attributes": []
        }
      ]
    },
    {
      "mode": "managed",
      "type": "old_thing",
      "name": "flat",
      "provider": "provider[\"registry.terraform.io/hashicorp/old\"]",
      "instances": [
        {
          "schema_version": 0,
          "attributes_flat": {
            "id": "1",
            "list.#": "0"
          },
          "sensitive_attributes": []
        }
      ]
    },
    {
      "module": "module.a[\"k\\\"\"].module.b",
      "mode": "managed",
      "type": "aws_subnet",
      "name": "private",
      "provider": "module.m.provider[\"example.com/ns/aws\"]",
      "instances": [
        {
          "index_key": 0,
          "status": "tainted",
          "schema_version": 1,
          "attributes": {
            "password": "p",
            "zones": [
              1e3,
              {}
            ]
          },
          "sensitive_attributes": [
            [
              {
                "type": "get_attr",
                "value": "password"
              }
            ],
            [
              {
                "type": "get_attr",
                "value": "zones"
              },
              {
                "type": "index",
                "value": {
                  "value": "k",
                  "type": "string"
                }
              },
              {
                "type": "index",
                "value": {
                  "value": 3,
                  "type": "number"
                }
              }
            ],
            [
              {
                "type": "index",
                "value": {
                  "value": {
                    "a": 1
                  },
                  "type": [
                    "object",
                    {
                      "a": "number"
                    }
                  ]
                }
              }
            ]
          ],
          "identity_schema_version": 2,
          "identity": {
            "id": "i"
          },
          "private": "AAEC/w==",
          "dependencies": [
            "data.aws_region.here",
            "module.a.aws_vpc.main"
          ],
          "create_before_destroy": true,
          "skip_destroy": true,
          "novelty": {
            "kept": true
          }
        },
        {
          "index_key": 0,
          "deposed": "00ab12cd",
          "schema_version": 1,
          "attributes": {},
          "sensitive_attributes": []
        },
        {
          "index_key": "zone a",
          "schema_version": 1,
          "attributes": {},
          "sensitive_attributes": []
        }
      ]
    }
  ],
  "check_results": [],
  "future": [
    1.0
  ]
}
"#;

fn parse(text: &str) -> State {
    read(text.as_bytes()).expect("a state")
}

fn text(state: &State, layout: Layout) -> String {
    String::from_utf8(write(state, layout)).expect("UTF-8")
}

#[test]
fn a_file_of_opentofu_is_written_back_byte_for_byte() {
    assert_eq!(text(&parse(OPENTOFU), Layout::Indented), OPENTOFU);
}

#[test]
fn the_facts_of_a_file_of_opentofu_are_understood() {
    let state = parse(OPENTOFU);
    assert_eq!((state.serial, &*state.terraform_version), (2, "1.12.6"));
    assert_eq!(
        state.lineage.as_str(),
        "e91f648a-55b1-a402-1329-435cf547ed47"
    );
    assert_eq!(
        state.outputs["vpc_id"].value.as_str(),
        "\"vpc-7306cfa5c0a216946\""
    );
    let vpc: InstanceAddr = "aws_vpc.main".parse().expect("an address");
    let vpc = state.instance(&vpc).expect("the VPC");
    assert_eq!(
        vpc.provider.to_string(),
        "provider[\"registry.opentofu.org/hashicorp/aws\"]"
    );
    let object = vpc.current.as_ref().expect("an object");
    assert_eq!(object.schema_version, 1);
    assert!(
        object
            .attributes
            .raw()
            .as_str()
            .contains("\"id\":\"vpc-7306cfa5c0a216946\"")
    );
    let nodes = state
        .resources
        .iter()
        .find(|(address, _)| &*address.resource.type_name == "aws_eks_node_group");
    let nodes = nodes
        .expect("the node group")
        .1
        .current
        .clone()
        .expect("an object");
    assert!(nodes.dependencies.len() > 5, "dependencies are transitive");
    let subnets = state
        .resources
        .keys()
        .filter(|address| &*address.resource.type_name == "aws_subnet");
    assert!(subnets.count() > 1);
}

#[test]
fn everything_the_format_knows_round_trips() {
    let state = parse(EVERYTHING);
    assert_eq!(text(&state, Layout::Indented), EVERYTHING);
    let compact = text(&state, Layout::Compact);
    assert_eq!(compact.lines().count(), 1);
    assert_eq!(parse(&compact), state);

    let address = "module.a[\"k\\\"\"].module.b.aws_subnet.private[0]";
    let instance = state
        .instance(&address.parse().expect("an address"))
        .expect("there");
    let object = instance.current.as_ref().expect("an object");
    assert_eq!(object.status, ObjectStatus::Tainted);
    assert_eq!(&*object.private, &[0, 1, 2, 255]);
    let paths: Vec<String> = object
        .sensitive_attributes
        .paths
        .iter()
        .map(Path::to_string)
        .collect();
    assert_eq!(paths, ["password", "zones[\"k\"][3]"]);
    assert_eq!(object.sensitive_attributes.unrecognised.len(), 1);
    assert_eq!(
        instance
            .deposed
            .keys()
            .map(DeposedKey::to_string)
            .collect::<Vec<_>>(),
        ["00ab12cd"]
    );
}

#[test]
fn providers_named_as_before_0_13_are_read() {
    for (old, new) in [
        (
            "provider.aws",
            "provider[\"registry.terraform.io/hashicorp/aws\"]",
        ),
        (
            "module.x.provider.aws.west",
            "module.x.provider[\"registry.terraform.io/hashicorp/aws\"].west",
        ),
    ] {
        let file = format!(
            r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"n","provider":"{old}","instances":[{{}}]}}]}}"#
        );
        let state = parse(&file);
        let instance = state.resources.values().next().expect("one instance");
        assert_eq!(instance.provider.to_string(), new);
    }
}

#[test]
fn instances_of_one_resource_may_have_different_providers() {
    let mut state = parse(EVERYTHING);
    let address: InstanceAddr = "module.a[\"k\\\"\"].module.b.aws_subnet.private[\"zone a\"]"
        .parse()
        .expect("an address");
    let mut instance = Instance::clone(state.instance(&address).expect("there"));
    instance.provider.alias = Some("other".into());
    state.set_instance(&address, Some(instance.into()));
    assert_eq!(parse(&text(&state, Layout::Indented)), state);
}

/// A state with one instance, in a module of that stored address, with that stored key.
fn keyed(module: &str, key: &str) -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{{}},"resources":[{{"module":{},"mode":"managed","type":"t","name":"x","provider":"provider[\"h.example/ns/t\"]","instances":[{{"index_key":{key},"schema_version":0,"attributes":{{}},"sensitive_attributes":[]}}]}}],"check_results":null}}
"#,
        RawJson::string(module)
    )
}

fn only_address(file: &str) -> InstanceAddr {
    let state = parse(file);
    let addresses: Vec<_> = state.resources.into_keys().collect();
    let [address] = &addresses[..] else {
        panic!("{addresses:?}")
    };
    address.clone()
}

#[test]
fn keys_that_terraform_stored_are_read_and_written_back_byte_for_byte() {
    // Stored by Terraform 1.11.4 for `for_each` over the keys on the right.
    for (module, key) in [
        (
            r#"module.m["home/$${aws:username}"]"#,
            "home/${aws:username}",
        ),
        (r#"module.m["$$$$${y}"]"#, "$$$${y}"),
        (r#"module.m["%%{if}"]"#, "%{if}"),
        (r#"module.m["\u0001\u0008"]"#, "\u{1}\u{8}"),
        (r#"module.m["del\u007f"]"#, "del\u{7f}"),
        (r#"module.m["zero\u200bwidth"]"#, "zero\u{200b}width"),
        (r#"module.m["tag\U000e0041"]"#, "tag\u{e0041}"),
        (r#"module.m["\u2028\u2029"]"#, "\u{2028}\u{2029}"),
        (r#"module.m["nl\nx\ty\rz"]"#, "nl\nx\ty\rz"),
        (r#"module.m["q\"b\\"]"#, "q\"b\\"),
        ("module.m[\"<&>\u{e9}x\"]", "<&>\u{e9}x"),
    ] {
        let file = keyed(module, RawJson::string(key).as_str());
        let address = only_address(&file);
        let expected = Some(InstanceKey::from(key));
        assert_eq!(address.resource.module.steps()[0].key, expected, "{module}");
        assert_eq!(address.key, expected, "{module}");
        assert_eq!(text(&parse(&file), Layout::Compact), file);
    }
}

#[test]
fn keys_as_earlier_versions_stored_them_are_read_and_written_anew() {
    let old = keyed(r#"module.m["home/${aws:username}\b"]"#, "\"e\u{301}\"");
    let new = keyed(r#"module.m["home/$${aws:username}\u0008"]"#, "\"\u{e9}\"");
    assert_eq!(text(&parse(&old), Layout::Compact), new);
}

#[test]
fn keys_that_are_one_for_the_peers_are_refused() {
    insta::assert_snapshot!(refusal(keyed("module.m", "9007199254740993")), @"the state is damaged at line 1, column 222 (`resources[0].instances[0].index_key`): an integer key is at most 9007199254740992 (2^53), because Terraform reads it as a float");
    let instance = r#"{"index_key":"\u00e9","attributes":{}}"#;
    let both = keyed("module.m", "\"e\u{301}\"")
        .replace("\"instances\":[", &format!("\"instances\":[{instance},"));
    insta::assert_snapshot!(refusal(both), @"the state is damaged at line 1, column 248 (`resources[0].instances[1]`): the same instance occurs twice (keys are compared in Unicode normal form C)");
}

/// The message for a file, one line.
fn refusal(file: impl AsRef<[u8]>) -> String {
    read(file.as_ref()).expect_err("refused").to_string()
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    insta::assert_snapshot!(refusal(""), @"the state file is empty (0 bytes): it was damaged while it was written, or by another program");
    insta::assert_snapshot!(refusal("{}"), @r#"the state is damaged at line 1, column 1: member "version" is missing"#);
    insta::assert_snapshot!(refusal("<html>"), @"the state is damaged at line 1, column 1: expected value");
    insta::assert_snapshot!(refusal(b"{\n \xff}"), @"the state is damaged at line 2, column 2: not UTF-8 text");
    insta::assert_snapshot!(refusal(&EVERYTHING[..1000]), @"the state is damaged at line 45, column 28: EOF while parsing a value");
    insta::assert_snapshot!(refusal(r#"{"version":3,"modules":[]}"#), @"the state has format version 3, from before Terraform 0.12; let `terraform apply -refresh-only` of Terraform 0.12 or later rewrite it as version 4 first");
    insta::assert_snapshot!(refusal(r#"{"version":5}"#), @"the state has format version 5; this program knows version 4 only, use a newer one");
    insta::assert_snapshot!(refusal(r#"{"version":-4}"#), @"the state is damaged at line 1, column 12 (`version`): expected a whole number from 0, found another number");
    insta::assert_snapshot!(refusal(r#"{"version":4,"resources":null}"#), @r#"the state is damaged at line 1, column 1: member "resources" is missing"#);
    insta::assert_snapshot!(refusal(r#"{"serial":1,"lineage":"x","meta":{},"encrypted_data":"eA==","encryption_version":"v0"}"#), @"the state is encrypted by OpenTofu (encryption_version v0); decrypt it with OpenTofu first");
    insta::assert_snapshot!(refusal(r#"{"version":4,"serial":1,"serial":2,"resources":[]}"#), @r#"the state is damaged at line 1, column 1: member "serial" occurs twice"#);
    insta::assert_snapshot!(refusal(r#"{"version":4,"resources":[]} x"#), @"the state is damaged at line 1, column 30: trailing characters");
    insta::assert_snapshot!(refusal(EVERYTHING.replace("00ab12cd", "00AB12CD")), @"the state is damaged at line 132, column 22 (`resources[2].instances[1].deposed`): `00AB12CD` is not a deposed key (eight lower-case hexadecimal digits)");
    insta::assert_snapshot!(refusal(EVERYTHING.replace("\"zone a\"", "0")), @"the state is damaged at line 137, column 9 (`resources[2].instances[2]`): the same instance occurs twice");
    insta::assert_snapshot!(refusal(EVERYTHING.replace("AAEC/w==", "?")), @"the state is damaged at line 119, column 22 (`resources[2].instances[0].private`): not base64: Invalid symbol 63, offset 0.");
    insta::assert_snapshot!(refusal(EVERYTHING.replace("\"tainted\"", "\"gone\"")), @r#"the state is damaged at line 62, column 21 (`resources[2].instances[0].status`): unknown status "gone""#);
    insta::assert_snapshot!(refusal(EVERYTHING.replace("\"zones\": [", "\"password\": [")), @r#"the state is damaged at line 66, column 13 (`resources[2].instances[0].attributes`): member "password" occurs twice"#);
}

#[test]
fn nothing_of_a_value_is_shown_in_a_refusal() {
    let file = EVERYTHING.replace("\"serial\": 7", "\"serial\": \"hunter2\"");
    assert!(!refusal(file).contains("hunter2"));
}

#[test]
fn deep_nesting_is_refused_without_using_the_stack() {
    let deep = format!(
        "{{\"version\":4,\"resources\":{}{}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert!(matches!(
        read(deep.as_bytes()),
        Err(FileError::Damaged { .. })
    ));
}

#[test]
fn every_truncation_is_an_error_and_never_an_empty_state() {
    for end in 0..EVERYTHING.len() - 2 {
        assert!(read(&EVERYTHING.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

fn raw_json() -> impl Strategy<Value = RawJson> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,20})?(e[1-9])?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("serialisable")),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|elements| format!("[ {} ]", elements.join(" ,\n"))),
            btree_map("[a-z<\u{e9}]{1,4}", inner, 0..4).prop_map(|members| object(&members)),
        ]
    });
    value.prop_map(|text| RawJson::new(&text).expect("JSON"))
}

fn object(members: &BTreeMap<String, String>) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name:?} : {value}"))
        .collect();
    format!("{{ {} }}", members.join(",\t"))
}

fn attributes() -> impl Strategy<Value = RawJson> {
    btree_map(
        "[a-z_]{1,6}",
        raw_json().prop_map(|raw| raw.to_string()),
        0..4,
    )
    .prop_map(|members| RawJson::new(&object(&members)).expect("JSON"))
}

prop_compose! {
    fn any_object()(
        attributes in attributes(),
        flat in any::<bool>(),
        tainted in any::<bool>(),
        schema_version in any::<u64>(),
        private in vec(any::<u8>(), 0..20),
        paths in vec(vec((any::<u8>(), "[a-z.\"]{1,5}"), 1..4), 0..3),
        dependencies in vec("[a-z]{1,5}", 0..4),
        identity in proptest::option::of((attributes(), any::<u64>())),
        flags in any::<(bool, bool)>(),
        novelty in proptest::option::of(raw_json()),
    ) -> Object {
        let step = |path: Path, (kind, text): (u8, String)| match kind % 3 {
            0 => path.attribute(text),
            1 => path.key(text),
            _ => path.index(kind.into()),
        };
        let mut dependencies: Vec<ConfigAddr> = dependencies
            .iter()
            .map(|name| format!("module.m.t.{name}").parse().expect("an address"))
            .collect();
        dependencies.sort();
        Object {
            status: if tainted { ObjectStatus::Tainted } else { ObjectStatus::Ready },
            schema_version,
            attributes: if flat { Attributes::Flat(attributes) } else { Attributes::Json(attributes) },
            sensitive_attributes: paths.into_iter().map(|steps| steps.into_iter().fold(Path::root(), step)).collect::<SensitiveAttributes>(),
            private: Bytes::from(private),
            dependencies: dependencies.into(),
            create_before_destroy: flags.0,
            skip_destroy: flags.1,
            identity: identity.map(|(json, schema_version)| Identity { json, schema_version }),
            extra: novelty.map(|value| ("novelty".into(), value)).into_iter().collect(),
        }
    }
}

prop_compose! {
    fn any_instance()(
        current in proptest::option::of(any_object()),
        deposed in btree_map(any::<u32>(), any_object(), 0..3),
        alias in proptest::option::of("[a-z]{1,3}"),
    ) -> Instance {
        let mut provider: terrane_core::addr::ProviderConfigAddr = "provider[\"h.example/ns/x\"]".parse().expect("an address");
        provider.alias = alias.map(Into::into);
        Instance {
            provider,
            current: current.map(Arc::new),
            deposed: deposed.into_iter().map(|(bits, object)| (DeposedKey::from_bits(bits), Arc::new(object))).collect(),
        }
    }
}

fn any_key() -> impl Strategy<Value = Option<InstanceKey>> {
    prop_oneof![
        Just(None),
        (0..=InstanceKey::MAX_INT).prop_map(|index| InstanceKey::int(index).ok()),
        any::<String>().prop_map(|key| Some(InstanceKey::from(key))),
        "[$%{}\"\\\\\u{7f}\u{200b}\u{301}e]{1,6}".prop_map(|key| Some(InstanceKey::from(key))),
    ]
}

fn any_address() -> impl Strategy<Value = InstanceAddr> {
    (
        vec(("[a-z]{1,3}", any_key()), 0..3),
        any::<bool>(),
        "[a-c]",
        "[a-c]",
        any_key(),
    )
        .prop_map(|(modules, data, type_name, name, key)| {
            let module = modules
                .into_iter()
                .fold(ModuleAddr::root(), |module, (name, key)| {
                    module.child(name, key)
                });
            let mode = if data { Mode::Data } else { Mode::Managed };
            let resource = ResourceAddr {
                module,
                mode,
                type_name: type_name.into(),
                name: name.into(),
            };
            resource.instance(key)
        })
}

prop_compose! {
    pub(crate) fn any_state()(
        lineage in "[a-f0-9-]{0,36}",
        serial in any::<u64>(),
        outputs in btree_map(any::<String>(), (raw_json(), any::<bool>()), 0..3),
        resources in btree_map(any_address(), any_instance(), 0..6),
        checks in proptest::option::of(vec(raw_json(), 0..2)),
        future in proptest::option::of(raw_json()),
    ) -> State {
        let mut state = State::new(lineage.as_str().into());
        state.serial = serial;
        for (name, (value, sensitive)) in outputs {
            let output = OutputValue { value, ty: Type::Dynamic, sensitive, extra: Arc::default() };
            state.outputs.insert(name.into(), output);
        }
        for (address, instance) in resources {
            state.set_instance(&address, Some(instance.into()));
        }
        state.check_results = checks.map(|checks| {
            let checks: Vec<&str> = checks.iter().map(RawJson::as_str).collect();
            RawJson::new(&format!("[{}]", checks.join(","))).expect("JSON")
        });
        state.extra = future.map(|value| ("future".into(), value)).into_iter().collect();
        state
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_state_round_trips_in_both_styles(state in any_state()) {
        for layout in [Layout::Indented, Layout::Compact] {
            let bytes = write(&state, layout);
            prop_assert_eq!(bytes.last(), Some(&b'\n'));
            let again = read(&bytes).expect("our own file is read");
            prop_assert_eq!(&again, &state);
            prop_assert_eq!(write(&again, layout), bytes);
        }
    }

    #[test]
    fn every_instance_round_trips_through_the_journal_form(instance in any_instance()) {
        prop_assert_eq!(read_instance(&write_instance(&instance)).expect("readable"), instance);
    }

    #[test]
    fn damage_anywhere_is_an_error_or_loses_no_instance(at in 0..EVERYTHING.len(), byte in any::<u8>()) {
        let mut damaged = EVERYTHING.as_bytes().to_vec();
        damaged[at] = byte;
        match read(&damaged) {
            Ok(state) => prop_assert!(state.resources.len() >= 4),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn cuts_and_repeats_never_panic(start in 0..EVERYTHING.len(), length in 0usize..200, to in 0..EVERYTHING.len()) {
        let bytes = EVERYTHING.as_bytes();
        let end = (start + length).min(bytes.len());
        let mut damaged = bytes[..to].to_vec();
        damaged.extend_from_slice(&bytes[start..end]);
        damaged.extend_from_slice(&bytes[to..]);
        if let Ok(state) = read(&damaged) {
            prop_assert!(state.resources.len() >= 4);
        }
        let mut cut = bytes[..start].to_vec();
        cut.extend_from_slice(&bytes[end..]);
        if let Ok(state) = read(&cut) {
            prop_assert!(!state.resources.is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }
}

#[test]
fn the_serial_is_found_in_the_first_bytes() {
    for layout in [Layout::Indented, Layout::Compact] {
        let mut state = State::new("l".into());
        state.serial = 42;
        let bytes = write(&state, layout);
        assert_eq!(
            super::serial_in_start(&bytes[..120.min(bytes.len())]),
            Some(42)
        );
    }
    for start in [
        "",
        "{\"version\":4,\"serial\":4",
        "{\"outputs\":{\"x\":{\"serial\":4}}}",
    ] {
        assert_eq!(super::serial_in_start(start.as_bytes()), None, "{start}");
    }
}

#[test]
fn objects_share_a_list_of_dependencies_from_reading_to_writing() {
    let dependencies = |count: usize| -> Arc<[ConfigAddr]> {
        let addresses = (0..count).map(|at| format!("module.m.t_long_name.number_{at:03}"));
        addresses
            .map(|text| text.parse().expect("an address"))
            .collect()
    };
    let mut state = State::new("l".into());
    for at in 0..20 {
        let mut object = Object::new(
            0,
            RawJson::new(&format!("{{\"id\":\"{at}\"}}")).expect("JSON"),
        );
        // Every object has a list of its own, and there are two different ones.
        object.dependencies = dependencies(100 + at % 2);
        let address = format!("t.a[{at}]").parse().expect("an address");
        let provider = "provider[\"registry.opentofu.org/x/y\"]"
            .parse()
            .expect("a provider");
        state.set_instance(
            &address,
            Some(Arc::new(Instance::with_current(provider, object))),
        );
    }
    for layout in [Layout::Indented, Layout::Compact] {
        let whole = write(&state, layout);
        let again = read(&whole).expect("readable");
        assert_eq!(again, state);
        let lists = again.resources.values().map(|instance| {
            let object = instance.current.as_ref().expect("an object");
            object.dependencies.as_ptr()
        });
        assert_eq!(lists.collect::<HashSet<_>>().len(), 2);
        let pieces = write_pieces(&again, layout);
        assert_eq!(pieces.to_vec(), whole);
        assert_eq!(pieces.sha256(), Sha256::of(&whole));
        let distinct: HashMap<_, _> = pieces.iter().map(|one| (one.as_ptr(), one.len())).collect();
        let held: usize = distinct.values().sum();
        assert!(held * 5 < whole.len(), "{held} bytes hold {}", whole.len());
    }
}
