//! The command line: commands and flags, parsed and checked.

mod flags;
mod habits;
mod line;
mod objects;
mod planning;
mod pricing;

use std::str::FromStr as _;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use terrane_core::addr::{InstanceAddr, Pattern};
use terrane_registry::Platform;
use terrane_state::edit::{ProviderPattern, StateAddr};
use terrane_state::{BackendConfig, Backends};

use crate::view::{InFiles, OnStdout};
use flags::type_pattern;
pub(crate) use flags::{
    AllDetails, Approving, DenyKind, LogLevel, PlanDigestArg, ProviderChoice, RefreshChoice,
    Variable, Yes,
};
use habits::{Understood, instead_of, understood};
pub(crate) use line::{Subject, read_line};
use objects::named_object;
pub(crate) use objects::{NamedBy, NamedObject};
pub(crate) use planning::{Guard, Parallelism, Planning, Selection};
pub(crate) use pricing::Pricing;

/// A whole command line.
#[derive(Debug, Parser)]
#[command(
    about = "Plans and applies this stack. The engine is inside: there is nothing to install or initialise.",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 changes (--detailed-exitcode), \
                  3 waits for a person, 4 locked, 5 state not written, 6 fenced, 7 refused, 8 interrupted, 9 denied, 64 wrong usage."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The command line of a program that knows these kinds of stores.
    pub(crate) fn with_backends(backends: &Backends) -> clap::Command {
        let syntaxes: Vec<String> = backends.syntaxes().map(|it| format!("`{it}`, ")).collect();
        let help = format!(
            "Keep the state here instead of in the program's own backend: {}or the path of a file",
            syntaxes.concat()
        );
        Self::command().mut_arg("backend", |argument| {
            argument.help(help).value_parser(address(backends))
        })
    }
}

/// Reads the address of a state.
fn address(backends: &Backends) -> ValueParser {
    let backends = backends.clone();
    ValueParser::new(move |text: &str| backends.parse(text))
}

/// Heads the flags that every command takes.
pub(crate) const EVERYWHERE: &str = "Options of every command";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Set one configuration value; a list or map as JSON; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", global = true, help_heading = EVERYWHERE)]
    pub(crate) vars: Vec<Variable>,
    /// Read configuration values from a TOML or JSON file; repeatable, later wins
    #[arg(long = "var-file", value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub(crate) var_files: Vec<std::path::PathBuf>,
    // Help and parser are those of the program's backends.
    #[arg(long, value_name = "URL", value_parser = address(&Backends::default()), global = true, help_heading = EVERYWHERE)]
    pub(crate) backend: Option<BackendConfig>,
    /// Wait this long for the state's lock when another run holds it, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, global = true, help_heading = EVERYWHERE)]
    pub(crate) lock_timeout: Option<Duration>,
    /// Use stand-ins inside this program for the providers, and a state of its own: no account, no network, no cost
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) sandbox: bool,
    /// Write the conversation with every provider into this file, without secrets
    #[arg(long, value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub(crate) record: Option<std::path::PathBuf>,
    /// Write where the time went into this file, by resource and call, for Perfetto and Chrome's `chrome://tracing`
    #[arg(long, value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub(crate) trace: Option<std::path::PathBuf>,
    /// Let a file of `--record` answer in place of the providers, with a state of its own
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["record", "sandbox"], help_heading = EVERYWHERE)]
    pub(crate) replay: Option<std::path::PathBuf>,
    /// Ask every provider for its schema; neither use nor keep those of earlier runs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) no_cache: bool,
    /// Use no network to install providers
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) format: OnStdout,
    /// Show logs of providers and engine on stderr
    #[arg(long, value_name = "LEVEL", global = true, help_heading = EVERYWHERE)]
    pub(crate) log: Option<LogLevel>,
    /// The arguments of this invocation in this program's words, without its name.
    #[arg(skip)]
    pub(crate) given: Vec<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plan, show, ask, apply; or apply a saved plan
    #[command(alias = "apply")]
    Up(Up),
    /// Plan and show
    #[command(alias = "plan")]
    Preview(Preview),
    /// Plan the destruction of everything in the state, show, ask, apply
    Destroy(Destroy),
    /// Read every object, show drift, ask, write the state
    Refresh(Refresh),
    /// Print the stack's exported values
    Output(Output),
    /// Show the state, or a saved plan
    Show(Show),
    /// Make typed bindings of any provider, among this project's own sources
    Bindings(Bindings),
    /// Turn a Terraform configuration into a program, with the tool `terrane-convert`
    Convert(Convert),
    /// Create the store of the state, such as a bucket and a lock table, after showing the steps
    Bootstrap(Bootstrap),
    #[command(flatten)]
    OfOne(StackCommand),
}

/// The commands that are about one stack, also where a program has many.
#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Record an existing object in the state
    Import(Import),
    /// Invoke an action that the program declares
    Invoke(Invoke),
    /// List the objects of a resource type that exist and that the state does not have
    Query(Query),
    /// Inspect, edit and repair the state
    State(State),
    /// Show who ran what on this stack, and when
    History(History),
    /// Print the resource graph
    Graph(Graph),
    /// Check the program against the provider's schema; needs no credentials
    Validate(Validate),
    /// Show the program's providers; lock, mirror and verify them
    Providers(Providers),
    /// Break the lock of a dead run, after showing its holder
    ForceUnlock(ForceUnlock),
    /// Look up objects, attributes and exported values in the state, line by line
    Console(Console),
    /// Print a script that completes command lines of this program in a shell
    Completions(Completions),
}

/// `console`.
#[derive(Debug, Args)]
pub(crate) struct Console {
    /// Print sensitive values
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
    /// The command line as far as it is typed: the script asks what fits at its end
    #[arg(last = true, hide = true)]
    pub(crate) typed: Vec<String>,
}

/// Shells with completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// `providers`.
#[derive(Debug, Args)]
pub(crate) struct Providers {
    #[command(subcommand)]
    pub(crate) command: Option<ProvidersCommand>,
}

/// The commands of `providers`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProvidersCommand {
    /// Record versions and hashes in .terraform.lock.hcl, without installing anything
    Lock {
        /// Also record packages for this platform, for example darwin_arm64; repeatable; without it, this machine's
        #[arg(long = "platform", value_name = "OS_ARCH")]
        platforms: Vec<Platform>,
        /// Select the newest version that the program accepts, whatever is recorded
        #[arg(long)]
        upgrade: bool,
    },
    /// Copy packages into a folder that serves as a filesystem mirror or, behind HTTPS, as a network mirror
    Mirror {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: std::path::PathBuf,
        /// Copy the package for this platform; repeatable; without it, this machine's
        #[arg(long = "platform", value_name = "OS_ARCH")]
        platforms: Vec<Platform>,
    },
    /// Print the types of the providers; with --json their whole schemas, as Terraform prints them
    Schema,
    /// Read every byte of the installed packages and compare them with the lock file
    Verify,
}

/// `convert`.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// As `terrane-convert` takes them: `DIR --out NEW`, and for the proof `NEW --against PLAN.json` or `NEW --check`
    #[arg(
        value_name = "ARGUMENT",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// `bindings`.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Bindings {
    #[command(subcommand)]
    pub(crate) command: BindingsCommand,
}

/// The commands of `bindings`.
#[derive(Debug, Subcommand)]
pub(crate) enum BindingsCommand {
    /// Make bindings of an installed provider, which is installed if need be, or of a schema file; again after a change of either
    Add(AddBindings),
}

/// `bindings add`.
#[derive(Debug, Args)]
pub(crate) struct AddBindings {
    /// The provider: `[[HOST/]NAMESPACE/]TYPE[@VERSION]`; without a version the one in the lock file, else the newest
    #[arg(value_name = "PROVIDER", value_parser = ProviderChoice::from_str)]
    pub(crate) provider: ProviderChoice,
    /// Only types whose names fit; `*` matches any text; repeatable; without it all, or those of the last time
    #[arg(long = "type", value_name = "PATTERN", value_parser = type_pattern)]
    pub(crate) patterns: Vec<String>,
    /// The folder of the bindings; without it `src/TYPE`, or `bindings/TYPE` with --crate
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<std::path::PathBuf>,
    /// Make a crate of its own instead of a module
    #[arg(long = "crate")]
    pub(crate) is_crate: bool,
    /// A schema in the JSON of `providers schema --json`, Terraform's and OpenTofu's alike, instead of the provider; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "upgrade")]
    pub(crate) schema: Option<std::path::PathBuf>,
    /// Take the newest version, whatever is recorded in the lock file
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Write files as well that somebody has edited
    #[arg(long)]
    pub(crate) overwrite: bool,
}

/// `bootstrap`.
#[derive(Debug, Args)]
pub(crate) struct Bootstrap {
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `force-unlock`.
#[derive(Debug, Args)]
pub(crate) struct ForceUnlock {
    /// The id of the lock, from the error message
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Also advise: redundant `depends_on`, unread data resources, unprotected stateful resources, deprecated arguments
    #[arg(long)]
    pub(crate) lint: bool,
}

/// `up`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Apply exactly this saved plan, without a question
    #[arg(conflicts_with_all = Planning::ALL)]
    pub(crate) plan: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) guard: Guard,
    #[command(flatten)]
    pub(crate) parallelism: Parallelism,
    #[command(flatten)]
    pub(crate) pricing: Pricing,
    #[command(flatten)]
    pub(crate) plan_digest: Approving,
    #[command(flatten)]
    pub(crate) details: AllDetails,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `preview`.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) guard: Guard,
    #[command(flatten)]
    pub(crate) parallelism: Parallelism,
    #[command(flatten)]
    pub(crate) pricing: Pricing,
    #[command(flatten)]
    pub(crate) details: AllDetails,
    /// Plan a destroy
    #[arg(long, conflicts_with = "refresh_only")]
    pub(crate) destroy: bool,
    /// Save the plan, for `up` and `show`; it holds secrets
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<std::path::PathBuf>,
    /// Hold the state's lock while planning
    #[arg(long)]
    pub(crate) lock: bool,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print sensitive values
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

/// `destroy`.
#[derive(Debug, Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Which objects to read before planning
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = RefreshChoice::True)]
    pub(crate) refresh: RefreshChoice,
    #[command(flatten)]
    pub(crate) parallelism: Parallelism,
    #[command(flatten)]
    pub(crate) plan_digest: Approving,
    #[command(flatten)]
    pub(crate) details: AllDetails,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `invoke`.
#[derive(Debug, Args)]
pub(crate) struct Invoke {
    /// The action, for example `action.aws_lambda_invoke.warm_up`
    #[arg(value_name = "ACTION")]
    pub(crate) action: String,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `query`.
#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The resource type, for example `aws_instance`; several with --generate
    #[arg(value_name = "TYPE", required = true)]
    pub(crate) type_names: Vec<String>,
    /// Write Rust that declares the objects that the state does not have, and imports them
    #[arg(long)]
    pub(crate) generate: bool,
    /// The file for that Rust; without it standard output
    #[arg(long, value_name = "FILE", requires = "generate")]
    pub(crate) into: Option<std::path::PathBuf>,
    /// Narrow the list down by an argument of the list resource; a list or map as JSON; repeatable
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub(crate) arguments: Vec<String>,
    /// List at most that many objects through each configuration of the provider
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

/// `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The address that the program declares
    #[arg(value_name = "ADDRESS", value_parser = InstanceAddr::parse_lenient, required_unless_present = "generate")]
    pub(crate) address: Option<InstanceAddr>,
    /// The object's id, as the provider's documentation of the type says under "Import"
    #[arg(value_name = "ID", required_unless_present = "generate")]
    pub(crate) id: Option<String>,
    /// Write Rust that declares these objects and imports them: `aws_vpc=vpc-1`, or `aws_vpc.main=vpc-1` with a name for it
    #[arg(long, value_name = "TYPE[.NAME]=ID", num_args = 1.., value_parser = named_object, conflicts_with_all = ["address", "id", "yes"])]
    pub(crate) generate: Vec<NamedObject>,
    /// The file for that Rust; without it standard output
    #[arg(long, value_name = "FILE", requires = "generate")]
    pub(crate) into: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `refresh`.
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    #[command(flatten)]
    pub(crate) parallelism: Parallelism,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// `output`.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Print only this one
    pub(crate) name: Option<String>,
    /// Print the bare value without a newline, even if it is sensitive
    #[arg(long, requires = "name", conflicts_with_all = OnStdout::flags())]
    pub(crate) raw: bool,
    /// Print sensitive values
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A saved plan instead of the state
    pub(crate) plan: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) files: InFiles,
    #[command(flatten)]
    pub(crate) pricing: Pricing,
    #[command(flatten)]
    pub(crate) details: AllDetails,
    /// Print sensitive values
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

/// `history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// Print at most this many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

/// `state`.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct State {
    #[command(subcommand)]
    pub(crate) command: StateCommand,
}

/// The commands of `state`.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the addresses in the state
    List {
        /// Only these: addresses of modules, resources or instances, with `*` for any text
        #[arg(value_name = "ADDR")]
        patterns: Vec<Pattern>,
    },
    /// Show one resource instance of the state
    Show {
        /// Its address
        #[arg(value_name = "ADDR", value_parser = InstanceAddr::parse_lenient)]
        address: InstanceAddr,
        /// Print sensitive values
        #[arg(long)]
        show_secrets: bool,
    },
    /// Move a resource or module to another address, or to the state of another stack
    Mv {
        /// The present and the new address of an instance, a resource or a module; with `--to` all that move
        #[arg(value_name = "ADDR", required = true)]
        addresses: Vec<StateAddr>,
        /// Move them to the state of another stack, as `--backend` takes it; in a fleet, its name will do
        #[arg(long, value_name = "BACKEND")]
        to: Option<String>,
        /// Move them without a proof that the programs plan no change because of it
        #[arg(long, requires = "to")]
        unproven: bool,
        #[command(flatten)]
        yes: Yes,
    },
    /// Remove instances from the state without destroying their objects
    Rm {
        /// Addresses of modules, resources or instances, with `*` for any text
        #[arg(value_name = "ADDR", required = true)]
        patterns: Vec<Pattern>,
        #[command(flatten)]
        yes: Yes,
    },
    /// Replace a provider in the state by another
    ReplaceProvider {
        /// The provider in the state: `[HOST/]NAMESPACE/TYPE`
        from: ProviderPattern,
        /// The new provider; without a host, the host in the state stays
        to: ProviderPattern,
        #[command(flatten)]
        yes: Yes,
    },
    /// Print the stored state byte for byte, secrets included
    Pull {
        /// An earlier version, by its id in `state history`
        #[arg(long, value_name = "ID")]
        version: Option<String>,
        /// Decrypt a state that is stored encrypted
        #[arg(long)]
        decrypt: bool,
        /// Into a new file that only you can read, instead of stdout
        #[arg(long, value_name = "FILE")]
        out: Option<std::path::PathBuf>,
    },
    /// Replace the stored state by a state file
    Push {
        /// A state file; `-` is standard input
        #[arg(value_name = "FILE")]
        file: std::path::PathBuf,
        /// Overwrite even if the lineage differs, the serial is older, or the stored state cannot be used
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        yes: Yes,
    },
    /// List the versions of the state that the store still has, newest first
    History {
        /// Print at most this many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Replace a damaged journal by a new one with its readable records
    Repair {
        #[command(flatten)]
        yes: Yes,
    },
    /// Resolve an operation whose outcome is unknown
    Resolve {
        /// The address of the operation
        #[arg(value_name = "ADDR", value_parser = InstanceAddr::parse_lenient)]
        address: InstanceAddr,
        /// No object exists: the next run creates it
        #[arg(long, required_unless_present = "id", conflicts_with = "id")]
        absent: bool,
        /// The object with this id exists: look it up and record it in the state
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
}

/// `graph`.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// A saved plan, drawn with its actions, instead of the program
    pub(crate) plan: Option<std::path::PathBuf>,
    /// The form
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    pub(crate) format: GraphFormat,
}

/// Forms of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A picture
    Svg,
    /// For Graphviz
    Dot,
    /// For Markdown pages
    Mermaid,
    /// For programs
    Json,
}

#[cfg(test)]
mod tests;
