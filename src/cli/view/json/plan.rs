//! A plan as Terraform's plan JSON, so that tools that read a Terraform plan read ours.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::schema::Schema;
use terrane_core::{ImportBy, Marked, Program, Type, Value, When};
use terrane_engine::{
    Action, DeferredChange, Drift, Invocation, OutputChange, Plan, Reason, ResourceChange,
};
use terrane_provider::Identity;
use terrane_state::State;

use super::configuration::{Configuration, configuration};
use super::cost::CostJson;
use super::policies::{PolicyJson, SourceJson};
use super::state::StateJson;
use super::value::{self, Json, known, raw, steps};
use super::values::{Module, OutputJson, Resource, ResourceName, Values};
use super::variables::{Variable, variables};
use crate::view::hidden::Hidden;
use crate::view::{PlanDigest, Secrets, ShownPlan};

#[derive(Serialize)]
pub(super) struct PlanJson {
    format_version: &'static str,
    terraform_version: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, Variable>,
    planned_values: Values,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_drift: Vec<ChangeJson>,
    resource_changes: Vec<ChangeJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deferred_changes: Vec<DeferredJson>,
    /// Ours: Terraform's programs have no modules of this kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deferred_modules: Vec<DeferredModuleJson>,
    output_changes: BTreeMap<String, Change>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    action_invocations: Vec<InvocationJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_state: Option<StateJson>,
    configuration: Configuration,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relevant_attributes: Vec<AttributeJson>,
    /// Ours: objects of which the state was trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<UnreadJson>,
    /// Ours: Terraform's plan has no policies of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<PolicyJson>,
    /// Ours too.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostJson>,
    /// Ours: what `up --plan-digest` compares.
    plan_digest: DigestJson,
    timestamp: String,
    applyable: bool,
    complete: bool,
    errored: bool,
}

/// The digest of the plan, and the beginnings of those of its parts, which tell where two plans differ.
#[derive(Serialize)]
struct DigestJson {
    sha256: String,
    place: String,
    parts: BTreeMap<String, String>,
}

/// How many objects were not read, and since when, where that is known.
#[derive(Serialize)]
struct UnreadJson {
    objects: usize,
    since: Option<String>,
}

/// An attribute that the plan depends on.
#[derive(Serialize)]
struct AttributeJson {
    resource: String,
    attribute: serde_json::Value,
}

#[derive(Serialize)]
struct DeferredJson {
    reason: &'static str,
    resource_change: ChangeJson,
}

/// A module that takes a value which the plan makes known.
#[derive(Serialize)]
struct DeferredModuleJson {
    reason: &'static str,
    address: String,
    actions: &'static [&'static str],
    /// Where the value comes from, as a clause.
    detail: String,
}

#[derive(Serialize)]
struct ChangeJson {
    #[serde(flatten)]
    name: ResourceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    module_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<String>,
    change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_reason: Option<&'static str>,
    /// Ours: where the program declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson>,
}

#[derive(Serialize)]
struct Change {
    actions: &'static [&'static str],
    before: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
    after_unknown: Json,
    before_sensitive: Json,
    after_sensitive: Json,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_identity: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_identity: Option<Json>,
}

#[derive(Serialize)]
struct InvocationJson {
    address: String,
    #[serde(rename = "type")]
    action_type: String,
    name: String,
    provider_name: String,
    lifecycle_action_trigger: TriggerJson,
}

#[derive(Serialize)]
struct TriggerJson {
    triggering_resource_address: String,
    action_trigger_event: &'static str,
}

/// The plan. Sensitive values are in it only when asked for; Terraform always prints them.
pub(super) fn plan(shown: &ShownPlan<'_>) -> PlanJson {
    let ShownPlan {
        plan,
        program,
        made_at,
        secrets,
        // The document has no claim that an unresolved operation could make untrue.
        is_partial: _,
        policies,
        cost,
        // Terraform has no place for these.
        place: _,
        details: _,
        saved: _,
        approval: _,
        diagnostics: _,
    } = *shown;
    let managed = |change: &&ResourceChange| {
        // Terraform leaves out data sources that are only forgotten.
        change.address.resource.mode == Mode::Managed || change.action != Action::Delete
    };
    // Stored objects are read by the provider's schemas, as far as they are at hand.
    let schemas: HashMap<&InstanceAddr, &Schema> = plan
        .changes
        .iter()
        .map(|change| (&*change.address, &*change.schema))
        .collect();
    let prior = Some(plan.refreshed()).filter(|state| !state.is_empty());
    let changes = plan.changes.iter().filter(managed);
    let outputs = plan.outputs.iter();
    PlanJson {
        format_version: "1.2",
        terraform_version: State::FORMAT_RELEASE,
        variables: variables(program, &plan.changes, secrets),
        planned_values: planned_values(plan, secrets),
        resource_drift: plan
            .drift
            .iter()
            .map(|drift| drift_json(drift, secrets))
            .collect(),
        resource_changes: changes
            .map(|change| taken_over(plan, program, change, secrets))
            .collect(),
        deferred_changes: (plan.deferred.iter())
            .map(|deferred| deferred_json(deferred, program))
            .collect(),
        deferred_modules: (plan.deferred_modules.iter())
            .map(|module| DeferredModuleJson {
                reason: module.reason.name(),
                address: module.address.to_string(),
                actions: actions(module.action),
                detail: module.to_string(),
            })
            .collect(),
        output_changes: outputs
            .map(|output| (output.name.to_string(), output_json(output, secrets)))
            .collect(),
        action_invocations: plan
            .invocations(program)
            .iter()
            .map(invocation_json)
            .collect(),
        prior_state: prior.map(|state| super::state::document(state, secrets, &schemas)),
        configuration: configuration(program, &plan.changes),
        relevant_attributes: relevant_attributes(program, &plan.changes),
        unread: plan.unread.map(|unread| UnreadJson {
            objects: unread.objects,
            since: unread.since.map(|since| since.to_string()),
        }),
        policies: policies.iter().map(PolicyJson::new).collect(),
        cost: cost.map(CostJson::new),
        plan_digest: digest_json(shown.digest()),
        timestamp: made_at.to_string(),
        applyable: !plan.is_empty(),
        complete: !plan.defers(),
        errored: false,
    }
}

fn digest_json(digest: &PlanDigest) -> DigestJson {
    DigestJson {
        sha256: digest.sha256.to_string(),
        place: digest.place.clone(),
        parts: digest.parts.clone(),
    }
}

/// The attributes that changing objects and exported values refer to: drift elsewhere is without effect on the plan.
fn relevant_attributes(program: &Program, changes: &[ResourceChange]) -> Vec<AttributeJson> {
    let changing = changes.iter();
    let changing = changing.filter(|it| it.action != Action::NoOp && it.deposed.is_none());
    let declared = changing.filter_map(|change| program.position(&change.address));
    let arguments = declared.map(|position| &program.resources()[position].arguments);
    let exported = program.exports().iter().map(|export| &export.value);
    let (mut seen, mut attributes) = (HashSet::new(), Vec::new());
    for expression in arguments.chain(exported) {
        expression.for_each_reference(&mut |reference| {
            if seen.insert(reference.to_string()) {
                attributes.push(AttributeJson {
                    resource: reference.address.to_string(),
                    attribute: steps(&reference.path),
                });
            }
        });
    }
    attributes
}

/// A change with where the object was, and by what it is imported; an id that is a secret is left out.
fn taken_over(
    plan: &Plan,
    program: &Program,
    change: &ResourceChange,
    secrets: Secrets,
) -> ChangeJson {
    let mut json = change_json(change, secrets);
    let address = &*change.address;
    json.source = source(program, address);
    // Both are sorted by address.
    if let Ok(place) = plan.moves.binary_search_by(|moved| moved.to.cmp(address)) {
        json.previous_address = Some(plan.moves[place].from.to_string());
    }
    let adopted = plan
        .adoptions
        .binary_search_by(|(adopted, _)| (**adopted).cmp(address));
    if adopted.is_ok()
        && let Some(position) = program.position(address)
    {
        let by = program
            .adoption(position)
            .map(|adoption| adoption.by.clone());
        // One that was found by its name has the id that it says of itself.
        let own = change.before.value.get("id").and_then(Value::as_str);
        let by = by.or_else(|| own.map(ImportBy::from));
        json.change.importing = by.map(|by| match &by {
            ImportBy::Id(id)
                if secrets == Secrets::Hidden && Hidden::is_secret_of(&change.before, id) =>
            {
                serde_json::json!({})
            }
            ImportBy::Id(id) => serde_json::json!({ "id": id }),
            ImportBy::Identity(_) => serde_json::json!({ "identity": true }),
        });
    }
    json
}

fn source(program: &Program, address: &InstanceAddr) -> Option<SourceJson> {
    let position = program.position(address)?;
    Some(program.resources()[position].location.into())
}

fn invocation_json(invocation: &Invocation) -> InvocationJson {
    let Invocation {
        action,
        action_type,
        provider,
        address,
        when,
    } = invocation;
    let name = action.rsplit('.').next().unwrap_or_default();
    InvocationJson {
        address: action.to_string(),
        action_type: action_type.to_string(),
        name: name.to_owned(),
        provider_name: provider.to_string(),
        lifecycle_action_trigger: TriggerJson {
            triggering_resource_address: address.to_string(),
            action_trigger_event: match when {
                When::BeforeCreate => "BeforeCreate",
                When::AfterCreate => "AfterCreate",
                When::BeforeUpdate => "BeforeUpdate",
                When::AfterUpdate => "AfterUpdate",
                When::BeforeDestroy => "BeforeDestroy",
                When::AfterDestroy => "AfterDestroy",
            },
        },
    }
}

fn change_json(change: &ResourceChange, secrets: Secrets) -> ChangeJson {
    let paths = change.replace_paths.iter();
    ChangeJson {
        change: Change {
            replace_paths: paths.map(steps).collect(),
            before_identity: identity(change.before_identity.as_ref()),
            after_identity: identity(change.planned_identity.as_ref()),
            ..both(
                actions(change.action),
                (&change.before, &change.after),
                Some(change.schema.ty()),
                secrets,
            )
        },
        deposed: change.deposed.map(|key| key.to_string()),
        action_reason: change.reason.map(reason),
        ..named(&change.address, &change.provider.source)
    }
}

/// Nothing is known yet of the object: Terraform has `after_unknown` true then.
fn deferred_json(deferred: &DeferredChange, program: &Program) -> DeferredJson {
    let nothing = Marked::default();
    let after = match deferred.action {
        Action::Delete => nothing.clone(),
        _ => Marked::plain(Value::UNKNOWN),
    };
    DeferredJson {
        reason: deferred.reason.name(),
        resource_change: ChangeJson {
            change: both(
                actions(deferred.action),
                (&nothing, &after),
                None,
                Secrets::Hidden,
            ),
            deposed: deferred.deposed.map(|key| key.to_string()),
            source: source(program, &deferred.address),
            ..named(&deferred.address, &deferred.provider.source)
        },
    }
}

fn drift_json(drift: &Drift, secrets: Secrets) -> ChangeJson {
    let action = match drift.after.value {
        Value::Null => Action::Delete,
        _ => Action::Update,
    };
    ChangeJson {
        change: both(
            actions(action),
            (&drift.before, &drift.after),
            Some(drift.schema.ty()),
            secrets,
        ),
        ..named(&drift.address, &drift.provider.source)
    }
}

fn named(address: &Arc<InstanceAddr>, provider: &impl ToString) -> ChangeJson {
    let nothing = Marked::default();
    ChangeJson {
        name: ResourceName::new(address, provider.to_string()),
        previous_address: None,
        module_address: address.resource.module.to_string(),
        deposed: None,
        change: both(
            actions(Action::NoOp),
            (&nothing, &nothing),
            None,
            Secrets::Shown,
        ),
        action_reason: None,
        source: None,
    }
}

fn output_json(output: &OutputChange, secrets: Secrets) -> Change {
    let absent = Marked::default();
    let (before, after) = (
        output.before.as_ref().unwrap_or(&absent),
        output.after.as_ref().unwrap_or(&absent),
    );
    // One flag for both sides, as Terraform keeps only one.
    let sensitive = output.is_sensitive();
    let flag = || raw(sensitive.to_string());
    let shown = |marked: &Marked| match sensitive && secrets == Secrets::Hidden {
        true if !marked.value.is_unknown() => Some(raw("null".to_owned())),
        _ => known(&marked.value, Hidden::NOTHING),
    };
    Change {
        before: shown(before).unwrap_or_else(|| raw("null".to_owned())),
        after: shown(after),
        after_unknown: match after.value.is_wholly_known() {
            true => raw("false".to_owned()),
            false => value::unknown(&after.value),
        },
        before_sensitive: flag(),
        after_sensitive: flag(),
        ..both(actions(output.action()), (&absent, &absent), None, secrets)
    }
}

/// The change of an object.
fn both(
    actions: &'static [&'static str],
    (before, after): (&Marked, &Marked),
    ty: Option<&Type>,
    secrets: Secrets,
) -> Change {
    let [hidden_before, hidden_after] = Hidden::of_each([before, after]);
    let shown = |marked: &Marked, hidden| match secrets {
        Secrets::Hidden => known(&marked.value, hidden),
        Secrets::Shown => known(&marked.value, Hidden::NOTHING),
    };
    Change {
        actions,
        before: shown(before, &hidden_before).unwrap_or_else(|| raw("null".to_owned())),
        after: shown(after, &hidden_after),
        after_unknown: match after.value.is_wholly_known() {
            true => raw("{}".to_owned()),
            false => value::unknown(&after.value),
        },
        before_sensitive: value::sensitive(&before.value, &hidden_before, ty),
        after_sensitive: value::sensitive(&after.value, &hidden_after, ty),
        replace_paths: Vec::new(),
        importing: None,
        before_identity: None,
        after_identity: None,
    }
}

fn identity(identity: Option<&Identity>) -> Option<Json> {
    known(&identity?.value, Hidden::NOTHING)
}

fn planned_values(plan: &Plan, secrets: Secrets) -> Values {
    let mut root_module = Module::default();
    for change in &plan.changes {
        if change.after.value.is_null() || change.deposed.is_some() {
            continue;
        }
        let [_, hidden] = Hidden::of_each([&*change.before, &*change.after]);
        let shown = match secrets {
            Secrets::Hidden => known(&change.after.value, &hidden),
            Secrets::Shown => known(&change.after.value, Hidden::NOTHING),
        };
        let planned_identity = change.planned_identity.as_ref();
        let resource = Resource {
            name: ResourceName::new(&change.address, &change.provider.source),
            schema_version: change.schema.version,
            values: shown.unwrap_or_else(|| raw("{}".to_owned())),
            sensitive_values: value::sensitive(
                &change.after.value,
                &hidden,
                Some(change.schema.ty()),
            ),
            identity: identity(planned_identity),
            identity_schema_version: planned_identity.map(|identity| identity.schema_version),
            depends_on: Vec::new(),
            tainted: false,
            deposed_key: None,
        };
        root_module.add(&change.address.resource.module, resource);
    }
    let mut outputs = BTreeMap::new();
    for output in &plan.outputs {
        let Some(after) = &output.after else {
            continue;
        };
        let sensitive = output.is_sensitive();
        let hidden = sensitive && secrets == Secrets::Hidden;
        let shown = !hidden && after.value.is_wholly_known();
        let value = known(&after.value, Hidden::NOTHING).filter(|_| shown);
        let ty = value.as_ref().map(|_| after.value.implied_type());
        outputs.insert(
            output.name.to_string(),
            OutputJson {
                sensitive,
                ty,
                value,
            },
        );
    }
    Values {
        outputs,
        root_module,
    }
}

/// An action in Terraform's words.
pub(in crate::view) fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Read => &["read"],
        Action::Update => &["update"],
        Action::DeleteThenCreate => &["delete", "create"],
        Action::CreateThenDelete => &["create", "delete"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    }
}

/// A reason in Terraform's words.
pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::ReplaceBecauseTainted => "replace_because_tainted",
        Reason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
        Reason::ReplaceByRequest => "replace_by_request",
        Reason::ReplaceByTriggers => "replace_by_triggers",
        Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
        Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
        Reason::DeleteBecauseCountIndex => "delete_because_count_index",
        Reason::DeleteBecauseEachKey => "delete_because_each_key",
        Reason::DeleteBecauseNoModule => "delete_because_no_module",
        Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
        Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
    }
}
