//! The Rust names of one type's bindings, for programs that write programs.

use std::sync::Arc;

use terrane_core::Type;
use terrane_core::schema::{AttributeType, Block, FactsKind, Nesting};

use super::GenerateError;
use super::files::names;
use super::shape::{Kind, Rules, Shape, shapes};
use crate::catalogue::Catalogue;
use crate::names::ident;

/// The bindings of one type as Rust code names them.
#[derive(Debug, Clone)]
pub struct BoundType {
    /// The module of the type inside its service: `s3_bucket`, or `data::ami`.
    pub module: String,
    /// The path of the type inside its service: `S3Bucket`, or `data::Ami`.
    pub path: String,
    /// Its objects: the type itself first, then the nested ones.
    pub objects: Vec<BoundObject>,
}

/// An object of a type: the type itself, or one nested in it.
#[derive(Debug, Clone)]
pub struct BoundObject {
    /// Its name in Rust, inside the module of the type.
    pub name: String,
    /// Its arguments and attributes.
    pub members: Vec<BoundMember>,
}

/// An argument or attribute of an object.
#[derive(Debug, Clone)]
pub struct BoundMember {
    /// Its name in the schema.
    pub name: Arc<str>,
    /// Its setter and getter.
    pub method: String,
    /// What it takes and gives.
    pub kind: BoundKind,
    /// Whether a builder is incomplete without it.
    pub required: bool,
    /// Whether a program may set it.
    pub settable: bool,
    /// Whether it is sent only, and never stored.
    pub write_only: bool,
    /// Whether it has a getter.
    pub readable: bool,
    /// Whether it is a block, and no attribute.
    pub is_block: bool,
    /// Whether calling its setter warns.
    pub deprecated: bool,
}

/// What a member takes and gives.
#[derive(Debug, Clone)]
pub enum BoundKind {
    /// A value of that type, without objects in it.
    Value(Type),
    /// A value that the bindings take and give untyped.
    Untyped,
    /// Nested objects: their place among the objects of the type, and how they are collected.
    Objects {
        /// The place.
        object: usize,
        /// How they are collected.
        nesting: Nesting,
        /// Whether an index leads to a typed handle.
        reachable: bool,
    },
    /// A block that is really a map: the attribute that holds it, and its type.
    Map {
        /// The attribute.
        attribute: String,
        /// The type of the map.
        ty: Type,
    },
}

/// The names of a type's bindings; `provider` for those of the provider's configuration.
///
/// # Errors
/// When the type cannot have bindings, as [`generate`](super::generate) says.
pub fn describe(
    catalogue: &Catalogue,
    kind: FactsKind,
    type_name: &str,
    block: &Block,
) -> Result<BoundType, GenerateError> {
    let (module, name) = match kind {
        FactsKind::Provider => ("provider".to_owned(), "Provider".to_owned()),
        _ => {
            let service = catalogue.service_of(type_name)?;
            let service = service.and_then(|service| catalogue.services.get(service));
            let Some(service) = service else {
                return Err(GenerateError::Name {
                    type_name: type_name.to_owned(),
                    name: "no service".to_owned(),
                });
            };
            names(catalogue, service, type_name)
        }
    };
    let schema_name = match kind {
        FactsKind::Provider => "provider",
        _ => type_name,
    };
    let rules = Rules::new(catalogue, kind, &name, schema_name);
    let all = shapes(&rules, block)?;
    let objects = all.iter().map(|shape| object(shape, &all, block)).collect();
    let below = match kind {
        FactsKind::DataSource => "data::",
        FactsKind::Ephemeral => "ephemeral::",
        FactsKind::Resource | FactsKind::Provider => "",
    };
    Ok(BoundType {
        module: format!("{below}{}", ident(&module)),
        path: format!("{below}{name}"),
        objects,
    })
}

fn object(shape: &Shape, all: &[Shape], top: &Block) -> BoundObject {
    let members = shape.members.iter().map(|member| {
        let path = match shape.path.as_str() {
            "" => member.name.clone(),
            path => format!("{path}.{}", member.name),
        };
        BoundMember {
            name: member.name.as_str().into(),
            method: member.method.clone(),
            kind: match &member.kind {
                Kind::Value(_) => match type_at(top, &path) {
                    Some(ty) => BoundKind::Value(ty),
                    None => BoundKind::Untyped,
                },
                Kind::Any { .. } => BoundKind::Untyped,
                Kind::Objects { shape, nesting } => {
                    let place = all.iter().position(|one| one.name == *shape);
                    let object = place.unwrap_or_default();
                    BoundKind::Objects {
                        object,
                        nesting: *nesting,
                        reachable: all[object].reachable,
                    }
                }
                Kind::Flat { attribute, .. } => BoundKind::Map {
                    attribute: attribute.clone(),
                    ty: type_at(top, &format!("{path}.{attribute}")).unwrap_or(Type::Dynamic),
                },
            },
            required: member.required,
            settable: member.settable,
            write_only: member.write_only,
            readable: member.readable,
            is_block: member.items.is_some(),
            deprecated: member.deprecated,
        }
    });
    BoundObject {
        name: shape.name.clone(),
        members: members.collect(),
    }
}

/// The type of the attribute at that path of names.
fn type_at(top: &Block, path: &str) -> Option<Type> {
    let mut names = path.split('.');
    let mut block = top;
    let mut name = names.next()?;
    while let Some(nested) = block.blocks.get(name) {
        block = &nested.block;
        name = names.next()?;
    }
    let mut attribute = block.attributes.get(name)?;
    loop {
        match &attribute.ty {
            AttributeType::Nested(nested) => attribute = nested.attributes.get(names.next()?)?,
            AttributeType::Plain(ty) => {
                let mut ty = ty;
                for name in names {
                    let element = match ty {
                        Type::List(element) | Type::Set(element) => element,
                        other => other,
                    };
                    let Type::Object(object) = element else {
                        return None;
                    };
                    ty = object.attributes.get(name)?;
                }
                return Some(ty.clone());
            }
        }
    }
}
