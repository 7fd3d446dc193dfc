//! `completions`: a script for a shell, and the words that it asks for.

use clap::CommandFactory as _;

use crate::args::{Arguments, Completions};
use crate::completion::{self, Names};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: Completions,
) -> Result<Exit, CommandError> {
    let Completions { shell, typed } = arguments;
    if typed.is_empty() {
        let script = completion::script(shell, session.program_name());
        session.streams.out(script);
        return Ok(Exit::DONE);
    }
    let line = completion::typed(shell, &typed);
    let mut command = Arguments::command();
    command.build();
    let fitting = completion::walk(&command, &line);
    let names = match fitting.wants_names() {
        true => session.names(&line.before).await,
        false => Names::default(),
    };
    session
        .streams
        .out(completion::answer(shell, &line, fitting, names));
    Ok(Exit::DONE)
}
