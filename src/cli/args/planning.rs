//! The flags of everything that plans or applies, declared once. Each use takes them apart, so that a new one cannot be forgotten.

use std::time::Duration;

use clap::Args;
use terrane_core::Diagnostic;
use terrane_core::addr::Pattern;
use terrane_engine::{PlanMode, PlanOptions};

use terrane_deploy::saved::UNREAD;

use super::{DenyKind, RefreshChoice};
use crate::error::CommandError;
use crate::view::InFiles;

/// The flags that decide a plan: of `preview`, of `up`, and in the record of a saved plan.
#[derive(Debug, Args)]
pub(crate) struct Planning {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Replace this even if it could stay; repeatable
    #[arg(long = "replace", value_name = "ADDR")]
    pub(crate) replace: Vec<Pattern>,
    /// Which objects to read before planning
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = RefreshChoice::True)]
    pub(crate) refresh: RefreshChoice,
    /// With `--refresh changed`: read again what was read longer ago, for example `1d`
    #[arg(long, value_name = "DURATION", value_parser = max_age)]
    pub(crate) max_age: Option<Duration>,
    /// Only record in the state how objects have changed outside of this program
    #[arg(long, conflicts_with_all = ["refresh", "max_age", "targets", "excludes", "replace"])]
    pub(crate) refresh_only: bool,
}

impl Planning {
    /// All of these, as clap names them. A test compares the list with the fields: clap makes no group of a struct with parts.
    pub(super) const ALL: [&'static str; 5] =
        ["Selection", "replace", "refresh", "max_age", "refresh_only"];

    /// The same as the engine takes it.
    pub(crate) fn options(self, destroy: bool) -> PlanOptions {
        let Self {
            selection: Selection { targets, excludes },
            replace,
            refresh,
            max_age,
            refresh_only,
        } = self;
        PlanOptions {
            mode: match (destroy, refresh_only) {
                (true, _) => PlanMode::Destroy,
                (_, true) => PlanMode::RefreshOnly,
                _ => PlanMode::Normal,
            },
            refresh: refresh.into(),
            max_age,
            targets,
            excludes,
            replace,
            ..PlanOptions::default()
        }
    }

    /// The command that applies a plan of this kind.
    pub(crate) fn verb(&self, destroy: bool) -> &'static str {
        match (destroy, self.refresh_only) {
            (true, _) => "destroy",
            (_, true) => "up --refresh-only",
            _ => "up",
        }
    }

    /// The flags that were given, as a saved plan records them. Its mode it knows by itself.
    pub(crate) fn given(&self) -> Vec<String> {
        let Self {
            selection: Selection { targets, excludes },
            replace,
            refresh,
            max_age,
            refresh_only: _,
        } = self;
        let patterns = [
            ("target", targets),
            ("exclude", excludes),
            ("replace", replace),
        ];
        let patterns = patterns.into_iter().flat_map(|(flag, patterns)| {
            let patterns = patterns.iter();
            patterns.map(move |pattern| format!("--{flag}={pattern}"))
        });
        let refresh = match refresh {
            RefreshChoice::True => None,
            RefreshChoice::Changed => Some("--refresh=changed".to_owned()),
            RefreshChoice::False => Some(UNREAD.to_owned()),
        };
        let max_age = max_age.map(|age| format!("--max-age={}", humantime::format_duration(age)));
        let max_age = max_age.map(|flag| flag.replace(' ', ""));
        patterns.chain(refresh).chain(max_age).collect()
    }

    /// Refuses flags that say nothing together.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        match (self.max_age, self.refresh) {
            (Some(_), RefreshChoice::True | RefreshChoice::False) => {
                let refused = Diagnostic::error("`--max-age` needs `--refresh changed`");
                let refused = refused.hint("`--refresh true` reads every object, whatever its age");
                Err(CommandError::usage(refused))
            }
            _ => Ok(()),
        }
    }
}

fn max_age(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

/// Which part of the stack.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only this and its dependencies; `*` matches any text; repeatable
    #[arg(long = "target", value_name = "ADDR")]
    pub(crate) targets: Vec<Pattern>,
    /// Neither this nor its dependents; repeatable
    #[arg(long = "exclude", value_name = "ADDR")]
    pub(crate) excludes: Vec<Pattern>,
}

/// The limits of a plan, and the files that it is written to beside stdout.
#[derive(Debug, Default, Args)]
pub(crate) struct Guard {
    /// Refuse a plan that holds one of these
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub(crate) deny: Vec<DenyKind>,
    #[command(flatten)]
    pub(crate) files: InFiles,
}

/// How many operations run at once.
#[derive(Debug, Args)]
pub(crate) struct Parallelism {
    /// How many operations at once
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: std::num::NonZeroUsize,
}
