//! Finds the trees in a schema that are too large to be typed: those that repeat themselves for many levels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_core::Type;
use terrane_core::schema::{Attribute, AttributeType, Block};
use terrane_core::value::ObjectType;

/// As many objects as a type may have inside. A deployment of Kubernetes has 250; rules of a firewall, ten thousands.
const MOST: usize = 1500;

/// The places whose inside is given untyped, so that a type is no larger than that.
pub(super) fn too_deep(type_name: &str, block: &Block) -> Vec<String> {
    let mut cut = BTreeSet::new();
    let whole = Inner::Block(block);
    while count(&whole, "", &cut) > MOST {
        let mut path = String::new();
        let mut inner = whole;
        // Down to where the tree branches.
        while let Some((below, next, size)) = largest(&inner, &path, &cut)
            && (path.is_empty() || size * 10 > count(&inner, &path, &cut) * 8)
        {
            (path, inner) = (below, next);
        }
        if !cut.insert(path) {
            break;
        }
    }
    cut.iter()
        .map(|path| format!("{type_name}.{path}"))
        .collect()
}

/// Something with members.
#[derive(Clone, Copy)]
enum Inner<'a> {
    Block(&'a Block),
    Attributes(&'a BTreeMap<Arc<str>, Attribute>),
    Object(&'a ObjectType),
}

/// The objects inside, by path.
fn members<'a>(inner: &Inner<'a>, path: &str) -> Vec<(String, Inner<'a>)> {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let attributes = |attributes: &'a BTreeMap<Arc<str>, Attribute>| {
        let objects = attributes.iter().filter_map(|(name, attribute)| {
            let inner = match &attribute.ty {
                AttributeType::Nested(nested) => Inner::Attributes(&nested.attributes),
                AttributeType::Plain(ty) => Inner::Object(object(ty)?),
            };
            Some((below(name), inner))
        });
        objects.collect::<Vec<_>>()
    };
    match inner {
        Inner::Attributes(all) => attributes(all),
        Inner::Block(block) => {
            let blocks = block.blocks.iter();
            let blocks = blocks.map(|(name, nested)| (below(name), Inner::Block(&nested.block)));
            attributes(&block.attributes)
                .into_iter()
                .chain(blocks)
                .collect()
        }
        Inner::Object(all) => {
            let objects = all.attributes.iter();
            let objects =
                objects.filter_map(|(name, ty)| Some((below(name), Inner::Object(object(ty)?))));
            objects.collect()
        }
    }
}

/// The object that is an element of a type, or is it.
fn object(ty: &Type) -> Option<&ObjectType> {
    match ty {
        Type::Object(object) => Some(object),
        Type::List(element) | Type::Set(element) => match &**element {
            Type::Object(object) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// How many objects are inside, without those below the places that are cut.
fn count(inner: &Inner<'_>, path: &str, cut: &BTreeSet<String>) -> usize {
    if cut.contains(path) {
        return 0;
    }
    let members = members(inner, path).into_iter();
    members
        .map(|(path, inner)| 1 + count(&inner, &path, cut))
        .sum()
}

fn largest<'a>(
    inner: &Inner<'a>,
    path: &str,
    cut: &BTreeSet<String>,
) -> Option<(String, Inner<'a>, usize)> {
    let members = members(inner, path).into_iter();
    let sized = members.map(|(path, inner)| {
        let size = count(&inner, &path, cut);
        (path, inner, size)
    });
    sized
        .filter(|(.., size)| *size > 0)
        .max_by_key(|(.., size)| *size)
}

#[cfg(test)]
mod tests {
    use terrane_core::schema::from_facts_line;

    use super::*;

    /// Statements in statements, to that depth.
    fn statement(depth: usize) -> String {
        match depth {
            0 => "{a:o string}".to_owned(),
            _ => {
                let inner = statement(depth - 1);
                format!("{{and=list{inner},not=list{inner},or=list{inner}}}")
            }
        }
    }

    #[test]
    fn a_tree_that_repeats_itself_is_cut_where_it_branches() {
        let line = |depth| {
            format!(
                "resource t_acl 0 {{rule=list{{statement=list{}}}}}",
                statement(depth)
            )
        };
        let cut = |line: &str| {
            let (_, name, schema) = from_facts_line(line).expect("a schema");
            too_deep(name, &schema.block)
        };
        assert_eq!(cut(&line(5)), [""; 0]);
        assert_eq!(cut(&line(8)), ["t_acl.rule.statement"]);
    }
}
