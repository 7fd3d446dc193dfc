//! The statements of an IAM document, as far as policies look at them.

use serde_json::Value as Json;
use terrane_core::policy::{Fact, Planned};
use terrane_core::{Output, Resource};

/// One statement that allows something.
#[derive(Debug, Default)]
pub(crate) struct Allow {
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    /// It allows everything but some actions.
    pub(crate) all_but: bool,
    /// Everybody may use it.
    pub(crate) everybody: bool,
    /// The identity providers whose users may use it.
    pub(crate) federated: Vec<String>,
    /// What limits it further: operator, key, values.
    pub(crate) conditions: Vec<(String, String, Vec<String>)>,
    /// Something limits it further.
    pub(crate) is_conditional: bool,
}

/// Calls `check` with each statement of the document in that attribute that allows something; one that is no document is a violation.
pub(crate) fn each_allow<R: AsRef<Resource>>(
    resource: &Planned<'_, R>,
    attribute: &str,
    undecided: &str,
    mut check: impl FnMut(&Output<String>, &Allow),
) {
    let handle: &Resource = (**resource).as_ref();
    let document = crate::check::at::<String>(handle, attribute);
    match resource.get(&document) {
        Fact::Absent => {}
        Fact::Unknown => resource.undecided_in(&document, undecided),
        Fact::Known(text) => match serde_json::from_str::<Json>(&text) {
            Ok(json) => allowed(&json).for_each(|allow| check(&document, &allow)),
            Err(_) => resource.violates_in(&document, "it is not JSON"),
        },
    }
}

fn allowed(document: &Json) -> impl Iterator<Item = Allow> {
    let statements = match &document["Statement"] {
        Json::Array(statements) => statements.iter().collect(),
        Json::Null => Vec::new(),
        one => vec![one],
    };
    let allowing = statements
        .into_iter()
        .filter(|statement| statement["Effect"] == "Allow");
    allowing.map(|statement| Allow {
        actions: texts(&statement["Action"]),
        resources: texts(&statement["Resource"]),
        all_but: !statement["NotAction"].is_null(),
        everybody: everybody(&statement["Principal"]) || !statement["NotPrincipal"].is_null(),
        federated: texts(&statement["Principal"]["Federated"]),
        conditions: conditions(&statement["Condition"]),
        is_conditional: statement["Condition"]
            .as_object()
            .is_some_and(|conditions| !conditions.is_empty()),
    })
}

fn conditions(json: &Json) -> Vec<(String, String, Vec<String>)> {
    let operators = json.as_object().into_iter().flatten();
    let conditions = operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| (operator.clone(), key.clone(), texts(values)))
    });
    conditions.collect()
}

/// One text, or a list of them.
fn texts(json: &Json) -> Vec<String> {
    match json {
        Json::String(text) => vec![text.clone()],
        Json::Array(texts) => texts.iter().flat_map(self::texts).collect(),
        _ => Vec::new(),
    }
}

/// `"*"`, or `{"AWS": "*"}`.
fn everybody(principal: &Json) -> bool {
    match principal {
        Json::String(who) => who == "*",
        Json::Object(kinds) => {
            let aws = kinds.get("AWS").map(texts).unwrap_or_default();
            aws.iter().any(|who| who == "*")
        }
        _ => false,
    }
}
