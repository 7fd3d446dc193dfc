//! Whether an object that was found is the one that a creation made: never by its name alone.

use std::time::Duration;

use terrane_core::{NameLookup, Standing, Value};
use terrane_state::{Intent, Timestamp};

use super::owner::OwnerTags;

/// How far two clocks may be apart.
pub(crate) const SKEW: Duration = Duration::from_secs(60);
/// How long providers try when a configuration does not say: the default of the SDK that nearly all of them use.
pub(crate) const USUAL_TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// What shows that an object is ours.
pub(crate) enum Proof {
    /// It has the owner tag that this creation gave out.
    Tag,
    /// It was not there before the creation was asked for, and can only have been made since.
    AbsentBefore,
    /// The same of a mere part of another object, which nobody made for something else.
    Part,
    /// It is a setting, which was there anyway: who made it is no question.
    Setting,
}

impl Proof {
    /// What records say of it.
    pub(crate) fn evidence(&self) -> &'static str {
        match self {
            Self::Tag => "it has the owner tag of this creation",
            Self::AbsentBefore | Self::Part => "it was not there before this creation",
            Self::Setting => "it is a setting of another object",
        }
    }
}

/// When the provider has given up at the latest.
pub(crate) fn deadline(intent: &Intent) -> Timestamp {
    let usual = || intent.started_at.after(USUAL_TIMEOUT);
    intent.deadline.unwrap_or_else(usual)
}

/// Why nothing shows that an object is the one that an intent asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// It has the name, and nothing else shows that it is.
    NameAlone,
    /// It is another creation's.
    OfAnother,
}

/// What shows that the object that was `found` is what that intent asked for.
///
/// # Errors
/// Why nothing does.
pub(crate) fn prove(
    intent: &Intent,
    named: Option<&NameLookup>,
    tags: Option<OwnerTags>,
    found: &Value,
) -> Result<Proof, Unproved> {
    match tags.and_then(|tags| tags.of(found)) {
        Some(tag) if intent.owner_tag.as_deref() == Some(tag) => return Ok(Proof::Tag),
        Some(_) => return Err(Unproved::OfAnother),
        None => {}
    }
    if named.is_some_and(|named| named.standing == Standing::Setting) {
        return Ok(Proof::Setting);
    }
    let (Some(named), Some(absent)) = (named, intent.absent_proof) else {
        return Err(Unproved::NameAlone);
    };
    if absent > intent.started_at {
        return Err(Unproved::NameAlone);
    }
    if named.standing == Standing::Part {
        return Ok(Proof::Part);
    }
    let created = named
        .created
        .and_then(|attribute| found.get(attribute)?.as_str());
    let Some(created) = created.and_then(|text| text.parse::<Timestamp>().ok()) else {
        return Err(Unproved::NameAlone);
    };
    // The clocks that tell creation times count whole seconds.
    let early = created.after(SKEW) < intent.started_at;
    if early || created > deadline(intent).after(SKEW) {
        return Err(Unproved::OfAnother);
    }
    Ok(Proof::AbsentBefore)
}

#[cfg(test)]
mod tests {
    use terrane_state::{IntentAction, OperationId};

    use super::*;

    const TAGS: OwnerTags = OwnerTags::new("tags");
    const ROLE: NameLookup = NameLookup::new("t_role", &["{name}"]).created("made");

    fn intent(tag: Option<&str>, absent: Option<u64>) -> Intent {
        let op: OperationId = "0".repeat(32).parse().expect("an id");
        let address = "t_role.a".parse().expect("an address");
        let provider = "provider[\"h.example/ns/t\"]".parse().expect("an address");
        let started = Timestamp::new(1_000_000, 0);
        Intent {
            owner_tag: tag.map(str::to_owned),
            absent_proof: absent.map(|seconds| Timestamp::new(seconds, 0)),
            ..Intent::new(op, address, IntentAction::Create, provider, started)
        }
    }

    fn object(tag: Option<&str>, made: Option<&str>) -> Value {
        let made = made.map_or(Value::Null, Value::from);
        let object = Value::map([("made", made), ("tags", Value::Null)]);
        tag.map_or(object.clone(), |tag| TAGS.tagged(&object, tag.into()))
    }

    #[test]
    fn a_name_alone_proves_nothing() {
        // 1970-01-12T13:46:40Z is second 1,000,000.
        let then = "1970-01-12T13:46:41Z";
        let part = NameLookup::part("t_link", &["{name}"]);
        let setting = NameLookup::setting("t_default", &["{name}"]);
        let nameless = NameLookup::new("t_role", &["{name}"]);
        let cases = [
            (
                "its tag",
                intent(Some("x"), None),
                None,
                object(Some("x"), None),
                true,
            ),
            (
                "another tag",
                intent(Some("x"), Some(999_999)),
                Some(&ROLE),
                object(Some("y"), Some(then)),
                false,
            ),
            (
                "a tag where none was given",
                intent(None, Some(999_999)),
                Some(&ROLE),
                object(Some("y"), Some(then)),
                false,
            ),
            (
                "nothing",
                intent(None, None),
                Some(&ROLE),
                object(None, Some(then)),
                false,
            ),
            (
                "absent before, made since",
                intent(None, Some(999_999)),
                Some(&ROLE),
                object(None, Some(then)),
                true,
            ),
            (
                "absent before, made long before",
                intent(None, Some(999_999)),
                Some(&ROLE),
                object(None, Some("1970-01-12T13:40:00Z")),
                false,
            ),
            (
                "absent before, made long after",
                intent(None, Some(999_999)),
                Some(&ROLE),
                object(None, Some("1970-01-13T13:46:41Z")),
                false,
            ),
            (
                "absent before, no time",
                intent(None, Some(999_999)),
                Some(&ROLE),
                object(None, None),
                false,
            ),
            (
                "absent before, no clock",
                intent(None, Some(999_999)),
                Some(&nameless),
                object(None, Some(then)),
                false,
            ),
            (
                "looked for too late",
                intent(None, Some(1_000_001)),
                Some(&ROLE),
                object(None, Some(then)),
                false,
            ),
            (
                "a part that was absent",
                intent(None, Some(999_999)),
                Some(&part),
                object(None, None),
                true,
            ),
            (
                "a part without proof",
                intent(None, None),
                Some(&part),
                object(None, None),
                false,
            ),
            (
                "a setting",
                intent(None, None),
                Some(&setting),
                object(None, None),
                true,
            ),
        ];
        for (what, intent, named, object, expected) in cases {
            let proved = prove(&intent, named, Some(TAGS), &object).is_ok();
            assert_eq!(proved, expected, "{what}");
        }
    }
}
