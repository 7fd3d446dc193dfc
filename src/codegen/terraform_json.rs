//! Reads the output of `terraform providers schema -json` and `tofu providers schema -json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use terrane_core::Type;
use terrane_core::schema::{
    Attribute, AttributeType, Block, Function, NestedAttribute, NestedBlock, Nesting, Parameter,
    ProviderSchema, Schema,
};
use thiserror::Error;

/// The text is not a document of provider schemas.
#[derive(Debug, Error)]
#[error("invalid provider schema document")]
#[non_exhaustive]
pub struct ParseSchemasError {
    /// The JSON reader's message, with line and column.
    #[source]
    pub source: serde_json::Error,
}

/// Reads the schemas of every provider in the document, by source address.
///
/// # Errors
/// When it is not such a document.
pub fn from_terraform_json(
    json: &[u8],
) -> Result<BTreeMap<String, ProviderSchema>, ParseSchemasError> {
    let document: Document =
        serde_json::from_slice(json).map_err(|source| ParseSchemasError { source })?;
    let providers = document.provider_schemas.into_iter();
    Ok(providers
        .map(|(source, provider)| (source, provider.into()))
        .collect())
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    provider_schemas: BTreeMap<String, ProviderJson>,
}

#[derive(Deserialize)]
struct ProviderJson {
    provider: Option<SchemaJson>,
    #[serde(default)]
    resource_schemas: BTreeMap<Arc<str>, SchemaJson>,
    #[serde(default)]
    data_source_schemas: BTreeMap<Arc<str>, SchemaJson>,
    #[serde(default)]
    ephemeral_resource_schemas: BTreeMap<Arc<str>, SchemaJson>,
    #[serde(default)]
    functions: BTreeMap<Arc<str>, FunctionJson>,
}

#[derive(Deserialize)]
struct FunctionJson {
    #[serde(default)]
    parameters: Vec<ParameterJson>,
    variadic_parameter: Option<ParameterJson>,
    return_type: Type,
    #[serde(default)]
    deprecation_message: String,
}

#[derive(Deserialize)]
struct ParameterJson {
    #[serde(default)]
    name: Arc<str>,
    #[serde(rename = "type")]
    ty: Type,
    #[serde(default)]
    is_nullable: bool,
}

#[derive(Deserialize)]
struct SchemaJson {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    block: BlockJson,
}

#[derive(Deserialize, Default)]
struct BlockJson {
    #[serde(default)]
    attributes: BTreeMap<Arc<str>, AttributeJson>,
    #[serde(default)]
    block_types: BTreeMap<Arc<str>, NestedBlockJson>,
    #[serde(default)]
    deprecated: bool,
}

#[derive(Deserialize)]
struct AttributeJson {
    #[serde(flatten)]
    ty: TypeJson,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    computed: bool,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    write_only: bool,
    #[serde(default)]
    deprecated: bool,
}

/// Exactly one of the two is written.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypeJson {
    #[serde(rename = "type")]
    Plain(Type),
    NestedType(NestedTypeJson),
}

#[derive(Deserialize)]
struct NestedTypeJson {
    attributes: BTreeMap<Arc<str>, AttributeJson>,
    nesting_mode: NestingJson,
}

#[derive(Deserialize)]
struct NestedBlockJson {
    nesting_mode: NestingJson,
    #[serde(default)]
    block: BlockJson,
    #[serde(default)]
    min_items: u64,
    #[serde(default)]
    max_items: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum NestingJson {
    Single,
    Group,
    List,
    Set,
    Map,
}

impl From<ProviderJson> for ProviderSchema {
    fn from(json: ProviderJson) -> Self {
        let all = |schemas: BTreeMap<Arc<str>, SchemaJson>| {
            let schemas = schemas.into_iter();
            schemas
                .map(|(name, schema)| (name, Arc::new(schema.into())))
                .collect()
        };
        Self {
            provider: json.provider.map(|schema| Arc::new(schema.into())),
            resources: all(json.resource_schemas),
            data_sources: all(json.data_source_schemas),
            ephemeral_resources: all(json.ephemeral_resource_schemas),
            functions: (json.functions.into_iter())
                .map(|(name, function)| (name, Arc::new(function.into())))
                .collect(),
            ..Self::default()
        }
    }
}

impl From<FunctionJson> for Function {
    fn from(json: FunctionJson) -> Self {
        Self {
            parameters: json.parameters.into_iter().map(Into::into).collect(),
            variadic: json.variadic_parameter.map(Into::into),
            result: json.return_type,
            deprecation: json.deprecation_message,
        }
    }
}

impl From<ParameterJson> for Parameter {
    fn from(json: ParameterJson) -> Self {
        Self {
            name: json.name,
            ty: json.ty,
            allows_null: json.is_nullable,
            allows_unknown: false,
        }
    }
}

impl From<SchemaJson> for Schema {
    fn from(json: SchemaJson) -> Self {
        Self::new(json.version, json.block.into())
    }
}

impl From<BlockJson> for Block {
    fn from(json: BlockJson) -> Self {
        let blocks = json.block_types.into_iter();
        Self {
            attributes: attributes(json.attributes),
            blocks: blocks.map(|(name, nested)| (name, nested.into())).collect(),
            deprecated: json.deprecated,
            ..Self::default()
        }
    }
}

impl From<NestedBlockJson> for NestedBlock {
    fn from(json: NestedBlockJson) -> Self {
        Self {
            block: json.block.into(),
            nesting: json.nesting_mode.into(),
            min_items: json.min_items,
            max_items: json.max_items,
        }
    }
}

impl From<AttributeJson> for Attribute {
    fn from(json: AttributeJson) -> Self {
        let ty = match json.ty {
            TypeJson::Plain(ty) => AttributeType::Plain(ty),
            TypeJson::NestedType(nested) => AttributeType::Nested(Box::new(NestedAttribute {
                attributes: attributes(nested.attributes),
                nesting: nested.nesting_mode.into(),
            })),
        };
        Self {
            ty,
            required: json.required,
            optional: json.optional,
            computed: json.computed,
            sensitive: json.sensitive,
            write_only: json.write_only,
            deprecated: json.deprecated,
        }
    }
}

impl From<NestingJson> for Nesting {
    fn from(json: NestingJson) -> Self {
        match json {
            NestingJson::Single => Self::Single,
            NestingJson::Group => Self::Group,
            NestingJson::List => Self::List,
            NestingJson::Set => Self::Set,
            NestingJson::Map => Self::Map,
        }
    }
}

fn attributes(json: BTreeMap<Arc<str>, AttributeJson>) -> BTreeMap<Arc<str>, Attribute> {
    json.into_iter()
        .map(|(name, attribute)| (name, attribute.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use terrane_core::schema::{FactsKind, to_facts_line};

    use super::*;

    #[test]
    fn a_schema_document_becomes_schemas() {
        let json = br#"{"format_version": "1.0", "provider_schemas": {"registry.terraform.io/hashicorp/aws": {
            "provider": {"version": 0, "block": {"attributes": {"region": {"type": "string", "optional": true, "description": "Where."}}}},
            "resource_schemas": {"aws_thing": {"version": 2, "block": {
                "attributes": {
                    "id": {"type": "string", "computed": true, "description_kind": "plain"},
                    "rules": {"nested_type": {"attributes": {"port": {"type": "number", "required": true}}, "nesting_mode": "set"}, "optional": true},
                    "secret": {"type": ["map", "string"], "optional": true, "sensitive": true, "write_only": true, "deprecated": true}
                },
                "block_types": {"vpc": {"nesting_mode": "list", "min_items": 1, "max_items": 1, "block": {"deprecated": true}}}
            }}}
        }}}"#;
        let providers = from_terraform_json(json).expect("schemas");
        let provider = &providers["registry.terraform.io/hashicorp/aws"];
        assert!(provider.provider.is_some() && provider.data_sources.is_empty());
        let schema = &provider.resources["aws_thing"];
        assert_eq!(
            to_facts_line(FactsKind::Resource, "aws_thing", schema),
            "resource aws_thing 2 {id:c string,rules:o set{port:r number},secret:oswd map(string),vpc=list[1..1]!{}}"
        );
    }

    #[test]
    fn what_is_no_schema_document_is_refused() {
        for json in [
            "",
            "3",
            r#"{"provider_schemas": {"a": {"resource_schemas": {"t": {"block": {"attributes": {"x": {}}}}}}}}"#,
        ] {
            assert!(from_terraform_json(json.as_bytes()).is_err(), "{json}");
        }
    }
}
