//! Rules by which objects are found without their id, which bindings carry beside a provider's schema.

mod contents;

pub use contents::{ContentsLookup, Holding};

use crate::value::Value;

/// How a provider's objects are found. The engine looks when the response to a creation was lost, and before it creates
/// something under a name that may be taken.
#[derive(Debug, Clone, Copy)]
pub struct LookupRules {
    /// The types whose objects are named by their configuration before they exist.
    pub by_name: &'static [NameLookup],
    /// The attribute that holds an object's tags, where objects of the provider have some.
    pub tags: Option<&'static str>,
    /// How objects are found by a tag, where the provider has something for that.
    pub by_tag: Option<TagLookup>,
    /// What is asked about objects before they are deleted.
    pub contents: &'static [ContentsLookup],
    /// How ids say where an object lies, where one provider configuration reaches several places.
    pub place: Option<ImportPlace>,
}

/// The place of an object behind the id that it is imported by: `ID@eu-west-1`.
#[derive(Debug, Clone, Copy)]
pub struct ImportPlace {
    /// The argument that says where an object lies; the data source that finds objects by a tag has it as well. A type without it lies
    /// nowhere in particular.
    pub argument: &'static str,
    /// Whether a text can be a place, so that an id which ends in `@` and that text names one already.
    pub is_place: fn(&str) -> bool,
}

/// A resource type whose configuration says by which id an object of it can be imported.
#[derive(Debug, Clone, Copy)]
pub struct NameLookup {
    /// The resource type.
    pub type_name: &'static str,
    /// Forms of the id, with `{argument}` for arguments, `{block.argument}` for one in the only block of its name; the first whose
    /// arguments are all there counts.
    pub ids: &'static [&'static str],
    /// The attribute that says when an object was made (RFC 3339), where there is one.
    pub created: Option<&'static str>,
    /// Whether it exists by itself.
    pub standing: Standing,
}

/// How an object that is named in advance stands to others, which decides about one that has its name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It exists by itself: one that exists and is not in the state has another owner, and is never adopted silently.
    Own,
    /// It is a part of another object that its configuration names (a rule, a link), so it was not created for another purpose.
    /// Whether a second one is refused is the provider's to say.
    Part,
    /// It is a setting of another object, which has one whether or not anybody made it: creating it means setting it, twice the same
    /// as once.
    Setting,
}

/// A data source that finds objects by a tag.
#[derive(Debug, Clone, Copy)]
pub struct TagLookup {
    /// The data source.
    pub data_source: &'static str,
    /// Its configuration for a tag's key and value.
    pub config: fn(key: &str, value: &str) -> Value,
    /// The import ids of the found objects of that type; those of other types are left out.
    pub ids: fn(type_name: &str, found: &Value) -> Vec<String>,
}

impl LookupRules {
    /// No rule.
    pub const NONE: Self = Self {
        by_name: &[],
        tags: None,
        by_tag: None,
        contents: &[],
        place: None,
    };

    /// The rule for a type's names.
    pub fn for_type(&self, type_name: &str) -> Option<&'static NameLookup> {
        self.by_name
            .iter()
            .find(|named| named.type_name == type_name)
    }

    /// The place that a configuration or an object names; without one the provider's own counts.
    pub fn place_in<'a>(&self, object: &'a Value) -> Option<&'a str> {
        let place = object.get(self.place?.argument)?.as_str();
        place.filter(|place| !place.is_empty())
    }

    /// The id by which an object at that place is imported; one that names a place keeps it.
    pub fn id_at(&self, id: &str, place: Option<&str>) -> String {
        let is_place = self.place.map(|rule| rule.is_place);
        let named = id.rsplit_once('@').map(|(_, end)| end);
        let has_one = named.is_some_and(|end| is_place.is_some_and(|is_place| is_place(end)));
        match place {
            Some(place) if !has_one => format!("{id}@{place}"),
            _ => id.to_owned(),
        }
    }
}

impl NameLookup {
    /// An object that has a name of its own.
    pub const fn new(type_name: &'static str, ids: &'static [&'static str]) -> Self {
        Self {
            type_name,
            ids,
            created: None,
            standing: Standing::Own,
        }
    }

    /// A part of another object.
    pub const fn part(type_name: &'static str, ids: &'static [&'static str]) -> Self {
        Self {
            standing: Standing::Part,
            ..Self::new(type_name, ids)
        }
    }

    /// A setting of another object.
    pub const fn setting(type_name: &'static str, ids: &'static [&'static str]) -> Self {
        Self {
            standing: Standing::Setting,
            ..Self::new(type_name, ids)
        }
    }

    /// The same, where that attribute says when an object was made.
    #[must_use]
    pub const fn created(mut self, attribute: &'static str) -> Self {
        self.created = Some(attribute);
        self
    }

    /// The id of an object with these arguments; `None` as long as one that it needs is unknown or not set.
    pub fn id(&self, object: &Value) -> Option<String> {
        self.ids.iter().find_map(|form| filled(form, object))
    }

    /// The arguments that the id of this object is made of; of one in a block, the block.
    pub fn arguments(&self, object: &Value) -> Vec<&'static str> {
        let form = self.ids.iter().find(|form| filled(form, object).is_some());
        let parts = form.into_iter().flat_map(|form| form.split('{').skip(1));
        parts
            .filter_map(|part| Some(part.split_once('}')?.0))
            .filter_map(|argument| argument.split('.').next())
            .collect()
    }
}

fn filled(form: &str, object: &Value) -> Option<String> {
    let mut parts = form.split('{');
    let mut id = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (argument, rest) = part.split_once('}')?;
        id.push_str(&text(argument, reach(object, argument)?)?);
        id.push_str(rest);
    }
    Some(id)
}

/// The argument with that name, behind the blocks before it.
fn reach<'a>(object: &'a Value, argument: &str) -> Option<&'a Value> {
    let mut value = object;
    for name in argument.split('.') {
        value = match value {
            Value::List(blocks) => match blocks.as_slice() {
                [only] => only.get(name)?,
                _ => return None,
            },
            _ => value.get(name)?,
        };
    }
    Some(value)
}

/// One value as ids spell it: a text, a number, the only element of a list, a flag that is on as its own name.
fn text(argument: &str, value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some(argument.to_owned()),
        Value::String(text) if !text.is_empty() => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::List(elements) => match elements.as_slice() {
            [only] => text(argument, only),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_there_when_all_of_its_arguments_are() {
        let link = NameLookup::part("t_link", &["{a}/{b}", "{a}:{port}", "{a}"]);
        let object = |members: &[(&str, Value)]| {
            Value::map(members.iter().map(|(name, value)| (*name, value.clone())))
        };
        let a = ("a", Value::from("x"));
        assert_eq!(
            link.id(&object(std::slice::from_ref(&a))).as_deref(),
            Some("x")
        );
        let both = object(&[a.clone(), ("b", Value::from("y"))]);
        assert_eq!(link.id(&both).as_deref(), Some("x/y"));
        assert_eq!(link.arguments(&both), ["a", "b"]);
        let port = object(&[a, ("b", Value::Null), ("port", Value::from(80_i64))]);
        assert_eq!(link.id(&port).as_deref(), Some("x:80"));
        assert_eq!(link.id(&object(&[("a", Value::UNKNOWN)])), None);
        assert_eq!(link.id(&object(&[("a", Value::from(false))])), None);
        let flag = object(&[("a", Value::from(true))]);
        assert_eq!(link.id(&flag).as_deref(), Some("a"));
        assert_eq!(link.id(&object(&[("a", Value::from(""))])), None);
    }

    #[test]
    fn an_id_names_the_place_that_the_configuration_names() {
        let rules = LookupRules {
            place: Some(ImportPlace {
                argument: "region",
                is_place: |text| text.ends_with("west"),
            }),
            ..LookupRules::NONE
        };
        let at = |region: Value| Value::map([("region", region)]);
        assert_eq!(rules.place_in(&at("north-west".into())), Some("north-west"));
        for none in [Value::Null, Value::UNKNOWN, "".into()] {
            assert_eq!(rules.place_in(&at(none)), None);
        }
        assert_eq!(rules.place_in(&Value::map([("name", "n".into())])), None);
        assert_eq!(rules.id_at("n", None), "n");
        assert_eq!(rules.id_at("n", Some("west")), "n@west");
        assert_eq!(
            rules.id_at("me@example.com", Some("west")),
            "me@example.com@west"
        );
        assert_eq!(rules.id_at("n@south-west", Some("west")), "n@south-west");
        assert_eq!(LookupRules::NONE.place_in(&at("west".into())), None);
    }

    #[test]
    fn an_argument_is_found_in_the_only_block_of_its_name() {
        let named = NameLookup::new("t_named", &["{metadata.space}/{metadata.name}"]);
        let block = Value::map([("name", Value::from("n")), ("space", Value::from("s"))]);
        let object = |blocks| Value::map([("metadata", Value::list(blocks))]);
        assert_eq!(
            named.id(&object(vec![block.clone()])).as_deref(),
            Some("s/n")
        );
        assert_eq!(named.id(&object(vec![block.clone(), block])), None);
        let elsewhere = Value::map([("name", Value::from("n")), ("space", Value::UNKNOWN)]);
        assert_eq!(named.id(&object(vec![elsewhere])), None);
        assert_eq!(named.id(&object(vec![])), None);
    }
}
