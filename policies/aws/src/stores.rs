//! Tables, file systems, caches, queues, keys and logs.

use std::collections::HashSet;

use terrane_aws::logs;
use terrane_core::{Policy, Value};

use crate::check::{require_on, require_set};

/// Each DynamoDB table can be restored to any moment of the last weeks.
#[track_caller]
pub fn tables_can_be_restored() -> Policy {
    Policy::new("tables can be restored", |plan| {
        for table in plan.of_type("aws_dynamodb_table") {
            let path = "point_in_time_recovery[0].enabled";
            require_on(&table, path, "a deleted item is lost");
        }
    })
    .hint("set `enabled` in `point_in_time_recovery` to `true`")
}

/// Each EFS file system is encrypted.
#[track_caller]
pub fn file_systems_are_encrypted() -> Policy {
    Policy::new("file systems are encrypted", |plan| {
        for files in plan.of_type("aws_efs_file_system") {
            require_on(&files, "encrypted", "it is not encrypted");
        }
    })
    .hint("set `encrypted` to `true`; a change of it replaces the file system")
}

/// Each Redis cache is encrypted where it is and on the way.
#[track_caller]
pub fn caches_are_encrypted() -> Policy {
    Policy::new("caches are encrypted", |plan| {
        for cache in plan.of_type("aws_elasticache_replication_group") {
            let at_rest = "at_rest_encryption_enabled";
            require_on(&cache, at_rest, "its content is not encrypted");
            let in_transit = "transit_encryption_enabled";
            require_on(&cache, in_transit, "its connections are not encrypted");
        }
    })
}

/// Each queue and topic is encrypted.
#[track_caller]
pub fn queues_are_encrypted() -> Policy {
    const OPEN: &str = "its messages are not encrypted";
    Policy::new("queues and topics are encrypted", |plan| {
        for queue in plan.of_type("aws_sqs_queue") {
            // SQS encrypts by itself unless it is told not to.
            let managed = queue.attribute::<bool>("sqs_managed_sse_enabled");
            if queue.get(&managed).is(&false) && !queue.sets("kms_master_key_id") {
                queue.violates_in(&managed, OPEN);
            }
        }
        for topic in plan.of_type("aws_sns_topic") {
            if !topic.sets("kms_master_key_id") {
                topic.violates(OPEN);
            }
        }
    })
    .hint("set `kms_master_key_id`")
}

/// Each symmetric key gets new material every year.
#[track_caller]
pub fn keys_rotate() -> Policy {
    Policy::new("keys rotate", |plan| {
        for key in plan.of_type("aws_kms_key") {
            let kind = key.attribute::<String>("customer_master_key_spec");
            let kind = key.get(&kind).known();
            if kind.is_none_or(|kind| kind == "SYMMETRIC_DEFAULT") {
                require_on(&key, "enable_key_rotation", "it never gets new material");
            }
        }
    })
    .hint("set `enable_key_rotation` to `true`")
}

/// No plan deletes a key while something stays that was encrypted with it, which nobody could read any more.
#[track_caller]
pub fn keys_outlive_their_data() -> Policy {
    Policy::new("keys outlive their data", |plan| {
        let deleted = plan.changes().filter(|change| {
            let is_key = *change.address().resource.type_name == *"aws_kms_key";
            is_key && change.action().destroys()
        });
        let keys: Vec<_> = deleted.collect();
        if keys.is_empty() {
            return;
        }
        let kept: HashSet<String> = plan
            .of_type("aws_kms_key")
            .filter_map(|key| Some(key.whole_before().get("arn")?.as_str()?.to_owned()))
            .collect();
        let mut users: Vec<Vec<String>> = vec![Vec::new(); keys.len()];
        // The data of what is replaced goes as well, and an alias or a grant encrypts nothing.
        let staying = plan.resources().filter(|one| {
            !one.action().destroys() && !one.address().resource.type_name.starts_with("aws_kms_")
        });
        for object in staying {
            let mut names = HashSet::new();
            texts(object.whole_before(), &mut names);
            for (key, users) in keys.iter().zip(&mut users) {
                let key = key.whole_before();
                let is_used = match key.is_null() {
                    // Its deletion is planned later in the run: it is one of those that do not stay.
                    true => (names.iter()).any(|name| is_key_arn(name) && !kept.contains(*name)),
                    false => ["arn", "key_id"].iter().any(|name| {
                        let name = key.get(name).and_then(Value::as_str);
                        name.is_some_and(|name| names.contains(name))
                    }),
                };
                if is_used {
                    users.push(object.address().to_string());
                }
            }
        }
        for (key, users) in keys.iter().zip(users) {
            let [first, others @ ..] = &*users else {
                continue;
            };
            let more = match others.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            key.violates(format!(
                "{first}{more} was encrypted with it, and what is in there can never be read again"
            ));
        }
    })
    .hint("keep the key for as long as something is encrypted with it")
}

fn is_key_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.contains(":kms:") && text.contains(":key/")
}

/// Every text in a value.
fn texts<'v>(value: &'v Value, found: &mut HashSet<&'v str>) {
    match value {
        Value::String(text) => {
            found.insert(text);
        }
        Value::List(all) | Value::Set(all) => all.iter().for_each(|one| texts(one, found)),
        Value::Map(members) => members.values().for_each(|one| texts(one, found)),
        _ => {}
    }
}

/// No log group keeps its events for ever.
#[track_caller]
pub fn logs_expire() -> Policy {
    Policy::new("logs expire", |plan| {
        for group in plan.of::<logs::LogGroup>() {
            require_set(
                &group,
                "retention_in_days",
                "it keeps its events for ever",
                |days| days.is_some_and(|days: u32| days > 0),
            );
        }
    })
    .hint("set `retention_in_days`")
}

/// No value of a secret, and no password of a database, is kept in the state: they are write-only.
#[track_caller]
pub fn secrets_are_write_only() -> Policy {
    const STORED: [(&str, &str); 7] = [
        ("aws_secretsmanager_secret_version", "secret_string"),
        ("aws_secretsmanager_secret_version", "secret_binary"),
        ("aws_ssm_parameter", "value"),
        ("aws_db_instance", "password"),
        ("aws_rds_cluster", "master_password"),
        ("aws_docdb_cluster", "master_password"),
        ("aws_redshift_cluster", "master_password"),
    ];
    Policy::new("secrets are write-only", |plan| {
        for (type_name, argument) in STORED {
            for object in plan.of_type(type_name) {
                // A parameter of another type is no secret.
                let kind = object.attribute::<String>("type");
                let kind = object.get(&kind).known();
                let secret = type_name != "aws_ssm_parameter"
                    || kind.is_some_and(|kind| kind == "SecureString");
                if secret && object.sets(argument) {
                    let stored = object.attribute::<String>(argument);
                    object.violates_in(&stored, "the state keeps it in clear");
                }
            }
        }
    })
    .hint("set the argument of the same name that ends in `_wo`, and count up its `_wo_version` to send another value")
}
