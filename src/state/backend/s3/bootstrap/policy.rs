//! The statement of a bucket's policy that refuses requests without TLS.

use serde_json::{Value, json};

/// The policy with a statement that refuses requests without TLS; `None` when it has one.
pub(super) fn with_tls_only(bucket: &str, policy: Option<&str>) -> Option<String> {
    let mut policy: Value = policy
        .and_then(|policy| serde_json::from_str(policy).ok())
        .unwrap_or_else(|| json!({ "Version": "2012-10-17", "Statement": [] }));
    let arn = format!("arn:aws:s3:::{bucket}");
    let statement = json!({
        "Sid": "RequireTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let statements = policy
        .as_object_mut()?
        .entry("Statement")
        .or_insert(json!([]));
    if !statements.is_array() {
        *statements = json!([statements.take()]);
    }
    let statements = statements.as_array_mut()?;
    let refuses = |statement: &Value| {
        statement["Effect"] == "Deny"
            && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
    };
    if statements.iter().any(refuses) {
        return None;
    }
    statements.push(statement);
    Some(policy.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_keeps_what_is_there_and_is_written_once() {
        let other = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow"}}"#;
        let policy = with_tls_only("b", Some(other)).expect("a change");
        assert!(policy.contains("\"Mine\"") && policy.contains("arn:aws:s3:::b/*"));
        assert_eq!(with_tls_only("b", Some(&policy)), None);
        assert!(with_tls_only("b", None).is_some());
    }
}
