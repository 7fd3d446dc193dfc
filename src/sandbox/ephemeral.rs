//! Ephemeral resources: values for one run, made anew at each opening, as the type's rule says, else by its schema.
//!
//! The sandbox keeps no write-only value. Where such a secret is read back, it gives a stand-in: always the same for one version of one
//! secret, and never the value that was given.

use std::sync::Arc;

use data_encoding::BASE64;
use terrane_core::schema::Schema;
use terrane_core::{Diagnostic, Diagnostics, Type, Value};

use crate::draft::{Draft, made};
use crate::operations::{Operations, Settings};
use crate::rules::{
    ACCOUNT, CloudView, Refusal, Verdict, checksum, one_of, random, random_hex, text,
};

/// Opens one; the configuration is wholly known.
pub(crate) fn open(
    type_name: &str,
    schema: &Schema,
    config: &Value,
    operations: &Operations,
    settings: &Settings,
) -> Result<Value, Diagnostics> {
    let mut members = config.members().cloned().unwrap_or_default();
    for (name, attribute) in &schema.block.attributes {
        let unset = members.get(name).is_none_or(Value::is_null);
        if attribute.computed && unset {
            members.insert(name.clone(), Value::UNKNOWN);
        }
    }
    let opened = operations.look(settings, &members, |view| {
        let mut draft = Draft::new(&type_name.into(), members.clone());
        rule(type_name)(&mut draft, view)?;
        let mut members = draft.into_members();
        for (name, attribute) in &schema.block.attributes {
            if let Some(value) = members.get_mut(name).filter(|value| value.is_unknown()) {
                let guess = match attribute.ty() {
                    Type::String if !attribute.sensitive => view.guess(type_name, name, ""),
                    _ => None,
                };
                *value = guess.map_or_else(|| made(name, attribute), Value::from);
            }
        }
        Ok(Value::Map(Arc::new(members)))
    });
    match opened {
        Ok(opened) => opened.map_err(|refusal: Refusal| {
            let Refusal { code, message, .. } = refusal;
            let reason = [code, &message].map(ToOwned::to_owned);
            let reason = reason.into_iter().filter(|part| !part.is_empty());
            let reason = reason.collect::<Vec<_>>().join(": ");
            Diagnostic::error(format!("opening {type_name}: {reason}")).into()
        }),
        Err(failure) => Err(failure.into_diagnostic().into()),
    }
}

/// What fills in the values of that type that a schema cannot tell.
fn rule(type_name: &str) -> fn(&mut Draft, &CloudView<'_>) -> Verdict {
    match type_name {
        "random_bytes" => random::bytes,
        "random_password" => password,
        "aws_secretsmanager_random_password" => secrets_manager_password,
        "aws_secretsmanager_secret_version" => secret_version,
        "aws_ssm_parameter" => parameter,
        "aws_eks_cluster_auth" => cluster_token,
        "aws_ecr_authorization_token" => registry_login,
        "aws_kms_secrets" => decrypted,
        _ => |_, _| Ok(()),
    }
}

fn password(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    for kind in ["lower", "upper", "numeric", "special"] {
        draft.fill(kind, true);
        draft.fill(&format!("min_{kind}"), 0);
    }
    random::password(draft, view)
}

/// Letters, digits and punctuation, but for those that are left out.
fn secrets_manager_password(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let kinds = [
        ("exclude_lowercase", 'a'..='z'),
        ("exclude_uppercase", 'A'..='Z'),
        ("exclude_numbers", '0'..='9'),
        ("exclude_punctuation", '!'..='/'),
        ("exclude_punctuation", ':'..='@'),
        ("exclude_punctuation", '['..='`'),
        ("exclude_punctuation", '{'..='~'),
    ];
    let mut letters: Vec<char> = Vec::new();
    for (left_out, kind) in kinds {
        if draft.get(left_out).as_bool() != Some(true) {
            letters.extend(kind);
        }
    }
    if draft.get("include_space").as_bool() == Some(true) {
        letters.push(' ');
    }
    let left_out = draft.text("exclude_characters");
    letters.retain(|letter| !left_out.contains(*letter));
    if letters.is_empty() {
        return crate::rules::refuse(
            "InvalidParameterException",
            "no characters are left to choose from",
        );
    }
    let length = match draft.get("password_length") {
        Value::Number(length) => length.as_i64().unwrap_or(32),
        _ => 32,
    };
    let text: String = (0..length).map(|_| one_of(&letters)).collect();
    draft.put("random_password", text);
    Ok(())
}

/// What stands for a secret that the sandbox does not keep.
fn stand_in(of: &str, version: &str) -> String {
    format!("sandbox-{:08x}{:08x}", checksum(of), checksum(version))
}

fn secret_version(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let asked = draft.text("secret_id").to_owned();
    let mut secrets = view.all("aws_secretsmanager_secret");
    let secret = secrets.find(|(id, secret)| *id == asked || text(secret, "name") == asked);
    let (version_id, stage) = (
        draft.text("version_id").to_owned(),
        draft.text("version_stage").to_owned(),
    );
    let stage = if stage.is_empty() {
        "AWSCURRENT"
    } else {
        &stage
    };
    let found = secret.and_then(|(arn, secret)| {
        let mut versions = view.all("aws_secretsmanager_secret_version");
        let (_, version) = versions.find(|(_, version)| {
            [arn, text(secret, "name")].contains(&text(version, "secret_id"))
                && match version_id.is_empty() {
                    true => crate::rules::holds(version, "version_stages", stage),
                    false => text(version, "version_id") == version_id,
                }
        })?;
        Some((arn, version))
    });
    let Some((arn, version)) = found else {
        return crate::rules::refuse(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value of {asked}."),
        );
    };
    let kept = ["secret_string", "secret_binary"].map(|name| text(version, name).to_owned());
    let [string, binary] = kept;
    let string = match string.is_empty() && binary.is_empty() {
        true => stand_in(arn, text(version, "version_id")),
        false => string,
    };
    draft.put("secret_string", string);
    draft.put("secret_binary", binary);
    draft.put("arn", arn);
    draft.put("version_id", text(version, "version_id"));
    draft.fill("version_stage", stage);
    let stages = version.get("version_stages").and_then(Value::elements);
    draft.put(
        "version_stages",
        Value::list(stages.unwrap_or_default().to_vec()),
    );
    draft.fill("created_date", view.now.rfc3339());
    Ok(())
}

fn parameter(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let arn = draft.text("arn").to_owned();
    let mut parameters = view.with("aws_ssm_parameter", "arn", &arn);
    let Some((name, parameter)) = parameters.next() else {
        return crate::rules::refuse("ParameterNotFound", format!("{arn} does not exist"));
    };
    let value = match text(parameter, "value") {
        "" => stand_in(&arn, ""),
        value => value.to_owned(),
    };
    draft.put("value", value);
    draft.put("name", name);
    draft.put("type", text(parameter, "type"));
    draft.fill("version", 1);
    draft.fill("with_decryption", true);
    Ok(())
}

/// A token is made without asking the cluster.
fn cluster_token(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let request = format!(
        "https://sts.{}.amazonaws.com/?{}",
        view.region,
        random_hex()
    );
    draft.put(
        "token",
        format!(
            "k8s-aws-v1.{}",
            data_encoding::BASE64URL_NOPAD.encode(request.as_bytes())
        ),
    );
    Ok(())
}

fn registry_login(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let password = random_hex();
    draft.put(
        "authorization_token",
        BASE64.encode(format!("AWS:{password}").as_bytes()),
    );
    draft.put("user_name", "AWS");
    draft.put("password", password);
    let host = format!("https://{ACCOUNT}.dkr.ecr.{}.amazonaws.com", view.region);
    draft.put("proxy_endpoint", host);
    Ok(())
}

fn decrypted(draft: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let secrets = draft.get("secret").elements().unwrap_or_default();
    let of = |secret: &Value, name: &str| {
        let text = secret.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let plain: Vec<_> = secrets
        .iter()
        .map(|secret| {
            let value = stand_in(&of(secret, "name"), &of(secret, "payload"));
            (Arc::from(of(secret, "name")), Value::from(value))
        })
        .collect();
    draft.put("plaintext", Value::map(plain));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::{Sample, text as text_of};

    fn opened(
        sample: &Sample,
        type_name: &str,
        config: &serde_json::Value,
    ) -> Result<Value, String> {
        let schema = &sample.operations.kinds.schema.ephemeral_resources[type_name];
        let mut members = schema
            .block
            .empty_value()
            .members()
            .cloned()
            .expect("an object");
        let given =
            Value::from_json(config.to_string().as_bytes(), schema.ty()).expect("a configuration");
        for (name, value) in given.members().expect("an object") {
            if config.get(&**name).is_some() {
                members.insert(name.clone(), value.clone());
            }
        }
        let config = Value::Map(Arc::new(members));
        open(
            type_name,
            schema,
            &config,
            &sample.operations,
            &sample.settings,
        )
        .map_err(|said| said.to_string())
    }

    #[test]
    fn a_password_has_the_length_and_the_letters_that_were_asked_for() {
        let sample = Sample::new();
        let config =
            json!({"password_length": 20, "exclude_punctuation": true, "exclude_uppercase": true});
        let open =
            || opened(&sample, "aws_secretsmanager_random_password", &config).expect("opened");
        let password = text_of(&open(), "random_password");
        assert_eq!(password.len(), 20);
        assert!(
            password
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{password}"
        );
        assert_ne!(password, text_of(&open(), "random_password"));
        let other = opened(&sample, "random_password", &json!({"length": 12})).expect("opened");
        assert_eq!(text_of(&other, "result").len(), 12);
    }

    #[test]
    fn a_secret_is_read_back_if_it_is_shown_and_stood_in_for_if_it_was_write_only() {
        let sample = Sample::new();
        let read = |id: &str| {
            opened(
                &sample,
                "aws_secretsmanager_secret_version",
                &json!({"secret_id": id}),
            )
        };
        let missing = read("nothing").expect_err("refused");
        assert!(missing.contains("ResourceNotFoundException"), "{missing}");

        let secret = |name: &str| {
            text_of(
                &sample.create("aws_secretsmanager_secret", &json!({"name": name})),
                "id",
            )
        };
        let shown = secret("shown");
        sample.create(
            "aws_secretsmanager_secret_version",
            &json!({"secret_id": shown, "secret_string": "open sesame"}),
        );
        let value = |id: &str| text_of(&read(id).expect("opened"), "secret_string");
        assert_eq!(value("shown"), "open sesame");

        let hidden = secret("hidden");
        let version = sample.create(
            "aws_secretsmanager_secret_version",
            &json!({"secret_id": hidden, "secret_string_wo": "canary-29841", "secret_string_wo_version": 1}),
        );
        assert_eq!(version.get("secret_string_wo"), Some(&Value::Null));
        assert_eq!(
            version.get("has_secret_string_wo"),
            Some(&Value::from(true))
        );
        let stand_in = value("hidden");
        assert!(stand_in.starts_with("sandbox-"), "{stand_in}");
        assert_eq!(stand_in, value(&hidden));
    }

    #[test]
    fn a_type_without_a_rule_gets_values_of_the_right_types() {
        let sample = Sample::new();
        let token = opened(&sample, "aws_ecr_authorization_token", &json!({})).expect("opened");
        assert_eq!(text_of(&token, "user_name"), "AWS");
        let key =
            opened(&sample, "tls_private_key", &json!({"algorithm": "ED25519"})).expect("opened");
        assert!(!text_of(&key, "private_key_pem").is_empty());
        assert_eq!(text_of(&key, "algorithm"), "ED25519");
    }
}
