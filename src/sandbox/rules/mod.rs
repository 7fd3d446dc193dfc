//! What AWS decides about its objects: ids, ARNs, endpoints, defaults, how long things take, and what is refused.
//!
//! A type without rules of its own works too: its id is made from its name, and what nobody set stays empty.

mod ec2;
mod eks;
mod iam;
mod ids;
mod refusals;
mod services;

use std::time::Duration;

use terrane_core::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use terrane_core::value::Map;
use terrane_core::{Type, Value};

use crate::cloud::Cloud;
use crate::kind::Kind;
use crate::plan::empty;

pub(crate) use ids::timestamp;
pub(crate) use refusals::{may_be_deleted, may_exist};

/// Whose objects these are, and where.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) region: String,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }
}

impl Account {
    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    /// The same for services that are the same everywhere.
    fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}::{}:{resource}", self.id)
    }
}

/// An object that is being made, where rules put in what is not known yet.
struct Draft<'a> {
    object: &'a mut Map,
    account: &'a Account,
    cloud: &'a Cloud,
}

impl Draft<'_> {
    /// Sets what is unknown; what the user or an earlier state decided stays.
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(slot @ Value::Unknown(_)) = self.object.get_mut(name) {
            *slot = value.into();
        }
    }

    /// The text of an argument, empty if there is none.
    fn text(&self, name: &str) -> String {
        text(self.object, name)
    }

    fn id(&self) -> String {
        self.text("id")
    }

    /// An id of AWS's form, an ARN made of it, and the owner.
    fn identify(&mut self, prefix: &str, resource: &str) {
        let id = ids::hex_id(prefix);
        self.put("id", id);
        let arn = self
            .account
            .arn("ec2", &format!("{resource}/{}", self.id()));
        self.put("arn", arn);
        self.put("owner_id", self.account.id.clone());
    }
}

/// The text of a member, empty if there is none.
fn text(object: &Map, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Puts in everything that AWS decides.
pub(crate) fn complete(
    kind: &Kind,
    object: &mut Map,
    _prior: Option<&Map>,
    account: &Account,
    cloud: &Cloud,
) {
    let mut draft = Draft {
        object,
        account,
        cloud,
    };
    let _ = ec2::complete(&kind.name, &mut draft)
        || eks::complete(&kind.name, &mut draft)
        || iam::complete(&kind.name, &mut draft)
        || services::complete(&kind.name, &mut draft);
    let generic = ids::generic_id(&kind.name);
    draft.put("id", generic);
    let arn = account.arn(ids::service(&kind.name), &draft.id());
    draft.put("arn", arn);
    fill(&kind.schema.block, object);
}

/// Empties whatever is still unknown.
fn fill(block: &Block, object: &mut Map) {
    for (name, attribute) in &block.attributes {
        if let Some(slot @ Value::Unknown(_)) = object.get_mut(name) {
            *slot = nothing(attribute);
        }
    }
    for (name, nested) in &block.blocks {
        if let Some(slot) = object.get_mut(name) {
            *slot = filled(nested, slot);
        }
    }
}

fn nothing(attribute: &Attribute) -> Value {
    match attribute.ty() {
        Type::Object(_) | Type::Dynamic => Value::Null,
        ty => empty(&ty),
    }
}

fn filled(nested: &NestedBlock, value: &Value) -> Value {
    let each = |value: &Value| match value {
        Value::Map(members) => {
            let mut members = members.as_ref().clone();
            fill(&nested.block, &mut members);
            Value::Map(members.into())
        }
        other => other.clone(),
    };
    match (value, nested.nesting) {
        (Value::Unknown(_), Nesting::Set) => Value::Set(Vec::new().into()),
        (Value::Unknown(_), Nesting::Single | Nesting::Group) => Value::Null,
        (Value::Unknown(_), _) => Value::list(Vec::new()),
        (Value::List(blocks), _) => Value::list(blocks.iter().map(each).collect()),
        (Value::Set(blocks), _) => Value::set(
            blocks.iter().map(each).collect(),
            &nested.block.implied_type(),
        ),
        (object @ Value::Map(_), Nesting::Single | Nesting::Group) => each(object),
        (other, _) => other.clone(),
    }
}

/// What a read finds: the object, with those arguments that AWS never tells as the state has them.
pub(crate) fn with_settings(object: &Value, current: &Value) -> Value {
    let (Some(members), Some(known)) = (object.members(), current.members()) else {
        return object.clone();
    };
    let mut members = members.clone();
    if let Some(timeouts) = known.get("timeouts") {
        members.insert("timeouts".into(), timeouts.clone());
    }
    Value::Map(members.into())
}

/// How long AWS takes, roughly.
pub(crate) fn duration(type_name: &str, deleting: bool) -> Duration {
    Duration::from_secs(match (type_name, deleting) {
        ("aws_eks_cluster", false) => 540,
        ("aws_eks_cluster", true) => 180,
        ("aws_eks_node_group", _) => 150,
        ("aws_nat_gateway", _) => 90,
        ("aws_s3_bucket_lifecycle_configuration", false) => 30,
        ("aws_vpc" | "aws_subnet", false) => 10,
        _ => 1,
    })
}

/// What a data source returns; `None` for one that the sandbox does not know.
pub(crate) fn read_data(
    type_name: &str,
    schema: &Schema,
    config: Map,
    account: &Account,
) -> Option<Value> {
    let mut object = config;
    // In a data source everything that only AWS says is open.
    for (name, attribute) in &schema.block.attributes {
        let slot = object.entry(name.clone()).or_insert(Value::Null);
        if slot.is_null() && attribute.computed {
            *slot = Value::UNKNOWN;
        }
    }
    let region = &account.region;
    let mut put = |name: &str, value: Value| {
        if let Some(slot @ Value::Unknown(_)) = object.get_mut(name) {
            *slot = value;
        }
    };
    match type_name {
        "aws_availability_zones" => {
            let zones = ids::ZONES;
            let strings =
                |all: Vec<String>| Value::list(all.into_iter().map(Value::from).collect());
            put("id", region.as_str().into());
            put(
                "names",
                strings(zones.iter().map(|(z, _)| format!("{region}{z}")).collect()),
            );
            let short = ids::short_region(region);
            put(
                "zone_ids",
                strings(
                    zones
                        .iter()
                        .map(|(_, n)| format!("{short}-az{n}"))
                        .collect(),
                ),
            );
            put(
                "group_names",
                Value::set(vec![region.as_str().into()], &Type::String),
            );
        }
        "aws_caller_identity" => {
            put("id", account.id.as_str().into());
            put("account_id", account.id.as_str().into());
            put("arn", account.global_arn("sts", "user/sandbox").into());
            put("user_id", "AIDASANDBOXSANDBOX000".into());
        }
        "aws_partition" => {
            put("id", "aws".into());
            put("partition", "aws".into());
            put("dns_suffix", "amazonaws.com".into());
            put("reverse_dns_prefix", "com.amazonaws".into());
        }
        "aws_region" => {
            put("id", region.as_str().into());
            put("name", region.as_str().into());
            put("endpoint", format!("ec2.{region}.amazonaws.com").into());
            put("description", "the sandbox".into());
        }
        _ => return None,
    }
    fill(&schema.block, &mut object);
    Some(Value::Map(object.into()))
}
