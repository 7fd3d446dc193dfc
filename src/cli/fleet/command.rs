//! The verbs of a fleet.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use terrane_core::Produced;
use terrane_engine::{PlanMode, PlanOptions};
use terrane_fleet::{Deployments, Matrix};

use super::args::{
    COMMENT, FleetCommand, FleetDestroy, flag_of_one_destroy, flag_of_one_preview, flag_of_one_up,
};
use super::completions::completions;
use super::session::{FleetSession, wrong_selection};
use super::work::{Work, WorkOptions, heading};
use crate::args::{
    Bootstrap, Command, Guard, Output, Parallelism, Preview, Refresh, StackCommand, StateCommand,
    Up, Validate,
};
use crate::command;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::panics;
use crate::view::Secrets;
use crate::view::text::painter::Painter;
use crate::view::text::shown_output;
use crate::view::text::stacks::jobs_table;

/// Runs one command.
pub(super) async fn run(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    command: FleetCommand,
) -> Result<Exit, CommandError> {
    match command {
        FleetCommand::Matrix { shards } => {
            matrix(session, deployments, shards.map(NonZeroUsize::get))
        }
        FleetCommand::Output(arguments) => match &arguments.name {
            Some(_) => {
                let what = "an export";
                of_one(session, deployments, what, Command::Output(arguments)).await
            }
            None => output(session, deployments, &arguments).await,
        },
        FleetCommand::Preview(arguments) => preview(session, deployments, arguments).await,
        FleetCommand::Up(arguments) => up(session, deployments, arguments).await,
        FleetCommand::Destroy(arguments) => destroy(session, deployments, arguments).await,
        FleetCommand::Refresh(arguments) => {
            let Refresh {
                parallelism: Parallelism { parallelism },
                yes,
            } = arguments;
            let options = WorkOptions::of(PlanMode::RefreshOnly, parallelism);
            let work = Work::new(session, deployments, options);
            work.change(session.chosen(deployments)?, yes).await
        }
        FleetCommand::Bootstrap(Bootstrap { yes }) => {
            let chosen = session.chosen(deployments)?;
            let places = chosen.iter().map(|&id| deployments.get(id).backend.clone());
            let places: Vec<_> = places.collect();
            let Some(&first) = chosen.first() else {
                return Ok(Exit::DONE);
            };
            // It speaks for all of them.
            let speaker = session.of_one(deployments, first);
            command::bootstrap::run(&speaker, &places, yes).await
        }
        FleetCommand::Show(arguments) => {
            of_one(session, deployments, "`show`", Command::Show(arguments)).await
        }
        FleetCommand::OfOne(StackCommand::Completions(arguments)) => {
            completions(session, deployments, arguments).await
        }
        FleetCommand::OfOne(StackCommand::Validate(arguments))
            if session.common.format.is_text() =>
        {
            validate(session, deployments, &arguments).await
        }
        FleetCommand::OfOne(command) => {
            let what = format!("`{}`", verb(&command));
            of_one(session, deployments, &what, Command::OfOne(command)).await
        }
    }
}

/// Runs a command of a single stack on the only one that is chosen.
async fn of_one(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    what: &str,
    command: Command,
) -> Result<Exit, CommandError> {
    let id = session.chosen_one(deployments, what)?;
    let one = session.of_one(deployments, id);
    panics::mask(one.redactor.clone());
    Ok(match command::run(&one, command).await {
        Ok(exit) => exit,
        Err(CommandError { exit, diagnostics }) => {
            // Its hints are about this stack.
            one.say(&diagnostics);
            exit
        }
    })
}

/// How messages name a flag.
fn named(flag: &str) -> String {
    match flag.contains(' ') {
        true => format!("`{flag}`"),
        false => format!("`--{flag}`"),
    }
}

async fn preview(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: Preview,
) -> Result<Exit, CommandError> {
    if let Some(flag) = flag_of_one_preview(&arguments) {
        let what = named(flag);
        if arguments.destroy {
            let id = session.chosen_one(deployments, &what)?;
            deployments.check_unused(&[id].into()).await?;
        }
        return of_one(session, deployments, &what, Command::Preview(arguments)).await;
    }
    let Preview {
        planning,
        guard: Guard { deny, files },
        parallelism: Parallelism { parallelism },
        details,
        destroy,
        detailed_exitcode,
        ..
    } = arguments;
    planning.check()?;
    let chosen = session.chosen(deployments)?;
    let work = Work::new(
        session,
        deployments,
        WorkOptions {
            planning: planning.options(destroy),
            parallelism,
            deny,
            details: details.into(),
            comment: files.of(COMMENT).map(ToOwned::to_owned),
        },
    );
    let (report, _) = work.preview(&chosen).await?;
    Ok(report.exit(detailed_exitcode))
}

async fn up(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: Up,
) -> Result<Exit, CommandError> {
    if let Some(flag) = flag_of_one_up(&arguments) {
        let what = named(flag);
        return of_one(session, deployments, &what, Command::Up(arguments)).await;
    }
    let Up {
        planning,
        guard: Guard { deny, files },
        parallelism: Parallelism { parallelism },
        details,
        yes,
        ..
    } = arguments;
    planning.check()?;
    let chosen = session.chosen(deployments)?;
    let work = Work::new(
        session,
        deployments,
        WorkOptions {
            planning: planning.options(false),
            parallelism,
            deny,
            details: details.into(),
            comment: files.of(COMMENT).map(ToOwned::to_owned),
        },
    );
    work.change(chosen, yes).await
}

async fn destroy(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: FleetDestroy,
) -> Result<Exit, CommandError> {
    let FleetDestroy {
        destroy,
        expired,
        markdown,
    } = arguments;
    if let Some(flag) = flag_of_one_destroy(&destroy) {
        let id = session.chosen_one(deployments, &named(flag))?;
        deployments.check_unused(&[id].into()).await?;
        let what = named(flag);
        return of_one(session, deployments, &what, Command::Destroy(destroy)).await;
    }
    let mut chosen = session.chosen(deployments)?;
    if expired {
        chosen = deployments.expired(&chosen).await?;
        if chosen.is_empty() {
            session.streams.err("No stack has expired.\n");
            return Ok(Exit::DONE);
        }
    }
    deployments.check_unused(&chosen).await?;
    let work = Work::new(
        session,
        deployments,
        WorkOptions {
            planning: PlanOptions {
                mode: PlanMode::Destroy,
                refresh: destroy.refresh.into(),
                ..PlanOptions::default()
            },
            parallelism: destroy.parallelism.parallelism,
            deny: Vec::new(),
            details: destroy.details.into(),
            comment: markdown,
        },
    );
    work.change(chosen, destroy.yes).await
}

/// Checks every chosen program, whatever the others came to.
async fn validate(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: &Validate,
) -> Result<Exit, CommandError> {
    let painter = Painter(session.streams.out_style);
    let mut worst = Exit::DONE;
    for id in session.chosen(deployments)? {
        let name = deployments.order().name(id);
        session.streams.out(heading(name, painter));
        let one = session.of_one(deployments, id);
        for used in &deployments.get(id).uses {
            // Whether they are known yet does not matter here.
            let exports = used.exports.iter();
            let unknown = exports.map(|name| (name.clone(), Produced::AfterApply));
            one.use_exports(&used.producer, unknown.collect());
        }
        let arguments = Validate {
            lint: arguments.lint,
        };
        let command = Command::OfOne(StackCommand::Validate(arguments));
        let exit = command::run(&one, command).await;
        worst = worst.worse_of(exit.unwrap_or_else(|CommandError { exit, diagnostics }| {
            one.say(&diagnostics);
            exit
        }));
    }
    Ok(worst)
}

/// How a command of one stack is called.
fn verb(command: &StackCommand) -> &'static str {
    match command {
        StackCommand::Import(_) => "import",
        StackCommand::Invoke(_) => "invoke",
        StackCommand::Query(_) => "query",
        StackCommand::State(state) => match &state.command {
            StateCommand::List { .. } => "state list",
            StateCommand::Show { .. } => "state show",
            StateCommand::Mv { .. } => "state mv",
            StateCommand::Rm { .. } => "state rm",
            StateCommand::ReplaceProvider { .. } => "state replace-provider",
            StateCommand::Pull { .. } => "state pull",
            StateCommand::Push { .. } => "state push",
            StateCommand::History { .. } => "state history",
            StateCommand::Repair { .. } => "state repair",
            StateCommand::Resolve { .. } => "state resolve",
        },
        StackCommand::History(_) => "history",
        StackCommand::Graph(_) => "graph",
        StackCommand::Validate(_) => "validate --json",
        StackCommand::Providers(_) => "providers",
        StackCommand::ForceUnlock(_) => "force-unlock",
        StackCommand::Console(_) => "console",
        StackCommand::Completions(_) => "completions",
    }
}

fn matrix(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    shards: Option<usize>,
) -> Result<Exit, CommandError> {
    let order = deployments.order();
    let matrix = Matrix::of(order, &session.selection(), shards);
    let matrix = matrix.map_err(|error| wrong_selection(&error))?;
    if !session.common.format.is_text() {
        let json = serde_json::to_string(&matrix).expect("invariant: texts and numbers are JSON");
        session.streams.out(format!("{json}\n"));
        return Ok(Exit::DONE);
    }
    let painter = Painter(session.streams.out_style);
    session.streams.out(jobs_table(&matrix, painter));
    Ok(Exit::DONE)
}

async fn output(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: &Output,
) -> Result<Exit, CommandError> {
    let secrets = Secrets::shown(arguments.show_secrets);
    let painter = Painter(session.streams.out_style);
    let mut all = serde_json::Map::new();
    let mut text = String::new();
    for id in session.chosen(deployments)? {
        let name = deployments.order().name(id);
        let outputs = deployments.get(id).deployment.outputs().await?;
        let mut values = serde_json::Map::new();
        if outputs.names().next().is_some() {
            text.push_str(&heading(name, painter));
        }
        for (name, stored) in outputs.iter() {
            let shown = shown_output(stored, secrets);
            let _ = writeln!(text, "  {name} = {shown}");
            let value = match stored.sensitive && secrets == Secrets::Hidden {
                true => serde_json::Value::Null,
                false => serde_json::from_str(stored.value.as_str()).unwrap_or_default(),
            };
            let value = serde_json::json!({ "sensitive": stored.sensitive, "type": stored.ty, "value": value });
            values.insert(name.to_owned(), value);
        }
        all.insert(name.to_string(), values.into());
    }
    session.streams.out(match session.common.format.is_text() {
        true => text,
        false => format!("{}\n", serde_json::Value::from(all)),
    });
    Ok(Exit::DONE)
}
