//! Writing a schema as a line of facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FactsKind;
use crate::schema::{Attribute, AttributeType, Block, NestedBlock, Nesting, Schema};
use crate::value::Type;

/// The line of a schema, without the line break; `name` is a type name, so it has no space in it.
pub fn to_facts_line(kind: FactsKind, name: &str, schema: &Schema) -> String {
    let mut line = format!("{} {name} {} ", kind.word(), schema.version);
    block(&schema.block, &mut line);
    line
}

fn block(block: &Block, line: &mut String) {
    if block.deprecated {
        line.push('!');
    }
    if block.computed {
        line.push('?');
    }
    line.push('{');
    attributes(&block.attributes, line);
    for (place, (name, nested)) in block.blocks.iter().enumerate() {
        if place > 0 || !block.attributes.is_empty() {
            line.push(',');
        }
        push_name(name, line);
        line.push('=');
        nested_block(nested, line);
    }
    line.push('}');
}

fn nested_block(nested: &NestedBlock, line: &mut String) {
    line.push_str(word(nested.nesting));
    let limit = |items: u64| {
        if items == 0 {
            String::new()
        } else {
            items.to_string()
        }
    };
    if nested.min_items > 0 || nested.max_items > 0 {
        line.push('[');
        line.push_str(&limit(nested.min_items));
        line.push_str("..");
        line.push_str(&limit(nested.max_items));
        line.push(']');
    }
    block(&nested.block, line);
}

fn attributes(attributes: &BTreeMap<Arc<str>, Attribute>, line: &mut String) {
    for (place, (name, attribute)) in attributes.iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        push_name(name, line);
        line.push(':');
        let flags = [
            (attribute.required, 'r'),
            (attribute.optional, 'o'),
            (attribute.computed, 'c'),
            (attribute.sensitive, 's'),
            (attribute.write_only, 'w'),
            (attribute.deprecated, 'd'),
        ];
        line.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag));
        line.push(' ');
        match &attribute.ty {
            AttributeType::Plain(ty) => push_type(ty, line),
            AttributeType::Nested(nested) => {
                line.push_str(word(nested.nesting));
                line.push('{');
                self::attributes(&nested.attributes, line);
                line.push('}');
            }
        }
    }
}

fn word(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "single",
        Nesting::Group => "group",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    }
}

pub(super) fn push_type(ty: &Type, line: &mut String) {
    let collection = |word: &str, element: &Type, line: &mut String| {
        line.push_str(word);
        line.push('(');
        push_type(element, line);
        line.push(')');
    };
    match ty {
        Type::String => line.push_str("string"),
        Type::Number => line.push_str("number"),
        Type::Bool => line.push_str("bool"),
        Type::Dynamic => line.push_str("any"),
        Type::List(element) => collection("list", element, line),
        Type::Set(element) => collection("set", element, line),
        Type::Map(element) => collection("map", element, line),
        Type::Tuple(elements) => {
            line.push_str("tuple(");
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    line.push(',');
                }
                push_type(element, line);
            }
            line.push(')');
        }
        Type::Object(object) => {
            line.push_str("object(");
            for (place, (name, ty)) in object.attributes.iter().enumerate() {
                if place > 0 {
                    line.push(',');
                }
                push_name(name, line);
                if object.optional.contains(name) {
                    line.push('?');
                }
                line.push(':');
                push_type(ty, line);
            }
            line.push(')');
        }
    }
}

pub(super) fn push_name(name: &str, line: &mut String) {
    if !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        line.push_str(name);
    } else {
        line.push_str(&serde_json::Value::from(name).to_string());
    }
}
