//! Reading a schema from a line of facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{FactsKind, ParseFactsError};
use crate::schema::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, Schema,
};
use crate::value::{ObjectType, Type};

/// Deepest nesting of types and blocks; real schemas have about twenty levels.
const MAX_DEPTH: usize = 200;

pub(super) fn line(line: &str) -> Result<(FactsKind, &str, Schema), ParseFactsError> {
    let mut reader = Reader::new(line);
    let kind = match reader.until(' ', "a kind")? {
        "provider" => FactsKind::Provider,
        "resource" => FactsKind::Resource,
        "data" => FactsKind::DataSource,
        "ephemeral" => FactsKind::Ephemeral,
        _ => {
            reader.rest = line;
            return reader.expected("`resource`, `data`, `ephemeral` or `provider`");
        }
    };
    let name = reader.until(' ', "a name")?;
    let before = reader.rest;
    let Ok(version) = reader.until(' ', "a version")?.parse() else {
        reader.rest = before;
        return reader.expected("a version number");
    };
    let block = reader.block()?;
    if !reader.rest.is_empty() {
        return reader.expected("the end of the line");
    }
    Ok((kind, name, Schema::new(version, block)))
}

pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
    depth: usize,
}

pub(super) type Read<T> = Result<T, ParseFactsError>;

impl<'a> Reader<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self {
            rest: line,
            depth: 0,
        }
    }

    pub(super) fn expected<T>(&self, expected: &'static str) -> Read<T> {
        Err(ParseFactsError {
            expected,
            found: self.rest.chars().take(40).collect(),
        })
    }

    pub(super) fn until(&mut self, end: char, expected: &'static str) -> Read<&'a str> {
        let Some((part, rest)) = self
            .rest
            .split_once(end)
            .filter(|(part, _)| !part.is_empty())
        else {
            return self.expected(expected);
        };
        self.rest = rest;
        Ok(part)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn need(&mut self, text: &str, expected: &'static str) -> Read<()> {
        if self.eat(text) {
            Ok(())
        } else {
            self.expected(expected)
        }
    }

    /// One level deeper; the caller goes back up with [`Self::leave`].
    fn enter(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.expected("fewer levels")
        } else {
            Ok(())
        }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn word(&mut self) -> &'a str {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !inside(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    pub(super) fn name(&mut self, expected: &'static str) -> Read<Arc<str>> {
        if self.rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let Some(Ok(name)) = stream.next() else {
                return self.expected(expected);
            };
            self.rest = &self.rest[stream.byte_offset()..];
            return Ok(name.into());
        }
        match self.word() {
            "" => self.expected(expected),
            name => Ok(name.into()),
        }
    }

    fn block(&mut self) -> Read<Block> {
        self.enter()?;
        let mut block = Block {
            deprecated: self.eat("!"),
            computed: self.eat("?"),
            ..Block::default()
        };
        self.need("{", "`{`")?;
        let mut first = true;
        while !self.eat("}") {
            if !std::mem::take(&mut first) {
                self.need(",", "`,` or `}`")?;
            }
            let name = self.name("the name of an attribute or a block")?;
            if self.eat("=") {
                let nested = self.nested_block()?;
                block.blocks.insert(name, nested);
            } else {
                let attribute = self.attribute()?;
                block.attributes.insert(name, attribute);
            }
        }
        self.leave();
        Ok(block)
    }

    fn nested_block(&mut self) -> Read<NestedBlock> {
        let before = self.rest;
        let Some(nesting) = nesting(self.word()) else {
            self.rest = before;
            return self.expected("a nesting");
        };
        let (mut min_items, mut max_items) = (0, 0);
        if self.eat("[") {
            min_items = self.limit()?;
            self.need("..", "`..`")?;
            max_items = self.limit()?;
            self.need("]", "`]`")?;
        }
        let block = self.block()?;
        Ok(NestedBlock {
            block,
            nesting,
            min_items,
            max_items,
        })
    }

    fn limit(&mut self) -> Read<u64> {
        match self.word() {
            "" => Ok(0),
            limit => limit
                .parse()
                .or_else(|_| self.expected("a number of items")),
        }
    }

    /// The text behind the name.
    fn attribute(&mut self) -> Read<Attribute> {
        self.need(":", "`:` or `=`")?;
        let flags = self.word();
        if let Some(place) = flags.find(|flag| !"rocswd".contains(flag)) {
            self.rest = &flags[place..];
            return self.expected("flags out of `rocswd`");
        }
        self.need(" ", "a space")?;
        Ok(Attribute {
            ty: self.attribute_type()?,
            required: flags.contains('r'),
            optional: flags.contains('o'),
            computed: flags.contains('c'),
            sensitive: flags.contains('s'),
            write_only: flags.contains('w'),
            deprecated: flags.contains('d'),
        })
    }

    fn attribute_type(&mut self) -> Read<AttributeType> {
        let before = self.rest;
        if let Some(nesting) = nesting(self.word())
            && self.eat("{")
        {
            self.enter()?;
            let mut attributes = BTreeMap::new();
            while !self.eat("}") {
                if !attributes.is_empty() {
                    self.need(",", "`,` or `}`")?;
                }
                let name = self.name("the name of an attribute")?;
                attributes.insert(name, self.attribute()?);
            }
            self.leave();
            return Ok(AttributeType::Nested(Box::new(NestedAttribute {
                attributes,
                nesting,
            })));
        }
        self.rest = before;
        Ok(AttributeType::Plain(self.ty()?))
    }

    pub(super) fn ty(&mut self) -> Read<Type> {
        self.enter()?;
        let before = self.rest;
        let ty = match self.word() {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "any" => Type::Dynamic,
            "list" => Type::list(self.element()?),
            "set" => Type::set(self.element()?),
            "map" => Type::map(self.element()?),
            "tuple" => self.tuple()?,
            "object" => self.object()?,
            _ => {
                self.rest = before;
                return self.expected("a type");
            }
        };
        self.leave();
        Ok(ty)
    }

    fn element(&mut self) -> Read<Type> {
        self.need("(", "`(`")?;
        let ty = self.ty()?;
        self.need(")", "`)`")?;
        Ok(ty)
    }

    fn tuple(&mut self) -> Read<Type> {
        self.need("(", "`(`")?;
        let mut elements = Vec::new();
        while !self.eat(")") {
            if !elements.is_empty() {
                self.need(",", "`,` or `)`")?;
            }
            elements.push(self.ty()?);
        }
        Ok(Type::Tuple(elements.into()))
    }

    fn object(&mut self) -> Read<Type> {
        self.need("(", "`(`")?;
        let (mut attributes, mut optional) = (BTreeMap::new(), BTreeSet::new());
        while !self.eat(")") {
            if !attributes.is_empty() {
                self.need(",", "`,` or `)`")?;
            }
            let name = self.name("the name of an attribute")?;
            if self.eat("?") {
                optional.insert(name.clone());
            }
            self.need(":", "`:`")?;
            attributes.insert(name, self.ty()?);
        }
        Ok(Type::Object(Arc::new(ObjectType {
            attributes,
            optional,
        })))
    }
}

fn nesting(word: &str) -> Option<Nesting> {
    Some(match word {
        "single" => Nesting::Single,
        "group" => Nesting::Group,
        "list" => Nesting::List,
        "set" => Nesting::Set,
        "map" => Nesting::Map,
        _ => return None,
    })
}
