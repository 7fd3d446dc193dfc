//! `graph`: the declared resources and their dependencies. Needs no provider and no state.

use crate::args::Graph;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::graph::ResourceGraph;

pub(super) fn run(session: &Session<'_>, arguments: Graph) -> Result<Exit, CommandError> {
    let Graph { format } = arguments;
    let program = session.declared()?;
    session.view().graph(&ResourceGraph::of(&program), format);
    Ok(Exit::DONE)
}
