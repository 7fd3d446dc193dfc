//! A provider's schemas in the JSON of `terraform providers schema -json`, with their descriptions.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use serde_json::{Map, Value as Json, json};

use super::generated::{tfplugin5, tfplugin6};
use super::rpc::Protocol;
use super::schema::{LazyProviderSchema, LazySchema};
use super::tfplugin6::function::Parameter;
use super::tfplugin6::{Function, ResourceIdentitySchema};

/// One provider's member of `provider_schemas`; the error is a fragment that says what cannot be read.
pub(crate) fn schemas_json(
    schemas: &LazyProviderSchema,
    identities: &BTreeMap<String, ResourceIdentitySchema>,
    protocol: Protocol,
) -> Result<Json, String> {
    let one = |bytes: &Bytes| match protocol {
        Protocol::V5 => five::schema(bytes.clone()),
        Protocol::V6 => six::schema(bytes.clone()),
    };
    let all = |schemas: &[LazySchema]| {
        let entries = schemas.iter().map(|entry| {
            let schema = one(&entry.schema).map_err(|why| format!("{}: {why}", entry.name));
            Ok((entry.name.clone(), schema?))
        });
        entries.collect::<Result<Map<_, _>, String>>()
    };
    let mut json = Map::new();
    if let Some(provider) = &schemas.provider {
        json.insert("provider".to_owned(), one(provider)?);
    }
    let mut insert = |name: &str, members: Map<String, Json>| {
        // Terraform leaves out what a provider has none of.
        if !members.is_empty() {
            json.insert(name.to_owned(), members.into());
        }
    };
    insert("resource_schemas", all(&schemas.resources)?);
    insert("data_source_schemas", all(&schemas.data_sources)?);
    insert(
        "ephemeral_resource_schemas",
        all(&schemas.ephemeral_resources)?,
    );
    insert("list_resource_schemas", all(&schemas.list_resources)?);
    let functions = schemas.functions.iter().map(|entry| {
        let function = function(&entry.schema).map_err(|why| format!("{}: {why}", entry.name));
        Ok((entry.name.clone(), function?))
    });
    let functions: Result<_, String> = functions.collect();
    insert("functions", functions?);
    let identities = identities.iter().map(|(name, schema)| {
        let identity = identity(schema).map_err(|why| format!("{name}: {why}"));
        Ok((name.clone(), identity?))
    });
    let identities: Result<_, String> = identities.collect();
    insert("resource_identity_schemas", identities?);
    Ok(json.into())
}

/// Both versions have the same message.
fn function(bytes: &Bytes) -> Result<Json, String> {
    let function = Function::decode(bytes.clone()).map_err(|error| error.to_string())?;
    let mut json = Map::new();
    text(&mut json, "description", &function.description);
    text(&mut json, "summary", &function.summary);
    text(
        &mut json,
        "deprecation_message",
        &function.deprecation_message,
    );
    let returned = function.r#return.unwrap_or_default();
    json.insert("return_type".to_owned(), ty(&returned.r#type)?);
    if !function.parameters.is_empty() {
        let parameters = function.parameters.iter().map(parameter);
        let parameters: Result<Vec<_>, String> = parameters.collect();
        json.insert("parameters".to_owned(), parameters?.into());
    }
    if let Some(variadic) = &function.variadic_parameter {
        json.insert("variadic_parameter".to_owned(), parameter(variadic)?);
    }
    Ok(json.into())
}

fn parameter(parameter: &Parameter) -> Result<Json, String> {
    let mut json = Map::new();
    text(&mut json, "name", &parameter.name);
    text(&mut json, "description", &parameter.description);
    flag(&mut json, "is_nullable", parameter.allow_null_value);
    json.insert("type".to_owned(), ty(&parameter.r#type)?);
    Ok(json.into())
}

fn identity(schema: &ResourceIdentitySchema) -> Result<Json, String> {
    let mut attributes = Map::new();
    for attribute in &schema.identity_attributes {
        let mut json = Map::new();
        json.insert("type".to_owned(), ty(&attribute.r#type)?);
        text(&mut json, "description", &attribute.description);
        flag(
            &mut json,
            "required_for_import",
            attribute.required_for_import,
        );
        flag(
            &mut json,
            "optional_for_import",
            attribute.optional_for_import,
        );
        attributes.insert(attribute.name.clone(), json.into());
    }
    Ok(json!({ "version": schema.version, "attributes": attributes }))
}

fn ty(json: &[u8]) -> Result<Json, String> {
    serde_json::from_slice(json).map_err(|error| format!("a type: {error}"))
}

fn text(json: &mut Map<String, Json>, name: &str, text: &str) {
    if !text.is_empty() {
        json.insert(name.to_owned(), text.into());
    }
}

fn flag(json: &mut Map<String, Json>, name: &str, is_set: bool) {
    if is_set {
        json.insert(name.to_owned(), true.into());
    }
}

/// The translation for one version, whose messages are in `$proto`; `$nested` gives the members of an attribute that nests attributes.
macro_rules! translation {
    ($version:ident, $proto:ident, $nested:expr) => {
        mod $version {
            use super::$proto as proto;
            use super::*;
            use proto::schema::nested_block::NestingMode;
            use proto::schema::{Attribute, Block};

            pub(super) fn schema(bytes: Bytes) -> Result<Json, String> {
                let schema = proto::Schema::decode(bytes).map_err(|error| error.to_string())?;
                let block = block(&schema.block.unwrap_or_default())?;
                Ok(json!({ "version": schema.version, "block": block }))
            }

            fn block(block: &Block) -> Result<Json, String> {
                let mut json = Map::new();
                if !block.attributes.is_empty() {
                    json.insert("attributes".to_owned(), attributes(&block.attributes)?);
                }
                let mut blocks = Map::new();
                for nested in &block.block_types {
                    let inner = self::block(nested.block.as_ref().unwrap_or(&Block::default()))?;
                    let mode = match nested.nesting() {
                        NestingMode::Single => "single",
                        NestingMode::Group => "group",
                        NestingMode::List => "list",
                        NestingMode::Set => "set",
                        NestingMode::Map => "map",
                        NestingMode::Invalid => {
                            return Err(format!("block `{}` has no nesting mode", nested.type_name));
                        }
                    };
                    let mut one = Map::new();
                    one.insert("nesting_mode".to_owned(), mode.into());
                    one.insert("block".to_owned(), inner);
                    for (name, items) in [("min_items", nested.min_items), ("max_items", nested.max_items)] {
                        if items != 0 {
                            one.insert(name.to_owned(), items.into());
                        }
                    }
                    blocks.insert(nested.type_name.clone(), one.into());
                }
                if !blocks.is_empty() {
                    json.insert("block_types".to_owned(), blocks.into());
                }
                text(&mut json, "description", &block.description);
                json.insert("description_kind".to_owned(), kind(block.description_kind));
                flag(&mut json, "deprecated", block.deprecated);
                Ok(json.into())
            }

            pub(super) fn attributes(attributes: &[Attribute]) -> Result<Json, String> {
                let entries = attributes.iter().map(|attribute| {
                    let json = self::attribute(attribute);
                    let json = json.map_err(|why| format!("attribute `{}`: {why}", attribute.name));
                    Ok((attribute.name.clone(), json?))
                });
                entries.collect::<Result<Map<_, _>, String>>().map(Json::from)
            }

            fn attribute(attribute: &Attribute) -> Result<Json, String> {
                let mut json = Map::new();
                let nested: fn(&Attribute) -> Result<Option<Json>, String> = $nested;
                match nested(attribute)? {
                    Some(nested) => json.insert("nested_type".to_owned(), nested),
                    None => json.insert("type".to_owned(), ty(&attribute.r#type)?),
                };
                text(&mut json, "description", &attribute.description);
                json.insert("description_kind".to_owned(), kind(attribute.description_kind));
                flag(&mut json, "deprecated", attribute.deprecated);
                flag(&mut json, "required", attribute.required);
                flag(&mut json, "optional", attribute.optional);
                flag(&mut json, "computed", attribute.computed);
                flag(&mut json, "sensitive", attribute.sensitive);
                flag(&mut json, "write_only", attribute.write_only);
                Ok(json.into())
            }

            fn kind(kind: i32) -> Json {
                match proto::StringKind::try_from(kind) {
                    Ok(proto::StringKind::Markdown) => "markdown".into(),
                    _ => "plain".into(),
                }
            }
        }
    };
}

translation!(five, tfplugin5, |_| Ok(None));
translation!(six, tfplugin6, |attribute| {
    use proto::schema::object::NestingMode;
    let Some(nested) = &attribute.nested_type else {
        return Ok(None);
    };
    let mode = match nested.nesting() {
        NestingMode::Single => "single",
        NestingMode::List => "list",
        NestingMode::Set => "set",
        NestingMode::Map => "map",
        NestingMode::Invalid => return Err("it has no nesting mode".to_owned()),
    };
    let attributes = attributes(&nested.attributes)?;
    Ok(Some(
        json!({ "attributes": attributes, "nesting_mode": mode }),
    ))
});
