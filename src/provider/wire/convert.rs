//! Values, paths, diagnostics and identities between the wire and the domain.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use terrane_core::schema::IdentitySchema;
use terrane_core::{Diagnostic, Diagnostics, Path, PathStep, Severity, Type, Value};

use super::generated::tfplugin6::{
    self as proto, AttributePath, DynamicValue, ResourceIdentityData, attribute_path,
};
use super::msgpack;
use crate::deferred::Deferred;

/// More diagnostics than this in one answer are counted, not kept.
const MAX_DIAGNOSTICS: usize = 1_000;
/// Characters that are kept of a diagnostic's detail.
const MAX_DETAIL: usize = 64 << 10;

/// A value as the wire has it. Never absent: SDK v2 looks into the message without asking whether it is there.
pub(crate) fn dynamic_value(value: &Value, ty: &Type) -> Result<DynamicValue, String> {
    let msgpack = msgpack::encode(value, ty).map_err(|error| error.to_string())?;
    Ok(DynamicValue {
        msgpack: msgpack.into(),
        json: Bytes::new(),
    })
}

/// The null of any type.
pub(crate) fn null_value() -> DynamicValue {
    DynamicValue {
        msgpack: Bytes::from_static(&[0xc0]),
        json: Bytes::new(),
    }
}

/// A value that was received, in either encoding.
pub(crate) fn read_dynamic_value(value: Option<&DynamicValue>, ty: &Type) -> Result<Value, String> {
    match value {
        Some(value) if !value.msgpack.is_empty() => {
            msgpack::decode(&value.msgpack, ty).map_err(|error| error.to_string())
        }
        Some(value) if !value.json.is_empty() => {
            Value::from_json(&value.json, ty).map_err(|error| error.to_string())
        }
        _ => Ok(Value::Null),
    }
}

/// An identity as the wire has it.
pub(crate) fn identity_data(value: &Value, ty: &Type) -> Result<ResourceIdentityData, String> {
    Ok(ResourceIdentityData {
        identity_data: Some(dynamic_value(value, ty)?),
    })
}

/// An identity that was received; none when it is absent, null, or null in every attribute.
pub(crate) fn read_identity(
    data: Option<&ResourceIdentityData>,
    ty: &Type,
) -> Result<Option<Value>, String> {
    let Some(data) = data else { return Ok(None) };
    let value = read_dynamic_value(data.identity_data.as_ref(), ty)
        .map_err(|error| format!("identity: {error}"))?;
    Ok((!IdentitySchema::is_nothing(&value)).then_some(value))
}

/// Why something is deferred, if it is.
pub(crate) fn read_deferred(deferred: Option<proto::Deferred>) -> Option<Deferred> {
    use proto::deferred::Reason;
    let deferred = deferred?;
    Some(match deferred.reason() {
        Reason::Unknown => Deferred::Unknown,
        Reason::ResourceConfigUnknown => Deferred::ResourceConfigUnknown,
        Reason::ProviderConfigUnknown => Deferred::ProviderConfigUnknown,
        Reason::AbsentPrereq => Deferred::AbsentPrerequisite,
    })
}

/// The same as the wire has it.
pub(crate) fn encode_deferred(deferred: Option<Deferred>) -> Option<proto::Deferred> {
    use proto::deferred::Reason;
    let reason = match deferred? {
        Deferred::Unknown => Reason::Unknown,
        Deferred::ResourceConfigUnknown => Reason::ResourceConfigUnknown,
        Deferred::ProviderConfigUnknown => Reason::ProviderConfigUnknown,
        Deferred::AbsentPrerequisite => Reason::AbsentPrereq,
    };
    Some(proto::Deferred {
        reason: reason.into(),
    })
}

/// A moment that was received; none if no clock can show it.
pub(crate) fn read_time(time: prost_types::Timestamp) -> Option<SystemTime> {
    SystemTime::try_from(time).ok()
}

/// A moment as the wire has it.
pub(crate) fn encode_time(time: SystemTime) -> prost_types::Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO);
    prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: since.subsec_nanos().cast_signed(),
    }
}

/// A path that was received; none when it holds a step that leads nowhere.
pub(crate) fn read_path(path: &AttributePath) -> Option<Path> {
    use attribute_path::step::Selector;
    (path.steps.iter())
        .map(|step| {
            Some(match step.selector.as_ref()? {
                Selector::AttributeName(name) => PathStep::Attribute(name.as_str().into()),
                Selector::ElementKeyString(key) => PathStep::key(key),
                Selector::ElementKeyInt(index) => PathStep::Index(usize::try_from(*index).ok()?),
            })
        })
        .collect()
}

/// A path as the wire has it.
pub(crate) fn encode_path(path: &Path) -> AttributePath {
    use attribute_path::step::Selector;
    let steps = path.steps().iter().map(|step| attribute_path::Step {
        selector: Some(match step {
            PathStep::Attribute(name) => Selector::AttributeName(name.to_string()),
            PathStep::Key(key) => Selector::ElementKeyString(key.to_string()),
            PathStep::Index(index) => {
                Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX))
            }
        }),
    });
    AttributePath {
        steps: steps.collect(),
    }
}

/// Diagnostics that were received, bounded.
pub(crate) fn diagnostics(received: Vec<proto::Diagnostic>) -> Diagnostics {
    let mut rest = received.into_iter();
    let mut kept: Diagnostics = rest
        .by_ref()
        .take(MAX_DIAGNOSTICS)
        .map(diagnostic)
        .collect();
    let rest: Vec<Severity> = rest.map(|one| severity(&one)).collect();
    if let Some(worst) = rest.iter().max() {
        kept.push(Diagnostic {
            severity: *worst,
            ..Diagnostic::error(format!("the provider has {} more to say", rest.len()))
        });
    }
    kept
}

fn severity(received: &proto::Diagnostic) -> Severity {
    match received.severity() {
        proto::diagnostic::Severity::Warning => Severity::Warning,
        // A severity that we do not know is not one to be overlooked.
        _ => Severity::Error,
    }
}

fn diagnostic(received: proto::Diagnostic) -> Diagnostic {
    let attribute = (received.attribute.as_ref())
        .and_then(read_path)
        .filter(|path| !path.is_root());
    Diagnostic {
        severity: severity(&received),
        detail: shortened(received.detail),
        attribute,
        ..Diagnostic::error(shortened(received.summary))
    }
}

fn shortened(text: String) -> String {
    if text.len() <= MAX_DETAIL {
        return text;
    }
    let kept: String = text.chars().take(MAX_DETAIL).collect();
    format!("{kept}… ({} bytes in all)", text.len())
}

/// Diagnostics as the wire has them; an address, a location and hints have no place there.
pub(crate) fn encode_diagnostics(diagnostics: Diagnostics) -> Vec<proto::Diagnostic> {
    (diagnostics.into_iter())
        .map(|diagnostic| proto::Diagnostic {
            severity: match diagnostic.severity {
                Severity::Error => proto::diagnostic::Severity::Error.into(),
                Severity::Warning => proto::diagnostic::Severity::Warning.into(),
            },
            summary: diagnostic.summary,
            detail: diagnostic.detail,
            attribute: diagnostic.attribute.as_ref().map(encode_path),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_value_absent_or_empty_or_in_either_encoding_is_null() {
        let json = DynamicValue {
            json: Bytes::from_static(b"null"),
            msgpack: Bytes::new(),
        };
        for value in [
            None,
            Some(DynamicValue::default()),
            Some(null_value()),
            Some(json),
        ] {
            assert_eq!(
                read_dynamic_value(value.as_ref(), &Type::String),
                Ok(Value::Null)
            );
        }
    }

    #[test]
    fn a_value_in_json_is_read_too() {
        let json = DynamicValue {
            json: Bytes::from_static(br#"{"a":["x"]}"#),
            msgpack: Bytes::new(),
        };
        let ty = Type::object([("a", Type::list(Type::String))]);
        let value = read_dynamic_value(Some(&json), &ty).expect("a value");
        assert_eq!(value, Value::map([("a", Value::list(vec!["x".into()]))]));
    }

    #[test]
    fn paths_round_trip() {
        let path = Path::root().attribute("a").index(2).key("k");
        assert_eq!(read_path(&encode_path(&path)), Some(path));
    }

    #[test]
    fn an_identity_that_is_null_in_every_attribute_is_none() {
        let ty = Type::object([("account", Type::String), ("number", Type::Number)]);
        let identity = |value: &Value| identity_data(value, &ty).expect("an identity");
        let nulls = Value::map([("account", Value::Null), ("number", Value::Null)]);
        for none in [None, Some(identity(&Value::Null)), Some(identity(&nulls))] {
            assert_eq!(read_identity(none.as_ref(), &ty), Ok(None));
        }
        let partial = Value::map([("account", Value::Null), ("number", 7_i64.into())]);
        let read = read_identity(Some(&identity(&partial)), &ty);
        assert_eq!(read, Ok(Some(partial)));
    }

    #[test]
    fn moments_and_reasons_round_trip() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_800_000_000, 5);
        assert_eq!(read_time(encode_time(time)), Some(time));
        for reason in [
            Deferred::Unknown,
            Deferred::ResourceConfigUnknown,
            Deferred::ProviderConfigUnknown,
            Deferred::AbsentPrerequisite,
        ] {
            let deferred = Some(reason);
            assert_eq!(read_deferred(encode_deferred(deferred)), deferred);
        }
        assert_eq!(read_deferred(encode_deferred(None)), None);
    }

    #[test]
    fn a_flood_of_diagnostics_is_counted_and_an_error_in_it_is_not_lost() {
        let mut flood = Diagnostics::new();
        for _ in 0..MAX_DIAGNOSTICS + 5 {
            flood.push(Diagnostic::warning("w").detail("x".repeat(MAX_DETAIL + 1)));
        }
        flood.push(Diagnostic::error("e"));
        let read = diagnostics(encode_diagnostics(flood));
        assert_eq!(read.len(), MAX_DIAGNOSTICS + 1);
        assert!(read.has_errors());
        let last = read.iter().last().expect("one");
        assert_eq!(last.summary, "the provider has 6 more to say");
    }
}
