//! Schemas on the wire: decoded type by type when asked for, in the form of either protocol version.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use terrane_core::Type;
use terrane_core::schema::{
    Attribute, AttributeType, Block, Function, IdentityAttribute, IdentitySchema, NestedAttribute,
    NestedBlock, Nesting, Parameter, Schema,
};

use super::generated::{tfplugin5, tfplugin6};
use super::rpc::Protocol;

/// The response of `GetProviderSchema` with every schema left as bytes.
///
/// A map travels as repeated entries, and a message field as bytes, so this reads and writes the same wire form.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LazyProviderSchema {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) provider: Option<Bytes>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) resources: Vec<LazySchema>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) data_sources: Vec<LazySchema>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) diagnostics: Vec<tfplugin6::Diagnostic>,
    #[prost(bytes = "bytes", optional, tag = "5")]
    pub(crate) provider_meta: Option<Bytes>,
    #[prost(message, optional, tag = "6")]
    pub(crate) server_capabilities: Option<tfplugin6::ServerCapabilities>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) functions: Vec<LazySchema>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) ephemeral_resources: Vec<LazySchema>,
    #[prost(message, repeated, tag = "9")]
    pub(crate) list_resources: Vec<LazySchema>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) actions: Vec<LazySchema>,
}

/// One entry of a map of schemas, or of functions.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LazySchema {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) schema: Bytes,
}

/// The schema in those bytes; the error is a fragment that says why there is none.
pub(crate) fn decode_schema(bytes: &Bytes, protocol: Protocol) -> Result<Schema, String> {
    match protocol {
        Protocol::V5 => five::decode(bytes.clone()),
        Protocol::V6 => six::decode(bytes.clone()),
    }
}

/// The bytes of a schema; the error names what that version has no form for.
pub(crate) fn encode_schema(schema: &Schema, protocol: Protocol) -> Result<Bytes, String> {
    Ok(match protocol {
        Protocol::V5 => five::encode(schema)?.encode_to_vec().into(),
        Protocol::V6 => six::encode(schema)?.encode_to_vec().into(),
    })
}

/// The schema of an action in those bytes: a message around it.
pub(crate) fn decode_action_schema(bytes: &Bytes, protocol: Protocol) -> Result<Schema, String> {
    let action = LazyAction::decode(bytes.clone()).map_err(|error| error.to_string())?;
    decode_schema(&action.schema.unwrap_or_default(), protocol)
}

/// The bytes of an action's schema.
pub(crate) fn encode_action_schema(schema: &Schema, protocol: Protocol) -> Result<Bytes, String> {
    let schema = Some(encode_schema(schema, protocol)?);
    Ok(LazyAction { schema }.encode_to_vec().into())
}

/// An action's schema left as bytes.
#[derive(Clone, PartialEq, Message)]
struct LazyAction {
    #[prost(bytes = "bytes", optional, tag = "1")]
    schema: Option<Bytes>,
}

/// The signature of a function in those bytes.
pub(crate) fn decode_function(bytes: &Bytes) -> Result<Function, String> {
    let function = tfplugin6::Function::decode(bytes.clone()).map_err(|error| error.to_string())?;
    let parameter = |parameter: tfplugin6::function::Parameter| {
        Ok::<_, String>(Parameter {
            ty: read_type_of("parameter", &parameter.name, &parameter.r#type)?,
            name: parameter.name.into(),
            allows_null: parameter.allow_null_value,
            allows_unknown: parameter.allow_unknown_values,
        })
    };
    let parameters = function.parameters.into_iter().map(parameter);
    let returned = function.r#return.unwrap_or_default();
    Ok(Function {
        parameters: parameters.collect::<Result<_, _>>()?,
        variadic: function.variadic_parameter.map(parameter).transpose()?,
        result: Type::from_json(&returned.r#type).map_err(|error| format!("result: {error}"))?,
        deprecation: function.deprecation_message,
    })
}

/// The bytes of a function's signature.
pub(crate) fn encode_function(function: &Function) -> Bytes {
    let parameter = |parameter: &Parameter| tfplugin6::function::Parameter {
        name: parameter.name.to_string(),
        r#type: parameter.ty.to_json().into(),
        allow_null_value: parameter.allows_null,
        allow_unknown_values: parameter.allows_unknown,
        ..Default::default()
    };
    let encoded = tfplugin6::Function {
        parameters: function.parameters.iter().map(parameter).collect(),
        variadic_parameter: function.variadic.as_ref().map(parameter),
        r#return: Some(tfplugin6::function::Return {
            r#type: function.result.to_json().into(),
        }),
        deprecation_message: function.deprecation.clone(),
        ..Default::default()
    };
    encoded.encode_to_vec().into()
}

/// An identity schema that was received.
pub(crate) fn read_identity_schema(
    schema: &tfplugin6::ResourceIdentitySchema,
) -> Result<IdentitySchema, String> {
    let attributes = schema.identity_attributes.iter().map(|attribute| {
        Ok::<_, String>(IdentityAttribute {
            name: attribute.name.as_str().into(),
            ty: read_type(&attribute.name, &attribute.r#type)?,
            required_for_import: attribute.required_for_import,
            optional_for_import: attribute.optional_for_import,
        })
    });
    let attributes = attributes.collect::<Result<_, _>>()?;
    Ok(IdentitySchema::new(count(schema.version), attributes))
}

/// An identity schema as the wire has it.
pub(crate) fn write_identity_schema(schema: &IdentitySchema) -> tfplugin6::ResourceIdentitySchema {
    let attributes = schema.attributes.iter().map(|attribute| {
        tfplugin6::resource_identity_schema::IdentityAttribute {
            name: attribute.name.to_string(),
            r#type: attribute.ty.to_json().into(),
            required_for_import: attribute.required_for_import,
            optional_for_import: attribute.optional_for_import,
            ..Default::default()
        }
    });
    tfplugin6::ResourceIdentitySchema {
        version: schema.version.cast_signed(),
        identity_attributes: attributes.collect(),
    }
}

fn read_type(name: &str, json: &[u8]) -> Result<Type, String> {
    read_type_of("attribute", name, json)
}

fn read_type_of(kind: &str, name: &str, json: &[u8]) -> Result<Type, String> {
    Type::from_json(json).map_err(|error| format!("{kind} `{name}`: {error}"))
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The translation for one version, whose messages are in `$proto`; `$read` and `$write` are its own form of an attribute's type, `$computed` and
/// `$compute` its form of a block that the provider may fill in.
macro_rules! translation {
    ($version:ident, $proto:ident, $read:ident, $write:ident, $computed:ident, $compute:ident) => {
        mod $version {
            use super::$proto as proto;
            use super::*;
            use proto::schema::nested_block::NestingMode;

            pub(super) fn decode(bytes: Bytes) -> Result<Schema, String> {
                let schema = proto::Schema::decode(bytes).map_err(|error| error.to_string())?;
                let block = schema.block.unwrap_or_default();
                Ok(Schema::new(count(schema.version), read_block(block)?))
            }

            fn read_block(block: proto::schema::Block) -> Result<Block, String> {
                let computed = super::$computed(&block);
                let mut blocks = BTreeMap::new();
                for nested in block.block_types {
                    let nesting = match nested.nesting() {
                        NestingMode::Single => Nesting::Single,
                        NestingMode::Group => Nesting::Group,
                        NestingMode::List => Nesting::List,
                        NestingMode::Set => Nesting::Set,
                        NestingMode::Map => Nesting::Map,
                        NestingMode::Invalid => {
                            return Err(format!(
                                "block `{}` has no nesting mode",
                                nested.type_name
                            ));
                        }
                    };
                    let block = NestedBlock {
                        block: read_block(nested.block.unwrap_or_default())?,
                        nesting,
                        min_items: count(nested.min_items),
                        max_items: count(nested.max_items),
                    };
                    blocks.insert(nested.type_name.into(), block);
                }
                Ok(Block {
                    attributes: read_attributes(block.attributes)?,
                    blocks,
                    deprecated: block.deprecated,
                    computed,
                })
            }

            pub(super) fn read_attributes(
                attributes: Vec<proto::schema::Attribute>,
            ) -> Result<BTreeMap<Arc<str>, Attribute>, String> {
                let mut read = BTreeMap::new();
                for mut attribute in attributes {
                    let ty = super::$read(&mut attribute)?;
                    let name = attribute.name.into();
                    let attribute = Attribute {
                        ty,
                        required: attribute.required,
                        optional: attribute.optional,
                        computed: attribute.computed,
                        sensitive: attribute.sensitive,
                        write_only: attribute.write_only,
                        deprecated: attribute.deprecated,
                    };
                    read.insert(name, attribute);
                }
                Ok(read)
            }

            pub(super) fn encode(schema: &Schema) -> Result<proto::Schema, String> {
                Ok(proto::Schema {
                    version: schema.version.cast_signed(),
                    block: Some(write_block(&schema.block)?),
                })
            }

            fn write_block(block: &Block) -> Result<proto::schema::Block, String> {
                let mut block_types = Vec::new();
                for (name, nested) in &block.blocks {
                    let nesting = match nested.nesting {
                        Nesting::Single => NestingMode::Single,
                        Nesting::Group => NestingMode::Group,
                        Nesting::List => NestingMode::List,
                        Nesting::Set => NestingMode::Set,
                        Nesting::Map => NestingMode::Map,
                    };
                    block_types.push(proto::schema::NestedBlock {
                        type_name: name.to_string(),
                        block: Some(write_block(&nested.block)?),
                        nesting: nesting.into(),
                        min_items: nested.min_items.cast_signed(),
                        max_items: nested.max_items.cast_signed(),
                    });
                }
                let mut written = proto::schema::Block {
                    attributes: write_attributes(&block.attributes)?,
                    block_types,
                    deprecated: block.deprecated,
                    ..Default::default()
                };
                super::$compute(block.computed, &mut written)?;
                Ok(written)
            }

            pub(super) fn write_attributes(
                attributes: &BTreeMap<Arc<str>, Attribute>,
            ) -> Result<Vec<proto::schema::Attribute>, String> {
                (attributes.iter())
                    .map(|(name, attribute)| {
                        let mut written = proto::schema::Attribute {
                            name: name.to_string(),
                            required: attribute.required,
                            optional: attribute.optional,
                            computed: attribute.computed,
                            sensitive: attribute.sensitive,
                            write_only: attribute.write_only,
                            deprecated: attribute.deprecated,
                            ..Default::default()
                        };
                        super::$write(&attribute.ty, &mut written)?;
                        Ok(written)
                    })
                    .collect()
            }
        }
    };
}

translation!(
    five,
    tfplugin5,
    read_plain,
    write_plain,
    never_computed,
    cannot_be_computed
);
translation!(six, tfplugin6, read_any, write_any, is_computed, compute);

fn never_computed(_: &tfplugin5::schema::Block) -> bool {
    false
}

fn cannot_be_computed(computed: bool, _: &mut tfplugin5::schema::Block) -> Result<(), String> {
    match computed {
        true => Err("a block is computed, which protocol 5 has no form for".to_owned()),
        false => Ok(()),
    }
}

fn is_computed(block: &tfplugin6::schema::Block) -> bool {
    block.computed
}

#[allow(clippy::unnecessary_wraps)] // its counterpart for version 5 can fail
fn compute(computed: bool, block: &mut tfplugin6::schema::Block) -> Result<(), String> {
    block.computed = computed;
    Ok(())
}

fn read_plain(attribute: &mut tfplugin5::schema::Attribute) -> Result<AttributeType, String> {
    read_type(&attribute.name, &attribute.r#type).map(AttributeType::Plain)
}

fn write_plain(
    ty: &AttributeType,
    attribute: &mut tfplugin5::schema::Attribute,
) -> Result<(), String> {
    let AttributeType::Plain(ty) = ty else {
        return Err(format!(
            "attribute `{}` nests attributes, which protocol 5 has no form for",
            attribute.name
        ));
    };
    attribute.r#type = ty.to_json().into();
    Ok(())
}

use tfplugin6::schema::object::NestingMode as ObjectNesting;

fn read_any(attribute: &mut tfplugin6::schema::Attribute) -> Result<AttributeType, String> {
    let Some(object) = attribute.nested_type.take() else {
        return read_type(&attribute.name, &attribute.r#type).map(AttributeType::Plain);
    };
    let nesting = match object.nesting() {
        ObjectNesting::Single => Nesting::Single,
        ObjectNesting::List => Nesting::List,
        ObjectNesting::Set => Nesting::Set,
        ObjectNesting::Map => Nesting::Map,
        ObjectNesting::Invalid => {
            return Err(format!(
                "attribute `{}` has no nesting mode",
                attribute.name
            ));
        }
    };
    Ok(AttributeType::Nested(Box::new(NestedAttribute {
        attributes: six::read_attributes(object.attributes)?,
        nesting,
    })))
}

fn write_any(
    ty: &AttributeType,
    attribute: &mut tfplugin6::schema::Attribute,
) -> Result<(), String> {
    match ty {
        AttributeType::Plain(ty) => attribute.r#type = ty.to_json().into(),
        AttributeType::Nested(nested) => {
            let nesting = match nested.nesting {
                Nesting::Single => ObjectNesting::Single,
                Nesting::List => ObjectNesting::List,
                Nesting::Set => ObjectNesting::Set,
                Nesting::Map => ObjectNesting::Map,
                Nesting::Group => {
                    return Err(format!("attribute `{}` is a group", attribute.name));
                }
            };
            attribute.nested_type = Some(tfplugin6::schema::Object {
                attributes: six::write_attributes(&nested.attributes)?,
                nesting: nesting.into(),
                ..Default::default()
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(ty: AttributeType) -> Attribute {
        Attribute {
            ty,
            required: false,
            optional: true,
            computed: true,
            sensitive: true,
            write_only: true,
            deprecated: true,
        }
    }

    fn schema(with_nested: bool) -> Schema {
        let plain = attribute(AttributeType::Plain(Type::list(Type::String)));
        let mut attributes = BTreeMap::from([(Arc::from("a"), plain.clone())]);
        if with_nested {
            let nested = NestedAttribute {
                attributes: BTreeMap::from([(Arc::from("inner"), plain)]),
                nesting: Nesting::Map,
            };
            attributes.insert(
                "n".into(),
                attribute(AttributeType::Nested(Box::new(nested))),
            );
        }
        let inner = Block {
            attributes: attributes.clone(),
            ..Block::default()
        };
        let blocks = [
            Nesting::Single,
            Nesting::Group,
            Nesting::List,
            Nesting::Set,
            Nesting::Map,
        ]
        .map(|nesting| {
            let nested = NestedBlock {
                block: inner.clone(),
                nesting,
                min_items: 1,
                max_items: 2,
            };
            (format!("{nesting:?}").into(), nested)
        });
        let block = Block {
            attributes,
            blocks: blocks.into(),
            deprecated: true,
            computed: with_nested,
        };
        Schema::new(3, block)
    }

    #[test]
    fn a_schema_round_trips_through_both_versions() {
        for (protocol, schema) in [(Protocol::V5, schema(false)), (Protocol::V6, schema(true))] {
            let bytes = encode_schema(&schema, protocol).expect("has a form");
            assert_eq!(decode_schema(&bytes, protocol), Ok(schema));
        }
    }

    #[test]
    fn version_5_has_no_nested_attributes() {
        let error = encode_schema(&schema(true), Protocol::V5).expect_err("refused");
        assert!(error.contains("nests attributes"), "{error}");
    }

    #[test]
    fn functions_actions_and_identities_round_trip() {
        let parameter = |name: &str| Parameter {
            name: name.into(),
            ty: Type::list(Type::String),
            allows_null: true,
            allows_unknown: false,
        };
        let function = Function {
            parameters: vec![parameter("a")],
            variadic: Some(parameter("rest")),
            result: Type::Dynamic,
            deprecation: "use another one".to_owned(),
        };
        assert_eq!(decode_function(&encode_function(&function)), Ok(function));
        for (protocol, schema) in [(Protocol::V5, schema(false)), (Protocol::V6, schema(true))] {
            let bytes = encode_action_schema(&schema, protocol).expect("has a form");
            assert_eq!(decode_action_schema(&bytes, protocol), Ok(schema));
        }
        let attribute = IdentityAttribute {
            name: "number".into(),
            ty: Type::Number,
            required_for_import: false,
            optional_for_import: true,
        };
        let identity = IdentitySchema::new(2, vec![attribute]);
        let written = write_identity_schema(&identity);
        assert_eq!(read_identity_schema(&written), Ok(identity));
    }

    #[test]
    fn the_lazy_response_reads_what_the_whole_one_writes() {
        let bytes = encode_schema(&schema(true), Protocol::V6).expect("has a form");
        let whole = tfplugin6::get_provider_schema::Response {
            provider: Some(tfplugin6::Schema::decode(bytes.clone()).expect("a schema")),
            resource_schemas: [("r", 1_i64), ("s", 2)]
                .map(|(name, version)| {
                    let schema = tfplugin6::Schema {
                        version,
                        block: None,
                    };
                    (name.to_owned(), schema)
                })
                .into(),
            ..Default::default()
        };
        let lazy = LazyProviderSchema::decode(whole.encode_to_vec().as_slice()).expect("reads");
        assert_eq!(lazy.provider, Some(bytes));
        let names: Vec<_> = lazy
            .resources
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["r", "s"]);
        let second = decode_schema(&lazy.resources[1].schema, Protocol::V6).expect("a schema");
        assert_eq!(second.version, 2);
    }
}
