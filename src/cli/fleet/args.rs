//! The command line of a fleet: commands and flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use terrane_fleet::{Shard, StackPattern};

use crate::args::{
    Bootstrap, Destroy, EVERYWHERE, Output, Planning, Preview, Refresh, Selection as PartOfStack,
    Show, StackCommand, Up, Variable,
};
use crate::view::OnStdout;

/// A whole command line.
#[derive(Debug, Parser)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Results go to stdout, everything else to stderr. The exit code is that of the stack that went worst: 0 done, 1 failed, \
                  2 changes (--detailed-exitcode), 3 waits for a person, 4 locked, 5 state not written, 6 fenced, 7 refused, \
                  8 interrupted, 9 denied, 64 wrong usage."
)]
pub(super) struct FleetArguments {
    #[command(flatten)]
    pub(super) common: FleetCommon,
    #[command(subcommand)]
    pub(super) command: FleetCommand,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct FleetCommon {
    /// Only this stack, or those whose names match a pattern such as `network/*`; repeatable
    #[arg(long, value_name = "NAME", global = true, help_heading = EVERYWHERE)]
    pub(super) only: Vec<StackPattern>,
    /// Only the stacks of this level: they wait for those of lower levels alone
    #[arg(long, value_name = "N", global = true, help_heading = EVERYWHERE)]
    pub(super) level: Option<usize>,
    /// Only this machine's part of the stacks; those that wait for each other stay together
    #[arg(long, value_name = "I/N", global = true, help_heading = EVERYWHERE)]
    pub(super) shard: Option<Shard>,
    /// Set one configuration value; a list or map as JSON; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", global = true, help_heading = EVERYWHERE)]
    pub(super) vars: Vec<Variable>,
    /// Read configuration values from a TOML or JSON file; repeatable, later wins
    #[arg(long = "var-file", value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub(super) var_files: Vec<PathBuf>,
    /// Keep the states below this place instead of the program's own, each in a folder of its name: a folder, or the address of a store
    #[arg(long, value_name = "URL", global = true, help_heading = EVERYWHERE)]
    pub(super) backend: Option<String>,
    /// Use stand-ins inside this program for the providers, and states of their own: no account, no network, no cost
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) sandbox: bool,
    /// Wait this long for a state's lock when another run holds it, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, global = true, help_heading = EVERYWHERE)]
    pub(super) lock_timeout: Option<Duration>,
    /// Work on that many stacks at once
    #[arg(long, value_name = "N", default_value = "8", global = true, help_heading = EVERYWHERE)]
    pub(super) stacks: NonZeroUsize,
    /// Ask every provider for its schema; neither use nor keep those of earlier runs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) no_cache: bool,
    /// Use no network to install providers
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) offline: bool,
    #[command(flatten)]
    pub(super) format: OnStdout,
    /// The arguments of this invocation in this program's words, without its name.
    #[arg(skip)]
    pub(super) given: Vec<String>,
}

/// The commands. Those of a single stack take the same arguments here; what is about one stack needs a selection of exactly one.
#[derive(Debug, Subcommand)]
pub(super) enum FleetCommand {
    /// Plan the stacks, show, ask once, apply in their order; with flags that are about one stack, as a program of that stack alone does
    #[command(alias = "apply")]
    Up(Up),
    /// Plan the stacks and show what would change
    #[command(alias = "plan")]
    Preview(Preview),
    /// Destroy everything in the states of the stacks, consumers first
    Destroy(FleetDestroy),
    /// Read every object of the stacks, show drift, ask once, write the states
    Refresh(Refresh),
    /// Print the exported values of the stacks
    Output(Output),
    /// Print the stacks in their order; with --json as a matrix for GitHub Actions or another job queue
    Matrix {
        /// One job for each of so many shards, instead of one a stack
        #[arg(long, value_name = "N")]
        shards: Option<NonZeroUsize>,
    },
    /// Create the stores of the states, such as a bucket and a lock table, after showing the steps
    Bootstrap(Bootstrap),
    /// Show the state of a stack, or a saved plan
    Show(Show),
    #[command(flatten)]
    OfOne(StackCommand),
}

/// `destroy`.
#[derive(Debug, Args)]
pub(super) struct FleetDestroy {
    #[command(flatten)]
    pub(super) destroy: Destroy,
    /// Only short-lived stacks whose last run began longer ago than their age
    #[arg(long)]
    pub(super) expired: bool,
    /// Write the comment for a pull request into a file, and into `$GITHUB_STEP_SUMMARY` where that is set
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
}

/// The first flag of `preview` that is about one stack.
pub(super) fn flag_of_one_preview(preview: &Preview) -> Option<&'static str> {
    let Preview {
        planning,
        guard,
        parallelism: _,
        pricing,
        details: _,
        destroy: _,
        out,
        lock,
        detailed_exitcode: _,
        show_secrets,
    } = preview;
    first([
        flag_of_one_planning(planning),
        guard.files.first_but(COMMENT),
        pricing.cost.then_some("cost"),
        out.is_some().then_some("out"),
        lock.then_some("lock"),
        show_secrets.then_some("show-secrets"),
    ])
}

/// The same of `up`.
pub(super) fn flag_of_one_up(up: &Up) -> Option<&'static str> {
    let Up {
        plan,
        planning,
        guard,
        parallelism: _,
        pricing,
        plan_digest,
        details: _,
        yes: _,
    } = up;
    first([
        plan.is_some().then_some("up PLAN"),
        flag_of_one_planning(planning),
        guard.files.first_but(COMMENT),
        pricing.cost.then_some("cost"),
        plan_digest.plan_digest.is_some().then_some("plan-digest"),
    ])
}

/// The same of `destroy`.
pub(super) fn flag_of_one_destroy(destroy: &Destroy) -> Option<&'static str> {
    let Destroy {
        selection,
        refresh: _,
        parallelism: _,
        plan_digest,
        details: _,
        yes: _,
    } = destroy;
    first([
        flag_of_one_selection(selection),
        plan_digest.plan_digest.is_some().then_some("plan-digest"),
    ])
}

fn flag_of_one_planning(planning: &Planning) -> Option<&'static str> {
    let Planning {
        selection,
        replace,
        refresh: _,
        max_age: _,
        refresh_only: _,
    } = planning;
    first([
        flag_of_one_selection(selection),
        (!replace.is_empty()).then_some("replace"),
    ])
}

fn flag_of_one_selection(selection: &PartOfStack) -> Option<&'static str> {
    let PartOfStack { targets, excludes } = selection;
    first([
        (!targets.is_empty()).then_some("target"),
        (!excludes.is_empty()).then_some("exclude"),
    ])
}

fn first<const N: usize>(flags: [Option<&'static str>; N]) -> Option<&'static str> {
    flags.into_iter().flatten().next()
}

/// The flag of the file with one comment about all stacks.
pub(super) const COMMENT: &str = "markdown";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        FleetArguments::command().debug_assert();
    }
}
