//! Schemas as compact text, one line a type: the source of the bindings and of the sandbox.
//!
//! Only facts are kept: names, types and flags, no text of the provider's. A line is read when its type is asked for.
//!
//! ```text
//! resource aws_subnet 1 {arn:c string,tags:o map(string),vpc_id:r string,timeouts=single{create:o string}}
//! ```
//!
//! | written | means |
//! |---|---|
//! | `resource`, `data`, `ephemeral`, `provider`, a name, a version | whose schema it is |
//! | `function`, a name, `(a:T,b?:T,...c:T) T` | a function, its parameters (`?` takes null, `...` all further arguments), its result |
//! | `function`, a name, `!(…) T` | a deprecated one |
//! | `name:FLAGS TYPE` | an attribute: `r`equired, `o`ptional, `c`omputed, `s`ensitive, `w`rite-only, `d`eprecated |
//! | `string` `number` `bool` `any` `list(T)` `set(T)` `map(T)` `tuple(T,…)` `object(a:T,b?:T)` | a type; `?` where an attribute may be left out |
//! | `name:FLAGS list{…}` | an attribute whose members have flags of their own; `single`, `set` and `map` likewise |
//! | `name=list[1..3]{…}` | a nested block, with the least and the largest number where they are limited; `group` as well |
//! | `!{…}` | a deprecated block |
//! | `?{…}` | a block that the provider may fill in |
//! | `"a name"` | a name with other characters than letters, digits and `_`, as JSON writes it |
//! | a line that starts with `#` | a comment |

mod function;
mod read;
mod write;

use thiserror::Error;

use super::Schema;

pub use function::{from_function_line, to_function_line};
pub use write::to_facts_line;

/// Whose schema a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactsKind {
    /// The provider's own configuration.
    Provider,
    /// A resource type.
    Resource,
    /// A data source.
    DataSource,
    /// An ephemeral resource type.
    Ephemeral,
}

/// A line is not a schema in facts form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected} at `{found}`")]
#[non_exhaustive]
pub struct ParseFactsError {
    /// The text that was expected.
    pub expected: &'static str,
    /// The text that was found, shortened.
    pub found: String,
}

/// The schemas of one provider, as the texts that hold their lines.
///
/// Looking a type up scans for its line and reads only that; keep the result if you need it again.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    texts: &'static [&'static str],
}

impl FactsKind {
    /// The word that a line starts with.
    pub fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Resource => "resource",
            Self::DataSource => "data",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl Facts {
    /// The facts in those texts, usually one a service.
    pub const fn new(texts: &'static [&'static str]) -> Self {
        Self { texts }
    }

    /// The schema of the provider's own configuration.
    ///
    /// # Panics
    /// When its line is damaged: facts are generated and compiled in.
    pub fn provider(&self) -> Option<Schema> {
        let line = self.lines(FactsKind::Provider).next()?;
        Some(schema(line.1))
    }

    /// The schema of a resource type.
    ///
    /// # Panics
    /// When its line is damaged: facts are generated and compiled in.
    pub fn resource(&self, name: &str) -> Option<Schema> {
        self.find(FactsKind::Resource, name)
    }

    /// The schema of a data source.
    ///
    /// # Panics
    /// When its line is damaged: facts are generated and compiled in.
    pub fn data_source(&self, name: &str) -> Option<Schema> {
        self.find(FactsKind::DataSource, name)
    }

    /// The schema of an ephemeral resource type.
    ///
    /// # Panics
    /// When its line is damaged: facts are generated and compiled in.
    pub fn ephemeral_resource(&self, name: &str) -> Option<Schema> {
        self.find(FactsKind::Ephemeral, name)
    }

    /// The names of all resource types.
    pub fn resources(&self) -> impl Iterator<Item = &'static str> {
        self.lines(FactsKind::Resource).map(|(name, _)| name)
    }

    /// The names of all data sources.
    pub fn data_sources(&self) -> impl Iterator<Item = &'static str> {
        self.lines(FactsKind::DataSource).map(|(name, _)| name)
    }

    fn find(&self, kind: FactsKind, name: &str) -> Option<Schema> {
        let line = self.lines(kind).find(|(found, _)| *found == name)?;
        Some(schema(line.1))
    }

    /// Name and line of every schema of that kind.
    fn lines(&self, kind: FactsKind) -> impl Iterator<Item = (&'static str, &'static str)> {
        let lines = self.texts.iter().flat_map(|text| text.lines());
        lines.filter_map(move |line| {
            let rest = line.strip_prefix(kind.word())?.strip_prefix(' ')?;
            Some((rest.split(' ').next()?, line))
        })
    }
}

fn schema(line: &str) -> Schema {
    match from_facts_line(line) {
        Ok((_, _, schema)) => schema,
        Err(error) => panic!("invariant: facts are generated, but {error}"),
    }
}

/// Reads one line: whose schema it is, its name and the schema.
///
/// # Errors
/// When the line does not follow the form, with the place where it does not.
pub fn from_facts_line(line: &str) -> Result<(FactsKind, &str, Schema), ParseFactsError> {
    read::line(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Nesting;
    use super::super::samples::schemas;
    use super::*;

    const TEXT: &str = r#"# A comment.
provider aws 0 {region:o string}
resource aws_subnet 1 {arn:c string,tags:o map(string),vpc_id:r string,timeouts=single{create:o string}}
resource aws_subnets 12 {}
data aws_subnet 0 {id:oc string}
"#;

    const FACTS: Facts = Facts::new(&["", TEXT, "resource aws_vpc 0 {a:o any}"]);

    #[test]
    fn a_schema_is_found_by_its_name_and_only_its_line_is_read() {
        let names: Vec<_> = FACTS.resources().collect();
        assert_eq!(names, ["aws_subnet", "aws_subnets", "aws_vpc"]);
        assert_eq!(FACTS.data_sources().collect::<Vec<_>>(), ["aws_subnet"]);
        let subnet = FACTS.resource("aws_subnet").expect("a schema");
        assert_eq!(subnet.version, 1);
        assert_eq!(
            subnet.ty().to_string(),
            "object({arn: string, tags: map(string), timeouts: object({create: string}), vpc_id: string})"
        );
        assert!(subnet.block.attributes["vpc_id"].required);
        assert_eq!(FACTS.resource("aws_subnets").expect("a schema").version, 12);
        assert!(FACTS.resource("aws_sub").is_none());
        assert!(
            FACTS
                .data_source("aws_subnet")
                .expect("a schema")
                .block
                .attributes["id"]
                .computed
        );
        assert!(FACTS.provider().is_some());
    }

    #[test]
    fn every_form_of_attribute_and_block_is_written_as_documented() {
        let (kind, ..) = from_facts_line("ephemeral t 0 {}").expect("a schema");
        assert_eq!(kind, FactsKind::Ephemeral);
        let line = concat!(
            r#"resource t 3 {a:rs tuple(string,number),b:o list{x:c bool,y:o single{z:o any}},"#,
            r#"c:od object(p:string,q?:set(bool)),"d e":ow string,"#,
            r#"four=map[1..]{},one=group{},three=set[..2]!{},two=list[1..3]{}}"#
        );
        let (kind, name, schema) = from_facts_line(line).expect("a schema");
        assert_eq!((kind, name, schema.version), (FactsKind::Resource, "t", 3));
        let two = &schema.block.blocks["two"];
        assert_eq!(
            (two.nesting, two.min_items, two.max_items),
            (Nesting::List, 1, 3)
        );
        assert!(schema.block.blocks["three"].block.deprecated);
        assert!(schema.block.attributes["d e"].write_only);
        assert_eq!(to_facts_line(kind, name, &schema), line);
    }

    #[test]
    fn a_damaged_line_is_refused_with_the_place() {
        for line in [
            "",
            "resource",
            "resource t {}",
            "resource t 1 {a}",
            "resource t 1 {a:x string}",
            "resource t 1 {a:o text}",
            "resource t 1 {a:o list(string}",
            "resource t 1 {a=list[1..]}",
            "resource t 1 {} ",
            "thing t 1 {}",
        ] {
            assert!(from_facts_line(line).is_err(), "{line}");
        }
        let error = from_facts_line("resource t 1 {a:o list(text)}").expect_err("no schema");
        assert_eq!(error.to_string(), "expected a type at `text)}`");
        let deep = format!("resource t 1 {{a:o {}", "list(".repeat(100_000));
        assert!(from_facts_line(&deep).is_err());
    }

    proptest! {
        #[test]
        fn a_schema_reads_back_as_it_was_written(schema in schemas()) {
            let line = to_facts_line(FactsKind::DataSource, "t_x", &schema);
            prop_assert!(!line.contains('\n'));
            let (kind, name, again) = from_facts_line(&line).expect("a schema");
            prop_assert_eq!((kind, name), (FactsKind::DataSource, "t_x"));
            prop_assert_eq!(again, schema);
        }
    }
}
