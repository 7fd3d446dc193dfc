//! The behaviour of clouds for each type beyond its schema, one file a service.
//!
//! A type without a rule here still works: ids and ARNs are guessed from names, and nothing is refused.

mod dynamodb;
mod ec2;
mod ecr;
mod eks;
mod iam;
mod kms;
mod kubernetes;
mod logs;
mod monitoring;
pub(crate) mod random;
mod rds;
mod s3;
mod secretsmanager;
pub(crate) mod view;

use std::collections::HashMap;
use std::sync::OnceLock;

use terrane_core::value::Map;

use crate::draft::Draft;

pub(crate) use ec2::zones;
pub(crate) use random::one_of;
pub(crate) use s3::CANONICAL_USER;
pub(crate) use view::{ACCOUNT, CloudView, checksum, random_hex, uuid};

/// The cloud says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The error code: `DependencyViolation`. Clouds other than AWS have none.
    pub(crate) code: &'static str,
    /// What the cloud says.
    pub(crate) message: String,
    /// Whether the provider tries again for a while, as the reason may pass.
    pub(crate) passing: bool,
}

/// A yes, or why not.
pub(crate) type Verdict = Result<(), Refusal>;

pub(crate) fn refuse(code: &'static str, message: impl Into<String>) -> Verdict {
    Err(Refusal {
        code,
        message: message.into(),
        passing: false,
    })
}

/// A refusal that the provider waits out.
pub(crate) fn not_yet(code: &'static str, message: impl Into<String>) -> Verdict {
    Err(Refusal {
        code,
        message: message.into(),
        passing: true,
    })
}

/// The special behaviour of one resource type.
pub(crate) struct Rule {
    pub(crate) type_name: &'static str,
    /// Its name in the provider's errors: `EC2 Subnet`.
    pub(crate) title: &'static str,
    /// Whether the service answers at all.
    pub(crate) reach: fn(&CloudView<'_>) -> Verdict,
    /// Checks a new object and fills in what the cloud decides.
    pub(crate) create: fn(&mut Draft, &CloudView<'_>) -> Verdict,
    /// Checks a changed object beside the old one.
    pub(crate) update: fn(&mut Draft, &Map, &CloudView<'_>) -> Verdict,
    /// Checks whether an object may go.
    pub(crate) delete: fn(&Map, &CloudView<'_>) -> Verdict,
    /// Whether that is the id by which this object is imported, where it is not its own.
    pub(crate) imports: fn(&str, &Map) -> bool,
    /// Brings an object up to date with what others did to it.
    pub(crate) read: fn(&mut Draft, &CloudView<'_>),
    /// How long AWS takes, in seconds: to create, to update, to delete.
    pub(crate) seconds: [f64; 3],
}

impl Rule {
    const fn new(type_name: &'static str, title: &'static str) -> Self {
        Self {
            type_name,
            title,
            reach: |_| Ok(()),
            create: |_, _| Ok(()),
            update: |_, _, _| Ok(()),
            delete: |_, _| Ok(()),
            imports: |_, _| false,
            read: |_, _| (),
            seconds: [1.0, 1.0, 1.0],
        }
    }

    const fn creates(mut self, create: fn(&mut Draft, &CloudView<'_>) -> Verdict) -> Self {
        self.create = create;
        self
    }

    const fn updates(mut self, update: fn(&mut Draft, &Map, &CloudView<'_>) -> Verdict) -> Self {
        self.update = update;
        self
    }

    const fn deletes(mut self, delete: fn(&Map, &CloudView<'_>) -> Verdict) -> Self {
        self.delete = delete;
        self
    }

    const fn imports(mut self, imports: fn(&str, &Map) -> bool) -> Self {
        self.imports = imports;
        self
    }

    const fn reached(mut self, reach: fn(&CloudView<'_>) -> Verdict) -> Self {
        self.reach = reach;
        self
    }

    const fn reads(mut self, read: fn(&mut Draft, &CloudView<'_>)) -> Self {
        self.read = read;
        self
    }

    const fn takes(mut self, create: f64, update: f64, delete: f64) -> Self {
        self.seconds = [create, update, delete];
        self
    }
}

/// The rule of that type, else of its family (`kubernetes_*`); one without demands where it has none.
pub(crate) fn of(type_name: &str) -> &'static Rule {
    static NONE: Rule = Rule::new("", "");
    static RULES: OnceLock<HashMap<&str, &Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let services: [&[&'static [Rule]]; 13] = [
            ec2::RULES,
            &[eks::RULES],
            &[iam::RULES],
            &[s3::RULES],
            &[ecr::RULES],
            &[logs::RULES],
            &[kms::RULES],
            &[dynamodb::RULES],
            &[kubernetes::RULES],
            &[random::RULES],
            &[secretsmanager::RULES],
            &[monitoring::RULES],
            &[rds::RULES],
        ];
        let rules = services
            .into_iter()
            .flatten()
            .flat_map(|rules| rules.iter());
        rules.map(|rule| (rule.type_name, rule)).collect()
    });
    let family = || Some(format!("{}_*", type_name.split_once('_')?.0));
    let rule = rules.get(type_name).or_else(|| rules.get(&*family()?));
    rule.copied().unwrap_or(&NONE)
}

/// A member of a stored object, when it is a text.
pub(crate) fn text<'a>(object: &'a Map, name: &str) -> &'a str {
    object
        .get(name)
        .and_then(terrane_core::Value::as_str)
        .unwrap_or_default()
}

/// Whether a list or set of a stored object has that text.
pub(crate) fn holds(object: &Map, name: &str, text: &str) -> bool {
    let elements = object.get(name).and_then(terrane_core::Value::elements);
    elements.is_some_and(|elements| {
        elements
            .iter()
            .any(|element| element.as_str() == Some(text))
    })
}

#[cfg(test)]
mod tests;
