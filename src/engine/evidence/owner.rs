//! Owner tags: one tag that tells an object from all others, so that it can be found when the answer to its creation was lost.
//!
//! A tag is made from the state's lineage, the address and the serial of the state that the creation was planned from. A live object
//! keeps the tag it has, which is in its own tags in the state; so nothing has to be remembered beside it, and a moved object does not
//! change. The object that replaces it gets a tag of its own, which is made from its predecessor's as well: what recovery took in has
//! no serial yet that tells the two apart.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use terrane_core::addr::InstanceAddr;
use terrane_core::schema::{AttributeType, Schema};
use terrane_core::value::Map;
use terrane_core::{ProviderConfig, Type, Value};
use terrane_state::Sha256;
use terrane_state::model::Lineage;

/// The key of the tag that tells an object from all others.
pub const OWNER_TAG: &str = "terrane/owner";

/// The tag of the object that `address` gets when it is planned from the state with that serial, in the place of the object with that
/// tag if there is one. Unknown as long as the state has no lineage, which a run gives it when it takes the lock: until then two stacks
/// would make the same tag.
pub(crate) fn new_tag(
    lineage: &Lineage,
    serial: u64,
    address: &InstanceAddr,
    replaced: Option<&str>,
) -> Value {
    if lineage.is_empty() {
        return Value::UNKNOWN;
    }
    let mut text = format!("{lineage}\n{address}\n{serial}");
    if let Some(replaced) = replaced {
        text = format!("{text}\n{replaced}");
    }
    let digest = Sha256::of(text.as_bytes());
    let tag = BASE32_NOPAD.encode(&digest.as_bytes()[..20]);
    tag.to_ascii_lowercase().into()
}

/// How the objects of one provider hold tags: in an attribute that its bindings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnerTags {
    attribute: &'static str,
}

impl OwnerTags {
    /// Those of a provider whose objects have tags.
    pub(crate) fn of_provider(provider: &ProviderConfig) -> Option<Self> {
        provider.tags().map(Self::new)
    }

    pub(super) const fn new(attribute: &'static str) -> Self {
        Self { attribute }
    }

    /// The owner tag that an object has.
    pub(crate) fn of(self, object: &Value) -> Option<&str> {
        object.get(self.attribute)?.get(OWNER_TAG)?.as_str()
    }

    /// Whether objects of that schema can be tagged: the attribute is a map of strings that a configuration may set.
    pub(crate) fn fit(self, schema: &Schema) -> bool {
        let tags = schema.block.attributes.get(self.attribute);
        tags.is_some_and(|tags| {
            let map = AttributeType::Plain(Type::map(Type::String));
            (tags.optional || tags.required) && tags.ty == map
        })
    }

    /// A configuration with the tag in it. Tags that are not known yet as a whole are left for later.
    pub(crate) fn tagged(self, config: &Value, tag: Value) -> Value {
        let Value::Map(members) = config else {
            return config.clone();
        };
        let mut tags = match members.get(self.attribute) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Map(tags)) => tags.as_ref().clone(),
            Some(_) => return config.clone(),
        };
        tags.insert(OWNER_TAG.into(), tag);
        let mut members = members.as_ref().clone();
        members.insert(self.attribute.into(), Value::Map(Arc::new(tags)));
        Value::Map(Arc::new(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_by_lineage_address_and_serial_and_by_nothing_else() {
        let tag = |lineage: &str, address: &str, serial| {
            let address = address.parse().expect("an address");
            let tag = new_tag(&lineage.into(), serial, &address, None);
            tag.as_str().map(str::to_owned)
        };
        let first = tag("l", "t.a", 1).expect("a tag");
        assert_eq!(first.len(), 32);
        assert_eq!(tag("l", "t.a", 1), Some(first.clone()));
        for other in [tag("m", "t.a", 1), tag("l", "t.b", 1), tag("l", "t.a", 2)] {
            assert_ne!(other, Some(first.clone()));
        }
        assert_eq!(tag("", "t.a", 1), None);
        let address = "t.a".parse().expect("an address");
        let next = new_tag(&"l".into(), 1, &address, Some(&first));
        assert_ne!(next.as_str(), Some(&*first));
    }

    #[test]
    fn the_tag_joins_those_of_the_program() {
        let tag = || Value::from("x");
        let tags = OwnerTags::new("labels");
        let null = Value::map([("labels", Value::Null)]);
        assert_eq!(tags.of(&tags.tagged(&null, tag())), Some("x"));
        let own = Value::map([("labels", Value::map([("team", Value::from("data"))]))]);
        let both = tags.tagged(&own, tag());
        assert_eq!(tags.of(&both), Some("x"));
        assert_eq!(
            both.get("labels").and_then(|tags| tags.get("team")),
            Some(&"data".into())
        );
        let unknown = Value::map([("labels", Value::UNKNOWN)]);
        assert_eq!(tags.tagged(&unknown, tag()), unknown);
    }
}
