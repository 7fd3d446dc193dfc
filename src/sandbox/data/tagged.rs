//! The data source of the Resource Groups Tagging API: the ARNs of objects with certain tags.

use terrane_core::schema::Schema;
use terrane_core::value::Map;
use terrane_core::{Diagnostics, Type, Value};

use super::put;
use crate::draft::texts;
use crate::operations::{Failure, Operations, Settings};
use crate::rules::ACCOUNT;

/// Its name.
pub(super) const NAME: &str = "aws_resourcegroupstaggingapi_resources";

pub(super) fn read(
    schema: &Schema,
    state: &mut Map,
    operations: &Operations,
    settings: &Settings,
) -> Result<(), Diagnostics> {
    let mut found = Vec::new();
    let look = operations.cloud.change(&operations.kinds, |objects| {
        let filters = state.get("tag_filter").and_then(Value::elements);
        let filters = filters.unwrap_or_default();
        found = objects
            .all()
            .filter(|(_, object)| filters.iter().all(|filter| has(object, filter)))
            .filter_map(|(type_name, object)| mapping(type_name, object, &settings.region))
            .collect();
        None
    });
    look.map_err(|error| Failure::from(error).into_diagnostic())?;
    let ty = match schema.ty() {
        Type::Object(object) => object.attributes.get("resource_tag_mapping_list"),
        _ => None,
    };
    let list = Value::list(found);
    let list = ty.and_then(|ty| list.convert(ty).ok()).unwrap_or(list);
    put(state, "resource_tag_mapping_list", list);
    put(state, "id", settings.region.as_str());
    Ok(())
}

/// Whether an object has one of the values of a filter under its key, or the key at all where it names no values.
fn has(object: &Map, filter: &Value) -> bool {
    let key = filter.get("key").and_then(Value::as_str);
    let values = filter.get("values").map(texts).unwrap_or_default();
    let tag = object
        .get("tags_all")
        .and_then(|tags| tags.get(key?)?.as_str());
    tag.is_some_and(|tag| values.is_empty() || values.contains(&tag))
}

/// Types whose objects have an ARN that the provider does not show.
const UNSHOWN: [(&str, &str); 2] = [("aws_eip", "elastic-ip"), ("aws_nat_gateway", "natgateway")];

fn mapping(type_name: &str, object: &Map, region: &str) -> Option<Value> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let arn = match text("arn").filter(|arn| !arn.is_empty()) {
        Some(arn) => arn.to_owned(),
        None => {
            let (_, kind) = UNSHOWN.iter().find(|(unshown, _)| *unshown == type_name)?;
            format!("arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{}", text("id")?)
        }
    };
    Some(Value::map([
        ("resource_arn", Value::from(arn)),
        ("tags", object.get("tags_all")?.clone()),
        ("compliance_details", Value::Null),
    ]))
}
