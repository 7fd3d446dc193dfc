//! `completions` of a fleet: names of stacks for `--only`, and names in the state of the stack that it picks.

use clap::CommandFactory as _;
use terrane_fleet::Deployments;

use super::args::FleetArguments;
use super::session::FleetSession;
use crate::args::Completions;
use crate::completion::{self, Names};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::program_name;

pub(super) async fn completions(
    session: &FleetSession<'_>,
    deployments: &Deployments,
    arguments: Completions,
) -> Result<Exit, CommandError> {
    let Completions { shell, typed } = arguments;
    if typed.is_empty() {
        let program = program_name();
        let script = completion::script(shell, program.as_deref().unwrap_or(session.fleet));
        session.streams.out(script);
        return Ok(Exit::DONE);
    }
    let line = completion::typed(shell, &typed);
    let order = deployments.order();
    let stacks: Vec<String> = order.ids().map(|id| order.name(id).to_string()).collect();
    let mut command = FleetArguments::command();
    command.build();
    let fitting = completion::walk(&command, &line);
    let before = &line.before;
    let places = 0..before.len();
    let only = places.rev().find_map(|place| match before[place].as_str() {
        "--only" => before.get(place + 1).map(String::as_str),
        word => word.strip_prefix("--only="),
    });
    let mut names = match only.and_then(|name| order.find(name)) {
        Some(id) if fitting.wants_names() => {
            let flags = before.iter().filter(|word| *word == "--sandbox");
            let flags: Vec<String> = flags.cloned().collect();
            session.of_one(deployments, id).names(&flags).await
        }
        _ => Names::default(),
    };
    names.stacks = stacks;
    let answer = completion::answer(shell, &line, fitting, names);
    session.streams.out(answer);
    Ok(Exit::DONE)
}
