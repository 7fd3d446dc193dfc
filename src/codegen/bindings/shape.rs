//! Turns a schema into arguments, attributes and nested objects with Rust names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_core::Type;
use terrane_core::schema::{Attribute, AttributeType, Block, FactsKind, NestedBlock, Nesting};

use super::GenerateError;
use crate::catalogue::Catalogue;
use crate::names::{method, pascal};

/// An object: the resource itself, or one nested in it.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its Rust name; nested ones carry the names of those around them, so that a new block never renames another.
    pub(super) name: String,
    /// Where it is in the schema, for documentation: `rule.filter`.
    pub(super) path: String,
    pub(super) members: Vec<Member>,
    /// The members of an object type, all of which must be there; blocks may leave theirs out.
    pub(super) nulls: bool,
    /// Whether a user can write it.
    pub(super) settable: bool,
    /// Whether an index leads to it from the resource; elements of a set have none.
    pub(super) reachable: bool,
}

/// An argument or attribute.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name in the schema.
    pub(super) name: String,
    /// Its name in Rust.
    pub(super) method: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) settable: bool,
    pub(super) readable: bool,
    /// Whether the provider sets it where a user does not.
    pub(super) computed: bool,
    /// Whether it is sent only, and never stored.
    pub(super) write_only: bool,
    /// How many there may be, if it is a block: the least and the most, 0 being no limit.
    pub(super) items: Option<(u64, u64)>,
    pub(super) deprecated: bool,
}

impl Member {
    /// The word for it in a schema.
    pub(super) fn noun(&self) -> &'static str {
        match self.items {
            Some(_) => "block",
            None if self.settable => "argument",
            None => "attribute",
        }
    }

    /// Whether a user must or may set it, for documentation.
    pub(super) fn presence(&self) -> String {
        let presence = match (self.settable, self.required, self.computed) {
            (false, ..) => "Computed",
            (true, true, _) => "Required",
            (true, false, true) => "Optional; computed where it is not set",
            (true, false, false) => "Optional",
        };
        let count = match self.items {
            Some((1, 1)) => ", exactly one".to_owned(),
            Some((0 | 1, 0)) | None => String::new(),
            Some((least, 0)) => format!(", at least {least}"),
            Some((0, 1)) => ", at most one".to_owned(),
            Some((0 | 1, most)) => format!(", at most {most}"),
            Some((least, most)) => format!(", {least} to {most}"),
        };
        match self.settable {
            true => format!("{presence}{count}."),
            false => format!("{presence}."),
        }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A value of that Rust type.
    Value(String),
    /// A value whose type Rust does not know; `read` is as much as is known.
    Any { read: String },
    /// Nested objects of that Rust name.
    Objects { shape: String, nesting: Nesting },
    /// A block that is really a map: the attribute that holds it, and its type.
    Flat { attribute: String, ty: String },
}

/// Names that the bindings need for themselves on every handle and every builder of a resource.
const TAKEN: [&str; 9] = [
    "as_ref",
    "builder",
    "clone",
    "declare",
    "depends_on",
    "instance_key",
    "into",
    "lifecycle",
    "provider",
];

/// Those on the configuration of a provider.
const TAKEN_BY_PROVIDER: [&str; 4] = ["alias", "builder", "into", "pass_env"];

/// Those on nested objects.
const TAKEN_BY_NESTED: [&str; 4] = ["builder", "clone", "from_output", "into"];

/// The rules by which the shapes of one resource type are named and trimmed.
pub(super) struct Rules<'a> {
    kind: FactsKind,
    /// The Rust name of the resource type.
    pub(super) name: &'a str,
    /// The name in the schema, for errors and for `flatten`.
    pub(super) type_name: &'a str,
    read_only: &'a BTreeSet<String>,
    flatten: &'a BTreeMap<String, String>,
    untyped: &'a BTreeSet<String>,
}

impl<'a> Rules<'a> {
    /// The catalogue's rules for a type.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        kind: FactsKind,
        name: &'a str,
        type_name: &'a str,
    ) -> Self {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        Self {
            kind,
            name,
            type_name,
            read_only: match kind {
                FactsKind::Resource => &catalogue.read_only,
                FactsKind::DataSource | FactsKind::Ephemeral | FactsKind::Provider => NONE,
            },
            flatten: &catalogue.flatten,
            untyped: &catalogue.untyped,
        }
    }

    /// The name in Rust of a member of the object at that path.
    fn method(&self, path: &str, name: &str) -> String {
        method(
            name,
            match (path, self.kind) {
                ("", FactsKind::Provider) => &TAKEN_BY_PROVIDER,
                ("", _) => &TAKEN,
                _ => &TAKEN_BY_NESTED,
            },
        )
    }

    /// The attribute that holds the map, if the block at that path is really one.
    fn flatten(&self, path: &str) -> Option<&'a String> {
        self.flatten.get(&format!("{}.{path}", self.type_name))
    }

    /// Whether the inside of what is at that path has no types.
    fn is_untyped(&self, path: &str) -> bool {
        self.untyped.contains(&format!("{}.{path}", self.type_name))
    }
}

/// All objects of a schema, the outermost first.
pub(super) fn shapes(rules: &Rules<'_>, block: &Block) -> Result<Vec<Shape>, GenerateError> {
    let mut all = Vec::new();
    let placement = Placement {
        name: rules.name.to_owned(),
        path: String::new(),
        nulls: false,
        settable: true,
        reachable: true,
    };
    let mut names = BTreeSet::from([placement.name.clone()]);
    add_block(rules, placement, block, &mut names, &mut all)?;
    Ok(all)
}

/// The position of a shape, and its uses.
#[derive(Clone)]
struct Placement {
    name: String,
    path: String,
    nulls: bool,
    settable: bool,
    reachable: bool,
}

impl Placement {
    /// That of an object inside this one; `names` are those that the resource type has so far.
    fn inner(&self, member: &str, nesting: Nesting, names: &mut BTreeSet<String>) -> Self {
        let top = self.path.is_empty();
        let indexed = matches!(nesting, Nesting::Single | Nesting::Group | Nesting::List);
        let outer = if top { "" } else { &*self.name };
        let mut name = format!("{outer}{}", pascal(member));
        // The names of those around it may come to that of another; and the resource may have it itself.
        while PRELUDE.contains(&&*name) || names.contains(&name) {
            name.push_str("Block");
        }
        names.insert(name.clone());
        Self {
            name,
            path: if top {
                member.to_owned()
            } else {
                format!("{}.{member}", self.path)
            },
            nulls: false,
            settable: self.settable,
            reachable: self.reachable && indexed,
        }
    }
}

/// Names that are in scope everywhere and that the generated files use.
const PRELUDE: [&str; 7] = [
    "AsRef",
    "Into",
    "IntoIterator",
    "Option",
    "Self",
    "String",
    "Vec",
];

fn add_block(
    rules: &Rules<'_>,
    placement: Placement,
    block: &Block,
    names: &mut BTreeSet<String>,
    all: &mut Vec<Shape>,
) -> Result<(), GenerateError> {
    let mut members = Vec::new();
    let mut nested: Vec<(Placement, Inner<'_>)> = Vec::new();
    for (name, attribute) in &block.attributes {
        let settable = placement.settable
            && (attribute.required || attribute.optional)
            && !(placement.path.is_empty()
                && attribute.computed
                && !attribute.required
                && rules.read_only.contains(&**name));
        let kind = match &attribute.ty {
            AttributeType::Plain(ty) => {
                plain_kind(rules, &placement, name, ty, settable, names, &mut nested)
            }
            AttributeType::Nested(inner) => {
                let at = Placement {
                    settable,
                    ..placement.inner(name, inner.nesting, names)
                };
                let nesting = inner.nesting;
                if rules.is_untyped(&at.path) {
                    untyped(nesting)
                } else {
                    let shape = at.name.clone();
                    nested.push((at, Inner::Attributes(&inner.attributes)));
                    Kind::Objects { shape, nesting }
                }
            }
        };
        members.push(Member {
            name: name.to_string(),
            method: rules.method(&placement.path, name),
            kind,
            required: settable && attribute.required,
            settable,
            readable: !attribute.write_only,
            computed: attribute.computed,
            write_only: attribute.write_only,
            items: None,
            deprecated: attribute.deprecated,
        });
    }
    for (name, inner) in &block.blocks {
        let at = placement.inner(name, inner.nesting, names);
        if let Some(kind) = flat(rules, &at, inner)? {
            members.push(member_of_block(rules, name, inner, kind, &placement));
            continue;
        }
        if rules.is_untyped(&at.path) {
            let kind = untyped(inner.nesting);
            members.push(member_of_block(rules, name, inner, kind, &placement));
            continue;
        }
        let kind = Kind::Objects {
            shape: at.name.clone(),
            nesting: inner.nesting,
        };
        members.push(member_of_block(rules, name, inner, kind, &placement));
        nested.push((at, Inner::Block(&inner.block)));
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let mut methods = BTreeSet::new();
    for member in &members {
        // Names are written into string literals and documentation as they are.
        if member.name.is_empty() || member.name.contains(['"', '\\', '\n', '\r', '`']) {
            return Err(GenerateError::Name {
                type_name: rules.type_name.to_owned(),
                name: member.name.clone(),
            });
        }
        if !methods.insert(&member.method) {
            return Err(GenerateError::Clash {
                type_name: rules.type_name.to_owned(),
                name: member.method.clone(),
            });
        }
    }
    // A handle that has nothing to ask for is none.
    let readable = members.iter().any(|member| member.readable);
    all.push(Shape {
        name: placement.name,
        path: placement.path,
        members,
        nulls: placement.nulls,
        settable: placement.settable,
        reachable: placement.reachable && readable,
    });
    for (at, inner) in nested {
        match inner {
            Inner::Block(block) => add_block(rules, at, block, names, all)?,
            Inner::Attributes(attributes) => {
                let block = Block {
                    attributes: attributes.clone(),
                    ..Block::default()
                };
                add_block(rules, at, &block, names, all)?;
            }
            Inner::Object(object) => {
                let optional = at.settable;
                let attribute = |ty: &Type| Attribute {
                    ty: AttributeType::Plain(ty.clone()),
                    required: false,
                    optional,
                    computed: true,
                    sensitive: false,
                    write_only: false,
                    deprecated: false,
                };
                let attributes = object.attributes.iter();
                let block = Block {
                    attributes: attributes
                        .map(|(name, ty)| (name.clone(), attribute(ty)))
                        .collect(),
                    ..Block::default()
                };
                add_block(rules, at, &block, names, all)?;
            }
        }
    }
    Ok(())
}

/// The schema of a nested shape.
enum Inner<'a> {
    Block(&'a Block),
    Attributes(&'a BTreeMap<Arc<str>, Attribute>),
    Object(&'a terrane_core::value::ObjectType),
}

fn member_of_block(
    rules: &Rules<'_>,
    name: &str,
    inner: &NestedBlock,
    kind: Kind,
    placement: &Placement,
) -> Member {
    Member {
        name: name.to_owned(),
        method: rules.method(&placement.path, name),
        // Timeouts are ours to read, not the object's to have.
        readable: name != "timeouts" && !matches!(kind, Kind::Flat { .. }),
        kind,
        required: placement.settable && inner.min_items > 0,
        settable: placement.settable,
        computed: false,
        write_only: false,
        items: Some(match inner.nesting {
            Nesting::Single | Nesting::Group => (inner.min_items, 1),
            Nesting::List | Nesting::Set | Nesting::Map => (inner.min_items, inner.max_items),
        }),
        deprecated: inner.block.deprecated,
    }
}

fn flat(
    rules: &Rules<'_>,
    at: &Placement,
    inner: &NestedBlock,
) -> Result<Option<Kind>, GenerateError> {
    let Some(attribute) = rules.flatten(&at.path).cloned() else {
        return Ok(None);
    };
    let ty = match inner.block.attributes.get(&*attribute).map(|a| &a.ty) {
        Some(AttributeType::Plain(ty)) => rust_type(ty),
        _ => None,
    };
    let ty = ty.ok_or_else(|| GenerateError::Flatten {
        type_name: rules.type_name.to_owned(),
        block: at.path.clone(),
        attribute: attribute.clone(),
    })?;
    Ok(Some(Kind::Flat { attribute, ty }))
}

fn plain_kind<'a>(
    rules: &Rules<'_>,
    placement: &Placement,
    name: &str,
    ty: &'a Type,
    settable: bool,
    names: &mut BTreeSet<String>,
    nested: &mut Vec<(Placement, Inner<'a>)>,
) -> Kind {
    if let Some(known) = rust_type(ty) {
        return Kind::Value(known);
    }
    let path = match placement.path.as_str() {
        "" => name.to_owned(),
        outer => format!("{outer}.{name}"),
    };
    if rules.is_untyped(&path) {
        return any(ty);
    }
    let (object, nesting) = match ty {
        Type::Object(object) => (object, Nesting::Single),
        Type::List(element) => match &**element {
            Type::Object(object) => (object, Nesting::List),
            _ => return any(ty),
        },
        Type::Set(element) => match &**element {
            Type::Object(object) => (object, Nesting::Set),
            _ => return any(ty),
        },
        _ => return any(ty),
    };
    let at = Placement {
        nulls: settable,
        settable,
        ..placement.inner(name, nesting, names)
    };
    let shape = at.name.clone();
    nested.push((at, Inner::Object(object)));
    Kind::Objects { shape, nesting }
}

fn any(ty: &Type) -> Kind {
    let read = match ty {
        Type::List(_) | Type::Set(_) => "Vec<tr::Value>",
        Type::Map(_) => "::std::collections::BTreeMap<String, tr::Value>",
        _ => "tr::Value",
    };
    Kind::Any {
        read: read.to_owned(),
    }
}

/// Objects whose inside is not typed.
fn untyped(nesting: Nesting) -> Kind {
    let read = match nesting {
        Nesting::Single | Nesting::Group => "tr::Value",
        Nesting::List | Nesting::Set => "Vec<tr::Value>",
        Nesting::Map => "::std::collections::BTreeMap<String, tr::Value>",
    };
    Kind::Any {
        read: read.to_owned(),
    }
}

/// The Rust type of a type, where it has no objects and nothing dynamic in it.
pub(super) fn rust_type(ty: &Type) -> Option<String> {
    Some(match ty {
        Type::String => "String".to_owned(),
        Type::Number => "tr::value::Number".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::List(element) | Type::Set(element) => format!("Vec<{}>", rust_type(element)?),
        Type::Map(element) => format!(
            "::std::collections::BTreeMap<String, {}>",
            rust_type(element)?
        ),
        Type::Dynamic | Type::Tuple(_) | Type::Object(_) => return None,
    })
}
