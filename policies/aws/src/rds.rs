//! Databases.

use terrane_core::Policy;
use terrane_core::policy::ReviewedPlan;

use crate::check::{at, require_on, require_set};

/// Instances and clusters; an instance in a cluster has the cluster's settings.
const DATABASES: [&str; 4] = [
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_docdb_cluster",
    "aws_neptune_cluster",
];

fn each(plan: &ReviewedPlan<'_>, check: impl Fn(&terrane_core::policy::Planned<'_>)) {
    for type_name in DATABASES {
        // A replica has the settings of its source.
        let own = |one: &terrane_core::policy::Planned<'_>| !one.sets("replicate_source_db");
        plan.of_type(type_name)
            .filter(own)
            .for_each(|one| check(&one));
    }
}

/// The storage of each database is encrypted.
#[track_caller]
pub fn databases_are_encrypted() -> Policy {
    Policy::new("databases are encrypted", |plan| {
        each(plan, |database| {
            require_on(
                database,
                "storage_encrypted",
                "its storage is not encrypted",
            );
        });
    })
    .hint("set `storage_encrypted` to `true`; a change of it replaces the database")
}

/// No database has a public address.
#[track_caller]
pub fn databases_are_private() -> Policy {
    Policy::new("databases are private", |plan| {
        for type_name in [
            "aws_db_instance",
            "aws_rds_cluster_instance",
            "aws_redshift_cluster",
        ] {
            for database in plan.of_type(type_name) {
                // Redshift gives an address to whoever says nothing.
                let default = type_name == "aws_redshift_cluster";
                require_set(
                    &database,
                    "publicly_accessible",
                    "it has a public address",
                    |on| !on.unwrap_or(default),
                );
            }
        }
    })
    .hint("set `publicly_accessible` to `false`")
}

/// Each database keeps its backups for at least a week.
#[track_caller]
pub fn databases_are_backed_up() -> Policy {
    Policy::new("databases are backed up", |plan| {
        each(plan, |database| {
            let days = "backup_retention_period";
            require_set(
                database,
                days,
                "its backups are kept less than 7 days",
                |days| days.is_some_and(|days: u32| days >= 7),
            );
        });
    })
    .hint("set `backup_retention_period` to 7 at least")
}

/// Connections to each database are encrypted, where a parameter group of this stack decides it.
#[track_caller]
pub fn connections_are_encrypted() -> Policy {
    Policy::new("database connections are encrypted", |plan| {
        for group in plan.of_type("aws_db_parameter_group") {
            let parameters = at::<Vec<terrane_core::Value>>(&group, "parameter");
            group.require(
                &parameters,
                "it lets clients connect in plain text",
                |all| {
                    let mut all = all.iter().flatten();
                    !all.any(|one| {
                        let text = |name: &str| one.get(name).and_then(terrane_core::Value::as_str);
                        let off = matches!(text("value"), Some("0" | "OFF" | "off"));
                        let name = text("name");
                        off && matches!(name, Some("rds.force_ssl" | "require_secure_transport"))
                    })
                },
            );
        }
    })
}
