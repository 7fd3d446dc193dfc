//! What a converted program would change in what exists: nothing, or each change with the lines of both programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use terrane_core::addr::InstanceAddr;

use crate::against::{Change, PlanDocument, ResourceChange, between};

/// The file of a converted project that says where its declarations come from: lines of HCL by address without instance keys.
pub const ORIGINS: &str = "origins.json";

/// Where declarations were written in HCL, by address without instance keys.
#[derive(Debug, Default)]
pub struct Origins(BTreeMap<String, String>);

/// What a plan on the existing state would change.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// How many objects the plan is about.
    pub objects: usize,
    /// Each change.
    pub changes: Vec<UnwantedChange>,
}

/// A change that a converted program should not make.
#[derive(Debug, Serialize)]
pub struct UnwantedChange {
    /// The object's address; `output.NAME` for an output.
    pub address: String,
    /// What would be done.
    pub action: String,
    /// The values that it would change, as text.
    pub values: Vec<String>,
    /// The line of the Rust program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rust: Option<String>,
    /// The line of the configuration that it was converted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hcl: Option<String>,
}

impl Origins {
    /// Reads what the converter has left in the project.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::from_slice(json)?))
    }

    fn of(&self, address: &str) -> Option<&str> {
        let without_keys = match address.parse::<InstanceAddr>() {
            Ok(instance) => instance.resource.config().to_string(),
            Err(_) => address.to_owned(),
        };
        self.0.get(&without_keys).map(|origin| &**origin)
    }
}

/// What the plan of a converted program changes, with both lines of each change.
#[must_use]
pub fn report(plan: &PlanDocument, origins: &Origins) -> CheckReport {
    let mut changes = Vec::new();
    let mut add = |resource: &ResourceChange, deferred: Option<&str>| {
        let change = &resource.change;
        let moved = resource.previous_address.as_ref();
        let values = match &*change.actions {
            [action] if action == "no-op" && moved.is_none() => return,
            // A data source that is read later is no change; whatever it leads to is one.
            [action] if action == "read" => return,
            [action] if action == "update" => updated(change),
            _ if change.actions.len() > 1 => updated(change),
            _ => Vec::new(),
        };
        let mut action = change.actions.join(", ");
        for (word, detail) in [
            ("moved from", moved.map(|it| &**it)),
            ("deferred:", deferred),
        ] {
            if let Some(detail) = detail {
                action = format!("{action} ({word} {detail})");
            }
        }
        changes.push(UnwantedChange {
            address: resource.address.clone(),
            action,
            values,
            rust: (resource.source.as_ref()).map(|it| format!("{}:{}", it.filename, it.line)),
            hcl: origins.of(&resource.address).map(str::to_owned),
        });
    };
    for resource in &plan.resource_changes {
        add(resource, None);
    }
    for deferred in &plan.deferred_changes {
        add(&deferred.resource_change, Some(&deferred.reason));
    }
    for (name, change) in &plan.output_changes {
        if change.actions != ["no-op"] {
            let address = format!("output.{name}");
            changes.push(UnwantedChange {
                hcl: origins.of(&address).map(str::to_owned),
                address,
                action: change.actions.join(", "),
                values: updated(change),
                rust: None,
            });
        }
    }
    CheckReport {
        objects: plan.resource_changes.len(),
        changes,
    }
}

/// The values that an update changes.
fn updated(change: &Change) -> Vec<String> {
    between(change)
        .into_iter()
        .map(|(path, before, after)| match &*path {
            "" => format!("{before} → {after}"),
            path => format!("{path}: {before} → {after}"),
        })
        .collect()
}

impl CheckReport {
    /// Whether the program is what exists.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{}: {}", change.address, change.action)?;
            for value in &change.values {
                writeln!(f, "  {value}")?;
            }
            match (&change.rust, &change.hcl) {
                (Some(rust), Some(hcl)) => writeln!(f, "  at {rust}, converted from {hcl}")?,
                (Some(rust), None) => writeln!(f, "  at {rust}")?,
                (None, Some(hcl)) => writeln!(f, "  converted from {hcl}")?,
                (None, None) => {}
            }
        }
        match self.changes.len() {
            0 => write!(
                f,
                "No changes: {} objects are as the program has them.",
                self.objects
            ),
            1 => write!(f, "1 change that the configuration did not ask for."),
            more => write!(f, "{more} changes that the configuration did not ask for."),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_change_is_told_with_the_lines_of_both_programs() {
        let plan = json!({
            "format_version": "1.2",
            "resource_changes": [
                { "address": "aws_vpc.same", "mode": "managed", "change": { "actions": ["no-op"] } },
                { "address": "data.aws_region.here", "mode": "data", "change": { "actions": ["read"] } },
                {
                    "address": "module.net[\"a.b\"].aws_subnet.private[1]",
                    "mode": "managed",
                    "source": { "filename": "src/net.rs", "line": 12 },
                    "change": {
                        "actions": ["update"],
                        "before": { "tags": { "Name": "a" }, "secret": "x" },
                        "after": { "tags": { "Name": "b" }, "secret": "y" },
                        "after_unknown": { "arn": true },
                        "after_sensitive": { "secret": true },
                    },
                },
                {
                    "address": "aws_vpc.new",
                    "mode": "managed",
                    "previous_address": "aws_vpc.old",
                    "change": { "actions": ["no-op"] },
                },
            ],
            "deferred_changes": [{
                "reason": "provider_config_unknown",
                "resource_change": {
                    "address": "kubernetes_namespace_v1.x",
                    "mode": "managed",
                    "change": { "actions": ["create"] },
                },
            }],
            "output_changes": { "name": { "actions": ["update"], "before": "a", "after": "b" } },
        });
        let plan = PlanDocument::parse(plan.to_string().as_bytes()).expect("it is one");
        let origins =
            json!({ "module.net.aws_subnet.private": "net/main.tf:3", "output.name": "main.tf:9" });
        let origins = Origins::parse(origins.to_string().as_bytes()).expect("they are");
        insta::assert_snapshot!(report(&plan, &origins), @r#"
        module.net["a.b"].aws_subnet.private[1]: update
          arn: null → (known after apply)
          secret: (sensitive) → (sensitive)
          tags.Name: "a" → "b"
          at src/net.rs:12, converted from net/main.tf:3
        aws_vpc.new: no-op (moved from aws_vpc.old)
        kubernetes_namespace_v1.x: create (deferred: provider_config_unknown)
        output.name: update
          "a" → "b"
          converted from main.tf:9
        4 changes that the configuration did not ask for.
        "#);
    }

    #[test]
    fn a_program_that_is_what_exists_has_no_changes() {
        let same = json!({ "address": "aws_vpc.same", "mode": "managed", "change": { "actions": ["no-op"] } });
        let plan = json!({ "format_version": "1.2", "resource_changes": [same] });
        let plan = PlanDocument::parse(plan.to_string().as_bytes()).expect("it is one");
        let said = report(&plan, &Origins::default()).to_string();
        assert_eq!(said, "No changes: 1 objects are as the program has them.");
    }
}
