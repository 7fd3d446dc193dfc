//! The command line of a fleet: commands and flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use terrane_fleet::{Shard, StackPattern};

use crate::args::{EVERYWHERE, Variable, Yes};

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
    /// Use stand-ins inside this program for the providers, and states of their own: no account, no network, no cost
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) sandbox: bool,
    /// Wait this long for a state's lock when another run holds it, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, global = true, help_heading = EVERYWHERE)]
    pub(super) lock_timeout: Option<Duration>,
    /// Work on that many stacks at once
    #[arg(long, value_name = "N", default_value = "8", global = true, help_heading = EVERYWHERE)]
    pub(super) stacks: NonZeroUsize,
    /// Work on that many resources of each stack at once
    #[arg(long, value_name = "N", default_value = "10", global = true, help_heading = EVERYWHERE)]
    pub(super) parallelism: NonZeroUsize,
    /// Ask every provider for its schema; neither use nor keep those of earlier runs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) no_cache: bool,
    /// Use no network to install providers
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) offline: bool,
    /// Print one JSON document on stdout
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum FleetCommand {
    /// Plan the stacks and show what would change
    #[command(alias = "plan")]
    Preview {
        /// Plan the destruction
        #[arg(long)]
        destroy: bool,
        /// Exit with 2 when there are changes
        #[arg(long)]
        detailed_exitcode: bool,
        #[command(flatten)]
        told: Told,
    },
    /// Plan the stacks, show, ask once, apply in their order
    #[command(alias = "apply")]
    Up {
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        told: Told,
    },
    /// Destroy everything in the states of the stacks, consumers first
    Destroy {
        #[command(flatten)]
        yes: Yes,
        /// Only short-lived stacks whose last run began longer ago than their age
        #[arg(long)]
        expired: bool,
        #[command(flatten)]
        told: Told,
    },
    /// Print the exported values of the stacks
    Output {
        /// Print sensitive values, too
        #[arg(long)]
        show_secrets: bool,
    },
    /// Print the stacks in their order; with --json as a matrix for GitHub Actions or another job queue
    Matrix {
        /// One job for each of so many shards, instead of one a stack
        #[arg(long, value_name = "N")]
        shards: Option<NonZeroUsize>,
    },
}

/// How a plan or a run is told.
#[derive(Debug, Clone, Args)]
pub(super) struct Told {
    /// Write the comment for a pull request into a file, and into `$GITHUB_STEP_SUMMARY` where that is set
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    /// Show every argument of every change
    #[arg(long)]
    pub(super) details: bool,
}
