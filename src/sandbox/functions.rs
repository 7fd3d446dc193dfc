//! Functions of providers. They ask no cloud: the same arguments give the same result.

use serde_json::Value as Json;
use terrane_core::schema::Function;
use terrane_core::{Type, Value};
use terrane_provider::FunctionError;

use crate::plan::empty;
use crate::rules::checksum;

/// The parts of an ARN after `arn:`, in order.
const PARTS: [&str; 5] = ["partition", "service", "region", "account_id", "resource"];

/// Calls one of that signature.
pub(crate) fn call(
    name: &str,
    function: &Function,
    arguments: &[Value],
) -> Result<Value, FunctionError> {
    let text = |place: usize| {
        let argument = arguments.get(place).and_then(Value::as_str);
        argument.unwrap_or_default()
    };
    match name {
        "arn_build" => {
            let parts: Vec<&str> = (0..PARTS.len()).map(text).collect();
            Ok(format!("arn:{}", parts.join(":")).into())
        }
        "arn_parse" => {
            let parts = parts(text(0))?;
            let members = PARTS.into_iter().zip(parts);
            Ok(Value::map(
                members.map(|(name, part)| (name, Value::from(part))),
            ))
        }
        "trim_iam_role_path" => {
            let [partition, service, region, account, resource] = parts(text(0))?;
            let role = resource.strip_prefix("role/").filter(|_| service == "iam");
            let role = role.ok_or_else(|| wrong(0, format!("{} is no ARN of a role", text(0))))?;
            let name = role.rsplit('/').next().unwrap_or(role);
            Ok(format!("arn:{partition}:{service}:{region}:{account}:role/{name}").into())
        }
        "user_agent" => Ok(match text(2) {
            "" => format!("{}/{}", text(0), text(1)),
            comment => format!("{}/{} ({comment})", text(0), text(1)),
        }
        .into()),
        // JSON is YAML.
        "manifest_encode" => {
            let json = arguments
                .first()
                .unwrap_or(&Value::Null)
                .to_json(&Type::Dynamic);
            let json = json.map_err(|error| wrong(0, error.to_string()))?;
            let json: Json =
                serde_json::from_str(&json).map_err(|error| wrong(0, error.to_string()))?;
            // The type stands beside a value of any type.
            Ok(format!("{}\n", json["value"]).into())
        }
        "manifest_decode" => manifest(text(0)),
        "manifest_decode_multi" => {
            let documents = text(0)
                .split("\n---\n")
                .filter(|one| !one.trim().is_empty());
            Ok(Value::list(
                documents.map(manifest).collect::<Result<_, _>>()?,
            ))
        }
        _ => Ok(stand_in(name, function, arguments)),
    }
}

fn wrong(argument: usize, text: impl Into<String>) -> FunctionError {
    FunctionError {
        text: text.into(),
        argument: Some(argument),
    }
}

fn parts(arn: &str) -> Result<[&str; 5], FunctionError> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return Err(wrong(
            0,
            format!("{arn} is no ARN: it does not begin with `arn:`"),
        ));
    }
    let parts: Vec<&str> = parts.collect();
    parts
        .try_into()
        .map_err(|_| wrong(0, format!("{arn} is no ARN: it has too few parts")))
}

fn manifest(text: &str) -> Result<Value, FunctionError> {
    let json: Json = serde_json::from_str(text).map_err(|_| {
        wrong(0, "the sandbox reads manifests in JSON only, which is YAML, too; the provider reads all of YAML")
    })?;
    Ok(Value::from(json))
}

/// A result of the right type for a function that the sandbox does not know, always the same for those arguments.
fn stand_in(name: &str, function: &Function, arguments: &[Value]) -> Value {
    match &function.result {
        Type::String => format!("{name}-{:08x}", checksum(&format!("{arguments:?}"))).into(),
        ty => empty(ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn called(name: &str, arguments: &[&str]) -> Result<Value, String> {
        let kinds = samples::kinds();
        let arguments: Vec<Value> = arguments.iter().map(|text| Value::from(*text)).collect();
        call(name, &kinds.schema.functions[name], &arguments).map_err(|error| error.text)
    }

    #[test]
    fn arns_are_built_and_taken_apart() {
        let arn = called("arn_build", &["aws", "iam", "", "1", "role/a/b"]).expect("a text");
        assert_eq!(arn.as_str(), Some("arn:aws:iam::1:role/a/b"));
        let parts = called("arn_parse", &["arn:aws:s3:::bucket/a:b"]).expect("parts");
        assert_eq!(
            parts.get("resource").and_then(Value::as_str),
            Some("bucket/a:b")
        );
        assert_eq!(parts.get("region").and_then(Value::as_str), Some(""));
        let role = called("trim_iam_role_path", &["arn:aws:iam::1:role/a/b"]).expect("a text");
        assert_eq!(role.as_str(), Some("arn:aws:iam::1:role/b"));
        assert_eq!(
            called("arn_parse", &["bucket"]).expect_err("refused"),
            "bucket is no ARN: it does not begin with `arn:`"
        );
    }

    #[test]
    fn a_manifest_is_written_and_read_again() {
        let read = called("manifest_decode", &[r#"{"kind": "Pod"}"#]).expect("a manifest");
        assert_eq!(read.get("kind").and_then(Value::as_str), Some("Pod"));
        let kinds = samples::kinds();
        let written = call(
            "manifest_encode",
            &kinds.schema.functions["manifest_encode"],
            &[read],
        );
        assert_eq!(
            written.expect("a text").as_str(),
            Some("{\"kind\":\"Pod\"}\n")
        );
        assert!(called("manifest_decode", &["kind: Pod"]).is_err());
    }
}
