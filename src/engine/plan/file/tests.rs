use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use terrane_core::addr::InstanceAddr;
use terrane_core::schema::{Schema, from_facts_line};
use terrane_core::value::{Bound, Number, Refinements};
use terrane_core::{
    Diagnostics, Id as _, KnownValues, Marked, NoConfig, Path, PathStep, ProviderId, Resource,
    ResourceId, Type, Value,
};
use terrane_provider::Identity;
use terrane_state::{Instance, Object, RawJson, Timestamp};

use super::*;
use crate::change::Reason;
use crate::plan::{DeferralReason, DeferredModule};
use terrane_core::value::saved::SavedValue;

/// Numbers of every representation.
fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<f64>().prop_filter_map("NaN is no number", Number::from_f64),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?".prop_map(|text| text.parse().expect("a number")),
        Just("0.1".parse().expect("a number")),
    ]
}

fn refinements() -> impl Strategy<Value = Refinements> {
    let bound = || {
        let bound = (numbers(), any::<bool>());
        option::of(bound.prop_map(|(number, inclusive)| Bound { number, inclusive }))
    };
    let lengths = (option::of(any::<u64>()), option::of(any::<u64>()));
    let (null, prefix) = (option::of(any::<bool>()), option::of(any::<String>()));
    (null, prefix, bound(), bound(), lengths).prop_map(
        |(null, prefix, lower, upper, (min_length, max_length))| Refinements {
            null,
            prefix: prefix.map(Into::into),
            lower,
            upper,
            min_length,
            max_length,
        },
    )
}

fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::String), Just(Type::Number), Just(Type::Dynamic)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            vec(inner.clone(), 0..3).prop_map(|types| Type::Tuple(types.into())),
            btree_map("[a-c.]{1,2}", inner, 0..3).prop_map(Type::object),
        ]
    })
}

/// Values of every kind, whether or not a schema could have them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<String>().prop_map(|text| Value::String(text.into())),
        Just(Value::from("list")),
        numbers().prop_map(Value::Number),
        Just(Value::UNKNOWN),
        refinements().prop_map(|known| Value::Unknown(Some(Arc::new(known)))),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let elements = || vec(inner.clone(), 0..5).prop_map(Arc::new);
        prop_oneof![
            elements().prop_map(Value::List),
            elements().prop_map(Value::Set),
            btree_map(".{0,3}", inner.clone(), 0..5).prop_map(Value::map),
            (types(), inner.clone()).prop_map(|dynamic| Value::Dynamic(Arc::new(dynamic))),
        ]
    })
}

fn paths() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        ".{0,4}".prop_map(|name| PathStep::Attribute(name.into())),
        ".{0,4}".prop_map(|key| PathStep::Key(key.into())),
        any::<usize>().prop_map(PathStep::Index),
    ];
    vec(step, 0..4).prop_map(|steps| steps.into_iter().collect())
}

fn marked() -> impl Strategy<Value = Marked> {
    (values(), btree_set(paths(), 0..3))
        .prop_map(|(value, sensitive): (_, BTreeSet<_>)| Marked { value, sensitive })
}

/// A program with two resources, a provider and an export.
fn program() -> Program {
    let program = Program::from_fn(
        |stack| {
            let a = Resource::dynamic("test_thing", "a")
                .set("name", "a")
                .declare(stack);
            Resource::dynamic("test_thing", "b")
                .set(
                    "name",
                    a.attribute::<String>("id").map(|id| format!("{id}-b")),
                )
                .depends_on(&a)
                .declare(stack);
            stack.export("id", a.attribute::<String>("id"));
            Ok(())
        },
        NoConfig,
    );
    program.expect("a program")
}

fn schema() -> Arc<Schema> {
    let line =
        "resource test_thing 3 {name:r string,secret:os string,rule=set[..2]{port:r number}}";
    Arc::new(from_facts_line(line).expect("a schema").2)
}

fn origin(program: &Program) -> Origin {
    Origin {
        nonce: "nonce".into(),
        terrane: "0.1.0".into(),
        who: "somebody@host".into(),
        made_at: Timestamp::new(1_800_000_000, 1),
        stack: "test".into(),
        backend: "test.tfstate".into(),
        sandbox: false,
        endpoint: Some("http://127.0.0.1:5000".into()),
        executable: Sha256::of(b"executable"),
        program: Fingerprint::of(program),
        inputs: Inputs {
            environment: [("TERRANE_VAR_A".to_owned(), "1".to_owned())].into(),
            files: vec![("a.toml".into(), "a = 1\n".into())],
            flags: vec!["a=2".into()],
        },
        flags: vec!["--target=test_*.a".into()],
        providers: vec![ProviderBuild {
            source: program.providers()[ProviderId::at(0)]
                .address
                .source
                .clone(),
            version: Some("1.2.3".into()),
            sha256: None,
        }],
        callers: vec![crate::CallerIdentity {
            provider: "provider".into(),
            account: Some("123456789012".into()),
            region: None,
        }],
        known_values: known_values(),
    }
}

fn known_values() -> KnownValues {
    let mut known = KnownValues::default();
    let module = "module.subnets".parse().expect("an address");
    known.add_module(module, Value::list(vec!["a".into(), Value::from(1)]));
    let object = Value::map([
        ("ids", Value::list(vec![Value::UNKNOWN])),
        ("key", "k".into()),
    ]);
    let address = "data.aws_subnets.all".parse().expect("an address");
    let sensitive = [Path::root().attribute("key")].into();
    known.add_object(
        address,
        Marked {
            value: object,
            sensitive,
        },
    );
    known
}

fn instance(note: &str) -> Arc<Instance> {
    let attributes = RawJson::new(&format!(r#"{{"note":{}}}"#, RawJson::string(note)));
    let object = Object::new(0, attributes.expect("JSON"));
    let provider = "provider[\"h.example/ns/test\"]"
        .parse()
        .expect("an address");
    Arc::new(Instance::with_current(provider, object))
}

/// A change with those values of a declared resource, its deposed object or one that is no longer declared.
fn changes() -> impl Strategy<Value = ResourceChange> {
    let who = prop_oneof![
        Just((0, Action::Create, None)),
        Just((1, Action::Update, None)),
        Just((0, Action::CreateThenDelete, Some(Reason::ReplaceByTriggers))),
        Just((
            1,
            Action::DeleteThenCreate,
            Some(Reason::ReplaceBecauseTainted)
        )),
        Just((1, Action::NoOp, None)),
        Just((2, Action::Delete, Some(Reason::DeleteBecauseEachKey))),
        Just((2, Action::Forget, None)),
    ];
    let sides = prop_oneof![
        (marked(), marked()),
        marked().prop_map(|same| (same.clone(), same)),
    ];
    let identity = || {
        let identity = (any::<u64>(), values());
        option::of(identity.prop_map(|(schema_version, value)| Identity {
            schema_version,
            value,
        }))
    };
    let deposed = option::of(any::<u32>().prop_map(terrane_state::DeposedKey::from_bits));
    let more = (
        deposed,
        vec(paths(), 0..3),
        vec(any::<u8>(), 0..20),
        any::<bool>(),
    );
    (who, sides, identity(), identity(), more).prop_map(
        |((who, action, reason), (before, after), before_identity, planned_identity, more)| {
            let (deposed, replace_paths, private, create_before_destroy) = more;
            let program = program();
            let declared = program.resources().get(who);
            let gone: InstanceAddr =
                r#"module.m["x"].test_thing.gone[3]"#.parse().expect("an address");
            ResourceChange {
                address: declared.map_or_else(|| Arc::new(gone), |one| one.address.clone()),
                deposed,
                provider: program.providers()[ProviderId::at(0)].address.clone(),
                action,
                reason,
                before: Arc::new(before),
                after: Arc::new(after),
                replace_paths,
                schema: schema(),
                private: Bytes::from(private),
                before_identity,
                planned_identity,
                create_before_destroy,
                location: declared.map(|one| one.location),
            }
        },
    )
}

/// Every reason to defer a change.
fn reasons() -> impl Strategy<Value = DeferralReason> {
    use terrane_provider::Deferred;
    let address = || Arc::new("test_thing.c".parse().expect("an address"));
    prop_oneof![
        paths().prop_map(move |path| DeferralReason::ProviderConfigUnknown {
            needs: address(),
            path,
        }),
        prop::sample::select(vec![
            Deferred::Unknown,
            Deferred::ResourceConfigUnknown,
            Deferred::ProviderConfigUnknown,
            Deferred::AbsentPrerequisite,
        ])
        .prop_map(DeferralReason::ByProvider),
        Just(DeferralReason::DependencyDeferred { on: address() }),
        Just(DeferralReason::DependentDeferred { by: address() }),
        paths().prop_map(move |path| DeferralReason::ValueUnknown {
            needs: address(),
            path,
        }),
        Just(DeferralReason::ExportUnknown {
            export: "network.zones".into(),
        }),
        Just(DeferralReason::ModuleDeferred {
            module: "module.net[\"a\"].module.subnets"
                .parse()
                .expect("an address"),
        }),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let sides = (
        option::of(marked()),
        option::of(marked()),
        marked(),
        any::<bool>(),
    );
    let reasons = vec(reasons(), 0..4);
    (
        vec(changes(), 0..5),
        sides,
        marked(),
        any::<String>(),
        reasons,
    )
        .prop_map(
            |(mut changes, (before, after, drifted, exported), object, text, reasons)| {
                // A plan has one change an object.
                let mut seen = std::collections::HashSet::new();
                changes.retain(|change| seen.insert((change.address.to_string(), change.deposed)));
                let program = program();
                let first = &program.resources()[ResourceId::at(0)];
                let mut prior = State::new("lineage".into());
                prior.serial = 7;
                for name in ["test_thing.a", "test_thing.b"] {
                    let address = name.parse().expect("an address");
                    prior.set_instance(&address, Some(instance(&text)));
                }
                let mut refreshed = prior.clone();
                refreshed.set_instance(&first.address, Some(instance("read")));
                refreshed.set_instance(&program.resources()[ResourceId::at(1)].address, None);
                let drift = Drift {
                    address: first.address.clone(),
                    provider: program.providers()[ProviderId::at(0)].address.clone(),
                    before: Arc::new(drifted.clone()),
                    after: Arc::new(drifted),
                    schema: schema(),
                    location: Some(first.location),
                };
                let deferred = reasons.into_iter().map(|reason| DeferredChange {
                    address: first.address.clone(),
                    deposed: None,
                    action: Action::Create,
                    provider: drift.provider.clone(),
                    reason,
                    forced: exported.then_some(Reason::ReplaceByRequest),
                    location: Some(first.location),
                });
                let deferred: Vec<DeferredChange> = deferred.collect();
                let modules = deferred.iter().map(|deferred| DeferredModule {
                    address: "module.subnets".parse().expect("an address"),
                    action: Action::Update,
                    reason: deferred.reason.clone(),
                    location: deferred.location,
                });
                let deferred_modules = modules.collect();
                let export = &program.exports()[0];
                let output = OutputChange {
                    name: export.name.clone(),
                    before,
                    after,
                    location: exported.then_some(export.location),
                };
                let warning = Diagnostic::warning(text)
                    .detail("why")
                    .address(&first.address)
                    .attribute(Path::root().attribute("a.b"))
                    .location(first.location)
                    .hint("what to do");
                let made = changes.first().map(|change| change.after.clone());
                let changes: IdVec<ChangeId, ResourceChange> = changes.into();
                Plan {
                    mode: PlanMode::Normal,
                    steps: steps::build(&program, &changes, &prior, &|_| false).expect("an order"),
                    changes,
                    drift: vec![drift],
                    deferred,
                    deferred_modules,
                    outputs: vec![output],
                    moves: Vec::new(),
                    adoptions: Vec::new(),
                    unread: exported.then_some(Unread {
                        objects: 2,
                        since: Some(Timestamp::new(1_700_000_000, 0)),
                    }),
                    diagnostics: Diagnostics::from(warning),
                    prior,
                    refreshed,
                    objects: vec![made, Some(Arc::new(object))].into(),
                }
            },
        )
}

fn written(plan: &Plan) -> Vec<u8> {
    SavedPlan::write(plan, origin(&program())).expect("a file")
}

/// The same file with a first line that fits again.
fn sealed(file: &[u8]) -> Vec<u8> {
    let (_, body) = split_line(file).expect("lines");
    let mut file = format!("{MAGIC}{FORMAT} {}\n", Sha256::of(body)).into_bytes();
    file.extend_from_slice(body);
    file
}

fn small_plan() -> Plan {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = plans().new_tree(&mut runner).expect("a plan");
    proptest::strategy::ValueTree::current(&tree)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_survives(value in values()) {
        let json = serde_json::to_string(&SavedValue(value.clone())).expect("JSON");
        let again: SavedValue = serde_json::from_str(&json).expect("a value");
        prop_assert_eq!(&again.0, &value, "{}", json);
        // Equal numbers may travel in different forms; those are kept too.
        prop_assert_eq!(serde_json::to_string(&again).expect("JSON"), json);
    }

    #[test]
    fn any_plan_survives_the_file(plan in plans()) {
        let file = written(&plan);
        let saved = SavedPlan::read(&file).expect("a plan file");
        prop_assert_eq!(&saved.origin, &origin(&program()));
        let again = saved.plan(&program()).expect("the same program");
        prop_assert!(again == plan);
        prop_assert!(written(&again) == file);
    }

    #[test]
    fn a_changed_byte_is_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut file = written(&small_plan());
        let at = at.index(file.len());
        prop_assume!(file[at] != byte);
        file[at] = byte;
        let error = SavedPlan::read(&file).err().expect("an error");
        prop_assert!(!error.to_string().is_empty());
    }

    #[test]
    fn a_file_that_was_cut_off_is_an_error(at in any::<prop::sample::Index>()) {
        let file = written(&small_plan());
        prop_assert!(SavedPlan::read(&file[..at.index(file.len())]).is_err());
    }

    #[test]
    fn nonsense_under_a_right_checksum_is_an_error_or_a_plan_and_no_panic(
        at in any::<prop::sample::Index>(),
        bytes in vec(any::<u8>(), 0..4),
    ) {
        let file = written(&small_plan());
        let (first, body) = split_line(&file).expect("lines");
        let at = at.index(body.len());
        let damaged = [first, b"\n", &body[..at], &bytes, &body[(at + bytes.len()).min(body.len())..]];
        let Ok(saved) = SavedPlan::read(&sealed(&damaged.concat())) else {
            return Ok(());
        };
        let _ = saved.plan(&program());
    }
}

#[test]
fn a_file_says_what_is_wrong_with_it() {
    let file = written(&small_plan());
    let said = |bytes: &[u8]| SavedPlan::read(bytes).err().expect("an error").to_string();
    assert_eq!(said(b""), "it is no plan file");
    assert_eq!(said(b"PK\x03\x04"), "it is no plan file");
    assert_eq!(
        said(b"terrane-plan 2 x\n"),
        "it has format 2 of plan files, and this program knows only format 1"
    );
    assert_eq!(
        said(&file[..file.len() / 2]),
        "it is damaged: its content is not what its first line promises; it was cut off or changed"
    );
    let text = String::from_utf8(file).expect("text");
    let unknown = text.replacen("\"mode\"", "\"node\"", 1);
    let error = said(&sealed(unknown.as_bytes()));
    assert!(
        error.contains("unknown field, expected one of `origin`, `mode`"),
        "{error}"
    );
    // What stands in a plan may be secret.
    for (right, wrong) in [
        ("\"mode\":\"normal\"", "\"mode\":\"hunter2\""),
        ("\"learnt\":[", "\"learnt\":\"hunter2\",\"x\":["),
        ("\"schemas\":[\"", "\"schemas\":[\"hunter2"),
    ] {
        let damaged = text.replacen(right, wrong, 1);
        assert_ne!(damaged, text, "{right}");
        let error = said(&sealed(damaged.as_bytes()));
        assert!(error.starts_with("it is damaged: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let no_schema = text.replacen("\"schema\":0", "\"schema\":9", 1);
    assert_eq!(
        said(&sealed(no_schema.as_bytes())),
        "it is damaged: there is no schema 9"
    );
    let mut twice = small_plan();
    twice.changes = vec![twice.changes[ChangeId::at(0)].clone(); 2].into();
    let error = said(&written(&twice));
    assert!(error.ends_with(" occurs twice in it"), "{error}");
}

#[test]
fn another_program_is_refused_with_what_differs() {
    let other = Program::from_fn(
        |stack| {
            let a = Resource::dynamic("test_thing", "a")
                .set("name", "A")
                .declare(stack);
            Resource::dynamic("test_thing", "c").declare(stack);
            stack.export("id", a.attribute::<String>("id"));
            Ok(())
        },
        NoConfig,
    );
    let saved = SavedPlan::read(&written(&small_plan())).expect("a plan file");
    let error = saved.plan(&other.expect("a program")).expect_err("refused");
    let PlanFileError::OtherProgram { differences } = error else {
        panic!("{error}");
    };
    assert_eq!(
        differences,
        ["test_thing.a", "test_thing.b", "test_thing.c"]
    );
}

#[test]
fn a_value_that_no_reader_could_read_is_not_written() {
    let mut plan = small_plan();
    let deep = (0..120).fold(Value::Null, |value, _| Value::list(vec![value]));
    plan.objects[ResourceId::at(1)] = Some(Arc::new(Marked::plain(deep)));
    let error = SavedPlan::write(&plan, origin(&program())).expect_err("too deep");
    assert_eq!(
        error.to_string(),
        "a data source holds a value that is nested too deep for a plan file"
    );
    let deep = (0..100).fold(Value::Null, |value, _| Value::list(vec![value]));
    plan.objects[ResourceId::at(1)] = Some(Arc::new(Marked::plain(deep)));
    let again = SavedPlan::read(&written(&plan)).expect("a plan file");
    assert!(again.plan(&program()).expect("the same program") == plan);
}

#[test]
fn the_debug_text_of_inputs_holds_no_value() {
    let inputs = Inputs {
        environment: [("TERRANE_VAR_PASSWORD".to_owned(), "hunter2".to_owned())].into(),
        files: vec![("secrets.toml".into(), "password = \"hunter2\"".into())],
        flags: vec!["password=hunter2".into()],
    };
    assert!(!format!("{inputs:?}").contains("hunter2"));
}
