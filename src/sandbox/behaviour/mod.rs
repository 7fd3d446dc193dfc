//! Facts about a resource type that no schema has: which arguments replace it, and the defaults of those that are not set.
//!
//! The facts are kept as text, one line a type:
//!
//! ```text
//! aws_ecr_repository encryption_configuration!@missing image_tag_mutability="MUTABLE" force_delete- name!
//! kubernetes_* metadata.name!
//! ```
//!
//! A name that ends with `*` is that of every type without a line of its own that begins so.
//!
//! | after a path | means |
//! |---|---|
//! | `!` | a change replaces the resource |
//! | `?` | taking the block away replaces the resource |
//! | `~` | blocks that AWS fills in when none are written |
//! | `-` | the provider never reads it back: it stays as written, also null |
//! | `*-` | the type is not made with the old SDK: null stays null. So it is for every type of a provider without facts here |
//! | `^` | members that are not set come back as empty, not as null |
//! | `@policy` `@json` `@url` `@missing` | no change where old and new mean the same: as a policy, as JSON, but for `https://`, when the block is left out |
//! | `%json` `%policy` | stored in normal form: names sorted; with the version first |
//! | `=VALUE` | the default, in JSON without spaces |

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use terrane_core::{Type, Value};

const TEXTS: &[&str] = &[
    include_str!("dynamodb.facts"),
    include_str!("ec2.facts"),
    include_str!("ecr.facts"),
    include_str!("eks.facts"),
    include_str!("iam.facts"),
    include_str!("kms.facts"),
    include_str!("kubernetes.facts"),
    include_str!("logs.facts"),
    include_str!("monitoring.facts"),
    include_str!("random.facts"),
    include_str!("rds.facts"),
    include_str!("s3.facts"),
    include_str!("secretsmanager.facts"),
];

/// How one resource type is treated.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    arguments: BTreeMap<&'static str, Argument>,
    /// Null stays null: types that are not made with the old SDK.
    pub(crate) keeps_nulls: bool,
}

/// How one argument or block is treated.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Argument {
    pub(crate) replaces: bool,
    /// Taking the block away does so.
    pub(crate) replaces_when_gone: bool,
    pub(crate) filled_in: bool,
    /// The provider never reads it back.
    pub(crate) kept_as_written: bool,
    /// Null is not the same as empty.
    pub(crate) keeps_null: bool,
    pub(crate) empty_members: bool,
    pub(crate) same: Same,
    pub(crate) form: Form,
    default: Option<&'static str>,
}

/// When an old and a new value mean the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Same {
    #[default]
    WhenEqual,
    AsPolicy,
    AsJson,
    AsUrl,
    WhenLeftOut,
}

/// How text is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    AsWritten,
    Json,
    Policy,
}

impl Behaviour {
    /// The facts about that type, else about its family; without any, no argument replaces and none has a default.
    pub(crate) fn of(type_name: &str) -> Self {
        static LINES: OnceLock<HashMap<&str, &str>> = OnceLock::new();
        let lines = LINES.get_or_init(|| {
            let lines = TEXTS.iter().flat_map(|text| text.lines());
            lines
                .filter(|line| !line.starts_with('#'))
                .map(|line| line.split_once(' ').unwrap_or((line, "")))
                .collect()
        });
        let family = |name: &str| Some(format!("{}_*", name.split_once('_')?.0));
        let line = lines
            .get(type_name)
            .or_else(|| lines.get(&*family(type_name)?));
        let mut behaviour = Self {
            keeps_nulls: line.is_none() && !type_name.starts_with("aws_"),
            ..Self::default()
        };
        for fact in line.into_iter().flat_map(|line| line.split(' ')) {
            let end = fact
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(fact.len());
            let (path, flags) = fact.split_at(end);
            match path {
                "" if flags.starts_with('*') => behaviour.keeps_nulls = true,
                "" => {}
                _ => {
                    behaviour.arguments.insert(path, Argument::read(flags));
                }
            }
        }
        behaviour
    }

    /// How the argument or block with that path is treated: member names joined by dots, without positions.
    pub(crate) fn at(&self, path: &str) -> Argument {
        let mut argument = self.arguments.get(path).copied().unwrap_or_default();
        argument.keeps_null = self.keeps_nulls || argument.kept_as_written;
        argument
    }

    /// Whether anything below that path replaces the resource.
    pub(crate) fn replaces_below(&self, path: &str) -> bool {
        (self.arguments.range(path..))
            .take_while(|(below, _)| below.starts_with(path))
            .any(|(below, argument)| {
                argument.replaces
                    && (below.len() == path.len() || below.as_bytes()[path.len()] == b'.')
            })
    }
}

impl Argument {
    fn read(flags: &'static str) -> Self {
        let mut argument = Self::default();
        let (flags, default) = match flags.split_once('=') {
            Some((flags, default)) => (flags, Some(default)),
            None => (flags, None),
        };
        argument.default = default;
        let (flags, form) = flags.split_once('%').unwrap_or((flags, ""));
        argument.form = match form {
            "json" => Form::Json,
            "policy" => Form::Policy,
            _ => Form::AsWritten,
        };
        let (flags, same) = flags.split_once('@').unwrap_or((flags, ""));
        argument.same = match same {
            "policy" => Same::AsPolicy,
            "json" => Same::AsJson,
            "url" => Same::AsUrl,
            "missing" => Same::WhenLeftOut,
            _ => Same::WhenEqual,
        };
        argument.replaces = flags.contains('!');
        argument.replaces_when_gone = flags.contains('?');
        argument.filled_in = flags.contains('~');
        argument.kept_as_written = flags.contains('-');
        argument.empty_members = flags.contains('^');
        argument
    }

    /// What stands for the argument when it is not set.
    pub(crate) fn default_value(&self, ty: &Type) -> Option<Value> {
        Value::from_json(self.default?.as_bytes(), ty).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_reads_as_documented() {
        for text in TEXTS {
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                for fact in line.split(' ').skip(1).filter(|fact| !fact.is_empty()) {
                    let rest = fact.trim_start_matches(|c: char| {
                        c.is_ascii_alphanumeric() || "_.*".contains(c)
                    });
                    let (flags, default) = rest.split_once('=').unwrap_or((rest, "null"));
                    let flags = flags.trim_start_matches(['!', '?', '~', '-', '^']);
                    let known = [
                        "",
                        "@policy",
                        "@json",
                        "@url",
                        "@missing",
                        "@policy%json",
                        "@policy%policy",
                        "@json%json",
                        "%json",
                    ];
                    assert!(known.contains(&flags), "{line}: {fact}");
                    assert!(
                        serde_json::from_str::<serde_json::Value>(default).is_ok(),
                        "{line}: {fact}"
                    );
                }
            }
        }
    }

    #[test]
    fn facts_are_found_by_type_and_path() {
        let subnet = Behaviour::of("aws_subnet");
        assert!(subnet.at("cidr_block").replaces);
        assert!(!subnet.at("map_public_ip_on_launch").replaces);
        assert_eq!(
            subnet
                .at("map_public_ip_on_launch")
                .default_value(&Type::Bool),
            Some(Value::from(false))
        );
        let group = Behaviour::of("aws_security_group");
        assert_eq!(
            group.at("description").default_value(&Type::String),
            Some("Managed by Terraform".into())
        );
        assert!(
            Behaviour::of("kubernetes_secret_v1")
                .at("metadata.name")
                .replaces
        );
        assert!(!Behaviour::of("aws_neptune_cluster").keeps_nulls);
        assert!(Behaviour::of("acme_queue").keeps_nulls);
        assert!(Behaviour::of("aws_eks_node_group").replaces_below("remote_access"));
        assert!(!Behaviour::of("aws_eks_node_group").replaces_below("scaling_config"));
    }
}
