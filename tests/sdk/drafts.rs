//! Declarations that are drafted of objects which exist: the fewest arguments, with which nothing is planned.

use terrane_core::{BlockArguments, Declaration, Expr, Path, Stack, Value};

use crate::rig::{Rig, Way};

/// Both libraries over both protocols.
fn each(test: impl Fn(&Rig, &'static str)) {
    for way in Way::ALL {
        for type_name in ["conformance_sdk_thing", "conformance_thing"] {
            test(&Rig::new(way), type_name);
        }
    }
}

/// What a value says, without what says nothing.
fn said(value: &Value) -> serde_json::Value {
    let members = value.members().into_iter().flatten();
    let given = members.filter(|(_, value)| {
        !value.is_null() && !value.elements().is_some_and(<[Value]>::is_empty)
    });
    let given = given.map(|(name, value)| (name.to_string(), serde_json::json!(value)));
    given.collect::<serde_json::Map<_, _>>().into()
}

/// Makes an object, forgets it, drafts it, and takes it in by the draft: nothing is left to change.
#[track_caller]
fn comes_back(rig: &Rig, kind: &str, declaration: &Declaration) -> serde_json::Value {
    let made = declaration.clone();
    rig.up(move |stack: &mut Stack| drop(made.clone().declare(stack)))
        .succeeds();
    let id = rig.stored(&format!("{kind}.a"), "id");
    let id = id.as_str().expect("an id").to_owned();
    rig.forget_everything();
    let draft = rig.draft(kind, &id);
    assert_eq!(draft.differences, []);
    let members = draft.arguments.members().into_iter().flatten();
    let mut drafted = rig.resource(kind, "b");
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        drafted = drafted.set(name, Expr::Literal(value.clone()));
    }
    let program = move |stack: &mut Stack| {
        let drafted = drafted.clone().declare(stack);
        stack.import(&drafted, id.clone());
    };
    let plan = rig.preview(&program).succeeds();
    let plan = plan.plan.as_ref().expect("a plan");
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action == terrane_engine::Action::NoOp)
    );
    rig.up(&program).succeeds();
    rig.preview(&program).succeeds().is_empty();
    said(&draft.arguments)
}

#[test]
fn defaults_and_what_the_provider_chooses_are_left_out() {
    each(|rig, kind| {
        let declared = rig
            .resource(kind, "a")
            .set("name", "one")
            .set("enabled", true);
        let arguments = comes_back(rig, kind, &declared);
        assert_eq!(arguments["name"], "one", "{arguments}");
        // The framework's thing has no default.
        let is_default = kind == "conformance_sdk_thing";
        assert_eq!(
            arguments.get("enabled").is_none(),
            is_default,
            "{arguments}"
        );
        assert_eq!(arguments.get("size"), None, "{arguments}");
        assert_eq!(arguments.get("arn"), None, "{arguments}");
    });
}

#[test]
fn what_a_person_chose_is_kept() {
    each(|rig, kind| {
        let mut declared = rig
            .resource(kind, "a")
            .set("name", "one")
            .set("size", 3)
            .set("enabled", false)
            .set("tags", BlockArguments::new().set("team", "data"));
        if kind == "conformance_sdk_thing" {
            let rule = BlockArguments::new()
                .set("port", 443)
                .set("cidr", "10.0.0.0/8");
            let disk = BlockArguments::new().set("size", 10).set("medium", "ssd");
            declared = declared.push_block("rule", rule).push_block("disk", disk);
        }
        let arguments = comes_back(rig, kind, &declared);
        assert_eq!(arguments["size"], 3, "{arguments}");
        assert_eq!(arguments["enabled"], false, "{arguments}");
        assert_eq!(arguments["tags"]["team"], "data", "{arguments}");
        if kind == "conformance_sdk_thing" {
            assert_eq!(arguments["rule"][0]["port"], 443, "{arguments}");
            assert_eq!(arguments["disk"][0]["size"], 10, "{arguments}");
            assert!(arguments["disk"][0]["medium"].is_null(), "{arguments}");
        }
    });
}

#[test]
fn a_secret_is_named_and_not_told() {
    let rig = Rig::new(Way::ALL[0]);
    let kind = "conformance_sdk_thing";
    let declared = rig
        .resource(kind, "a")
        .set("name", "one")
        .set("secret", "canary");
    rig.up(move |stack: &mut Stack| drop(declared.clone().declare(stack)))
        .succeeds();
    let id = rig.stored("conformance_sdk_thing.a", "id");
    rig.forget_everything();
    let draft = rig.draft(kind, id.as_str().expect("an id"));
    let secret = Path::root().attribute("secret");
    assert_eq!(draft.secrets, std::slice::from_ref(&secret));
    assert!(draft.differences.contains(&secret));
    assert!(!said(&draft.arguments).to_string().contains("canary"));
}
