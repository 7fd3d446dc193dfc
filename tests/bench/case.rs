//! The measured case: which calls, of which provider, for which program.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use terrane_core::addr::ProviderSource;
use terrane_core::{Expr, IntoExpr as _, NoConfig, Program, Resource, Stack, Type, Value};
use terrane_provider::{CliConfig, Environment, Launch, NoLog, Plugins, ProviderCommand};
use terrane_tests::go_program;

/// How many instances are in progress at once; the command line's default.
pub(crate) const PARALLELISM: usize = 10;

/// The work of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// Plan and apply from nothing.
    Up,
    /// Plan with nothing to do.
    Preview,
    /// The same by what an earlier plan found, and from the start of the providers on.
    Quiet,
    /// Either, for other graphs; heads a table.
    Graph,
    /// The calls of the former, bare.
    FloorUp,
    /// The calls of the latter, bare.
    FloorPreview,
}

/// The provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// `terrane/fast`, whose own work is next to nothing.
    Fast,
    /// HashiCorp's null provider, in that file.
    Null(PathBuf),
}

/// Who depends on whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// Nobody on anybody.
    Apart,
    /// Each on the one before.
    Chain,
    /// All on the first.
    Fan,
    /// Layers of a hundred; each on every one of the ten at its place in the layer before.
    Layers,
}

impl Shape {
    /// Whether it is worth measuring at that size.
    pub(crate) fn fits(self, count: usize) -> bool {
        match self {
            // Every instance remembers all it depends on, near and far: that alone is quadratic in a chain, by the state's format.
            Self::Chain => count == 1_000,
            _ => true,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apart => "apart",
            Self::Chain => "chain",
            Self::Fan => "one for all",
            Self::Layers => "layers",
        })
    }
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) subject: Subject,
    pub(crate) shape: Shape,
    pub(crate) count: usize,
    /// The folder of its state.
    pub(crate) place: PathBuf,
}

impl Case {
    pub(crate) fn source(&self) -> ProviderSource {
        let source = match self.subject {
            Subject::Fast => "terrane/fast",
            Subject::Null(_) => "hashicorp/null",
        };
        source.parse().expect("a source")
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self.subject {
            Subject::Fast => "fast_resource",
            Subject::Null(_) => "null_resource",
        }
    }

    pub(crate) fn object_type(&self) -> Type {
        let mut attributes = vec![("id", Type::String), ("triggers", Type::map(Type::String))];
        if matches!(self.subject, Subject::Fast) {
            attributes.extend([("first", Type::String), ("second", Type::String)]);
        }
        Type::object(attributes)
    }

    /// The object of the resource at that place in a program without dependencies; its configuration when `id` is null.
    pub(crate) fn object(&self, place: usize, id: Value) -> Value {
        let triggers = Value::map([("place", Value::from(place.to_string()))]);
        let mut members = vec![("id", id), ("triggers", triggers)];
        if matches!(self.subject, Subject::Fast) {
            members.extend([
                ("first", Value::from("the same for all")),
                ("second", Value::Null),
            ]);
        }
        Value::map(members)
    }

    /// The providers of this machine, cut down to the one.
    pub(crate) fn plugins(&self) -> Plugins {
        let environment: Environment = ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?.into_string().ok()?)))
            .collect();
        let command: ProviderCommand = match &self.subject {
            Subject::Fast => go_program("terraform-provider-fast").into(),
            Subject::Null(binary) => binary.clone().into(),
        };
        Plugins::new(
            environment,
            CliConfig::default(),
            Launch::Direct,
            Arc::new(NoLog),
        )
        .with_command(self.source(), command)
    }

    /// The program, checked.
    pub(crate) fn program(&self) -> Program {
        let declared = Program::from_fn(|stack| self.declare(stack), NoConfig);
        declared.expect("a program")
    }

    /// The stack's function.
    pub(crate) fn declare(&self, stack: &mut Stack) -> terrane_core::Result<()> {
        let source = self.source();
        let mut before: Vec<Resource> = Vec::with_capacity(self.count);
        for place in 0..self.count {
            let mut triggers = vec![("place".to_owned(), place.to_string().into_expr())];
            let needed = match self.shape {
                Shape::Apart => 0..0,
                Shape::Chain => place.saturating_sub(1)..place,
                Shape::Fan => 0..place.min(1),
                Shape::Layers if place < 100 => 0..0,
                Shape::Layers => {
                    let start = place - place % 10 - 100;
                    start..start + 10
                }
            };
            triggers.extend(needed.map(|needed| {
                let id = before[needed].attribute::<String>("id");
                (format!("needs_{needed}"), id.into_expr())
            }));
            let triggers: std::collections::BTreeMap<String, Expr> = triggers.into_iter().collect();
            let mut resource = Resource::dynamic(self.type_name(), format!("number_{place}"))
                .provider_source(source.clone())
                .set("triggers", triggers);
            if matches!(self.subject, Subject::Fast) {
                resource = resource.set("first", "the same for all");
            }
            before.push(resource.declare(stack));
        }
        Ok(())
    }
}
