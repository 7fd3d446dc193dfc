//! Objects that exist, as a command names them.

use terrane_core::Value;

/// An object that a command names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedObject {
    /// Its type.
    pub(crate) type_name: String,
    /// The name that it shall have; one is made of the object's own where there is none.
    pub(crate) name: Option<String>,
    /// Its id, or its identity.
    pub(crate) by: NamedBy,
}

/// How its provider finds an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NamedBy {
    /// By its id.
    Id(String),
    /// By its identity.
    Identity(Value),
}

/// An object that exists: `TYPE=ID` or `TYPE.NAME=ID`.
pub(super) fn named_object(text: &str) -> Result<NamedObject, String> {
    let (place, id) = text
        .split_once('=')
        .ok_or("there is no `=` between type and id")?;
    let (type_name, name) = match place.split_once('.') {
        Some((type_name, name)) => (type_name, Some(name)),
        None => (place, None),
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    if !is_name(type_name) || !name.is_none_or(is_name) {
        return Err(format!(
            "`{place}` is neither a type nor a type with a name"
        ));
    }
    match id {
        "" => Err("there is no id".to_owned()),
        id => Ok(NamedObject {
            type_name: type_name.to_owned(),
            name: name.map(str::to_owned),
            by: NamedBy::Id(id.to_owned()),
        }),
    }
}
